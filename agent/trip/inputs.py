"""Everything that enters the run: facts in the past tense, fields only. The counterpart is `effects.py`.

An input is stored as JSON with its `kind`; the inputs of a day, replayed in order, give the same day byte for byte.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from agent.gps.position import Motion, Position
from agent.learn.known import Known
from agent.pod.labels import Spotted
from agent.trip.run import Evidence, Plan, Proposal
from wire.checks import ParcelState, Waiver
from wire.elsewhere import Elsewhere
from wire.events import Alarm, FailReason, KeyAnnounced, Outcome
from wire.manifest import Command, Conditions, Manifest
from wire.model import Epoch, Latitude, Longitude, StopId, Value


class FixJudged(Value):
    """The receiver spoke, or has been silent long enough to say so; None: no position we believe."""

    kind: Literal["fix_judged"] = "fix_judged"
    position: Position | None
    motion: Motion = Motion.UNKNOWN


class ManifestArrived(Value):
    kind: Literal["manifest_arrived"] = "manifest_arrived"
    manifest: Manifest


class ManifestUnreadable(Value):
    """A manifest came that this agent cannot read; the one it has stays in force."""

    kind: Literal["manifest_unreadable"] = "manifest_unreadable"
    version: int | None
    why: str


class ConditionsArrived(Value):
    kind: Literal["conditions_arrived"] = "conditions_arrived"
    conditions: Conditions


class ElsewhereArrived(Value):
    kind: Literal["elsewhere_arrived"] = "elsewhere_arrived"
    elsewhere: Elsewhere


class CommandArrived(Value):
    kind: Literal["command_arrived"] = "command_arrived"
    command: Command
    is_time_trusted: bool = True
    """False: nobody knows what time it is, so that nothing may expire."""


class ArrivedTapped(Value):
    kind: Literal["arrived_tapped"] = "arrived_tapped"
    stop_id: StopId


class EvidenceTaken(Value):
    """A photo or signature whose bytes are stored in the same transaction as this input."""

    kind: Literal["evidence_taken"] = "evidence_taken"
    stop_id: StopId
    evidence: Evidence


class DeliveredTapped(Value):
    kind: Literal["delivered_tapped"] = "delivered_tapped"
    stop_id: StopId
    outcome: Outcome = Outcome.TO_RECIPIENT
    received_by: str = ""
    waivers: tuple[Waiver, ...] = ()
    """The driver's reasons for what is only warned about."""


class FailedTapped(Value):
    kind: Literal["failed_tapped"] = "failed_tapped"
    stop_id: StopId
    reason: FailReason
    note: str = ""


class SkippedTapped(Value):
    kind: Literal["skipped_tapped"] = "skipped_tapped"
    stop_id: StopId


class ForgetTapped(Value):
    """Erase what was learned about the address of a stop."""

    kind: Literal["forget_tapped"] = "forget_tapped"
    stop_id: StopId


class ChargeTold(Value):
    """What the battery's display shows, as a share of what may be used of it."""

    kind: Literal["charge_told"] = "charge_told"
    share: Annotated[float, Field(ge=0, le=1)]


class AcceptTapped(Value):
    """The driver takes the order that was offered."""

    kind: Literal["accept_tapped"] = "accept_tapped"
    offer: int


class KeepTapped(Value):
    """*Keep mine*: the driver has seen the offer and stays with the order there is."""

    kind: Literal["keep_tapped"] = "keep_tapped"
    offer: int


class RoadBlockedTapped(Value):
    """The driver stands before a blocked road."""

    kind: Literal["road_blocked_tapped"] = "road_blocked_tapped"
    for_min: int
    line: tuple[tuple[Latitude, Longitude], ...]
    """The way ahead of the van as it was when the driver tapped; nothing where nobody knows it."""


class RoadOpenTapped(Value):
    """The driver takes back every *road blocked*."""

    kind: Literal["road_open_tapped"] = "road_open_tapped"


class DutyTapped(Value):
    """The driver pauses, or goes on: off duty nothing is kept or told of where the van is."""

    kind: Literal["duty_tapped"] = "duty_tapped"
    is_on_duty: bool


class CodeScanned(Value):
    """A code was read, or typed, at a stop."""

    kind: Literal["code_scanned"] = "code_scanned"
    stop_id: StopId
    code: str
    is_typed: bool = False
    spotted: Spotted | None = None
    """Where the map has the address of its label, if it is one and was looked for."""


class ParcelMarked(Value):
    """The driver's word on one parcel; None takes it back."""

    kind: Literal["parcel_marked"] = "parcel_marked"
    stop_id: StopId
    code: str
    state: ParcelState | None


class PinTried(Value):
    """Whether the digits were right; the digits themselves enter nothing."""

    kind: Literal["pin_tried"] = "pin_tried"
    stop_id: StopId
    is_right: bool


class AgeAnswered(Value):
    kind: Literal["age_answered"] = "age_answered"
    stop_id: StopId
    is_old_enough: bool


class NoteWritten(Value):
    """An empty note takes it back."""

    kind: Literal["note_written"] = "note_written"
    stop_id: StopId
    note: str


class CashTaken(Value):
    kind: Literal["cash_taken"] = "cash_taken"
    stop_id: StopId
    amount_minor: int


class WayChosen(Value):
    """To whom the goods go; `name` of a neighbour is what is on their door."""

    kind: Literal["way_chosen"] = "way_chosen"
    stop_id: StopId
    outcome: Outcome
    name: str = ""


