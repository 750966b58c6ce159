"""`python -m scripts.closurepicture`: a bridge is closed, before and after, as docs/pictures/closure.svg.

The van's own parts make it: the planner, OSRM on a map pack of the made-up town, the search and `decide`. The
way is drawn as OSRM gives it, the bands are the 10th to the 90th percentile of each arrival as the van tells them.
"""

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from itertools import pairwise
from math import cos, radians
from pathlib import Path
from random import Random

from agent.localroute.worker import Solver
from agent.planner import Planner
from agent.trip.decide import decide
from agent.trip.eta import etas
from agent.trip.inputs import AcceptTapped, AnyInput, ConditionsArrived, ManifestArrived
from agent.trip.offers import standing
from agent.trip.run import Run
from roads.network import RoadNetwork
from roads.pack import build_pack, open_pack
from simulator import osmfile
from simulator.town import Bridge, Town, make_town
from wire.events import Eta, ReplanReason
from wire.geo import Place, distance_m
from wire.manifest import Closure, Conditions, Depot, Manifest, NodePair, SequencePolicy, Stop

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "closure.svg"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SEED, STOPS, NEAR_M = 7, 12, 1_100.0
WIDTH, SIDE, PANEL, MAP_TOP, MAP_TALL, ROW = 1000, 30, 460, 64, 400, 25
STYLE = """
 text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; fill: #57606a; }
 .title { font-size: 17px; font-weight: 600; fill: #1f2328; }
 .frame { stroke: #8c959f; stroke-opacity: .35; fill: none; }
 .street { stroke: #8c959f; stroke-opacity: .4; stroke-width: 1; fill: none; }
 .river { fill: #8ab4d8; fill-opacity: .35; }
 .way { fill: none; stroke-width: 2.6; stroke-linejoin: round; }
 .before .way, .bar.was { stroke: #6e7f91; } .after .way, .bar.now { stroke: #d9622b; }
 .bar { stroke-width: 7; } .tick { stroke: #1f2328; stroke-width: 2; }
 .bridge { stroke: #1f2328; stroke-width: 5; } .shut { stroke: #c1121f; stroke-width: 5; }
 .stop { fill: #1f2328; } .number { fill: #ffffff; font-size: 11px; font-weight: 600; } .depot { fill: #57606a; }
 @media (prefers-color-scheme: dark) {
  text { fill: #9aa4af; } .title { fill: #e6edf3; } .tick, .bridge { stroke: #e6edf3; } .shut { stroke: #ff5c66; }
  .stop { fill: #e6edf3; } .number { fill: #0d1117; } .before .way, .bar.was { stroke: #9fb0c3; }
  .after .way, .bar.now { stroke: #ff8a4c; }
 }
"""


@dataclass(frozen=True)
class Side:
    """The day as planned: the stops in order with their places, the way, and when the van will be where."""

    order: tuple[str, ...]
    line: tuple[tuple[float, float], ...]
    """(longitude, latitude)."""
    arrivals: dict[str, Eta]
    home_min: float
    """Minutes until the van is home."""


@dataclass(frozen=True)
class Scene:
    streets: tuple[tuple[Place, ...], ...]
    river: tuple[Place, ...]
    """Its outline."""
    bridge: tuple[Place, ...]
    bridge_name: str
    depot: Place
    stops: dict[str, Place]
    before: Side
    after: Side


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(svg(asyncio.run(lived(Path(folder)))))
    return 0


async def lived(folder: Path) -> Scene:
    """The van plans, hears of the closed bridge, and plans again."""
    town = make_town(1)
    bridge = town.bridges[0]
    osmfile.write_town(town, folder / "town.osm.pbf")
    build_pack(folder / "town.osm.pbf", folder / "pack", town.name, progress=lambda _: None, with_tiles=False)
    roads = await RoadNetwork.open(
        open_pack(folder / "pack"), run_dir=folder / "run", work_dir=folder / "work", log_dir=folder
    )
    solver = Solver()
    try:
        van = _Van(roads, solver)
        await van.hears(ManifestArrived(manifest=_manifest(town, bridge)), ReplanReason.MANIFEST)
        before = await van.side()
        await van.hears(ConditionsArrived(conditions=_closed(bridge)), ReplanReason.ROAD_CLOSED)
        after = await van.side()
    finally:
        await solver.close()
        await roads.close()
    places = {node.node_id: node.place for node in town.nodes}
    return Scene(
        streets=tuple(tuple(places[node] for node in street.node_ids) for street in town.streets),
        river=next(
            tuple(places[node] for node in way.node_ids) for way in town.ways if way.tags.get("natural") == "water"
        ),
        bridge=bridge.line,
        bridge_name=bridge.name,
        depot=town.depot,
        stops={stop.stop_id: stop.stop.place for stop in van.run.stops},
        before=before,
        after=after,
    )


