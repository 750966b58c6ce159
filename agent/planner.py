"""From the run to a plan: times from the road network, an order from the solver, one value handed back as an input.

The planner decides nothing about the day. It translates: what the driver has now into a warm order, what may not move
(the stop stood at or driven to, locked places, stops put off, a `fixed` manifest) into rules, and answers into legs. It
hands back two orders, the driver's own and a better one; which of them is driven is `trip/policy.py`.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol

from agent.localroute.charging import appraised
from agent.localroute.check import legs_without_road
from agent.localroute.explain import explained_misses, explained_moves
from agent.localroute.forecast import ElectricVan
from agent.localroute.problem import Answer, Problem, TimeWindow, Visit
from agent.localroute.repair import repaired
from agent.power import Power, charged_so_far, energy_ahead, outlook, plan_charges
from agent.trip.expected import ExpectedTimes
from agent.trip.inputs import PlanNotFound, PlanSolved
from agent.trip.policy import held_first, is_put_off, listed_order
from agent.trip.progress import fresh_position
from agent.trip.punctuality import lateness_s
from agent.trip.run import Plan, PlanLeg, Proposal, Run, RunStop, StopPhase
from roads.answers import ClosureReport, Lost, Matrix
from roads.errors import RoadsError
from wire.changes import Miss
from wire.events import ReplanReason, TimesSource
from wire.geo import Place
from wire.manifest import Closure, Manifest, SequencePolicy, SpeedChange
from wire.model import StopId
from wire.places import Misplaced

log = logging.getLogger(__name__)

ROUND_IT_S, ROUND_IT_M = 120.0, 800.0
"""What a leg is taken to cost more whose road was closed, until the way round is known. In Porto closing a street of a
route cost 110 and 120 s (OSRM, Valhalla), which at OSRM's speed on short hops there, 6.7 m/s, is 800 m."""
REPAIR_MOVED_STOP_COST_S = 1800.0
"""The price of a moved stop while the driver's own order leads over no road: only what must move does."""


class Network(Protocol):
    """What the planner needs of the roads."""

    async def matrix(self, places: Sequence[Place]) -> Matrix: ...
    async def set_closures(
        self, closures: tuple[Closure, ...], now: datetime, speeds: tuple[SpeedChange, ...] = ()
    ) -> ClosureReport: ...
    async def legs_closed(
        self, places: Sequence[Place], closures: tuple[Closure, ...], now: datetime
    ) -> Sequence[int]: ...
    async def troubles(self, places: Sequence[Place], times: Matrix) -> Mapping[int, Lost]: ...


class Engine(Protocol):
    """The best order within `limit_s` real seconds, and what went wrong ("" if nothing); `warm` says one is coming."""

    def warm(self) -> None: ...
    async def solve(self, problem: Problem, limit_s: float) -> tuple[Answer, str]: ...


class Now(Protocol):
    """What the planner needs of the clock."""

    def now(self) -> datetime: ...


Priced = Callable[[Problem, datetime], Problem]
"""The same problem, at the moment it is counted from, with other prices or promises."""


