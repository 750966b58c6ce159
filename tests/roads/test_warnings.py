"""Each warning about routing engines that was met in research, held against the real OSRM: one test each.

Most were met with Valhalla, the engine that was tried first; here stands what OSRM does of it. The list of all, with
those that mean nothing for OSRM and why, is `docs/maps.md`. The ground is the village of `tests/roads/village.py`.
"""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from host.loopback import free_port
from roads.errors import EngineError, PackDamagedError
from roads.network import RoadNetwork
from roads.osrm import MAX_PLACES, Osrm, Refusal, server_command
from roads.pack import MapPack, build_pack, open_pack
from tests.builders import MORNING
from tests.roads import village
from wire.events import TimesSource
from wire.geo import Kerb, Place, moved
from wire.manifest import Closure
from wire.places import PlaceTrouble

pytestmark = pytest.mark.system

HOUR = timedelta(hours=1)
NORTH, SOUTH = village.NORTH, village.SOUTH


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> MapPack:
    folder = tmp_path_factory.mktemp("village")
    pbf = village.write(folder / "village.osm.pbf", with_lanes=True)
    return build_pack(pbf, folder / "pack", "Village", progress=lambda _: None, with_tiles=False)


@pytest.fixture
async def roads(pack: MapPack, tmp_path: Path) -> AsyncIterator[RoadNetwork]:
    network = await opened(pack, tmp_path)
    yield network
    await network.close()


async def opened(pack: MapPack | None, folder: Path) -> RoadNetwork:
    return await RoadNetwork.open(pack, run_dir=folder / "run", work_dir=folder / "work", log_dir=folder / "log")


def closure(
    bridge: tuple[tuple[int, int], ...] = (), line: Sequence[Place] = (), closure_id: str = "c1", **changes: object
) -> Closure:
    fields: dict[str, object] = {
        "closure_id": closure_id,
        "pairs": village.pairs(bridge),
        "line": tuple((place.lat_deg, place.lon_deg) for place in line),
        "valid_from": MORNING,
        "valid_until": MORNING + HOUR,
    }
    return Closure.model_validate({**fields, **changes})


async def metres(network: RoadNetwork, start: Place, end: Place) -> float:
    return (await network.route([start, end])).legs[0].travel_m


