"""What may follow what at a stop, as one table; `docs/lifecycle.md` is drawn from it.

Three rules read from it: a stop that was served or failed stays so whatever arrives later, unless the driver takes it
back or corrects it; what is corrected is never open again; and a stop that was taken off the manifest can still be
delivered, because then it was.

The run stores five phases; which of the ten states a stop is in follows from the phase and from what the van does now.
"""

from enum import StrEnum

from agent.gps.position import Motion
from agent.trip.run import Run, RunStop, StopPhase


class StopState(StrEnum):
    """Where a stop stands, as a driver or a dispatcher would say it."""

    PENDING = "pending"
    NEXT = "next"
    TRAVELLING = "travelling"
    ARRIVED = "arrived"
    PARKED = "parked"
    SERVED = "served"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Put off, by the driver or after an attempt that failed: it is open, and planned behind the others."""
    CANCELLED = "cancelled"
    AMENDED = "amended"
    """Served or failed, and corrected since."""


class StopEvent(StrEnum):
    """What can happen to a stop."""

    TURN_CAME = "its turn came"
    PASSED_OVER = "another goes first"
    SET_OFF = "the van set off"
    ARRIVED = "arrived"
    PARKED = "the van is parked"
    MOVED = "the van moved"
    LEFT = "left for another stop"
    EVIDENCE_TAKEN = "evidence taken"
    DELIVERED = "delivered"
    FAILED = "failed"
    TRIED = "failed, again later"
    SKIPPED = "put off"
    REOPENED = "taken back"
    AMENDED = "corrected"
    UNLISTED = "taken off the manifest"
    LISTED = "on the manifest"
    PASSED_ON = "passed on to another van"


_S, _E = StopState, StopEvent
_AHEAD = (_S.PENDING, _S.NEXT, _S.TRAVELLING, _S.SKIPPED)
_AT_THE_DOOR = (_S.ARRIVED, _S.PARKED)

TABLE: dict[tuple[StopState, StopEvent], StopState] = {
    (_S.PENDING, _E.TURN_CAME): _S.NEXT,
    (_S.SKIPPED, _E.TURN_CAME): _S.NEXT,
    (_S.NEXT, _E.PASSED_OVER): _S.PENDING,
    (_S.NEXT, _E.SET_OFF): _S.TRAVELLING,
    (_S.TRAVELLING, _E.PARKED): _S.NEXT,
    (_S.TRAVELLING, _E.PASSED_OVER): _S.PENDING,
    **{(ahead, _E.ARRIVED): _S.ARRIVED for ahead in _AHEAD},
    **{(there, _E.ARRIVED): there for there in _AT_THE_DOOR},
    (_S.ARRIVED, _E.PARKED): _S.PARKED,
    (_S.PARKED, _E.MOVED): _S.ARRIVED,
    **{(there, _E.LEFT): _S.PENDING for there in _AT_THE_DOOR},
    **{(one, _E.EVIDENCE_TAKEN): one for one in (*_AHEAD, *_AT_THE_DOOR, _S.CANCELLED)},
    **{(one, _E.DELIVERED): _S.SERVED for one in (*_AHEAD, *_AT_THE_DOOR, _S.CANCELLED)},
    **{(one, _E.FAILED): _S.FAILED for one in (*_AHEAD, *_AT_THE_DOOR, _S.CANCELLED)},
    **{(one, _E.TRIED): _S.SKIPPED for one in (*_AHEAD, *_AT_THE_DOOR)},
    **{(one, _E.SKIPPED): _S.SKIPPED for one in (*_AHEAD, *_AT_THE_DOOR)},
    **{(one, _E.REOPENED): _S.ARRIVED for one in (_S.SERVED, _S.FAILED)},
    **{(one, _E.AMENDED): _S.AMENDED for one in (_S.SERVED, _S.FAILED, _S.AMENDED)},
    **{(one, _E.UNLISTED): _S.CANCELLED for one in (*_AHEAD, *_AT_THE_DOOR, _S.CANCELLED)},
    **{(one, _E.LISTED): one for one in (*_AHEAD, *_AT_THE_DOOR)},
    (_S.CANCELLED, _E.LISTED): _S.PENDING,
    **{(one, _E.PASSED_ON): _S.CANCELLED for one in (*_AHEAD, *_AT_THE_DOOR, _S.CANCELLED)},
    **{(one, event): one for one in (_S.SERVED, _S.FAILED, _S.AMENDED) for event in (_E.UNLISTED, _E.LISTED)},
}

PHASES: dict[StopState, tuple[StopPhase, ...]] = {
    _S.PENDING: (StopPhase.OPEN,),
    _S.NEXT: (StopPhase.OPEN,),
    _S.TRAVELLING: (StopPhase.OPEN,),
    _S.ARRIVED: (StopPhase.ARRIVED,),
    _S.PARKED: (StopPhase.ARRIVED,),
    _S.SERVED: (StopPhase.COMPLETED,),
    _S.FAILED: (StopPhase.FAILED,),
    _S.SKIPPED: (StopPhase.OPEN,),
    _S.CANCELLED: (StopPhase.CANCELLED,),
    _S.AMENDED: (StopPhase.COMPLETED, StopPhase.FAILED),
}
"""How a state is stored. A correction leaves the phase; where it turns the outcome round, whoever corrects says so."""

NEXT: dict[tuple[StopPhase, StopEvent], StopPhase] = {
    (phase, event): phase if phase in PHASES[after] else PHASES[after][0]
    for (state, event), after in TABLE.items()
    for phase in PHASES[state]
}
"""The table as the stored phases see it."""


def next_phase(phase: StopPhase, event: StopEvent) -> StopPhase | None:
    """The phase after the event; None when the event may not follow."""
    return NEXT.get((phase, event))


def state_of(stop: RunStop, run: Run) -> StopState:
    """Which of the ten states a stop of the run is in now."""
    match stop.phase:
        case StopPhase.CANCELLED:
            return StopState.CANCELLED
        case StopPhase.COMPLETED | StopPhase.FAILED if stop.hand.amended_at is not None:
            return StopState.AMENDED
        case StopPhase.COMPLETED:
            return StopState.SERVED
        case StopPhase.FAILED:
            return StopState.FAILED
        case StopPhase.ARRIVED:
            return StopState.PARKED if run.motion is Motion.PARKED else StopState.ARRIVED
        case StopPhase.OPEN:
            if run.next_stop is not None and run.next_stop.stop_id == stop.stop_id:
                return StopState.TRAVELLING if run.motion in (Motion.MOVING, Motion.HALTED) else StopState.NEXT
            return StopState.SKIPPED if stop.is_skipped else StopState.PENDING
