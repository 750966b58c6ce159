"""From a run to a plan, over a road network that is a straight street with a toll of our choosing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations

import pytest

from agent.gps.position import Motion
from agent.learn.expect import FASTEST
from agent.learn.known import Known
from agent.learn.level import Level
from agent.localroute.charging import appraised
from agent.localroute.check import broken_rules, evaluate
from agent.localroute.forecast import ChargerPlace, ElectricVan
from agent.localroute.problem import Answer, Problem
from agent.localroute.repair import repaired
from agent.planner import ROUND_IT_S, Planner
from agent.trip.inputs import PlanNotFound, PlanSolved
from agent.trip.run import ChargeReading, Plan, PlanCharge, Proposal, Run, StopPhase
from host.clock import Clock, ClockSettings
from roads import estimate
from roads.answers import ClosureReport, Lost, Matrix
from roads.errors import EngineError
from tests.builders import (
    DEPOT,
    MORNING,
    a_closure,
    a_conditions,
    a_place,
    a_plan,
    a_position,
    a_run,
    a_stop,
    a_window,
    at,
)
from wire.changes import MissWhy, MoveWhy
from wire.events import FixQuality, ReplanReason, TimesSource
from wire.geo import Place
from wire.manifest import Closure, SequencePolicy, SpeedChange, Stop
from wire.places import Misplaced, PlaceTrouble


class Street:
    """Straight-line times, as the road network gives when its engine is down; remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Place] = []
        self.closures: list[Closure] = []
        self.is_broken = False
        self.is_cut: tuple[Place, Place] | None = None
        """No road leads from the one to the other."""
        self.over_closed: list[int] = []
        self.lost: dict[Place, Lost] = {}

    async def matrix(self, places: Sequence[Place]) -> Matrix:
        if self.is_broken:
            raise EngineError("the road engine refused the question")
        self.asked = list(places)
        times = estimate.matrix(places)
        if self.is_cut is None:
            return times
        here, there = (self.asked.index(place) for place in self.is_cut)
        rows = [list(row) for row in times.travel_s]
        rows[here][there] = None
        return replace(times, travel_s=tuple(map(tuple, rows)))

    async def legs_closed(self, places: Sequence[Place], closures: tuple[Closure, ...], now: datetime) -> list[int]:
        return self.over_closed

    async def troubles(self, places: Sequence[Place], times: Matrix) -> dict[int, Lost]:
        return {self.asked.index(place): lost for place, lost in self.lost.items() if place in self.asked}

    async def set_closures(
        self, closures: tuple[Closure, ...], now: datetime, speeds: tuple[SpeedChange, ...] = ()
    ) -> ClosureReport:
        self.closures = list(closures)
        return ClosureReport()


class EveryOrder:
    """Keeps the solver's contract by trying all orders."""

    def __init__(self) -> None:
        self.problem: Problem | None = None
        self.why = ""

    def warm(self) -> None:
        pass

    async def solve(self, problem: Problem, limit_s: float) -> tuple[Answer, str]:
        self.problem = problem
        best = appraised(problem, repaired(problem))
        for order in permutations(visit.stop_id for visit in problem.visits):
            if not broken_rules(problem, order):
                found = appraised(problem, order, "ortools")
                best = found if found.cost < best.cost - 1e-6 else best
        return best, self.why


class Desk:
    """A planner with its surroundings, at 08:00."""

    def __init__(self) -> None:
        self.street = Street()
        self.engine = EveryOrder()
        self.clock = Clock(ClockSettings(origin=MORNING, system_origin_s=0.0), system=lambda: 0.0)
        self.planner = Planner(self.street, self.engine, self.clock, limit_s=1.0)

    async def answer(self, run: Run, reason: ReplanReason = ReplanReason.MANIFEST) -> PlanSolved:
        answer = await self.planner.plan(run, reason)
        assert isinstance(answer, PlanSolved), answer
        assert answer.run_version == run.version
        return answer

    async def plan(self, run: Run, reason: ReplanReason = ReplanReason.MANIFEST) -> Plan:
        """The driver's own order, repaired."""
        return (await self.answer(run, reason)).plan

    async def better(self, run: Run, reason: ReplanReason = ReplanReason.MANIFEST) -> Proposal:
        better = (await self.answer(run, reason)).better
        assert better is not None
        return better