class Planner:
    """Answers one question at a time; who asks sees to that."""

    def __init__(
        self,
        network: Network,
        solver: Engine,
        clock: Now,
        limit_s: float,
        priced: Priced = lambda problem, _: problem,
        *,
        electric: ElectricVan | None = None,
    ) -> None:
        """`limit_s`: real seconds the engine may search. `priced`: the prices, where they are to be other ones.
        `electric`: a van whose charge is looked at.
        """
        self._electric = electric
        self._network = network
        self._solver = solver
        self._clock = clock
        self._limit_s = limit_s
        self._priced = priced

    async def close_roads(self, run: Run, now: datetime) -> ClosureReport:
        """Lets later plans keep off the closed roads, and slow down; the report says what met no road."""
        return await self._network.set_closures(run.closures, now, run.speeds)

    async def sketch(self, run: Run, reason: ReplanReason) -> PlanSolved | None:
        """The driver's order at once, when roads on its way were closed that the network does not know yet.

        With the times from before and an allowance for each way round, marked as estimates. None when the plan in
        force is as good.
        """
        if run.manifest is None or run.plan is None or not run.closures:
            return None
        now = self._clock.now()
        start, end = _start(run, run.manifest, now), run.manifest.end or run.manifest.start
        places = [start, *(stop.stop.place for stop in run.open_stops), end.place]
        try:
            legs = await self._network.legs_closed(places, run.closures, now)
            if not legs:
                return None
            power, asked = self._with_chargers(places)
            known = await self._network.matrix(asked)
            times = _round_about(known, legs)
            misplaced = _misplaced(run, await self._network.troubles(asked, known))
            problem, own = await asyncio.to_thread(
                _without_search, run, run.manifest, reason, times, now, priced=self._priced, power=power
            )
            made = _Making(run, reason, times, start, now, misplaced, power)
            plan = await asyncio.to_thread(made.plan, problem, problem.warm_order, own)
        except (RoadsError, OSError, ValueError) as error:
            log.warning("no plan could be sketched: %s", error)
            return None
        return PlanSolved(run_version=run.version, plan=plan, is_sketch=True)

    async def plan(
        self, run: Run, reason: ReplanReason, tell: Callable[[PlanSolved], None] = lambda _: None
    ) -> PlanSolved | PlanNotFound:
        """The driver's order with legs and times, and a better one; or why there is none.

        With no stop left: the way home. After a road was closed `tell` gets the driver's own order round it before
        the search for a better one, where an open road leads along it.
        """
        if run.manifest is None:
            return PlanNotFound(run_version=run.version, why="there is no manifest to plan")
        now = self._clock.now()
        start = _start(run, run.manifest, now)
        stops = run.open_stops
        end = run.manifest.end or run.manifest.start
        is_fixed = run.manifest.policy is SequencePolicy.FIXED
        if not is_fixed:
            self._solver.warm()
        try:
            places = [start, *(stop.stop.place for stop in stops), end.place]
            power, asked = self._with_chargers(places)
            times = await self._network.matrix(asked)
            misplaced = _misplaced(run, await self._network.troubles(asked, times))
            # On threads, as all that takes long with many stops: a tap must not wait for it.
            problem, own = await asyncio.to_thread(
                _without_search, run, run.manifest, reason, times, now, priced=self._priced, power=power
            )
            made = _Making(run, reason, times, start, now, misplaced, power)
            plan = await asyncio.to_thread(made.plan, problem, problem.warm_order, own)
            if reason is ReplanReason.ROAD_CLOSED and run.plan and not legs_without_road(problem, own.order):
                tell(PlanSolved(run_version=run.version, plan=plan, is_sketch=True))
            found = own if is_fixed else await self._search(problem, own)
            better = None if found is own else await asyncio.to_thread(made.proposal, problem, own, found)
        except (RoadsError, OSError, ValueError) as error:
            return PlanNotFound(run_version=run.version, why=f"no plan could be made: {error}")
        for leg in legs_without_road(problem, own.order):
            log.warning("%s; its time is a guess", leg)
        return PlanSolved(run_version=run.version, plan=plan, better=better)

    def _with_chargers(self, places: Sequence[Place]) -> tuple[Power | None, Sequence[Place]]:
        """Behind the places, the chargers that come into question."""
        if self._electric is None:
            return None, places
        chargers = self._electric.near(places)
        return Power(self._electric, chargers), [*places, *(charger.place for charger in chargers)]

    async def _search(self, problem: Problem, own: Answer) -> Answer:
        """The engine's order, or the driver's own where none is better."""
        if legs_without_road(problem, own.order):
            problem = problem.model_copy(update={"moved_stop_cost_s": REPAIR_MOVED_STOP_COST_S})
        found, why = await self._solver.solve(problem, self._limit_s)
        if why:
            log.warning("the order is repaired rather than searched: %s", why)
        return own if found.order == own.order else found


def _without_search(
    run: Run,
    manifest: Manifest,
    reason: ReplanReason,
    times: Matrix,
    now: datetime,
    *,
    priced: Priced,
    power: Power | None,
) -> tuple[Problem, Answer]:
    """What is to be solved, and the order that needs no engine."""
    problem = priced(_problem(run, manifest, reason, times, now, power=power), now)
    is_fixed = manifest.policy is SequencePolicy.FIXED
    return problem, appraised(problem, listed_order(run, problem.first) if is_fixed else repaired(problem))


