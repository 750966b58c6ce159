"""Manifests as they were handed out. A version is never changed; a van's versions grow over all its days."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, func, insert, select

from cloud.fleet.news import InForce
from cloud.store.instants import to_ms
from cloud.store.tables import manifests, van_states
from wire.codec import canonical, to_json
from wire.manifest import Manifest, SequencePolicy


def next_version(conn: Connection, van: str) -> int:
    """Above every version we made and above the one the van applied: a backup may have undone the ones between."""
    newest = conn.execute(select(func.max(manifests.c.version)).where(manifests.c.van == van)).scalar()
    applied = conn.execute(select(van_states.c.applied_manifest_version).where(van_states.c.van == van)).scalar()
    return max(newest or 0, applied or 0) + 1


def save_manifest(conn: Connection, manifest: Manifest, now: datetime) -> None:
    conn.execute(
        insert(manifests).values(
            van=manifest.van,
            day=manifest.day.isoformat(),
            version=manifest.version,
            document=canonical(to_json(manifest)).decode(),
            policy=manifest.policy.value,
            made_ms=to_ms(now),
        )
    )


def newest_manifest(conn: Connection, van: str, day: date) -> Manifest | None:
    """The last one made for that van and day."""
    document = conn.execute(
        select(manifests.c.document)
        .where(manifests.c.van == van, manifests.c.day == day.isoformat())
        .order_by(manifests.c.version.desc())
        .limit(1)
    ).scalar()
    return None if document is None else Manifest.model_validate_json(document)


def in_force(conn: Connection, vans: Iterable[str], day: date) -> dict[str, InForce]:
    """For each van that has a manifest that day."""
    newest = (
        select(manifests.c.van, func.max(manifests.c.version).label("version"))
        .where(manifests.c.van.in_(sorted(set(vans))), manifests.c.day == day.isoformat())
        .group_by(manifests.c.van)
        .subquery()
    )
    rows = conn.execute(
        select(manifests.c.van, manifests.c.version, manifests.c.policy).join(
            newest, (manifests.c.van == newest.c.van) & (manifests.c.version == newest.c.version)
        )
    )
    return {row.van: InForce(version=row.version, policy=SequencePolicy(row.policy)) for row in rows}
