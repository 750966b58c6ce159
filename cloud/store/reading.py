"""What the screens read: stops with what became of them, vans with their news, records and evidence. Reads only."""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, select

from cloud.fleet.news import InForce, VanNews
from cloud.fleet.page import Heard, Held
from cloud.fleet.picture import StopFacts
from cloud.fleet.view import StopStatus
from cloud.orders.found import first_found_id
from cloud.orders.order import Order
from cloud.store.altered import altered_since
from cloud.store.instants import from_ms, to_ms
from cloud.store.manifests import in_force
from cloud.store.orders import find_orders, orders_of_day
from cloud.store.parts import Among, parts
from cloud.store.stop_states import states_of
from cloud.store.tables import blob_chunks, blobs, forks, records, van_states, wanted_blobs
from cloud.store.transfers import newest_transfers
from wire.events import EventKind, Live, Presence
from wire.finding import StopFound
from wire.model import Sha256, StopId

_WHOLE = Among(select(blobs.c.sha256).where(blobs.c.is_whole), blobs.c.sha256)


def closed_among(conn: Connection, stop_ids: Iterable[StopId]) -> frozenset[StopId]:
    """Those that a van delivered or failed."""
    done = (StopStatus.COMPLETED, StopStatus.FAILED)
    return frozenset(stop_id for stop_id, state in states_of(conn, stop_ids).items() if state.status in done)


def orders_and_closed(conn: Connection, day: date) -> tuple[tuple[Order, ...], frozenset[StopId]]:
    orders = orders_of_day(conn, day)
    return orders, closed_among(conn, [order.stop_id for order in orders])


def stops_of_day(conn: Connection, day: date) -> list[tuple[Order, StopFacts]]:
    return _with_facts(conn, orders_of_day(conn, day))


def stops(conn: Connection, stop_ids: Iterable[StopId]) -> list[tuple[Order, StopFacts]]:
    """Those among these that have an order."""
    return _with_facts(conn, tuple(find_orders(conn, stop_ids).values()))


def van_news(conn: Connection, names: Iterable[str], today: date) -> dict[str, tuple[VanNews, InForce]]:
    """For each van what it last said, and the manifest it should hold."""
    wanted = sorted(set(names))
    rows = {row.van: row for row in conn.execute(select(van_states).where(van_states.c.van.in_(wanted)))}
    given = in_force(conn, wanted, today)
    begins_ms = to_ms(datetime.combine(today, time(), UTC))
    counted = select(forks.c.van, func.count()).where(forks.c.van.in_(wanted), forks.c.received_ms >= begins_ms)
    forked = {row[0]: row[1] for row in conn.execute(counted.group_by(forks.c.van))}
    altered = altered_since(conn, wanted, from_ms(begins_ms))
    return {
        name: (
            _news(rows[name], forked.get(name, 0), altered.get(name, 0)) if name in rows else VanNews(),
            given.get(name, InForce()),
        )
        for name in wanted
    }


def heard_of_stop(conn: Connection, stop_id: StopId) -> tuple[Heard, ...]:
    """Every record that names the stop, in the order received."""
    rows = conn.execute(
        select(records)
        .where(records.c.stop_id == stop_id)
        .order_by(records.c.received_ms, records.c.van, records.c.epoch, records.c.seq)
    )
    return tuple(_heard(row) for row in rows)


def found_stop(conn: Connection, stop_id: StopId) -> tuple[StopFound, tuple[str, ...]] | None:
    """What vans said of a stop that they made of a label: as the first of them has it, and who they are."""
    rows = conn.execute(
        select(records.c.van, records.c.record)
        .where(records.c.stop_id == stop_id, records.c.kind == EventKind.STOP_FOUND.value, records.c.problem.is_(None))
        .order_by(records.c.received_ms, records.c.van, records.c.epoch, records.c.seq)
    ).all()
    if not rows:
        return None
    try:
        found = StopFound.model_validate(json.loads(rows[0].record)["body"])
    except ValidationError:
        return None  # it was one when it came, and by today's model is not
    return found, tuple(dict.fromkeys(row.van for row in rows))


