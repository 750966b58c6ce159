"""What is done at a door beside pictures."""

from typing import Any

import pytest

from agent.gps.position import Motion
from agent.screen.build import Around, cab_view
from agent.trip.decide import decide
from agent.trip.effects import Decision, Trouble
from agent.trip.inputs import (
    AgeAnswered,
    AnyInput,
    ArrivedTapped,
    CashTaken,
    CodeScanned,
    DeliveredTapped,
    DutyTapped,
    EvidenceTaken,
    FailedTapped,
    ManifestArrived,
    NoteWritten,
    ParcelMarked,
    PinTried,
    WayChosen,
)
from agent.trip.run import Run, RunStop, StopPhase
from tests.agent.pod.test_scans import sscc
from tests.builders import a_manifest, a_place, a_position, a_run, a_stop, at, evidence, with_proof
from wire.checks import ParcelState, Waiver, WaiverReason
from wire.events import BODIES, EventKind, FailReason, Outcome
from wire.handover import Cash, Handover, NextStep, Parcel
from wire.manifest import EvidenceKind, EvidenceRule, Stop, StopKind
from wire.pin import MAX_TRIES

PARCELS = Handover(parcels=tuple(Parcel(code=sscc(number)) for number in (1, 2, 3)))
SCANNED = a_stop(1, handover=PARCELS, proof={EvidenceKind.SCAN: EvidenceRule.REQUIRED})


def after(run: Run, *inputs: AnyInput, minute: float = 5) -> Decision:
    decision = Decision(run=run)
    for one in inputs:
        decision = decide(decision.run, one, at(minute))
        for said in decision.outgoing:
            BODIES[said.kind].model_validate(said.body)
    return decision


def s1(decision: Decision) -> RunStop:
    stop = decision.run.find("s1")
    assert stop is not None
    return stop


def body(decision: Decision, kind: EventKind) -> dict[str, Any]:
    return next(said.body for said in decision.outgoing if said.kind is kind)


def scan(number: int, **more: Any) -> CodeScanned:
    return CodeScanned(stop_id="s1", code=f"]C100{sscc(number)}", **more)


def test_every_parcel_scanned_opens_the_door_to_delivered() -> None:
    run = a_run([SCANNED])
    assert after(run, scan(1), scan(2), DeliveredTapped(stop_id="s1")).refusal is not None
    done = after(run, scan(1), scan(2), scan(3), DeliveredTapped(stop_id="s1"))
    items = body(done, EventKind.STOP_COMPLETED)["items"]
    assert [(item["code"], item["state"], item["is_scanned"]) for item in items] == [
        (sscc(number), "delivered", True) for number in (1, 2, 3)
    ]


def test_a_code_read_twice_is_told_once_and_a_wrong_one_is_told_with_its_stop() -> None:
    run = a_run([SCANNED, a_stop(2, handover=Handover(parcels=(Parcel(code=sscc(7)),)))])
    once = after(run, scan(1))
    assert len(once.outgoing) == 1
    assert after(once.run, scan(1)).outgoing == ()
    wrong = body(after(run, scan(7, is_typed=True)), EventKind.PARCEL_SCANNED)
    assert (wrong["verdict"], wrong["belongs_to"], wrong["is_typed"]) == ("not_this_stop", "s2", True)


def test_some_parcels_refused_is_a_partial_delivery() -> None:
    run = a_run([SCANNED])
    refused = ParcelMarked(stop_id="s1", code=sscc(3), state=ParcelState.REFUSED)
    done = after(run, scan(1), scan(2), refused, DeliveredTapped(stop_id="s1"))
    assert s1(done).outcome is Outcome.PARTIAL
    told = body(done, EventKind.STOP_COMPLETED)
    assert told["outcome"] == "partial"
    assert [item["state"] for item in told["items"]] == ["delivered", "delivered", "refused"]


