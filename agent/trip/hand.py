"""What was done at one door beside pictures, as part of the run: codes scanned, PIN, age, note, money, to whom."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wire.checks import ParcelState, ScanVerdict
from wire.events import FailReason, Outcome
from wire.model import Instant, Name, StopId, Value


class ParcelDone(Value):
    """One parcel of the stop and what became of it."""

    code: str
    state: ParcelState
    is_scanned: bool = False


class LastScan(Value):
    """The newest code, for the screen: its verdict stays until the next one."""

    code: str
    verdict: ScanVerdict
    belongs_to: StopId | None
    at: Instant
    of_van: Name | None = None
    """The other van on whose list it is."""


class Hand(Value):
    """Empty until something is done at the stop."""

    parcels: tuple[ParcelDone, ...] = ()
    parcels_at: Instant | None = None
    """When one of them was last scanned or marked."""
    last_scan: LastScan | None = None
    pin_tries: Annotated[int, Field(ge=0)] = 0
    """Wrong ones, and the right one."""
    pin_passed_at: Instant | None = None
    is_old_enough: bool | None = None
    """None: nobody asked yet."""
    age_asked_at: Instant | None = None
    note: str = ""
    noted_at: Instant | None = None
    cash_minor: Annotated[int, Field(ge=0)] | None = None
    """What was taken, in the currency of the stop."""
    cash_taken_at: Instant | None = None
    way: Outcome | None = None
    """To whom, where the driver said so before closing."""
    way_name: str = ""
    attempts: Annotated[int, Field(ge=0)] = 0
    """Of today, those that failed."""
    tried_at: Instant | None = None
    """When the last of them was."""
    proofs_before: Annotated[int, Field(ge=0)] = 0
    """How many pieces of the stop's evidence were taken for them, and prove nothing of the next."""
    tried_for: FailReason | None = None
    amended_at: Instant | None = None

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was done at the attempt that is on."""
        kept = {name: getattr(self, name) for name in ("attempts", "tried_at", "tried_for", "proofs_before")}
        return self == Hand(**kept, pin_tries=self.pin_tries if self.attempts else 0)

    def state_of(self, code: str) -> ParcelDone | None:
        return next((parcel for parcel in self.parcels if parcel.code == code), None)


class LoadState(StrEnum):
    """How far the load check at the depot is."""

    OPEN = "open"
    DONE = "done"


class Load(Value):
    """What was found aboard before leaving; a new day begins with a new one."""

    state: LoadState = LoadState.OPEN
    scanned: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    counted: Annotated[int, Field(ge=0)] | None = None
    last_scan: LastScan | None = None
    checked_at: Instant | None = None
    returned: tuple[StopId, ...] = ()
    """The stops whose goods are back at the depot."""
    dropped: tuple[StopId, ...] = ()
    """The stops whose goods were left at their pickup point."""
    not_dropped: tuple[StopId, ...] = ()
    """Those that could not be: their goods come back."""
    back_scanned: tuple[str, ...] = ()
    """Codes scanned at the hand-back, since the last one."""
    taken: tuple[StopId, ...] | None = None
    """The stops whose goods left the depot with this van; None: it has not left yet, as far as anybody said."""
