"""Closed roads, and the conditions made of them: one numbered list for every van."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from cloud.store.instants import to_ms
from cloud.store.tables import closures, versions
from wire.codec import canonical, to_json
from wire.manifest import Closure, Conditions
from wire.model import StopId

CONDITIONS = "conditions"


def standing_closures(conn: Connection, now: datetime) -> tuple[Closure, ...]:
    """Neither lifted nor over; those that begin later are among them."""
    rows = conn.execute(
        select(closures.c.document).where(closures.c.lifted_ms.is_(None)).order_by(closures.c.closure_id)
    )
    found = (Closure.model_validate_json(document) for document in rows.scalars())
    return tuple(closure for closure in found if closure.valid_until > now)


def save_closure(conn: Connection, closure: Closure, now: datetime) -> bool:
    """Adds a closure; True when it is new. The same one again changes nothing.

    Raises ValueError when its id was used for another closure.
    """
    text = canonical(to_json(closure)).decode()
    before = conn.execute(select(closures).where(closures.c.closure_id == closure.closure_id)).one_or_none()
    if before is not None:
        if before.document == text and before.lifted_ms is None:
            return False
        raise ValueError(f"the id {closure.closure_id} was used for another closure: choose a new one")
    conn.execute(insert(closures).values(closure_id=closure.closure_id, document=text, made_ms=to_ms(now)))
    _count_up(conn)
    return True


def lift_closure(conn: Connection, closure_id: StopId, now: datetime) -> bool:
    """False when there is no such closure, or it was lifted before."""
    done = conn.execute(
        update(closures)
        .where(closures.c.closure_id == closure_id, closures.c.lifted_ms.is_(None))
        .values(lifted_ms=to_ms(now))
    )
    if done.rowcount:
        _count_up(conn)
    return done.rowcount > 0


def conditions_now(conn: Connection, now: datetime) -> Conditions | None:
    """What every van should know of its roads; None until there was a first closure."""
    version = conn.execute(select(versions.c.version).where(versions.c.name == CONDITIONS)).scalar()
    if version is None:
        return None
    return Conditions(schema=1, version=version, issued_at=now, closures=standing_closures(conn, now))


def _count_up(conn: Connection) -> None:
    counted = conn.execute(update(versions).where(versions.c.name == CONDITIONS).values(version=versions.c.version + 1))
    if not counted.rowcount:
        conn.execute(insert(versions).values(name=CONDITIONS, version=1))