@pytest.fixture
def desk() -> Desk:
    return Desk()


def with_stop(run: Run, stop_id: str, **changes: object) -> Run:
    stops = tuple(stop.model_copy(update=changes) if stop.stop_id == stop_id else stop for stop in run.stops)
    return run.model_copy(update={"stops": stops})


def with_policy(run: Run, policy: SequencePolicy) -> Run:
    assert run.manifest is not None
    return run.model_copy(update={"manifest": run.manifest.model_copy(update={"policy": policy})})


def numbered(*numbers: int) -> list[Stop]:
    """Stops on the street north of the depot, in the order given."""
    return [a_stop(number) for number in numbers]


async def test_a_plan_says_when_and_how_far_each_stop_is(desk: Desk) -> None:
    plan = await desk.plan(a_run(2, has_plan=False))
    assert (plan.version, plan.made_at, plan.start, plan.times) == (1, MORNING, DEPOT, TimesSource.ESTIMATE)
    assert plan.stop_ids == ("s1", "s2")
    first, second = plan.legs
    assert first.travel_m == pytest.approx(500 * estimate.DETOUR)
    assert first.arrive_at == MORNING + timedelta(seconds=first.travel_s)
    assert first.leave_at == first.arrive_at + timedelta(seconds=180)
    assert second.arrive_at == first.leave_at + timedelta(seconds=second.travel_s)
    assert plan.home_travel_m == pytest.approx(1000 * estimate.DETOUR)
    assert plan.was_offline


async def test_the_first_plan_is_the_manifests_order_and_a_better_one_comes_beside_it(desk: Desk) -> None:
    answer = await desk.answer(a_run(numbered(4, 1, 3, 2, 5), has_plan=False))
    assert (answer.plan.stop_ids, answer.plan.moved_stops) == (("s4", "s1", "s3", "s2", "s5"), ())
    better = answer.better
    assert better is not None
    assert sorted(better.plan.stop_ids) == ["s1", "s2", "s3", "s4", "s5"]
    assert better.plan.gain_s > 0
    assert better.worth_s > 0
    assert {move.stop_id for move in better.plan.moves} == set(better.plan.moved_stops) != set()
    assert {move.why for move in better.plan.moves} <= {MoveWhy.NEARER, MoveWhy.TOGETHER}


async def test_a_better_order_says_whose_window_it_saves_and_what_it_cannot_save(desk: Desk) -> None:
    stops = [a_stop(6), a_stop(1, windows=(a_window(0, 6, is_hard=True),)), a_stop(2, windows=(a_window(-30, -20),))]
    better = await desk.better(a_run(stops, motion=Motion.HALTED))
    assert set(better.late_before) == {"s1", "s2"}
    assert better.saved == {"s1"}
    assert not better.lost
    (miss,) = better.plan.misses
    assert (miss.stop_id, miss.why) == ("s2", MissWhy.WINDOW)
    assert miss.late_s == next(leg.lateness_s for leg in better.plan.legs if leg.stop_id == "s2")


async def test_where_no_open_road_leads_the_other_order_is_forced_and_moves_as_little_as_it_can(desk: Desk) -> None:
    desk.street.is_cut = (a_stop(1).place, a_stop(2).place)
    answer = await desk.answer(a_run(numbered(5, 1, 2, 3, 4)), ReplanReason.ROAD_CLOSED)
    assert answer.plan.stop_ids == ("s5", "s1", "s2", "s3", "s4")
    assert answer.better is not None
    assert answer.better.is_forced
    assert len(answer.better.plan.moved_stops) == 1


async def test_a_fixed_manifest_keeps_its_order_and_says_who_is_late(desk: Desk) -> None:
    stops = [a_stop(5), a_stop(1, windows=(a_window(0, 1),)), a_stop(3)]
    plan = await desk.plan(with_policy(a_run(stops, has_plan=False), SequencePolicy.FIXED))
    assert plan.stop_ids == ("s5", "s1", "s3")
    assert desk.engine.problem is None
    assert (await desk.answer(with_policy(a_run(stops), SequencePolicy.FIXED))).better is None
    late = plan.legs[1]
    assert late.lateness_s == (late.arrive_at - at(1)).total_seconds() > 0


