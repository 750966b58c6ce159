"""The taps the cab page sends, and the two answers to them. The TypeScript types are generated from these models."""

from typing import Annotated, Literal

from pydantic import Field

from agent.trip.effects import Trouble
from wire.checks import ParcelState, Waiver
from wire.events import FailReason, Outcome
from wire.model import Count, Instant, Sha256, StopId, Value

TapId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]

Scanned = Annotated[str, Field(min_length=1, max_length=2_000)]
"""A code as the reader sent it, or as it was typed: a transport label holds a whole address."""


class ArrivedTap(Value):
    kind: Literal["arrived"] = "arrived"
    tap_id: TapId
    """Made by the page, once per tap: the same tap sent again is answered again and not done again."""
    stop_id: StopId


class DeliveredTap(Value):
    kind: Literal["delivered"] = "delivered"
    tap_id: TapId
    stop_id: StopId
    outcome: Outcome = Outcome.TO_RECIPIENT
    received_by: Annotated[str, Field(max_length=120)] = ""
    waivers: Annotated[tuple[Waiver, ...], Field(max_length=10)] = ()


class FailedTap(Value):
    kind: Literal["failed"] = "failed"
    tap_id: TapId
    stop_id: StopId
    reason: FailReason
    note: Annotated[str, Field(max_length=500)] = ""


class SkippedTap(Value):
    kind: Literal["skipped"] = "skipped"
    tap_id: TapId
    stop_id: StopId


class ForgetTap(Value):
    """Erase what the van learned about the address of a stop."""

    kind: Literal["forget"] = "forget"
    tap_id: TapId
    stop_id: StopId


class ChargeTap(Value):
    """What the battery's display shows."""

    kind: Literal["charge"] = "charge"
    tap_id: TapId
    percent: Annotated[int, Field(ge=0, le=100)]


class DutyTap(Value):
    """Pause, or go on: whether the van keeps and tells where it is."""

    kind: Literal["duty"] = "duty"
    tap_id: TapId
    is_on_duty: bool


class AcceptTap(Value):
    kind: Literal["accept"] = "accept"
    tap_id: TapId
    offer: Count


class KeepTap(Value):
    kind: Literal["keep"] = "keep"
    tap_id: TapId
    offer: Count


class RoadBlockedTap(Value):
    """The road ahead is blocked; which one that is, the agent knows."""

    kind: Literal["road_blocked"] = "road_blocked"
    tap_id: TapId
    for_min: Annotated[int, Field(ge=5, le=24 * 60)] = 60


class RoadOpenTap(Value):
    kind: Literal["road_open"] = "road_open"
    tap_id: TapId


class ScanTap(Value):
    """A code as the reader sent it, or as it was typed."""

    kind: Literal["scan"] = "scan"
    tap_id: TapId
    stop_id: StopId
    code: Scanned
    is_typed: bool = False


class MarkTap(Value):
    """The driver's word on one parcel; None takes it back."""

    kind: Literal["mark"] = "mark"
    tap_id: TapId
    stop_id: StopId
    code: Annotated[str, Field(min_length=1, max_length=90)]
    state: ParcelState | None


class PinTap(Value):
    kind: Literal["pin"] = "pin"
    tap_id: TapId
    stop_id: StopId
    pin: Annotated[str, Field(pattern=r"^[0-9]{4,8}$")]


class AgeTap(Value):
    kind: Literal["age"] = "age"
    tap_id: TapId
    stop_id: StopId
    is_old_enough: bool


class NoteTap(Value):
    kind: Literal["note"] = "note"
    tap_id: TapId
    stop_id: StopId
    note: Annotated[str, Field(max_length=500)]


class CashTap(Value):
    kind: Literal["cash"] = "cash"
    tap_id: TapId
    stop_id: StopId
    amount_minor: Annotated[int, Field(ge=0, lt=10**12)]


class WayTap(Value):
    """To whom the goods go; `name` is what is on the neighbour's door."""

    kind: Literal["way"] = "way"
    tap_id: TapId
    stop_id: StopId
    outcome: Outcome
    name: Annotated[str, Field(max_length=120)] = ""


