"""What the console draws. The TypeScript types are generated from these models."""

from datetime import date
from enum import StrEnum
from typing import Literal

from cloud.proof.model import Verdict
from wire.checks import ParcelState, Waiver
from wire.events import Eta, FailReason, FixQuality, OffDutyWhy, Outcome, Suggestion, TimesSource
from wire.handover import Cash, NextStep
from wire.manifest import Address, Amount, Depot, EvidenceKind, EvidenceRule, SequencePolicy, StopKind, Window
from wire.model import Instant, Latitude, Longitude, Metres, Sha256, StopId, Value
from wire.places import Misplaced


class Freshness(StrEnum):
    """How old the news of a van is: fresh under 60 s, fading under 5 min, silent beyond; never: no word yet."""

    NEVER = "never"
    FRESH = "fresh"
    FADING = "fading"
    SILENT = "silent"


class StopStatus(StrEnum):
    """A fold of the events lane, beside what the coordinator itself decided."""

    UNASSIGNED = "unassigned"
    PLANNED = "planned"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Punctuality(StrEnum):
    """How a stop stands against its window; same words as in the cab."""

    UNKNOWN = "unknown"
    EARLY = "early"
    ON_TIME = "on_time"
    TIGHT = "tight"
    LATE = "late"


class VanPosition(Value):
    lat_deg: Latitude
    lon_deg: Longitude
    fixed_at: Instant
    quality: FixQuality
    error_m: Metres | None
    speed_mps: float | None
    heading_deg: float | None


class VanView(Value):
    van: str
    driver: str
    freshness: Freshness
    heard_at: Instant | None
    """When anything of this van last came in."""
    is_online: bool
    """What the broker says of the link; the van may be well and working while this is False."""
    position: VanPosition | None
    stops_total: int
    stops_done: int
    next_stop_id: StopId | None
    stop_ids: tuple[StopId, ...]
    """Open stops in the order the van drives them."""
    punctuality: Punctuality
    minutes_late: int
    """At its worst open stop; 0 when none is late."""
    plan_version: int
    manifest_version: int
    applied_manifest_version: int
    policy: SequencePolicy | None
    """Who may change the order of its stops today; None without a list."""
    suggestion: Suggestion | None
    """The newest better order that the van offered its driver, and what became of it."""
    waiting_rows: int
    oldest_waiting_s: float | None
    plans_made: int
    plans_made_offline: int
    blocked_until: Instant | None
    """Until when it goes round a road that its driver found blocked."""
    off_duty: OffDutyWhy | None
    """Why it tells no position; None on duty."""
    misplaced: tuple[Misplaced, ...]
    """The open stops that the van finds no open road to."""
    alarms: tuple[str, ...]
    """What is wrong with the van's own computer today (`wire.events.Alarm`); "records differ" for a store that said two
    different things under one identity today, "proof altered" where something does not hold that was sealed."""


class TransferEnd(StrEnum):
    """What became of a stop that was to change vans."""

    MOVED = "moved"
    KEPT = "kept"
    """The first van keeps it: its goods are aboard, it stands at the door, or nothing changed hands at the meeting."""
    CLOSED = "closed"
    """It was delivered, or failed, before."""
    WITHDRAWN = "withdrawn"


class TransferView(Value):
    """A stop that is to change vans, or was; of several wishes the newest."""

    from_van: str
    to_van: str
    meeting_id: StopId | None
    """Where its goods change hands; None where the first van is asked to release it."""
    asked_at: Instant
    end: TransferEnd | None
    """None: the first van still has it, or the other has not said that it took it."""
    why: str
    given: bool | None
    taken: bool | None
    """What each side of the meeting said; None: nothing yet."""


class StopRow(Value):
    """A stop in lists and on the map."""

    stop_id: StopId
    order_ref: str
    van: str | None
    kind: StopKind
    status: StopStatus
    address: Address
    recipient_name: str
    lat_deg: Latitude
    lon_deg: Longitude
    window: Window | None
    eta: Eta | None
    punctuality: Punctuality
    minutes_off: int | None
    outcome: Outcome | None
    reason: FailReason | None
    closed_at: Instant | None
    proofs: int
    """Pieces of evidence announced by the van."""
    proofs_whole: int
    """Of those, how many are here to the last byte."""
    is_flagged: bool
    """Something about it needs a person: delivered after cancel, closed by two vans, not on any manifest."""
    why_unassigned: str
    found_by: str | None
    """The van that made it of a parcel's label; None for what was ordered."""
    transfer: TransferView | None = None