def test_a_stop_of_which_nothing_was_handed_over_is_no_delivery() -> None:
    marks = [ParcelMarked(stop_id="s1", code=sscc(number), state=ParcelState.MISSING) for number in (1, 2, 3)]
    refusal = after(a_run([SCANNED]), *marks, DeliveredTapped(stop_id="s1")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.NOTHING_HANDED_OVER


def test_a_mark_is_taken_back_and_another_stops_parcel_cannot_be_marked() -> None:
    run = a_run([SCANNED])
    marked = after(run, ParcelMarked(stop_id="s1", code=sscc(1), state=ParcelState.DAMAGED))
    assert s1(after(marked.run, ParcelMarked(stop_id="s1", code=sscc(1), state=None))).hand.parcels == ()
    refusal = after(run, ParcelMarked(stop_id="s1", code="X", state=ParcelState.DAMAGED)).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.NOT_ASKED


def test_the_pin_is_tried_five_times_and_then_no_more_not_even_rightly() -> None:
    run = a_run([a_stop(1, handover=Handover(pin_hash="$argon2id$"))])
    wrong = after(run, *[PinTried(stop_id="s1", is_right=False)] * MAX_TRIES)
    assert s1(wrong).hand.pin_tries == MAX_TRIES
    right = after(Run.model_validate_json(wrong.run.model_dump_json()), PinTried(stop_id="s1", is_right=True))
    assert right.refusal is not None
    assert right.refusal.trouble is Trouble.PIN_LOCKED
    in_time = after(run, PinTried(stop_id="s1", is_right=False), PinTried(stop_id="s1", is_right=True))
    assert body(in_time, EventKind.CHECK_DONE) == {
        **body(in_time, EventKind.CHECK_DONE),
        "check": "pin",
        "is_passed": True,
        "tries": 2,
    }
    assert after(in_time.run, DeliveredTapped(stop_id="s1")).refusal is None


def test_who_is_too_young_gets_nothing_and_no_date_is_kept() -> None:
    run = a_run([a_stop(1, handover=Handover(min_age=18))])
    no = after(run, AgeAnswered(stop_id="s1", is_old_enough=False))
    assert after(no.run, DeliveredTapped(stop_id="s1")).refusal is not None
    told = body(no, EventKind.CHECK_DONE)
    assert (told["check"], told["is_passed"], told["min_age"]) == ("age", False, 18)
    yes = after(no.run, AgeAnswered(stop_id="s1", is_old_enough=True), DeliveredTapped(stop_id="s1"))
    assert s1(yes).phase is StopPhase.COMPLETED


def test_money_that_was_taken_is_on_the_closing_also_when_it_is_less() -> None:
    run = a_run([a_stop(1, handover=Handover(cash=Cash(amount_minor=2450, currency="EUR")))])
    assert after(run, DeliveredTapped(stop_id="s1")).refusal is not None
    less = after(run, CashTaken(stop_id="s1", amount_minor=2000))
    assert body(less, EventKind.CHECK_DONE)["is_passed"] is False
    done = after(less.run, DeliveredTapped(stop_id="s1"))
    assert body(done, EventKind.STOP_COMPLETED)["cash"] == {"amount_minor": 2000, "currency": "EUR"}


def test_a_note_goes_with_the_closing() -> None:
    done = after(a_run(1), NoteWritten(stop_id="s1", note=" gate code 12 "), DeliveredTapped(stop_id="s1"))
    assert body(done, EventKind.STOP_COMPLETED)["note"] == "gate code 12"


def test_what_is_warned_about_wants_a_reason_once_and_it_is_recorded() -> None:
    run = a_run([a_stop(1, proof={EvidenceKind.SIGNATURE: EvidenceRule.WARN})])
    refusal = after(run, DeliveredTapped(stop_id="s1")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.REASON_MISSING
    waiver = Waiver(kind=EvidenceKind.SIGNATURE, why=WaiverReason.RECIPIENT_DECLINED)
    done = after(run, DeliveredTapped(stop_id="s1", waivers=(waiver,)))
    assert body(done, EventKind.STOP_COMPLETED)["waivers"] == [{"kind": "signature", "why": "recipient_declined"}]


def test_a_van_far_from_the_address_is_not_taken_where_the_place_is_required() -> None:
    stop = a_stop(1, proof={EvidenceKind.PLACE: EvidenceRule.REQUIRED})
    far = a_run([stop], position=a_position(a_place(north_m=2000), fixed_at=at(5)), motion=Motion.PARKED)
    refusal = after(far, DeliveredTapped(stop_id="s1")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.TOO_FAR
    nowhere = after(a_run([stop]), DeliveredTapped(stop_id="s1")).refusal
    assert nowhere is not None
    assert nowhere.trouble is Trouble.REASON_MISSING
    there = a_run([stop], position=a_position(a_place(north_m=520), fixed_at=at(5)), motion=Motion.PARKED)
    assert after(there, DeliveredTapped(stop_id="s1")).refusal is None


def test_a_neighbour_is_named_before_or_with_the_closing() -> None:
    run = after(a_run(1), EvidenceTaken(stop_id="s1", evidence=evidence(EvidenceKind.PHOTO))).run
    to_neighbour = DeliveredTapped(stop_id="s1", outcome=Outcome.TO_NEIGHBOUR)
    refusal = after(run, to_neighbour).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.NAME_MISSING
    way = WayChosen(stop_id="s1", outcome=Outcome.TO_NEIGHBOUR, name="12 B")
    assert body(after(run, way, to_neighbour), EventKind.STOP_COMPLETED)["received_by"] == "12 B"


def test_a_failure_comes_again_later_today_as_long_as_attempts_are_left() -> None:
    later = Handover(on_failure=NextStep.LATER_TODAY, attempts=2)
    run = a_run([a_stop(1, handover=later), a_stop(2)])
    not_home = FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME)
    first = after(run, ArrivedTapped(stop_id="s1"), NoteWritten(stop_id="s1", note="bell broken"), not_home)
    stop = s1(first)
    assert (stop.phase, stop.is_skipped, stop.hand.attempts, stop.hand.note) == (StopPhase.OPEN, True, 1, "")
    told = body(first, EventKind.STOP_FAILED)
    assert (told["next_step"], told["attempt"], told["note"]) == ("later_today", 1, "bell broken")
    second = after(first.run, not_home, minute=90)
    assert s1(second).phase is StopPhase.FAILED
    assert body(second, EventKind.STOP_FAILED)["next_step"] == "depot"


def test_wrong_pins_of_a_first_attempt_still_count_at_the_second() -> None:
    asks = Handover(on_failure=NextStep.LATER_TODAY, pin_hash="$argon2id$")
    tries = [PinTried(stop_id="s1", is_right=False)] * 3
    again = after(a_run([a_stop(1, handover=asks)]), *tries, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME))
    assert s1(again).hand.pin_tries == 3


def test_a_pickup_that_fails_brings_nothing_to_the_depot() -> None:
    run = a_run([a_stop(1, kind=StopKind.PICKUP)])
    told = body(after(run, FailedTapped(stop_id="s1", reason=FailReason.CLOSED)), EventKind.STOP_FAILED)
    assert told["next_step"] is None


def test_a_closed_stop_takes_no_more_checks() -> None:
    closed = after(a_run([a_stop(1, proof=with_proof())]), DeliveredTapped(stop_id="s1"))
    refusal = after(closed.run, NoteWritten(stop_id="s1", note="late")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.ALREADY_CLOSED


def test_what_was_taken_for_a_first_attempt_proves_nothing_of_the_second() -> None:
    stop = a_stop(1, proof=with_proof(EvidenceKind.PHOTO), handover=Handover(on_failure=NextStep.LATER_TODAY))
    first, second = evidence(EvidenceKind.PHOTO), evidence(EvidenceKind.PHOTO, text="second")
    take = EvidenceTaken(stop_id="s1", evidence=first)
    again = after(a_run([stop]), take, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME)).run
    refusal = after(again, DeliveredTapped(stop_id="s1"), minute=90).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.PROOF_MISSING
    shown = cab_view(again, Around("van-1", 1.0, 1, 0, 0, None), at(90)).stops[0].steps
    assert [(step.kind, step.taken_at) for step in shown] == [(EvidenceKind.PHOTO, None)]
    done = after(again, EvidenceTaken(stop_id="s1", evidence=second), DeliveredTapped(stop_id="s1"), minute=90)
    assert body(done, EventKind.STOP_COMPLETED)["proofs"] == [second.sha256]


def test_a_parcel_ticked_and_not_scanned_does_not_meet_a_scan_that_is_required() -> None:
    marks = [ParcelMarked(stop_id="s1", code=sscc(number), state=ParcelState.DELIVERED) for number in (1, 2, 3)]
    ticked = after(a_run([SCANNED]), *marks)
    refusal = after(ticked.run, DeliveredTapped(stop_id="s1")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.PROOF_MISSING
    missing = ParcelMarked(stop_id="s1", code=sscc(3), state=ParcelState.MISSING)
    assert after(ticked.run, scan(1), scan(2), missing, DeliveredTapped(stop_id="s1")).refusal is None


@pytest.mark.parametrize("state", [ParcelState.DAMAGED, ParcelState.REFUSED])
def test_a_parcel_that_was_kept_back_stays_so_when_it_is_scanned(state: ParcelState) -> None:
    marked = after(a_run([SCANNED]), ParcelMarked(stop_id="s1", code=sscc(3), state=state))
    scanned = after(marked.run, scan(3))
    [parcel] = s1(scanned).hand.parcels
    assert (parcel.state, parcel.is_scanned) == (state, True)
    assert len(scanned.outgoing) == 1
    assert after(scanned.run, scan(3)).outgoing == ()


def test_a_parcel_that_was_missing_and_is_scanned_was_found() -> None:
    missing = ParcelMarked(stop_id="s1", code=sscc(3), state=ParcelState.MISSING)
    [parcel] = s1(after(a_run([SCANNED]), missing, scan(3))).hand.parcels
    assert parcel.state is ParcelState.DELIVERED


def test_a_partial_delivery_says_where_the_rest_went() -> None:
    refused = ParcelMarked(stop_id="s1", code=sscc(3), state=ParcelState.REFUSED)
    photo = EvidenceTaken(stop_id="s1", evidence=evidence(EvidenceKind.PHOTO))
    safe = DeliveredTapped(stop_id="s1", outcome=Outcome.TO_SAFE_PLACE)
    told = body(after(a_run([SCANNED]), scan(1), scan(2), refused, photo, safe), EventKind.STOP_COMPLETED)
    assert (told["outcome"], told["way"]) == ("partial", "delivered_to_safe_place")
    whole = body(after(a_run([SCANNED]), scan(1), scan(2), scan(3), photo, safe), EventKind.STOP_COMPLETED)
    assert (whole["outcome"], whole["way"]) == ("delivered_to_safe_place", None)


def test_a_parcel_that_left_the_list_makes_no_delivery_partial() -> None:
    refused = ParcelMarked(stop_id="s1", code=sscc(3), state=ParcelState.REFUSED)
    run = after(a_run([SCANNED]), scan(1), scan(2), refused).run
    fewer = SCANNED.model_copy(update={"handover": Handover(parcels=PARCELS.parcels[:2])})
    newer = ManifestArrived(manifest=a_manifest([fewer], version=2))
    assert body(after(run, newer, DeliveredTapped(stop_id="s1")), EventKind.STOP_COMPLETED)["outcome"] == (
        "delivered_to_recipient"
    )


@pytest.mark.parametrize("doubt", [{"is_settled": False}, {"error_m": 80.0}], ids=["unsettled", "vague"])
def test_a_position_that_is_not_believed_proves_no_place(doubt: dict[str, Any]) -> None:
    stop = a_stop(1, proof={EvidenceKind.PLACE: EvidenceRule.REQUIRED})
    position = a_position(a_place(north_m=500), fixed_at=at(5), **doubt)
    run = a_run([stop], position=position, motion=Motion.PARKED)
    refusal = after(run, DeliveredTapped(stop_id="s1")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.REASON_MISSING
    waiver = Waiver(kind=EvidenceKind.PLACE, why=WaiverReason.OTHER)
    done = after(run, DeliveredTapped(stop_id="s1", waivers=(waiver,)))
    for kind in (EventKind.STOP_ARRIVED, EventKind.STOP_COMPLETED):
        told = body(done, kind)
        assert (told["lat_deg"], told["lon_deg"], told["distance_m"]) == (None, None, None)


def test_another_pin_in_a_newer_list_is_not_passed_and_has_all_its_tries() -> None:
    def asks(pin_hash: str) -> Stop:
        return a_stop(1, handover=Handover(pin_hash=pin_hash))

    passed = after(a_run([asks("old")]), PinTried(stop_id="s1", is_right=False), PinTried(stop_id="s1", is_right=True))
    same = after(passed.run, ManifestArrived(manifest=a_manifest([asks("old"), a_stop(2)], version=2)))
    assert (s1(same).hand.pin_tries, s1(same).hand.pin_passed_at) == (2, at(5))
    newer = after(passed.run, ManifestArrived(manifest=a_manifest([asks("new")], version=2)))
    assert (s1(newer).hand.pin_tries, s1(newer).hand.pin_passed_at) == (0, None)


def test_a_pause_is_no_way_around_a_place_that_is_required() -> None:
    stop = a_stop(1, proof={EvidenceKind.PLACE: EvidenceRule.REQUIRED})
    paused = after(a_run([stop]), DutyTapped(is_on_duty=False))
    refusal = after(paused.run, DeliveredTapped(stop_id="s1")).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.PAUSED
    on = after(paused.run, DutyTapped(is_on_duty=True), DeliveredTapped(stop_id="s1")).refusal
    assert on is not None
    assert on.trouble is Trouble.REASON_MISSING