async def test_the_stop_driven_to_stays_first_while_the_van_may_be_moving(desk: Desk) -> None:
    run = a_run(numbered(5, 1, 4, 3, 2), motion=Motion.MOVING)
    assert (await desk.better(run)).plan.stop_ids[0] == "s5"
    unknown = run.model_copy(update={"motion": Motion.UNKNOWN})
    assert (await desk.better(unknown)).plan.stop_ids[0] == "s5"
    halted = a_run(numbered(5, 1, 2, 3, 4), motion=Motion.HALTED)
    assert (await desk.better(halted, ReplanReason.STOP_FAILED)).plan.stop_ids[0] != "s5"


async def test_a_stop_stood_at_is_first_with_the_service_that_is_left(desk: Desk) -> None:
    run = with_stop(a_run(3), "s2", phase=StopPhase.ARRIVED, arrived_at=at(-2))
    plan = await desk.plan(run)
    assert plan.start == a_place(north_m=1000)
    leg = plan.legs[0]
    assert (leg.stop_id, leg.travel_s, leg.arrive_at, leg.leave_at) == ("s2", 0, at(-2), at(1))


async def test_service_that_takes_longer_than_thought_ends_now(desk: Desk) -> None:
    run = with_stop(a_run(2), "s1", phase=StopPhase.ARRIVED, arrived_at=at(-30))
    assert (await desk.plan(run)).legs[0].leave_at == MORNING


async def test_who_arrives_early_waits_for_the_window_before_serving(desk: Desk) -> None:
    run = with_stop(
        a_run([a_stop(1, windows=(a_window(10, 60),)), a_stop(2)]), "s1", phase=StopPhase.ARRIVED, arrived_at=at(-3)
    )
    assert (await desk.plan(run)).legs[0].leave_at == at(12)


async def test_a_stop_put_off_goes_behind_the_others_and_the_next_may_change(desk: Desk) -> None:
    run = with_stop(a_run(4, motion=Motion.MOVING), "s1", is_skipped=True)
    plan = await desk.plan(run, ReplanReason.STOP_SKIPPED)
    assert plan.stop_ids[-1] == "s1"
    assert [(move.stop_id, move.places, move.why) for move in plan.moves] == [("s1", 3, MoveWhy.PUT_OFF)]


async def test_a_put_off_stop_stood_at_after_all_is_first(desk: Desk) -> None:
    run = with_stop(a_run(3), "s1", is_skipped=True, phase=StopPhase.ARRIVED, arrived_at=MORNING)
    assert (await desk.plan(run, ReplanReason.OUT_OF_ORDER)).stop_ids[0] == "s1"


async def test_a_locked_stop_keeps_its_place_among_the_open_ones(desk: Desk) -> None:
    stops = [a_stop(1), a_stop(5, is_locked=True), a_stop(2), a_stop(3)]
    run = a_run(stops)
    assert (await desk.better(run)).plan.stop_ids[1] == "s5"
    done = with_stop(run, "s1", phase=StopPhase.COMPLETED, arrived_at=at(-5), closed_at=at(-1))
    assert (await desk.plan(done)).stop_ids[0] == "s5"


async def test_an_order_worth_less_than_its_moves_is_not_handed_back(desk: Desk) -> None:
    # 100 m there and back again: 41 s of driving at the estimate's speed, and two moved stops cost 60.
    stops = [a_stop(1), a_stop(2), a_stop(3), a_stop(4)]
    stops[1] = a_stop(2, lat_deg=a_place(north_m=1600).lat_deg)
    answer = await desk.answer(a_run(stops), ReplanReason.ROAD_CLOSED)
    assert (answer.plan.stop_ids, answer.plan.moved_stops, answer.better) == (("s1", "s2", "s3", "s4"), (), None)
    assert desk.engine.problem is not None
    free = desk.engine.problem.model_copy(update={"moved_stop_cost_s": 0.0})
    better, _ = await desk.engine.solve(free, 1.0)
    assert better.cost < evaluate(free, answer.plan.stop_ids).cost


