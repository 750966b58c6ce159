"""From a stop of the run to what the page shows at its door: the steps, what is missing, what was done. Pure."""

from datetime import datetime

from agent.pod.rules import PlaceVerdict, rules_of
from agent.screen.view import (
    BackView,
    DropView,
    HandView,
    LabelStopView,
    LabelView,
    LoadView,
    ParcelView,
    ScanView,
    StepView,
)
from agent.trip.afterwards import UNDO_SHOWN, can_undo
from agent.trip.checks import min_age_of
from agent.trip.custody import codes_back, codes_expected, parcels_back, parcels_expected, to_bring_back, to_drop
from agent.trip.hand import LastScan
from agent.trip.lifecycle import state_of
from agent.trip.progress import door_distance_m
from agent.trip.proving import (
    is_nothing_handed_over,
    judged_now,
    place_of,
    step_after_failure,
    taken,
    way_of,
)
from agent.trip.run import Run, RunStop
from wire.events import Outcome
from wire.manifest import EvidenceKind, EvidenceRule
from wire.pin import MAX_TRIES

SHOWN_MISSING = 6
NOTHING_DONE = HandView(
    parcels=(),
    last_scan=None,
    pin_tries_left=MAX_TRIES,
    min_age=None,
    is_old_enough=None,
    note="",
    cash_due=None,
    cash_taken_minor=None,
    way=Outcome.TO_RECIPIENT,
    way_name="",
    place=PlaceVerdict.UNKNOWN,
    distance_m=None,
    missing=(),
    warned=(),
    wants_name=False,
    nothing_handed_over=False,
    next_step=None,
    pickup_point="",
    attempts=0,
    undo_until=None,
)


def at_the_door(run: Run, stop: RunStop, now: datetime) -> dict[str, object]:
    """The fields of a `StopView` that say what its door asks for."""
    found = judged_now(run, stop, way_of(stop), stop.received_by, now)
    is_nothing = is_nothing_handed_over(stop)
    hand, handover = stop.hand, stop.stop.handover
    view = HandView(
        parcels=tuple(
            ParcelView(
                code=parcel.code,
                what=parcel.what,
                state=done.state if (done := hand.state_of(parcel.code)) else None,
                is_scanned=done is not None and done.is_scanned,
            )
            for parcel in handover.parcels
        ),
        last_scan=_scan_view(hand.last_scan),
        pin_tries_left=max(0, MAX_TRIES - hand.pin_tries),
        min_age=min_age_of(stop),
        is_old_enough=hand.is_old_enough,
        note=stop.note or hand.note,
        cash_due=handover.cash,
        cash_taken_minor=hand.cash_minor,
        way=way_of(stop),
        way_name=hand.way_name,
        place=place_of(run, stop, now),
        distance_m=door_distance_m(stop.stop, run, now),
        missing=found.missing,
        warned=found.warned,
        wants_name=found.wants_name,
        nothing_handed_over=is_nothing,
        next_step=step_after_failure(stop),
        pickup_point=handover.pickup_point,
        attempts=hand.attempts,
        undo_until=stop.before.at + UNDO_SHOWN if stop.before is not None and can_undo(stop, now) else None,
    )
    return {
        "steps": _steps(run, stop, now),
        "hand": view,
        "state": state_of(stop, run),
        "is_ready_to_close": not (found.missing or found.wants_name or is_nothing),
    }


def load_view(run: Run) -> LoadView:
    """What should be aboard, what was found, and what must come back."""
    codes = set(codes_expected(run))
    parcels = {parcel.code: parcel for stop in run.stops for parcel in stop.stop.handover.parcels}
    scanned = [code for code in run.load.scanned if code in codes]
    missing = [code for code in codes_expected(run) if code not in run.load.scanned]
    return LoadView(
        expected=parcels_expected(run),
        codes=len(codes),
        scanned=len(scanned),
        missing=tuple(
            ParcelView(code=code, what=parcels[code].what, state=None, is_scanned=False)
            for code in missing[:SHOWN_MISSING]
        ),
        unlisted=run.load.unlisted,
        counted=run.load.counted,
        last_scan=_scan_view(run.load.last_scan),
        checked_at=run.load.checked_at,
        back=tuple(BackView(stop_id=stop.stop_id, parcels=parcels_back(stop)) for stop in to_bring_back(run)),
        back_codes=len(codes_back(run)),
        back_scanned=len(run.load.back_scanned),
        drops=tuple(
            DropView(pickup_point=point, parcels=sum(map(parcels_back, stops))) for point, stops in to_drop(run).items()
        ),
    )


def label_view(run: Run) -> LabelView | None:
    """The newest code, and the stop that can be made of it."""
    seen = run.label
    if seen is None:
        return None
    stop = seen.stop
    return LabelView(
        scan=ScanView(**seen.scan.model_dump()),
        stop=None
        if stop is None or stop.found is None
        else LabelStopView(
            address=stop.address,
            recipient_name=stop.recipient.name,
            phone=stop.recipient.phone,
            instruction=stop.instruction,
            window=stop.windows[0] if stop.windows else None,
            wants_signature=EvidenceKind.SIGNATURE in stop.proof,
            found=stop.found,
        ),
        why_not=seen.why_not,
        filled=seen.filled,
    )


def _scan_view(scan: LastScan | None) -> ScanView | None:
    return None if scan is None else ScanView(**scan.model_dump())


def _steps(run: Run, stop: RunStop, now: datetime) -> tuple[StepView, ...]:
    newest = {evidence.kind: evidence for evidence in stop.proofs}
    rules = rules_of(stop.stop, way_of(stop))
    done = taken(stop)
    asked = {kind: rule for kind, rule in rules.items() if rule is not EvidenceRule.OFF}
    # What was taken without being asked for is shown too.
    kinds = [*asked, *(kind for kind in EvidenceKind if kind in done and kind not in asked)]
    at = _done_at(stop)
    if place_of(run, stop, now) is PlaceVerdict.INSIDE and run.position is not None:
        at[EvidenceKind.PLACE] = run.position.fixed_at
        done = done | {EvidenceKind.PLACE}
    return tuple(
        StepView(
            kind=kind,
            rule=asked.get(kind, EvidenceRule.OPTIONAL),
            taken_at=(newest[kind].taken_at if kind in newest else at.get(kind)) if kind in done else None,
            sha256=newest[kind].sha256 if kind in newest else None,
            signed_by=newest[kind].signed_by if kind in newest else "",
        )
        for kind in kinds
    )


def _done_at(stop: RunStop) -> dict[EvidenceKind, datetime | None]:
    hand = stop.hand
    return {
        EvidenceKind.PIN: hand.pin_passed_at,
        EvidenceKind.AGE: hand.age_asked_at,
        EvidenceKind.NOTE: hand.noted_at,
        EvidenceKind.CASH: hand.cash_taken_at,
        EvidenceKind.SCAN: hand.parcels_at,
    }
