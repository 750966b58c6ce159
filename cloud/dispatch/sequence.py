"""One van's stops in a first, good-enough order: nearest in time, with an eye on the windows.

The van sequences itself and does it better; this order decides only what fits, and gives the van a start. Times are
Unix seconds here: a thousand stops are tried in many orders, and plain numbers are quick.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from wire.geo import Place
from wire.manifest import Stop
from wire.model import StopId

type TravelTime = Callable[[Place, Place], float]
"""Seconds of driving between two places, by estimate."""

TRAVEL_WEIGHT = 0.8
WAIT_WEIGHT = 0.4
SLACK_WEIGHT = 0.2
PLACES_TRIED = 4


class Opening(NamedTuple):
    opens_s: float
    closes_s: float
    is_hard: bool


class Call(NamedTuple):
    """A stop as this file needs it."""

    stop_id: StopId
    place: Place
    openings: tuple[Opening, ...]
    spent_s: float
    parcels: int


class Trip(NamedTuple):
    """An order and how it goes."""

    calls: tuple[Call, ...]
    missed: frozenset[StopId]
    """Stops whose hard window has closed when the van comes."""
    done_s: tuple[float, ...]
    """When the van leaves each stop."""
    back_s: float
    waits_s: float
    """How long it waits for windows to open, altogether."""


class Shift(NamedTuple):
    """From where and when to when."""

    start: Place
    leaves_s: float
    ends_s: float
    travel_s: TravelTime


def call_of(stop: Stop) -> Call:
    openings = sorted(
        (Opening(window.opens_at.timestamp(), window.closes_at.timestamp(), window.is_hard) for window in stop.windows),
        key=lambda opening: opening.closes_s,
    )
    return Call(stop.stop_id, stop.place, tuple(openings), stop.setup_s + stop.service_s, stop.amount.parcels)


def order_calls(calls: Sequence[Call], shift: Shift) -> Trip:
    """The better of two simple orders: nearest next by time and slack, and by closing time.

    The order in which the calls are given makes no difference.
    """
    given = sorted(calls)
    trips = (drive(_nearest_next(given, shift), shift), drive(_by_closing(given, shift), shift))
    return min(trips, key=lambda trip: (len(trip.missed), trip.back_s))


def drive(calls: Sequence[Call], shift: Shift) -> Trip:
    """Drives an order from the start and back to it."""
    at_s, place = shift.leaves_s, shift.start
    missed, done_s, waits_s = [], [], 0.0
    for call in calls:
        arrives_s = at_s + shift.travel_s(place, call.place)
        opening = _opening_for(call, arrives_s)
        if opening is not None and opening.is_hard and arrives_s > opening.closes_s:
            missed.append(call.stop_id)
        at_s, place = _leaves_s(call, opening, arrives_s), call.place
        waits_s += at_s - arrives_s - call.spent_s
        done_s.append(at_s)
    back_s = at_s + shift.travel_s(place, shift.start)
    return Trip(tuple(calls), frozenset(missed), tuple(done_s), back_s, waits_s)


def with_one_more(trip: Trip, call: Call, shift: Shift) -> Iterator[Trip]:
    """The trip with a call put in, the smallest detours first; only places where the call's own hard window holds."""
    detours = []
    at_s, place = shift.leaves_s, shift.start
    for index in range(len(trip.calls) + 1):
        there_s = shift.travel_s(place, call.place)
        opening = _opening_for(call, at_s + there_s)
        if opening is None or not opening.is_hard or at_s + there_s <= opening.closes_s:
            after = trip.calls[index].place if index < len(trip.calls) else shift.start
            detour_s = there_s + shift.travel_s(call.place, after) - shift.travel_s(place, after)
            detours.append((detour_s, index))
        if index < len(trip.calls):
            at_s, place = trip.done_s[index], trip.calls[index].place
    for _, index in sorted(detours)[:PLACES_TRIED]:
        yield drive((*trip.calls[:index], call, *trip.calls[index:]), shift)


def _opening_for(call: Call, arrives_s: float) -> Opening | None:
    """The window an arrival counts against: the first that is still open then, else the last."""
    for opening in call.openings:
        if arrives_s <= opening.closes_s:
            return opening
    return call.openings[-1] if call.openings else None


def _leaves_s(call: Call, opening: Opening | None, arrives_s: float) -> float:
    begins_s = max(arrives_s, opening.opens_s) if opening is not None else arrives_s
    return begins_s + call.spent_s


def _by_closing(calls: Sequence[Call], shift: Shift) -> list[Call]:
    return sorted(calls, key=lambda call: call.openings[-1].closes_s if call.openings else shift.ends_s)


def _nearest_next(calls: Sequence[Call], shift: Shift) -> list[Call]:
    waiting = list(calls)
    order: list[Call] = []
    at_s, place = shift.leaves_s, shift.start
    while waiting:
        best, best_cost, best_leaves_s = 0, float("inf"), 0.0
        for index, call in enumerate(waiting):
            drive_s = shift.travel_s(place, call.place)
            arrives_s = at_s + drive_s
            opening = _opening_for(call, arrives_s)
            wait_s = max(0.0, opening.opens_s - arrives_s) if opening else 0.0
            slack_s = (opening.closes_s if opening else shift.ends_s) - arrives_s
            cost = TRAVEL_WEIGHT * drive_s + WAIT_WEIGHT * wait_s + SLACK_WEIGHT * slack_s
            if cost < best_cost:
                best, best_cost, best_leaves_s = index, cost, _leaves_s(call, opening, arrives_s)
        call = waiting.pop(best)
        order.append(call)
        at_s, place = best_leaves_s, call.place
    return order
