"""What the driver says at a stop. Pure.

A driver who works out of order has made a fact, not an error: the tap counts, and the rest of the day is planned anew.
Refused are an unknown stop, a closed one, and a delivery that its rules do not let through (`pod/rules.py`).
"""

from datetime import datetime

from agent.trip.effects import Decision, Effect, Outgoing, Refusal, Trouble
from agent.trip.hand import Hand
from agent.trip.inputs import ArrivedTapped, DeliveredTapped, EvidenceTaken, FailedTapped, SkippedTapped, StopTap
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.plans import asking, changed
from agent.trip.progress import door_distance_m, proving_position
from agent.trip.proving import (
    cash_of,
    closed_as,
    is_nothing_handed_over,
    items_of,
    judged_now,
    step_after_failure,
    trouble_of,
)
from agent.trip.run import Run, RunStop, StopPhase
from agent.trip.transfer import handed_over, nothing_handed, trouble_with
from wire.codec import content_hash, to_json
from wire.events import (
    EventKind,
    Outcome,
    ProofCaptured,
    ReplanReason,
    StopArrived,
    StopCompleted,
    StopFailed,
    StopSkipped,
)
from wire.handover import NextStep
from wire.model import Message

EVENT_OF: dict[type[StopTap], StopEvent] = {
    ArrivedTapped: StopEvent.ARRIVED,
    EvidenceTaken: StopEvent.EVIDENCE_TAKEN,
    DeliveredTapped: StopEvent.DELIVERED,
    FailedTapped: StopEvent.FAILED,
    SkippedTapped: StopEvent.SKIPPED,
}

THIS_VISIT = {"arrived_by": None, "departed_at": None}
"""Of a stop the driver says to be at: what the van saw of an earlier visit is not this one's."""


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
    trouble = trouble_with(run, stop)
    if trouble is not None:
        return Decision(run=run, refusal=Refusal(trouble=trouble, stop_id=tap.stop_id))
    match tap:
        case ArrivedTapped():
            return _arrived(run, stop, now)
        case EvidenceTaken():
            return _evidence_taken(run, stop, tap)
        case DeliveredTapped() if stop.meeting is not None:
            return handed_over(run, stop, None, now)
        case DeliveredTapped():
            return _delivered(run, stop, tap, now)
        case FailedTapped():
            return nothing_handed(run, stop, _failed(run, stop, tap, now))
        case SkippedTapped():
            return _skipped(run, stop, now)


def _arrived(run: Run, stop: RunStop, now: datetime) -> Decision:
    if stop.phase is StopPhase.ARRIVED:  # the driver confirms what the van saw
        return Decision(run=_with(run, stop.model_copy(update={"arrived_by": None})) if stop.arrived_by else run)
    is_expected = _is_next(run, stop)
    here = stop.model_copy(
        update={"phase": StopPhase.ARRIVED, "arrived_at": now, "is_skipped": False, "before": None, **THIS_VISIT}
    )
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
    after = _with(run, stop.model_copy(update={"evidence": (*stop.evidence, evidence), "before": None}))
    return Decision(run=after, outgoing=(_said(EventKind.PROOF_CAPTURED, captured),))


