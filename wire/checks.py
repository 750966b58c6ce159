"""Up: what was checked at the door beside photo and signature, and what was said of a stop after it was closed."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wire.handover import Cash, ParcelCode
from wire.manifest import EvidenceKind
from wire.model import Count, Instant, Message, StopId


class ScanVerdict(StrEnum):
    """What a scanned code is, as seen from the stop the van stands at."""

    RIGHT = "right"
    NOT_THIS_STOP = "not_this_stop"
    NOT_THIS_VAN = "not_this_van"
    UNKNOWN = "unknown"
    MISREAD = "misread"
    """Its check digit is wrong: a damaged label, or a typing mistake."""


class ParcelState(StrEnum):
    """What became of one parcel at the door."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    DAMAGED = "damaged"
    MISSING = "missing"


class WaiverReason(StrEnum):
    """Why something that was only warned about was not done."""

    RECIPIENT_DECLINED = "recipient_declined"
    NOT_POSSIBLE_HERE = "not_possible_here"
    DEVICE_FAILED = "device_failed"
    ADDRESS_IS_ELSEWHERE = "address_is_elsewhere"
    OTHER = "other"


class Waiver(Message):
    """A check whose rule is `warn`, and why the stop was closed without it."""

    kind: EvidenceKind
    why: WaiverReason


class ItemOutcome(Message):
    code: ParcelCode
    state: ParcelState
    is_scanned: bool = False
    """By the reader or typed at this stop; False for one that the driver only marked."""


class ParcelScanned(Message):
    """Said for a code at a stop, right or not. `belongs_to` names the stop it is for, where the van knows it."""

    stop_id: StopId
    code: ParcelCode
    verdict: ScanVerdict
    is_typed: bool = False
    belongs_to: StopId | None = None


class CheckDone(Message):
    """PIN, age, note or money at a stop. Of a person nothing is kept but yes or no: no date of birth, no document."""

    stop_id: StopId
    check: EvidenceKind
    is_passed: bool
    tries: Count = 0
    """Of the PIN, this one included."""
    min_age: Count | None = None
    note: Annotated[str, Field(max_length=500)] = ""
    cash: Cash | None = None
    """What was taken, which may be less than what was due."""


class StopReopened(Message):
    """The driver took the closing back, within seconds. What was said before stays said; this is said after it."""

    stop_id: StopId
    closed_at: Instant


class LoadChecked(Message):
    """What was aboard before the van left: counted, or scanned code by code."""

    expected: Count
    aboard: Count
    missing: tuple[ParcelCode, ...] = ()
    """Listed and not aboard, where parcels have codes."""
    unlisted: tuple[ParcelCode, ...] = ()
    """Aboard and on no stop of this van."""


class Returned(Message):
    """Parcels of stops that were not delivered, handed back at the depot."""

    stop_ids: tuple[StopId, ...]
    parcels: Count
    scanned: tuple[ParcelCode, ...] = ()
    """Those that were scanned there."""


class Dropped(Message):
    """Goods of a stop that failed, which go to a pickup point; told of each stop."""

    stop_id: StopId
    pickup_point: str
    is_dropped: bool
    """False: they could not be left there, and come back to the depot."""
    parcels: Count = 0
