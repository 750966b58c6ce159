"""The promise, by hand: a driver delivers with a drawn signature and a photo while broker and coordinator are gone, and
the console shows both to the last byte once they are back. Real gpsd, mosquitto, OSRM, Chromium, both real programs.
"""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from roads.network import RoadNetwork
from roads.pack import open_pack
from simulator import fleet, ground, keepsakes, stage
from simulator.dispatcher import Dispatcher
from simulator.driver import Hooks
from simulator.processes import Service
from simulator.roadtrip import OpenRoads
from wire.geo import moved

pytestmark = pytest.mark.system
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-quic",
]
HEADER = "order_ref,name,number,street,lat_deg,lon_deg,opens,closes,service_s,parcels,items,instruction,proof"


@dataclass
class Town:
    """One van at the depot, its first door within reach."""

    set_up: stage.Stage
    coordinator: Service
    dispatcher: Dispatcher
    van: fleet.Van

    @property
    def cab_url(self) -> str:
        return self.van.stage.page_url


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    here = ground.town()
    pack_dir = stage.map_pack(here.pbf, here.name, lambda _: None)
    now = datetime.now(UTC)
    set_up = stage.stage(
        tmp_path,
        pack_dir=pack_dir,
        depot=here.depot,
        timezone="UTC",
        starts_at=now,
        rate=1.0,
        vans=1,
        first_port=None,
        is_plain=True,
    )
    near, far = moved(here.depot, north_m=20, east_m=10), here.addresses[40].place
    orders = "\n".join(
        [
            HEADER,
            f"A-1,Beatriz Fontes,294,Rua do Almada,{near.lat_deg},{near.lon_deg},,,60,3,2 parcels|1 envelope,"
            '"Blue door, don\'t ring",signature|photo',
            f"A-2,Hugo Faria,20,Rua da Lada,{far.lat_deg},{far.lon_deg},,,60,1,1 parcel,,photo",
        ]
    )
    async with AsyncExitStack() as parts:
        network = await RoadNetwork.open(
            open_pack(pack_dir), run_dir=tmp_path / "run", work_dir=tmp_path / "work", log_dir=tmp_path
        )
        parts.push_async_callback(network.close)
        coordinator, dispatcher = await fleet.coordinator_up(set_up, parts)
        await dispatcher.import_orders(set_up.day, orders.encode())
        await dispatcher.assign(set_up.day)
        van = await fleet.van_up(
            set_up, set_up.vans[0], parts, seed=1, roads=OpenRoads(network), service_s={}, hooks=Hooks()
        )
        yield Town(set_up, coordinator, dispatcher, van)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


async def opened(browser: Browser, url: str, width: int, height: int) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": height}, has_touch=True, locale="en-GB", timezone_id="UTC"
    )
    page = await context.new_page()
    await page.goto(url)
    return page


async def draw_signature(page: Page) -> None:
    box = await page.get_by_test_id("signature-pad").bounding_box()
    assert box is not None
    left, top = box["x"] + 60, box["y"] + box["height"] / 2
    await page.mouse.move(left, top)
    await page.mouse.down()
    for step in range(1, 30):
        await page.mouse.move(left + step * 12, top + (30 if step % 2 else -30))
    await page.mouse.up()


async def test_a_delivery_made_while_the_broker_is_stopped_is_found_in_the_console(
    town: Town, browser: Browser
) -> None:
    cab = await opened(browser, town.cab_url, 1024, 600)
    await expect(cab.get_by_test_id("next-plate")).to_have_text("294", timeout=20_000)
    await town.coordinator.stop()  # and with it the broker

    await expect(cab.get_by_test_id("link-state")).to_contain_text("Offline", timeout=40_000)
    await cab.get_by_test_id("arrived").click(timeout=60_000)
    photo = keepsakes.photo("the door", "Beatriz Fontes")
    await cab.get_by_test_id("photo-input").set_input_files(
        {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": photo}
    )
    await expect(cab.get_by_test_id("step-photo")).to_have_attribute("data-state", "done", timeout=20_000)
    await cab.get_by_test_id("step-signature").click()
    await draw_signature(cab)
    await cab.get_by_test_id("signature-save").click()
    await expect(cab.get_by_test_id("step-signature")).to_have_attribute("data-state", "done", timeout=20_000)
    await cab.get_by_test_id("delivered").click()
    await expect(cab.get_by_test_id("saved")).to_be_visible(timeout=10_000)

    await town.coordinator.start()
    await fleet.until_up(town.coordinator, town.dispatcher.is_up)
    console = await opened(browser, town.set_up.console_url, 1440, 900)
    row = console.get_by_test_id("van-row-van-1")
    await expect(row).to_be_visible(timeout=60_000)
    picture = await town.dispatcher.picture()
    stop_id = next(stop["stop_id"] for stop in picture["stops"] if stop["order_ref"] == "A-1")
    await console.goto(f"{town.set_up.console_url}/#/stops/{stop_id}")
    await expect(console.get_by_test_id("stop-status")).to_contain_text("Delivered", timeout=60_000)
    for kind in ("photo", "signature"):
        await expect(console.get_by_test_id(f"proof-{kind}")).to_be_visible(timeout=60_000)

    page = await town.dispatcher.stop_page(stop_id)
    assert {proof["kind"] for proof in page["evidence"]} == {"photo", "signature"}
    for proof in page["evidence"]:
        stored = await town.dispatcher.evidence(proof["sha256"])
        assert stored is not None
        assert hashlib.sha256(stored).hexdigest() == proof["sha256"]
    assert [row["kind"] for row in page["history"]].count("stop.completed") == 1
    await expect(cab.get_by_test_id("link-state")).to_contain_text("Online", timeout=60_000)
