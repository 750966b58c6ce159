"""Roads at another speed than the map's: which pieces a change means, and the lines that tell OSRM."""

from collections.abc import Mapping, Set
from pathlib import Path

from roads.closures import Pair, given_pairs, shared_out
from roads.segments import Area, Segments
from wire.manifest import SpeedChange

SLOWEST_KMH = 1.0
"""OSRM takes 0 for closed."""


def speed_lines(
    base: Path, changes: Mapping[SpeedChange, tuple[Pair, ...]], closed: Set[Pair]
) -> dict[str, tuple[tuple[Pair, ...], str]]:
    """For each change, by its id, the pieces it means and OSRM's lines for them; `closed` ones stay closed.

    `changes` come with the pieces under their line. Where several mean one piece their factors are multiplied, and its
    line stands with the first. Takes tenths of a second. Raises RoadsError, OSError.
    """
    segments = Segments(base)
    pieces: dict[str, tuple[Pair, ...]] = {}
    speeds: dict[Pair, float] = {}
    factors: dict[Pair, float] = {}
    for change, under_line in changes.items():
        named = {*given_pairs(change), *under_line} - speeds.keys()
        inside = segments.inside(Area(change.area)) if len(change.area) > 2 else {}
        speeds |= inside | (segments.of(named) if named else {})
        meant = {*inside, *(pair for pair in (*given_pairs(change), *under_line) if pair in speeds)} - closed
        pieces[change.speed_id] = tuple(sorted(meant))
        for pair in meant:
            factors[pair] = factors.get(pair, 1.0) * change.factor
    return {
        speed_id: (pieces[speed_id], "".join(_line(pair, speeds[pair] * factors[pair]) for pair in share))
        for speed_id, share in shared_out(pieces).items()
    }


def _line(pair: Pair, kmh: float) -> str:
    return f"{pair[0]},{pair[1]},{max(SLOWEST_KMH, kmh):.1f}\n"
