"""House numbers and building footprints along a street: odd on the left, even on the right, from its start."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from random import Random

from simulator.streetplan import XY

CORNER_M = 15.0
"""Houses keep this far from the ends of a street."""
_HASH_M = 50.0

Segment = tuple[XY, XY]


@dataclass(frozen=True)
class Plot:
    """One house: its number, its door (where the address is) and its footprint."""

    number: str
    door: XY
    footprint: tuple[XY, XY, XY, XY]


class Ground:
    """What is already built on: roads, houses and open land, hashed by place so that looking is cheap."""

    def __init__(self, roads: Iterable[Sequence[XY]], open_land: Iterable[Sequence[XY]]) -> None:
        self._roads: dict[tuple[int, int], list[Segment]] = {}
        self._houses: dict[tuple[int, int], list[XY]] = {}
        self._open_land = [tuple(outline) for outline in open_land]
        for line in roads:
            for a, b in pairwise(line):
                for square in {_square(_between(a, b, part / 4)) for part in range(5)}:
                    self._roads.setdefault(square, []).append((a, b))

    def is_free(self, spot: XY, radius_m: float) -> bool:
        """Whether a house of that radius fits: no road or house through it, and not in a park or in the river."""
        for square in _around(_square(spot)):
            if any(_distance_m(spot, a, b) < radius_m for a, b in self._roads.get(square, ())):
                return False
            if any(hypot(spot[0] - x, spot[1] - y) < 1.6 * radius_m for x, y in self._houses.get(square, ())):
                return False
        return not any(is_inside(spot, outline) for outline in self._open_land)

    def build(self, spot: XY) -> None:
        self._houses.setdefault(_square(spot), []).append(spot)


def plots_along(line: Sequence[XY], ground: Ground, rng: Random) -> list[Plot]:
    """The houses of one street, in the order of their numbers on each side; takes their ground."""
    plots = []
    for side, first in ((1, 1), (-1, 2)):
        number = first
        at_m = CORNER_M + rng.uniform(0, 8)
        length_m = sum(hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(line))
        while at_m < length_m - CORNER_M:
            wide_m, deep_m = rng.uniform(11, 21), rng.uniform(9, 13)
            (x, y), (along_x, along_y) = _point_at(line, at_m + wide_m / 2)
            out_x, out_y = -along_y * side, along_x * side
            front_m = rng.uniform(7.5, 9.5)
            middle = (x + out_x * (front_m + deep_m / 2), y + out_y * (front_m + deep_m / 2))
            if ground.is_free(middle, min(wide_m, deep_m) * 0.5 + 4.0):
                ground.build(middle)
                half_m = wide_m / 2
                front = [
                    (x + out_x * front_m + along_x * k, y + out_y * front_m + along_y * k) for k in (-half_m, half_m)
                ]
                back = [(fx + out_x * deep_m, fy + out_y * deep_m) for fx, fy in reversed(front)]
                door = (x + out_x * (front_m + 1.0), y + out_y * (front_m + 1.0))
                plots.append(Plot(str(number), door, (front[0], front[1], back[0], back[1])))
            number += 2 * rng.choice((1, 1, 2))
            at_m += wide_m + rng.choice((0.5, 0.5, 4.0, 9.0))
    return plots


def is_inside(spot: XY, outline: Sequence[XY]) -> bool:
    """Whether a point lies in a closed outline (first point not repeated)."""
    x, y = spot
    inside = False
    for (ax, ay), (bx, by) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            inside = not inside
    return inside


def _point_at(line: Sequence[XY], at_m: float) -> tuple[XY, XY]:
    """The point that far along and the direction of the street there; the end when it is shorter."""
    left_m, along = at_m, (1.0, 0.0)
    for a, b in pairwise(line):
        step_m = hypot(b[0] - a[0], b[1] - a[1])
        if step_m == 0:
            continue
        along = ((b[0] - a[0]) / step_m, (b[1] - a[1]) / step_m)
        if left_m <= step_m:
            return (a[0] + along[0] * left_m, a[1] + along[1] * left_m), along
        left_m -= step_m
    return line[-1], along


def _between(a: XY, b: XY, part: float) -> XY:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part


def _square(spot: XY) -> tuple[int, int]:
    return int(spot[0] // _HASH_M), int(spot[1] // _HASH_M)


def _around(square: tuple[int, int]) -> list[tuple[int, int]]:
    return [(square[0] + dx, square[1] + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]


def _distance_m(spot: XY, a: XY, b: XY) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length_sq = dx * dx + dy * dy
    part = 0.0 if length_sq == 0 else min(1.0, max(0.0, ((spot[0] - a[0]) * dx + (spot[1] - a[1]) * dy) / length_sq))
    return hypot(spot[0] - a[0] - part * dx, spot[1] - a[1] - part * dy)
