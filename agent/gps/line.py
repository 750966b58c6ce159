"""A way as a line one can walk along: how far along it a place lies, and what lies so far along it. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import cos, hypot, pi, radians

from wire.geo import EARTH_RADIUS_M, Place, bearing_deg, distance_m

_M_PER_DEG = pi * EARTH_RADIUS_M / 180.0


@dataclass(frozen=True)
class Foot:
    """The point of a line that belongs to a place beside it."""

    place: Place
    along_m: float
    """From the beginning of the line."""
    off_m: float
    """How far the place lies from it."""
    heading_deg: float
    """Which way the line goes there."""


class Line:
    """At least two places in order. Repeated ones are left out."""

    def __init__(self, places: Sequence[Place]) -> None:
        """Raises ValueError when it has no length."""
        self._places = [places[0], *(b for a, b in pairwise(places) if a != b)] if places else []
        if len(self._places) < 2:
            raise ValueError("a line needs two places")
        lengths = [distance_m(a, b) for a, b in pairwise(self._places)]
        self._begins_m = [0.0, *accumulate(lengths)]

    @property
    def length_m(self) -> float:
        return self._begins_m[-1]

    def at(self, along_m: float) -> Foot:
        """The point so far along; the ends for what lies beyond them."""
        along_m = min(max(0.0, along_m), self.length_m)
        piece = min(bisect_right(self._begins_m, along_m), len(self._places) - 1) - 1
        a, b = self._places[piece], self._places[piece + 1]
        share = (along_m - self._begins_m[piece]) / (self._begins_m[piece + 1] - self._begins_m[piece])
        return Foot(_between(a, b, share), along_m, 0.0, bearing_deg(a, b))

    def nearest(
        self, place: Place, *, heading_deg: float | None = None, between_m: tuple[float, float] | None = None
    ) -> Foot | None:
        """The nearest point; with `heading_deg` only where the line goes within 60 degrees of it, with `between_m` only
        so far along. None when no piece is left.
        """
        best: Foot | None = None
        for piece, (a, b) in enumerate(pairwise(self._places)):
            begins_m, ends_m = self._begins_m[piece], self._begins_m[piece + 1]
            if between_m is not None and (ends_m < between_m[0] or begins_m > between_m[1]):
                continue
            goes_deg = bearing_deg(a, b)
            if heading_deg is not None and apart_deg(goes_deg, heading_deg) > SAME_WAY_DEG:
                continue
            share, off_m = _beside(place, a, b)
            if best is None or off_m < best.off_m:
                along_m = begins_m + share * (ends_m - begins_m)
                best = Foot(_between(a, b, share), along_m, off_m, goes_deg)
        return best


SAME_WAY_DEG = 60.0


def apart_deg(a: float, b: float) -> float:
    """The angle between two headings, 0 to 180."""
    turn = abs(a - b) % 360.0
    return min(turn, 360.0 - turn)


def _beside(point: Place, a: Place, b: Place) -> tuple[float, float]:
    """How far along a-b the nearest point is (0 to 1), and how far off in metres; flat, for pieces of a city."""
    squeeze = cos(radians(point.lat_deg)) * _M_PER_DEG

    def flat(place: Place) -> tuple[float, float]:
        turn_deg = (place.lon_deg - point.lon_deg + 180.0) % 360.0 - 180.0
        return (turn_deg * squeeze, (place.lat_deg - point.lat_deg) * _M_PER_DEG)

    (ax, ay), (bx, by) = flat(a), flat(b)
    dx, dy = bx - ax, by - ay
    share = min(1.0, max(0.0, -(ax * dx + ay * dy) / (dx * dx + dy * dy)))
    return share, hypot(ax + share * dx, ay + share * dy)


def _between(a: Place, b: Place, share: float) -> Place:
    turn_deg = (b.lon_deg - a.lon_deg + 180.0) % 360.0 - 180.0
    return Place(
        lat_deg=a.lat_deg + (b.lat_deg - a.lat_deg) * share,
        lon_deg=(a.lon_deg + turn_deg * share + 180.0) % 360.0 - 180.0,
    )
