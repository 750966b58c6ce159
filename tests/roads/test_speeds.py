"""Roads at another speed than the map's, on the real OSRM: matrix and route alike, and back again."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from roads.errors import RoadsError
from roads.network import RoadNetwork
from roads.pack import MapPack, build_pack
from roads.segments import Area, Segments
from tests.builders import MORNING
from tests.roads import village
from wire.geo import Place, moved
from wire.manifest import Closure, SpeedChange

pytestmark = pytest.mark.system

HOUR = timedelta(hours=1)
NORTH, SOUTH = village.NORTH, village.SOUTH
BOTH_BANKS = (village.at(-200, -300), village.at(-200, 300), village.at(1000, 300), village.at(1000, -300))


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> MapPack:
    folder = tmp_path_factory.mktemp("village")
    pbf = village.write(folder / "village.osm.pbf", with_lanes=True)
    return build_pack(pbf, folder / "pack", "Village", progress=lambda _: None, with_tiles=False)


@pytest.fixture
async def roads(pack: MapPack, tmp_path: Path) -> AsyncIterator[RoadNetwork]:
    network = await RoadNetwork.open(pack, run_dir=tmp_path / "run", work_dir=tmp_path / "work", log_dir=tmp_path)
    yield network
    await network.close()


def change(factor: float, *, speed_id: str = "v1", **where: object) -> SpeedChange:
    fields: dict[str, object] = {"speed_id": speed_id, "factor": factor, "valid_from": MORNING}
    return SpeedChange.model_validate({**fields, "valid_until": MORNING + HOUR, **where})


def drawn(*places: Place) -> tuple[tuple[float, float], ...]:
    return tuple((place.lat_deg, place.lon_deg) for place in places)


async def seconds(network: RoadNetwork, a: Place, b: Place) -> float:
    """By route and matrix, which must agree."""
    leg = (await network.route([a, b])).legs[0]
    matrix = await network.matrix([a, b])
    assert matrix.travel_s[0][1] == pytest.approx(leg.travel_s, abs=0.3)
    return leg.travel_s


async def test_half_the_speed_in_an_area_is_twice_the_time_and_nothing_elsewhere(roads: RoadNetwork) -> None:
    before_s, island_s = await seconds(roads, NORTH[0], SOUTH[8]), await seconds(roads, *village.ISLAND[:2])
    report = await roads.set_closures((), MORNING, (change(0.5, area=drawn(*BOTH_BANKS)),))
    assert (report.applied, report.unmatched, report.problem) == (("v1",), (), "")
    assert await seconds(roads, NORTH[0], SOUTH[8]) == pytest.approx(2 * before_s, rel=0.03)
    assert await seconds(roads, *village.ISLAND[:2]) == island_s
    await roads.set_closures((), MORNING + HOUR, (change(0.5, area=drawn(*BOTH_BANKS)),))
    assert await seconds(roads, NORTH[0], SOUTH[8]) == before_s


async def test_a_slow_bridge_is_slow_and_where_the_other_is_quicker_the_way_goes_there(roads: RoadNetwork) -> None:
    before_s = await seconds(roads, NORTH[2], SOUTH[2])
    slower = change(0.5, pairs=village.pairs(village.WEST_BRIDGE))
    await roads.set_closures((), MORNING, (slower,))
    assert await seconds(roads, NORTH[2], SOUTH[2]) == pytest.approx(2 * before_s, rel=0.05)
    crawling = change(0.05, line=drawn(moved(NORTH[2], north_m=-20, east_m=3), moved(SOUTH[2], north_m=20, east_m=3)))
    await roads.set_closures((), MORNING, (crawling,))
    route = await roads.route([NORTH[2], SOUTH[2]])
    assert route.legs[0].travel_m == pytest.approx(1100, rel=0.02)


async def test_a_factor_however_small_closes_no_road(roads: RoadNetwork) -> None:
    island = change(0.0001, pairs=village.pairs(((301, 302), (302, 303), (303, 304))))
    report = await roads.set_closures((), MORNING, (island,))
    assert report.applied == ("v1",)
    matrix = await roads.matrix([village.ISLAND[0], village.ISLAND[3], NORTH[0]])
    assert matrix.travel_s[0][1] == pytest.approx(300 * 3.6, rel=0.1)  # 300 m at 1 km/h


async def test_two_changes_of_one_road_both_count_and_a_closed_road_stays_closed(roads: RoadNetwork) -> None:
    before_s = await seconds(roads, NORTH[0], NORTH[8])
    town = change(0.5, area=drawn(*BOTH_BANKS))
    street = change(0.5, speed_id="v2", pairs=village.pairs(tuple((101 + k, 102 + k) for k in range(8))))
    bridge = Closure(
        closure_id="c1", pairs=village.pairs(village.WEST_BRIDGE), valid_from=MORNING, valid_until=MORNING + HOUR
    )
    report = await roads.set_closures((bridge,), MORNING, (town, street))
    assert report.applied == ("c1", "v1", "v2")
    assert await seconds(roads, NORTH[0], NORTH[8]) == pytest.approx(4 * before_s, rel=0.03)
    assert (await roads.route([NORTH[2], SOUTH[2]])).legs[0].travel_m == pytest.approx(1100, rel=0.02)


async def test_changes_that_meet_no_road_are_reported(roads: RoadNetwork) -> None:
    sea = change(
        0.5,
        area=drawn(village.SEA, moved(village.SEA, north_m=100, east_m=0), moved(village.SEA, north_m=0, east_m=90)),
    )
    unknown = change(0.5, speed_id="v2", pairs=village.pairs(((900001, 900002),)))
    before_s = await seconds(roads, NORTH[2], SOUTH[2])
    report = await roads.set_closures((), MORNING, (sea, unknown))
    assert (report.applied, report.unmatched, report.problem) == ((), ("v1", "v2"), "")
    assert await seconds(roads, NORTH[2], SOUTH[2]) == before_s


async def test_the_speeds_read_are_those_that_osrm_drives(pack: MapPack, roads: RoadNetwork) -> None:
    segments = Segments(pack.road_base)
    inside = segments.inside(Area(drawn(*BOTH_BANKS)))
    street = {(101 + k, 102 + k) for k in range(8)}
    assert street <= inside.keys()
    assert {pair[::-1] for pair in street} <= inside.keys()
    assert (301, 302) not in inside
    assert segments.of(street) == {pair: inside[pair] for pair in street}
    km_h = 0.8 / (await seconds(roads, NORTH[0], NORTH[8])) * 3600
    assert sum(inside[pair] for pair in street) / 8 == pytest.approx(km_h, rel=0.03)


def test_files_of_another_shape_are_refused(tmp_path: Path) -> None:
    for ending in ("nbg_nodes", "geometry"):
        (tmp_path / f"map.osrm.{ending}").write_bytes(b"nothing of the kind")
    with pytest.raises(RoadsError, match="speeds cannot be read"):
        Segments(tmp_path / "map.osrm")
