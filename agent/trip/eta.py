"""When the van will be at each stop, and how sure that is. Pure: a plan carries its leg times, nothing else is needed.

The expected time (p50) is the chain of legs from here: what is left of the current leg, then setup, waiting for a
window to open, service, and the next leg's time.

The range is an ASSUMPTION until it is learned from days driven: the time of each leg and of each service is off by
independent errors with the standard deviations below, so after several legs

    sd = sqrt(sum (share x seconds)^2)        p10 = p50 - 1.28 sd        p90 = p50 + 1.28 sd

Waiting for a window uses errors up: a van that is 5 minutes early leaves on time even when it comes 5 minutes later.
"""

from datetime import datetime, timedelta
from math import hypot

from agent.trip.progress import remaining_travel_s
from agent.trip.punctuality import window_at
from agent.trip.run import Run, RunStop, StopPhase
from wire.events import Eta, TimesSource
from wire.model import StopId

TRAVEL_SD_SHARE = {TimesSource.ROADS: 0.2, TimesSource.ESTIMATE: 0.35}
SERVICE_SD_SHARE = 0.4
Z_P90 = 1.2816


def etas(run: Run, now: datetime) -> dict[StopId, Eta]:
    """The expected arrival at each open stop that is in the plan; nothing for the others, nothing without a plan.

    A stop the van stands at has the time it arrived.
    """
    plan = run.plan
    if plan is None:
        return {}
    legs = {leg.stop_id: leg for leg in plan.legs}
    first = run.next_stop
    stops = sorted(run.open_stops, key=lambda stop: first is None or stop.stop_id != first.stop_id)
    times: dict[StopId, Eta] = {}
    leaves_at, sd_s = now, 0.0
    for stop in stops:
        arrives_at = leaves_at
        if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
            arrives_at = stop.arrived_at
        elif stop.stop_id not in legs:
            continue
        else:
            left_s = remaining_travel_s(run, now) if stop is first else None
            travel_s = legs[stop.stop_id].travel_s if left_s is None else left_s
            arrives_at = leaves_at + timedelta(seconds=travel_s)
            sd_s = hypot(sd_s, TRAVEL_SD_SHARE[plan.times] * travel_s)
        times[stop.stop_id] = _eta(arrives_at, sd_s, plan.times, now, has_arrived=stop.phase is StopPhase.ARRIVED)
        leaves_at, sd_s = _left(stop, arrives_at, sd_s, now)
    return times


def ends_at(run: Run, now: datetime) -> datetime | None:
    """When the van is home (p50); None without a plan or while a stop is in no plan."""
    plan = run.plan
    if plan is None:
        return None
    times = etas(run, now)
    stops = run.open_stops
    if len(times) < len(stops):
        return None
    leaves_at = now
    if stops:
        last = max(stops, key=lambda stop: times[stop.stop_id].p50)
        leaves_at, _ = _left(last, times[last.stop_id].p50, 0.0, now)
    return leaves_at + timedelta(seconds=plan.home_travel_s)


def _eta(arrives_at: datetime, sd_s: float, times: TimesSource, now: datetime, *, has_arrived: bool) -> Eta:
    if has_arrived:
        return Eta(p10=arrives_at, p50=arrives_at, p90=arrives_at, times=times, as_of=now)
    spread = timedelta(seconds=Z_P90 * sd_s)
    return Eta(p10=max(now, arrives_at - spread), p50=arrives_at, p90=arrives_at + spread, times=times, as_of=now)


def _left(stop: RunStop, arrives_at: datetime, sd_s: float, now: datetime) -> tuple[datetime, float]:
    """When the van leaves the stop again, not before now, and the standard deviation of that in seconds."""
    ready_at = arrives_at + timedelta(seconds=stop.stop.setup_s)
    window = window_at(stop.stop, ready_at)
    starts_at = ready_at if window is None else max(ready_at, window.opens_at)
    waits_s = (starts_at - ready_at).total_seconds()
    sd_s = hypot(max(0.0, sd_s - waits_s / Z_P90), SERVICE_SD_SHARE * stop.stop.service_s)
    return max(now, starts_at + timedelta(seconds=stop.stop.service_s)), sd_s