def found_without_order(conn: Connection, days: Iterable[date]) -> set[StopId]:
    """The stops of these days that vans made of labels, and that no order was made of yet."""
    found: set[StopId] = set()
    for day in days:
        first = first_found_id(day)
        here = records.c.stop_id.between(first, first + "~")
        rows = conn.execute(select(records.c.stop_id).where(here, records.c.kind == EventKind.STOP_FOUND.value))
        found |= set(rows.scalars())
    return found - find_orders(conn, found).keys()


def held_of(conn: Connection, sha256s: Iterable[Sha256]) -> dict[Sha256, Held]:
    """How much is here of each piece of evidence of which anything is."""
    held: dict[Sha256, Held] = {}
    for part in parts(sha256s):
        here = func.coalesce(func.sum(func.length(blob_chunks.c.data)), 0)
        rows = conn.execute(
            select(blobs.c.sha256, blobs.c.total_bytes, blobs.c.is_whole, here)
            .select_from(blobs.outerjoin(blob_chunks))
            .where(blobs.c.sha256.in_(part))
            .group_by(blobs.c.sha256, blobs.c.total_bytes, blobs.c.is_whole)
        )
        for sha256, total_bytes, is_whole, chunk_bytes in rows:
            held[sha256] = Held(
                held_bytes=total_bytes if is_whole else min(chunk_bytes, total_bytes), is_whole=is_whole
            )
    return held


def is_awaited(conn: Connection, sha256: Sha256) -> bool:
    """Whether a van has named this evidence, and it is not whole."""
    return conn.execute(select(wanted_blobs.c.sha256).where(wanted_blobs.c.sha256 == sha256)).first() is not None


def facts_of(conn: Connection, stop_ids: Iterable[StopId]) -> dict[StopId, StopFacts]:
    """What became of these stops."""
    states = states_of(conn, stop_ids)
    wanted = {piece.sha256 for state in states.values() for piece in state.evidence}
    whole = {sha256 for (sha256,) in _WHOLE.rows(conn, wanted)}
    passing = newest_transfers(conn, states)
    return {
        stop_id: StopFacts(
            state=state,
            whole=frozenset(piece.sha256 for piece in state.evidence if piece.sha256 in whole),
            transfer=passing.get(stop_id),
        )
        for stop_id, state in states.items()
    }


def _with_facts(conn: Connection, orders: Sequence[Order]) -> list[tuple[Order, StopFacts]]:
    facts = facts_of(conn, [order.stop_id for order in orders])
    return [(order, facts[order.stop_id]) for order in orders]


def _heard(row: Row[Any]) -> Heard:
    record = json.loads(row.record)  # not a Record: what nobody could read is kept too
    has_time = row.anchored_ms is not None or (row.problem is None and record["wall_source"] != "none")
    return Heard(
        van=row.van,
        epoch=row.epoch,
        seq=row.seq,
        kind=row.kind,
        captured_at=from_ms(row.captured_ms if row.anchored_ms is None else row.anchored_ms) if has_time else None,
        received_at=from_ms(row.received_ms),
        body=record["body"] if row.problem is None else {},
        problem=row.problem or "",
    )


def _news(row: Row[Any], forks_today: int, altered_today: int) -> VanNews:
    return VanNews(
        live=None if row.live is None else Live.model_validate_json(row.live),
        presence=None if row.presence is None else Presence.model_validate_json(row.presence),
        applied_manifest_version=row.applied_manifest_version,
        plans_made=row.plans_made,
        plans_made_offline=row.plans_made_offline,
        heard_at=None if row.heard_ms is None else from_ms(row.heard_ms),
        forks=forks_today,
        altered=altered_today,
    )