async def test_a_new_stop_is_taken_in_where_it_costs_least(desk: Desk) -> None:
    plan = await desk.plan(a_run(numbered(1, 2, 4, 5, 3), plan=a_plan(numbered(1, 2, 4, 5))))
    assert set(plan.stop_ids) == {"s1", "s2", "s3", "s4", "s5"}
    assert plan.moved_stops == ()


async def test_a_fresh_fix_is_where_the_van_starts_and_an_old_one_is_not(desk: Desk) -> None:
    here = a_place(north_m=700, east_m=30)
    run = a_run(3, position=a_position(here))
    assert (await desk.plan(run)).start == here
    old = run.model_copy(update={"position": a_position(here, fixed_at=at(-10))})
    assert (await desk.plan(old)).start == DEPOT
    lost = run.model_copy(update={"position": a_position(here, quality=FixQuality.STALE)})
    assert (await desk.plan(lost)).start == DEPOT
    served = with_stop(lost, "s2", phase=StopPhase.COMPLETED, arrived_at=at(-9), closed_at=at(-5))
    assert (await desk.plan(served)).start == a_place(north_m=1000)


async def test_with_nothing_left_the_plan_is_the_way_home(desk: Desk) -> None:
    run = with_stop(a_run(1), "s1", phase=StopPhase.COMPLETED, arrived_at=at(-5), closed_at=at(-1))
    plan = await desk.plan(run)
    assert plan.legs == ()
    assert plan.home_travel_m == pytest.approx(500 * estimate.DETOUR)


async def test_no_manifest_and_no_roads_are_answers_in_words(desk: Desk) -> None:
    empty = await desk.planner.plan(Run(version=4), ReplanReason.COMMAND)
    assert empty == PlanNotFound(run_version=4, why="there is no manifest to plan")
    desk.street.is_broken = True
    refused = await desk.planner.plan(a_run(), ReplanReason.COMMAND)
    assert isinstance(refused, PlanNotFound)
    assert "the road engine refused the question" in refused.why


async def test_closures_go_to_the_road_network(desk: Desk) -> None:
    conditions = a_conditions(a_closure("bridge"))
    await desk.planner.close_roads(a_run().model_copy(update={"conditions": conditions}), MORNING)
    assert [closure.closure_id for closure in desk.street.closures] == ["bridge"]


LEARNED_DAY = MORNING.date().toordinal()


def learned(**means: float) -> Known:
    """Sure of each; `__` stands for a slash, `hour_N` for that hour of a weekday."""
    keys = {key.replace("__", "/").replace("hour_", "hour/weekday-"): mean for key, mean in means.items()}
    levels = {key: Level(weight=1e9, mean=mean, day=LEARNED_DAY) for key, mean in keys.items()}
    return Known(day=LEARNED_DAY, levels=levels)


class Roads(Street):
    """The same times, called those of roads: only they are corrected."""

    async def matrix(self, places: Sequence[Place]) -> Matrix:
        return replace(await super().matrix(places), source=TimesSource.ROADS)


async def test_a_plan_rests_on_what_was_learned_of_visits_and_legs(desk: Desk) -> None:
    before = await desk.plan(a_run(2, has_plan=False))
    desk.planner = Planner(Roads(), desk.engine, desk.clock, limit_s=1.0)
    plan = await desk.plan(a_run(2, has_plan=False, known=learned(visit__van=2.0, leg__van=1.5)))
    for leg, by_map in zip(plan.legs, before.legs, strict=True):
        assert leg.travel_s == pytest.approx(1.5 * by_map.travel_s)
        assert leg.road_s == pytest.approx(by_map.travel_s)
        assert (leg.leave_at - leg.arrive_at).total_seconds() == pytest.approx(360)
    assert plan.home_travel_s == pytest.approx(1.5 * before.home_travel_s)


async def test_of_straight_lines_nothing_was_learned(desk: Desk) -> None:
    plan = await desk.plan(a_run(2, has_plan=False, known=learned(leg__van=1.5)))
    assert plan.legs[0].travel_s == plan.legs[0].road_s
    assert desk.engine.problem is not None
    assert desk.engine.problem.slots == ()


