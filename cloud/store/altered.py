"""Stops of which something does not hold that was sealed. Nothing of them is discarded; a person has to look."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, func, insert, select

from cloud.store.instants import to_ms
from cloud.store.tables import altered_proofs


def note_altered(connection: Connection, stop_id: str, van: str, why: str, now: datetime) -> bool:
    """Keeps that a stop's proof does not hold; whether that is news."""
    here = altered_proofs.c.stop_id == stop_id
    known = connection.execute(select(altered_proofs.c.why).where(here)).scalar()
    if known == why:
        return False
    connection.execute(delete(altered_proofs).where(here))
    connection.execute(insert(altered_proofs).values(stop_id=stop_id, van=van, why=why, found_ms=to_ms(now)))
    return True


def altered_since(connection: Connection, vans: Iterable[str], since: datetime) -> dict[str, int]:
    """How many such stops were found of each van."""
    counted = (
        select(altered_proofs.c.van, func.count())
        .where(altered_proofs.c.van.in_(sorted(vans)), altered_proofs.c.found_ms >= to_ms(since))
        .group_by(altered_proofs.c.van)
    )
    return {row[0]: row[1] for row in connection.execute(counted)}
