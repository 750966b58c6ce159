"""When the van will be at each stop, and how sure that is. Pure: a plan carries its leg times, and the run what was
learned; nothing else is needed.

The expected time (p50) is the chain of legs from here: what is left of the current leg, then setup, waiting for a
window to open, service, and the next leg's time, each as `learn/expect.py` expects it: the road's and the list's own
times, corrected by what this van learned on other days and by how today goes.

Around it lies a standard deviation. Each leg and each visit is off by itself, so that their variances add up; and all
visits of a day are off together, as all legs are (`learn/today.py`), so that what is not known of the day grows with
the time ahead:

    sd^2 = sum of own variances + doubt about today's visits x (their time ahead)^2 + the same of legs

Waiting for a window uses errors up: a van that is 5 minutes early leaves on time even when it comes 5 minutes later.

p10 and p90 are so many standard deviations away as it takes for 80 % of the arrivals of this van, expected as far ahead
as this one, to have come between them (`learn/conformal.py`); until it has such a history, as many as a normal
distribution would need. No p10 is earlier than the fastest drive and the shortest visits allow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from math import sqrt
from statistics import NormalDist

from agent.learn.conformal import BANDS_S, UNCALIBRATED, band_of
from agent.learn.expect import FASTEST, VISIT_FLOOR_S, Expecting, Way
from agent.learn.known import NOTHING_KNOWN
from agent.trip.progress import remaining_travel_s
from agent.trip.punctuality import window_at
from agent.trip.run import Plan, PlanCharge, PlanLeg, Run, RunStop, StopPhase
from agent.trip.weather import service_factor, travel_factor
from wire.events import Eta, EtaBasis, TimesSource
from wire.model import StopId

LEARNED_FROM = 20
"""Visits, those of long ago counted less, from which on times are called learned."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Expected:
    """An arrival that is expected: the middle, the standard deviation, and the earliest that can be."""

    at: datetime
    sd_s: float
    earliest_at: datetime


def etas(run: Run, now: datetime) -> dict[StopId, Eta]:
    """The expected arrival at each open stop that is in the plan; nothing for the others, nothing without a plan.

    A stop the van stands at has the time it arrived.
    """
    if run.plan is None:
        return {}
    basis, basis_at = _basis(run, run.plan)
    said = {"times": run.plan.times, "as_of": now, "basis": basis, "basis_at": basis_at}
    ends = [bounds(run, band) for band in range(len(BANDS_S) + 1)]
    times: dict[StopId, Eta] = {}
    for stop, expected, _ in _ahead(run, now):
        p10 = p90 = expected.at
        if stop.phase is not StopPhase.ARRIVED:
            low, high = ends[band_of((expected.at - now).total_seconds())]
            p10 = max(now, expected.earliest_at, expected.at + timedelta(seconds=low * expected.sd_s))
            p90 = expected.at + timedelta(seconds=high * expected.sd_s)
        times[stop.stop_id] = Eta(p10=min(p10, expected.at), p50=expected.at, p90=p90, **said)
    return times


def expected_arrivals(run: Run, now: datetime) -> dict[StopId, Expected]:
    """Of the open stops in the plan that are still driven to, in the order in which they are."""
    return {stop.stop_id: expected for stop, expected, _ in _ahead(run, now) if stop.phase is not StopPhase.ARRIVED}


def ends_at(run: Run, now: datetime) -> datetime | None:
    """When the van is home (p50); None without a plan or while a stop is in no plan."""
    plan = run.plan
    if plan is None:
        return None
    chain = list(_ahead(run, now))
    if len(chain) < len(run.open_stops):
        return None
    leaves_at = chain[-1][2].at if chain else now
    return leaves_at + timedelta(seconds=plan.home_travel_s + _charging_s(plan.home_charges, now))


@dataclass(frozen=True)
class _Departure:
    """When the van leaves a place, and what that is unsure by."""

    at: datetime
    earliest_at: datetime
    own_s2: float = 0.0
    """The variance of what is off by itself."""
    visits_s: float = 0.0
    """The time that is off by what today's visits have in common."""
    legs_s: float = 0.0