async def test_the_slow_hours_of_a_day_are_slots_and_no_leg_is_faster_than_it_can_be(desk: Desk) -> None:
    desk.planner = Planner(Roads(), desk.engine, desk.clock, limit_s=1.0)
    run = a_run(3, has_plan=False, known=learned(leg__hour_08=1.5, leg__hour_12=0.01, leg__van=0.5))
    plan = await desk.plan(run)
    problem = desk.engine.problem
    assert problem is not None
    assert [slot.from_s for slot in problem.slots] == [0, 3600, 4 * 3600, 5 * 3600]
    assert max(slot.factor for slot in problem.slots) == problem.slots[0].factor > 1
    for leg in plan.legs:
        assert leg.road_s is not None
        assert leg.travel_s >= FASTEST * leg.road_s


async def test_hours_that_are_much_alike_make_no_slots(desk: Desk) -> None:
    desk.planner = Planner(Roads(), desk.engine, desk.clock, limit_s=1.0)
    await desk.plan(a_run(3, has_plan=False, known=learned(leg__hour_08=1.03)))
    assert desk.engine.problem is not None
    assert desk.engine.problem.slots == ()


async def test_a_closed_road_on_the_way_gives_the_drivers_order_at_once_as_an_estimate(desk: Desk) -> None:
    run = a_run(3).model_copy(update={"conditions": a_conditions(a_closure("bridge"))})
    assert await desk.planner.sketch(run, ReplanReason.ROAD_CLOSED) is None
    desk.street.over_closed = [1]
    open_road = await desk.plan(run)
    answer = await desk.planner.sketch(run, ReplanReason.ROAD_CLOSED)
    assert answer is not None
    assert answer.is_sketch
    assert (answer.plan.stop_ids, answer.plan.times) == (run.plan.stop_ids if run.plan else (), TimesSource.ESTIMATE)
    later_s = [one.travel_s - other.travel_s for one, other in zip(answer.plan.legs, open_road.legs, strict=True)]
    assert later_s == [0, ROUND_IT_S, 0]
    assert desk.engine.problem is not None  # of the plan before; the sketch asks no engine


async def test_a_road_closed_is_answered_before_the_search_is_over_where_a_road_leads(desk: Desk) -> None:
    told: list[PlanSolved] = []
    run = a_run(numbered(4, 1, 3, 2))
    await desk.planner.plan(run, ReplanReason.LATENESS, told.append)
    assert told == []
    answer = await desk.planner.plan(run, ReplanReason.ROAD_CLOSED, told.append)
    assert isinstance(answer, PlanSolved)
    assert [(one.plan, one.is_sketch) for one in told] == [(answer.plan, True)]
    desk.street.is_cut = (a_stop(4).place, a_stop(1).place)
    await desk.planner.plan(run, ReplanReason.ROAD_CLOSED, told.append)
    assert len(told) == 1


async def test_a_stop_that_no_road_leads_to_is_in_the_plan_and_named_with_the_reason(desk: Desk) -> None:
    run = a_run(3)
    desk.street.lost = {
        a_stop(2).place: Lost(PlaceTrouble.FAR, 430.0),
        a_stop(3).place: Lost(PlaceTrouble.SWAPPED),
        DEPOT: Lost(PlaceTrouble.FAR, 200.0),
    }
    plan = await desk.plan(run)
    assert plan.stop_ids == ("s1", "s2", "s3")
    assert plan.misplaced == (
        Misplaced(stop_id="s2", why=PlaceTrouble.FAR, away_m=430.0),
        Misplaced(stop_id="s3", why=PlaceTrouble.SWAPPED),
    )


def electric(desk: Desk, start_share: float, *chargers: ChargerPlace) -> Desk:
    """A van with 10 kWh, that takes about a third of one for each kilometre of the street."""
    desk.planner = Planner(
        desk.street,
        desk.engine,
        Clock(ClockSettings(origin=MORNING, system_origin_s=0.0), system=lambda: 0.0),
        limit_s=1.0,
        electric=ElectricVan(battery_kwh=10.0, start_share=start_share, chargers=chargers),
    )
    return desk


def a_charger(north_m: float) -> ChargerPlace:
    place = a_place(north_m=north_m)
    return ChargerPlace(charger_id="mill", name="Mill", lat_deg=place.lat_deg, lon_deg=place.lon_deg, power_kw=50)