def resident_kb(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def listening_on(port: int) -> set[str]:
    """The addresses, as the kernel writes them."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {local[:8] for _, local, _, state, *_ in rows if state == "0A" and int(local[9:], 16) == port}


def pid_of(folder: Path) -> int:
    return int((folder / "run" / "osrm.pid").read_text())


def engine_of(network: RoadNetwork) -> Osrm:
    assert network._engine is not None
    assert network._engine._osrm is not None
    return network._engine._osrm


def copied(pack: MapPack, folder: Path) -> Path:
    shutil.copytree(pack.folder, folder)
    return folder


# Building, limits, listening ------------------------------------------------------------------------------------------


async def test_the_side_of_the_road_follows_the_country_and_a_kerbside_stop_is_reached_on_its_own(
    roads: RoadNetwork, tmp_path: Path
) -> None:
    """Without borders Valhalla guessed the driving side. OSRM carries an index of it in its profile."""
    start, across = NORTH[1], moved(NORTH[4], north_m=20, east_m=-50)
    kerb = Kerb(lat_deg=across.lat_deg, lon_deg=across.lon_deg)
    assert await metres(roads, start, across) < 300
    assert await metres(roads, start, kerb) > 500  # eastbound on the right its door is across the street
    matrix = await roads.matrix([start, across, kerb])
    assert matrix.travel_m[0][2] == pytest.approx(await metres(roads, start, kerb), abs=1)
    assert await metres(roads, NORTH[7], kerb) < 400


async def test_more_places_than_osrm_takes_by_itself_are_answered(roads: RoadNetwork) -> None:
    """Default limits of an engine refuse a day of 150 stops; ours takes 500, and more is refused by us in words."""
    places = [moved(NORTH[number % 9], north_m=0, east_m=number / 100) for number in range(MAX_PLACES)]
    assert (await roads.matrix(places)).source is TimesSource.ROADS
    assert len((await roads.route(places)).legs) == MAX_PLACES - 1
    with pytest.raises(ValueError, match="at most 500"):
        await roads.matrix([*places, NORTH[0]])


async def test_a_stop_in_a_street_for_residents_and_one_in_a_private_drive_have_whole_rows(roads: RoadNetwork) -> None:
    """Valhalla without its second pass: whole rows of null for a stop in a destination-only street."""
    matrix = await roads.matrix([SOUTH[4], *village.LANE, village.DRIVE])
    assert matrix.cut_off == ()
    assert all(cell is not None for row in matrix.travel_s for cell in row)
    assert matrix.unlocated == (3,)  # OSRM's car drives in no private drive: far up it is far from a road, and said
    assert (await roads.why_lost(village.DRIVE)).why is PlaceTrouble.FAR


async def test_two_hundred_closures_hold_at_once(roads: RoadNetwork) -> None:
    """Valhalla refused many excluded places or long outlines; a speed file has no such limit."""
    street = [((101 + number % 8, 102 + number % 8),) for number in range(200)]
    closures = tuple(closure(pair, closure_id=f"c{number}") for number, pair in enumerate(street))
    report = await roads.set_closures(closures, MORNING)
    assert (len(report.applied), report.problem) == (200, "")


async def test_a_line_of_hundreds_of_places_is_matched_whole(roads: RoadNetwork) -> None:
    """An engine matches only so many places at a time."""
    line = [village.at(202, 150 - 0.5 * number) for number in range(MAX_PLACES + 101)]
    assert (await roads.set_closures((closure(line=line),), MORNING)).applied == ("c1",)
    assert await metres(roads, NORTH[2], SOUTH[2]) > 1000


async def test_a_hundred_questions_leave_no_line_in_the_log(roads: RoadNetwork, tmp_path: Path) -> None:
    """A log line for each request would wear out a card."""
    log = tmp_path / "log" / "osrm.log"
    before = log.stat().st_size
    for number in range(100):
        await roads.route([NORTH[number % 9], SOUTH[number % 8]])
    assert log.stat().st_size == before


async def test_the_engine_listens_on_loopback_alone(roads: RoadNetwork) -> None:
    """Valhalla listens on every interface unless told."""
    port = int(engine_of(roads)._base_url.rpartition(":")[2])
    assert listening_on(port) == {"0100007F"}
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("::1", port), timeout=1)


async def test_two_vans_on_one_machine_and_one_pack_never_collide(pack: MapPack, tmp_path: Path) -> None:
    """Fixed socket files in /tmp made two engines meet; and the working copies share files by hard link."""
    one, other = await opened(pack, tmp_path / "one"), await opened(pack, tmp_path / "other")
    try:
        assert (await one.set_closures((closure(village.WEST_BRIDGE),), MORNING)).applied == ("c1",)
        assert (await other.set_closures((closure(village.EAST_BRIDGE),), MORNING)).applied == ("c1",)
        assert await metres(one, NORTH[6], SOUTH[6]) < 400 < await metres(one, NORTH[2], SOUTH[2])
        assert await metres(other, NORTH[2], SOUTH[2]) < 400 < await metres(other, NORTH[6], SOUTH[6])
        await one.close()
        assert await metres(other, NORTH[6], SOUTH[6]) > 1000
    finally:
        await one.close()
        await other.close()
    open_pack(pack.folder)


async def test_the_programs_are_found_without_a_search_path(
    pack: MapPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Console scripts look their program up on PATH, which a service may not have."""
    monkeypatch.setenv("PATH", "")
    network = await opened(pack, tmp_path)
    assert network.is_up
    await network.close()


# Process, matrix, route -----------------------------------------------------------------------------------------------


async def test_memory_does_not_grow_with_matrices(roads: RoadNetwork, tmp_path: Path) -> None:
    """Valhalla grew to 640 MB with large matrices and never gave any back."""
    engine = engine_of(roads)
    places = [moved(NORTH[number % 9], north_m=0, east_m=number / 10) for number in range(152)]
    await engine.table(places)
    before_kb = resident_kb(pid_of(tmp_path))
    for _ in range(20):
        assert not isinstance(await engine.table(places), Refusal)
    assert resident_kb(pid_of(tmp_path)) - before_kb < 8_000


async def test_questions_are_answered_side_by_side_and_the_van_goes_on(roads: RoadNetwork) -> None:
    """One engine object serves one caller at a time; a process of its own holds nobody up."""
    longest_s, ticks = 0.0, 0

    async def beat() -> None:
        nonlocal longest_s, ticks
        loop = asyncio.get_running_loop()
        while True:
            before_s = loop.time()
            await asyncio.sleep(0.01)
            longest_s, ticks = max(longest_s, loop.time() - before_s), ticks + 1

    beating = asyncio.create_task(beat())
    engine = engine_of(roads)
    places = [moved(NORTH[number % 9], north_m=0, east_m=number / 10) for number in range(200)]
    answers = await asyncio.gather(*(engine.table(places) for _ in range(8)))
    beating.cancel()
    assert not any(isinstance(answer, Refusal) for answer in answers)
    assert longest_s < 1.0


async def test_a_cell_without_a_road_is_none_and_never_a_number(roads: RoadNetwork) -> None:
    matrix = await roads.matrix([NORTH[0], village.ISLAND[0], village.ISLAND[2], NORTH[1], NORTH[2]])
    assert matrix.travel_s[0][1] is None
    assert matrix.travel_m[1][0] is None
    assert matrix.cut_off == (1, 2)


async def test_there_is_not_as_far_as_back_again(roads: RoadNetwork) -> None:
    """In Porto nine pairs in ten differ by direction."""
    matrix = await roads.matrix([NORTH[4], village.ONE_WAY[0]])
    assert matrix.travel_m[0][1] == pytest.approx(300, rel=0.02)
    assert matrix.travel_m[1][0] == pytest.approx(500, rel=0.02)


@pytest.mark.parametrize("is_closed", [False, True])
async def test_matrix_and_route_give_the_same_numbers(roads: RoadNetwork, is_closed: bool) -> None:
    """Valhalla's matrix left live speeds out; OSRM's route through several places does not turn round at them."""
    if is_closed:
        await roads.set_closures((closure(village.WEST_BRIDGE),), MORNING)
    places = [NORTH[0], SOUTH[3], village.LANE[0], SOUTH[8], NORTH[3]]
    matrix, route = await roads.matrix(places), await roads.route(places)
    for number, leg in enumerate(route.legs):
        assert leg.travel_s == pytest.approx(matrix.travel_s[number][number + 1], abs=0.5)
        assert leg.travel_m == pytest.approx(matrix.travel_m[number][number + 1], abs=1.0)


async def test_a_street_without_a_name_has_an_empty_one(roads: RoadNetwork) -> None:
    route = await roads.route([NORTH[7], village.LANE[1]])
    assert [manoeuvre.street for manoeuvre in route.manoeuvres] == ["North Street", ""]


async def test_a_routes_line_is_where_the_roads_are(roads: RoadNetwork) -> None:
    """Lines encoded with six digits, read as five, lie in the sea."""
    route = await roads.route([NORTH[0], SOUTH[8]])
    west, south, east, north = roads.pack.bounds if roads.pack else (0, 0, 0, 0)
    assert all(west < lon_deg < east and south < lat_deg < north for lon_deg, lat_deg in route.line)


# Matching a drawn line ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        [NORTH[3]],
        [NORTH[3], NORTH[3], NORTH[3]],
        [village.SEA, moved(village.SEA, north_m=0, east_m=100)],
        [NORTH[2], moved(NORTH[3], north_m=5_000, east_m=0), NORTH[4]],
    ],
    ids=["one place", "the same place", "at sea", "a jump of 5 km"],
)
async def test_a_line_that_follows_no_road_closes_none(roads: RoadNetwork, line: list[Place]) -> None:
    """Engines answer these with an error, an index of -1, or a guess."""
    report = await roads.set_closures((closure(line=line),), MORNING)
    assert (report.applied, report.unmatched, report.problem) == ((), ("c1",), "")