class _Day(Expecting):
    """What the chain is made with."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.known or NOTHING_KNOWN, run.today.visits, run.today.legs)
        self.timezone = run.manifest.timezone if run.manifest else "UTC"
        self.run = run
        self._doubts = self.visits_doubt, self.legs_doubt

    def sd_s(self, left: _Departure) -> float:
        visits, legs = self._doubts
        return sqrt(left.own_s2 + visits * left.visits_s**2 + legs * left.legs_s**2)


def _ahead(run: Run, now: datetime) -> Iterator[tuple[RunStop, Expected, _Departure]]:
    """The open stops that are in the plan, in order, each with its arrival and its departure."""
    plan = run.plan
    if plan is None:
        return
    day = _Day(run)
    legs = {leg.stop_id: leg for leg in plan.legs}
    first = run.next_stop
    left = _Departure(at=now, earliest_at=now)
    for stop in sorted(run.open_stops, key=lambda stop: first is None or stop.stop_id != first.stop_id):
        if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
            left = replace(left, at=stop.arrived_at, earliest_at=stop.arrived_at)
        elif stop.stop_id in legs:
            rest = remaining_travel_s(run, now) if stop is first else None
            left = _driven(day, left, legs[stop.stop_id], stop, rest, is_estimate=plan.times is TimesSource.ESTIMATE)
            charges = timedelta(seconds=_charging_s(legs[stop.stop_id].charges, now))
            left = replace(left, at=left.at + charges)
        else:
            continue
        expected = Expected(at=left.at, sd_s=day.sd_s(left), earliest_at=left.earliest_at)
        left = _served(day, left, stop, now)
        yield stop, expected, left


def _driven(
    day: _Day, left: _Departure, leg: PlanLeg, stop: RunStop, rest_s: float | None, *, is_estimate: bool
) -> _Departure:
    """At the stop. `rest_s`: what is left of a leg that was begun, as the plan has it."""
    road_s = leg.travel_s if leg.road_s is None else leg.road_s
    if rest_s is not None and leg.travel_s > 0:
        road_s *= rest_s / leg.travel_s
    road_s *= travel_factor(day.run, left.at)
    expected = day.leg(Way(road_s, left.at, day.timezone, stop.stop, is_estimate=is_estimate))
    return replace(
        left,
        at=left.at + timedelta(seconds=expected.travel_s),
        earliest_at=left.earliest_at + timedelta(seconds=min(expected.travel_s, FASTEST * road_s)),
        own_s2=left.own_s2 + expected.sd_s**2,
        legs_s=left.legs_s + expected.travel_s,
    )


def _charging_s(charges: tuple[PlanCharge, ...], now: datetime) -> float:
    """What is left of the time at chargers, as it was planned: nobody tells the van that it is plugged in."""
    return sum(max(0.0, (one.leave_at - max(now, one.arrive_at)).total_seconds()) for one in charges)


def _served(day: _Day, left: _Departure, stop: RunStop, now: datetime) -> _Departure:
    """Away from the stop again, not before now."""
    visit = day.visit(stop.stop).times(service_factor(day.run, left.at))
    ready_at = left.at + timedelta(seconds=visit.setup_s)
    window = window_at(stop.stop, ready_at)
    opens_at = ready_at if window is None else max(ready_at, window.opens_at)
    sd_s = day.sd_s(left)
    kept = _kept_share((opens_at - ready_at).total_seconds(), sd_s)
    leaves_at = max(now, opens_at + timedelta(seconds=visit.service_s))
    shortest_s = min(visit.takes_s, VISIT_FLOOR_S)
    own_s2 = visit.sd_s**2
    took_s = visit.takes_s
    if stop.phase is StopPhase.ARRIVED:
        # Part of it is over: what is left is unsure by its share, and a visit that takes too long by no less.
        took_s = max(0.0, (leaves_at - now).total_seconds())
        own_s2 *= max(0.25, min(1.0, took_s / visit.takes_s if visit.takes_s > 0 else 1.0))
        shortest_s = 0.0
    return _Departure(
        at=leaves_at,
        earliest_at=max(now, left.earliest_at + timedelta(seconds=shortest_s)),
        own_s2=left.own_s2 * kept**2 + own_s2,
        visits_s=left.visits_s * kept + took_s,
        legs_s=left.legs_s * kept,
    )


def _kept_share(waits_s: float, sd_s: float) -> float:
    """How much of a standard deviation is left after waiting: that of max(error, wait), of a normal error."""
    if waits_s <= 0 or sd_s <= 0:
        return 1.0
    z = waits_s / sd_s
    late, density = 1.0 - _NORMAL.cdf(z), _NORMAL.pdf(z)
    mean = density - z * late
    return sqrt(max(0.0, (1 + z * z) * late - z * density - mean * mean))


def _basis(run: Run, plan: Plan) -> tuple[EtaBasis, datetime]:
    """What the times rest on, and how old that is."""
    if plan.times is TimesSource.ESTIMATE:
        return EtaBasis.ESTIMATE, plan.made_at
    known = run.known or NOTHING_KNOWN
    if known.weight("visit/van") + run.today.visits.count < LEARNED_FROM:
        return EtaBasis.ROADS, plan.made_at
    closed = [stop.closed_at for stop in run.stops if stop.closed_at is not None and stop.arrived_at is not None]
    if run.today.visits.count and closed:
        return EtaBasis.LEARNED, max(closed)
    newest = date.fromordinal(known.newest(["visit/van"]) or plan.made_at.toordinal())
    return EtaBasis.LEARNED, datetime.combine(newest, time(), UTC)


def bounds(run: Run, band: int) -> tuple[float, float]:
    """From the expected arrival to p10 (not above 0) and p90 (not below), in standard deviations."""
    quantiles = (run.known.ranges.get(band) if run.known else None) or UNCALIBRATED
    low, high = run.today.shifts.get(band, (0.0, 0.0))
    return min(0.0, quantiles.low + low), max(0.0, quantiles.high + high)
