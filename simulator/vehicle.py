"""A van's way from one place to another: where it is, how fast and in which direction, at any moment. Pure values.

Distance is driven with a plain profile: speed up, cruise, slow down for bends and at the end; the cruising speed is
the one with which the whole way takes as long as the road network says.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import sqrt

from simulator.nmea import Seen
from wire.geo import Place, bearing_deg, distance_m

ACCELERATION_MPS2 = 1.6
BRAKING_MPS2 = 2.2
MAX_SPEED_MPS = 36.0
SHARP_BEND_MPS = 4.0
_STEP_M = 8.0


@dataclass(frozen=True)
class Journey:
    """One way, from its first point at `starts_at` to its last `takes_s` later."""

    starts_at: datetime
    line: tuple[Place, ...]
    marks_m: tuple[float, ...]
    """Distance from the start of each point of `line`."""
    samples_s: tuple[float, ...]
    samples_m: tuple[float, ...]
    samples_mps: tuple[float, ...]
    """Time since the start, distance and speed along the way."""

    @property
    def takes_s(self) -> float:
        return self.samples_s[-1]

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(seconds=self.takes_s)

    @property
    def end(self) -> Place:
        return self.line[-1]

    def at(self, moment: datetime) -> Seen:
        """The truth at that moment: standing at the start before it begins, at the end after it is over."""
        since_s = (moment - self.starts_at).total_seconds()
        if since_s <= 0 or since_s >= self.takes_s or len(self.line) < 2:
            after = since_s > 0 or len(self.line) < 2
            pair = self.line[-2:] if after else self.line[:2]
            return Seen(self.line[-1] if after else self.line[0], 0.0, bearing_deg(pair[0], pair[-1]))
        k = bisect_right(self.samples_s, since_s) - 1
        part = (since_s - self.samples_s[k]) / max(1e-9, self.samples_s[k + 1] - self.samples_s[k])
        speed_mps = self.samples_mps[k] + (self.samples_mps[k + 1] - self.samples_mps[k]) * part
        # Under constant acceleration the mean speed since the sample is halfway between then and now.
        span_s, span_m = since_s - self.samples_s[k], self.samples_m[k + 1] - self.samples_m[k]
        along_m = self.samples_m[k] + min(span_m, span_s * (self.samples_mps[k] + speed_mps) / 2)
        return Seen(*self._point(along_m, speed_mps))

    def left_m(self, moment: datetime) -> float:
        """Metres still to drive."""
        since_s = (moment - self.starts_at).total_seconds()
        k = max(0, bisect_right(self.samples_s, since_s) - 1)
        return self.samples_m[-1] - self.samples_m[k]

    def _point(self, along_m: float, speed_mps: float) -> tuple[Place, float, float]:
        k = min(max(0, bisect_right(self.marks_m, along_m) - 1), len(self.line) - 2)
        a, b = self.line[k], self.line[k + 1]
        step_m = self.marks_m[k + 1] - self.marks_m[k]
        part = min(1.0, max(0.0, (along_m - self.marks_m[k]) / step_m))
        turn_deg = (b.lon_deg - a.lon_deg + 180.0) % 360.0 - 180.0
        lon_deg = (a.lon_deg + turn_deg * part + 180.0) % 360.0 - 180.0
        place = Place(lat_deg=a.lat_deg + (b.lat_deg - a.lat_deg) * part, lon_deg=lon_deg)
        return place, speed_mps, bearing_deg(a, b)


def standing(place: Place, at: datetime) -> Journey:
    """A van that stays where it is."""
    return Journey(at, (place,), (0.0,), (0.0,), (0.0,), (0.0,))


def journey(line: Sequence[Place], takes_s: float, starts_at: datetime) -> Journey:
    """Drives `line` in about `takes_s` seconds: longer when no van could be that fast."""
    points = [place for k, place in enumerate(line) if k == 0 or distance_m(line[k - 1], place) > 0.05]
    if len(points) < 2:
        return standing(line[-1], starts_at)
    marks_m = [0.0]
    for a, b in pairwise(points):
        marks_m.append(marks_m[-1] + distance_m(a, b))
    limits = _limits(points, marks_m)
    samples_m = [at_m for at_m, _ in limits]
    slow, fast = 0.5, MAX_SPEED_MPS
    for _ in range(24):
        cruise_mps = (slow + fast) / 2
        if _times(samples_m, _speeds(limits, cruise_mps))[-1] > takes_s:
            slow = cruise_mps
        else:
            fast = cruise_mps
    speeds = _speeds(limits, fast)
    return Journey(
        starts_at, tuple(points), tuple(marks_m), tuple(_times(samples_m, speeds)), tuple(samples_m), tuple(speeds)
    )


def _limits(points: Sequence[Place], marks_m: Sequence[float]) -> list[tuple[float, float]]:
    """Distances along the way and how fast one may be there; every few metres, so that speeds can change between."""
    limits = [(0.0, 0.0)]
    for k in range(1, len(points)):
        start_m, end_m = marks_m[k - 1], marks_m[k]
        pieces = max(2, int((end_m - start_m) // _STEP_M))
        limits += [(start_m + (end_m - start_m) * part / pieces, MAX_SPEED_MPS) for part in range(1, pieces)]
        if k < len(points) - 1:
            turn_deg = bearing_deg(points[k], points[k + 1]) - bearing_deg(points[k - 1], points[k])
            sharpness = abs((turn_deg + 180.0) % 360.0 - 180.0) / 90.0
            limits.append((end_m, MAX_SPEED_MPS if sharpness < 0.25 else SHARP_BEND_MPS / min(1.6, sharpness + 0.1)))
    limits.append((marks_m[-1], 0.0))
    return limits


def _speeds(limits: Sequence[tuple[float, float]], cruise_mps: float) -> list[float]:
    speeds = [min(limit, cruise_mps) for _, limit in limits]
    for k in range(1, len(speeds)):
        gap_m = limits[k][0] - limits[k - 1][0]
        speeds[k] = min(speeds[k], sqrt(speeds[k - 1] ** 2 + 2 * ACCELERATION_MPS2 * gap_m))
    for k in range(len(speeds) - 2, -1, -1):
        gap_m = limits[k + 1][0] - limits[k][0]
        speeds[k] = min(speeds[k], sqrt(speeds[k + 1] ** 2 + 2 * BRAKING_MPS2 * gap_m))
    return speeds


def _times(samples_m: Sequence[float], speeds: Sequence[float]) -> list[float]:
    times = [0.0]
    for k in range(1, len(speeds)):
        mean_mps = max(0.2, (speeds[k - 1] + speeds[k]) / 2)
        times.append(times[-1] + (samples_m[k] - samples_m[k - 1]) / mean_mps)
    return times