class UndoTap(Value):
    kind: Literal["undo"] = "undo"
    tap_id: TapId
    stop_id: StopId


class AmendTap(Value):
    """A correction of a closed stop; None leaves a thing as it is."""

    kind: Literal["amend"] = "amend"
    tap_id: TapId
    stop_id: StopId
    outcome: Outcome | None = None
    reason: FailReason | None = None
    received_by: Annotated[str, Field(max_length=120)] | None = None
    note: Annotated[str, Field(max_length=500)] | None = None


class LoadScanTap(Value):
    kind: Literal["load_scan"] = "load_scan"
    tap_id: TapId
    code: Scanned


class LoadTap(Value):
    """The load is as it is: `counted` parcels, or as scanned where that is None."""

    kind: Literal["load"] = "load"
    tap_id: TapId
    counted: Annotated[int, Field(ge=0, le=100_000)] | None = None


class ReturnedTap(Value):
    """What was not handed over has been given back at the depot."""

    kind: Literal["returned"] = "returned"
    tap_id: TapId


class LabelTap(Value):
    """A code that was read, or typed, at no stop."""

    kind: Literal["label"] = "label"
    tap_id: TapId
    code: Scanned


class MakeStopTap(Value):
    """*Make a stop of this label*; `code` is the parcel's, as the view has it."""

    kind: Literal["make_stop"] = "make_stop"
    tap_id: TapId
    code: Annotated[str, Field(min_length=1, max_length=90)]


class BackScanTap(Value):
    """A code at the depot, of what is handed back."""

    kind: Literal["back_scan"] = "back_scan"
    tap_id: TapId
    code: Annotated[str, Field(min_length=1, max_length=400)]


class DroppedTap(Value):
    """What goes to a pickup point was left there; or could not be, and comes back."""

    kind: Literal["dropped"] = "dropped"
    tap_id: TapId
    pickup_point: Annotated[str, Field(max_length=200)]
    is_dropped: bool


class HandOverTap(Value):
    """At a meeting of two vans: the goods of `stop_ids` were given, or taken."""

    kind: Literal["hand_over"] = "hand_over"
    tap_id: TapId
    stop_id: StopId
    stop_ids: Annotated[tuple[StopId, ...], Field(min_length=1, max_length=500)]


class ReleaseTap(Value):
    """Whether goods that are wanted on another van are aboard, where only the driver knows."""

    kind: Literal["release"] = "release"
    tap_id: TapId
    stop_id: StopId
    is_aboard: bool


PlainTap = (
    ArrivedTap
    | DeliveredTap
    | FailedTap
    | SkippedTap
    | ForgetTap
    | AcceptTap
    | KeepTap
    | RoadBlockedTap
    | RoadOpenTap
    | ScanTap
    | MarkTap
    | AgeTap
    | NoteTap
    | CashTap
    | WayTap
    | UndoTap
    | AmendTap
    | LoadScanTap
    | LoadTap
    | ReturnedTap
    | LabelTap
    | MakeStopTap
    | BackScanTap
    | DroppedTap
    | HandOverTap
    | ReleaseTap
)
"""All but the one that must be checked before it is a fact."""
AnyTap = Annotated[PlainTap | PinTap, Field(discriminator="kind")]

SCAN_TAPS = (ScanTap, LoadScanTap, LabelTap)
"""Those that carry a code as the reader sent it."""
HAND_TAPS = (
    ScanTap, MarkTap, PinTap, AgeTap, NoteTap, CashTap, WayTap, UndoTap, AmendTap, LoadScanTap, LoadTap, ReturnedTap,
    LabelTap, MakeStopTap,
    HandOverTap, ReleaseTap, BackScanTap, DroppedTap,
)  # fmt: skip


class Saved(Value):
    """The answer to a tap or to evidence, sent only after the store's synced commit."""

    saved_at: Instant
    tap_id: TapId
    sha256: Sha256 | None = None
    """Of the evidence as it is kept (a photo is re-encoded); None for a plain tap."""


class NotSaved(Value):
    """Why nothing was saved, in a driver's words; the HTTP status is 4xx or 507."""

    trouble: Trouble | None = None
    message: str
