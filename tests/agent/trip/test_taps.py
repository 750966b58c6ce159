import pytest

from agent.gps.position import Motion
from agent.trip.decide import decide
from agent.trip.effects import Decision, Replan, Trouble
from agent.trip.inputs import (
    ArrivedTapped,
    DeliveredTapped,
    EvidenceTaken,
    FailedTapped,
    ManifestArrived,
    SkippedTapped,
    Tap,
)
from agent.trip.run import Run, StopPhase
from tests.builders import a_manifest, a_place, a_position, a_run, a_stop, at, evidence, with_proof
from wire.codec import to_json
from wire.events import BODIES, EventKind, FailReason, FixQuality, Outcome, ReplanReason
from wire.manifest import EvidenceKind, EvidenceRule

SIGNATURE, PHOTO = EvidenceKind.SIGNATURE, EvidenceKind.PHOTO


def tap(run: Run, *taps: Tap, minute: float = 5) -> Decision:
    decision = Decision(run=run)
    for one in taps:
        decision = decide(decision.run, one, at(minute))
    return decision


def kinds(decision: Decision) -> list[EventKind]:
    return [said.kind for said in decision.outgoing]


def reasons(decision: Decision) -> list[ReplanReason]:
    return [effect.reason for effect in decision.effects if isinstance(effect, Replan)]


def phase_of(run: Run, stop_id: str) -> StopPhase:
    stop = run.find(stop_id)
    assert stop is not None
    return stop.phase


def test_an_arrival_at_the_next_stop_is_told_and_asks_for_no_new_plan() -> None:
    decision = tap(a_run(), ArrivedTapped(stop_id="s1"))
    assert phase_of(decision.run, "s1") is StopPhase.ARRIVED
    assert kinds(decision) == [EventKind.STOP_ARRIVED]
    assert decision.effects == ()
    assert decision.run.version == 2


def test_an_arrival_tapped_twice_is_told_once() -> None:
    once = tap(a_run(), ArrivedTapped(stop_id="s1"))
    twice = tap(once.run, ArrivedTapped(stop_id="s1"), minute=6)
    assert twice == Decision(run=once.run)


def test_an_arrival_at_another_stop_is_a_fact_and_the_rest_is_planned_anew() -> None:
    decision = tap(a_run(), ArrivedTapped(stop_id="s3"))
    assert kinds(decision) == [EventKind.STOP_ARRIVED]
    assert reasons(decision) == [ReplanReason.OUT_OF_ORDER]
    assert decision.run.next_stop is not None
    assert decision.run.next_stop.stop_id == "s3"


def test_a_van_that_arrives_elsewhere_has_left_the_stop_it_stood_at() -> None:
    decision = tap(a_run(), ArrivedTapped(stop_id="s1"), ArrivedTapped(stop_id="s2"))
    assert phase_of(decision.run, "s1") is StopPhase.OPEN
    assert phase_of(decision.run, "s2") is StopPhase.ARRIVED


def test_a_delivery_closes_the_stop_with_its_proofs() -> None:
    signature, photo = evidence(SIGNATURE), evidence(PHOTO)
    run = a_run([a_stop(1, proof=with_proof(SIGNATURE, PHOTO)), a_stop(2)])
    decision = tap(
        run,
        ArrivedTapped(stop_id="s1"),
        EvidenceTaken(stop_id="s1", evidence=signature),
        EvidenceTaken(stop_id="s1", evidence=photo),
        DeliveredTapped(stop_id="s1", outcome=Outcome.TO_NEIGHBOUR, received_by="Rui"),
    )
    closed = decision.run.find("s1")
    assert closed is not None
    assert (closed.phase, closed.outcome, closed.closed_at) == (StopPhase.COMPLETED, Outcome.TO_NEIGHBOUR, at(5))
    assert kinds(decision) == [EventKind.STOP_COMPLETED]
    body = decision.outgoing[0].body
    assert body["proofs"] == [signature.sha256, photo.sha256]
    assert (body["received_by"], body["lat_deg"]) == ("Rui", None)


def test_a_delivery_without_its_required_proof_is_refused_and_changes_nothing() -> None:
    run = a_run([a_stop(1, proof=with_proof(SIGNATURE)), a_stop(2)])
    decision = tap(run, DeliveredTapped(stop_id="s1"))
    assert decision.refusal is not None
    assert decision.refusal.trouble is Trouble.PROOF_MISSING
    assert (decision.run, decision.outgoing, decision.effects) == (run, (), ())


def test_optional_proof_does_not_hold_a_delivery_up() -> None:
    run = a_run([a_stop(1, proof={PHOTO: EvidenceRule.OPTIONAL, SIGNATURE: EvidenceRule.OFF})])
    assert tap(run, DeliveredTapped(stop_id="s1")).refusal is None


def test_a_delivery_without_an_arrival_counts_as_arrived_at_the_same_time() -> None:
    decision = tap(a_run(), DeliveredTapped(stop_id="s1"))
    stop = decision.run.find("s1")
    assert stop is not None
    assert stop.arrived_at == stop.closed_at == at(5)
    assert kinds(decision) == [EventKind.STOP_ARRIVED, EventKind.STOP_COMPLETED]
    assert reasons(decision) == []


def test_a_delivery_out_of_order_plans_the_rest_anew() -> None:
    assert reasons(tap(a_run(), DeliveredTapped(stop_id="s2"))) == [ReplanReason.OUT_OF_ORDER]