async def test_a_line_drawn_ten_metres_beside_the_road_closes_that_road(roads: RoadNetwork) -> None:
    line = [moved(place, north_m=10, east_m=0) for place in NORTH[3:6]]
    assert (await roads.set_closures((closure(line=line),), MORNING)).applied == ("c1",)
    assert await metres(roads, NORTH[2], NORTH[6]) > 900


# Closures -------------------------------------------------------------------------------------------------------------


async def test_a_destination_on_a_closed_street_is_said(roads: RoadNetwork) -> None:
    """An engine reaches it all the same, from the next street, without a word."""
    inside, outside = moved(NORTH[3], north_m=10, east_m=50), NORTH[6]
    closures = (closure(((103, 104), (104, 105))),)
    await roads.set_closures(closures, MORNING)
    matrix = await roads.matrix([NORTH[0], inside, outside])
    assert (matrix.source, matrix.closed) == (TimesSource.ROADS, (1,))
    assert (await roads.matrix([outside, inside, NORTH[0]])).closed == (1,)
    one_way = closure(((103, 104), (104, 105)), both_ways=False)
    await roads.set_closures((one_way,), MORNING)
    assert (await roads.matrix([NORTH[0], inside, outside])).closed == ()
    await roads.set_closures((), MORNING)
    assert (await roads.matrix([NORTH[0], inside, outside])).closed == ()


