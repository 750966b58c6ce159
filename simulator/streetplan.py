"""The street plan of a town on paper, in metres east and north of its centre: junctions, streets, river, parks.

A grid is bent into a disc (so that its squares become ring roads), warped, jittered and turned; the river runs in a
wide gap between two rows, whose streets are the quays, and only two columns cross it. So there are exactly two bridges
by construction, and closing one costs a real detour.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from math import cos, hypot, pi, radians, sin, sqrt
from random import Random

Cell = tuple[int, int]
"""A junction by its column and row in the grid."""
XY = tuple[float, float]
"""Metres east and north of the centre."""
Pair = tuple[Cell, Cell]

LINES = 17
MIDDLE = LINES // 2
RING = 5
RIVER_ROW = 4
"""The river runs between this row and the next."""
HALF_SIZE_M = 1500.0
RIVER_GAP = 0.105
QUAY_WIDTH_M = 17.0


class Rank(IntEnum):
    """How important a street is; a more important one keeps its name and its two directions."""

    RESIDENTIAL = 0
    TERTIARY = 1
    QUAY = 2
    AVENUE = 3
    RING = 4


@dataclass(frozen=True)
class Stretch:
    """A street under one name: consecutive junctions. A one-way street is driven in the order of `cells`."""

    cells: tuple[Cell, ...]
    rank: Rank
    is_oneway: bool = False
    is_bridge: bool = False

    @property
    def pairs(self) -> Iterator[Pair]:
        return pairwise(self.cells)


@dataclass(frozen=True)
class Plan:
    """What the town is drawn from."""

    at: dict[Cell, XY]
    bends: dict[Pair, tuple[XY, ...]]
    """Shape of a street between two neighbouring junctions, both ways, ends left out."""
    stretches: tuple[Stretch, ...]
    parks: tuple[tuple[XY, ...], ...]
    river: tuple[XY, ...]
    """Its middle line."""
    river_shore: tuple[XY, ...]
    """A closed outline (first point not repeated)."""

    def line(self, cells: Iterable[Cell]) -> list[XY]:
        """The points of a way through these junctions."""
        cells = list(cells)
        points = [self.at[cells[0]]]
        for a, b in pairwise(cells):
            points += [*self.bends[a, b], self.at[b]]
        return points


def draw_plan(rng: Random) -> Plan:
    """A plan from the random numbers given; every junction can be reached from every other by car."""
    everywhere = _junctions(rng)
    kept = _outline(rng)
    bridges = (MIDDLE + rng.choice((-1, 0, 1)), rng.choice((MIDDLE - RING, MIDDLE + RING)))
    ranks = _ranks(rng, kept, bridges)
    park_cells = _lay_out_parks(rng, ranks)
    _merge_blocks(rng, ranks)
    stretches = _with_oneways(_stretches(rng, ranks))
    bends = _bends(everywhere, ranks)
    used = sorted({cell for pair in ranks for cell in pair})
    parks = tuple(_inset([everywhere[cell] for cell in outline], 15.0) for outline in park_cells)
    middle, shore = _river(everywhere)
    return Plan({cell: everywhere[cell] for cell in used}, bends, stretches, parks, middle, shore)


def _junctions(rng: Random) -> dict[Cell, XY]:
    def steps(gap_after: int | None) -> list[float]:
        widths = [rng.uniform(0.8, 1.2) * (0.75 + 0.035 * abs(i - MIDDLE + 0.5) ** 1.2) for i in range(LINES - 1)]
        if gap_after is not None:
            widths[gap_after] = 0.0
        room = 2.0 - (RIVER_GAP if gap_after is not None else 0.0)
        scale = room / sum(widths)
        ticks = [-1.0]
        for i, width in enumerate(widths):
            ticks.append(ticks[-1] + (RIVER_GAP if i == gap_after else width * scale))
        return ticks

    us, vs = steps(None), steps(RIVER_ROW)
    turn = radians(rng.choice((-1, 1)) * rng.uniform(8, 24))
    phases = [rng.uniform(0, 2 * pi) for _ in range(4)]
    swell_m = rng.uniform(45, 75)
    at = {}
    for i, u in enumerate(us):
        for j, v in enumerate(vs):
            x, y = HALF_SIZE_M * u * sqrt(1 - 0.46 * v * v), HALF_SIZE_M * v * sqrt(1 - 0.46 * u * u)
            wave_x = swell_m * sin(2.1 * v + 1.3 * u + phases[0]) + 0.5 * swell_m * sin(4.0 * v + phases[1])
            # The height of a wave depends on the column alone, so the river keeps its width.
            wave_y = swell_m * sin(2.4 * u + phases[2]) + 0.45 * swell_m * sin(4.7 * u + phases[3])
            main = j in (RIVER_ROW, RIVER_ROW + 1) or max(abs(i - MIDDLE), abs(j - MIDDLE)) == RING
            jitter_m = 4.0 if main else 17.0
            x += wave_x + rng.uniform(-jitter_m, jitter_m)
            y += wave_y + rng.uniform(-jitter_m, jitter_m)
            at[i, j] = (x * cos(turn) - y * sin(turn), x * sin(turn) + y * cos(turn))
    return at


def _outline(rng: Random) -> set[Cell]:
    edge = {(i, j): rng.uniform(0.0, 0.22) for i in range(LINES) for j in range(LINES)}
    return {
        (i, j)
        for (i, j), less in edge.items()
        if ((i - MIDDLE) / MIDDLE) ** 2 + ((j - MIDDLE) / MIDDLE) ** 2 < 1.42 - less
    }


def _ranks(rng: Random, kept: set[Cell], bridges: tuple[int, int]) -> dict[Pair, Rank]:
    """Every street between two neighbouring junctions, the lower cell first."""
    ranks: dict[Pair, Rank] = {}
    minor_columns = {rng.choice((1, 2)), MIDDLE + rng.choice((-4, 3)), LINES - rng.choice((2, 3))}
    minor_rows = {RIVER_ROW - 2, MIDDLE + 3, LINES - 2}
    for i, j in sorted(kept):
        for ni, nj in ((i + 1, j), (i, j + 1)):
            if (ni, nj) not in kept:
                continue
            is_column = ni == i
            if is_column and j == RIVER_ROW and i not in bridges:
                continue
            ranks[(i, j), (ni, nj)] = _rank((i, j), (ni, nj), bridges, minor_columns, minor_rows)
    for step, length in ((1, rng.choice((5, 6))), (-1, rng.choice((4, 5)))):
        diagonal = [(MIDDLE + step * k, MIDDLE + k) for k in range(length + 1)]
        for a, b in pairwise(diagonal):
            if a in kept and b in kept:
                ranks[a, b] = Rank.AVENUE
    return ranks


def _rank(a: Cell, b: Cell, bridges: tuple[int, int], minor_columns: set[int], minor_rows: set[int]) -> Rank:
    rings = {max(abs(i - MIDDLE), abs(j - MIDDLE)) for i, j in (a, b)}
    if rings == {RING} and not (a[1] == RIVER_ROW and a[0] not in bridges):
        return Rank.RING
    if a[0] == b[0]:
        if a[0] in bridges:
            return Rank.AVENUE
        return Rank.TERTIARY if a[0] in minor_columns else Rank.RESIDENTIAL
    if a[1] in (RIVER_ROW, RIVER_ROW + 1):
        return Rank.QUAY
    if a[1] == MIDDLE:
        return Rank.AVENUE
    return Rank.TERTIARY if a[1] in minor_rows else Rank.RESIDENTIAL


def _lay_out_parks(rng: Random, ranks: dict[Pair, Rank]) -> list[list[Cell]]:
    """Clear whole blocks of streets; returns the junctions around each park, counter-clockwise."""
    corners = [
        (MIDDLE + rng.choice((-3, 1)), MIDDLE + 1, 2, 1),
        (MIDDLE + rng.choice((-7, 5)), MIDDLE + rng.choice((-2, 2)), 2, 2),
        (MIDDLE + rng.choice((-4, 2)), RIVER_ROW - rng.choice((2, 3)), 2, 1),
        (MIDDLE + rng.choice((-2, 0)), MIDDLE + 6, 1, 1),
        (MIDDLE - rng.choice((1, 2)), RIVER_ROW + 1, 1, 1),
    ]
    parks = []
    for i, j, wide, high in corners:
        inside = [
            pair
            for pair in ranks
            if all(i <= a <= i + wide and j <= b <= j + high for a, b in pair) and _cuts(pair, i, j, wide, high)
        ]
        around = [(i + k, j) for k in range(wide)] + [(i + wide, j + k) for k in range(high)]
        around += [(i + wide - k, j + high) for k in range(wide)] + [(i, j + high - k) for k in range(high)]
        edges = {tuple(sorted(pair)) for pair in zip(around, around[1:] + around[:1], strict=True)}
        if any(ranks[pair] >= Rank.QUAY for pair in inside) or not edges <= ranks.keys():
            continue
        for pair in inside:
            del ranks[pair]
        parks.append(around)
    return parks


def _cuts(pair: Pair, i: int, j: int, wide: int, high: int) -> bool:
    (ai, aj), (bi, bj) = pair
    on_side = (ai == bi and ai in (i, i + wide)) or (aj == bj and aj in (j, j + high))
    return not on_side


def _merge_blocks(rng: Random, ranks: dict[Pair, Rank]) -> None:
    """Take away some residential streets so that blocks differ; never the last way to anywhere, never a dead end."""
    for pair in [pair for pair, rank in ranks.items() if rank is Rank.RESIDENTIAL]:
        if rng.random() > 0.2:
            continue
        degrees = [sum(cell in other for other in ranks) for cell in pair]
        if min(degrees) < 3:
            continue
        rank = ranks.pop(pair)
        if not _is_connected(ranks):
            ranks[pair] = rank


def _is_connected(pairs: Iterable[Pair]) -> bool:
    onward: dict[Cell, list[Cell]] = {}
    for a, b in pairs:
        onward.setdefault(a, []).append(b)
        onward.setdefault(b, []).append(a)
    return len(reached(next(iter(onward)), onward)) == len(onward)


def reached(start: Cell, onward: dict[Cell, list[Cell]]) -> set[Cell]:
    """Every junction one can drive to from `start`."""
    seen, waiting = {start}, [start]
    while waiting:
        for cell in onward.get(waiting.pop(), ()):
            if cell not in seen:
                seen.add(cell)
                waiting.append(cell)
    return seen


def _stretches(rng: Random, ranks: dict[Pair, Rank]) -> list[Stretch]:
    lines = [[(i, j) for i in range(LINES)] for j in range(LINES)]
    lines += [[(i, j) for j in range(LINES)] for i in range(LINES)]
    lines += [[(MIDDLE + step * k, MIDDLE + k) for k in range(MIDDLE + 1)] for step in (1, -1)]
    stretches = []
    for line in lines:
        cells: list[Cell] = []
        rank, longest = Rank.RESIDENTIAL, 0
        for a, b in pairwise(line):
            pair_rank = ranks.get((a, b))
            is_bridge = a[0] == b[0] and (a[1], b[1]) == (RIVER_ROW, RIVER_ROW + 1)
            if cells and (pair_rank is not rank or len(cells) > longest or is_bridge):
                stretches.append(Stretch(tuple(cells), rank))
                cells = []
            if is_bridge and pair_rank is not None:
                stretches.append(Stretch((a, b), pair_rank, is_bridge=True))
                continue
            if pair_rank is not None:
                if not cells:
                    cells, rank = [a], pair_rank
                    longest = rng.randint(3, 5) if pair_rank < Rank.QUAY else rng.randint(5, 8)
                cells.append(b)
        if cells:
            stretches.append(Stretch(tuple(cells), rank))
    return stretches


def _with_oneways(stretches: list[Stretch]) -> tuple[Stretch, ...]:
    """Neighbouring streets of the old town run in opposite directions, as far as nobody is locked in or out."""
    done = []
    for stretch in stretches:
        (i, j), (ni, nj) = stretch.cells[0], stretch.cells[-1]
        inner = all(max(abs(a - MIDDLE), abs(b - MIDDLE)) <= RING for a, b in stretch.cells)
        if stretch.rank is not Rank.RESIDENTIAL or not inner or len(stretch.cells) < 3 or (ni != i and nj != j):
            done.append(stretch)
            continue
        cells = stretch.cells if (i if ni == i else j) % 2 else stretch.cells[::-1]
        done.append(Stretch(cells, stretch.rank, is_oneway=True))
    while locked := _locked(done):
        index = next(k for k, stretch in enumerate(done) if stretch.is_oneway and locked.intersection(stretch.cells))
        done[index] = Stretch(done[index].cells, done[index].rank)
    return tuple(done)


def _locked(stretches: list[Stretch]) -> set[Cell]:
    """Junctions that cannot be reached from the middle of town, or not left for it."""
    onward: dict[Cell, list[Cell]] = {}
    back: dict[Cell, list[Cell]] = {}
    for stretch in stretches:
        for a, b in stretch.pairs:
            for start, end in ((a, b),) if stretch.is_oneway else ((a, b), (b, a)):
                onward.setdefault(start, []).append(end)
                back.setdefault(end, []).append(start)
    start = (MIDDLE, MIDDLE)
    return (onward.keys() | back.keys()) - (reached(start, onward) & reached(start, back))


def _bends(at: dict[Cell, XY], ranks: dict[Pair, Rank]) -> dict[Pair, tuple[XY, ...]]:
    """Smooth curves through the junctions of each line (Catmull-Rom), so that streets sweep rather than zigzag."""
    bends: dict[Pair, tuple[XY, ...]] = {}
    for a, b in ranks:
        step = (b[0] - a[0], b[1] - a[1])
        before, after = (a[0] - step[0], a[1] - step[1]), (b[0] + step[0], b[1] + step[1])
        curve = tuple(
            _spline(at.get(before, at[a]), at[a], at[b], at.get(after, at[b]), part) for part in (0.25, 0.5, 0.75)
        )
        bends[a, b], bends[b, a] = curve, curve[::-1]
    return bends


def _spline(p0: XY, p1: XY, p2: XY, p3: XY, t: float) -> XY:
    def one(a: float, b: float, c: float, d: float) -> float:
        return 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3)

    return one(p0[0], p1[0], p2[0], p3[0]), one(p0[1], p1[1], p2[1], p3[1])


def _river(at: dict[Cell, XY]) -> tuple[tuple[XY, ...], tuple[XY, ...]]:
    south = _smooth([at[i, RIVER_ROW] for i in range(LINES)])
    north = _smooth([at[i, RIVER_ROW + 1] for i in range(LINES)])
    banks: tuple[list[XY], list[XY]] = ([], [])
    for a, b in zip(south, north, strict=True):
        across_m = hypot(b[0] - a[0], b[1] - a[1])
        part = QUAY_WIDTH_M / across_m
        banks[0].append((a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part))
        banks[1].append((b[0] + (a[0] - b[0]) * part, b[1] + (a[1] - b[1]) * part))
    lower, upper = (_prolonged(bank, 1500.0) for bank in banks)
    middle = tuple(((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) for a, b in zip(lower, upper, strict=True))
    return middle, (*lower, *reversed(upper))


def _smooth(points: list[XY]) -> list[XY]:
    line = []
    for k in range(len(points) - 1):
        before, after = points[max(0, k - 1)], points[min(len(points) - 1, k + 2)]
        line += [_spline(before, points[k], points[k + 1], after, part) for part in (0.0, 0.25, 0.5, 0.75)]
    return [*line, points[-1]]


def _prolonged(line: list[XY], by_m: float) -> list[XY]:
    def beyond(inner: XY, end: XY) -> XY:
        length_m = hypot(end[0] - inner[0], end[1] - inner[1])
        return end[0] + (end[0] - inner[0]) / length_m * by_m, end[1] + (end[1] - inner[1]) / length_m * by_m

    return [beyond(line[4], line[0]), *line, beyond(line[-5], line[-1])]


def _inset(outline: list[XY], by_m: float) -> tuple[XY, ...]:
    """Each corner moved towards the middle; enough for blocks, which are nearly convex."""
    middle = (sum(x for x, _ in outline) / len(outline), sum(y for _, y in outline) / len(outline))
    moved = []
    for x, y in outline:
        away_m = hypot(x - middle[0], y - middle[1])
        part = max(0.0, 1 - 1.3 * by_m / away_m)
        moved.append((middle[0] + (x - middle[0]) * part, middle[1] + (y - middle[1]) * part))
    return tuple(moved)
