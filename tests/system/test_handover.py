"""Two vans, a coordinator and a mosquitto as they are run: a stop changes vans by asking, and goods that are aboard
change hands where the two meet, while broker and coordinator are gone.
"""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cloud.api.world import some_orders
from tests.system.test_cloud import Coordinator, until
from tests.system.test_restored import Unit
from wire.codec import canonical

pytestmark = pytest.mark.system


class Fleet:
    """One coordinator and two vans, each with three of six orders."""

    def __init__(self, folder: Path) -> None:
        self.coordinator = Coordinator(folder)
        settings = self.coordinator.settings
        settings.write_text(settings.read_text() + '[[vans]]\nname = "van-2"\ndriver = "Rui Sá"\n')
        self.one, self.two = (Unit(folder, self.coordinator.broker_port, name) for name in ("van-1", "van-2"))

    async def begins(self) -> None:
        await self.coordinator.start()
        await self.coordinator.post("/api/orders/import", some_orders(6))
        await self.coordinator.post("/api/assign")
        for van in (self.one, self.two):
            await van.start()
            await until(partial(self.has_list, van))

    async def has_list(self, van: Unit) -> bool:
        return len(await van.phases()) == 3

    async def ends(self) -> None:
        for van in (self.one, self.two):
            await van.kill()
            await van.cab.http.close()
        await self.coordinator.end()

    async def row(self, stop_id: str) -> Any:
        picture = await self.coordinator.get("/api/picture")
        return next(stop for stop in picture["stops"] if stop["stop_id"] == stop_id)

    async def seen(self, van: Unit, stop_id: str) -> Any:
        stops = (await van.cab.view())["stops"]
        return next((stop for stop in stops if stop["stop_id"] == stop_id), None)


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncIterator[Fleet]:
    fleet = Fleet(tmp_path)
    try:
        await fleet.begins()
        yield fleet
    finally:
        await fleet.ends()


async def tap(van: Unit, number: str, **content: Any) -> None:
    status, answer = await van.cab.tap(tap_id=f"handover-{van.van}-{number}", **content)
    assert status == 200, answer


async def test_stops_change_vans_by_asking_and_where_two_vans_meet(fleet: Fleet) -> None:
    one, two = fleet.one, fleet.two
    asked_for, aboard = sorted(stop["stop_id"] for stop in (await one.cab.view())["stops"])[:2]

    # Nobody knows where van-1 is, so its driver is asked whether the goods are aboard.
    await fleet.coordinator.post(f"/api/orders/{asked_for}/move", canonical({"to_van": "van-2"}))

    async def driver_is_asked() -> bool:
        return str((await fleet.seen(one, asked_for))["release_to"]) == "van-2"

    await until(driver_is_asked)
    assert (await fleet.row(asked_for))["van"] == "van-1"
    await tap(one, "release", kind="release", stop_id=asked_for, is_aboard=False)

    async def has_moved() -> bool:
        there = await fleet.seen(two, asked_for)
        return there is not None and str(there["phase"]) == "open"

    await until(has_moved)
    assert (await fleet.seen(one, asked_for))["passed_to"] == "van-2"
    assert (await fleet.row(asked_for))["transfer"]["end"] == "moved"

    await tap(one, "load", kind="load", counted=2)
    place = {"lat_deg": 41.16, "lon_deg": -8.62, "place": "Petrol station"}
    meeting = {"from_van": "van-1", "to_van": "van-2", "stop_ids": [aboard], **place}
    await fleet.coordinator.post("/api/meetings", canonical(meeting))
    meeting_id: str = (await fleet.row(aboard))["transfer"]["meeting_id"]
    give, take = f"{meeting_id}-give", f"{meeting_id}-take"

    async def both_know() -> bool:
        return await fleet.seen(one, give) is not None and await fleet.seen(two, take) is not None

    await until(both_know)

    # No broker and no coordinator from here on; the van that takes taps first, and is switched off and on after it.
    await fleet.coordinator.kill()
    await tap(two, "take", kind="hand_over", stop_id=take, stop_ids=[aboard])
    await tap(one, "give", kind="hand_over", stop_id=give, stop_ids=[aboard])
    await two.kill()
    await two.start()
    assert (await fleet.seen(two, aboard))["custody"] == "aboard"
    assert (await fleet.seen(one, aboard))["custody"] == "other_van"
    status, _ = await one.cab.tap(kind="delivered", tap_id="handover-too-late", stop_id=aboard)
    assert status == 409
    await tap(two, "delivered", kind="delivered", stop_id=aboard)

    await fleet.coordinator.start()

    async def all_is_said() -> bool:
        row = await fleet.row(aboard)
        return bool(row["status"] == "completed" and row["transfer"]["end"] == "moved")

    await until(all_is_said)
    row = await fleet.row(aboard)
    assert (row["van"], row["transfer"]["given"], row["transfer"]["taken"]) == ("van-2", True, True)
    assert not row["is_flagged"]
    page = await fleet.coordinator.get(f"/api/stops/{aboard}")
    assert page["seal"]["verdict"] != "altered", page["seal"]
    kinds = [entry["kind"] for entry in page["history"]]
    assert sorted(kinds) == ["goods.handed", "goods.handed", "stop.arrived", "stop.completed"]
