"""What the driver says at a stop. Pure.

A driver who works out of order has made a fact, not an error: the tap counts, and the rest of the day is planned anew.
Only three things are refused: an unknown stop, a closed one, and a delivery whose required proof is missing.
"""

from datetime import datetime

from agent.trip.effects import Decision, Effect, Outgoing, Refusal, Trouble
from agent.trip.inputs import ArrivedTapped, DeliveredTapped, EvidenceTaken, FailedTapped, SkippedTapped, StopTap
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.plans import asking, changed
from agent.trip.progress import distance_to_m, fresh_position
from agent.trip.run import Run, RunStop, StopPhase
from wire.codec import content_hash, to_json
from wire.events import EventKind, ProofCaptured, ReplanReason, StopArrived, StopCompleted, StopFailed, StopSkipped
from wire.manifest import EvidenceKind, EvidenceRule
from wire.model import Message

EVENT_OF: dict[type[StopTap], StopEvent] = {
    ArrivedTapped: StopEvent.ARRIVED,
    EvidenceTaken: StopEvent.EVIDENCE_TAKEN,
    DeliveredTapped: StopEvent.DELIVERED,
    FailedTapped: StopEvent.FAILED,
    SkippedTapped: StopEvent.SKIPPED,
}


def tapped(run: Run, tap: StopTap, now: datetime) -> Decision:
    """The run after a tap, or the refusal with which nothing changes."""
    if run.manifest is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.NO_MANIFEST, stop_id=tap.stop_id))
    stop = run.find(tap.stop_id)
    if stop is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.UNKNOWN_STOP, stop_id=tap.stop_id))
    phase = next_phase(stop.phase, EVENT_OF[type(tap)])
    if phase is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.ALREADY_CLOSED, stop_id=tap.stop_id))
    match tap:
        case ArrivedTapped():
            return _arrived(run, stop, now)
        case EvidenceTaken():
            return _evidence_taken(run, stop, tap)
        case DeliveredTapped():
            return _delivered(run, stop, tap, now)
        case FailedTapped():
            return _failed(run, stop, tap, now)
        case SkippedTapped():
            return _skipped(run, stop, now)


def missing_proof(stop: RunStop) -> tuple[EvidenceKind, ...]:
    """The kinds of evidence that must be taken before the stop can be closed as delivered."""
    taken = {evidence.kind for evidence in stop.evidence}
    return tuple(kind for kind, rule in stop.stop.proof.items() if rule is EvidenceRule.REQUIRED and kind not in taken)


def _arrived(run: Run, stop: RunStop, now: datetime) -> Decision:
    if stop.phase is StopPhase.ARRIVED:  # the driver confirms what the van saw
        return Decision(run=_with(run, stop.model_copy(update={"arrived_by": None})) if stop.arrived_by else run)
    is_expected = _is_next(run, stop)
    here = stop.model_copy(update={"phase": StopPhase.ARRIVED, "arrived_at": now, "is_skipped": False})
    stops = tuple(here if other.stop_id == stop.stop_id else _left(other) for other in run.stops)
    after = changed(run.model_copy(update={"stops": stops}))
    effects: tuple[Effect, ...] = ()
    if not is_expected:
        after, effects = asking(after, ReplanReason.OUT_OF_ORDER, now)
    return Decision(run=after, outgoing=(_arrival(run, stop, now),), effects=effects)


def _evidence_taken(run: Run, stop: RunStop, tap: EvidenceTaken) -> Decision:
    evidence = tap.evidence
    if any(had.kind is evidence.kind and had.sha256 == evidence.sha256 for had in stop.evidence):
        return Decision(run=run)
    captured = ProofCaptured(
        stop_id=stop.stop_id,
        evidence_kind=evidence.kind,
        sha256=evidence.sha256,
        size_bytes=evidence.size_bytes,
        media_type="image/png" if evidence.media_type == "image/png" else "image/jpeg",
        signed_by=evidence.signed_by,
    )
    after = _with(run, stop.model_copy(update={"evidence": (*stop.evidence, evidence)}))
    return Decision(run=after, outgoing=(_said(EventKind.PROOF_CAPTURED, captured),))


