"""Manifests as they were handed out. A version is never changed; a van's versions grow over all its days."""

from datetime import date, datetime

from sqlalchemy import Connection, func, insert, select

from cloud.store.instants import to_ms
from cloud.store.tables import manifests
from wire.codec import canonical, to_json
from wire.manifest import Manifest


def next_version(conn: Connection, van: str) -> int:
    newest = conn.execute(select(func.max(manifests.c.version)).where(manifests.c.van == van)).scalar()
    return (newest or 0) + 1


def save_manifest(conn: Connection, manifest: Manifest, now: datetime) -> None:
    conn.execute(
        insert(manifests).values(
            van=manifest.van,
            day=manifest.day.isoformat(),
            version=manifest.version,
            document=canonical(to_json(manifest)).decode(),
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


def manifest_in_force(conn: Connection, van: str, today: date) -> Manifest | None:
    """What the van should hold now: today's newest; before there is one, the next day's that has one; else the last."""
    days = [
        date.fromisoformat(day)
        for day in conn.execute(select(manifests.c.day).where(manifests.c.van == van).distinct()).scalars()
    ]
    coming = [day for day in days if day >= today]
    day = min(coming) if coming else max(days, default=None)
    return None if day is None else newest_manifest(conn, van, day)