def test_the_place_of_a_delivery_is_told_when_the_position_is_fresh() -> None:
    run = a_run(position=a_position(a_place(north_m=480), fixed_at=at(5)))
    body = tap(run, DeliveredTapped(stop_id="s1")).outgoing[-1].body
    assert body["distance_m"] == pytest.approx(20, abs=0.1)


@pytest.mark.parametrize(
    "position",
    [
        a_position(fixed_at=at(5), quality=FixQuality.STALE),
        a_position(fixed_at=at(3.9)),
        a_position(fixed_at=at(6.1)),
        None,
    ],
    ids=["stale", "old", "from the future", "none"],
)
def test_a_position_that_is_not_fresh_says_nothing_about_a_delivery(position: object) -> None:
    body = tap(a_run(position=position), DeliveredTapped(stop_id="s1")).outgoing[-1].body
    assert (body["lat_deg"], body["lon_deg"], body["distance_m"]) == (None, None, None)


def test_a_failed_stop_is_told_with_its_reason_and_the_rest_is_planned_anew() -> None:
    decision = tap(a_run(), FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME, note="bell broken"))
    assert kinds(decision) == [EventKind.STOP_FAILED]
    said = decision.outgoing[0].body
    assert (said["stop_id"], said["reason"], said["note"]) == ("s1", "not_home", "bell broken")
    assert (said["next_step"], said["attempt"]) == ("depot", 1)
    assert reasons(decision) == [ReplanReason.STOP_FAILED]
    assert [stop.stop_id for stop in decision.run.open_stops] == ["s2", "s3"]


def test_the_last_stop_of_the_day_asks_for_no_plan_even_when_it_fails() -> None:
    decision = tap(a_run(1), FailedTapped(stop_id="s1", reason=FailReason.CLOSED))
    assert reasons(decision) == []
    assert decision.run.replan is None


def test_a_skipped_stop_stays_open_and_is_marked() -> None:
    decision = tap(a_run(), ArrivedTapped(stop_id="s1"), SkippedTapped(stop_id="s1"))
    stop = decision.run.find("s1")
    assert stop is not None
    assert (stop.phase, stop.is_skipped, stop.arrived_at) == (StopPhase.OPEN, True, None)
    assert kinds(decision) == [EventKind.STOP_SKIPPED]
    assert reasons(decision) == [ReplanReason.STOP_SKIPPED]


def test_a_skipped_stop_that_is_arrived_at_is_not_put_off_any_more() -> None:
    run = tap(a_run(), SkippedTapped(stop_id="s1"), ArrivedTapped(stop_id="s1")).run
    stop = run.find("s1")
    assert stop is not None
    assert not stop.is_skipped


def test_evidence_is_told_once_and_does_not_make_the_plan_stale() -> None:
    taken = EvidenceTaken(stop_id="s1", evidence=evidence(PHOTO))
    first = tap(a_run(), taken)
    assert kinds(first) == [EventKind.PROOF_CAPTURED]
    assert first.run.version == 1
    assert kinds(tap(first.run, taken)) == []


@pytest.mark.parametrize(
    "late",
    [
        ArrivedTapped(stop_id="s1"),
        DeliveredTapped(stop_id="s1"),
        FailedTapped(stop_id="s1", reason=FailReason.REFUSED),
        SkippedTapped(stop_id="s1"),
        EvidenceTaken(stop_id="s1", evidence=evidence()),
    ],
    ids=lambda one: one.kind,
)
def test_a_closed_stop_stays_as_it_was_closed(late: Tap) -> None:
    run = tap(a_run(), DeliveredTapped(stop_id="s1")).run
    decision = tap(run, late, minute=9)
    assert decision.refusal is not None
    assert decision.refusal.trouble is Trouble.ALREADY_CLOSED
    assert decision.run == run


def test_a_cancelled_stop_that_was_delivered_is_delivered() -> None:
    run = decide(a_run(), ManifestArrived(manifest=a_manifest([a_stop(2), a_stop(3)], version=2)), at(1)).run
    assert phase_of(run, "s1") is StopPhase.CANCELLED
    decision = tap(run, DeliveredTapped(stop_id="s1"))
    stop = decision.run.find("s1")
    assert stop is not None
    assert (stop.phase, stop.is_listed) == (StopPhase.COMPLETED, False)
    assert kinds(decision) == [EventKind.STOP_ARRIVED, EventKind.STOP_COMPLETED]


def test_a_tap_for_an_unknown_stop_or_before_any_list_is_refused_with_its_own_reason() -> None:
    unknown, early = tap(a_run(), ArrivedTapped(stop_id="s9")), tap(Run(), ArrivedTapped(stop_id="s1"))
    assert unknown.refusal is not None
    assert early.refusal is not None
    assert (unknown.refusal.trouble, early.refusal.trouble) == (Trouble.UNKNOWN_STOP, Trouble.NO_MANIFEST)


def test_what_a_tap_says_is_a_body_of_the_wire() -> None:
    run = a_run(position=a_position(fixed_at=at(5)), motion=Motion.HALTED)
    said = [
        *tap(run, EvidenceTaken(stop_id="s1", evidence=evidence())).outgoing,
        *tap(run, DeliveredTapped(stop_id="s1")).outgoing,
        *tap(run, FailedTapped(stop_id="s1", reason=FailReason.UNSAFE)).outgoing,
        *tap(run, SkippedTapped(stop_id="s1")).outgoing,
    ]
    for one in said:
        assert to_json(BODIES[one.kind].model_validate(one.body)) == one.body