async def test_a_van_whose_charge_nobody_looks_at_has_no_outlook(desk: Desk) -> None:
    assert (await desk.plan(a_run(2, has_plan=False))).outlook is None


async def test_a_full_electric_van_is_not_charged_and_is_told_that_the_day_can_be_finished(desk: Desk) -> None:
    plan = await electric(desk, 1.0, a_charger(700)).plan(a_run(3, has_plan=False))
    assert plan.outlook is not None
    assert (plan.outlook.short_kwh, [leg.charges for leg in plan.legs]) == (0.0, [(), (), ()])
    assert plan.outlook.reserve_kwh < plan.outlook.end_least_kwh < plan.outlook.end_kwh < 10


async def test_a_van_that_does_not_last_is_sent_to_a_charger_and_its_times_say_so(desk: Desk) -> None:
    run = a_run(3, has_plan=False)
    usual = await desk.plan(run)
    plan = await electric(desk, 0.3, a_charger(700)).plan(run)
    assert plan.outlook is not None
    assert plan.outlook.short_kwh == 0
    (charge,) = [*(charge for leg in plan.legs for charge in leg.charges), *plan.home_charges]
    assert (charge.name, charge.to_kwh > charge.arrive_kwh) == ("Mill", True)
    assert plan.legs[-1].arrive_at > usual.legs[-1].arrive_at or plan.home_charges


async def test_a_day_that_no_charger_saves_says_by_how_much(desk: Desk) -> None:
    plan = await electric(desk, 0.3).plan(a_run(3, has_plan=False))
    assert plan.outlook is not None
    assert plan.outlook.short_kwh > 0


async def test_a_charging_stop_is_taken_to_be_made_when_the_stop_behind_it_is_reached(desk: Desk) -> None:
    run = a_run(3)
    assert run.plan is not None
    place = a_place(north_m=700)
    made = PlanCharge(
        charger_id="mill", name="Mill", place=place, arrive_at=at(3), leave_at=at(20), arrive_kwh=2.0, to_kwh=9.0
    )
    legs = (run.plan.legs[0].model_copy(update={"charges": (made,)}), *run.plan.legs[1:])
    run = run.model_copy(update={"plan": run.plan.model_copy(update={"legs": legs})})
    asked = electric(desk, 0.45, a_charger(700))
    assert (await asked.plan(run)).charged == ()
    reached = with_stop(run, "s1", phase=StopPhase.ARRIVED, arrived_at=at(22))
    plan = await asked.plan(reached)
    assert plan.charged == (made,)
    assert plan.outlook is not None
    assert plan.outlook.charge_kwh == pytest.approx(9.0, abs=0.5)


def told(run: Run, share: float, minute: float) -> Run:
    return run.model_copy(update={"charge": ChargeReading(share=share, at=at(minute), place=None)})


async def test_what_the_driver_read_counts_more_than_what_was_computed(desk: Desk) -> None:
    run = told(a_run(3, has_plan=False), 0.4, 0)
    plan = await electric(desk, 1.0).plan(run)
    assert plan.outlook is not None
    assert plan.outlook.charge_kwh == pytest.approx(4.0)


async def test_a_charge_made_after_the_reading_counts_and_one_before_it_does_not(desk: Desk) -> None:
    run = a_run(3)
    assert run.plan is not None
    made = PlanCharge(
        charger_id="mill",
        name="Mill",
        place=a_place(north_m=700),
        arrive_at=at(3),
        leave_at=at(20),
        arrive_kwh=2.0,
        to_kwh=9.0,
    )
    legs = (run.plan.legs[0].model_copy(update={"charges": (made,)}), *run.plan.legs[1:])
    run = run.model_copy(update={"plan": run.plan.model_copy(update={"legs": legs})})
    run = with_stop(run, "s1", phase=StopPhase.ARRIVED, arrived_at=at(22))
    for minute, kwh in ((2, 9.0), (25, 3.0)):
        plan = await electric(desk, 1.0, a_charger(700)).plan(told(run, 0.3, minute))
        assert plan.outlook is not None
        assert plan.outlook.charge_kwh == pytest.approx(kwh, abs=0.5)
