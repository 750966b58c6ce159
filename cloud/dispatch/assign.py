"""Which van gets which stop: a sweep by angle around the depot in equal shares, then what did not fit goes where it
still does.

Membership is stable: a stop that has a van stays with it. The result depends on the stops and vans alone, never on the
order they come in.
"""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from cloud.dispatch.reasons import Room, why_not
from cloud.dispatch.sequence import Call, Shift, TravelTime, Trip, call_of, drive, order_calls, with_one_more
from cloud.dispatch.van import Van
from wire.geo import Place, bearing_deg, distance_m
from wire.manifest import Stop
from wire.model import StopId, Value

VANS_TRIED = 8
"""A stop the sweep could not place is offered to the vans that pass nearest by, to this many."""


class VanDay(Value):
    """A van and what it already has that day."""

    van: Van
    open_stops: tuple[Stop, ...] = ()
    """Given earlier and still to do, in the order suggested then."""
    closed_parcels: int = 0
    """Parcels of its stops that are done: they were loaded too."""


class Assignment(Value):
    """Each stop asked for is in `given` or in `unassigned`, once."""

    given: dict[StopId, str]
    orders: dict[str, tuple[StopId, ...]]
    """Every van's open stops in the suggested order."""
    unassigned: dict[StopId, str]
    """Stop -> why no van got it, in words."""


def assign(
    stops: Sequence[Stop],
    vans: Sequence[VanDay],
    *,
    day: date,
    depot: Place,
    zone: tzinfo,
    now: datetime,
    travel_s: TravelTime,
) -> Assignment:
    """Gives open stops that have no van to one.

    Vans leave the depot when their shift starts, or now if that is later.
    """
    loads = []
    for van in sorted(vans, key=lambda van: van.van.name):
        starts_at, ends_at = van.van.shift_on(day, zone)
        shift = Shift(depot, max(starts_at, now).timestamp(), ends_at.timestamp(), travel_s)
        loads.append(_Load(van.van, shift, [call_of(stop) for stop in van.open_stops], van.closed_parcels))
    calls = sorted(call_of(stop) for stop in stops)
    leftovers = _sweep(calls, loads, depot)
    unassigned = {}
    for call in sorted(leftovers, key=_urgency):
        if not _placed(call, loads):
            unassigned[call.stop_id] = why_not(call, [load.room for load in loads], zone)
    return Assignment(
        given={stop_id: load.van.name for load in loads for stop_id in sorted(load.new)},
        orders={load.van.name: tuple(call.stop_id for call in load.trip.calls) for load in loads},
        unassigned=unassigned,
    )


class _Load:
    """One van while stops are given out; what it takes on top of what it came with is feasible at every moment."""

    def __init__(self, van: Van, shift: Shift, kept: Sequence[Call], closed_parcels: int) -> None:
        self.van = van
        self.shift = shift
        self.new: set[StopId] = set()
        self.parcels = closed_parcels + sum(call.parcels for call in kept)
        self.trip = drive(kept, shift)
        self._came_missed = self.trip.missed

    @property
    def room(self) -> Room:
        return Room(
            name=self.van.name,
            capacity=self.van.capacity_parcels,
            parcels_left=self.van.capacity_parcels - self.parcels,
            ends_s=self.shift.ends_s,
        )

    def could_fit(self, call: Call) -> bool:
        """A cheap test before orders are tried: room for the parcels, and time that is not spent yet or only waited."""
        spare_s = self.shift.ends_s - self.trip.back_s + self.trip.waits_s
        return call.spent_s <= spare_s and self.parcels + call.parcels <= self.van.capacity_parcels

    def accepts(self, trip: Trip) -> bool:
        """No window is missed that was not lost before, and the van is back in time."""
        return trip.missed <= self._came_missed and trip.back_s <= self.shift.ends_s

    def take(self, calls: Sequence[Call], trip: Trip) -> None:
        self.new |= {call.stop_id for call in calls}
        self.parcels += sum(call.parcels for call in calls)
        self.trip = trip

    def nearness_m(self, place: Place) -> float:
        """How near the van comes to a place as it is."""
        return min(distance_m(place, at) for at in (self.shift.start, *(call.place for call in self.trip.calls)))


