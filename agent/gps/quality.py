"""From what a receiver says to a position we believe. Pure: the same fixes at the same seconds give the same answer.

Two clocks meet here and are kept apart. Whether the receiver still speaks is judged by real, monotonic seconds
(`mono_s`); whether the van could have got from one fix to the next is judged by the fixes' own times, which run fast in
a simulation.

The rules: a fix needs mode 2 or 3, finite coordinates in range, and not 0,0 (which means "no data"). It must be
reachable from the last believed one at STEP_LIMIT_MPS; the limit grows with the time between them, so a tunnel needs
no exception. A place that is not reachable is believed once three fixes in a row agree on it. The last position is
called stale after 3 s without a new believed fix, and is given up after 10 s.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from agent.gps.gpsd import RawFix
from agent.gps.position import Position
from wire.events import FixQuality
from wire.geo import distance_m

STALE_AFTER_S = 3.0
LOST_AFTER_S = 10.0
STEP_LIMIT_MPS = 60.0
JITTER_M = 30.0
"""How far two honest fixes of a standing van may lie apart."""
AGREEING_FIXES = 3
FASTEST_MPS = 100.0
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""Before the first release; a date before it is a receiver whose week counter rolled over."""
ROLLOVER = timedelta(weeks=1024)
GPS_BEGAN = datetime(1980, 1, 6, tzinfo=UTC)
"""Week 0: no counter that rolled over can say an earlier date."""


class Refused(StrEnum):
    """Why a fix was not believed."""

    NO_FIX = "the receiver has no fix"
    NO_PLACE = "latitude or longitude is missing"
    NOT_FINITE = "latitude or longitude is no number"
    OUT_OF_RANGE = "latitude or longitude is off the Earth"
    NULL_ISLAND = "0,0 means no data"
    BAD_TIME = "the date is decades ahead, or before there was GPS"
    OLD_TIME = "not newer than the fix before"
    JUMP = "too far from the fix before"


@dataclass(frozen=True)
class Belief:
    """What is believed now, and what is needed to judge the next fix."""

    position: Position | None = None
    """The last believed fix, marked stale when it is; None when there never was one or it is lost."""
    good: Position | None = None
    """The last believed fix, however long ago: the next one is measured against it."""
    heard_at_s: float = 0.0
    """Monotonic seconds at which `good` came."""
    doubtful: tuple[Position, ...] = ()
    """Unreachable fixes in a row which agree with each other."""
    refused: Mapping[Refused, int] = field(default_factory=dict)
    """How many fixes were not believed, by reason."""


def judged(belief: Belief, fix: RawFix | None, mono_s: float, earliest: datetime = EARLIEST) -> Belief:
    """The belief after a fix, or after a moment of silence (None), at `mono_s` monotonic seconds."""
    if fix is not None:
        belief = _heard(belief, fix, mono_s, earliest)
    return replace(belief, position=_aged(belief, mono_s))


def unrolled(time: datetime, earliest: datetime = EARLIEST) -> datetime:
    """The date a receiver means whose 10-bit week counter rolled over: moved on by 1024 weeks until it can be true."""
    while time < earliest:
        time += ROLLOVER
    return time


def _heard(belief: Belief, fix: RawFix, mono_s: float, earliest: datetime) -> Belief:
    read = _position(fix, earliest)
    if isinstance(read, Refused):
        return _counted(belief, read)
    if belief.good is None:
        return _believed(belief, read, mono_s)
    if read.fixed_at == belief.good.fixed_at:
        return belief  # said again, not new: ages like silence
    if _can_follow(belief.good, read):
        return _believed(belief, read, mono_s)
    doubtful: tuple[Position, ...] = (read,)
    if belief.doubtful:
        if read.fixed_at == belief.doubtful[-1].fixed_at:
            return belief
        if _can_follow(belief.doubtful[-1], read):
            doubtful = (*belief.doubtful, read)
    if len(doubtful) >= AGREEING_FIXES:
        return _believed(belief, read, mono_s)
    why = Refused.OLD_TIME if read.fixed_at < belief.good.fixed_at else Refused.JUMP
    return replace(_counted(belief, why), doubtful=doubtful)


def _believed(belief: Belief, position: Position, mono_s: float) -> Belief:
    return replace(belief, good=position, heard_at_s=mono_s, doubtful=())


def _counted(belief: Belief, why: Refused) -> Belief:
    return replace(belief, refused={**belief.refused, why: belief.refused.get(why, 0) + 1})


def _can_follow(before: Position, after: Position) -> bool:
    passed_s = (after.fixed_at - before.fixed_at).total_seconds()
    return passed_s > 0 and distance_m(before.place, after.place) <= JITTER_M + STEP_LIMIT_MPS * passed_s


def _aged(belief: Belief, mono_s: float) -> Position | None:
    if belief.good is None:
        return None
    silent_s = mono_s - belief.heard_at_s
    if silent_s > LOST_AFTER_S:
        return None
    return belief.good.model_copy(update={"quality": FixQuality.STALE}) if silent_s > STALE_AFTER_S else belief.good


def _position(fix: RawFix, earliest: datetime) -> Position | Refused:
    """The fix as a position with everything doubtful left out, or why it is none."""
    if fix.mode < 2:
        return Refused.NO_FIX
    if fix.lat_deg is None or fix.lon_deg is None:
        return Refused.NO_PLACE
    if not (math.isfinite(fix.lat_deg) and math.isfinite(fix.lon_deg)):
        return Refused.NOT_FINITE
    if abs(fix.lat_deg) > 90 or abs(fix.lon_deg) > 180:
        return Refused.OUT_OF_RANGE
    if fix.lat_deg == 0 and fix.lon_deg == 0:
        return Refused.NULL_ISLAND
    fixed_at = unrolled(fix.time, earliest)
    if fix.time < GPS_BEGAN or fixed_at >= earliest + ROLLOVER:
        return Refused.BAD_TIME
    return Position(
        lat_deg=fix.lat_deg,
        lon_deg=fix.lon_deg,
        fixed_at=fixed_at,
        quality=FixQuality.FIX_2D if fix.mode == 2 else FixQuality.FIX_3D,
        error_m=_within(fix.eph_m, math.inf),
        speed_mps=_within(fix.speed_mps, FASTEST_MPS),
        heading_deg=_heading(fix.track_deg),
    )


def _within(value: float | None, highest: float) -> float | None:
    return value if value is not None and math.isfinite(value) and 0 <= value <= highest else None


def _heading(track_deg: float | None) -> float | None:
    if track_deg is None or not math.isfinite(track_deg):
        return None
    return track_deg % 360.0 % 360.0  # twice: -1e-15 % 360 is 360.0
