"""What holds for any day, in whatever order things happen."""

from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.gps.position import Motion
from agent.learn.known import Known
from agent.learn.level import Level
from agent.trip.decide import decide
from agent.trip.eta import etas
from agent.trip.inputs import (
    INPUT,
    AcceptTapped,
    AnyInput,
    ArrivedTapped,
    ChargeTold,
    CommandArrived,
    ConditionsArrived,
    DeliveredTapped,
    DutyTapped,
    EvidenceTaken,
    FailedTapped,
    FixJudged,
    KeepTapped,
    LinkChanged,
    ManifestArrived,
    ManifestUnreadable,
    MinutePassed,
    PlanNotFound,
    PlanSolved,
    Recalled,
    RoadBlockedTapped,
    RoadOpenTapped,
    SkippedTapped,
)
from agent.trip.lifecycle import NEXT, StopEvent, next_phase
from agent.trip.replay import replay
from agent.trip.run import Proposal, Run, StopPhase
from tests.builders import (
    MORNING,
    a_closure,
    a_command,
    a_conditions,
    a_manifest,
    a_place,
    a_plan,
    a_position,
    a_stop,
    a_window,
    at,
    evidence,
    with_proof,
)
from wire.events import BODIES, EventKind, FailReason
from wire.manifest import CommandKind, EvidenceKind

NUMBERS = range(1, 6)
CLOSED = (StopPhase.COMPLETED, StopPhase.FAILED)
CLOSING = (EventKind.STOP_COMPLETED, EventKind.STOP_FAILED)
STOPS = {
    number: a_stop(
        number,
        windows=(a_window(0, 20 * number),) if number % 2 else (),
        proof=with_proof(EvidenceKind.SIGNATURE) if number == 3 else {},
    )
    for number in NUMBERS
}

stop_ids = st.sampled_from([f"s{number}" for number in (*NUMBERS, 9)])
some_stops = st.lists(st.sampled_from(list(NUMBERS)), unique=True).map(lambda some: [STOPS[one] for one in some])
versions = st.integers(1, 12)


def a_fix(north_m: float, minute: float) -> FixJudged:
    return FixJudged(position=a_position(a_place(north_m=north_m), fixed_at=at(minute)), motion=Motion.MOVING)


keys = st.sampled_from(
    ["visit/van", "leg/van", "visit/kind/delivery", "leg/hour/weekday-08", "spread/visit", "days/leg"]
)
factors = st.floats(0.01, 30)
knowns: st.SearchStrategy[Known] = st.builds(
    lambda factors, day: Known(
        day=day, levels={key: Level(weight=5, mean=mean, day=day) for key, mean in factors.items()}
    ),
    st.dictionaries(keys, factors, max_size=4),
    st.integers(739_900, 740_000),
)

inputs: st.SearchStrategy[AnyInput] = st.one_of(
    st.builds(ArrivedTapped, stop_id=stop_ids),
    st.builds(DeliveredTapped, stop_id=stop_ids),
    st.builds(FailedTapped, stop_id=stop_ids, reason=st.sampled_from(FailReason)),
    st.builds(SkippedTapped, stop_id=stop_ids),
    st.builds(EvidenceTaken, stop_id=stop_ids, evidence=st.sampled_from(EvidenceKind).map(evidence)),
    st.builds(
        lambda stops, version: ManifestArrived(manifest=a_manifest(stops, version=version)), some_stops, versions
    ),
    st.builds(ManifestUnreadable, version=st.none() | versions, why=st.just("cut short")),
    st.builds(
        lambda version, has: ConditionsArrived(conditions=a_conditions(*[a_closure()] * has, version=version)),
        versions,
        st.integers(0, 1),
    ),
    st.builds(
        lambda number, kind: CommandArrived(command=a_command(kind, command_id=f"c{number}")),
        st.integers(1, 3),
        st.sampled_from(CommandKind),
    ),
    st.builds(
        lambda stops, version: PlanSolved(run_version=version, plan=a_plan(stops)), some_stops, st.integers(0, 30)
    ),
    st.builds(
        lambda own, other, version: PlanSolved(
            run_version=version, plan=a_plan(own), better=Proposal(plan=a_plan(other, moved_stops=("s1",)), worth_s=600)
        ),
        st.just(list(STOPS.values())),
        st.permutations(list(STOPS.values())),
        st.integers(0, 3),
    ),
    st.builds(
        lambda stops, version: PlanSolved(run_version=version, plan=a_plan(stops), is_sketch=True),
        some_stops,
        st.integers(0, 5),
    ),
    st.builds(RoadBlockedTapped, for_min=st.integers(5, 30), line=st.sampled_from([(), ((41.0, -8.0), (41.1, -8.0))])),
    st.just(RoadOpenTapped()),
    st.builds(ChargeTold, share=st.floats(0, 1)),
    st.builds(DutyTapped, is_on_duty=st.booleans()),
    st.builds(AcceptTapped, offer=st.integers(1, 4)),
    st.builds(KeepTapped, offer=st.integers(1, 4)),
    st.builds(PlanNotFound, run_version=st.integers(0, 30), why=st.just("no road")),
    st.builds(LinkChanged, is_online=st.booleans()),
    st.builds(a_fix, st.floats(-2000, 4000), st.floats(0, 240)),
    st.just(FixJudged(position=None)),
    st.just(MinutePassed()),
    st.builds(lambda known: Recalled(known=known), knowns),
)


