from datetime import timedelta

from agent.trip.decide import decide
from agent.trip.effects import Decision, Replan, SendLive, Trouble
from agent.trip.inputs import ConditionsArrived, MinutePassed, PlanSolved, RoadBlockedTapped, RoadOpenTapped
from agent.trip.run import Run
from tests.builders import a_closure, a_conditions, a_plan, a_run, at
from wire.codec import to_json
from wire.events import EventKind, ReplanReason, RoadBlocked

LINE = ((41.15, -8.61), (41.151, -8.61))


def blocked(run: Run, minute: float = 5, for_min: int = 60) -> Decision:
    return decide(run, RoadBlockedTapped(for_min=for_min, line=LINE), at(minute))


def test_a_road_that_the_driver_finds_blocked_is_closed_at_once_and_told_with_its_time() -> None:
    decision = blocked(a_run())
    (closure,) = decision.run.closures
    assert (closure.line, closure.valid_from, closure.valid_until) == (LINE, at(5), at(65))
    assert [(said.kind, said.body) for said in decision.outgoing] == [
        (EventKind.ROAD_BLOCKED, to_json(RoadBlocked(closure=closure)))
    ]
    assert [effect.reason for effect in decision.effects if isinstance(effect, Replan)] == [ReplanReason.ROAD_CLOSED]
    assert SendLive() in decision.effects
    assert decision.run.blocked_until(at(6)) == at(65)


def test_without_a_known_way_nothing_is_closed_and_the_driver_hears_why() -> None:
    decision = decide(a_run(), RoadBlockedTapped(for_min=60, line=()), at(5))
    assert decision.refusal is not None
    assert decision.refusal.trouble is Trouble.NO_WAY
    assert decision.run == a_run()


def test_what_dispatch_closes_leaves_what_the_driver_closed() -> None:
    run = blocked(a_run()).run
    for version, closures in ((1, (a_closure(),)), (2, ())):
        run = decide(run, ConditionsArrived(conditions=a_conditions(*closures, version=version)), at(6)).run
        assert len(run.closures) == 1 + len(closures)


def test_opened_again_it_is_told_once_and_another_order_is_looked_for() -> None:
    run = blocked(blocked(a_run()).run, minute=6).run
    ids = tuple(closure.closure_id for closure in run.blocked)
    assert len(set(ids)) == 2
    decision = decide(run, RoadOpenTapped(), at(10))
    assert decision.run.closures == ()
    assert [said.body for said in decision.outgoing] == [{"closure_ids": list(ids)}]
    assert any(isinstance(effect, Replan) for effect in decision.effects)
    assert decide(decision.run, RoadOpenTapped(), at(11)) == Decision(run=decision.run)


def test_when_its_time_is_over_the_van_looks_again_and_says_nothing() -> None:
    run = blocked(a_run(), for_min=10).run
    plan = a_plan([stop.stop for stop in run.open_stops], made_at=at(5) + timedelta(seconds=1))
    run = decide(run, PlanSolved(run_version=run.version, plan=plan), at(6)).run
    assert decide(run, MinutePassed(), at(14)).effects == ()
    later = decide(run, MinutePassed(), at(15))
    assert [effect.reason for effect in later.effects if isinstance(effect, Replan)] == [ReplanReason.ROAD_CLOSED]
    assert later.run.blocked_until(at(15)) is None
    assert decide(run, RoadOpenTapped(), at(20)).outgoing == ()
