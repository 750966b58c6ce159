"""What the cab page draws, and the taps it sends. The TypeScript types are generated from these models.

The page decides nothing: every word that depends on the run is a field here; wording and language are the page's.
"""

from enum import StrEnum

from agent.gps.position import Motion
from agent.pod.labels import Filled, LabelTrouble
from agent.pod.rules import PlaceVerdict
from agent.trip.goods import Custody
from agent.trip.lifecycle import StopState
from agent.trip.punctuality import Punctuality
from agent.trip.run import StopPhase
from wire.changes import MissWhy, MoveWhy
from wire.checks import ParcelState, ScanVerdict
from wire.events import Alarm, Eta, FailReason, FixQuality, OffDutyWhy, Outcome, ReplanReason, TimesSource
from wire.found import OfLabel
from wire.handover import Cash, NextStep
from wire.manifest import Address, Amount, EvidenceKind, EvidenceRule, SequencePolicy, StopKind, Window
from wire.model import Instant, Latitude, Longitude, Metres, Name, Sha256, StopId, Value
from wire.places import PlaceTrouble
from wire.transfer import Side


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


class ParcelView(Value):
    code: str
    what: str
    state: ParcelState | None
    """None: nobody has touched it yet."""
    is_scanned: bool


class ScanView(Value):
    """The newest code and what it is."""

    code: str
    verdict: ScanVerdict
    belongs_to: StopId | None
    at: Instant
    of_van: Name | None
    """The other van on whose list it is, where that is known."""


class HandView(Value):
    """What the door asks for beside pictures, and what was done of it."""

    parcels: tuple[ParcelView, ...]
    last_scan: ScanView | None
    pin_tries_left: int
    min_age: int | None
    is_old_enough: bool | None
    note: str
    cash_due: Cash | None
    cash_taken_minor: int | None
    way: Outcome
    """To whom the goods go, as far as the driver has said."""
    way_name: str
    place: PlaceVerdict
    distance_m: Metres | None
    missing: tuple[EvidenceKind, ...]
    """Without these the stop cannot be closed as delivered."""
    warned: tuple[EvidenceKind, ...]
    """Without these a reason is asked for."""
    wants_name: bool
    nothing_handed_over: bool
    """Every parcel is marked, and none as delivered: that is a problem and no delivery."""
    next_step: NextStep | None
    """What becomes of the goods if the stop fails now."""
    pickup_point: str
    attempts: int
    """Of today, those that failed."""
    undo_until: Instant | None
    """Until when the newest closing can be taken back."""


class MeetingView(Value):
    """Whom the van meets at this stop, and whose goods can change hands there now."""

    meeting_id: StopId
    side: Side
    other_van: str
    stop_ids: tuple[StopId, ...]


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
    hand: HandView
    state: StopState
    """Of the ten in docs/lifecycle.md; `phase` is how it is stored."""
    is_ready_to_close: bool
    """Nothing is missing; a reason may still be asked for."""
    arrived_at: Instant | None
    closed_at: Instant | None
    outcome: Outcome | None
    reason: FailReason | None
    received_by: str
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
    found: OfLabel | None
    """Of a stop that was made of a label."""
    custody: Custody
    """Where its goods are."""
    meeting: MeetingView | None
    """Of a stop where two vans meet."""
    waits_for: StopId | None
    """The stop where its goods change vans; None where it waits for none."""
    passed_to: str | None
    """The van that it went to."""
    release_to: str | None
    """The van that wants it, while only the driver can say whether its goods are aboard."""


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


class BackView(Value):
    """Goods that come back to the depot."""

    stop_id: StopId
    parcels: int


class DropView(Value):
    """Goods that go to a pickup point."""

    pickup_point: str
    parcels: int


class LoadView(Value):
    """What should be aboard, what was found, and what must come back."""

    expected: int
    """Parcels that leave the depot with this van."""
    codes: int
    """Of those, how many have a code of their own."""
    scanned: int
    missing: tuple[ParcelView, ...]
    """Not scanned yet, the first of them."""
    unlisted: tuple[str, ...]
    counted: int | None
    last_scan: ScanView | None
    checked_at: Instant | None
    back: tuple[BackView, ...]
    back_codes: int
    """Of what comes back, how many parcels have a code, and how many of those were scanned at the hand-back."""
    back_scanned: int
    drops: tuple[DropView, ...]


class LabelStopView(Value):
    """The stop that can be made of a label."""

    address: Address
    recipient_name: str
    phone: str
    instruction: str
    window: Window | None
    wants_signature: bool
    found: OfLabel


class LabelView(Value):
    """The code that was read last, wherever that was, and what it is good for."""

    scan: ScanView
    stop: LabelStopView | None
    why_not: LabelTrouble | None
    """Why no stop can be made of a label that is on no list."""
    filled: tuple[Filled, ...]
    """What the stop it belongs to did not have, and has now."""


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
    load: LoadView
    label: LabelView | None


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