class UndoTapped(Value):
    """The driver takes back the closing of a moment ago."""

    kind: Literal["undo_tapped"] = "undo_tapped"
    stop_id: StopId


class AmendTapped(Value):
    """A correction of a closed stop; None leaves a thing as it is."""

    kind: Literal["amend_tapped"] = "amend_tapped"
    stop_id: StopId
    outcome: Outcome | None = None
    reason: FailReason | None = None
    received_by: str | None = None
    note: str | None = None


class LoadScanned(Value):
    """A code at the depot, before leaving."""

    kind: Literal["load_scanned"] = "load_scanned"
    code: str
    spotted: Spotted | None = None


class LoadConfirmed(Value):
    """The load is as it is: `counted` parcels, or as scanned where that is None."""

    kind: Literal["load_confirmed"] = "load_confirmed"
    counted: int | None = None


class GoodsReturned(Value):
    """What was not handed over has been given back at the depot."""

    kind: Literal["goods_returned"] = "goods_returned"


class LabelRead(Value):
    """A code was read, or typed, at no stop."""

    kind: Literal["label_read"] = "label_read"
    code: str
    spotted: Spotted | None = None


class LabelTaken(Value):
    """The driver makes a stop of the label that was read."""

    kind: Literal["label_taken"] = "label_taken"
    code: str


class BackScanned(Value):
    """A code at the depot, of what is handed back."""

    kind: Literal["back_scanned"] = "back_scanned"
    code: str


class DroppedTapped(Value):
    """What goes to a pickup point was left there; or could not be, and comes back."""

    kind: Literal["dropped_tapped"] = "dropped_tapped"
    pickup_point: str
    is_dropped: bool


class HandedOver(Value):
    """At a meeting of two vans: the goods of `stop_ids` were given, or taken; None: all that were to be."""

    kind: Literal["handed_over"] = "handed_over"
    stop_id: StopId
    stop_ids: tuple[StopId, ...] | None = None


class ReleaseAnswered(Value):
    """The driver's word where nobody else knows whether goods that are wanted elsewhere are aboard."""

    kind: Literal["release_answered"] = "release_answered"
    stop_id: StopId
    is_aboard: bool


class PlanSolved(Value):
    """The planner's answer for the run as it was at `run_version`; a stale one is dropped."""

    kind: Literal["plan_solved"] = "plan_solved"
    run_version: int
    plan: Plan
    """The driver's own order with fresh times, repaired where it had to be."""
    better: Proposal | None = None
    """A better one, as far as one was found."""
    is_sketch: bool = False
    """What is known while the answer is still worked on: the driver's own order, perhaps with estimates."""


class PlanNotFound(Value):
    """The planner could not answer for `run_version`; the plan in force stays."""

    kind: Literal["plan_not_found"] = "plan_not_found"
    run_version: int
    why: str


class LinkChanged(Value):
    kind: Literal["link_changed"] = "link_changed"
    is_online: bool


class TimeFound(Value):
    """The time at a moment of this boot became known, after records had been given other times or none."""

    kind: Literal["time_found"] = "time_found"
    boot: int
    mono_ms: int
    wall_ms: int
    err_ms: int
    source: Literal["gps", "system"]


class Alarmed(Value):
    """Something is wrong with the van's own computer."""

    kind: Literal["alarmed"] = "alarmed"
    alarm: Alarm
    detail: str = ""


class MinutePassed(Value):
    """A domain minute went by: time to look whether lateness is at risk."""

    kind: Literal["minute_passed"] = "minute_passed"


class Recalled(Value):
    """What was learned on other days, as far as this day can use it."""

    kind: Literal["recalled"] = "recalled"
    known: Known


class KeyReady(Value):
    """The key by which this epoch of the store is sealed, with what vouches for it; said at every start."""

    kind: Literal["key_ready"] = "key_ready"
    epoch: Epoch
    announced: KeyAnnounced


StopTap = ArrivedTapped | EvidenceTaken | DeliveredTapped | FailedTapped | SkippedTapped
OfferTap = AcceptTapped | KeepTapped
RoadTap = RoadBlockedTapped | RoadOpenTapped
HandTap = CodeScanned | ParcelMarked | PinTried | AgeAnswered | NoteWritten | CashTaken | WayChosen
"""What is done at a door before it is closed."""
AfterTap = UndoTapped | AmendTapped
LoadTap = LoadScanned | LoadConfirmed | GoodsReturned | BackScanned | DroppedTapped
LabelTap = LabelRead | LabelTaken
TransferTap = HandedOver | ReleaseAnswered
Tap = (
    StopTap
    | OfferTap
    | ForgetTapped
    | RoadTap
    | ChargeTold
    | DutyTapped
    | HandTap
    | AfterTap
    | LoadTap
    | LabelTap
    | TransferTap
)
AnyInput = (
    FixJudged
    | ManifestArrived
    | ManifestUnreadable
    | ConditionsArrived
    | ElsewhereArrived
    | CommandArrived
    | Tap
    | PlanSolved
    | PlanNotFound
    | LinkChanged
    | TimeFound
    | Alarmed
    | MinutePassed
    | Recalled
    | KeyReady
)
Input = Annotated[AnyInput, Field(discriminator="kind")]
INPUT: TypeAdapter[AnyInput] = TypeAdapter(Input)
