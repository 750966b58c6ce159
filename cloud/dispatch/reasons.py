"""Why no van takes a stop, in words a dispatcher can act on."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

from cloud.dispatch.sequence import Call


class Room(NamedTuple):
    """What a van has left when everything else is given out."""

    name: str
    capacity: int
    parcels_left: int
    ends_s: float


def why_not(call: Call, rooms: Sequence[Room], zone: tzinfo) -> str:
    """The first of the things that stand in the way: vans, room, the window, the shift."""
    if not rooms:
        return "no van is set up"
    largest = max(rooms, key=lambda room: room.capacity)
    if call.parcels > largest.capacity:
        return f"{call.parcels} parcels are more than any van takes ({largest.name} takes {largest.capacity})"
    if all(call.parcels > room.parcels_left for room in rooms):
        return f"no van has room for {call.parcels} more {'parcel' if call.parcels == 1 else 'parcels'}"
    hard = [opening for opening in call.openings if opening.is_hard]
    if hard:
        return f"no van has room before {_clock(hard[-1].closes_s, zone)}"
    return f"no van can fit it in before its shift ends at {_clock(max(room.ends_s for room in rooms), zone)}"


def _clock(at_s: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at_s, zone):%H:%M}"
