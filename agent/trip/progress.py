"""How far the van is on its way to the next stop. Pure."""

from datetime import datetime, timedelta

from agent.gps.dwell import tells
from agent.gps.position import Motion, Position
from agent.trip.run import Plan, Run
from wire.geo import Place, distance_m
from wire.manifest import Stop

REACH_M = 60.0
FRESH_FOR = timedelta(seconds=60)
"""An older position says nothing about where the van is now: the run may have been read back after a night."""


def fresh_position(run: Run, now: datetime) -> Position | None:
    """The run's position when it may stand for *here and now*; None when it is stale, old or unknown."""
    position = run.position
    if position is None or not position.quality.is_fresh:
        return None
    return position if abs(now - position.fixed_at) <= FRESH_FOR else None


def distance_to_m(place: Place, run: Run, now: datetime) -> float | None:
    """Straight-line metres from the van to `place`; None without a fresh position."""
    position = fresh_position(run, now)
    return None if position is None else distance_m(position.place, place)


def proving_position(run: Run, now: datetime) -> Position | None:
    """The position that may stand in a proof: fresh, and neither unsettled nor too vague to say at which door."""
    position = fresh_position(run, now)
    return position if position is not None and tells(position) else None


def proving_distance_m(place: Place, run: Run, now: datetime) -> float | None:
    """Straight-line metres from where the van is proven to be to `place`; None where nothing proves it."""
    position = proving_position(run, now)
    return None if position is None else distance_m(position.place, place)


def door_distance_m(stop: Stop, run: Run, now: datetime) -> float | None:
    """The same to the door of a stop; None also where nobody knows where that is."""
    return proving_distance_m(stop.place, run, now) if stop.is_placed else None


def distance_to_next_m(run: Run, now: datetime) -> float | None:
    """Straight-line metres to the next stop; None without one or without a fresh position."""
    stop = run.next_stop
    return None if stop is None or not stop.stop.is_placed else distance_to_m(stop.stop.place, run, now)


def is_within_reach(run: Run, now: datetime) -> bool:
    """Close enough to the next stop, and standing, for *Arrived* to be offered. No fix, no arrival."""
    metres = distance_to_next_m(run, now)
    return metres is not None and metres <= REACH_M and run.motion in (Motion.HALTED, Motion.PARKED)


def remaining_travel_s(run: Run, now: datetime) -> float | None:
    """Seconds still to drive to the next stop; None when it is in no plan.

    With a fresh position: the leg's time by the share of its straight line that is left, at most the whole leg.
    Without one: the leg's time less the time since it began.
    """
    stop, plan = run.next_stop, run.plan
    if stop is None or plan is None:
        return None
    leg = next((leg for leg in plan.legs if leg.stop_id == stop.stop_id), None)
    if leg is None:
        return None
    began_at, began = leg_start(run, plan)
    left_m = distance_to_m(stop.stop.place, run, now)
    if left_m is None:
        return min(leg.travel_s, max(0.0, leg.travel_s - (now - began_at).total_seconds()))
    whole_m = distance_m(began, stop.stop.place)
    return leg.travel_s * (min(1.0, left_m / whole_m) if whole_m > 1.0 else 1.0)


def leg_start(run: Run, plan: Plan) -> tuple[datetime, Place]:
    """When and where the leg to the next stop began: at the stop closed last, or where the plan was made from."""
    closed = [
        (stop.closed_at, stop.stop.place) for stop in run.stops if stop.closed_at and stop.closed_at > plan.made_at
    ]
    return max(closed, key=lambda end: end[0], default=(plan.made_at, plan.start))
