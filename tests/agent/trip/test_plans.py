from collections.abc import Sequence

import pytest

from agent.gps.position import Motion
from agent.learn.known import Known
from agent.trip.decide import decide
from agent.trip.effects import Decision, Recall, Replan
from agent.trip.inputs import (
    ArrivedTapped,
    CommandArrived,
    ConditionsArrived,
    FailedTapped,
    ManifestArrived,
    MinutePassed,
    PlanNotFound,
    PlanSolved,
    SkippedTapped,
)
from agent.trip.plans import MOST_TURNED, pending_effects
from agent.trip.policy import held_first
from agent.trip.run import Plan, Run
from tests.builders import (
    a_closure,
    a_command,
    a_conditions,
    a_manifest,
    a_plan,
    a_run,
    a_stop,
    a_window,
    at,
)
from wire.events import EventKind, FailReason, ReplanReason, TimesSource
from wire.manifest import Stop

TODAY = Known(day=a_manifest().day.toordinal())
ONE_TO_THREE = [a_stop(1), a_stop(2), a_stop(3)]


def asking_run(stops: Sequence[Stop] = ONE_TO_THREE, motion: Motion = Motion.HALTED) -> Run:
    """A run with a plan in force that has asked for another."""
    return decide(a_run(stops, motion=motion), CommandArrived(command=a_command()), at(1)).run


def answer(run: Run, numbers: Sequence[int], version: int | None = None) -> PlanSolved:
    plan = a_plan([a_stop(number) for number in numbers], made_at=at(2), leg_s=90.0)
    return PlanSolved(run_version=run.version if version is None else version, plan=plan)


def plan_of(run: Run) -> Plan:
    assert run.plan is not None
    return run.plan


def test_a_plan_that_was_asked_for_is_taken_and_told() -> None:
    run = asking_run()
    decision = decide(run, answer(run, [1, 2, 3]), at(2))
    assert plan_of(decision.run).legs[0].travel_s == 90
    assert decision.run.replan is None
    assert decision.run.version == run.version
    assert [said.kind for said in decision.outgoing] == [EventKind.PLAN_ACCEPTED]
    body = decision.outgoing[0].body
    assert (body["plan_version"], body["manifest_version"], body["moved_stops"], body["offer"]) == (2, 1, 0, None)
    assert body["stop_ids"] == ["s1", "s2", "s3"]


def test_a_planner_that_shuffles_the_drivers_own_order_is_not_believed() -> None:
    run = asking_run()
    assert decide(run, answer(run, [3, 1, 2]), at(2)) == Decision(run=run.model_copy(update={"replan": None}))


@pytest.mark.parametrize("is_online", [True, False])
def test_a_plan_says_whether_it_was_taken_without_a_link(is_online: bool) -> None:
    run = asking_run().model_copy(update={"is_online": is_online})
    decision = decide(run, answer(run, [1, 2, 3]), at(2))
    assert plan_of(decision.run).was_offline is not is_online
    assert decision.outgoing[0].body["was_offline"] is not is_online


def test_a_stale_plan_is_dropped_and_asked_for_again() -> None:
    run = asking_run()
    late = answer(run, [1, 2, 3])
    run = decide(run, ArrivedTapped(stop_id="s1"), at(2)).run
    decision = decide(run, late, at(2))
    assert plan_of(decision.run) == plan_of(run)
    assert decision.effects == (Replan(run_version=run.version, reason=ReplanReason.COMMAND),)
    assert decision.outgoing == ()


def test_a_plan_that_nobody_asked_for_changes_nothing() -> None:
    run = a_run()
    assert decide(run, answer(run, [1, 2, 3]), at(2)) == Decision(run=run)


@pytest.mark.parametrize("numbers", [[1, 2], [1, 2, 3, 4], [1, 2, 2, 3], []])
def test_a_plan_that_does_not_visit_each_open_stop_once_is_dropped(numbers: list[int]) -> None:
    run = asking_run()
    decision = decide(run, answer(run, numbers), at(2))
    assert decision == Decision(run=run.model_copy(update={"replan": None}))


