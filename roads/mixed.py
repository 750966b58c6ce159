"""Answers made of two sources: roads where they lead, straight-line estimates for the places that have none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from roads import estimate
from roads.answers import Cells, Leg, Manoeuvre, Matrix, Route
from wire.events import TimesSource
from wire.geo import Place


def matrix(places: Sequence[Place], on_road: Sequence[int], cells: tuple[Cells, Cells]) -> Matrix:
    """The whole matrix from OSRM's (seconds, metres) over `on_road`, the places that have a road."""
    size = len(places)
    row_of = {index: row for row, index in enumerate(on_road)}
    travel_s: list[list[float | None]] = [[0.0] * size for _ in places]
    travel_m: list[list[float | None]] = [[0.0] * size for _ in places]
    for i in range(size):
        for j in range(size):
            if i in row_of and j in row_of:
                travel_s[i][j], travel_m[i][j] = (part[row_of[i]][row_of[j]] for part in cells)
            elif i != j:
                travel_s[i][j], travel_m[i][j] = estimate.leg(places[i], places[j])
    return Matrix(
        travel_s=tuple(tuple(row) for row in travel_s),
        travel_m=tuple(tuple(row) for row in travel_m),
        source=TimesSource.ROADS,
        unlocated=tuple(index for index in range(size) if index not in row_of),
        cut_off=tuple(index for row, index in enumerate(on_road) if _is_cut_off(cells[0], row)),
    )


def runs(has_road: Sequence[bool]) -> Iterator[tuple[int, int, bool]]:
    """Consecutive legs of one kind: the places (first, last) they join, and whether they go by road."""
    first = 0
    kinds = [a and b for a, b in pairwise(has_road)]
    for last in range(1, len(kinds) + 1):
        if last == len(kinds) or kinds[last] != kinds[first]:
            yield first, last, kinds[first]
            first = last


def by_road(lines: Sequence[Sequence[tuple[float, float]]], legs: list[Leg], manoeuvres: list[Manoeuvre]) -> Route:
    """A route whose every leg goes by road; `lines` has one line for each leg."""
    line: list[tuple[float, float]] = []
    leg_starts: list[int] = []
    for part in lines:
        if line and part and line[-1] == part[0]:
            line.pop()
        leg_starts.append(len(line))
        line += part
    return Route(tuple(line), tuple(legs), tuple(manoeuvres), TimesSource.ROADS, leg_starts=tuple(leg_starts))


def joined(parts: Sequence[Route]) -> Route:
    """Routes that follow one another as one. Where a road meets a straight line, the line has a small step."""
    line: list[tuple[float, float]] = []
    legs: list[Leg] = []
    manoeuvres: list[Manoeuvre] = []
    estimated: list[int] = []
    leg_starts: list[int] = []
    for part in parts:
        estimated += [len(legs) + leg for leg in part.estimated_legs]
        leg_starts += [len(line) + start for start in part.leg_starts]
        manoeuvres += [replace(manoeuvre, leg=len(legs) + manoeuvre.leg) for manoeuvre in part.manoeuvres]
        legs += part.legs
        line += part.line
    source = TimesSource.ESTIMATE if estimated else TimesSource.ROADS
    return Route(tuple(line), tuple(legs), tuple(manoeuvres), source, tuple(estimated), tuple(leg_starts))


def _is_cut_off(travel_s: Cells, row: int) -> bool:
    """Most others can neither be reached from there nor reach it: two stops on one island have each other."""
    others = [other for other in range(len(travel_s)) if other != row]
    return sum(travel_s[row][other] is None and travel_s[other][row] is None for other in others) > len(others) / 2