def _delivered(run: Run, stop: RunStop, tap: DeliveredTapped, now: datetime) -> Decision:
    if missing_proof(stop):
        return Decision(run=run, refusal=Refusal(trouble=Trouble.PROOF_MISSING, stop_id=stop.stop_id))
    position = fresh_position(run, now)
    completed = StopCompleted(
        stop_id=stop.stop_id,
        outcome=tap.outcome,
        received_by=tap.received_by,
        proofs=tuple(evidence.sha256 for evidence in stop.evidence),
        lat_deg=position.lat_deg if position else None,
        lon_deg=position.lon_deg if position else None,
        distance_m=distance_to_m(stop.stop.place, run, now),
        listed=content_hash(stop.stop),
    )
    closed = stop.model_copy(
        update={
            "phase": StopPhase.COMPLETED,
            "arrived_at": stop.arrived_at or now,
            "closed_at": now,
            "outcome": tap.outcome,
            "received_by": tap.received_by,
        }
    )
    after = changed(_with(run, closed))
    effects: tuple[Effect, ...] = ()
    if stop.phase is StopPhase.OPEN and not _is_next(run, stop):
        after, effects = asking(after, ReplanReason.OUT_OF_ORDER, now)
    # Delivered without an arrival tapped: the van was there, so it also arrived.
    arrival = () if stop.arrived_at else (_arrival(run, stop, now),)
    return Decision(run=after, outgoing=(*arrival, _said(EventKind.STOP_COMPLETED, completed)), effects=effects)


def _failed(run: Run, stop: RunStop, tap: FailedTapped, now: datetime) -> Decision:
    closed = stop.model_copy(
        update={"phase": StopPhase.FAILED, "closed_at": now, "reason": tap.reason, "note": tap.note}
    )
    after, effects = asking(changed(_with(run, closed)), ReplanReason.STOP_FAILED, now)
    failed = StopFailed(stop_id=stop.stop_id, reason=tap.reason, note=tap.note, listed=content_hash(stop.stop))
    return Decision(run=after, outgoing=(_said(EventKind.STOP_FAILED, failed),), effects=effects)


def _skipped(run: Run, stop: RunStop, now: datetime) -> Decision:
    put_off = stop.model_copy(update={"phase": StopPhase.OPEN, "arrived_at": None, "is_skipped": True})
    after, effects = asking(changed(_with(run, put_off)), ReplanReason.STOP_SKIPPED, now)
    skipped = StopSkipped(stop_id=stop.stop_id)
    return Decision(run=after, outgoing=(_said(EventKind.STOP_SKIPPED, skipped),), effects=effects)


def _is_next(run: Run, stop: RunStop) -> bool:
    return run.next_stop is not None and run.next_stop.stop_id == stop.stop_id


def _left(stop: RunStop) -> RunStop:
    """A van is at one stop at a time: another one that it stood at is open again."""
    phase = next_phase(stop.phase, StopEvent.LEFT)
    return stop if phase is None else stop.model_copy(update={"phase": phase, "arrived_at": None})


def _with(run: Run, stop: RunStop) -> Run:
    stops = tuple(stop if other.stop_id == stop.stop_id else other for other in run.stops)
    return run.model_copy(update={"stops": stops})


def _arrival(run: Run, stop: RunStop, now: datetime) -> Outgoing:
    position = fresh_position(run, now)
    arrived = StopArrived(
        stop_id=stop.stop_id,
        lat_deg=position.lat_deg if position else None,
        lon_deg=position.lon_deg if position else None,
        distance_m=distance_to_m(stop.stop.place, run, now),
    )
    return _said(EventKind.STOP_ARRIVED, arrived)


def _said(kind: EventKind, body: Message) -> Outgoing:
    return Outgoing(kind=kind, body=to_json(body))
