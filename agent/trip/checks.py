"""What the driver does at a door before closing it: codes, PIN, age, note, money, to whom. Pure.

Each is kept with the stop it was done at, in the transaction of its tap. What nobody asked for is refused, so that a
tap meant for one stop cannot fill another's form.
"""

from datetime import datetime
from functools import partial

from agent.pod import scans
from agent.trip.effects import Decision, Outgoing, Refusal, Trouble
from agent.trip.elsewhere import whose
from agent.trip.found import after_filling, completed, offered
from agent.trip.hand import Hand, LastScan, ParcelDone
from agent.trip.inputs import (
    AgeAnswered,
    CashTaken,
    CodeScanned,
    HandTap,
    NoteWritten,
    ParcelMarked,
    PinTried,
    WayChosen,
)
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.run import Run, RunStop
from wire.checks import CheckDone, ParcelScanned, ParcelState, ScanVerdict
from wire.codec import to_json
from wire.events import EventKind
from wire.handover import Cash
from wire.manifest import EvidenceKind, EvidenceRule
from wire.model import Message
from wire.pin import MAX_TRIES

DEFAULT_MIN_AGE = 18
"""Where a stop asks for the age and does not say which."""


def handed(run: Run, tap: HandTap, now: datetime) -> Decision:
    """The run after a check at a door, or the refusal with which nothing changes."""
    stop = run.find(tap.stop_id)
    if stop is None:
        return _refused(run, Trouble.UNKNOWN_STOP if run.manifest else Trouble.NO_MANIFEST, tap.stop_id)
    if next_phase(stop.phase, StopEvent.EVIDENCE_TAKEN) is None:
        return _refused(run, Trouble.ALREADY_CLOSED, tap.stop_id)
    match tap:
        case CodeScanned():
            return _scanned(run, stop, tap, now)
        case ParcelMarked():
            return _marked(run, stop, tap, now)
        case PinTried():
            return _pin_tried(run, stop, tap, now)
        case AgeAnswered():
            return _age_answered(run, stop, tap, now)
        case NoteWritten():
            return _noted(run, stop, tap, now)
        case CashTaken():
            return _paid(run, stop, tap, now)
        case WayChosen():
            return _with(run, stop, stop.hand.model_copy(update={"way": tap.outcome, "way_name": tap.name.strip()}))


def min_age_of(stop: RunStop) -> int | None:
    """From which age the goods may be handed over; None where nobody asks."""
    if stop.stop.handover.min_age is not None:
        return stop.stop.handover.min_age
    is_asked = stop.stop.proof.get(EvidenceKind.AGE, EvidenceRule.OFF) is not EvidenceRule.OFF
    return DEFAULT_MIN_AGE if is_asked else None


def _scanned(run: Run, stop: RunStop, tap: CodeScanned, now: datetime) -> Decision:
    filled = completed(run, tap.code, stop.stop_id, now)
    run = filled.run
    stop = run.find(stop.stop_id) or stop
    listed = [other.stop for other in run.stops if other.is_listed]
    gone = [other.stop for other in run.stops if not other.is_listed]
    found = scans.judged(tap.code, stop.stop, listed, gone, partial(whose, run))
    seen = LastScan(code=found.code, verdict=found.verdict, belongs_to=found.belongs_to, at=now, of_van=found.of_van)
    run = offered(run, tap.code, seen, tap.spotted)
    hand = stop.hand.model_copy(update={"last_scan": seen})
    if found.verdict is ScanVerdict.RIGHT:
        before = stop.hand.state_of(found.code)
        is_kept_back = before is not None and before.state in (ParcelState.DAMAGED, ParcelState.REFUSED)
        state = before.state if before is not None and is_kept_back else ParcelState.DELIVERED
        done = ParcelDone(code=found.code, state=state, is_scanned=True)
        if before == done:
            # Read twice: shown again, told once.
            return after_filling(filled, _with(run, stop, hand))
        hand = _set(hand, done, now)
    told = ParcelScanned(
        stop_id=stop.stop_id,
        code=found.code,
        verdict=found.verdict,
        is_typed=tap.is_typed,
        belongs_to=found.belongs_to if found.verdict is not ScanVerdict.RIGHT else None,
    )
    return after_filling(filled, _with(run, stop, hand, _said(EventKind.PARCEL_SCANNED, told)))


