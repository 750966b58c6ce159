"""The page of one stop: what was asked for, what was done, the proof, and every record about it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from cloud.fleet.build import Job, flags
from cloud.fleet.fold import StopState
from cloud.fleet.view import CheckRow, EvidenceView, HistoryRow, ParcelRow, SealView, StopPage, StopRow
from cloud.proof.model import Verification
from wire.checks import CheckDone, Dropped, ParcelScanned, ScanVerdict
from wire.events import (
    BODIES,
    EventKind,
    ProofCaptured,
    StopAmended,
    StopArrived,
    StopCompleted,
    StopDeparted,
    StopFailed,
)
from wire.finding import StopFilled, StopFound
from wire.handover import NextStep
from wire.manifest import EvidenceKind
from wire.model import Instant, Message, Sha256, Value
from wire.transfer import GoodsHanded, Side, StopKept, StopReleased


class Heard(Value):
    """One record as it was stored."""

    van: str
    epoch: str
    seq: int
    kind: str
    captured_at: Instant | None
    """None: the van had no idea of the time."""
    received_at: Instant
    body: dict[str, Any]
    problem: str = ""
    """Why it could not be read; then it is shown and counts for nothing."""


class Held(Value):
    """How much of a piece of evidence is here."""

    held_bytes: int
    is_whole: bool


def stop_page(
    job: Job,
    row: StopRow,
    state: StopState,
    heard: Sequence[Heard],
    held: Mapping[Sha256, Held],
    *,
    verification: Verification | None = None,
) -> StopPage:
    """Everything about a stop. `heard` in the order received; `held` for the evidence of which anything is here."""
    closing, arrival = state.closing, state.arrival
    notes = [*([closing.note] if closing and closing.note else []), *flags(job, state)]
    notes += [job.carried] if job.carried else []
    place = closing or arrival
    return StopPage(
        stop=row,
        amount=job.stop.amount,
        instruction=job.stop.instruction,
        items=job.stop.items,
        proof_rules=job.stop.proof,
        arrived_at=arrival.origin.captured_at if arrival else None,
        received_at=closing.origin.received_at if closing else None,
        received_by=closing.received_by if closing else "",
        note="; ".join(notes),
        distance_m=place.distance_m if place else None,
        closed_lat_deg=closing.lat_deg if closing else None,
        closed_lon_deg=closing.lon_deg if closing else None,
        evidence=_evidence(state, held),
        parcels=_parcels(job, state),
        checks=_checks(job, state),
        waivers=closing.waivers if closing else (),
        attempts=state.attempts,
        next_step=closing.next_step if closing else None,
        pickup_point=job.stop.handover.pickup_point,
        is_amended=closing.is_amended if closing else False,
        history=tuple(_history(entry) for entry in heard),
        seal=_seal(verification) if verification is not None and heard else None,
    )


def detail(kind: str, body: Mapping[str, object]) -> str:
    """A record in words; nothing for a kind we do not know."""
    match _body(kind, body):
        case StopArrived(distance_m=distance_m):
            return "" if distance_m is None else f"{distance_m:.0f} m from the address"
        case StopCompleted(outcome=outcome, received_by=received_by):
            words = outcome.value.replace("_", " ")
            return f"{words}: {received_by}" if received_by else words
        case StopFailed(reason=reason, note=note, next_step=next_step, attempt=attempt):
            words = reason.value.replace("_", " ")
            again = f", attempt {attempt}, again later today" if next_step is NextStep.LATER_TODAY else ""
            return f"{words}{again}: {note}" if note else words + again
        case StopDeparted(stood_s=stood_s, is_closed=is_closed):
            return f"{stood_s / 60:.0f} min{'' if is_closed else ', still open'}"
        case StopFound() as found:
            return f"made of the label of {found.code}"
        case StopFilled() as filled:
            return f"from the label of {filled.code}: {_filled_words(filled)}"
        case ParcelScanned() as scan:
            verdict = scan.verdict.value.replace("_", " ")
            return f"{scan.code}: {verdict}{', typed' if scan.is_typed else ''}"
        case CheckDone() as check:
            return _check_words(check)
        case StopAmended() as amended:
            parts = (amended.outcome, amended.reason, amended.received_by, amended.note)
            return ", ".join(str(part).replace("_", " ") for part in parts if part)
        case StopReleased(to_van=to_van):
            return f"its goods are not aboard: given up to {to_van}"
        case StopKept(why=why):
            return why.value.replace("_", " ")
        case Dropped(pickup_point=point, is_dropped=is_dropped):
            return f"left at {point}" if is_dropped else f"not left at {point}: back to the depot"
        case GoodsHanded() as word:
            return _handed_words(word)
        case ProofCaptured() as proof:
            words = f"{proof.evidence_kind.value}, {proof.size_bytes} bytes"
            return f"{words}, signed by {proof.signed_by}" if proof.signed_by else words
    return ""


def _seal(found: Verification) -> SealView:
    sealed = found.sealed
    return SealView(
        verdict=found.verdict,
        findings=tuple(one.text for one in found.findings),
        notes=tuple(dict.fromkeys(found.notes)),
        van=sealed.van if sealed else None,
        public_key=sealed.public_key if sealed else None,
        head=sealed.link if sealed else None,
        is_vouched=sealed is not None and sealed.is_vouched,
    )


def _filled_words(filled: StopFilled) -> str:
    said = {
        "code": filled.is_code_new,
        "window": bool(filled.windows),
        "address": filled.address is not None,
        "name": bool(filled.name),
        "phone": bool(filled.phone),
        "signature required": filled.wants_signature,
    }
    return ", ".join(what for what, is_said in said.items() if is_said)


def _check_words(check: CheckDone) -> str:
    verdict = "passed" if check.is_passed else "not passed"
    match check.check:
        case EvidenceKind.PIN:
            return f"PIN {verdict}, try {check.tries}"
        case EvidenceKind.AGE:
            return f"age {check.min_age} {verdict}"
        case EvidenceKind.CASH if check.cash:
            return f"cash taken: {check.cash.amount_minor} {check.cash.currency} (smallest unit)"
        case EvidenceKind.NOTE:
            return check.note or "note taken back"
    return f"{check.check.value} {verdict}"


def _handed_words(word: GoodsHanded) -> str:
    gives = word.side is Side.GIVES
    if not word.is_handed:
        return f"not given to {word.other_van}" if gives else f"not taken from {word.other_van}"
    lacking = f", {len(word.missing)} missing" if word.missing else ""
    return f"given to {word.other_van}{lacking}" if gives else f"taken from {word.other_van}{lacking}"


def _parcels(job: Job, state: StopState) -> tuple[ParcelRow, ...]:
    """Each listed parcel with what the closing says of it; before that, with what was scanned."""
    said = {item.code: item for item in (state.closing.items if state.closing else ())}
    right = {
        check.said.code
        for check in state.checks
        if isinstance(check.said, ParcelScanned) and check.said.verdict is ScanVerdict.RIGHT
    }
    return tuple(
        ParcelRow(
            code=parcel.code,
            what=parcel.what,
            state=said[parcel.code].state if parcel.code in said else None,
            is_scanned=said[parcel.code].is_scanned if parcel.code in said else parcel.code in right,
        )
        for parcel in job.stop.handover.parcels
    )


def _checks(job: Job, state: StopState) -> tuple[CheckRow, ...]:
    newest: dict[EvidenceKind, CheckRow] = {}
    for check in state.checks:
        if isinstance(check.said, CheckDone):
            newest[check.said.check] = CheckRow(
                check=check.said.check,
                is_passed=check.said.is_passed,
                captured_at=check.origin.captured_at,
                tries=check.said.tries,
                min_age=check.said.min_age,
                note=check.said.note,
                cash=check.said.cash,
                cash_due=job.stop.handover.cash if check.said.check is EvidenceKind.CASH else None,
            )
    return tuple(newest.values())


def _evidence(state: StopState, held: Mapping[Sha256, Held]) -> tuple[EvidenceView, ...]:
    nothing = Held(held_bytes=0, is_whole=False)
    return tuple(
        EvidenceView(
            kind=piece.kind,
            sha256=piece.sha256,
            media_type=piece.media_type,
            size_bytes=piece.size_bytes,
            signed_by=piece.signed_by,
            captured_at=piece.origin.captured_at or piece.origin.received_at,
            received_at=piece.origin.received_at,
            is_whole=held.get(piece.sha256, nothing).is_whole,
            held_bytes=held.get(piece.sha256, nothing).held_bytes,
        )
        for piece in state.evidence
    )


def _history(entry: Heard) -> HistoryRow:
    return HistoryRow(
        kind=entry.kind,
        captured_at=entry.captured_at,
        received_at=entry.received_at,
        epoch=entry.epoch,
        seq=entry.seq,
        detail=f"unreadable: {entry.problem}" if entry.problem else detail(entry.kind, entry.body),
    )


def _body(kind: str, body: Mapping[str, object]) -> Message | None:
    if kind not in EventKind:
        return None
    try:
        return BODIES[EventKind(kind)].model_validate(body)
    except ValidationError:
        return None
