"""The manifest of a van: what it is handed over the link."""

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from cloud.dispatch.van import Van
from wire.manifest import Depot, Manifest, SequencePolicy, Stop
from wire.model import StopId
from wire.transfer import Meeting, ReleaseAsked


def build_manifest(
    van: Van,
    day: date,
    version: int,
    *,
    stops: Sequence[Stop],
    depot: Depot,
    zone: ZoneInfo,
    policy: SequencePolicy,
    declined: Sequence[StopId] = (),
    releases: Sequence[ReleaseAsked] = (),
    meetings: Sequence[Meeting] = (),
) -> Manifest:
    """The stops in the order given, which is the order the van starts from; it begins and ends at the depot.

    Raises ValueError when a stop stands twice.
    """
    shift_starts_at, shift_ends_at = van.shift_on(day, zone)
    return Manifest(
        schema=1,
        van=van.name,
        day=day,
        version=version,
        timezone=zone.key,
        driver=van.driver,
        policy=policy,
        start=depot,
        end=depot,
        shift_starts_at=shift_starts_at,
        shift_ends_at=shift_ends_at,
        stops=tuple(stops),
        declined=tuple(sorted(declined)),
        releases=tuple(releases),
        meetings=tuple(meetings),
    )


def says_the_same(one: Manifest, other: Manifest) -> bool:
    """Whether two manifests differ in nothing but their version, so that there is nothing new to tell the van."""
    return one.model_copy(update={"version": other.version}) == other
