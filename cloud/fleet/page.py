"""The page of one stop: what was asked for, what was done, the proof, and every record about it. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from cloud.fleet.build import Job, flags
from cloud.fleet.fold import StopState
from cloud.fleet.view import EvidenceView, HistoryRow, SealView, StopPage, StopRow
from cloud.proof.model import Verification
from wire.events import BODIES, EventKind, ProofCaptured, StopArrived, StopCompleted, StopFailed
from wire.model import Instant, Message, Sha256, Value


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
        case StopFailed(reason=reason, note=note):
            words = reason.value.replace("_", " ")
            return f"{words}: {note}" if note else words
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
