"""Down: the manifest (which stops, their windows and rules) and the conditions on the road."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from wire.found import OfLabel, PlacedBy
from wire.geo import Kerb, Place
from wire.handover import Handover
from wire.model import Count, Instant, Latitude, Longitude, Message, Name, Seconds, StopId
from wire.transfer import Meeting, ReleaseAsked

SCHEMA: Final = 1
"""The manifest and envelope schema we write. A reader refuses a higher one by name rather than guess."""


class StopKind(StrEnum):
    DELIVERY = "delivery"
    PICKUP = "pickup"
    RETURN = "return"
    CHARGE = "charge"
    BREAK = "break"
    HANDOVER = "handover"
    DEPOT = "depot"


class SequencePolicy(StrEnum):
    """Who may change the order on the road; see docs/glossary.md."""

    FREE = "free"
    ADVISED = "advised"
    FIXED = "fixed"


class EvidenceRule(StrEnum):
    REQUIRED = "required"
    WARN = "warn"
    OPTIONAL = "optional"
    OFF = "off"


class EvidenceKind(StrEnum):
    """What a stop can ask for before it is closed; signature and photo are pictures, the others are said or scanned."""

    SIGNATURE = "signature"
    PHOTO = "photo"
    SCAN = "scan"
    """Every parcel of `Handover.parcels`: scanned, or marked as not handed over."""
    PIN = "pin"
    AGE = "age"
    NOTE = "note"
    CASH = "cash"
    PLACE = "place"
    """How far the van is from the address when the stop is closed; see `Reach`."""


class Window(Message):
    """When a stop may be served. A hard window may not be missed; a soft one costs."""

    opens_at: Instant
    closes_at: Instant
    is_hard: bool = False

    @model_validator(mode="after")
    def opens_first(self) -> Self:
        if self.closes_at <= self.opens_at:
            raise ValueError("a window must close after it opens")
        return self


class Address(Message):
    """Where the door is, in words; `number` is what is written on it and may be a name."""

    number: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""


class Recipient(Message):
    name: str = ""
    phone: str = ""


class Amount(Message):
    """How much a stop's goods take up."""

    parcels: Annotated[int, Field(ge=0)] = 1
    weight_kg: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    volume_l: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0


class Stop(Message):
    """One visit at one place."""

    stop_id: StopId
    order_ref: str
    kind: StopKind = StopKind.DELIVERY
    lat_deg: Latitude
    lon_deg: Longitude
    address: Address = Address()
    recipient: Recipient = Recipient()
    instruction: str = ""
    items: tuple[str, ...] = ()
    amount: Amount = Amount()
    windows: tuple[Window, ...] = ()
    setup_s: Seconds = 60.0
    service_s: Seconds = 120.0
    is_locked: bool = False
    is_kerbside: bool = False
    """The van must stop on the door's own side of the road."""
    proof: dict[EvidenceKind, EvidenceRule] = {}
    handover: Handover = Handover()
    found: OfLabel | None = None
    """Only of a stop that a van made of a label."""

    @property
    def is_placed(self) -> bool:
        """Whether it is known where it is."""
        return self.found is None or self.found.placed_by is not PlacedBy.NOWHERE

    @property
    def place(self) -> Place:
        """Where it is; a `Kerb` where the side of the road counts."""
        return (Kerb if self.is_kerbside else Place)(lat_deg=self.lat_deg, lon_deg=self.lon_deg)


class Depot(Message):
    name: str = "Depot"
    lat_deg: Latitude
    lon_deg: Longitude

    @property
    def place(self) -> Place:
        return Place(lat_deg=self.lat_deg, lon_deg=self.lon_deg)


class Manifest(Message):
    """The versioned list of stops for one van and day; the coordinator owns it, the van owns order and outcome.

    `stops` is in the coordinator's suggested order, which is the starting order under every policy.
    """

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    day: date
    version: Annotated[Count, Field(ge=1)]
    timezone: str = "UTC"
    driver: str = ""
    policy: SequencePolicy = SequencePolicy.ADVISED
    start: Depot
    end: Depot | None = None
    shift_starts_at: Instant
    shift_ends_at: Instant
    stops: tuple[Stop, ...]
    declined: tuple[StopId, ...] = ()
    """Stops that this van made of labels and the coordinator took off again."""
    releases: tuple[ReleaseAsked, ...] = ()
    """Stops of this list that are wanted on another van."""
    meetings: tuple[Meeting, ...] = ()

    @model_validator(mode="after")
    def each_stop_once(self) -> Self:
        ids = [stop.stop_id for stop in self.stops]
        if len(ids) != len(set(ids)):
            twice = sorted({stop_id for stop_id in ids if ids.count(stop_id) > 1})
            raise ValueError(f"stops listed twice: {', '.join(twice)}")
        return self


OsmNode = Annotated[Count, Field(gt=0)]


class NodePair(Message):
    """A directed piece of road between two neighbouring OSM nodes: it survives a rebuild of the map pack."""

    from_node: OsmNode
    to_node: OsmNode


class Closure(Message):
    """A road that cannot be driven: as OSM node pairs, or as a line of places that is matched to roads on the van."""

    closure_id: StopId
    note: str = ""
    pairs: tuple[NodePair, ...] = ()
    line: tuple[tuple[Latitude, Longitude], ...] = ()
    both_ways: bool = True
    valid_from: Instant
    valid_until: Instant


class Weather(StrEnum):
    DRY = "dry"
    RAIN = "rain"
    HEAVY_RAIN = "heavy-rain"
    FOG = "fog"
    SNOW = "snow"
    ICE = "ice"


class WeatherHour(Message):
    """An hour in which the weather makes a difference: how many times as long driving and the work at a stop take."""

    begins: Instant
    weather: Weather
    travel: Annotated[float, Field(ge=1, le=5)]
    service: Annotated[float, Field(ge=1, le=5)]


class SpeedChange(Message):
    """Roads driven slower, or faster, than the map says: node pairs, those under a line, those inside an area."""

    speed_id: StopId
    note: str = ""
    factor: Annotated[float, Field(gt=0, le=2)]
    """Of the map's speed: 0.5 is half as fast. However small, it never closes a road."""
    pairs: tuple[NodePair, ...] = ()
    line: tuple[tuple[Latitude, Longitude], ...] = ()
    area: tuple[tuple[Latitude, Longitude], ...] = ()
    """An outline of at least three corners."""
    both_ways: bool = True
    valid_from: Instant
    valid_until: Instant


class Conditions(Message):
    """All closures known for a van's area, and the weather ahead; each message replaces the one before it."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    version: Count
    issued_at: Instant
    closures: tuple[Closure, ...] = ()
    weather: tuple[WeatherHour, ...] = ()
    """An hour that is not named is dry."""
    speeds: tuple[SpeedChange, ...] = ()


class CommandKind(StrEnum):
    REPLAN = "replan"
    SEND_LIVE = "send-live"
    FORGET_TIMES = "forget-times"
    """Erase what the van learned about `address`."""


class Command(Message):
    """Something to do once. The van keeps a ledger of ids, so that a repeated one is answered and not done again."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    command_id: StopId
    kind: CommandKind
    address: Address | None = None
    """For `forget-times`: street and number as they stood on the list."""
    issued_at: Instant
    expires_at: Instant