@st.composite
def days(draw: st.DrawFn) -> list[tuple[datetime, AnyInput]]:
    """Inputs at instants that never go back; some arrive twice."""
    now, day = MORNING, []
    for one in draw(st.lists(inputs, max_size=40)):
        now += timedelta(seconds=draw(st.integers(0, 900)))
        day += [(now, one)] * draw(st.sampled_from([1, 1, 1, 2]))
    return [(MORNING, ManifestArrived(manifest=a_manifest(list(STOPS.values())))), *day]


@given(days())
@settings(deadline=None)
def test_a_day_replayed_is_the_same_day_byte_for_byte(day: list[tuple[datetime, AnyInput]]) -> None:
    stored = [(now, INPUT.validate_json(INPUT.dump_json(one))) for now, one in day]
    run, said = replay(Run(), day)
    run_again, said_again = replay(Run(), stored)
    assert run.model_dump_json() == run_again.model_dump_json()
    assert [one.model_dump_json() for one in said] == [one.model_dump_json() for one in said_again]


@given(days(), st.integers(0, 80))
@settings(deadline=None)
def test_a_day_cut_by_a_restart_is_the_same_day(day: list[tuple[datetime, AnyInput]], cut: int) -> None:
    before, said_before = replay(Run(), day[:cut])
    after, said_after = replay(Run.model_validate_json(before.model_dump_json()), day[cut:])
    run, said = replay(Run(), day)
    assert (after.model_dump_json(), said_before + said_after) == (run.model_dump_json(), said)


@given(days())
@settings(deadline=None)
def test_no_outcome_is_ever_lost_and_each_closed_stop_is_told_once(day: list[tuple[datetime, AnyInput]]) -> None:
    run, closings = Run(), dict.fromkeys([f"s{number}" for number in NUMBERS], 0)
    for now, one in day:
        decision = decide(run, one, now)
        for said in decision.outgoing:
            BODIES[said.kind].model_validate(said.body)
            if said.kind in CLOSING:
                closings[said.body["stop_id"]] += 1
        for stop in run.stops:
            if stop.phase in CLOSED:
                kept = decision.run.find(stop.stop_id)
                assert kept is not None
                assert kept.model_copy(update={"is_listed": stop.is_listed}) == stop
        run = decision.run
    phases = {stop.stop_id: stop.phase for stop in run.stops}
    assert closings == {stop_id: int(phases.get(stop_id) in CLOSED) for stop_id in closings}


@given(days())
@settings(deadline=None)
def test_the_run_stays_in_order_whatever_happens(day: list[tuple[datetime, AnyInput]]) -> None:
    run = Run()
    for now, one in day:
        decision = decide(run, one, now)
        after = decision.run
        assert after.version >= run.version
        if decision.refusal is not None:
            assert (after, decision.outgoing, decision.effects) == (run, (), ())
        assert sum(stop.phase is StopPhase.ARRIVED for stop in after.stops) <= 1
        assert len({stop.stop_id for stop in after.stops}) == len(after.stops)
        for stop in after.stops:
            assert stop.is_listed or not stop.is_open
            assert (stop.closed_at is not None) == (stop.phase in CLOSED)
        if after.plan is not None and after.plan != run.plan:
            assert set(after.plan.stop_ids) == {stop.stop_id for stop in after.open_stops}
        assert after.replan is None or after.open_stops
        for eta in etas(after, now).values():
            assert eta.p10 <= eta.p50 <= eta.p90
        run = after


def test_the_table_closes_a_stop_and_only_its_driver_opens_it_again() -> None:
    for phase in CLOSED:
        may_follow = {event for (before, event) in NEXT if before is phase}
        assert may_follow == {StopEvent.LISTED, StopEvent.UNLISTED, StopEvent.REOPENED, StopEvent.AMENDED}
        for event in may_follow - {StopEvent.REOPENED}:
            assert next_phase(phase, event) is phase


def test_what_the_table_does_not_name_may_not_follow() -> None:
    assert next_phase(StopPhase.CANCELLED, StopEvent.ARRIVED) is None
    assert next_phase(StopPhase.OPEN, StopEvent.ARRIVED) is StopPhase.ARRIVED


def test_every_phase_can_be_reached_and_knows_what_a_new_list_does_to_it() -> None:
    assert set(NEXT.values()) == set(StopPhase)
    for phase in StopPhase:
        assert next_phase(phase, StopEvent.LISTED) is not None
        assert next_phase(phase, StopEvent.UNLISTED) is not None
