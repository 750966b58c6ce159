"""Up: the bodies of the events lane, one model a kind, and the two lossy messages (live, presence)."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from wire.changes import Move
from wire.checks import CheckDone, Dropped, ItemOutcome, LoadChecked, ParcelScanned, Returned, StopReopened, Waiver
from wire.finding import StopFilled, StopFound
from wire.handover import Cash, NextStep
from wire.manifest import SCHEMA, Closure, EvidenceKind
from wire.model import (
    Count,
    Epoch,
    Instant,
    Latitude,
    Longitude,
    Message,
    Metres,
    Name,
    Seconds,
    Sha256,
    StopId,
    UnixMs,
)
from wire.places import Misplaced
from wire.transfer import GoodsHanded, StopKept, StopReleased


class EventKind(StrEnum):
    STOP_ARRIVED = "stop.arrived"
    STOP_COMPLETED = "stop.completed"
    STOP_FAILED = "stop.failed"
    STOP_SKIPPED = "stop.skipped"
    PROOF_CAPTURED = "proof.captured"
    PLAN_ACCEPTED = "plan.accepted"
    PLAN_KEPT = "plan.kept"
    MANIFEST_APPLIED = "manifest.applied"
    MANIFEST_REFUSED = "manifest.refused"
    COMMAND_RESULT = "command.result"
    CLOCK_ANCHORED = "clock.anchored"
    ALARM_RAISED = "alarm.raised"
    ROAD_BLOCKED = "road.blocked"
    ROAD_OPENED = "road.opened"
    STOP_DEPARTED = "stop.departed"
    DUTY_CHANGED = "duty.changed"
    KEY_ANNOUNCED = "key.announced"
    PARCEL_SCANNED = "parcel.scanned"
    CHECK_DONE = "check.done"
    STOP_REOPENED = "stop.reopened"
    STOP_AMENDED = "stop.amended"
    LOAD_CHECKED = "load.checked"
    GOODS_RETURNED = "goods.returned"
    STOP_FOUND = "stop.found"
    STOP_FILLED = "stop.filled"
    STOP_RELEASED = "stop.released"
    STOP_KEPT = "stop.kept"
    GOODS_HANDED = "goods.handed"
    GOODS_DROPPED = "goods.dropped"


class Outcome(StrEnum):
    """How a completed stop ended."""

    TO_RECIPIENT = "delivered_to_recipient"
    TO_THIRD_PARTY = "delivered_to_third_party"
    TO_NEIGHBOUR = "delivered_to_neighbour"
    TO_MAILBOX = "delivered_to_mailbox"
    TO_SAFE_PLACE = "delivered_to_safe_place"
    PICKED_UP = "picked_up"
    PARTIAL = "partial"
    """Some parcels were handed over and some were not; which is in `items`."""
    HANDED_OVER = "handed_over"
    """Of a stop where two vans meet: which goods changed vans is said for each stop (`GoodsHanded`)."""


class FailReason(StrEnum):
    """Why a stop failed."""

    NOT_HOME = "not_home"
    CANNOT_FIND = "cannot_find"
    NO_ACCESS = "no_access"
    NO_PARKING = "no_parking"
    NO_TIME = "no_time"
    REFUSED = "refused"
    DAMAGED = "damaged"
    MISSING_ITEM = "missing_item"
    WRONG_ITEM = "wrong_item"
    CLOSED = "closed"
    WRONG_ADDRESS = "wrong_address"
    UNSAFE = "unsafe"
    VEHICLE = "vehicle"
    WEATHER = "weather"
    PAYMENT_NOT_RECEIVED = "payment_not_received"
    PROOF_MISSING = "proof_missing"
    AGE_CHECK_FAILED = "age_check_failed"


class ReplanReason(StrEnum):
    """Why the van looked for a new order."""

    MANIFEST = "manifest changed"
    STOP_FAILED = "stop failed"
    STOP_SKIPPED = "stop skipped"
    LATENESS = "lateness at risk"
    ROAD_CLOSED = "road closed"
    OUT_OF_ORDER = "driver chose another stop"
    COMMAND = "asked by the coordinator"
    BATTERY = "battery read"


class TimesSource(StrEnum):
    """Where a plan's leg times come from: the road network, or the straight line, marked as the estimate it is."""

    ROADS = "roads"
    ESTIMATE = "estimate"


