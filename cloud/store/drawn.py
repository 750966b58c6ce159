"""Closed roads and changes of speed as kept: each stands until it is lifted or over, and an id is used once."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Column, Connection, Table, insert, select, update

from cloud.store import tables
from cloud.store.edition import CONDITIONS, count_up
from cloud.store.instants import to_ms
from wire.codec import canonical, to_json
from wire.manifest import Closure, SpeedChange


class Kind[T: (Closure, SpeedChange)](NamedTuple):
    """One of the two, and where it is kept."""

    model: type[T]
    table: Table
    word: str

    @property
    def id(self) -> Column[str]:
        """The column that holds the ids; the model's field has its name."""
        (column,) = self.table.primary_key.columns
        return column


CLOSURES = Kind(Closure, tables.closures, "closure")
SPEEDS = Kind(SpeedChange, tables.speeds, "change of speed")


def standing[T: (Closure, SpeedChange)](conn: Connection, kind: Kind[T], now: datetime) -> tuple[T, ...]:
    """Neither lifted nor over, by their ids; those that begin later are among them."""
    rows = conn.execute(select(kind.table.c.document).where(kind.table.c.lifted_ms.is_(None)).order_by(kind.id))
    found = (kind.model.model_validate_json(document) for document in rows.scalars())
    return tuple(one for one in found if one.valid_until > now)


def save[T: (Closure, SpeedChange)](conn: Connection, kind: Kind[T], one: T, now: datetime) -> bool:
    """Adds one; True when it is new. The same one again changes nothing.

    Raises ValueError when its id was used for another one.
    """
    text, one_id = _text(one), _id(kind, one)
    before = conn.execute(select(kind.table).where(kind.id == one_id)).one_or_none()
    if before is not None:
        if before.document == text and before.lifted_ms is None:
            return False
        raise ValueError(f"the id {one_id} was used for another {kind.word}: choose a new one")
    _insert(conn, kind, one, now)
    count_up(conn, CONDITIONS)
    return True


def lift[T: (Closure, SpeedChange)](conn: Connection, kind: Kind[T], one_id: str, now: datetime) -> bool:
    """False when there is no such one, or it was lifted before."""
    done = conn.execute(
        update(kind.table).where(kind.id == one_id, kind.table.c.lifted_ms.is_(None)).values(lifted_ms=to_ms(now))
    )
    if done.rowcount:
        count_up(conn, CONDITIONS)
    return done.rowcount > 0


def replace_all[T: (Closure, SpeedChange)](
    conn: Connection, kind: Kind[T], prefix: str, found: Sequence[T], now: datetime
) -> bool:
    """Those whose ids begin with `prefix` are from now on these; True when that changes anything.

    An id stands for what is said under it: one that comes again is the one that was there.
    """
    wanted = {_id(kind, one): one for one in found}
    of_feed = kind.id.startswith(prefix, autoescape=True)
    rows = conn.execute(select(kind.id.label("id"), kind.table.c.lifted_ms).where(of_feed)).all()
    there = {row.id: row.lifted_ms is None for row in rows}
    gone = [one_id for one_id, stands in there.items() if stands and one_id not in wanted]
    back = [one_id for one_id in wanted if not there.get(one_id, True)]
    new = [one for one_id, one in wanted.items() if one_id not in there]
    if gone:
        conn.execute(update(kind.table).where(kind.id.in_(gone)).values(lifted_ms=to_ms(now)))
    if back:
        conn.execute(update(kind.table).where(kind.id.in_(back)).values(lifted_ms=None))
    for one in new:
        _insert(conn, kind, one, now)
    if gone or back or new:
        count_up(conn, CONDITIONS)
    return bool(gone or back or new)


def _id[T: (Closure, SpeedChange)](kind: Kind[T], one: T) -> str:
    return str(getattr(one, kind.id.name))


def _text(one: Closure | SpeedChange) -> str:
    return canonical(to_json(one)).decode()


def _insert[T: (Closure, SpeedChange)](conn: Connection, kind: Kind[T], one: T, now: datetime) -> None:
    conn.execute(
        insert(kind.table).values({kind.id.name: _id(kind, one), "document": _text(one), "made_ms": to_ms(now)})
    )
