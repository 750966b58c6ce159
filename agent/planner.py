"""From the run to a plan: times from the road network, an order from the solver, one value handed back as an input.

The planner decides nothing about the day. It translates: what the driver has now into a warm order, what may not move
(the stop stood at or driven to, locked places, stops put off, a `fixed` manifest) into rules, and an answer into legs.
"""

import asyncio
import logging
from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from agent.localroute.check import evaluate, legs_without_road
from agent.localroute.problem import Answer, Problem, TimeWindow, Visit
from agent.localroute.repair import repaired
from agent.trip.inputs import PlanNotFound, PlanSolved
from agent.trip.plans import held_first
from agent.trip.progress import fresh_position
from agent.trip.punctuality import lateness_s
from agent.trip.run import Plan, PlanLeg, Run, RunStop, StopPhase
from host.clock import Clock
from roads.answers import ClosureReport, Matrix
from roads.errors import RoadsError
from wire.events import ReplanReason
from wire.geo import Place
from wire.manifest import Closure, Conditions, Manifest, SequencePolicy
from wire.model import StopId

log = logging.getLogger(__name__)

LEAST_GAIN_S = 60.0
"""What a new order must save, in cost, before it may replace the one the driver has in mind."""
LOOK_REASONS = (ReplanReason.MANIFEST, ReplanReason.LATENESS)
"""Reasons that ask for the best order there is, however small the gain."""


class Network(Protocol):
    """What the planner needs of the roads."""

    async def matrix(self, places: Sequence[Place]) -> Matrix: ...
    async def set_closures(self, closures: tuple[Closure, ...], now: datetime) -> ClosureReport: ...


class Engine(Protocol):
    """The best order within `limit_s` real seconds, and what went wrong ("" if nothing); `warm` says one is coming."""

    def warm(self) -> None: ...
    async def solve(self, problem: Problem, limit_s: float) -> tuple[Answer, str]: ...


class Planner:
    """Answers one question at a time; who asks sees to that."""

    def __init__(self, network: Network, solver: Engine, clock: Clock, limit_s: float) -> None:
        """`limit_s`: real seconds the engine may search."""
        self._network = network
        self._solver = solver
        self._clock = clock
        self._limit_s = limit_s

    async def close_roads(self, conditions: Conditions, now: datetime) -> ClosureReport:
        """Lets later plans keep off the closed roads; the report says which closures met no road."""
        return await self._network.set_closures(conditions.closures, now)

    async def plan(self, run: Run, reason: ReplanReason) -> PlanSolved | PlanNotFound:
        """An order of the open stops with legs and times, or why there is none. With no stop left: the way home."""
        if run.manifest is None:
            return PlanNotFound(run_version=run.version, why="there is no manifest to plan")
        now = self._clock.now()
        start = _start(run, run.manifest, now)
        stops = run.open_stops
        end = run.manifest.end or run.manifest.start
        if run.manifest.policy is not SequencePolicy.FIXED:
            self._solver.warm()
        try:
            times = await self._network.matrix([start, *(stop.stop.place for stop in stops), end.place])
            # On a thread, as all that takes long with many stops: a tap must not wait for it.
            problem, old = await asyncio.to_thread(_without_search, run, run.manifest, reason, times, now)
            answer = old
            if run.manifest.policy is not SequencePolicy.FIXED:
                answer = await self._look(problem, old, reason)
        except (RoadsError, OSError, ValueError) as error:
            return PlanNotFound(run_version=run.version, why=f"no plan could be made: {error}")
        for leg in legs_without_road(problem, answer.order):
            log.warning("%s; its time is a guess", leg)
        return PlanSolved(
            run_version=run.version,
            plan=Plan(
                version=run.plan.version + 1 if run.plan else 1,
                made_at=now,
                start=start,
                legs=tuple(_legs(run, answer, now)),
                home_travel_s=answer.home_travel_s,
                home_travel_m=answer.home_travel_m,
                reason=reason,
                times=times.source,
                moved_stops=lifted_stops(problem.warm_order, answer.order),
                gain_s=old.end_s - answer.end_s,
                was_offline=not run.is_online,
            ),
        )

    async def _look(self, problem: Problem, old: Answer, reason: ReplanReason) -> Answer:
        """The engine's order when it is worth its change, else the old one with fresh times."""
        found, why = await self._solver.solve(problem, self._limit_s)
        if why:
            log.warning("the plan is repaired rather than searched: %s", why)
        has_new_stop = any(visit.stop_id not in problem.warm_order for visit in problem.visits)
        least_gain = 0.0 if has_new_stop or reason in LOOK_REASONS else LEAST_GAIN_S
        return found if old.cost - found.cost >= least_gain else old


def _without_search(
    run: Run, manifest: Manifest, reason: ReplanReason, times: Matrix, now: datetime
) -> tuple[Problem, Answer]:
    """What is to be solved, and the order that needs no engine."""
    problem = _problem(run, manifest, reason, times, now)
    is_fixed = manifest.policy is SequencePolicy.FIXED
    return problem, evaluate(problem, _listed(run, problem.first) if is_fixed else repaired(problem))