def _delivered(run: Run, stop: RunStop, tap: DeliveredTapped, now: datetime) -> Decision:
    trouble = _unproven(run, stop, tap, now)
    if trouble is not None:
        return Decision(run=run, refusal=Refusal(trouble=trouble, stop_id=stop.stop_id))
    position, outcome = proving_position(run, now), closed_as(stop, tap.outcome)
    received_by = tap.received_by or stop.hand.way_name
    completed = StopCompleted(
        stop_id=stop.stop_id,
        outcome=outcome,
        received_by=received_by,
        proofs=tuple(evidence.sha256 for evidence in stop.proofs),
        lat_deg=position.lat_deg if position else None,
        lon_deg=position.lon_deg if position else None,
        distance_m=door_distance_m(stop.stop, run, now),
        listed=content_hash(stop.listed_as or stop.stop),
        items=items_of(stop),
        waivers=tap.waivers,
        note=stop.hand.note,
        cash=cash_of(stop),
        way=tap.outcome if outcome is Outcome.PARTIAL else None,
    )
    closed = stop.model_copy(
        update={
            "phase": StopPhase.COMPLETED,
            **({} if stop.arrived_at else {"arrived_at": now, **THIS_VISIT}),
            "closed_at": now,
            "outcome": outcome,
            "received_by": received_by,
            "note": stop.hand.note,
            "before": stop.kept(now),
        }
    )
    after = changed(_with(run, closed))
    effects: tuple[Effect, ...] = ()
    if stop.phase is StopPhase.OPEN and not _is_next(run, stop):
        after, effects = asking(after, ReplanReason.OUT_OF_ORDER, now)
    # Delivered without an arrival tapped: the van was there, so it also arrived.
    arrival = () if stop.arrived_at else (_arrival(run, stop, now),)
    return Decision(run=after, outgoing=(*arrival, _said(EventKind.STOP_COMPLETED, completed)), effects=effects)


def _unproven(run: Run, stop: RunStop, tap: DeliveredTapped, now: datetime) -> Trouble | None:
    """Why the stop cannot be closed like that."""
    found = judged_now(run, stop, tap.outcome, tap.received_by, now)
    if found.missing:
        return trouble_of(run, stop, found.missing, now)
    if found.wants_name:
        return Trouble.NAME_MISSING
    if is_nothing_handed_over(stop):
        return Trouble.NOTHING_HANDED_OVER
    given = {waiver.kind for waiver in tap.waivers}
    return Trouble.REASON_MISSING if any(kind not in given for kind in found.warned) else None


def _failed(run: Run, stop: RunStop, tap: FailedTapped, now: datetime) -> Decision:
    attempt = stop.hand.attempts + 1
    next_step = step_after_failure(stop)
    note = tap.note or stop.hand.note
    hand = stop.hand.model_copy(update={"attempts": attempt})
    failed = StopFailed(
        stop_id=stop.stop_id,
        reason=tap.reason,
        note=note,
        next_step=next_step,
        attempt=attempt,
        listed=content_hash(stop.listed_as or stop.stop),
    )
    told = (_said(EventKind.STOP_FAILED, failed),)
    if next_step is NextStep.LATER_TODAY:
        # Open again at once, and planned behind the others; what was scanned or signed for this attempt is not the
        # next's.
        again = stop.model_copy(
            update={
                "phase": StopPhase.OPEN,
                "arrived_at": None,
                "is_skipped": True,
                "hand": Hand(
                    attempts=attempt,
                    pin_tries=stop.hand.pin_tries,
                    tried_at=now,
                    tried_for=tap.reason,
                    proofs_before=len(stop.evidence),
                ),
                "before": stop.kept(now),
            }
        )
        after, effects = asking(changed(_with(run, again)), ReplanReason.STOP_FAILED, now)
        return Decision(run=after, outgoing=told, effects=effects)
    closed = stop.model_copy(
        update={
            "phase": StopPhase.FAILED,
            "closed_at": now,
            "reason": tap.reason,
            "note": note,
            "hand": hand,
            "before": stop.kept(now),
        }
    )
    after, effects = asking(changed(_with(run, closed)), ReplanReason.STOP_FAILED, now)
    return Decision(run=after, outgoing=told, effects=effects)


def _skipped(run: Run, stop: RunStop, now: datetime) -> Decision:
    put_off = stop.model_copy(
        update={"phase": StopPhase.OPEN, "arrived_at": None, "is_skipped": True, "before": stop.kept(now)}
    )
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
    position = proving_position(run, now)
    arrived = StopArrived(
        stop_id=stop.stop_id,
        lat_deg=position.lat_deg if position else None,
        lon_deg=position.lon_deg if position else None,
        distance_m=door_distance_m(stop.stop, run, now),
    )
    return _said(EventKind.STOP_ARRIVED, arrived)


def _said(kind: EventKind, body: Message) -> Outgoing:
    return Outgoing(kind=kind, body=to_json(body))
