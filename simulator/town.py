"""A town that does not exist, as plain values: streets with names and house numbers, a river with two bridges, parks.

The same seed and centre give the same town, to the last digit. `osmfile.py` writes it as a real OpenStreetMap extract.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import cos, degrees, hypot, radians
from random import Random

from simulator import names
from simulator.plots import Ground, plots_along
from simulator.streetplan import MIDDLE, RING, XY, Cell, Plan, Rank, Stretch, draw_plan
from wire.geo import EARTH_RADIUS_M, Place

DEFAULT_CENTRE = Place(lat_deg=41.15, lon_deg=-8.61)
MAX_LAT_DEG = 80.0
_BLOCKS_A_WAY = 2
_HIGHWAYS = {
    Rank.RESIDENTIAL: "residential",
    Rank.TERTIARY: "tertiary",
    Rank.QUAY: "tertiary",
    Rank.AVENUE: "secondary",
    Rank.RING: "primary",
}
_SPEEDS_KMH = {Rank.RESIDENTIAL: 30, Rank.TERTIARY: 40, Rank.QUAY: 40, Rank.AVENUE: 50, Rank.RING: 50}


@dataclass(frozen=True, slots=True)
class Node:
    """An OSM node: rounded to the file's 1e-7 degree, so that what is read back is what was drawn."""

    node_id: int
    lat_deg: float
    lon_deg: float
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        return Place(lat_deg=self.lat_deg, lon_deg=self.lon_deg)


