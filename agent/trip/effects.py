"""What `decide` wants done or said: requests, fields only. The counterpart is `inputs.py`."""

from enum import StrEnum
from typing import Any

from agent.learn.lessons import DayLearned
from agent.trip.run import Run
from wire.events import EventKind, ReplanReason
from wire.model import StopId, Value


class Outgoing(Value):
    """One record for the events lane; the shell adds seq and times."""

    kind: EventKind
    body: dict[str, Any]


class Replan(Value):
    """Ask the planner for an order of the open stops of the run at `run_version`."""

    run_version: int
    reason: ReplanReason


class SendLive(Value):
    """Tell the coordinator the newest picture now rather than at the next beat."""


class Recall(Value):
    """Read what was learned about the stops of the run, and hand it back as `Recalled`."""


Effect = Replan | SendLive | Recall


class Trouble(StrEnum):
    """Why a tap changed nothing, for the driver."""

    UNKNOWN_STOP = "This stop is not on today's list."
    ALREADY_CLOSED = "This stop is already closed."
    PROOF_MISSING = "Proof is still missing for this stop."
    NO_MANIFEST = "There is no list for today yet."
    OFFER_GONE = "This suggestion is no longer there."
    MOVING = "The van is moving: the next stop stays."
    NO_WAY = "The way ahead is not known, so no road can be closed."
    REASON_MISSING = "A reason is wanted for what was not done."
    TOO_FAR = "The van is too far from this address."
    NAME_MISSING = "The neighbour's name or door is wanted."
    NOTHING_HANDED_OVER = "No parcel of this stop was handed over."
    PIN_LOCKED = "The PIN was wrong too often."
    NOT_ASKED = "This stop does not ask for that."
    TOO_LATE = "It is too late to take that back."
    PAUSED = "The place cannot be proven while you are paused. Go on first."
    NOT_CLOSED = "This stop is not closed."
    LABEL_GONE = "Please scan this label again."
    NOT_TAKEN = "These goods are still on another van. Take them over first."
    PASSED_ON = "These goods were given to another van."
    NO_MEETING = "No goods change vans at this stop."
    NOT_ASKED_FOR = "Nobody asks for this stop any more."


class Refusal(Value):
    """The tap was understood and not taken; nothing was saved."""

    trouble: Trouble
    stop_id: StopId | None = None


class Decision(Value):
    """The new run and everything that follows from it, to be stored in one transaction before anyone is told."""

    run: Run
    outgoing: tuple[Outgoing, ...] = ()
    effects: tuple[Effect, ...] = ()
    refusal: Refusal | None = None
    learned: DayLearned | None = None
    """What a day taught that is over now, to be folded into what is known in the same transaction."""
    erased: str | None = None
    """The address (`learn/keys.py`) about which all is to be forgotten."""
