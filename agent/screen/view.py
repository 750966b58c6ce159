"""What the cab page draws, and the taps it sends. The TypeScript types are generated from these models.

The page decides nothing: every word that depends on the run is a field here; wording and language are the page's.
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from agent.gps.position import Motion
from agent.trip.effects import Trouble
from agent.trip.punctuality import Punctuality
from agent.trip.run import StopPhase
from wire.changes import MissWhy, MoveWhy
from wire.events import Alarm, Eta, FailReason, FixQuality, OffDutyWhy, Outcome, ReplanReason, TimesSource
from wire.manifest import Address, Amount, EvidenceKind, EvidenceRule, SequencePolicy, StopKind, Window
from wire.model import Count, Instant, Latitude, Longitude, Metres, Sha256, StopId, Value
from wire.places import PlaceTrouble


class LinkView(Value):
    is_online: bool
    since: Instant | None
    waiting: int
    """Rows and photos the coordinator has not receipted."""
    oldest_waiting_s: float | None


class GpsView(Value):
    quality: FixQuality
    since: Instant | None
    """Since when there has been no good fix; None while it is good."""


class PositionView(Value):
    lat_deg: Latitude
    lon_deg: Longitude
    heading_deg: float | None
    speed_mps: float | None
    error_m: Metres | None
    fixed_at: Instant
    road_lat_deg: Latitude | None
    """Where on its way the van is drawn; None off it. What is kept and sent is the fix itself."""
    road_lon_deg: Longitude | None
    road_heading_deg: float | None


class StepView(Value):
    """One kind of evidence at a stop: what the rule asks, and what has been taken."""

    kind: EvidenceKind
    rule: EvidenceRule
    taken_at: Instant | None
    sha256: Sha256 | None
    signed_by: str


class StopView(Value):
    stop_id: StopId
    position: int
    """Its place in the day's order, counted from 1; closed stops keep the place they had when they were closed."""
    kind: StopKind
    phase: StopPhase
    order_ref: str
    address: Address
    recipient_name: str
    instruction: str
    items: tuple[str, ...]
    amount: Amount
    lat_deg: Latitude
    lon_deg: Longitude
    window: Window | None
    eta: Eta | None
    punctuality: Punctuality
    minutes_off: int | None
    """Late: minutes past the window's end. Early: minutes ahead of the plan, negative. Else minutes before the window's
    end, negative. None without a window or an expected time; see `agent.trip.punctuality`."""
    steps: tuple[StepView, ...]
    is_ready_to_close: bool
    """All required evidence is there."""
    arrived_at: Instant | None
    closed_at: Instant | None
    outcome: Outcome | None
    reason: FailReason | None
    is_locked: bool
    is_skipped: bool
    is_listed: bool
    moved_by: int
    """Places moved by the newest plan: negative is up (earlier), 0 is not moved."""
    moved_why: MoveWhy | None
    moved_for: StopId | None
    """The stop whose window it makes room for."""
    missed_why: MissWhy | None
    """What binds where its window is missed in the plan in force."""
    missed_for: StopId | None
    place_trouble: PlaceTrouble | None
    """Why no open road leads there: its times and the way to it are a guess."""
    travel_m: Metres | None


class ChargeView(Value):
    """A charging stop of the plan."""

    name: str
    before: StopId | None
    """The stop it is on the way to; None: on the way home."""
    arrive_at: Instant
    leave_at: Instant
    to_pct: float


class EnergyView(Value):
    """Whether the day can be finished, in percent of the battery."""

    is_enough: bool
    charge_pct: float
    """What is taken to be in it when the plan was made."""
    read_at: Instant | None
    """When the driver last said what its display shows; None: not on this day."""
    end_pct: float
    """What is expected at the end of the day, and what 95 of 100 vans have at least."""
    end_least_pct: float
    reserve_pct: float
    short_pct: float
    """By how much the reserve may be missed; 0 when it is enough."""
    charges: tuple[ChargeView, ...]
    """Those still to come."""


class PlanView(Value):
    version: int
    made_at: Instant
    reason: ReplanReason
    times: TimesSource
    moved_stops: int
    gain_s: float
    ends_at: Instant | None
    energy: EnergyView | None
    """None for a van whose charge is not looked at."""


