"""A track with fewer breadcrumbs, none of them further than a tolerance from where the van is then said to have been.

Douglas-Peucker with time: a crumb may go when the straight way between its kept neighbours, driven at an even speed,
passes it within `tolerance_m` at its very second. While standing one a minute stays, so that a gap is never taken for
a halt. This is what the uplink would cost with thinning; the agent itself sends every breadcrumb.
"""

from collections.abc import Sequence
from math import cos, hypot, radians

from wire.track import Breadcrumb

METRES_PER_DEGREE = 111_195.0
AT_LEAST_EVERY_MS = 60_000
Point = tuple[float, float, float]
"""Milliseconds, metres east, metres north."""


def thinned(crumbs: Sequence[Breadcrumb], tolerance_m: float) -> list[Breadcrumb]:
    """The breadcrumbs that stay, in order; the first and the last always do."""
    if len(crumbs) < 3:
        return list(crumbs)
    squeeze = cos(radians(crumbs[0].lat_deg)) * METRES_PER_DEGREE
    points = [(float(crumb.wall_ms), crumb.lon_deg * squeeze, crumb.lat_deg * METRES_PER_DEGREE) for crumb in crumbs]
    kept = {0, len(crumbs) - 1}
    open_spans = [(0, len(crumbs) - 1)]
    while open_spans:
        first, last = open_spans.pop()
        if last - first < 2:
            continue
        middle, off_m = _worst(points, first, last)
        if off_m <= tolerance_m:
            if crumbs[last].wall_ms - crumbs[first].wall_ms <= AT_LEAST_EVERY_MS:
                continue
            middle = (first + last) // 2
        kept.add(middle)
        open_spans += [(first, middle), (middle, last)]
    return [crumbs[place] for place in sorted(kept)]


def _worst(points: Sequence[Point], first: int, last: int) -> tuple[int, float]:
    start_ms, start_x, start_y = points[first]
    end_ms, end_x, end_y = points[last]
    spans_ms = max(1.0, end_ms - start_ms)
    worst, worst_m = first + 1, -1.0
    for place in range(first + 1, last):
        at_ms, x, y = points[place]
        part = (at_ms - start_ms) / spans_ms
        off_m = hypot(x - start_x - (end_x - start_x) * part, y - start_y - (end_y - start_y) * part)
        if off_m > worst_m:
            worst, worst_m = place, off_m
    return worst, worst_m
