"""The road network on the real OSRM, in the village of tests/roads/village.py."""

import asyncio
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from roads import swap
from roads.errors import BuildError
from roads.network import RoadNetwork
from roads.pack import MapPack, build_pack, open_pack
from roads.tiles import Tiles
from tests.builders import MORNING
from tests.roads import village
from wire.events import TimesSource
from wire.geo import Place, moved
from wire.manifest import Closure

pytestmark = pytest.mark.system

HOUR = timedelta(hours=1)
STOPS = [village.NORTH[0], village.NORTH[8], village.SOUTH[2]]


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> MapPack:
    folder = tmp_path_factory.mktemp("village")
    return build_pack(village.write(folder / "village.osm.pbf"), folder / "pack", "Village", progress=lambda _: None)


@pytest.fixture
async def roads(pack: MapPack, tmp_path: Path) -> AsyncIterator[RoadNetwork]:
    network = await open_network(pack, tmp_path)
    yield network
    await network.close()
    assert list((tmp_path / "run").iterdir()) == []


async def open_network(pack: MapPack | None, tmp_path: Path) -> RoadNetwork:
    return await RoadNetwork.open(pack, run_dir=tmp_path / "run", work_dir=tmp_path / "work", log_dir=tmp_path / "log")


def closure(
    bridge: tuple[tuple[int, int], ...] = (),
    line: tuple[Place, ...] = (),
    closure_id: str = "c1",
    starts: datetime = MORNING,
    both_ways: bool = True,
) -> Closure:
    return Closure(
        closure_id=closure_id,
        pairs=village.pairs(bridge),
        line=tuple((place.lat_deg, place.lon_deg) for place in line),
        both_ways=both_ways,
        valid_from=starts,
        valid_until=starts + HOUR,
    )


def sums(pack: MapPack) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in pack.folder.rglob("*") if path.is_file()
    }


def osrm_pid(tmp_path: Path) -> int:
    return int((tmp_path / "run" / "osrm.pid").read_text())


def test_a_pack_holds_one_network_and_none_for_each_kind_of_road_a_car_could_avoid(pack: MapPack) -> None:
    with tarfile.open(f"{pack.road_base}.cell_metrics") as metrics:
        networks = {name.split("/exclude/")[1].split("/")[0] for name in metrics.getnames() if "/exclude/" in name}
    assert networks == {"0"}


async def is_back(network: RoadNetwork) -> bool:
    for _ in range(200):
        if network.is_up:
            return True
        await asyncio.sleep(0.02)
    return False


async def over_the_river(network: RoadNetwork) -> float:
    """Metres from above the west bridge to below it."""
    return (await network.route([village.NORTH[2], village.SOUTH[2]])).legs[0].travel_m


async def test_travel_follows_the_streets(roads: RoadNetwork) -> None:
    matrix = await roads.matrix(STOPS)
    assert matrix.source is TimesSource.ROADS
    assert (matrix.unlocated, matrix.cut_off) == ((), ())
    assert matrix.travel_m[0][1] == pytest.approx(800, rel=0.01)
    assert matrix.travel_m[0][2] == pytest.approx(200 + 300, rel=0.01)
    assert all(cell is not None for row in matrix.travel_s for cell in row)


async def test_a_route_has_a_line_legs_and_manoeuvres_with_street_names(roads: RoadNetwork) -> None:
    route = await roads.route([village.NORTH[0], village.SOUTH[0], village.SOUTH[5]])
    assert route.source is TimesSource.ROADS
    assert [round(leg.travel_m, -1) for leg in route.legs] == [700, 500]
    assert route.line[0] == pytest.approx((village.NORTH[0].lon_deg, village.NORTH[0].lat_deg), abs=1e-5)
    assert route.line[route.leg_starts[1]] == pytest.approx(
        (village.SOUTH[0].lon_deg, village.SOUTH[0].lat_deg), abs=1e-5
    )
    assert [m.street for m in route.manoeuvres if m.leg == 0][:3] == ["North Street", "West Bridge", "South Street"]
    assert {m.type for m in route.manoeuvres} >= {"depart", "arrive"}


