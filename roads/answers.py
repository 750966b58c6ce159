"""What the road network answers with: plain frozen values in seconds and metres, each marked with its source."""

from dataclasses import dataclass
from typing import NamedTuple

from wire.events import TimesSource
from wire.geo import Place
from wire.places import PlaceTrouble


@dataclass(frozen=True, slots=True)
class Located:
    """A place put on the nearest road. While the engine is down the place itself, marked as an estimate."""

    place: Place
    distance_m: float
    street: str
    source: TimesSource
    pair: tuple[int, int] | None = None
    """The piece of road, between two OSM nodes."""


type Cells = tuple[tuple[float | None, ...], ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Travel from each place (row) to each place (column).

    None = no road leads there. Cells to and from the places in `unlocated` (no road within reach) are straight-line
    estimates. `cut_off` lists places on a road that leads neither to nor from most of the others: an island. `closed`
    lists those whose own road is closed: what is said of them holds for the next road.
    """

    travel_s: Cells
    travel_m: Cells
    source: TimesSource
    unlocated: tuple[int, ...] = ()
    cut_off: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """Why a place has no road; `away_m` to the nearest one, None where that says nothing."""

    why: PlaceTrouble
    away_m: float | None = None


class Leg(NamedTuple):
    """From one place to the next."""

    travel_s: float
    travel_m: float


@dataclass(frozen=True, slots=True)
class Manoeuvre:
    """One instruction, in OSRM's own words for type and modifier."""

    type: str
    modifier: str
    street: str
    place: Place
    distance_m: float
    """From this manoeuvre to the next one."""
    leg: int
    """Which leg of the route it belongs to, from 0."""
    exit: int = 0
    """Of a roundabout: which one to take, from 1. 0 elsewhere."""
    ref: str = ""
    """The road's number ("N 13")."""
    destinations: str = ""
    """What the signs name, in OSRM's words."""
    roundabout: str = ""
    """The roundabout's own name."""
    keeps: str = ""
    """The side of the road one drives on: left or right."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way through places in the given order. `line` as (lon, lat) pairs, GeoJSON's order, for drawing only.

    `source` is roads when every leg is; the legs in `estimated_legs` are straight lines.
    """

    line: tuple[tuple[float, float], ...]
    legs: tuple[Leg, ...]
    manoeuvres: tuple[Manoeuvre, ...]
    source: TimesSource
    estimated_legs: tuple[int, ...] = ()
    leg_starts: tuple[int, ...] = ()
    """Where each leg begins in `line`."""


@dataclass(frozen=True, slots=True)
class ClosureReport:
    """What became of the closures: ids that changed the network, ids that met no road of this pack.

    With a `problem` nothing was changed and the network before it stays in use.
    """

    applied: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    problem: str = ""