class OfferedStop(Value):
    """An open stop in the order that is offered."""

    stop_id: StopId
    before: int
    """Its place in the day's order now, counted as `StopView.position`."""
    after: int
    """Its place with the offer."""
    eta: Eta | None
    """With the offer."""
    punctuality: Punctuality
    minutes_off: int | None
    why: MoveWhy | None
    """Why it moves; None for a stop that others only pass."""
    other: StopId | None
    """The stop whose window it makes room for."""
    saves_s: float
    miss: MissWhy | None
    """What binds where its window is missed all the same."""
    miss_other: StopId | None


class OfferView(Value):
    """A better order that waits for *Accept* or *Keep mine*. The page shows it at a halt."""

    number: int
    reason: ReplanReason
    times: TimesSource
    moved_stops: int
    gain_s: float
    late_before: int
    late_after: int
    """Windows missed, as expected now, in the order there is and in the one offered."""
    stops: tuple[OfferedStop, ...]
    """In the order offered."""


class OfferRouteView(Value):
    """The way through the piece of the round that an offer changes: `line` as [lon, lat] pairs."""

    number: int
    """Of the offer it belongs to; 0: there is none."""
    times: TimesSource
    line: tuple[tuple[float, float], ...]


class Disk(StrEnum):
    """Whether the van can save what is tapped: well, slow (a save is under way for seconds), or not at all now."""

    WELL = "well"
    SLOW = "slow"
    FAILING = "failing"


class CabView(Value):
    """The whole screen. `revision` grows with every change, so that an old message never replaces a new one."""

    revision: int
    now: Instant
    clock_rate: float
    timezone: str
    van: str
    driver: str
    policy: SequencePolicy | None
    link: LinkView
    gps: GpsView
    motion: Motion
    position: PositionView | None
    plan: PlanView | None
    offer: OfferView | None
    is_planning: bool
    next_stop_id: StopId | None
    is_within_reach: bool
    """Close enough to the next stop, and slow enough, for *Arrived* to be offered."""
    route_version: int
    """Changes when `/api/route` would answer anew."""
    stops: tuple[StopView, ...]
    done: int
    total: int
    disk: Disk
    alarms: tuple[Alarm, ...]
    """What is wrong with the van's own computer today."""
    can_block: bool
    """The way ahead is known, so that *road blocked* says which road."""
    blocked_until: Instant | None
    """Until when a road stays closed that the driver found blocked."""
    off_duty: OffDutyWhy | None
    """Why the van keeps and tells no position; None on duty, and before there is a list."""


class ManoeuvreView(Value):
    """One instruction of the route, in OSRM's own words for type and modifier; the page puts it into a language."""

    type: str
    modifier: str
    street: str
    ref: str = ""
    """The road's number."""
    destinations: str = ""
    """What the signs name."""
    exit: int = 0
    """Of a roundabout, from 1; 0 elsewhere."""
    roundabout: str = ""
    """Its own name."""
    keeps: str = ""
    """The side of the road one drives on: left or right."""
    lat_deg: Latitude
    lon_deg: Longitude
    distance_m: Metres
    """From this manoeuvre to the next one."""


class RouteView(Value):
    """The way from the van through the next stops, for the map: `line` as [lon, lat] pairs (GeoJSON's order)."""

    route_version: int
    times: TimesSource
    line: tuple[tuple[float, float], ...]
    """To the next stop."""
    onward: tuple[tuple[float, float], ...]
    """From there through the stops after it."""
    manoeuvres: tuple[ManoeuvreView, ...]


class MapView(Value):
    """The base map this van carries; None fields when there is no map pack."""

    has_tiles: bool
    name: str
    bounds: tuple[float, float, float, float] | None
    """west, south, east, north in degrees."""
    max_zoom: int


TapId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]


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


class DutyTap(Value):
    """Pause, or go on: whether the van keeps and tells where it is."""

    kind: Literal["duty"] = "duty"
    tap_id: TapId
    is_on_duty: bool


class RoadOpenTap(Value):
    kind: Literal["road_open"] = "road_open"
    tap_id: TapId


AnyTap = Annotated[
    ArrivedTap
    | DeliveredTap
    | FailedTap
    | SkippedTap
    | ForgetTap
    | AcceptTap
    | KeepTap
    | RoadBlockedTap
    | RoadOpenTap
    | ChargeTap
    | DutyTap,
    Field(discriminator="kind"),
]


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