@pytest.mark.parametrize("lost", [village.SEA, village.SWAPPED, Place(lat_deg=0, lon_deg=0)])
async def test_one_stop_without_a_road_is_listed_and_spoils_nothing(roads: RoadNetwork, lost: Place) -> None:
    alone = await roads.matrix(STOPS)
    matrix = await roads.matrix([STOPS[0], lost, *STOPS[1:]])
    assert matrix.source is TimesSource.ROADS
    assert matrix.unlocated == (1,)
    kept = [0, 2, 3]
    assert tuple(tuple(matrix.travel_s[i][j] for j in kept) for i in kept) == alone.travel_s
    assert all(cell is not None for cell in matrix.travel_s[1])
    assert (await roads.locate([lost, STOPS[0]]))[0] is None


async def test_a_stop_on_an_island_is_listed_as_cut_off_and_spoils_nothing(roads: RoadNetwork) -> None:
    matrix = await roads.matrix([*STOPS, village.ISLAND[1]])
    assert matrix.source is TimesSource.ROADS
    assert (matrix.unlocated, matrix.cut_off) == ((), (3,))
    assert matrix.travel_s[0][3] is None
    assert tuple(row[:3] for row in matrix.travel_s[:3]) == (await roads.matrix(STOPS)).travel_s
    route = await roads.route([STOPS[0], STOPS[1], village.ISLAND[1], village.ISLAND[3]])
    assert route.estimated_legs == (1,)
    assert len(route.legs) == 3


async def test_places_that_are_all_lost_get_an_estimate(roads: RoadNetwork) -> None:
    matrix = await roads.matrix([village.SEA, village.SWAPPED])
    assert matrix.source is TimesSource.ESTIMATE
    assert matrix.unlocated == (0, 1)
    assert await roads.locate([village.SEA, village.SWAPPED]) == [None, None]
    assert (await roads.matrix([])).travel_s == ()
    assert (await roads.route([])).legs == ()
    assert (await roads.route([STOPS[0]])).legs == ()


async def test_one_place_alone_and_one_place_twice_are_no_trouble(roads: RoadNetwork) -> None:
    assert (await roads.matrix([STOPS[0]])).travel_s == ((0.0,),)
    with_a_lost_one = await roads.matrix([STOPS[0], village.SEA])
    assert (with_a_lost_one.source, with_a_lost_one.unlocated) == (TimesSource.ESTIMATE, (1,))
    twice = await roads.matrix([STOPS[0], STOPS[0]])
    assert twice.travel_s == ((0.0, 0.0), (0.0, 0.0))
    assert (await roads.route([STOPS[0], STOPS[0]])).legs == ((0.0, 0.0),)


async def test_a_place_beside_a_road_is_put_on_it(roads: RoadNetwork) -> None:
    (found,) = await roads.locate([moved(village.NORTH[4], north_m=40, east_m=20)])
    assert found is not None
    assert (round(found.distance_m), found.street) == (40, "North Street")


async def test_a_closed_bridge_changes_route_and_matrix_and_never_the_pack(roads: RoadNetwork, pack: MapPack) -> None:
    before, matrix_before = sums(pack), await roads.matrix(STOPS)
    assert await over_the_river(roads) == pytest.approx(300, rel=0.02)
    report = await roads.set_closures((closure(village.WEST_BRIDGE),), MORNING)
    assert (report.applied, report.unmatched, report.problem) == (("c1",), (), "")
    assert await over_the_river(roads) == pytest.approx(400 + 300 + 400, rel=0.02)
    route = await roads.route([village.NORTH[2], village.SOUTH[2]])
    assert "West Bridge" not in {manoeuvre.street for manoeuvre in route.manoeuvres}
    matrix = await roads.matrix(STOPS)
    assert matrix.source is TimesSource.ROADS
    assert matrix.travel_s[0][2] > matrix_before.travel_s[0][2]  # type: ignore[operator]
    assert sums(pack) == before
    open_pack(pack.folder)


