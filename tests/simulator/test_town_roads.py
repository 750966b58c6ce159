"""The generated town under a real OSRM: all doors reachable, also with a bridge closed; drivers go round."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from roads.network import RoadNetwork
from roads.pack import MapPack, build_pack
from simulator import osmfile
from simulator.roadtrip import OpenRoads
from simulator.town import Bridge, Town, make_town
from wire.events import TimesSource
from wire.geo import Kerb, Place, distance_m
from wire.manifest import Closure, NodePair
from wire.places import PlaceTrouble

pytestmark = pytest.mark.system

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SOUTH_AFRICA = Place(lat_deg=-33.92, lon_deg=18.42)
URUGUAY = Place(lat_deg=-34.9, lon_deg=-56.16)
FIJI = Place(lat_deg=-16.8, lon_deg=179.45)
GROUNDS: dict[str, tuple[int, Place | None]] = {
    "north-west": (1, None),
    "south-east": (7, SOUTH_AFRICA),
    "south-west": (1, URUGUAY),
    "date line": (1, FIJI),
}


@pytest.fixture(scope="module", params=list(GROUNDS.values()), ids=list(GROUNDS))
def ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, MapPack]:
    seed, centre = request.param
    town = make_town(seed) if centre is None else make_town(seed, centre)
    folder = tmp_path_factory.mktemp("town")
    osmfile.write_town(town, folder / "town.osm.pbf")
    pack = build_pack(folder / "town.osm.pbf", folder / "pack", "town", progress=lambda _: None, with_tiles=False)
    return town, pack


@pytest.fixture
async def network(ground: tuple[Town, MapPack], tmp_path: Path) -> AsyncIterator[RoadNetwork]:
    opened = await RoadNetwork.open(ground[1], run_dir=tmp_path, work_dir=tmp_path / "work", log_dir=tmp_path)
    yield opened
    await opened.close()


def _closure(bridge: Bridge) -> Closure:
    pairs = tuple(NodePair(from_node=a, to_node=b) for a, b in bridge.pairs)
    return Closure(closure_id="bridge", pairs=pairs, valid_from=NOW, valid_until=NOW + timedelta(hours=1))


async def test_sixty_doors_reach_each_other_also_with_a_bridge_closed(
    ground: tuple[Town, MapPack], network: RoadNetwork
) -> None:
    town, _ = ground
    doors = [town.depot, *(address.place for address in town.addresses[:: len(town.addresses) // 59][:59])]
    before = await network.matrix(doors)
    assert before.source is TimesSource.ROADS
    assert before.unlocated == ()
    assert sum(cell is None for row in before.travel_s for cell in row) == 0
    roads = OpenRoads(network)
    await roads.close(_closure(town.bridges[0]), NOW)
    after = await network.matrix(doors)
    assert sum(cell is None for row in after.travel_s for cell in row) == 0
    slower = sum(
        (b or 0) > (a or 0) + 20
        for x, y in zip(before.travel_s, after.travel_s, strict=True)
        for a, b in zip(x, y, strict=True)
    )
    assert slower > 60, "closing a bridge should cost a detour"


async def test_a_driver_goes_over_the_bridge_until_it_is_closed(
    ground: tuple[Town, MapPack], network: RoadNetwork
) -> None:
    town, _ = ground
    bridge = town.bridges[0]
    middle = bridge.line[len(bridge.line) // 2]
    banks = [
        min(town.addresses, key=lambda door: distance_m(door.place, end)) for end in (bridge.line[0], bridge.line[-1])
    ]
    roads = OpenRoads(network)
    way = await roads.way(banks[0].place, banks[1].place)
    assert way is not None
    assert min(distance_m(middle, place) for place in way.line) < 5
    await roads.close(_closure(bridge), NOW)
    round_trip = await roads.way(banks[0].place, banks[1].place)
    assert round_trip is not None
    assert min(distance_m(middle, place) for place in round_trip.line) > 30
    assert round_trip.travel_s > way.travel_s + 30


async def test_a_kerbside_stop_a_lost_one_and_a_drawn_closure_are_the_same_everywhere(
    ground: tuple[Town, MapPack], network: RoadNetwork
) -> None:
    town, _ = ground
    bridge, doors = town.bridges[1], town.addresses
    kerb = Kerb(lat_deg=doors[7].lat_deg, lon_deg=doors[7].lon_deg)
    swapped = Place(lat_deg=max(-90, min(90, doors[3].lon_deg)), lon_deg=doors[3].lat_deg)
    matrix = await network.matrix([doors[0].place, kerb, swapped, doors[40].place])
    assert (matrix.source, matrix.unlocated) == (TimesSource.ROADS, (2,))
    route = await network.route([doors[0].place, kerb])
    assert route.legs[0].travel_s == pytest.approx(matrix.travel_s[0][1], abs=0.5)
    if abs(doors[3].lon_deg) <= 90:
        assert (await network.why_lost(swapped)).why is PlaceTrouble.SWAPPED
    drawn = Closure(
        closure_id="drawn",
        line=tuple((place.lat_deg, place.lon_deg) for place in bridge.line),
        valid_from=NOW,
        valid_until=NOW + timedelta(hours=1),
    )
    assert (await network.set_closures((drawn,), NOW)).applied == ("drawn",)
