"""Places on the Earth and the few formulas everyone needs. Latitude before longitude, always by keyword."""

from math import asin, atan2, cos, degrees, hypot, pi, radians, sin, sqrt

from wire.model import Latitude, Longitude, Value

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG 1980


class Place(Value):
    """A point in WGS 84 degrees."""

    lat_deg: Latitude
    lon_deg: Longitude


class Kerb(Place):
    """A place that the van reaches, and leaves, with its door on that side of the road: nobody crosses the traffic."""


def distance_m(a: Place, b: Place) -> float:
    """Great-circle distance in metres (haversine; within 0.5 % of the ellipsoid)."""
    lat_a, lat_b = radians(a.lat_deg), radians(b.lat_deg)
    half_lat = sin((lat_b - lat_a) / 2)
    half_lon = sin(radians(b.lon_deg - a.lon_deg) / 2)
    h = half_lat * half_lat + cos(lat_a) * cos(lat_b) * half_lon * half_lon
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(h)))


def bearing_deg(a: Place, b: Place) -> float:
    """Initial bearing from `a` to `b`, clockwise from north, in [0, 360). Meaningless when they coincide."""
    lat_a, lat_b, turn = radians(a.lat_deg), radians(b.lat_deg), radians(b.lon_deg - a.lon_deg)
    east = sin(turn) * cos(lat_b)
    north = cos(lat_a) * sin(lat_b) - sin(lat_a) * cos(lat_b) * cos(turn)
    return degrees(atan2(east, north)) % 360.0


def moved(start: Place, *, north_m: float, east_m: float) -> Place:
    """The place that many metres away; good for a city, not for an ocean or a pole."""
    lat_deg = start.lat_deg + degrees(north_m / EARTH_RADIUS_M)
    around_m = EARTH_RADIUS_M * max(1e-9, cos(radians(start.lat_deg)))
    lon_deg = start.lon_deg + degrees(east_m / around_m)
    return Place(lat_deg=lat_deg, lon_deg=(lon_deg + 180.0) % 360.0 - 180.0)


def distance_to_segment_m(point: Place, a: Place, b: Place) -> float:
    """Distance in metres from a point to the straight piece of road a-b (flat local plane; for segments of a city)."""
    scale_m = pi * EARTH_RADIUS_M / 180.0
    squeeze = cos(radians(point.lat_deg))

    def flat(place: Place) -> tuple[float, float]:
        turn_deg = (place.lon_deg - point.lon_deg + 180.0) % 360.0 - 180.0
        return (turn_deg * squeeze * scale_m, (place.lat_deg - point.lat_deg) * scale_m)

    (ax, ay), (bx, by) = flat(a), flat(b)
    dx, dy = bx - ax, by - ay
    length_sq = dx * dx + dy * dy
    along = 0.0 if length_sq == 0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / length_sq))
    return hypot(ax + along * dx, ay + along * dy)