async def test_a_closure_ends_by_itself_and_the_working_copy_goes(roads: RoadNetwork, tmp_path: Path) -> None:
    closures = (closure(village.WEST_BRIDGE), closure(village.EAST_BRIDGE, closure_id="c2", starts=MORNING + HOUR))
    assert (await roads.set_closures(closures, MORNING - HOUR)).applied == ()
    assert (await roads.set_closures(closures, MORNING)).applied == ("c1",)
    assert await over_the_river(roads) > 1000
    assert (await roads.set_closures(closures, MORNING + HOUR)).applied == ("c2",)
    assert await over_the_river(roads) < 400
    assert len(list((tmp_path / "work").iterdir())) == 1
    assert (await roads.set_closures(closures, MORNING + 2 * HOUR)).applied == ()
    assert list((tmp_path / "work").iterdir()) == []
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["osrm.pid"]


async def test_with_both_bridges_closed_no_road_leads_over(roads: RoadNetwork) -> None:
    both = (closure(village.WEST_BRIDGE), closure(village.EAST_BRIDGE, closure_id="c2"))
    assert (await roads.set_closures(both, MORNING)).applied == ("c1", "c2")
    matrix = await roads.matrix([village.NORTH[0], village.NORTH[8], village.SOUTH[0]])
    assert matrix.travel_s[0][2] is None
    assert matrix.travel_s[0][1] is not None
    assert matrix.cut_off == (2,)


async def test_a_closure_one_way_leaves_the_other_way_open(roads: RoadNetwork) -> None:
    await roads.set_closures((closure(village.WEST_BRIDGE, both_ways=False),), MORNING)
    matrix = await roads.matrix([village.NORTH[2], village.SOUTH[2]])
    assert matrix.travel_m[0][1] == pytest.approx(1100, rel=0.02)
    assert matrix.travel_m[1][0] == pytest.approx(300, rel=0.02)


async def test_a_line_drawn_over_a_bridge_closes_that_bridge_only(roads: RoadNetwork) -> None:
    drawn = tuple(moved(village.at(200, north_m), north_m=0, east_m=6) for north_m in (120, 0, -120))
    elsewhere = closure(line=(village.at(400, -9000), village.at(500, -9000)), closure_id="sea")
    report = await roads.set_closures((closure(line=drawn), elsewhere), MORNING)
    assert (report.applied, report.unmatched) == (("c1",), ("sea",))
    assert await over_the_river(roads) == pytest.approx(1100, rel=0.02)
    assert (await roads.route([village.NORTH[0], village.NORTH[8]])).legs[0].travel_m == pytest.approx(800, rel=0.02)
    # A second line is matched while the first bridge is closed, and may lie over it.
    again = closure(line=drawn[::-1], closure_id="c2")
    assert (await roads.set_closures((again, closure(line=drawn)), MORNING)).applied == ("c2", "c1")


async def test_a_line_from_junction_to_junction_takes_no_street_beyond_them(roads: RoadNetwork) -> None:
    await roads.set_closures((closure(line=(village.NORTH[2], village.SOUTH[2])),), MORNING)
    for bank in (village.NORTH, village.SOUTH):
        assert (await roads.route([bank[0], bank[8]])).legs[0].travel_m == pytest.approx(800, rel=0.02)


async def test_closures_that_meet_no_road_are_reported_and_change_nothing(roads: RoadNetwork) -> None:
    unknown = closure(((900001, 900002),), closure_id="unknown")
    point = closure(line=(village.NORTH[1],), closure_id="point")
    report = await roads.set_closures((unknown, point), MORNING)
    assert (report.applied, report.unmatched, report.problem) == ((), ("unknown", "point"), "")
    assert await over_the_river(roads) < 400


