"""*Road blocked here* on a whole agent with a real road engine and no network: closed, told later, and there again."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.config import GpsdSettings, RoadsSettings, Settings
from agent.store.store import Store
from roads.pack import MapPack, build_pack
from tests.agent.conftest import Cab, a_cab, begin_day, settings
from tests.builders import MORNING, a_manifest, a_plan, a_run, a_stop
from tests.roads import village
from wire.events import EventKind
from wire.geo import Place, distance_m
from wire.manifest import Depot

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> MapPack:
    folder = tmp_path_factory.mktemp("village")
    pbf = village.write(folder / "village.osm.pbf")
    return build_pack(pbf, folder / "pack", "Village", progress=lambda _: None, with_tiles=False)


@asynccontextmanager
async def a_receiver(place: Place) -> AsyncIterator[int]:
    """A gpsd whose receiver stands at that place; answers its port."""
    started = time.monotonic()

    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while True:
                at = MORNING + timedelta(seconds=time.monotonic() - started)
                fix = {
                    "class": "TPV",
                    "mode": 3,
                    "time": at.isoformat().replace("+00:00", "Z"),
                    "eph": 4.0,
                    "speed": 0.0,
                }
                fix |= {"lat": place.lat_deg, "lon": place.lon_deg}
                writer.write(json.dumps(fix).encode() + b"\n")
                await writer.drain()
                await asyncio.sleep(0.2)

    async with await asyncio.start_server(tell, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


async def until(cab: Cab, is_so: Any) -> dict[str, Any]:
    for _ in range(300):
        async with cab.http.get(f"{cab.url}/api/route"):  # as the page does, which asks whenever the way may be another
            pass
        view = await cab.view()
        if is_so(view):
            return view
        await asyncio.sleep(0.05)
    raise AssertionError(view)


async def over_the_bridge(cab: Cab) -> bool:
    async with cab.http.get(f"{cab.url}/api/route") as answer:
        line = [Place(lat_deg=lat, lon_deg=lon) for lon, lat in (await answer.json())["line"]]
    return any(distance_m(place, village.SOUTH[2]) < 5 for place in line)


async def test_a_driver_before_a_blocked_bridge_goes_round_it_at_once_also_after_a_restart(
    pack: MapPack, tmp_path: Path
) -> None:
    across = village.SOUTH[2]
    stop = a_stop(1, lat_deg=across.lat_deg, lon_deg=across.lon_deg)
    depot = Depot(lat_deg=village.NORTH[0].lat_deg, lon_deg=village.NORTH[0].lon_deg)
    manifest = a_manifest([stop], start=depot, end=depot)
    await begin_day(tmp_path, a_run([stop], manifest=manifest, plan=a_plan([stop])))
    van = settings(tmp_path).model_copy(update={"roads": RoadsSettings(pack_dir=pack.folder)})
    async with a_receiver(village.NORTH[2]) as port:
        await drive(van.model_copy(update={"gpsd": GpsdSettings(port=port)}), tmp_path)


async def drive(van: Settings, folder: Path) -> None:
    async with a_cab(van) as cab:
        view = await until(cab, lambda view: view["can_block"])
        assert await over_the_bridge(cab)
        version = view["plan"]["version"]
        status, _ = await cab.tap(kind="road_blocked", tap_id="blocked-00001", for_min=30)
        assert status == 200
        view = await until(cab, lambda view: view["plan"]["version"] > version and view["plan"]["times"] == "roads")
        assert view["blocked_until"] is not None
        assert view["plan"]["reason"] == "road closed"
        assert view["stops"][0]["travel_m"] == pytest.approx(1100, rel=0.03)
    store = await Store.open(folder)
    said = [row.record_json for row in await store.next_unreceipted("events", 100)]
    await store.close()
    assert sum(EventKind.ROAD_BLOCKED in str(one) for one in said) == 1
    async with a_cab(van) as cab:
        view = await until(cab, lambda view: view["blocked_until"] is not None)
        status, _ = await cab.tap(kind="road_open", tap_id="open-000001")
        assert status == 200
        view = await until(cab, lambda view: view["blocked_until"] is None and view["stops"][0]["travel_m"] < 400)
