"""Where two vans were to meet and need not any more."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection

from cloud.fleet.asked import stop_of
from cloud.fleet.transfer import Transfer
from cloud.store import orders as order_store
from cloud.store import reading
from cloud.store.transfers import transfers_of_meeting
from wire.model import StopId
from wire.transfer import Side


def call_off_if_over(conn: Connection, meeting_id: StopId, now: datetime) -> set[StopId]:
    """Once nothing is to change vans there any more; the stops that this is about."""
    every = transfers_of_meeting(conn, meeting_id)
    return call_off(conn, every, now) if all(one.end is not None for one in every) else set()


def call_off(conn: Connection, every: Sequence[Transfer], now: datetime) -> set[StopId]:
    """Takes the stops of these meetings off the two lists; one that was closed stays."""
    meeting_ids = {one.meeting_id for one in every if one.meeting_id is not None}
    places = {stop_of(meeting_id, side) for meeting_id in meeting_ids for side in Side}
    for stop_id in places - reading.closed_among(conn, places):
        order_store.cancel_order(conn, stop_id, now)
    return places
