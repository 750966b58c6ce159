"""What may follow what at a stop, as data; the diagram in the docs is drawn from this table.

Two rules read from it: a stop that is COMPLETED or FAILED stays so, whatever arrives later; and a stop that was taken
off the manifest can still be delivered, because then it was.
"""

from enum import StrEnum

from agent.trip.run import StopPhase


class StopEvent(StrEnum):
    """What can happen to a stop."""

    ARRIVED = "arrived"
    LEFT = "left for another stop"
    EVIDENCE_TAKEN = "evidence taken"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "put off"
    UNLISTED = "taken off the manifest"
    LISTED = "on the manifest"


NEXT: dict[tuple[StopPhase, StopEvent], StopPhase] = {
    (StopPhase.OPEN, StopEvent.ARRIVED): StopPhase.ARRIVED,
    (StopPhase.OPEN, StopEvent.EVIDENCE_TAKEN): StopPhase.OPEN,
    (StopPhase.OPEN, StopEvent.DELIVERED): StopPhase.COMPLETED,
    (StopPhase.OPEN, StopEvent.FAILED): StopPhase.FAILED,
    (StopPhase.OPEN, StopEvent.SKIPPED): StopPhase.OPEN,
    (StopPhase.OPEN, StopEvent.UNLISTED): StopPhase.CANCELLED,
    (StopPhase.OPEN, StopEvent.LISTED): StopPhase.OPEN,
    (StopPhase.ARRIVED, StopEvent.ARRIVED): StopPhase.ARRIVED,
    (StopPhase.ARRIVED, StopEvent.LEFT): StopPhase.OPEN,
    (StopPhase.ARRIVED, StopEvent.EVIDENCE_TAKEN): StopPhase.ARRIVED,
    (StopPhase.ARRIVED, StopEvent.DELIVERED): StopPhase.COMPLETED,
    (StopPhase.ARRIVED, StopEvent.FAILED): StopPhase.FAILED,
    (StopPhase.ARRIVED, StopEvent.SKIPPED): StopPhase.OPEN,
    (StopPhase.ARRIVED, StopEvent.UNLISTED): StopPhase.CANCELLED,
    (StopPhase.ARRIVED, StopEvent.LISTED): StopPhase.ARRIVED,
    (StopPhase.COMPLETED, StopEvent.UNLISTED): StopPhase.COMPLETED,
    (StopPhase.COMPLETED, StopEvent.LISTED): StopPhase.COMPLETED,
    (StopPhase.FAILED, StopEvent.UNLISTED): StopPhase.FAILED,
    (StopPhase.FAILED, StopEvent.LISTED): StopPhase.FAILED,
    (StopPhase.CANCELLED, StopEvent.EVIDENCE_TAKEN): StopPhase.CANCELLED,
    (StopPhase.CANCELLED, StopEvent.DELIVERED): StopPhase.COMPLETED,
    (StopPhase.CANCELLED, StopEvent.FAILED): StopPhase.FAILED,
    (StopPhase.CANCELLED, StopEvent.UNLISTED): StopPhase.CANCELLED,
    (StopPhase.CANCELLED, StopEvent.LISTED): StopPhase.OPEN,
}


def next_phase(phase: StopPhase, event: StopEvent) -> StopPhase | None:
    """The phase after the event; None when the event may not follow."""
    return NEXT.get((phase, event))