async def test_a_stop_on_a_closed_street_spoils_nothing(roads: RoadNetwork) -> None:
    places = [village.NORTH[0], village.NORTH[8], village.ISLAND[1], village.SOUTH[4]]
    await roads.matrix(places)
    island = closure(((301, 302), (302, 303), (303, 304)))
    assert (await roads.set_closures((island,), MORNING)).applied == ("c1",)
    matrix = await roads.matrix(places)
    assert matrix.source is TimesSource.ROADS
    assert matrix.travel_m[0][1] == pytest.approx(800, rel=0.01)
    assert 2 in matrix.unlocated + matrix.cut_off


async def test_a_full_disk_leaves_the_network_as_it_was(
    roads: RoadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", full)
        report = await roads.set_closures((closure(village.WEST_BRIDGE),), MORNING)
    assert "No space left" in report.problem
    assert await over_the_river(roads) < 400
    assert list((tmp_path / "work").iterdir()) == []
    assert (await roads.set_closures((closure(village.WEST_BRIDGE),), MORNING)).applied == ("c1",)


async def test_a_killed_engine_means_estimates_and_then_roads_again(
    roads: RoadNetwork, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await roads.matrix(STOPS)
    os.kill(osrm_pid(tmp_path), signal.SIGKILL)
    while roads.is_up:  # noqa: ASYNC110  (until the loop has heard of it)
        await asyncio.sleep(0.001)
    assert (await roads.matrix(STOPS)).source is TimesSource.ESTIMATE
    assert (await roads.route(STOPS)).source is TimesSource.ESTIMATE
    (found,) = await roads.locate([STOPS[0]])
    assert found is not None
    assert found.source is TimesSource.ESTIMATE
    assert "-9" in roads.problem
    assert await is_back(roads)
    assert (await roads.matrix(STOPS)).source is TimesSource.ROADS
    assert roads.problem == ""
    said = [record.message for record in caplog.records if record.name == "roads.engine"]
    assert len([text for text in said if "is down" in text]) == 1


async def test_an_engine_killed_with_closures_comes_back_with_them(roads: RoadNetwork, tmp_path: Path) -> None:
    await roads.set_closures((closure(village.WEST_BRIDGE),), MORNING)
    os.kill(osrm_pid(tmp_path), signal.SIGKILL)
    while roads.is_up:  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    assert await is_back(roads)
    assert await over_the_river(roads) > 1000


async def test_a_hanging_engine_is_ended_and_started_again(
    roads: RoadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = osrm_pid(tmp_path)
    os.kill(pid, signal.SIGSTOP)
    engine = roads._engine
    assert engine is not None
    assert engine._osrm is not None
    monkeypatch.setattr(engine._osrm._session, "_timeout", type(engine._osrm._session._timeout)(total=0.2))
    assert (await roads.matrix(STOPS)).source is TimesSource.ESTIMATE
    assert await is_back(roads)
    assert osrm_pid(tmp_path) != pid
    assert (await roads.matrix(STOPS)).source is TimesSource.ROADS


async def test_questions_asked_during_a_switch_are_answered_by_roads(roads: RoadNetwork) -> None:
    sources: set[TimesSource] = set()

    async def keep_asking() -> None:
        while True:
            sources.add((await roads.matrix(STOPS)).source)

    asking = [asyncio.create_task(keep_asking()) for _ in range(3)]
    for closures in ((closure(village.WEST_BRIDGE),), (), (closure(village.EAST_BRIDGE),), ()):
        assert (await roads.set_closures(closures, MORNING)).problem == ""
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert sources == {TimesSource.ROADS}


async def test_a_day_of_152_places_takes_well_under_a_second(roads: RoadNetwork) -> None:
    random = Random(5)
    places = [moved(random.choice(village.NORTH), north_m=0, east_m=random.uniform(0, 50)) for _ in range(152)]
    took_s: list[float] = []
    for _ in range(3):
        start = time.monotonic()
        assert (await roads.matrix(places)).source is TimesSource.ROADS
        took_s.append(time.monotonic() - start)
    assert min(took_s) < 1.0
    with pytest.raises(ValueError, match="at most 500"):
        await roads.matrix([STOPS[0]] * 501)


async def test_without_a_pack_everything_is_an_estimate(tmp_path: Path) -> None:
    network = await open_network(None, tmp_path)
    assert (await network.matrix(STOPS)).source is TimesSource.ESTIMATE
    report = await network.set_closures((closure(village.WEST_BRIDGE),), MORNING)
    assert (report.applied, report.problem) == ((), "there is no map pack")
    assert network.problem == "there is no map pack"
    await network.close()


async def test_an_engine_that_cannot_load_its_data_leaves_estimates_and_a_reason(
    pack: MapPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(pack.folder, tmp_path / "pack")
    broken = open_pack(tmp_path / "pack")
    (tmp_path / "pack/road/map.osrm.mldgr").write_bytes(b"")  # damaged after it was proven
    monkeypatch.setattr("roads.network.UP_WITHIN_S", 1.0)
    network = await open_network(broken, tmp_path)
    assert not network.is_up
    assert "osrm ended with code" in network.problem
    assert (await network.matrix(STOPS)).source is TimesSource.ESTIMATE
    await network.close()


def test_a_pack_has_bounds_tiles_and_a_journey_that_works(pack: MapPack) -> None:
    west, south, east, north = pack.bounds
    assert west < village.NORTH[0].lon_deg < village.ISLAND[3].lon_deg < east
    assert south < village.SOUTH[0].lat_deg < village.NORTH[0].lat_deg < north
    assert pack.probe.travel_s > 10
    assert pack.tiles_path is not None
    with Tiles(pack.tiles_path) as tiles:
        assert tiles.max_zoom == 14
        found = [tiles.tile(14, x, y) for x in range(7826, 7832) for y in range(6100, 6150)]
    assert any(tile is not None and tile.startswith(b"\x1f\x8b") for tile in found)
    assert not list(pack.folder.parent.glob(".pack*"))


def test_the_command_builds_without_tiles_and_without_a_header_and_replaces_an_older_pack(tmp_path: Path) -> None:
    pbf = village.write(tmp_path / "village.osm.pbf", with_box=False)
    command = [sys.executable, "-m", "roads", "build", str(pbf), str(tmp_path / "out"), "--no-tiles", "--name"]
    for name in ("First", "Second"):
        done = subprocess.run([*command, name], capture_output=True, text=True, check=True)
        assert "road network: extract" in done.stdout
    pack = open_pack(tmp_path / "out")
    assert (pack.name, pack.source, pack.tiles_path) == ("Second", "village.osm.pbf", None)
    assert pack.bounds[3] == pytest.approx(village.NORTH[0].lat_deg, abs=1e-6)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "village.osm.pbf"]


def test_an_extract_without_streets_is_refused(tmp_path: Path) -> None:
    pbf = village.write(tmp_path / "empty.osm.pbf", with_streets=False)
    with pytest.raises(BuildError):
        build_pack(pbf, tmp_path / "out", "Empty", progress=lambda _: None, with_tiles=False)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.osm.pbf"]


def test_a_pack_knows_its_streets(pack: MapPack) -> None:
    assert pack.places_path is not None
    command = [sys.executable, "-m", "roads", "find", str(pack.folder), "north", "str", "7"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "North Street 7" in done.stdout
    assert "(street)" in done.stdout
    lost = subprocess.run([*command[:-3], "nowhere"], capture_output=True, text=True, check=False)
    assert (lost.returncode, lost.stdout) == (1, "")


# A new pack for a van that drives ------------------------------------------------------------------------------------


def laid(pack: MapPack, folder: Path) -> Path:
    """A van's own copy of a pack."""
    shutil.copytree(pack.folder, folder)
    return folder


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> MapPack:
    """The village a year later, with a one-way street."""
    folder = tmp_path_factory.mktemp("newer")
    pbf = village.write(folder / "village.osm.pbf", with_lanes=True)
    return build_pack(pbf, folder / "pack", "Village", progress=lambda _: None, with_tiles=False)


async def test_a_new_pack_takes_over_with_the_same_roads_closed_and_nobody_waits(
    pack: MapPack, newer: MapPack, tmp_path: Path
) -> None:
    folder = laid(pack, tmp_path / "map")
    network = await open_network(open_pack(folder), tmp_path)
    await network.set_closures((closure(village.WEST_BRIDGE),), MORNING)
    sources: set[TimesSource] = set()
    detours: set[float] = set()

    async def keep_asking() -> None:
        while True:
            sources.add((await network.matrix(STOPS)).source)
            detours.add(round(await over_the_river(network), -2))

    asking = asyncio.create_task(keep_asking())
    swap.lay_beside(newer.folder, folder)
    new = open_pack(swap.incoming(folder))
    assert await network.locate([village.ONE_WAY[0]]) == [None]
    assert await network.swap(new, folder, lambda: swap.put_in_place(folder), MORNING) == ""
    asking.cancel()
    assert (sources, detours) == ({TimesSource.ROADS}, {1100})
    assert await network.locate([village.ONE_WAY[0]]) != [None]
    assert not swap.has_incoming(folder)
    assert open_pack(folder).made_at == newer.made_at
    assert open_pack(swap.previous(folder)).made_at == pack.made_at
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["osrm.pid"]
    for closures, is_round in (((), False), ((closure(village.WEST_BRIDGE),), True)):
        assert (await network.set_closures(closures, MORNING)).problem == ""
        assert (await over_the_river(network) > 1000) is is_round
        os.kill(osrm_pid(tmp_path), signal.SIGKILL)
        while network.is_up:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert await is_back(network)
        assert (await over_the_river(network) > 1000) is is_round
    await network.close()
    assert list((tmp_path / "run").iterdir()) == []


async def test_a_new_pack_of_another_area_or_with_other_answers_is_not_used(
    pack: MapPack, newer: MapPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("roads.network.UP_WITHIN_S", 1.0)
    folder = laid(pack, tmp_path / "map")
    network = await open_network(open_pack(folder), tmp_path)
    await network.matrix([*STOPS, village.ISLAND[1]])
    elsewhere = village.write(tmp_path / "elsewhere.osm.pbf", east_m=5_000)
    other = build_pack(elsewhere, tmp_path / "other", "Elsewhere", progress=lambda _: None, with_tiles=False)
    swap.lay_beside(other.folder, folder)
    why = await network.swap(open_pack(swap.incoming(folder)), folder, lambda: swap.put_in_place(folder), MORNING)
    assert "no road at 4 of the 4 places" in why
    wrong = [probe.model_copy(update={"travel_s": probe.travel_s + 60}) for probe in newer.more_probes]
    assert wrong
    why = await network.swap(replace(newer, more_probes=tuple(wrong)), folder, lambda: None, MORNING)
    assert "does not answer as when it was made" in why
    (laid(newer, tmp_path / "broken") / "road/map.osrm.mldgr").write_bytes(b"")
    why = await network.swap(newer.at(tmp_path / "broken"), folder, lambda: None, MORNING)
    assert "does not answer" in why

    def full() -> None:
        raise OSError(28, "No space left on device")

    assert "No space left" in await network.swap(newer, folder, full, MORNING)
    assert await over_the_river(network) < 400
    assert (await network.matrix(STOPS)).source is TimesSource.ROADS
    assert open_pack(folder).made_at == pack.made_at
    assert list((tmp_path / "work").glob("next-*/*")) == []
    await network.close()
    assert list((tmp_path / "run").iterdir()) == []


async def test_a_van_without_roads_takes_a_pack_that_is_laid_beside(newer: MapPack, tmp_path: Path) -> None:
    network = await open_network(None, tmp_path)
    swap.lay_beside(newer.folder, tmp_path / "map")
    new = open_pack(swap.incoming(tmp_path / "map"))
    assert await network.swap(new, tmp_path / "map", lambda: swap.put_in_place(tmp_path / "map"), MORNING) == ""
    assert (await network.matrix(STOPS)).source is TimesSource.ROADS
    await network.close()