@dataclass(frozen=True)
class _Making:
    """What a plan is made from, beside its order."""

    run: Run
    reason: ReplanReason
    times: Matrix
    start: Place
    now: datetime
    misplaced: tuple[Misplaced, ...] = ()
    power: Power | None = None

    def plan(self, problem: Problem, before: Sequence[StopId], answer: Answer, gain_s: float = 0.0) -> Plan:
        """`before`: the order that the driver has in mind."""
        moves = explained_moves(
            problem, before, answer, is_road_closed=self.reason is ReplanReason.ROAD_CLOSED and gain_s != 0.0
        )
        run = self.run
        home = [charge for charge in answer.charges if charge.place == len(answer.order)]
        legs = tuple(_legs(run, answer, self.times, self.now, self.power))
        return Plan(
            version=run.plan.version + 1 if run.plan else 1,
            made_at=self.now,
            start=Place(lat_deg=self.start.lat_deg, lon_deg=self.start.lon_deg),
            legs=legs,
            home_travel_s=answer.home_travel_s + sum(charge.travel_s for charge in home),
            home_travel_m=answer.home_travel_m + sum(charge.travel_m for charge in home),
            reason=self.reason,
            times=self.times.source,
            moved_stops=tuple(move.stop_id for move in moves),
            gain_s=gain_s,
            was_offline=not run.is_online,
            moves=moves,
            misses=tuple(_as_driven(explained_misses(problem, answer), legs)),
            misplaced=self.misplaced,
            home_charges=plan_charges(answer, len(answer.order), self.now, self.power),
            charged=charged_so_far(run),
            outlook=outlook(problem, answer, self.power),
        )

    def proposal(self, problem: Problem, own: Answer, found: Answer) -> Proposal:
        """Both orders are judged by the problem's own prices, whatever the search was told."""
        judged = appraised(problem, found.order)
        own_plan = _legs(self.run, own, self.times, self.now, self.power)
        return Proposal(
            plan=self.plan(problem, own.order, judged, gain_s=own.end_s - judged.end_s),
            worth_s=own.cost - judged.cost,
            late_before=tuple(leg.stop_id for leg in own_plan if leg.lateness_s > 0),
            is_forced=len(legs_without_road(problem, own.order)) > len(legs_without_road(problem, found.order)),
        )


def _misplaced(run: Run, troubles: Mapping[int, Lost]) -> tuple[Misplaced, ...]:
    """`troubles` by the number of the place asked about: the start, then the open stops."""
    return tuple(
        Misplaced(stop_id=stop.stop_id, why=troubles[number].why, away_m=troubles[number].away_m)
        for number, stop in enumerate(run.open_stops, start=1)
        if number in troubles
    )


def _round_about(times: Matrix, legs: Sequence[int]) -> Matrix:
    """The times with an allowance on each leg from a place to the next one in the list whose road was closed."""
    seconds, metres = ([list(row) for row in cells] for cells in (times.travel_s, times.travel_m))
    for leg in legs:
        for cells, more in ((seconds, ROUND_IT_S), (metres, ROUND_IT_M)):
            was = cells[leg][leg + 1]
            cells[leg][leg + 1] = None if was is None else was + more
    return replace(
        times,
        travel_s=tuple(tuple(row) for row in seconds),
        travel_m=tuple(tuple(row) for row in metres),
        source=TimesSource.ESTIMATE,
    )


def _start(run: Run, manifest: Manifest, now: datetime) -> Place:
    """Where the van is: at the stop it stands at, else where a fresh fix says, else at the stop it closed last."""
    arrived = next((stop for stop in run.open_stops if stop.phase is StopPhase.ARRIVED), None)
    if arrived is not None and arrived.stop.is_placed:
        return arrived.stop.place
    position = fresh_position(run, now)
    if position is not None:
        return position.place
    closed = [stop for stop in run.stops if stop.arrived_at is not None and stop.closed_at is not None]
    visited = [stop for stop in closed if stop.stop.is_placed]
    if visited:
        return max(visited, key=lambda stop: (stop.closed_at, stop.stop_id)).stop.place
    return run.plan.start if run.plan else manifest.start.place