class _Van:
    """In place of the van's shell: a clock that stands still, and a driver who accepts."""

    def __init__(self, roads: RoadNetwork, solver: Solver) -> None:
        self.run = Run()
        self._roads = roads
        self._planner = Planner(roads, solver, self, limit_s=2.0)

    def now(self) -> datetime:
        return NOW

    async def hears(self, news: AnyInput, reason: ReplanReason) -> None:
        self._take(news)
        await self._planner.close_roads(self.run, NOW)
        self._take(await self._planner.plan(self.run, reason))
        offer = standing(self.run, NOW)
        if offer is not None:
            self._take(AcceptTapped(offer=offer.number))

    async def side(self) -> Side:
        plan = self.run.plan
        assert plan is not None
        stops = [stop.stop.place for stop in self.run.open_stops]
        route = await self._roads.route([plan.start, *stops, plan.start])
        home_s = (plan.legs[-1].leave_at - NOW).total_seconds() + plan.home_travel_s
        return Side(plan.stop_ids, route.line, dict(etas(self.run, NOW)), home_s / 60)

    def _take(self, entered: AnyInput) -> None:
        self.run = decide(self.run, entered, NOW).run


def _manifest(town: Town, bridge: Bridge) -> Manifest:
    middle = bridge.line[len(bridge.line) // 2]
    near = [door for door in town.addresses if distance_m(door.place, middle) < NEAR_M]
    doors = Random(SEED).sample(near, STOPS)  # noqa: S311 - a picture, not a key
    depot = Depot(lat_deg=town.depot.lat_deg, lon_deg=town.depot.lon_deg)
    return Manifest(
        van="van-1",
        day=NOW.date(),
        version=1,
        policy=SequencePolicy.FREE,
        start=depot,
        end=depot,
        shift_starts_at=NOW,
        shift_ends_at=NOW + timedelta(hours=9),
        stops=tuple(
            Stop(stop_id=f"s{n}", order_ref=f"s{n}", lat_deg=door.lat_deg, lon_deg=door.lon_deg)
            for n, door in enumerate(doors, start=1)
        ),
    )


def _closed(bridge: Bridge) -> Conditions:
    closure = Closure(
        closure_id="bridge",
        pairs=tuple(NodePair(from_node=a, to_node=b) for a, b in bridge.pairs),
        valid_from=NOW,
        valid_until=NOW + timedelta(hours=9),
    )
    return Conditions(version=1, issued_at=NOW, closures=(closure,))


# Drawing --------------------------------------------------------------------------------------------------------------


def svg(scene: Scene) -> str:
    """The picture."""
    bands_top = MAP_TOP + MAP_TALL + 62
    height = bands_top + ROW * len(scene.after.order) + 46
    told = (
        f"Home after {scene.before.home_min:.0f} minutes with {scene.bridge_name} open, "
        f"{scene.after.home_min:.0f} with it closed."
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title told">',
        '<title id="title">A round before and after a bridge is closed</title>',
        f'<desc id="told">{escape(told)}</desc>',
        f"<style>{STYLE}</style>",
    ]
    sides = ((scene.before, "before", "open"), (scene.after, "after", "closed"))
    for number, (side, kind, word) in enumerate(sides):
        parts += _map(scene, side, kind, f"{scene.bridge_name} {word}", SIDE + number * (PANEL + 20))
    parts += _bands(scene, bands_top)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _map(scene: Scene, side: Side, kind: str, title: str, left: float) -> Iterator[str]:
    shown = [*scene.stops.values(), *scene.bridge, *(Place(lat_deg=lat, lon_deg=lon) for lon, lat in side.line)]
    other = [Place(lat_deg=lat, lon_deg=lon) for one in (scene.before, scene.after) for lon, lat in one.line]
    at = _scaled([*shown, *other], left)
    yield f'<text class="title" x="{left}" y="24">{escape(title)}</text>'
    yield f'<text x="{left}" y="46">home after {side.home_min:.0f} min</text>'
    yield f'<clipPath id="{kind}"><rect x="{left}" y="{MAP_TOP}" width="{PANEL}" height="{MAP_TALL}"/></clipPath>'
    yield f'<g class="{kind}" clip-path="url(#{kind})">'
    yield f'<polygon class="river" points="{_points(at, scene.river)}"/>'
    for street in scene.streets:
        yield f'<polyline class="street" points="{_points(at, street)}"/>'
    way = [Place(lat_deg=lat, lon_deg=lon) for lon, lat in side.line]
    yield f'<polyline class="way" points="{_points(at, way)}"/>'
    is_shut = kind == "after"
    yield f'<polyline class="{"shut" if is_shut else "bridge"}" fill="none" points="{_points(at, scene.bridge)}"/>'
    if is_shut:
        x, y = at(scene.bridge[len(scene.bridge) // 2])
        for a, b in ((-10, 10), (10, -10)):
            yield f'<line class="shut" x1="{x + a}" y1="{y - 10}" x2="{x + b}" y2="{y + 10}"/>'
    x, y = at(scene.depot)
    yield f'<rect class="depot" x="{x - 6}" y="{y - 6}" width="12" height="12"/>'
    for number, stop_id in enumerate(side.order, start=1):
        x, y = at(scene.stops[stop_id])
        yield f'<circle class="stop" cx="{x}" cy="{y}" r="9"/>'
        yield f'<text class="number" x="{x}" y="{y + 4}" text-anchor="middle">{number}</text>'
    yield "</g>"
    yield f'<rect class="frame" x="{left}" y="{MAP_TOP}" width="{PANEL}" height="{MAP_TALL}"/>'


def _scaled(places: Sequence[Place], left: float) -> "_At":
    lats, lons = [place.lat_deg for place in places], [place.lon_deg for place in places]
    squeeze = cos(radians(sum(lats) / len(lats)))
    scale = 0.9 * min(PANEL / max(1e-9, (max(lons) - min(lons)) * squeeze), MAP_TALL / max(1e-9, max(lats) - min(lats)))
    return _At((min(lats) + max(lats)) / 2, (min(lons) + max(lons)) / 2, scale, squeeze, left)


@dataclass(frozen=True)
class _At:
    """From a place to the picture."""

    lat_deg: float
    lon_deg: float
    scale: float
    squeeze: float
    left: float

    def __call__(self, place: Place) -> tuple[float, float]:
        x = self.left + PANEL / 2 + (place.lon_deg - self.lon_deg) * self.squeeze * self.scale
        y = MAP_TOP + MAP_TALL / 2 - (place.lat_deg - self.lat_deg) * self.scale
        return round(x, 1), round(y, 1)


def _points(at: _At, places: Sequence[Place]) -> str:
    points = [at(place) for place in places]
    kept = points[:1] + [b for a, b in pairwise(points) if a != b]
    return " ".join(f"{x},{y}" for x, y in kept)


def _bands(scene: Scene, top: float) -> Iterator[str]:
    every = [eta for side in (scene.before, scene.after) for eta in side.arrivals.values()]
    last_min = 10 * (max((eta.p90 - NOW).total_seconds() / 60 for eta in every) // 10 + 1)
    left, wide = SIDE + 90, WIDTH - 2 * SIDE - 90

    def x(moment: datetime) -> float:
        return round(left + wide * (moment - NOW).total_seconds() / 60 / last_min, 1)

    yield f'<text class="title" x="{SIDE}" y="{top - 26}">When the van will be there: 10th to 90th percentile</text>'
    yield f'<text x="{SIDE}" y="{top - 6}">stop</text>'
    for minutes in range(0, int(last_min) + 1, 20):
        moment = NOW + timedelta(minutes=minutes)
        below = top + ROW * len(scene.after.order)
        yield f'<line class="frame" x1="{x(moment)}" y1="{top}" x2="{x(moment)}" y2="{below}"/>'
        yield f'<text x="{x(moment)}" y="{below + 18}" text-anchor="middle">{moment:%H:%M}</text>'
    for row, stop_id in enumerate(scene.after.order):
        y = top + ROW * row + 12
        was, now = scene.before.order.index(stop_id) + 1, row + 1
        yield f'<text x="{SIDE}" y="{y + 5}">{now}{"" if was == now else f" (was {was})"}</text>'
        for side, kind, lower in ((scene.before, "was", -5), (scene.after, "now", 5)):
            eta = side.arrivals[stop_id]
            yield f'<line class="bar {kind}" x1="{x(eta.p10)}" y1="{y + lower}" x2="{x(eta.p90)}" y2="{y + lower}"/>'
            middle = x(eta.p50)
            yield f'<line class="tick" x1="{middle}" y1="{y + lower - 4}" x2="{middle}" y2="{y + lower + 4}"/>'
    base = top + ROW * len(scene.after.order) + 38
    for place, (kind, words) in enumerate((("was", "bridge open"), ("now", "bridge closed"))):
        at = left + 160 * place
        yield f'<line class="bar {kind}" x1="{at}" y1="{base - 4}" x2="{at + 26}" y2="{base - 4}"/>'
        yield f'<text x="{at + 34}" y="{base}">{words}</text>'


if __name__ == "__main__":
    sys.exit(main())
