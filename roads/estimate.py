"""Travel without a road network: the straight line, lengthened and at city speed. Always marked as an estimate."""

from collections.abc import Sequence
from itertools import pairwise

from roads.answers import Leg, Matrix, Route
from wire.events import TimesSource
from wire.geo import Place, distance_m

DETOUR = 1.64
"""Road metres to a straight metre: the median of random pairs in Porto (90th percentile 2.41)."""

CITY_SPEED_MPS = 7.0
"""25 km/h. OSRM's free-flow speed on hops under 1.5 km in Porto is 10.1 m/s at the median and 6.7 at the 10th
percentile; an estimate that knows neither streets nor traffic promises no more than the slow ones."""


def leg(a: Place, b: Place) -> Leg:
    """Seconds and metres from `a` to `b`."""
    travel_m = distance_m(a, b) * DETOUR
    return Leg(travel_m / CITY_SPEED_MPS, travel_m)


def matrix(places: Sequence[Place], unlocated: tuple[int, ...] = ()) -> Matrix:
    """Every place to every place."""
    rows = [[leg(a, b) for b in places] for a in places]
    return Matrix(
        travel_s=tuple(tuple(cell.travel_s for cell in row) for row in rows),
        travel_m=tuple(tuple(cell.travel_m for cell in row) for row in rows),
        source=TimesSource.ESTIMATE,
        unlocated=unlocated,
    )


def route(places: Sequence[Place]) -> Route:
    """Straight lines from place to place; no manoeuvres."""
    legs = tuple(leg(a, b) for a, b in pairwise(places))
    return Route(
        line=tuple((place.lon_deg, place.lat_deg) for place in places),
        legs=legs,
        manoeuvres=(),
        source=TimesSource.ESTIMATE,
        estimated_legs=tuple(range(len(legs))),
        leg_starts=tuple(range(len(legs))),
    )
