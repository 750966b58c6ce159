"""Taking a closing back within seconds, and correcting one later."""

from datetime import timedelta

import pytest

from agent.trip.afterwards import UNDO_FOR
from agent.trip.decide import decide
from agent.trip.effects import Trouble
from agent.trip.inputs import (
    AmendTapped,
    AnyInput,
    ArrivedTapped,
    DeliveredTapped,
    EvidenceTaken,
    FailedTapped,
    ManifestArrived,
    NoteWritten,
    PinTried,
    SkippedTapped,
    UndoTapped,
)
from agent.trip.run import Run, RunStop, StopPhase
from tests.builders import a_manifest, a_run, a_stop, at, evidence, with_proof
from wire.events import EventKind, FailReason, Outcome
from wire.handover import Handover
from wire.manifest import EvidenceKind

DELIVERED = DeliveredTapped(stop_id="s1")
CLOSINGS = [DELIVERED, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME), SkippedTapped(stop_id="s1")]


def s1(run: Run) -> RunStop:
    stop = run.find("s1")
    assert stop is not None
    return stop


def lived(run: Run, *inputs: AnyInput, minute: float = 5) -> Run:
    for one in inputs:
        decision = decide(run, one, at(minute))
        assert decision.refusal is None
        run = decision.run
    return run


@pytest.mark.parametrize("closing", CLOSINGS, ids=lambda one: one.kind)
def test_every_closing_can_be_taken_back_and_the_stop_is_as_it_was(closing: AnyInput) -> None:
    before = lived(a_run(2), ArrivedTapped(stop_id="s1"), NoteWritten(stop_id="s1", note="gate"))
    closed = decide(before, closing, at(6)).run
    undone = decide(closed, UndoTapped(stop_id="s1"), at(6) + timedelta(seconds=9))
    assert undone.refusal is None
    assert [said.kind for said in undone.outgoing] == [EventKind.STOP_REOPENED]
    assert s1(undone.run) == s1(before)
    assert undone.run.next_stop == s1(undone.run)
    assert decide(undone.run, DELIVERED, at(8)).refusal is None


def test_after_the_seconds_are_over_it_is_too_late() -> None:
    closed = decide(a_run(2), DELIVERED, at(6)).run
    late = decide(closed, UndoTapped(stop_id="s1"), at(6) + UNDO_FOR + timedelta(milliseconds=1))
    assert late.refusal is not None
    assert late.refusal.trouble is Trouble.TOO_LATE
    assert late.run == closed


def test_a_closing_is_taken_back_once_and_an_open_stop_not_at_all() -> None:
    closed = decide(a_run(2), DELIVERED, at(6)).run
    open_again = decide(closed, UndoTapped(stop_id="s1"), at(6)).run
    again = decide(open_again, UndoTapped(stop_id="s1"), at(6))
    assert again.refusal is not None
    assert again.refusal.trouble is Trouble.NOT_CLOSED


def test_a_stop_taken_off_the_list_meanwhile_is_cancelled_when_it_is_taken_back() -> None:
    closed = decide(a_run(2), DELIVERED, at(6)).run
    listed = decide(closed, ManifestArrived(manifest=a_manifest([a_stop(2)], version=2)), at(6)).run
    undone = decide(listed, UndoTapped(stop_id="s1"), at(6)).run
    assert s1(undone).phase is StopPhase.CANCELLED


def test_a_van_that_is_at_another_door_by_then_leaves_the_stop_open() -> None:
    run = lived(a_run(2), ArrivedTapped(stop_id="s1"), DELIVERED, ArrivedTapped(stop_id="s2"))
    undone = decide(run, UndoTapped(stop_id="s1"), at(5)).run
    assert s1(undone).phase is StopPhase.OPEN
    assert undone.next_stop is not None
    assert undone.next_stop.stop_id == "s2"


def test_a_correction_changes_the_outcome_and_not_the_time() -> None:
    closed = lived(a_run(2), DELIVERED)
    amended = decide(
        closed,
        AmendTapped(stop_id="s1", outcome=Outcome.TO_NEIGHBOUR, received_by="12 B", note="gave it to no. 12"),
        at(60),
    )
    stop = s1(amended.run)
    assert (stop.outcome, stop.received_by, stop.note) == (Outcome.TO_NEIGHBOUR, "12 B", "gave it to no. 12")
    assert stop.closed_at == at(5)
    assert [said.kind for said in amended.outgoing] == [EventKind.STOP_AMENDED]


