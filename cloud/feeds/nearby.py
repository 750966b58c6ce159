"""Which of a country's closures a fleet is told of: those near its depot, as many as one message holds."""

from collections.abc import Sequence

from wire.geo import Place, distance_m
from wire.manifest import Closure

MOST = 150
"""Of one feed. A message to a van holds 64 kB, and the dispatcher's own closures must fit beside them."""
MOST_PLACES = 3_000
"""Of all their lines together."""


def near(closures: Sequence[Closure], depot: Place, within_km: float) -> tuple[tuple[Closure, ...], tuple[str, ...]]:
    """The nearest first; and in words what was near and had no room."""
    placed = sorted((_away_m(closure, depot), closure.closure_id, closure) for closure in closures)
    inside = [closure for away_m, _, closure in placed if away_m <= within_km * 1_000]
    kept: list[Closure] = []
    places = 0
    for closure in inside:
        places += len(closure.line) + len(closure.pairs)
        if len(kept) == MOST or places > MOST_PLACES:
            break
        kept.append(closure)
    lost = len(inside) - len(kept)
    words = (f"the {lost} farthest of {len(inside)} closures near the depot: make within_km smaller",) if lost else ()
    return tuple(kept), words


def _away_m(closure: Closure, depot: Place) -> float:
    return min(distance_m(depot, Place(lat_deg=lat_deg, lon_deg=lon_deg)) for lat_deg, lon_deg in closure.line)