class Alarm(StrEnum):
    """What is wrong with a van's computer itself, and wants a person."""

    STORE_DAMAGED = "store damaged"
    """The database was damaged: it was set aside, and what could be read of it goes on in a new one."""
    STORE_RESTORED = "store restored"
    """The database is an older copy, or a new one where there was one before: what was not receipted may be gone."""
    NAME_TAKEN = "name taken"
    """Another unit speaks under this van's name: a cloned card."""
    UNSAFE_DISK = "unsafe disk"
    """The file system under the data keeps no promise through a power cut."""


class ArrivedBy(StrEnum):
    """Who says that the van is at a stop. A word that a newer van may know is read as the driver's."""

    TAP = "tap"
    GEOFENCE = "geofence"
    """The van stood near the stop it was driving to for a while, by fixes that were believed."""

    @classmethod
    def _missing_(cls, value: object) -> "ArrivedBy | None":
        return cls.TAP if isinstance(value, str) else None


class StopArrived(Message):
    stop_id: StopId
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    distance_m: Metres | None = None
    """Straight-line distance from the address at the tap; None without a position."""
    by: ArrivedBy = ArrivedBy.TAP
    arrived_at: Instant | None = None
    """Since when the van stands there; None where that is when it was said."""


class StopDeparted(Message):
    """The van drove off from a stop, whatever came of it there."""

    stop_id: StopId
    arrived_at: Instant
    departed_at: Instant
    stood_s: Seconds
    is_closed: bool
    """False: it left with the stop still open."""


class StopCompleted(Message):
    stop_id: StopId
    outcome: Outcome
    received_by: str = ""
    proofs: tuple[Sha256, ...] = ()
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    distance_m: Metres | None = None
    listed: Sha256 | None = None
    """Of the stop as it stood on the list (`wire.codec.content_hash`): address, recipient, items."""
    items: tuple[ItemOutcome, ...] = ()
    """What became of each parcel, where parcels have codes."""
    waivers: tuple[Waiver, ...] = ()
    """What was warned about and left undone, with the driver's reason."""
    note: str = ""
    cash: Cash | None = None
    """What was taken."""
    way: Outcome | None = None
    """Of a `partial`: to whom, or where, the part went that was handed over."""


class StopFailed(Message):
    stop_id: StopId
    reason: FailReason
    note: str = ""
    listed: Sha256 | None = None
    next_step: NextStep | None = None
    """`later_today`: the van comes again, and the stop stays open."""
    attempt: Count = 1
    """Which one of today this was."""


class StopAmended(Message):
    """A correction of a stop that is closed; only what is given is corrected. The time of delivery stays what
    it was.
    """

    stop_id: StopId
    outcome: Outcome | None = None
    """With one, the stop was delivered after all; with `reason`, it was not."""
    reason: FailReason | None = None
    received_by: str | None = None
    note: str | None = None


class StopSkipped(Message):
    """Not now: the stop stays open and goes to a later place in the order."""

    stop_id: StopId


class ProofCaptured(Message):
    stop_id: StopId
    evidence_kind: EvidenceKind
    sha256: Sha256
    size_bytes: Annotated[int, Field(gt=0)]
    media_type: Literal["image/png", "image/jpeg"]
    signed_by: str = ""


class PlanAccepted(Message):
    plan_version: int
    manifest_version: int
    reason: ReplanReason
    stop_ids: tuple[StopId, ...]
    moved_stops: int
    gain_s: float
    """How much sooner the day ends, in seconds; negative when it ends later."""
    times: TimesSource
    was_offline: bool
    """True when the van had no link at the moment it took the plan."""
    moves: tuple[Move, ...] = ()
    """Why each moved stop moved."""
    offer: Count | None = None
    """The suggestion that the driver accepted; None where nobody had to be asked."""