async def test_a_closure_by_nodes_survives_a_new_map_of_the_same_roads(pack: MapPack, tmp_path: Path) -> None:
    """Ids of edges change with each build; those of nodes do not."""
    newer = build_pack(
        village.write(tmp_path / "plain.osm.pbf"), tmp_path / "newer", "V", progress=lambda _: None, with_tiles=False
    )
    for ground in (pack, newer):
        network = await opened(ground, tmp_path / ground.folder.name)
        assert (await network.set_closures((closure(village.WEST_BRIDGE),), MORNING)).applied == ("c1",)
        assert await metres(network, NORTH[2], SOUTH[2]) == pytest.approx(1100, rel=0.02)
        await network.close()


async def test_closures_never_touch_the_pack_and_open_again_without_a_trace(roads: RoadNetwork, pack: MapPack) -> None:
    """`osrm-customize` changes files in place, and a run without the closure does not open the road again."""

    def sums() -> list[str]:
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((pack.folder / "road").iterdir())]

    before, open_m = sums(), await metres(roads, NORTH[2], SOUTH[2])
    for _ in range(2):
        await roads.set_closures((closure(village.WEST_BRIDGE),), MORNING)
        assert await metres(roads, NORTH[2], SOUTH[2]) > 1000
        await roads.set_closures((), MORNING)
        assert await metres(roads, NORTH[2], SOUTH[2]) == open_m
    assert sums() == before


async def test_what_an_earlier_life_left_behind_is_swept_and_the_closures_are_set_again(
    pack: MapPack, tmp_path: Path
) -> None:
    left_over = tmp_path / "work" / "closures-7"
    left_over.mkdir(parents=True)
    (left_over / "map.osrm.mldgr").write_bytes(b"half a copy")
    network = await opened(pack, tmp_path)
    assert not left_over.exists()
    assert (await network.set_closures((closure(village.WEST_BRIDGE),), MORNING)).applied == ("c1",)
    assert await metres(network, NORTH[2], SOUTH[2]) > 1000
    await network.close()


# Places ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        (Place(lat_deg=0, lon_deg=0), PlaceTrouble.OFF_MAP),
        (village.SEA, PlaceTrouble.OFF_MAP),
        (village.SWAPPED, PlaceTrouble.SWAPPED),
        (village.at(1500, 0), PlaceTrouble.FAR),
    ],
    ids=["0,0", "sea", "swapped", "far from a road"],
)
async def test_a_place_without_a_road_is_named_with_the_reason_and_spoils_nothing(
    roads: RoadNetwork, lost: Place, why: PlaceTrouble
) -> None:
    """OSRM refuses a whole matrix for one of them."""
    alone = await roads.matrix([NORTH[0], SOUTH[5]])
    matrix = await roads.matrix([NORTH[0], lost, SOUTH[5]])
    assert (matrix.source, matrix.unlocated) == (TimesSource.ROADS, (1,))
    assert matrix.travel_s[0][2] == alone.travel_s[0][1]
    assert await engine_of(roads).table([NORTH[0], lost]) is Refusal.NO_ROAD
    assert (await roads.why_lost(lost)).why is why


async def test_a_place_hundreds_of_metres_from_a_road_is_not_put_on_it(pack: MapPack, roads: RoadNetwork) -> None:
    """Without a radius OSRM snaps to any distance and says nothing."""
    far = moved(NORTH[4], north_m=0, east_m=0).model_copy(update={"lat_deg": village.at(0, 800).lat_deg})
    assert await roads.locate([far]) == [None]
    assert (await roads.why_lost(far)).away_m == pytest.approx(350, abs=20)
    assert await roads.locate([moved(village.ONE_WAY[0], north_m=140, east_m=0)]) != [None]
    command = [word for word in server_command(pack.road_base, free_port()) if word not in ("--default-radius", "150")]
    port = int(command[command.index("--port") + 1])
    bare = subprocess.Popen(  # noqa: ASYNC220  (it returns at once)
        command, cwd=pack.road_base.parent, stdout=subprocess.DEVNULL
    )
    osrm = Osrm(port)
    try:
        for _ in range(200):
            (found,) = answer if isinstance(answer := await osrm.locate([far]), list) else (None,)
            if found is not None:
                break
            await asyncio.sleep(0.02)
        assert found is not None
        assert found.distance_m > 300
    finally:
        await osrm.close()
        bare.terminate()
        bare.wait()


@pytest.mark.parametrize(("lat_deg", "lon_deg"), [(200, 0), (float("nan"), 0), (0, 181), (float("inf"), 0)])
async def test_numbers_that_are_no_place_are_refused_before_osrm_is_asked(lat_deg: float, lon_deg: float) -> None:
    with pytest.raises(ValidationError):
        Place(lat_deg=lat_deg, lon_deg=lon_deg)


