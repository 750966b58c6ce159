"""Taking a closing back, within seconds, and correcting one later. Pure.

The closing is told at once and not held back: a power cut within the ten seconds would lose one that was shown as
saved, and the customer behind the coordinator would hear late of every delivery. Taking it back is one more record
after it, so that nothing that was said is unsaid, and whoever reads the lane in order comes to the same end.
"""

from datetime import datetime, timedelta

from agent.trip.effects import Decision, Effect, Outgoing, Refusal, Trouble
from agent.trip.inputs import AfterTap, AmendTapped, UndoTapped
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.plans import asking, changed
from agent.trip.proving import judged_now, trouble_of
from agent.trip.run import Before, Run, RunStop, StopPhase
from agent.trip.transfer import taken_back
from wire.checks import StopReopened
from wire.codec import to_json
from wire.events import EventKind, ReplanReason, StopAmended
from wire.model import Message

UNDO_SHOWN = timedelta(seconds=10)
UNDO_FOR = UNDO_SHOWN + timedelta(seconds=5)
"""A tap in the last moment still counts: it takes time to arrive, and the page's clock is not ours."""


def afterwards(run: Run, tap: AfterTap, now: datetime) -> Decision:
    """The run after a closing was taken back or corrected, or the refusal with which nothing changes."""
    stop = run.find(tap.stop_id)
    if stop is None:
        return _refused(run, Trouble.UNKNOWN_STOP if run.manifest else Trouble.NO_MANIFEST, tap.stop_id)
    match tap:
        case UndoTapped():
            return taken_back(run, stop, _taken_back(run, stop, now))
        case AmendTapped():
            return _amended(run, stop, tap, now)


def can_undo(stop: RunStop, now: datetime) -> bool:
    """Whether the newest closing can still be taken back."""
    before = stop.before
    return before is not None and stop.hand.amended_at is None and timedelta() <= now - before.at <= UNDO_FOR


def _taken_back(run: Run, stop: RunStop, now: datetime) -> Decision:
    before = stop.before
    if before is None:
        return _refused(run, Trouble.NOT_CLOSED, stop.stop_id)
    if not can_undo(stop, now):
        return _refused(run, Trouble.TOO_LATE, stop.stop_id)
    again = stop.model_copy(
        update={
            "phase": _phase_again(stop, before),
            "arrived_at": before.arrived_at,
            "is_skipped": before.is_skipped,
            # What was done since cleared `before`; a try of the PIN counts even where it did not.
            "hand": before.hand.model_copy(update={"pin_tries": max(before.hand.pin_tries, stop.hand.pin_tries)}),
            "closed_at": None,
            "outcome": None,
            "reason": None,
            "received_by": "",
            "note": "",
            "before": None,
        }
    )
    # A van is at one stop at a time: one that it has gone to since stays open.
    is_elsewhere = any(other.phase is StopPhase.ARRIVED for other in run.stops if other.stop_id != stop.stop_id)
    is_there = again.phase is StopPhase.ARRIVED and not is_elsewhere and not _has_driven_off(again)
    if again.is_open and not is_there:
        again = again.model_copy(update={"phase": StopPhase.OPEN, "arrived_at": None, "arrived_by": None})
    after = changed(_with(run, again))
    effects: tuple[Effect, ...] = ()
    if again.is_open and (after.plan is None or stop.stop_id not in after.plan.stop_ids or run.replan is not None):
        after, effects = asking(after, ReplanReason.OUT_OF_ORDER, now)
    reopened = StopReopened(stop_id=stop.stop_id, closed_at=before.at)
    return Decision(run=after, outgoing=(_said(EventKind.STOP_REOPENED, reopened),), effects=effects)


def _phase_again(stop: RunStop, before: Before) -> StopPhase:
    """As it was before, by what the newest list says."""
    if not stop.is_listed:
        return StopPhase.CANCELLED
    return next_phase(before.phase, StopEvent.LISTED) or before.phase


def _has_driven_off(stop: RunStop) -> bool:
    return stop.departed_at is not None and stop.arrived_at is not None and stop.departed_at >= stop.arrived_at


def _amended(run: Run, stop: RunStop, tap: AmendTapped, now: datetime) -> Decision:
    if next_phase(stop.phase, StopEvent.AMENDED) is None:
        return _refused(run, Trouble.NOT_CLOSED, stop.stop_id)
    is_turned: dict[str, object] = {}
    if tap.outcome is not None:
        is_turned = {"outcome": tap.outcome, "reason": None, "phase": StopPhase.COMPLETED}
    elif tap.reason is not None:
        is_turned = {"outcome": None, "reason": tap.reason, "phase": StopPhase.FAILED}
    words = {name: value for name, value in (("received_by", tap.received_by), ("note", tap.note)) if value is not None}
    if not is_turned and not words:
        return Decision(run=run)
    if stop.phase is StopPhase.FAILED and tap.outcome is not None:
        # Delivered after all asks for what a delivery asks for: a failure is no way around it.
        missing = judged_now(run, stop, tap.outcome, tap.received_by or stop.received_by, now).missing
        trouble = trouble_of(run, stop, missing, now)
        if trouble is not None:
            return _refused(run, trouble, stop.stop_id)
    hand = stop.hand.model_copy(update={"amended_at": now})
    after = changed(_with(run, stop.model_copy(update={**is_turned, **words, "hand": hand, "before": None})))
    amended = StopAmended(
        stop_id=stop.stop_id,
        outcome=tap.outcome,
        reason=tap.reason if tap.outcome is None else None,
        received_by=tap.received_by,
        note=tap.note,
    )
    return Decision(run=after, outgoing=(_said(EventKind.STOP_AMENDED, amended),))


def _with(run: Run, stop: RunStop) -> Run:
    return run.model_copy(
        update={"stops": tuple(stop if other.stop_id == stop.stop_id else other for other in run.stops)}
    )


def _refused(run: Run, trouble: Trouble, stop_id: str) -> Decision:
    return Decision(run=run, refusal=Refusal(trouble=trouble, stop_id=stop_id))


def _said(kind: EventKind, body: Message) -> Outgoing:
    return Outgoing(kind=kind, body=to_json(body))