def test_while_the_van_moves_a_plan_never_changes_the_stop_being_driven_to() -> None:
    run = asking_run(motion=Motion.HALTED).model_copy(update={"motion": Motion.MOVING})
    decision = decide(run, answer(run, [3, 1, 2]), at(2))
    assert plan_of(decision.run) == plan_of(run)
    assert decision.effects == (Replan(run_version=run.version, reason=ReplanReason.COMMAND),)
    taken = decide(decision.run, answer(run, [1, 2, 3]), at(3)).run
    assert plan_of(taken).made_at == at(2)


def test_a_planner_that_insists_on_turning_a_moving_van_is_not_asked_for_ever() -> None:
    run = asking_run(motion=Motion.MOVING)
    answers = 0
    while run.replan is not None:
        run = decide(run, answer(run, [3, 1, 2]), at(2)).run
        answers += 1
    assert answers == MOST_TURNED + 1
    assert plan_of(run).stop_ids == ("s1", "s2", "s3")


def test_the_stop_stood_at_stays_first_and_after_a_failed_one_any_may_come() -> None:
    moving = a_run(motion=Motion.MOVING)
    assert held_first(moving, ReplanReason.LATENESS) == "s1"
    assert held_first(moving, ReplanReason.STOP_FAILED) is None
    assert held_first(a_run(motion=Motion.PARKED), ReplanReason.LATENESS) is None
    assert held_first(a_run(motion=Motion.UNKNOWN), ReplanReason.LATENESS) == "s1"
    standing = decide(a_run(motion=Motion.PARKED), ArrivedTapped(stop_id="s2"), at(1)).run
    assert held_first(standing, ReplanReason.STOP_FAILED) == "s2"


def test_when_no_plan_is_found_the_one_in_force_stays() -> None:
    run = asking_run()
    decision = decide(run, PlanNotFound(run_version=run.version, why="no road"), at(2))
    assert decision == Decision(run=run.model_copy(update={"replan": None}))


def test_a_plan_not_found_for_an_older_run_is_asked_for_again() -> None:
    run = decide(asking_run(), SkippedTapped(stop_id="s2"), at(2)).run
    decision = decide(run, PlanNotFound(run_version=1, why="no road"), at(2))
    assert decision.effects == (Replan(run_version=run.version, reason=ReplanReason.STOP_SKIPPED),)


def test_a_new_stop_without_a_plan_is_still_on_the_list() -> None:
    run = decide(a_run(), ManifestArrived(manifest=a_manifest(4, version=2)), at(1)).run
    run = decide(run, PlanNotFound(run_version=run.version, why="solver died"), at(2)).run
    assert [stop.stop_id for stop in run.open_stops] == ["s1", "s2", "s3", "s4"]


def test_a_stop_without_a_plan_is_asked_for_again_after_a_while() -> None:
    run = decide(a_run(), ManifestArrived(manifest=a_manifest(4, version=2)), at(1)).run
    for minute in (2, 3):
        run = decide(run, PlanNotFound(run_version=run.version, why="solver died"), at(minute)).run
        if minute == 2:
            again = decide(run, MinutePassed(), at(minute))
            assert again.effects == (Replan(run_version=run.version, reason=ReplanReason.MANIFEST),)
            run = again.run
    assert decide(run, MinutePassed(), at(11)).effects == ()
    assert decide(run, MinutePassed(), at(12)).effects != ()


def test_a_wanted_plan_is_asked_for_again_after_a_restart() -> None:
    run = Run.model_validate_json(asking_run().model_copy(update={"known": TODAY}).model_dump_json())
    assert pending_effects(run) == (Replan(run_version=run.version, reason=ReplanReason.COMMAND),)
    assert pending_effects(a_run(known=TODAY)) == ()


def test_what_was_learned_is_read_again_after_a_restart_that_came_before_it() -> None:
    assert pending_effects(a_run()) == (Recall(),)
    assert pending_effects(a_run(known=TODAY.model_copy(update={"day": TODAY.day - 1}))) == (Recall(),)
    assert pending_effects(Run()) == ()


def test_a_day_without_open_stops_wants_no_plan() -> None:
    run = asking_run([a_stop(1)])
    run = decide(run, FailedTapped(stop_id="s1", reason=FailReason.CLOSED), at(2)).run
    assert run.replan is None
    assert pending_effects(run.model_copy(update={"known": TODAY})) == ()


