"""A stop that nobody listed, with the network gone: a driver reads a label, makes a stop of it and delivers it with
proof; behind the cut the coordinator has all of it. Real gpsd, mosquitto, both real programs, every lock on.
"""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from agent.pod.labels import found_id
from roads.network import RoadNetwork
from roads.pack import open_pack
from simulator import fleet, ground, keepsakes, stage
from simulator.dispatcher import Dispatcher
from simulator.driver import Hooks
from simulator.roadtrip import OpenRoads
from tests.agent.conftest import Cab
from tests.labels import SSCC, a_label, sscc
from tests.system.secured import until
from wire.geo import Place, moved

pytestmark = pytest.mark.system
CHECKOUT = Path(__file__).resolve().parents[2]
WITHIN_S = 45.0
OF_THE_OTHER = sscc(12)
HEADER = "order_ref,name,lat_deg,lon_deg,parcels,parcel_codes,service_s"


@dataclass
class Town:
    """Two vans at the depot, each with a stop of its own; the first one's page and link at hand."""

    set_up: stage.Stage
    dispatcher: Dispatcher
    van: fleet.Van
    cab: Cab

    async def terminal(self, *words: str) -> str:
        """What a command at the coordinator's machine prints; it must end well."""
        command = [sys.executable, "-m", "cloud", *words]
        process = await asyncio.create_subprocess_exec(*command, cwd=CHECKOUT, stdout=asyncio.subprocess.PIPE)
        async with asyncio.timeout(WITHIN_S):
            said, _ = await process.communicate()
        assert process.returncode == 0, said.decode()
        return said.decode()

    async def tap(self, kind: str, **more: str) -> dict[str, Any]:
        """The view after a tap that was saved."""
        status, answer = await self.cab.tap(kind=kind, tap_id=uuid4().hex, **more)
        assert status == 200, answer
        return await self.cab.view()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    here = ground.town()
    pack_dir = stage.map_pack(here.pbf, here.name, lambda _: None)
    set_up = stage.stage(
        tmp_path,
        pack_dir=pack_dir,
        depot=here.depot,
        timezone="UTC",
        starts_at=datetime.now(UTC),
        rate=1.0,
        vans=2,
        first_port=None,
    )
    # More than one van holds, so that each has a list.
    rows = [(f"A-{number}", moved(here.depot, north_m=30 * number, east_m=0), number) for number in (1, 2)]
    orders = "\n".join(
        [HEADER, *(f"{ref},Ana,{at.lat_deg},{at.lon_deg},60,(00){sscc(10 + n)}=box,60" for ref, at, n in rows)]
    )
    async with AsyncExitStack() as parts:
        network = await RoadNetwork.open(
            open_pack(pack_dir), run_dir=tmp_path / "run", work_dir=tmp_path / "work", log_dir=tmp_path
        )
        parts.push_async_callback(network.close)
        _, dispatcher = await fleet.coordinator_up(set_up, parts)
        await dispatcher.import_orders(set_up.day, orders.encode())
        await dispatcher.assign(set_up.day)
        owners = {stop["order_ref"]: stop["van"] for stop in (await dispatcher.picture())["stops"]}
        ours = next(van for van in set_up.vans if van.name == owners["A-1"])
        assert owners["A-2"] not in (None, ours.name)
        van = await fleet.van_up(set_up, ours, parts, seed=1, roads=OpenRoads(network), service_s={}, hooks=Hooks())
        http = await parts.enter_async_context(aiohttp.ClientSession())
        yield Town(set_up, dispatcher, van, Cab(ours.page_url, http))


def label_of(town: Town, door: Place) -> str:
    """A transport label for today whose place is that door."""
    place = f"{round((door.lat_deg + 90) * 1e7):010}{round(door.lon_deg % 360 * 1e7):010}"
    return a_label(_4309=place, _4324="", _4325="", _4321="0")


async def test_a_label_of_no_list_is_delivered_behind_a_cut_and_all_of_it_arrives(town: Town, tmp_path: Path) -> None:
    other = next(stop["van"] for stop in (await town.dispatcher.picture())["stops"] if stop["order_ref"] == "A-2")
    # As soon as the van has been told of the other lists, which is behind its own.
    await until(partial(is_told_of, town, other))
    town.van.link.cut()

    theirs = await town.tap("label", code=a_label(OF_THE_OTHER))
    assert (theirs["label"]["scan"]["verdict"], theirs["label"]["stop"]) == ("not_this_van", None)

    stop_id = found_id(town.set_up.day, SSCC)
    seen = await town.tap("label", code=label_of(town, moved(town.set_up.depot, north_m=20, east_m=10)))
    assert seen["label"]["stop"]["address"]["number"] == "12"
    made = await town.tap("make_stop", code=SSCC)
    assert stop_id in [stop["stop_id"] for stop in made["stops"]]
    await town.tap("arrived", stop_id=stop_id)
    pictures = {"photo": keepsakes.photo("the door", "Maria José"), "signature": keepsakes.signature("Maria José")}
    for kind, picture in pictures.items():
        signed_by = {"signed_by": "Maria José"} if kind == "signature" else {}
        status, answer = await town.cab.evidence(stop_id, picture, kind=kind, tap_id=uuid4().hex, **signed_by)
        assert status == 200, answer
    await town.tap("scan", stop_id=stop_id, code=SSCC)
    await town.tap("delivered", stop_id=stop_id, outcome="delivered_to_recipient", received_by="Maria José")
    assert len((await town.dispatcher.picture())["stops"]) == 2

    town.van.link.heal()
    await until(partial(is_all_there, town, stop_id))
    row = await found_row(town, stop_id)
    assert (row["found_by"], row["van"], row["is_flagged"]) == (town.van.stage.name, town.van.stage.name, False)
    page = await town.dispatcher.stop_page(stop_id)
    kinds = [entry["kind"] for entry in page["history"]]
    assert (kinds[0], kinds.count("stop.completed")) == ("stop.found", 1)
    assert {proof["kind"] for proof in page["evidence"]} == set(pictures)
    for proof in page["evidence"]:
        assert await town.dispatcher.evidence(proof["sha256"]) is not None

    bundle = tmp_path / "proof.zip"
    await town.terminal("proof", str(town.set_up.cloud_file), stop_id, "--out", str(bundle))
    await town.terminal("verify", str(bundle))


async def found_row(town: Town, stop_id: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = (await town.dispatcher.picture())["stops"]
    return next((row for row in rows if row["stop_id"] == stop_id), {})


async def is_all_there(town: Town, stop_id: str) -> bool:
    row = await found_row(town, stop_id)
    return row.get("status") == "completed" and row.get("proofs_whole") == 2


async def is_told_of(town: Town, other: str) -> bool:
    """Whether the van names the other van's parcel."""
    has_list = bool((await town.cab.view())["stops"])
    return has_list and (await town.tap("label", code=OF_THE_OTHER))["label"]["scan"]["of_van"] == other