def test_what_was_delivered_can_be_corrected_to_not_delivered_and_back() -> None:
    closed = lived(a_run(2), DELIVERED, AmendTapped(stop_id="s1", reason=FailReason.REFUSED))
    assert (s1(closed).phase, s1(closed).outcome, s1(closed).reason) == (StopPhase.FAILED, None, FailReason.REFUSED)
    back = lived(closed, AmendTapped(stop_id="s1", outcome=Outcome.TO_RECIPIENT))
    assert (s1(back).phase, s1(back).reason) == (StopPhase.COMPLETED, None)


def test_a_corrected_stop_is_not_taken_back_and_an_open_one_not_corrected() -> None:
    closed = lived(a_run(2), DELIVERED, AmendTapped(stop_id="s1", note="blue door"))
    assert decide(closed, UndoTapped(stop_id="s1"), at(5)).refusal is not None
    refusal = decide(a_run(2), AmendTapped(stop_id="s1", note="blue door"), at(5)).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.NOT_CLOSED


ASKS_PIN = a_stop(1, handover=Handover(pin_hash="$argon2id$"))


def test_tries_of_the_pin_are_not_given_back_with_a_closing() -> None:
    wrong = PinTried(stop_id="s1", is_right=False)
    put_off = lived(a_run([ASKS_PIN]), wrong, SkippedTapped(stop_id="s1"))
    tried = lived(put_off, wrong, wrong, wrong)
    assert s1(decide(tried, UndoTapped(stop_id="s1"), at(5)).run).hand.pin_tries == 4
    # Also where a closing could still be taken back.
    kept = s1(put_off).before
    again = tried.model_copy(update={"stops": (s1(tried).model_copy(update={"before": kept}),)})
    assert s1(decide(again, UndoTapped(stop_id="s1"), at(5)).run).hand.pin_tries == 4


DONE_SINCE: list[AnyInput] = [
    ArrivedTapped(stop_id="s1"),
    NoteWritten(stop_id="s1", note="gate"),
    EvidenceTaken(stop_id="s1", evidence=evidence()),
]


@pytest.mark.parametrize("done", DONE_SINCE, ids=lambda one: one.kind)
def test_a_stop_at_which_something_was_done_since_is_not_taken_back(done: AnyInput) -> None:
    run = lived(a_run(2), SkippedTapped(stop_id="s1"), done)
    undone = decide(run, UndoTapped(stop_id="s1"), at(5))
    assert undone.refusal is not None
    assert undone.run == run


def test_a_stop_that_the_van_has_driven_off_from_is_open_and_not_arrived_at_when_it_is_taken_back() -> None:
    run = lived(a_run(2), ArrivedTapped(stop_id="s1"), DELIVERED)
    gone = s1(run).model_copy(update={"departed_at": at(5)})
    away = run.model_copy(update={"stops": (gone, *run.stops[1:])})
    undone = s1(lived(away, UndoTapped(stop_id="s1")))
    assert (undone.phase, undone.arrived_at) == (StopPhase.OPEN, None)


def test_a_cancelled_stop_that_was_delivered_and_listed_again_is_open_when_it_is_taken_back() -> None:
    without, again = a_manifest([a_stop(2)], version=2), a_manifest(2, version=3)
    delivered = lived(a_run(2), ManifestArrived(manifest=without), DELIVERED, ManifestArrived(manifest=again))
    undone = lived(delivered, UndoTapped(stop_id="s1"))
    assert (s1(undone).phase, s1(undone).is_listed) == (StopPhase.OPEN, True)


def test_what_failed_is_not_corrected_to_delivered_without_the_proof_of_a_delivery() -> None:
    stop = a_stop(1, proof=with_proof(EvidenceKind.PHOTO))
    failed = FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME)
    amended = AmendTapped(stop_id="s1", outcome=Outcome.TO_RECIPIENT)
    run = lived(a_run([stop]), failed)
    refused = decide(run, amended, at(6))
    assert refused.refusal is not None
    assert refused.refusal.trouble is Trouble.PROOF_MISSING
    assert (refused.run, refused.outgoing) == (run, ())
    taken = EvidenceTaken(stop_id="s1", evidence=evidence(EvidenceKind.PHOTO))
    assert s1(lived(a_run([stop]), taken, failed, amended)).phase is StopPhase.COMPLETED