def lifted_stops(before: Sequence[StopId], after: Sequence[StopId]) -> tuple[StopId, ...]:
    """The fewest stops which, lifted out of `before` and put down elsewhere, give the order of `after`.

    A stop put from first to last is one stop moved, though every other then stands one place earlier. New and gone
    stops do not count.
    """
    place = {stop_id: place for place, stop_id in enumerate(before)}
    shared = [stop_id for stop_id in after if stop_id in place]
    # The longest run of stops that kept their mutual order, by patience sorting; the others were lifted.
    tops: list[int] = []
    pile_of: dict[StopId, int] = {}
    for stop_id in shared:
        pile = bisect_left(tops, place[stop_id])
        tops[pile : pile + 1] = [place[stop_id]]
        pile_of[stop_id] = pile
    kept: set[StopId] = set()
    wanted, below = len(tops) - 1, len(before)
    for stop_id in reversed(shared):
        if pile_of[stop_id] == wanted and place[stop_id] < below:
            kept.add(stop_id)
            wanted, below = wanted - 1, place[stop_id]
    return tuple(stop_id for stop_id in shared if stop_id not in kept)


def _start(run: Run, manifest: Manifest, now: datetime) -> Place:
    """Where the van is: at the stop it stands at, else where a fresh fix says, else at the stop it closed last."""
    arrived = next((stop for stop in run.open_stops if stop.phase is StopPhase.ARRIVED), None)
    if arrived is not None:
        return arrived.stop.place
    position = fresh_position(run, now)
    if position is not None:
        return position.place
    visited = [stop for stop in run.stops if stop.arrived_at is not None and stop.closed_at is not None]
    if visited:
        return max(visited, key=lambda stop: (stop.closed_at, stop.stop_id)).stop.place
    return run.plan.start if run.plan else manifest.start.place


def _listed(run: Run, first: StopId | None) -> tuple[StopId, ...]:
    """The open stops as the manifest lists them, but for the stop that is first and those put off, which are facts."""
    stops = [stop for stop in run.stops if stop.is_open and stop.is_listed]
    stops.sort(key=lambda stop: (stop.stop_id != first, _is_put_off(stop, first)))
    return tuple(stop.stop_id for stop in stops)


def _is_put_off(stop: RunStop, first: StopId | None) -> bool:
    return stop.is_skipped and stop.phase is StopPhase.OPEN and stop.stop_id != first


def _problem(run: Run, manifest: Manifest, reason: ReplanReason, times: Matrix, now: datetime) -> Problem:
    stops = run.open_stops
    first = held_first(run, reason)
    listed = _listed(run, first)
    in_force = set(run.plan.stop_ids) if run.plan else {stop.stop_id for stop in stops}
    return Problem(
        visits=tuple(_visit(stop, now, listed, is_put_off=_is_put_off(stop, first)) for stop in stops),
        travel_s=times.travel_s,
        travel_m=times.travel_m,
        first=first,
        warm_order=tuple(stop.stop_id for stop in stops if stop.stop_id in in_force),
        shift_end_s=(manifest.shift_ends_at - now).total_seconds(),
    )


def _visit(stop: RunStop, now: datetime, listed: Sequence[StopId], *, is_put_off: bool) -> Visit:
    if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
        # Its window is met or missed already; what is left is the rest of the service.
        left_s = (_served_at(stop, stop.arrived_at) - now).total_seconds()
        return Visit(stop_id=stop.stop_id, service_s=max(0.0, left_s))
    return Visit(
        stop_id=stop.stop_id,
        windows=tuple(
            TimeWindow(
                opens_s=(window.opens_at - now).total_seconds(),
                closes_s=(window.closes_at - now).total_seconds(),
                is_hard=window.is_hard,
            )
            for window in stop.stop.windows
        ),
        setup_s=stop.stop.setup_s,
        service_s=stop.stop.service_s,
        locked_at=listed.index(stop.stop_id) if stop.stop.is_locked and not is_put_off else None,
        is_last=is_put_off,
    )


def _served_at(stop: RunStop, arrived_at: datetime) -> datetime:
    """When a stop that was arrived at should be done, waiting for its window to open."""
    ready_at = arrived_at + timedelta(seconds=stop.stop.setup_s)
    starts = [max(ready_at, window.opens_at) for window in stop.stop.windows if window.closes_at >= ready_at]
    return min(starts, default=ready_at) + timedelta(seconds=stop.stop.service_s)


def _legs(run: Run, answer: Answer, now: datetime) -> list[PlanLeg]:
    stop_of = {stop.stop_id: stop for stop in run.open_stops}
    legs: list[PlanLeg] = []
    for timing in answer.timings:
        stop = stop_of[timing.stop_id]
        arrive_at = now + timedelta(seconds=timing.arrive_s)
        if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
            arrive_at = stop.arrived_at
        legs.append(
            PlanLeg(
                stop_id=timing.stop_id,
                travel_s=timing.travel_s,
                travel_m=timing.travel_m,
                arrive_at=arrive_at,
                leave_at=now + timedelta(seconds=timing.leave_s),
                lateness_s=lateness_s(stop.stop, arrive_at),
            )
        )
    return legs