class EndingKind(StrEnum):
    """What is about to end, or has ended, because nothing renewed it."""

    VAN_CERTIFICATE = "van_certificate"
    SERVER_CERTIFICATE = "server_certificate"
    """What broker, console and coordinator show."""
    AUTHORITY = "authority"
    REVOKED_LIST = "revoked_list"


class Ending(Value):
    """By the machine's own calendar, also where a simulation's day is another one."""

    kind: EndingKind
    van: str | None
    ends_on: date
    days_left: int
    """Whole days; below 0 when it is over."""


class FleetPicture(Value):
    """Everything the live page starts from; after that `/api/events` sends what changed."""

    now: Instant
    clock_rate: float
    timezone: str
    day: date
    depot: Depot | None
    vans: tuple[VanView, ...]
    stops: tuple[StopRow, ...]
    closures: tuple["ClosureView", ...]
    endings: tuple[Ending, ...] = ()


class ClosureView(Value):
    closure_id: StopId
    note: str
    line: tuple[tuple[float, float], ...]
    """[lon, lat] pairs."""
    valid_from: Instant
    valid_until: Instant


class EvidenceView(Value):
    kind: EvidenceKind
    sha256: Sha256
    media_type: str
    size_bytes: int
    signed_by: str
    captured_at: Instant
    received_at: Instant
    is_whole: bool
    """All bytes are here and match the fingerprint the van announced."""
    held_bytes: int


class ParcelRow(Value):
    """One parcel of a stop and what became of it."""

    code: str
    what: str
    state: ParcelState | None
    """None: nothing was said of it yet."""
    is_scanned: bool


class CheckRow(Value):
    """A PIN, age, note or cash check as the van said it; of each kind the newest."""

    check: EvidenceKind
    is_passed: bool
    captured_at: Instant | None
    tries: int
    min_age: int | None
    note: str
    cash: Cash | None
    cash_due: Cash | None


class HistoryRow(Value):
    """One record about a stop: captured by the van's clock, received by ours."""

    kind: str
    captured_at: Instant | None
    received_at: Instant
    epoch: str
    seq: int
    detail: str


class SealView(Value):
    """What the stop's proof is worth (`cloud.proof`)."""

    verdict: Verdict
    findings: tuple[str, ...]
    """What speaks against it, in words."""
    notes: tuple[str, ...]
    van: str | None
    """Who sealed it; None when nobody did."""
    public_key: str | None
    head: Sha256 | None
    """Of the chain that was signed."""
    is_vouched: bool
    """Whether the van's certificate stands for its key."""


class StopPage(Value):
    stop: StopRow
    amount: Amount
    instruction: str
    items: tuple[str, ...]
    proof_rules: dict[EvidenceKind, EvidenceRule]
    arrived_at: Instant | None
    received_at: Instant | None
    """When the outcome reached the coordinator."""
    received_by: str
    note: str
    distance_m: Metres | None
    closed_lat_deg: Latitude | None
    closed_lon_deg: Longitude | None
    evidence: tuple[EvidenceView, ...]
    parcels: tuple[ParcelRow, ...]
    checks: tuple[CheckRow, ...]
    waivers: tuple[Waiver, ...]
    """What the driver was warned about and left undone, with the reason given."""
    attempts: int
    """Failed ones."""
    next_step: NextStep | None
    """What became of the goods of a stop that failed."""
    pickup_point: str
    is_amended: bool
    history: tuple[HistoryRow, ...]
    seal: SealView | None = None
    """None where nothing was heard of the stop."""


class VanRoute(Value):
    """The way a van has before it, for the map."""

    van: str
    times: TimesSource
    line: tuple[tuple[float, float], ...]


class RowProblem(Value):
    row: int
    """The line in the file, header = 1."""
    column: str
    problem: str


class ImportReport(Value):
    """What an import did, or would do: good rows are taken, bad ones are named and left out."""

    is_dry_run: bool
    rows: int
    added: int
    updated: int
    unchanged: int
    problems: tuple[RowProblem, ...]


class AssignReport(Value):
    """Which van got how many stops, and why the rest got none."""

    day: date
    manifests: dict[str, int]
    """Van -> manifest version now in force."""
    assigned: int
    unassigned: dict[StopId, str]


class MapView(Value):
    has_tiles: bool
    name: str
    bounds: tuple[float, float, float, float] | None
    max_zoom: int


class ApiProblem(Value):
    """The body of every 4xx and 5xx answer."""

    problem: Literal[
        "bad_request", "not_signed_in", "forbidden", "not_found", "too_large", "conflict", "too_many", "unavailable"
    ]
    message: str