class PlanKept(Message):
    """The driver saw a suggestion and kept the order there was."""

    offer: Count
    plan_version: int
    """Of the plan that stays in force."""
    manifest_version: int
    reason: ReplanReason
    offered_stop_ids: tuple[StopId, ...]
    moved_stops: int
    gain_s: float
    """How much sooner the day would have ended, in seconds."""
    moves: tuple[Move, ...] = ()


class ManifestApplied(Message):
    version: Count
    sha256: Sha256 | None = None
    """Of the manifest's content (`wire.codec.content_hash`): the same version with another hash is another list."""


class ManifestRefused(Message):
    version: Count | None
    why: str


class CommandResult(Message):
    command_id: StopId
    result: Literal["done", "expired", "refused"]
    why: str = ""


class ClockAnchored(Message):
    """What the time was at a moment of a boot, known only now: earlier records of that boot are dated by it."""

    boot: Annotated[int, Field(ge=1, lt=2**31)]
    mono_ms: Count
    wall_ms: UnixMs
    wall_err_ms: Count
    source: Literal["gps", "system"]


class AlarmRaised(Message):
    """Told once a day for each alarm; `detail` is for the one who looks into it."""

    alarm: Alarm
    detail: str = ""


class RoadBlocked(Message):
    """The driver stands before a blocked road: this van goes round it until the time is over."""

    closure: Closure


class RoadOpened(Message):
    """The driver took it back."""

    closure_ids: tuple[StopId, ...]


class OffDutyWhy(StrEnum):
    """Why a van tells no position. A word that a newer van may know is read as the driver's pause."""

    NOT_BEGUN = "not begun"
    PAUSED = "paused"
    SHIFT_OVER = "shift over"

    @classmethod
    def _missing_(cls, value: object) -> "OffDutyWhy | None":
        return cls.PAUSED if isinstance(value, str) else None


class DutyChanged(Message):
    """From here on the van keeps and tells where it is, or does not."""

    is_on_duty: bool
    why: OffDutyWhy | None = None
    """None while on duty."""


class KeyAnnounced(Message):
    """The key by which this epoch is sealed (`wire/seal.py`); the record is signed by it."""

    public_key: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Ed25519."""
    certificate_pem: Annotated[str, Field(max_length=8_192)] = ""
    """The van's own, while it is enrolled."""
    vouched: Annotated[str, Field(max_length=512)] = ""
    """By the certificate's key over van, epoch and this key (`wire.seal.to_vouch`): ECDSA with SHA-256, DER in hex."""


BODIES: Mapping[str, type[Message]] = {
    EventKind.STOP_ARRIVED: StopArrived,
    EventKind.STOP_COMPLETED: StopCompleted,
    EventKind.STOP_FAILED: StopFailed,
    EventKind.STOP_SKIPPED: StopSkipped,
    EventKind.PROOF_CAPTURED: ProofCaptured,
    EventKind.PLAN_ACCEPTED: PlanAccepted,
    EventKind.PLAN_KEPT: PlanKept,
    EventKind.MANIFEST_APPLIED: ManifestApplied,
    EventKind.MANIFEST_REFUSED: ManifestRefused,
    EventKind.COMMAND_RESULT: CommandResult,
    EventKind.CLOCK_ANCHORED: ClockAnchored,
    EventKind.ALARM_RAISED: AlarmRaised,
    EventKind.ROAD_BLOCKED: RoadBlocked,
    EventKind.ROAD_OPENED: RoadOpened,
    EventKind.STOP_DEPARTED: StopDeparted,
    EventKind.DUTY_CHANGED: DutyChanged,
    EventKind.KEY_ANNOUNCED: KeyAnnounced,
    EventKind.PARCEL_SCANNED: ParcelScanned,
    EventKind.CHECK_DONE: CheckDone,
    EventKind.STOP_REOPENED: StopReopened,
    EventKind.STOP_AMENDED: StopAmended,
    EventKind.LOAD_CHECKED: LoadChecked,
    EventKind.GOODS_RETURNED: Returned,
    EventKind.STOP_FOUND: StopFound,
    EventKind.STOP_FILLED: StopFilled,
    EventKind.STOP_RELEASED: StopReleased,
    EventKind.STOP_KEPT: StopKept,
    EventKind.GOODS_HANDED: GoodsHanded,
    EventKind.GOODS_DROPPED: Dropped,
}
"""The model of each kind's body. A kind not listed here is kept as it came: a newer van may know more than we do."""


