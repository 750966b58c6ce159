"""A made day with an outage, a closed bridge and people who are not at home, lived three ways.

The roads and the traffic are those of `stability_day.py`: from 09:00 to 11:00 driving takes 1.3 times as long as
planned, after that 1.1 times, and each way and each service has a factor of its own. Half of the stops have a window.

- From 09:20 to 11:40 the van hears nothing. At 09:40 a bridge closes for the day; the van learns of it when a way it
  would drive leads over it (its driver stands there and says so), or at 11:40.
- At four stops nobody is at home, which takes a minute. No order comes in later: a fixed order has no place for one.

`fixed` and `van` begin with the same order, searched by the van's own engine before it sets out.

- `fixed`: that order, whatever happens.
- `van`: the van as it is sold, under the policy `free`, its driver taking what it suggests.
- `oracle`: a van that knows every factor and who is not at home from the start, and the bridge the moment it closes. It
  searches anew after every few stops, and may change its order for nothing.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from agent.gps.position import Motion
from agent.localroute.problem import Problem, Slot, Visit
from agent.trip.inputs import ConditionsArrived, FixJudged, ManifestArrived, MinutePassed, PlanSolved
from agent.trip.run import RunStop, StopPhase
from benchmarks.stability_day import (
    AS_THEY_ARE,
    CLOSES_AT,
    MINUTE,
    NOTHING,
    STARTS_AT,
    TRAFFIC,
    MadeVan,
    Story,
    made_manifest,
    made_town,
)
from wire.events import ReplanReason
from wire.manifest import Closure, Conditions, NodePair, SequencePolicy

STOPS = 85
NOT_AT_HOME = 4
THINKS_EVERY = 5
"""Stops between two searches of the oracle, which is surprised by nothing."""
OUT_UNTIL = STARTS_AT + timedelta(hours=3, minutes=40)


class Way(StrEnum):
    FIXED = "fixed"
    VAN = "van"
    ORACLE = "oracle"


class OutageVan(MadeVan):
    """One van on one such day."""

    def __init__(self, seed: int, way: Way, stops: int, iterations: int) -> None:
        super().__init__(seed, NOTHING if way is Way.ORACLE else AS_THEY_ARE, stops, iterations)
        self._way = way
        self._stops = [stop for stop in self._stops if stop not in self._late]
        self._refusing = frozenset(stop.stop_id for stop in self._dice.sample(self._stops, NOT_AT_HOME))
        bridge = self._dice.choice(made_town().bridges)
        self._closure = Closure(
            closure_id="bridge",
            pairs=tuple(NodePair(from_node=a, to_node=b) for a, b in bridge.pairs),
            valid_from=CLOSES_AT,
            valid_until=STARTS_AT + timedelta(hours=24),
        )
        self._is_closed, self._knows = False, False
        self._to_come = []

    async def drive(self) -> Story:
        await self._enter(FixJudged(position=self._position(), motion=Motion.PARKED))
        await self._enter(ManifestArrived(manifest=made_manifest(1, self._stops)))
        assert self._run.plan is not None
        morning = {stop_id: place for place, stop_id in enumerate(self._run.plan.stop_ids)}
        listed = sorted(self._stops, key=lambda stop: morning[stop.stop_id])
        if self._way is Way.FIXED:
            fixed = made_manifest(2, listed).model_copy(update={"policy": SequencePolicy.FIXED})
            await self._enter(ManifestArrived(manifest=fixed))
        while (stop := self._run.next_stop) is not None:
            if await self._go_to(stop):
                await self._serve(stop)
                await self._think_again()
        await self._go_home()
        self.story.ends_at = self._now
        return self.story

    async def _go_to(self, stop: RunStop) -> bool:
        if self._is_closed and not self._knows:
            known, true = (roads.drive(self._place, stop.stop.place) for roads in (self._roads, self._world))
            if true.travel_s > known.travel_s + 1:
                await self._learn()
                if self._run.next_stop is None or self._run.next_stop.stop_id != stop.stop_id:
                    return False
        return await super()._go_to(stop)

    async def _minute(self) -> None:
        if not self._is_closed and self._now >= CLOSES_AT:
            self._is_closed = True
            await self._world.set_closures((self._closure,), self._now)
        if self._is_closed and not self._knows and (self._way is Way.ORACLE or self._now >= OUT_UNTIL):
            await self._learn()
        await self._enter(MinutePassed())

    async def _learn(self) -> None:
        self._knows = True
        await self._roads.set_closures((self._closure,), self._now)
        conditions = Conditions(version=1, issued_at=self._now, closures=(self._closure,))
        await self._enter(ConditionsArrived(conditions=conditions))

    # The oracle -----------------------------------------------------------------------------------------------------

    async def _think_again(self) -> None:
        left = len(self._run.open_stops)
        if self._way is not Way.ORACLE or not left or left % THINKS_EVERY:
            return
        found = await self._planner.plan(self._run, ReplanReason.LATENESS)
        if isinstance(found, PlanSolved):
            plan = found.better.plan if found.better is not None else found.plan
            await self._enter(PlanSolved(run_version=found.run_version, plan=plan, better=None))

    def _priced(self, problem: Problem, now: datetime) -> Problem:
        if self._way is not Way.ORACLE:
            return problem
        factors = [1.0, *(self._leg_factor(visit.stop_id) for visit in problem.visits), 1.0]
        return problem.model_copy(
            update={
                "visits": tuple(self._as_they_will_be(problem)),
                "travel_s": tuple(
                    tuple(None if cell is None else cell * factor for cell, factor in zip(row, factors, strict=True))
                    for row in problem.travel_s
                ),
                "slots": tuple(
                    Slot(from_s=(STARTS_AT + after - now).total_seconds(), factor=factor) for after, factor in TRAFFIC
                ),
                "moved_stop_cost_s": 0.0,
            }
        )

    def _as_they_will_be(self, problem: Problem) -> Iterator[Visit]:
        for visit in problem.visits:
            stop = self._run.find(visit.stop_id)
            if stop is None or stop.phase is StopPhase.ARRIVED:
                yield visit
            elif visit.stop_id in self._refusing:
                yield visit.model_copy(update={"service_s": MINUTE.total_seconds()})
            else:
                yield visit.model_copy(update={"service_s": visit.service_s * self._service_factor(visit.stop_id)})


async def lived(seed: int, way: Way, *, stops: int = STOPS, iterations: int) -> Story:
    """The day of that seed, that way."""
    return await OutageVan(seed, way, stops, iterations).drive()
