"""A village on two banks of a river, small enough to draw: real OSM data for the real OSRM.

north street   N0 - N1 - N2 - ... - N8      100 m apart, 150 m north of the river
                    |              |
               west bridge     east bridge  (N2-S2 and N6-S6)
                    |              |
south street   S0 - S1 - S2 - ... - S8      150 m south of the river

and far east an island with one street that no road reaches. With `lanes`, on request:

L0 - L1      north of N8: a lane without a name, for those who live there (`access=destination`)
P0           north of N0: a private drive
O0 -> O1     north of N4: a one-way street that turns back to N5
"""

from pathlib import Path

import osmium
from osmium.osm.mutable import Node, Way

from wire.geo import Place, moved
from wire.manifest import NodePair

MIDDLE = Place(lat_deg=41.0, lon_deg=-8.0)
WEST_BRIDGE = ((103, 203),)
EAST_BRIDGE = ((107, 207),)


def at(east_m: float, north_m: float) -> Place:
    return moved(MIDDLE, north_m=north_m, east_m=east_m)


NORTH = [at(100.0 * number, 150.0) for number in range(9)]
SOUTH = [at(100.0 * number, -150.0) for number in range(9)]
ISLAND = [at(3000.0 + 100.0 * number, 0.0) for number in range(4)]
LANE = [at(800.0, 150.0 + 200.0 * number) for number in (1, 2)]
DRIVE = at(0.0, 350.0)
ONE_WAY = [at(400.0, 450.0), at(500.0, 450.0)]
SEA = at(400.0, -9000.0)
SWAPPED = Place(lat_deg=MIDDLE.lon_deg, lon_deg=MIDDLE.lat_deg)


def pairs(bridge: tuple[tuple[int, int], ...]) -> tuple[NodePair, ...]:
    return tuple(NodePair(from_node=a, to_node=b) for a, b in bridge)


def write(
    path: Path, *, with_box: bool = True, with_streets: bool = True, with_lanes: bool = False, east_m: float = 0.0
) -> Path:
    """The extract, `east_m` from here; node ids are 101.. (north), 201.. (south), 301.. (island), 401.. (lanes)."""
    header = osmium.io.Header()
    if with_box:
        low, high = at(east_m - 300, -600), at(east_m + 3600, 600)
        header.add_box(osmium.osm.Box(low.lon_deg, low.lat_deg, high.lon_deg, high.lat_deg))
    streets = {101: NORTH, 201: SOUTH, 301: ISLAND}
    ways = [
        (1, [101 + number for number in range(9)], "North Street"),
        (2, [201 + number for number in range(9)], "South Street"),
        (3, [301 + number for number in range(4)], "Island Street"),
        (4, [103, 203], "West Bridge"),
        (5, [107, 207], "East Bridge"),
    ]
    lanes: list[tuple[int, list[int], dict[str, str]]] = []
    if with_lanes:
        streets[401] = [*LANE, DRIVE, *ONE_WAY]
        lanes = [
            (6, [109, 401, 402], {"highway": "residential", "access": "destination"}),
            (7, [101, 403], {"highway": "service", "access": "private", "name": "Private Drive"}),
            (8, [105, 404, 405, 106], {"highway": "residential", "oneway": "yes", "name": "One Way"}),
        ]
    with osmium.SimpleWriter(str(path), header=header, overwrite=True) as writer:
        for first, places in streets.items():
            for number, place in enumerate(moved(place, north_m=0, east_m=east_m) for place in places):
                writer.add_node(Node(id=first + number, version=1, location=(place.lon_deg, place.lat_deg), tags={}))
        for way_id, nodes, name in ways if with_streets else []:
            tags = {"highway": "residential", "name": name}
            if len(nodes) == 2:
                tags |= {"bridge": "yes", "layer": "1"}
            writer.add_way(Way(id=way_id, version=1, nodes=nodes, tags=tags))
        for way_id, nodes, tags in lanes:
            writer.add_way(Way(id=way_id, version=1, nodes=nodes, tags=tags))
    return path