class FixQuality(StrEnum):
    """What a position is worth. A word that a newer van may know is read as stale: the ground for nothing."""

    NONE = "none"
    STALE = "stale"
    FIX_2D = "2d"
    FIX_3D = "3d"
    ESTIMATED = "estimated"
    """No fix: where the van would be on its way by now. Never the ground for an arrival, nor a proof's place."""

    @classmethod
    def _missing_(cls, value: object) -> "FixQuality | None":
        return cls.STALE if isinstance(value, str) else None

    @property
    def is_fresh(self) -> bool:
        """A fix, and one of now."""
        return self in (FixQuality.FIX_2D, FixQuality.FIX_3D)


class EtaBasis(StrEnum):
    """What an expected arrival rests on."""

    LEARNED = "learned"
    """On what the van learned of its visits and legs, beside the list and the road."""
    ROADS = "roads"
    """On the list's times and the road network's."""
    ESTIMATE = "estimate"
    """On the list's times and the straight line."""


class Eta(Message):
    """When we expect to be there, and how sure we are (10th, 50th and 90th percentile)."""

    p10: Instant
    p50: Instant
    p90: Instant
    times: TimesSource
    as_of: Instant
    basis: EtaBasis | None = None
    """None from a van that does not say."""
    basis_at: Instant | None = None
    """When that was last added to or looked up: the newest visit that taught something, or the plan."""


class StopEta(Message):
    stop_id: StopId
    eta: Eta


class LivePosition(Message):
    lat_deg: Latitude
    lon_deg: Longitude
    fixed_at: Instant
    quality: FixQuality
    error_m: Metres | None = None
    speed_mps: Annotated[float, Field(ge=0)] | None = None
    heading_deg: Annotated[float, Field(ge=0, lt=360)] | None = None


class SuggestionState(StrEnum):
    """What became of a better order that the van offered its driver."""

    OPEN = "open"
    ACCEPTED = "accepted"
    KEPT = "kept"
    """The driver stays with the order there was."""


class Suggestion(Message):
    """The newest one of the day."""

    state: SuggestionState
    since: Instant
    moved_stops: Count
    gain_s: float
    """How much sooner the day ends with it, in seconds."""


class Live(Message):
    """The newest picture of one van; lossy, so every message is complete in itself."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    sent_at: Instant
    position: LivePosition | None = None
    manifest_version: int = 0
    plan_version: int = 0
    stop_ids: tuple[StopId, ...] = ()
    """The open stops in the van's own order."""
    etas: tuple[StopEta, ...] = ()
    alarms: tuple[str, ...] = ()
    """Of `Alarm`, those of today; a newer van may know more."""
    misplaced: tuple[Misplaced, ...] = ()
    """The open stops that no open road leads to, at most 50."""
    blocked_until: Instant | None = None
    """Until when the van goes round a road that its driver found blocked."""
    suggestion: Suggestion | None = None
    off_duty: OffDutyWhy | None = None
    """Why there is no position; None on duty, and from a van that does not say."""


class Presence(Message):
    """Retained. `is_online=False` with only van and epoch is the last will, written by the broker."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    epoch: Epoch
    boot: int
    is_online: bool
    agent_version: str = ""
    outbox_rows: int = 0
    oldest_row_age_s: Seconds | None = None
    """By a clock that never jumps; a van that was off without knowing the time says too little, never too much."""
    kept_epochs: tuple[Epoch, ...] = ()
    """Earlier lives of the store of which rows are still kept."""