def _marked(run: Run, stop: RunStop, tap: ParcelMarked, now: datetime) -> Decision:
    if not any(parcel.code == tap.code for parcel in stop.stop.handover.parcels):
        return _refused(run, Trouble.NOT_ASKED, stop.stop_id)
    if tap.state is None:
        left = tuple(parcel for parcel in stop.hand.parcels if parcel.code != tap.code)
        return _with(run, stop, stop.hand.model_copy(update={"parcels": left}))
    before = stop.hand.state_of(tap.code)
    is_scanned = before is not None and before.is_scanned
    done = ParcelDone(code=tap.code, state=tap.state, is_scanned=is_scanned)
    return _with(run, stop, _set(stop.hand, done, now))


def _pin_tried(run: Run, stop: RunStop, tap: PinTried, now: datetime) -> Decision:
    hand = stop.hand
    if not stop.stop.handover.pin_hash:
        return _refused(run, Trouble.NOT_ASKED, stop.stop_id)
    if hand.pin_passed_at is not None:
        return Decision(run=run)
    if hand.pin_tries >= MAX_TRIES:
        return _refused(run, Trouble.PIN_LOCKED, stop.stop_id)
    tries = hand.pin_tries + 1
    hand = hand.model_copy(update={"pin_tries": tries, "pin_passed_at": now if tap.is_right else None})
    told = CheckDone(stop_id=stop.stop_id, check=EvidenceKind.PIN, is_passed=tap.is_right, tries=tries)
    return _with(run, stop, hand, _said(EventKind.CHECK_DONE, told))


def _age_answered(run: Run, stop: RunStop, tap: AgeAnswered, now: datetime) -> Decision:
    min_age = min_age_of(stop)
    if min_age is None:
        return _refused(run, Trouble.NOT_ASKED, stop.stop_id)
    if stop.hand.is_old_enough is tap.is_old_enough:
        return Decision(run=run)
    hand = stop.hand.model_copy(update={"is_old_enough": tap.is_old_enough, "age_asked_at": now})
    told = CheckDone(stop_id=stop.stop_id, check=EvidenceKind.AGE, is_passed=tap.is_old_enough, min_age=min_age)
    return _with(run, stop, hand, _said(EventKind.CHECK_DONE, told))


def _noted(run: Run, stop: RunStop, tap: NoteWritten, now: datetime) -> Decision:
    note = tap.note.strip()
    if note == stop.hand.note:
        return Decision(run=run)
    hand = stop.hand.model_copy(update={"note": note, "noted_at": now if note else None})
    told = CheckDone(stop_id=stop.stop_id, check=EvidenceKind.NOTE, is_passed=bool(note), note=note)
    return _with(run, stop, hand, _said(EventKind.CHECK_DONE, told))


def _paid(run: Run, stop: RunStop, tap: CashTaken, now: datetime) -> Decision:
    due = stop.stop.handover.cash
    if due is None:
        return _refused(run, Trouble.NOT_ASKED, stop.stop_id)
    if tap.amount_minor == stop.hand.cash_minor:
        return Decision(run=run)
    hand = stop.hand.model_copy(update={"cash_minor": tap.amount_minor, "cash_taken_at": now})
    told = CheckDone(
        stop_id=stop.stop_id,
        check=EvidenceKind.CASH,
        is_passed=tap.amount_minor >= due.amount_minor,
        cash=Cash(amount_minor=tap.amount_minor, currency=due.currency),
    )
    return _with(run, stop, hand, _said(EventKind.CHECK_DONE, told))


def _set(hand: Hand, done: ParcelDone, now: datetime) -> Hand:
    others = tuple(parcel for parcel in hand.parcels if parcel.code != done.code)
    return hand.model_copy(update={"parcels": (*others, done), "parcels_at": now})


def _with(run: Run, stop: RunStop, hand: Hand, *told: Outgoing) -> Decision:
    after = stop.model_copy(update={"hand": hand, "before": None})
    stops = tuple(after if other.stop_id == stop.stop_id else other for other in run.stops)
    return Decision(run=run.model_copy(update={"stops": stops}), outgoing=told)


def _refused(run: Run, trouble: Trouble, stop_id: str) -> Decision:
    return Decision(run=run, refusal=Refusal(trouble=trouble, stop_id=stop_id))


def _said(kind: EventKind, body: Message) -> Outgoing:
    return Outgoing(kind=kind, body=to_json(body))
