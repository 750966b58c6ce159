"""Closed roads: which of them count now, which pieces of road they are, and the copy of the network without them.

osrm-customize changes a network in place and cannot undo it. So the pack stays as it is: the four files it writes are
copied, the others hard-linked, and every change of the closures starts from a new copy.
"""

import shutil
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from math import ceil
from pathlib import Path
from typing import Protocol

from roads.osrm import CHANGED_BY_CUSTOMIZE, MAX_PLACES, Osrm, Refusal
from wire.geo import Place, distance_m
from wire.manifest import Closure, NodePair, SpeedChange

SAMPLE_M = 15.0
SIGMA_M = 8.0
"""How far from the road a drawn line may lie (one standard deviation; roads are looked for within three)."""
TRIM_M = 8.0
"""A line that reaches this far into its first or last piece of road only touched it."""
LENGTH_RATIO = (0.6, 1.5)
"""Driven metres to drawn metres: outside this the match drove round the block and is not believed."""
ON_ROAD_SHARE = 0.6
"""Of a line's places, how many must be on roads: one that leaves them for long is joined up by ways nobody drew."""

type Pair = tuple[int, int]
"""A directed piece of road: from one OSM node to its neighbour."""


class Drawn(Protocol):
    """A closure or a change of speed, as far as it says on which roads."""

    @property
    def pairs(self) -> tuple[NodePair, ...]: ...
    @property
    def line(self) -> tuple[tuple[float, float], ...]: ...
    @property
    def both_ways(self) -> bool: ...


def active[T: (Closure, SpeedChange)](closures: Iterable[T], now: datetime) -> tuple[T, ...]:
    """Those that hold at `now`: from the first instant on, and no longer at the last."""
    return tuple(closure for closure in closures if closure.valid_from <= now < closure.valid_until)


def next_change(closures: Iterable[Closure | SpeedChange], now: datetime) -> datetime | None:
    """When `active` will next answer something else; None when it never will."""
    moments = (moment for closure in closures for moment in (closure.valid_from, closure.valid_until))
    return min((moment for moment in moments if moment > now), default=None)


def given_pairs(closure: Drawn) -> tuple[Pair, ...]:
    """The pieces of road a closure names itself, in both directions where it says so."""
    return _directed([(pair.from_node, pair.to_node) for pair in closure.pairs], closure.both_ways)


async def matched_pairs(osrm: Osrm, closure: Drawn) -> tuple[Pair, ...] | Refusal:
    """The pieces of road under a closure's line, nothing where it follows no road.

    Ask a network without closures: a closed road is not found. Closed both ways, a road with separate carriageways
    is matched once in each direction.
    """
    line = [Place(lat_deg=lat_deg, lon_deg=lon_deg) for lat_deg, lon_deg in closure.line]
    found: list[Pair] = []
    for direction in (line, line[::-1]) if closure.both_ways else (line,):
        places = _sampled(direction)
        if len(places) < 2:
            return ()
        answer = await osrm.match(places, SIGMA_M)
        if answer is Refusal.DOWN:
            return Refusal.DOWN
        if not isinstance(answer, Refusal) and answer[1] >= ON_ROAD_SHARE:
            found += _along(answer[0], _length_m(direction))
    return _directed(found, closure.both_ways)


def shared_out(pairs: dict[str, tuple[Pair, ...]]) -> dict[str, tuple[Pair, ...]]:
    """The same pairs by closure id, each pair under the first closure that names it."""
    seen: set[Pair] = set()
    shares: dict[str, tuple[Pair, ...]] = {}
    for closure_id, all_pairs in pairs.items():
        shares[closure_id] = tuple(pair for pair in all_pairs if pair not in seen)
        seen.update(all_pairs)
    return shares


def applied(pairs: dict[str, tuple[Pair, ...]], used: dict[str, int]) -> tuple[str, ...]:
    """The ids of the closures that met a road: by their own share, or by one they share with an applied closure."""
    met = {closure_id for closure_id in pairs if used.get(closure_id, 0) > 0}
    met_pairs = {pair for closure_id in met for pair in pairs[closure_id]}
    return tuple(closure_id for closure_id in pairs if closure_id in met or met_pairs.intersection(pairs[closure_id]))


def speed_file(pairs: Iterable[Pair]) -> str:
    """OSRM's speed file: `from,to,km/h`, and 0 closes."""
    return "".join(f"{from_node},{to_node},0\n" for from_node, to_node in pairs)


def working_copy(base: Path, folder: Path) -> Path:
    """A copy of a road network in a new folder, safe to customise; answers its base."""
    folder.mkdir(parents=True)
    for file in base.parent.glob(f"{base.name}.*"):
        target = folder / file.name
        if file.name.endswith(CHANGED_BY_CUSTOMIZE):
            shutil.copyfile(file, target)
            continue
        try:
            target.hardlink_to(file)
        except OSError:  # another file system, or one without links
            shutil.copyfile(file, target)
    return folder / base.name


def _directed(pairs: Sequence[Pair], both_ways: bool) -> tuple[Pair, ...]:
    back = [(to_node, from_node) for from_node, to_node in pairs] if both_ways else []
    return tuple(dict.fromkeys(pair for pair in (*pairs, *back) if pair[0] != pair[1]))


def _along(pieces: Sequence[tuple[int, int, float]], line_m: float) -> list[Pair]:
    driven_m = sum(metres for _, _, metres in pieces)
    if not LENGTH_RATIO[0] * line_m <= driven_m <= LENGTH_RATIO[1] * line_m:
        return []
    totals: dict[Pair, float] = {}
    for from_node, to_node, metres in pieces:
        totals[from_node, to_node] = totals.get((from_node, to_node), 0.0) + metres
    kept = list(totals)
    for end in (0, -1):
        if len(kept) > 1 and totals[kept[end]] < TRIM_M:
            kept.pop(end)
    return kept


def _sampled(line: Sequence[Place]) -> list[Place]:
    """The line with a place every 15 m or so; of one that would have more than can be asked about, evenly fewer."""
    places = list(line[:1])
    for a, b in pairwise(line):
        steps = max(1, ceil(distance_m(a, b) / SAMPLE_M))
        places += [_between(a, b, step / steps) for step in range(1, steps + 1)]
    apart = [place for place, before in zip(places, [None, *places], strict=False) if place != before]
    last = len(apart) - 1
    return apart if last < MAX_PLACES else [apart[round(n * last / (MAX_PLACES - 1))] for n in range(MAX_PLACES)]


def _between(a: Place, b: Place, share: float) -> Place:
    return Place(
        lat_deg=a.lat_deg + (b.lat_deg - a.lat_deg) * share, lon_deg=a.lon_deg + (b.lon_deg - a.lon_deg) * share
    )


def _length_m(line: Sequence[Place]) -> float:
    return sum(distance_m(a, b) for a, b in pairwise(line))