def test_lateness_is_a_reason_when_a_stop_will_be_late_that_was_not() -> None:
    run = a_run([a_stop(1), a_stop(2, windows=(a_window(0, 15),))])  # planned at 2 and 7
    assert decide(run, MinutePassed(), at(9)).effects == ()
    decision = decide(run, MinutePassed(), at(11))  # held up: the first stop is not reached yet
    assert decision.effects == (Replan(run_version=1, reason=ReplanReason.LATENESS),)


def test_a_stop_planned_late_is_a_reason_again_only_when_it_grows_by_five_minutes() -> None:
    run = a_run([a_stop(1, windows=(a_window(-20, 1),))])  # planned at 2, one minute late
    assert decide(run, MinutePassed(), at(6.9)).effects == ()
    assert decide(run, MinutePassed(), at(7.1)).effects != ()


def test_lateness_asks_at_most_every_ten_minutes() -> None:
    run = a_run([a_stop(1), a_stop(2, windows=(a_window(0, 15),))])
    run = decide(run, MinutePassed(), at(11)).run
    run = decide(run, PlanNotFound(run_version=run.version, why="no better"), at(11)).run
    assert decide(run, MinutePassed(), at(20)).effects == ()
    assert decide(run, MinutePassed(), at(21)).effects != ()


def test_lateness_asks_nothing_while_a_plan_is_already_wanted() -> None:
    run = asking_run([a_stop(1), a_stop(2, windows=(a_window(0, 15),))])
    assert decide(run, MinutePassed(), at(11)) == Decision(run=run)


def test_a_closure_that_begins_later_asks_for_a_new_order_when_it_begins() -> None:
    run = a_run(conditions=a_conditions(a_closure(valid_from=at(30), valid_until=at(60))))
    assert decide(run, MinutePassed(), at(1)).effects == ()
    assert decide(run, MinutePassed(), at(30)).effects == (Replan(run_version=1, reason=ReplanReason.ROAD_CLOSED),)


def test_the_newest_reason_is_the_one_a_plan_is_wanted_for() -> None:
    run = decide(asking_run(), ConditionsArrived(conditions=a_conditions(a_closure())), at(2)).run
    assert run.replan is not None
    assert run.replan.reason is ReplanReason.ROAD_CLOSED


def closing_run(motion: Motion = Motion.HALTED) -> Run:
    """A run with a plan in force that has asked for another because a road was closed."""
    conditions = ConditionsArrived(conditions=a_conditions(a_closure()))
    return decide(a_run(ONE_TO_THREE, motion=motion), conditions, at(1)).run


def sketch(run: Run, numbers: Sequence[int] = (1, 2, 3), leg_s: float = 200.0) -> PlanSolved:
    plan = a_plan([a_stop(number) for number in numbers], made_at=at(2), leg_s=leg_s, times=TimesSource.ESTIMATE)
    return PlanSolved(run_version=run.version, plan=plan, is_sketch=True)


def test_a_sketch_is_in_force_at_once_and_the_answer_is_still_waited_for() -> None:
    run = closing_run()
    decision = decide(run, sketch(run), at(2))
    assert plan_of(decision.run).times is TimesSource.ESTIMATE
    assert plan_of(decision.run).legs[0].travel_s == 200
    assert decision.run.replan == run.replan is not None
    assert decision.run.version == run.version
    exact = decide(decision.run, answer(run, [1, 2, 3]), at(3)).run
    assert (plan_of(exact).times, exact.replan) == (TimesSource.ROADS, None)


def test_a_sketch_for_another_run_or_in_another_order_changes_nothing() -> None:
    run = closing_run(Motion.MOVING)
    for bad in (sketch(run, (1, 3, 2)), sketch(run, (1, 2)), sketch(run).model_copy(update={"run_version": 99})):
        assert decide(run, bad, at(2)) == Decision(run=run)
    answered = decide(run, answer(run, [1, 2, 3]), at(3)).run
    assert decide(answered, sketch(run), at(4)) == Decision(run=answered)


def test_a_plan_taken_as_a_sketch_is_not_told_twice() -> None:
    run = closing_run()
    same = answer(run, [1, 2, 3])
    first = decide(run, same.model_copy(update={"is_sketch": True}), at(2))
    assert [said.kind for said in first.outgoing] == [EventKind.PLAN_ACCEPTED]
    second = decide(first.run, same, at(3))
    assert (second.outgoing, second.run.replan) == ((), None)
    assert plan_of(second.run) == plan_of(first.run)