@dataclass(frozen=True, slots=True)
class Way:
    """An OSM way: a street, or (closed) an area or a building."""

    way_id: int
    node_ids: tuple[int, ...]
    tags: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge that carries a street; closing all its pairs, both ways, closes it."""

    name: str
    pairs: tuple[tuple[int, int], ...]
    line: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class TownAddress:
    """A door with a number on it."""

    number: str
    street: str
    postcode: str
    city: str
    lat_deg: float
    lon_deg: float

    @property
    def place(self) -> Place:
        return Place(lat_deg=self.lat_deg, lon_deg=self.lon_deg)


@dataclass(frozen=True, slots=True)
class Town:
    """Everything the map, the orders and the scenarios need of it. `streets` are the ways one can drive."""

    name: str
    seed: int
    centre: Place
    depot: Place
    streets: tuple[Way, ...]
    bridges: tuple[Bridge, Bridge]
    addresses: tuple[TownAddress, ...]
    nodes: tuple[Node, ...]
    ways: tuple[Way, ...]
    """Streets, areas and buildings, by ascending id."""
    bounds: tuple[float, float, float, float]
    """west, south, east, north in degrees."""


def make_town(seed: int = 1, centre: Place = DEFAULT_CENTRE) -> Town:
    """The town of that seed around that centre, about 3 x 3 km. Raises ValueError as `require_buildable` does."""
    require_buildable(centre)
    rng = Random(seed)  # noqa: S311 - a town, not a key
    plan = draw_plan(rng)
    sheet = _Sheet(centre)
    town_name = rng.choice(names.TOWNS)
    named = _named(plan.stretches, rng)
    streets, bridges = _lay_streets(plan, named, sheet)
    _lay_areas(plan, sheet, rng)
    addresses = _number_houses(plan, named, town_name, sheet, rng)
    depot = _depot(plan, sheet)
    sheet.node((0.0, 0.0), {"place": "town", "name": town_name, "population": "24000"})
    for quarter, spot in zip(rng.sample(names.QUARTERS, 5), _quarter_spots(plan), strict=True):
        sheet.node(spot, {"place": "suburb", "name": quarter})
    street_nodes = {node_id for street in streets for node_id in street.node_ids}
    return Town(
        name=town_name,
        seed=seed,
        centre=centre,
        depot=depot,
        streets=streets,
        bridges=bridges,
        addresses=addresses,
        nodes=tuple(sheet.nodes),
        ways=tuple(sheet.ways),
        bounds=_bounds([node for node in sheet.nodes if node.node_id in street_nodes]),
    )


def require_buildable(centre: Place) -> None:
    """Raises ValueError within 10 degrees of a pole or where a town would cross the 180th meridian, which no routing
    engine joins.
    """
    if abs(centre.lat_deg) > MAX_LAT_DEG or abs(centre.lon_deg) > 179.5:
        raise ValueError(
            f"no town at {centre.lat_deg}, {centre.lon_deg}: choose a centre within {MAX_LAT_DEG:g} degrees of the "
            "equator and half a degree off the 180th meridian"
        )


class _Sheet:
    """The sheet the town is drawn on: metres in, numbered OSM nodes and ways out."""

    def __init__(self, centre: Place) -> None:
        self._centre = centre
        self.nodes: list[Node] = []
        self.ways: list[Way] = []

    def place(self, spot: XY) -> Place:
        around_m = EARTH_RADIUS_M * cos(radians(self._centre.lat_deg))
        return Place(
            lat_deg=round(self._centre.lat_deg + degrees(spot[1] / EARTH_RADIUS_M), 7),
            lon_deg=round(self._centre.lon_deg + degrees(spot[0] / around_m), 7),
        )

    def node(self, spot: XY, tags: dict[str, str] | None = None) -> int:
        place = self.place(spot)
        self.nodes.append(Node(len(self.nodes) + 1, place.lat_deg, place.lon_deg, tags or {}))
        return len(self.nodes)

    def way(self, node_ids: Iterable[int], tags: dict[str, str]) -> Way:
        self.ways.append(Way(len(self.ways) + 1, tuple(node_ids), tags))
        return self.ways[-1]

    def area(self, outline: Sequence[XY], tags: dict[str, str]) -> None:
        node_ids = [self.node(spot) for spot in outline]
        self.way([*node_ids, node_ids[0]], tags)


def _named(stretches: Sequence[Stretch], rng: Random) -> list[tuple[str, Stretch]]:
    """Each stretch with a name that no other has."""
    names_left = {
        Rank.RESIDENTIAL: rng.sample(names.STREETS, len(names.STREETS)),
        Rank.QUAY: list(names.QUAYS),
        Rank.AVENUE: rng.sample(names.AVENUES, len(names.AVENUES)),
        Rank.RING: rng.sample(names.RINGS, len(names.RINGS)),
    }
    bridges = rng.sample(names.BRIDGES, 2)
    named = []
    for stretch in stretches:
        if stretch.is_bridge:
            named.append((bridges.pop(), stretch))
            continue
        pool = names_left.get(stretch.rank) or names_left[Rank.RESIDENTIAL]
        if not pool:  # more streets than names: the list is long enough for every seed tried, but a town must not fail
            pool.extend(f"Rua Nova {k}" for k in range(99, 0, -1))
        named.append((pool.pop(), stretch))
    return named


def _lay_streets(
    plan: Plan, named: Sequence[tuple[str, Stretch]], sheet: _Sheet
) -> tuple[tuple[Way, ...], tuple[Bridge, Bridge]]:
    junctions = {cell: sheet.node(spot) for cell, spot in plan.at.items()}
    streets, bridges = [], []
    for name, stretch in named:
        tags = {
            "highway": _HIGHWAYS[stretch.rank],
            "name": name,
            "maxspeed": str(_SPEEDS_KMH[stretch.rank]),
            "surface": "paving_stones" if stretch.is_oneway else "asphalt",
        }
        if stretch.is_oneway:
            tags["oneway"] = "yes"
        if stretch.is_bridge:
            tags |= {"bridge": "yes", "layer": "1"}
        for start in range(0, len(stretch.cells) - 1, _BLOCKS_A_WAY):
            cells = stretch.cells[start : start + _BLOCKS_A_WAY + 1]
            node_ids = [junctions[cells[0]]]
            for a, b in pairwise(cells):
                node_ids += [*(sheet.node(spot) for spot in plan.bends[a, b]), junctions[b]]
            streets.append(sheet.way(node_ids, tags))
            if stretch.is_bridge:
                line = tuple(sheet.nodes[node_id - 1].place for node_id in node_ids)
                bridges.append(Bridge(name, tuple(pairwise(node_ids)), line))
    first, second = bridges
    return tuple(streets), (first, second)


def _lay_areas(plan: Plan, sheet: _Sheet, rng: Random) -> None:
    sheet.area(plan.river_shore, {"natural": "water", "water": "river"})
    sheet.way([sheet.node(spot) for spot in plan.river], {"waterway": "river", "name": rng.choice(names.RIVERS)})
    hull = _hull(plan.at.values())
    sheet.area([(x * 1.05, y * 1.05) for x, y in hull], {"landuse": "residential"})
    for name, outline in zip(rng.sample(names.PARKS, len(plan.parks)), plan.parks, strict=True):
        sheet.area(outline, {"leisure": "park", "name": name})
    for _ in range(5):
        x, y = hull[rng.randrange(len(hull))]
        out = rng.uniform(1.16, 1.24)
        sheet.area(_blob((x * out, y * out), rng.uniform(120, 230), rng), {"landuse": "forest"})


def _number_houses(
    plan: Plan, named: Sequence[tuple[str, Stretch]], city: str, sheet: _Sheet, rng: Random
) -> tuple[TownAddress, ...]:
    lines = [plan.line(stretch.cells) for _, stretch in named]
    ground = Ground(lines, [plan.river_shore, *plan.parks])
    addresses = []
    for index, ((name, stretch), line) in enumerate(zip(named, lines, strict=True)):
        if stretch.is_bridge:
            continue
        south = line[0][1] < plan.river[len(plan.river) // 2][1]
        postcode = f"{4400 if south else 4050}-{index + 101:03d}"
        for plot in plots_along(line, ground, rng):
            tags = {
                "addr:housenumber": plot.number,
                "addr:street": name,
                "addr:postcode": postcode,
                "addr:city": city,
            }
            door = sheet.nodes[sheet.node(plot.door, tags) - 1]
            sheet.area(plot.footprint, {"building": "yes"})
            addresses.append(TownAddress(plot.number, name, postcode, city, door.lat_deg, door.lon_deg))
    return tuple(addresses)


def _depot(plan: Plan, sheet: _Sheet) -> Place:
    """Beside the ring road, away from the river: a yard whose gate is close to a junction."""
    cells = [cell for cell in plan.at if max(abs(cell[0] - MIDDLE), abs(cell[1] - MIDDLE)) == RING]
    cell: Cell = max(cells, key=lambda cell: (cell[1], cell[0]))
    x, y = plan.at[cell]
    away_m = hypot(x, y)
    spot = (x + x / away_m * 14.0, y + y / away_m * 14.0)
    sheet.node(spot, {"name": "Depósito Municipal", "shop": "wholesale"})
    return sheet.place(spot)


def _quarter_spots(plan: Plan) -> list[XY]:
    cells = ((MIDDLE, MIDDLE + 6), (MIDDLE + 4, MIDDLE), (MIDDLE - 5, MIDDLE + 1), (MIDDLE, 2), (MIDDLE - 4, 2))
    return [plan.at.get(cell, plan.at[min(plan.at, key=lambda other: _steps(other, cell))]) for cell in cells]


def _steps(a: Cell, b: Cell) -> tuple[int, Cell]:
    return abs(a[0] - b[0]) + abs(a[1] - b[1]), a


def _hull(spots: Iterable[XY]) -> list[XY]:
    """Convex hull, counter-clockwise."""

    def half(points: Iterable[XY]) -> list[XY]:
        line: list[XY] = []
        for x, y in points:
            while len(line) > 1 and (
                (line[-1][0] - line[-2][0]) * (y - line[-2][1]) <= (line[-1][1] - line[-2][1]) * (x - line[-2][0])
            ):
                line.pop()
            line.append((x, y))
        return line[:-1]

    ordered = sorted(spots)
    return half(ordered) + half(reversed(ordered))


def _blob(middle: XY, radius_m: float, rng: Random) -> list[XY]:
    outline = []
    for k in range(11):
        angle, reach_m = radians(k * 360 / 11), radius_m * rng.uniform(0.7, 1.15)
        outline.append((middle[0] + reach_m * cos(angle), middle[1] + reach_m * cos(angle - radians(90))))
    return outline


def _bounds(nodes: Sequence[Node], margin_m: float = 350.0) -> tuple[float, float, float, float]:
    lats, lons = [node.lat_deg for node in nodes], [node.lon_deg for node in nodes]
    up_deg = degrees(margin_m / EARTH_RADIUS_M)
    aside_deg = up_deg / cos(radians(max(map(abs, lats))))
    edges = (min(lons) - aside_deg, min(lats) - up_deg, max(lons) + aside_deg, max(lats) + up_deg)
    west, south, east, north = (round(edge, 7) for edge in edges)
    return west, south, east, north
