"""What becomes of a van whose map pack is damaged, and of one that is given a new pack while it drives."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.config import RoadsSettings
from roads import swap
from roads.pack import MapPack, build_pack, open_pack
from tests.agent.conftest import Cab, a_cab, begin_day, settings
from tests.builders import a_manifest, a_run, a_stop
from tests.roads import village
from wire.manifest import Depot

pytestmark = pytest.mark.system

FILE = "road/map.osrm.mldgr"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> MapPack:
    folder = tmp_path_factory.mktemp("village")
    pbf = village.write(folder / "village.osm.pbf")
    return build_pack(pbf, folder / "pack", "Village", progress=lambda _: None, with_tiles=False)


def truncated(folder: Path) -> None:
    (folder / FILE).write_bytes((folder / FILE).read_bytes()[:100])


def flipped(folder: Path) -> None:
    content = bytearray((folder / FILE).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / FILE).write_bytes(content)


def missing(folder: Path) -> None:
    (folder / FILE).unlink()


def wrong_sum(folder: Path) -> None:
    told = json.loads((folder / "pack.json").read_text())
    told["files"][FILE]["sha256"] = "0" * 64
    (folder / "pack.json").write_text(json.dumps(told))


async def begun(folder: Path) -> None:
    """A day with two stops and no plan yet."""
    stops = [
        a_stop(number, lat_deg=place.lat_deg, lon_deg=place.lon_deg)
        for number, place in enumerate((village.SOUTH[2], village.NORTH[8]), start=1)
    ]
    depot = Depot(lat_deg=village.NORTH[0].lat_deg, lon_deg=village.NORTH[0].lon_deg)
    run = a_run(stops, has_plan=False)
    await begin_day(folder, run.model_copy(update={"manifest": a_manifest(stops, start=depot, end=depot)}))


async def planned(cab: Cab, is_so: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    for number in range(400):
        view = await cab.view()
        if view["plan"] is not None and is_so(view):
            return view
        if number % 20 == 19:  # a stop put off is a reason to look again
            await cab.tap(kind="skipped", tap_id=f"skipped-{number:05d}", stop_id="s1" if number % 40 == 19 else "s2")
        await asyncio.sleep(0.05)
    raise AssertionError(view)


@pytest.mark.parametrize("fault", [truncated, flipped, missing, wrong_sum])
async def test_a_damaged_pack_means_a_clear_message_and_an_estimate(
    pack: MapPack, tmp_path: Path, fault: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copytree(pack.folder, tmp_path / "map")
    fault(tmp_path / "map")
    await begun(tmp_path / "van")
    van = settings(tmp_path / "van").model_copy(update={"roads": RoadsSettings(pack_dir=tmp_path / "map")})
    async with a_cab(van) as cab:
        view = await planned(cab, lambda view: True)
        assert view["plan"]["times"] == "estimate"
        assert [stop["travel_m"] is not None for stop in view["stops"]] == [True, True]
    said = "\n".join(record.message for record in caplog.records)
    assert FILE in said
    assert "Copy the pack again" in said
    assert "straight-line estimates" in said


async def test_with_the_pack_before_it_at_hand_a_damaged_one_costs_nothing(
    pack: MapPack, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for folder in (tmp_path / "map", swap.previous(tmp_path / "map")):
        shutil.copytree(pack.folder, folder)
    flipped(tmp_path / "map")
    await begun(tmp_path / "van")
    van = settings(tmp_path / "van").model_copy(update={"roads": RoadsSettings(pack_dir=tmp_path / "map")})
    async with a_cab(van) as cab:
        assert (await planned(cab, lambda view: True))["plan"]["times"] == "roads"
    assert "the map pack before it" in "\n".join(record.message for record in caplog.records)


async def test_a_van_that_drives_goes_over_to_a_new_pack_and_sets_a_bad_one_aside(
    pack: MapPack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.app.PACK_LOOK_S", 0.1)
    folder = tmp_path / "map"
    await begun(tmp_path / "van")
    van = settings(tmp_path / "van").model_copy(update={"roads": RoadsSettings(pack_dir=folder)})
    async with a_cab(van) as cab:
        assert (await planned(cab, lambda view: True))["plan"]["times"] == "estimate"
        await asyncio.to_thread(swap.lay_beside, pack.folder, folder)
        assert (await planned(cab, lambda view: view["plan"]["times"] == "roads"))["plan"]["version"] > 1
        assert open_pack(folder).made_at == pack.made_at
        shutil.copytree(pack.folder, tmp_path / "bad")
        flipped(tmp_path / "bad")
        (tmp_path / "bad").rename(swap.incoming(folder))
        for _ in range(100):
            if swap.refused(folder).exists():
                break
            await asyncio.sleep(0.05)
        assert swap.refused(folder).exists()
        assert not swap.has_incoming(folder)
        assert (await cab.view())["plan"]["times"] == "roads"