def _problem(
    run: Run, manifest: Manifest, reason: ReplanReason, times: Matrix, now: datetime, *, power: Power | None
) -> Problem:
    stops = run.open_stops
    first = held_first(run, reason)
    listed = listed_order(run, first)
    expected = ExpectedTimes(run, now, times.source)
    end = manifest.end or manifest.start
    in_force = set(run.plan.stop_ids) if run.plan else {stop.stop_id for stop in stops}
    start = _start(run, manifest, now)
    chargers = [charger.place for charger in power.chargers] if power else []
    visits = tuple(_visit(stop, expected, now, listed, is_put_off=is_put_off(stop, first)) for stop in stops)
    return Problem(
        visits=visits,
        travel_s=expected.travel_s(times.travel_s, [start, *(stop.stop for stop in stops), end, *chargers]),
        travel_m=times.travel_m,
        first=first,
        warm_order=tuple(stop.stop_id for stop in stops if stop.stop_id in in_force),
        shift_end_s=(manifest.shift_ends_at - now).total_seconds(),
        slots=expected.slots(),
        energy=energy_ahead(run, manifest, power, visits=visits, times=times, here=start) if power else None,
    )


def _visit(
    stop: RunStop, expected: ExpectedTimes, now: datetime, listed: Sequence[StopId], *, is_put_off: bool
) -> Visit:
    if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
        # Its window is met or missed already; what is left is the rest of the service.
        left_s = (expected.served_at(stop, stop.arrived_at) - now).total_seconds()
        return Visit(stop_id=stop.stop_id, service_s=max(0.0, left_s))
    setup_s, service_s = expected.visit(stop)
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
        setup_s=setup_s,
        service_s=service_s,
        locked_at=listed.index(stop.stop_id) if stop.stop.is_locked and not is_put_off else None,
        is_last=is_put_off,
    )


def _as_driven(misses: Sequence[Miss], legs: Sequence[PlanLeg]) -> Iterator[Miss]:
    """What the screens call late is the arrival; the problem counts to the door, a minute's walk on."""
    late_s = {leg.stop_id: leg.lateness_s for leg in legs}
    for miss in misses:
        if miss.late_s == 0 or late_s.get(miss.stop_id, 0) > 0:
            yield miss.model_copy(update={"late_s": late_s.get(miss.stop_id, 0.0)})


def _legs(run: Run, answer: Answer, times: Matrix, now: datetime, power: Power | None) -> list[PlanLeg]:
    stop_of = {stop.stop_id: stop for stop in run.open_stops}
    node_of = {stop_id: node for node, stop_id in enumerate(stop_of, start=1)}
    chargers = [charger.charger_id for charger in power.chargers] if power else []
    legs: list[PlanLeg] = []
    here = 0
    for place, timing in enumerate(answer.timings):
        by = [charge for charge in answer.charges if charge.place == place]
        nodes = [
            here,
            *(len(stop_of) + 2 + chargers.index(charge.charger_id) for charge in by),
            node_of[timing.stop_id],
        ]
        on_road = [times.travel_s[a][b] for a, b in pairwise(nodes)]
        stop = stop_of[timing.stop_id]
        arrive_at = now + timedelta(seconds=timing.arrive_s)
        if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
            arrive_at = stop.arrived_at
        legs.append(
            PlanLeg(
                stop_id=timing.stop_id,
                travel_s=timing.travel_s + sum(charge.travel_s for charge in by),
                travel_m=timing.travel_m + sum(charge.travel_m for charge in by),
                arrive_at=arrive_at,
                leave_at=now + timedelta(seconds=timing.leave_s),
                lateness_s=lateness_s(stop.stop, arrive_at),
                road_s=None if None in on_road else sum(leg_s or 0.0 for leg_s in on_road),
                charges=plan_charges(answer, place, now, power),
            )
        )
        here = node_of[timing.stop_id]
    return legs
