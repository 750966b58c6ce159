"""Orders: imports, assignments and cancellations, within the caller's transaction. Nothing is ever deleted."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import Connection, Row, func, insert, select, update

from cloud.dispatch.assign import Assignment
from cloud.orders.found import TakenIn
from cloud.orders.order import ImportPlan, Order
from cloud.store.instants import from_ms, to_ms
from cloud.store.parts import parts
from cloud.store.tables import orders
from wire.codec import canonical, to_json
from wire.manifest import Stop
from wire.model import StopId


def orders_of_day(conn: Connection, day: date) -> tuple[Order, ...]:
    """Every order of a day, cancelled ones too; each van's in its suggested order."""
    rows = conn.execute(
        select(orders)
        .where(orders.c.day == day.isoformat())
        .order_by(orders.c.van, orders.c.position, orders.c.stop_id)
    )
    return tuple(_order(row) for row in rows)


def find_orders(conn: Connection, stop_ids: Iterable[StopId]) -> dict[StopId, Order]:
    """The orders that exist among these."""
    found: dict[StopId, Order] = {}
    for part in parts(stop_ids):
        rows = conn.execute(select(orders).where(orders.c.stop_id.in_(part)))
        found |= {row.stop_id: _order(row) for row in rows}
    return found


def save_import(conn: Connection, plan: ImportPlan, now: datetime) -> None:
    """Writes new and changed orders; a changed one keeps its van and its place."""
    at_ms = to_ms(now)
    added = [
        {
            "stop_id": row.stop.stop_id,
            "order_ref": row.stop.order_ref,
            "day": row.day.isoformat(),
            "stop": _text(row.stop),
            "why_unassigned": "",
            "added_ms": at_ms,
            "changed_ms": at_ms,
        }
        for row in plan.added
    ]
    if added:
        conn.execute(orders.insert(), added)
    for row in plan.updated:
        conn.execute(
            update(orders)
            .where(orders.c.stop_id == row.stop.stop_id)
            .values(stop=_text(row.stop), why_unassigned="", changed_ms=at_ms)
        )


def save_found(conn: Connection, taken: TakenIn, now: datetime) -> None:
    """Writes the order of a label, at the end of its van's list, and marks what it takes over as carried."""
    at_ms, order = to_ms(now), taken.order
    known = conn.execute(select(orders.c.cancelled_ms).where(orders.c.stop_id == order.stop_id)).first()
    if known is None:
        day = order.day.isoformat()
        last = select(func.max(orders.c.position)).where(orders.c.day == day, orders.c.van == order.van)
        newest: int | None = conn.execute(last).scalar()
        values = {"stop_id": order.stop_id, "order_ref": order.order_ref, "day": day, "van": order.van}
        conn.execute(
            orders.insert().values(
                **values,
                stop=_text(order.stop),
                position=0 if newest is None else newest + 1,
                why_unassigned=taken.declined,
                cancelled_ms=at_ms if taken.declined else None,
                added_ms=at_ms,
                changed_ms=at_ms,
            )
        )
    else:
        changed = {"stop": _text(order.stop), "order_ref": order.order_ref, "changed_ms": at_ms}
        conn.execute(update(orders).where(orders.c.stop_id == order.stop_id).values(**changed))
    for stop_id, why in taken.carried.items():
        carried = {"cancelled_ms": at_ms, "why_unassigned": why, "changed_ms": at_ms}
        conn.execute(
            update(orders).where(orders.c.stop_id == stop_id, orders.c.cancelled_ms.is_(None)).values(**carried)
        )


def save_assignment(conn: Connection, assignment: Assignment, now: datetime) -> None:
    """Writes who got what and why the rest got nothing."""
    at_ms = to_ms(now)
    for van, stop_ids in assignment.orders.items():
        if van not in assignment.given.values():
            continue  # nothing new for it: its order stays
        for position, stop_id in enumerate(stop_ids):
            conn.execute(
                update(orders)
                .where(orders.c.stop_id == stop_id)
                .values(van=van, position=position, why_unassigned="", changed_ms=at_ms)
            )
    for stop_id, why in assignment.unassigned.items():
        conn.execute(update(orders).where(orders.c.stop_id == stop_id).values(why_unassigned=why, changed_ms=at_ms))


def give_to(conn: Connection, stop_id: StopId, van: str, now: datetime) -> None:
    """The stop is that van's from now on, behind what it has that day."""
    day = select(orders.c.day).where(orders.c.stop_id == stop_id).scalar_subquery()
    last = conn.execute(select(func.max(orders.c.position)).where(orders.c.van == van, orders.c.day == day)).scalar()
    conn.execute(
        update(orders)
        .where(orders.c.stop_id == stop_id)
        .values(van=van, position=(last or 0) + 1, why_unassigned="", changed_ms=to_ms(now))
    )


def add_stop(conn: Connection, stop: Stop, day: date, van: str, now: datetime) -> None:
    """A stop of our own, which no shipper asked for: where two vans meet."""
    at_ms = to_ms(now)
    conn.execute(
        insert(orders).values(
            stop_id=stop.stop_id,
            order_ref=stop.order_ref,
            day=day.isoformat(),
            stop=_text(stop),
            why_unassigned="",
            added_ms=at_ms,
            changed_ms=at_ms,
        )
    )
    give_to(conn, stop.stop_id, van, now)


def cancel_order(conn: Connection, stop_id: StopId, now: datetime) -> bool:
    """True when it was not cancelled before. The van it had stays written beside it."""
    done = conn.execute(
        update(orders)
        .where(orders.c.stop_id == stop_id, orders.c.cancelled_ms.is_(None))
        .values(cancelled_ms=to_ms(now), changed_ms=to_ms(now))
    )
    return done.rowcount > 0


def _order(row: Row[tuple[object, ...]]) -> Order:
    return Order(
        stop_id=row.stop_id,
        day=date.fromisoformat(row.day),
        stop=Stop.model_validate_json(row.stop),
        van=row.van,
        position=row.position,
        why_unassigned=row.why_unassigned,
        cancelled_at=None if row.cancelled_ms is None else from_ms(row.cancelled_ms),
    )


def _text(stop: Stop) -> str:
    return canonical(to_json(stop)).decode()
