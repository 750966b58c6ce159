"""Stops that change vans, within the caller's transaction. Nothing is ever deleted, and ids ascend in the order in
which things were asked for: no clock says which is the newest.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from cloud.fleet.transfer import Transfer
from cloud.fleet.view import TransferEnd
from cloud.store.instants import from_ms, to_ms
from cloud.store.parts import Among
from cloud.store.tables import transfers
from wire.model import StopId

_OF_STOPS = Among(select(transfers), transfers.c.stop_id)


def add_transfers(conn: Connection, wanted: Iterable[Transfer]) -> None:
    rows = [
        {
            "transfer_id": one.transfer_id,
            "stop_id": one.stop_id,
            "day": one.day.isoformat(),
            "from_van": one.from_van,
            "to_van": one.to_van,
            "meeting_id": one.meeting_id,
            "asked_ms": to_ms(one.asked_at),
            "why": "",
        }
        for one in wanted
    ]
    if rows:
        conn.execute(insert(transfers), rows)


def next_number(conn: Connection) -> int:
    """For the id of the next one, and of a meeting that is asked for with it."""
    return 1 + (conn.execute(select(func.count()).select_from(transfers)).scalar() or 0)


def newest_transfers(conn: Connection, stop_ids: Iterable[StopId]) -> dict[StopId, Transfer]:
    """Of each stop that was ever to change vans, the newest wish."""
    found: dict[StopId, Transfer] = {}
    rows = (_transfer(row) for row in _OF_STOPS.rows(conn, stop_ids))
    for one in sorted(rows, key=lambda one: one.transfer_id):
        found[one.stop_id] = one
    return found


def transfers_of_day(conn: Connection, day: date) -> tuple[Transfer, ...]:
    """Of each stop of a day the newest wish, the ended ones too; in the order in which they were asked for."""
    rows = conn.execute(select(transfers).where(transfers.c.day == day.isoformat()).order_by(transfers.c.transfer_id))
    newest = {one.stop_id: one for one in map(_transfer, rows)}
    return tuple(sorted(newest.values(), key=lambda one: one.transfer_id))


def transfers_of_meeting(conn: Connection, meeting_id: StopId) -> tuple[Transfer, ...]:
    rows = conn.execute(select(transfers).where(transfers.c.meeting_id == meeting_id).order_by(transfers.c.transfer_id))
    return tuple(_transfer(row) for row in rows)


def open_transfers(conn: Connection) -> tuple[Transfer, ...]:
    """Those of any day that are not over."""
    return tuple(_transfer(row) for row in conn.execute(select(transfers).where(transfers.c.ended_ms.is_(None))))


def turn_transfer(conn: Connection, transfer_id: StopId, to_van: str) -> None:
    """Another van is to have it: what the first van was asked stays the same question."""
    conn.execute(update(transfers).where(transfers.c.transfer_id == transfer_id).values(to_van=to_van))


def end_transfer(conn: Connection, transfer_id: StopId, end: TransferEnd | None, why: str, now: datetime) -> None:
    conn.execute(
        update(transfers)
        .where(transfers.c.transfer_id == transfer_id)
        .values(ended_ms=None if end is None else to_ms(now), end=None if end is None else end.value, why=why)
    )


def _transfer(row: Row[Any]) -> Transfer:
    transfer_id, stop_id, day, from_van, to_van, meeting_id, asked_ms, ended_ms, end, why = tuple(row)
    return Transfer(
        transfer_id=transfer_id,
        stop_id=stop_id,
        day=date.fromisoformat(day),
        from_van=from_van,
        to_van=to_van,
        meeting_id=meeting_id,
        asked_at=from_ms(asked_ms),
        ended_at=None if ended_ms is None else from_ms(ended_ms),
        end=None if end is None else TransferEnd(end),
        why=why,
    )