def _sweep(calls: Sequence[Call], loads: Sequence[_Load], depot: Place) -> list[Call]:
    """Equal shares of neighbouring directions, van after van; answers the calls that did not fit their share."""
    around = _by_angle(calls, depot)
    leftovers: list[Call] = []
    for index, load in enumerate(loads):
        rest = loads[index:]
        share = -(-(len(around) + sum(len(other.trip.calls) for other in rest)) // len(rest))
        chunk: list[Call] = []
        parcels_left = load.van.capacity_parcels - load.parcels
        work_left_s = load.shift.ends_s - load.trip.back_s + load.trip.waits_s
        wanted = max(0, share - len(load.trip.calls))
        for call in around[:wanted]:
            if call.parcels <= parcels_left and call.spent_s <= work_left_s:
                chunk.append(call)
                parcels_left -= call.parcels
                work_left_s -= call.spent_s
            else:
                leftovers.append(call)
        around = around[wanted:]
        leftovers += _fill(load, chunk)
    return leftovers + around


def _fill(load: _Load, chunk: list[Call]) -> list[Call]:
    """Gives a van as much of its share as it can do in time; answers the rest."""
    rest: list[Call] = []
    while chunk:
        trip = order_calls([*load.trip.calls, *chunk], load.shift)
        if load.accepts(trip):
            load.take(chunk, trip)
            break
        wanted = {call.stop_id for call in chunk}
        out = (trip.missed & wanted) or _too_late(trip, load.shift, wanted)
        rest += [call for call in chunk if call.stop_id in out]
        chunk = [call for call in chunk if call.stop_id not in out]
    return rest


def _too_late(trip: Trip, shift: Shift, wanted: set[StopId]) -> set[StopId]:
    """The stops after the last one from which the van is back in time; at least one, so that an end is reached."""
    late = {
        call.stop_id
        for call, done_s in zip(trip.calls, trip.done_s, strict=True)
        if call.stop_id in wanted and done_s + shift.travel_s(call.place, shift.start) > shift.ends_s
    }
    return late or {next(call.stop_id for call in reversed(trip.calls) if call.stop_id in wanted)}


def _placed(call: Call, loads: Sequence[_Load]) -> bool:
    """Puts a call where it costs least time among the vans that pass near; False when none can take it."""
    able = sorted((load for load in loads if load.could_fit(call)), key=lambda load: load.nearness_m(call.place))
    best: tuple[float, _Load, Trip] | None = None
    for load in able[:VANS_TRIED]:
        for trip in with_one_more(load.trip, call, load.shift):
            if load.accepts(trip) and (best is None or trip.back_s - load.trip.back_s < best[0]):
                best = (trip.back_s - load.trip.back_s, load, trip)
    if best is None:
        return False
    best[1].take([call], best[2])
    return True


def _by_angle(calls: Sequence[Call], depot: Place) -> list[Call]:
    """Clockwise around the depot, starting after the widest gap, so that no cluster is cut at north."""
    around = sorted(
        calls, key=lambda call: (bearing_deg(depot, call.place), distance_m(depot, call.place), call.stop_id)
    )
    if len(around) < 3:
        return around
    angles = [bearing_deg(depot, call.place) for call in around]
    gaps = [(angles[index] - angles[index - 1]) % 360.0 for index in range(len(angles))]
    first = max(range(len(gaps)), key=lambda index: (gaps[index], -index))
    return around[first:] + around[:first]


def _urgency(call: Call) -> tuple[float, StopId]:
    return (min((o.closes_s for o in call.openings if o.is_hard), default=float("inf")), call.stop_id)