async def test_a_question_that_osrm_refuses_is_our_error_and_leaves_it_running(roads: RoadNetwork) -> None:
    with pytest.raises(EngineError, match="refused a table question"):
        await engine_of(roads)._ask("table", {"coordinates": [[200, 200], [0, 0]]})
    assert (await roads.matrix([NORTH[0], NORTH[1]])).source is TimesSource.ROADS


# Damaged data ---------------------------------------------------------------------------------------------------------


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x10
    path.write_bytes(content)


def removed(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


FILES = ("road/map.osrm.mldgr", "road/map.osrm.geometry", "road/map.osrm.ramIndex", "road/map.osrm.fileIndex")


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("harm", [truncated, flipped, removed, emptied, zeroed])
def test_a_harmed_pack_is_refused_with_the_file_and_what_to_do(
    pack: MapPack, tmp_path: Path, path: str, harm: object
) -> None:
    """Valhalla died of it, or did not notice. Here nothing is started on files that are not as they were made."""
    folder = copied(pack, tmp_path / "harmed")
    assert callable(harm)
    harm(folder / path)
    with pytest.raises(PackDamagedError, match=rf"{path} .*Copy the pack again"):
        open_pack(folder)


def test_a_wrong_sum_in_the_list_is_refused(pack: MapPack, tmp_path: Path) -> None:
    folder = copied(pack, tmp_path / "harmed")
    told = json.loads((folder / "pack.json").read_text())
    told["files"][FILES[0]]["sha256"] = "0" * 64
    (folder / "pack.json").write_text(json.dumps(told))
    with pytest.raises(PackDamagedError, match="is damaged"):
        open_pack(folder)


@pytest.mark.parametrize("path", FILES)
@pytest.mark.parametrize("harm", [truncated, flipped, removed, emptied])
async def test_a_pack_harmed_after_it_was_proven_means_estimates_or_right_answers_and_never_a_crash(
    pack: MapPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, harm: object
) -> None:
    """The engine may die of it, again and again; that is an event, and the van goes on with the straight line."""
    folder = copied(pack, tmp_path / "harmed")
    proven = open_pack(folder)
    assert callable(harm)
    harm(folder / path)
    monkeypatch.setattr("roads.network.UP_WITHIN_S", 0.1)
    network = await opened(proven, tmp_path)
    while not network.is_up and network.problem == "it is starting":  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    matrix = await network.matrix([NORTH[0], SOUTH[5], NORTH[8]])
    assert all(cell is not None for row in matrix.travel_s for cell in row)
    assert network.is_up or (network.problem and matrix.source is TimesSource.ESTIMATE)
    await network.close()


async def test_a_file_cut_off_under_the_running_engine_ends_the_engine_and_not_the_van(
    pack: MapPack, tmp_path: Path
) -> None:
    """A mapped file that is overwritten kills whoever reads it (SIGBUS): packs are renamed into place instead."""
    proven = open_pack(copied(pack, tmp_path / "harmed"))
    network = await opened(proven, tmp_path)
    for file in proven.road_base.parent.iterdir():
        os.truncate(file, 0)
    for _ in range(100):
        if (await network.matrix([NORTH[0], SOUTH[5]])).source is TimesSource.ESTIMATE:
            break
        await asyncio.sleep(0.02)
        network._known = type(network._known)()
        network._located.clear()
    assert (await network.matrix([NORTH[0], SOUTH[6]])).source is TimesSource.ESTIMATE
    assert "it ended with code" in network.problem
    await network.close()


async def test_roads_that_answer_otherwise_than_when_the_pack_was_made_are_not_used(
    pack: MapPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "No road" to every question means a broken map, not bad addresses: a journey known to work tells them apart."""
    folder = copied(pack, tmp_path / "other")
    told = json.loads((folder / "pack.json").read_text())
    told["probe"]["travel_s"] += 60
    (folder / "pack.json").write_text(json.dumps(told))
    monkeypatch.setattr("roads.network.UP_WITHIN_S", 1.0)
    monkeypatch.setattr("roads.engine.READY_WITHIN_S", 0.5)
    network = await opened(open_pack(folder), tmp_path)
    assert not network.is_up
    assert "was not ready" in network.problem
    assert (await network.matrix([NORTH[0], SOUTH[5]])).source is TimesSource.ESTIMATE
    await network.close()


def test_the_clock_of_closures_is_utc() -> None:
    """Without time zones Valhalla took local times for UTC; a closure without a zone is refused."""
    with pytest.raises(ValidationError):
        closure(valid_from=datetime(2026, 11, 23, 8, 0))  # noqa: DTZ001
