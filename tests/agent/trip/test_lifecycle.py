"""The one table of a stop's life, and what of it is stored."""

from agent.gps.position import Motion
from agent.trip.lifecycle import NEXT, PHASES, TABLE, StopEvent, StopState, state_of
from agent.trip.run import Run, RunStop, StopPhase
from tests.builders import a_run, a_stop, at

CLOSED = (StopState.SERVED, StopState.FAILED, StopState.AMENDED)


def test_every_state_can_be_reached_from_the_first() -> None:
    reached = {StopState.PENDING}
    while more := {after for (before, _), after in TABLE.items() if before in reached} - reached:
        reached |= more
    assert reached == set(StopState)


def test_states_that_are_stored_alike_allow_the_same_taps() -> None:
    """The run stores a phase, so whatever a driver can do in one state must be possible in those stored like it."""
    noticed = {StopEvent.TURN_CAME, StopEvent.PASSED_OVER, StopEvent.SET_OFF, StopEvent.PARKED, StopEvent.MOVED}
    for phase in StopPhase:
        alike = [state for state in StopState if PHASES[state][0] is phase and state is not StopState.AMENDED]
        taps = [{event for (before, event) in TABLE if before is state} - noticed for state in alike]
        assert all(one == taps[0] for one in taps)


def test_no_two_ways_lead_from_one_phase_to_different_ones() -> None:
    for (state, event), after in TABLE.items():
        for phase in PHASES[state]:
            assert NEXT[phase, event] in PHASES[after]


def test_what_is_closed_is_opened_again_only_by_taking_it_back() -> None:
    for (before, event), after in TABLE.items():
        if before in CLOSED and after not in CLOSED:
            assert event is StopEvent.REOPENED


def test_a_corrected_stop_is_never_open_again() -> None:
    assert {after for (before, _), after in TABLE.items() if before is StopState.AMENDED} == {StopState.AMENDED}


def of(run: Run, stop_id: str = "s1") -> StopState:
    stop = run.find(stop_id)
    assert stop is not None
    return state_of(stop, run)


def with_s1(**changes: object) -> Run:
    run = a_run(2)
    return run.model_copy(update={"stops": (run.stops[0].model_copy(update=changes), run.stops[1])})


def test_the_state_follows_from_the_phase_and_from_what_the_van_does() -> None:
    assert of(a_run(2)) is StopState.NEXT
    assert of(a_run(2), "s2") is StopState.PENDING
    assert of(a_run(2, motion=Motion.MOVING)) is StopState.TRAVELLING
    assert of(a_run(2, motion=Motion.HALTED)) is StopState.TRAVELLING
    assert of(with_s1(phase=StopPhase.ARRIVED)) is StopState.ARRIVED
    parked = with_s1(phase=StopPhase.ARRIVED).model_copy(update={"motion": Motion.PARKED})
    assert of(parked) is StopState.PARKED
    assert of(with_s1(phase=StopPhase.COMPLETED)) is StopState.SERVED
    amended = a_run(1).stops[0].hand.model_copy(update={"amended_at": at(9)})
    assert of(with_s1(phase=StopPhase.FAILED, hand=amended)) is StopState.AMENDED
    run = a_run([a_stop(1), a_stop(2), a_stop(3)])
    skipped = run.stops[1].model_copy(update={"is_skipped": True})
    assert state_of(skipped, run) is StopState.SKIPPED


def test_a_run_stored_by_an_earlier_version_is_read() -> None:
    stored = a_run(2).model_dump(mode="json", exclude={"load": True, "stops": {"__all__": {"hand", "before"}}})
    run = Run.model_validate(stored)
    assert run.stops[0] == RunStop(stop=run.stops[0].stop)
