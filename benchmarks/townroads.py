"""The streets of the made-up town without a road engine: shortest ways by time, the same on every machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import pairwise

from roads.answers import ClosureReport, Lost, Matrix
from simulator.town import Town
from wire.events import TimesSource
from wire.geo import Place, distance_m
from wire.manifest import Closure, SpeedChange

STREET_SHARE = 0.7
"""Of the speed on the sign: corners and crossings."""
YARD_MPS = 3.0
"""Between a door and the nearest junction or bend."""


@dataclass(frozen=True)
class Drive:
    """A way from door to door: the places along it and when each is passed, in seconds from the start."""

    places: tuple[Place, ...]
    passed_s: tuple[float, ...]
    travel_m: float

    @property
    def travel_s(self) -> float:
        return self.passed_s[-1]

    def at(self, seconds: float) -> Place:
        """Where the van is after so many seconds."""
        for (a, a_s), (b, b_s) in pairwise(zip(self.places, self.passed_s, strict=True)):
            if seconds < b_s:
                part = (seconds - a_s) / (b_s - a_s)
                return Place(
                    lat_deg=a.lat_deg + (b.lat_deg - a.lat_deg) * part,
                    lon_deg=a.lon_deg + (b.lon_deg - a.lon_deg) * part,
                )
        return self.places[-1]


class TownRoads:
    """What the planner asks of the roads, and what the driver finds there."""

    def __init__(self, town: Town) -> None:
        nodes = {node.node_id: node.place for node in town.nodes}
        self._edges: dict[int, list[tuple[int, float, float]]] = {}
        for street in town.streets:
            speed_mps = float(street.tags["maxspeed"]) / 3.6 * STREET_SHARE
            for a, b in pairwise(street.node_ids):
                self._join(a, b, distance_m(nodes[a], nodes[b]), speed_mps)
                if street.tags.get("oneway") != "yes":
                    self._join(b, a, distance_m(nodes[a], nodes[b]), speed_mps)
        self._place_of = {node: nodes[node] for node in self._edges}
        self._closed: frozenset[tuple[int, int]] = frozenset()
        self._near: dict[Place, tuple[int, float]] = {}
        self._trees: dict[int, dict[int, tuple[float, float, int]]] = {}

    async def matrix(self, places: Sequence[Place]) -> Matrix:
        """Travel between all places."""
        ways = [[self._way(a, b) for b in places] for a in places]
        return Matrix(
            travel_s=tuple(tuple(None if way is None else way[0] for way in row) for row in ways),
            travel_m=tuple(tuple(None if way is None else way[1] for way in row) for row in ways),
            source=TimesSource.ROADS,
        )

    async def legs_closed(self, places: Sequence[Place], closures: tuple[Closure, ...], now: datetime) -> list[int]:
        return []

    async def troubles(self, places: Sequence[Place], times: Matrix) -> dict[int, Lost]:
        return {}

    async def set_closures(
        self, closures: tuple[Closure, ...], now: datetime, speeds: tuple[SpeedChange, ...] = ()
    ) -> ClosureReport:
        closed = frozenset(
            pair
            for closure in closures
            if closure.valid_from <= now < closure.valid_until
            for one in closure.pairs
            for pair in ((one.from_node, one.to_node), *(((one.to_node, one.from_node),) if closure.both_ways else ()))
        )
        if closed != self._closed:
            self._closed = closed
            self._trees.clear()
        return ClosureReport(applied=tuple(closure.closure_id for closure in closures))

    def drive(self, start: Place, end: Place) -> Drive:
        """The quickest way. Raises ValueError when no road leads there."""
        if start == end:
            return Drive((start,), (0.0,), 0.0)
        (a, in_m), (b, out_m) = self._nearest(start), self._nearest(end)
        tree = self._tree(a)
        if b not in tree:
            raise ValueError(f"no road leads from {start} to {end}")
        back = [b]
        while back[-1] != a:
            back.append(tree[back[-1]][2])
        nodes = back[::-1]
        in_s, street_s = in_m / YARD_MPS, tree[b][0]
        return Drive(
            places=(start, *(self._place_of[node] for node in nodes), end),
            passed_s=(0.0, *(in_s + tree[node][0] for node in nodes), in_s + street_s + out_m / YARD_MPS),
            travel_m=in_m + tree[b][1] + out_m,
        )

    def _join(self, a: int, b: int, metres: float, speed_mps: float) -> None:
        self._edges.setdefault(a, []).append((b, metres / speed_mps, metres))
        self._edges.setdefault(b, [])

    def _way(self, start: Place, end: Place) -> tuple[float, float] | None:
        if start == end:
            return 0.0, 0.0
        (a, in_m), (b, out_m) = self._nearest(start), self._nearest(end)
        found = self._tree(a).get(b)
        return None if found is None else (found[0] + (in_m + out_m) / YARD_MPS, found[1] + in_m + out_m)

    def _nearest(self, place: Place) -> tuple[int, float]:
        if place not in self._near:
            metres, node = min((distance_m(place, there), node) for node, there in self._place_of.items())
            self._near[place] = node, metres
        return self._near[place]

    def _tree(self, root: int) -> dict[int, tuple[float, float, int]]:
        """From `root` to each node: seconds, metres, and the node before."""
        if root in self._trees:
            return self._trees[root]
        tree: dict[int, tuple[float, float, int]] = {}
        waiting: list[tuple[float, float, int, int]] = [(0.0, 0.0, root, root)]
        while waiting:
            seconds, metres, node, before = heappop(waiting)
            if node in tree:
                continue
            tree[node] = seconds, metres, before
            for there, leg_s, leg_m in self._edges[node]:
                if there not in tree and (node, there) not in self._closed:
                    heappush(waiting, (seconds + leg_s, metres + leg_m, there, node))
        self._trees[root] = tree
        return tree
