"""The built console in a real browser, against the canned coordinator of ui/dev. Needs Node, `npm ci`, Chromium."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect, sync_playwright

from host.loopback import free_port

pytestmark = pytest.mark.system

UI = Path(__file__).resolve().parents[2] / "ui"
FLAGS = [
    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--no-first-run", "--disable-sync", "--disable-quic",
]  # fmt: skip
ORDERS: FilePayload = {
    "name": "monday.csv",
    "mimeType": "text/csv",
    "buffer": b"order_ref,lat_deg,lon_deg\nA1,41.1,-8.6\n,41.2,-8.6\nA3,41.3,-8.6\n",
}


class Coordinator:
    """The canned coordinator and how to steer it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, body: object = "") -> None:
        request = urllib.request.Request(self.url + path, data=json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def change_van(self, van: str, **view: object) -> None:
        self.post("/dev/vans", [{"van": van, **view}])

    def change_stop(self, stop_id: str, **row: object) -> None:
        self.post("/dev/stops", [{"stop_id": stop_id, **row}])


@pytest.fixture(scope="module")
def canned() -> Iterator[Coordinator]:
    vite = UI / "node_modules" / "vite" / "bin" / "vite.js"
    node = shutil.which("node")
    if node is None or not vite.exists():
        pytest.skip("Node or ui/node_modules is missing: run `npm ci` in ui/")
    subprocess.run([node, str(vite), "build", "console", "--logLevel", "error"], cwd=UI, check=True)
    coordinator = Coordinator(f"http://127.0.0.1:{(port := free_port())}")
    command = [node, str(vite), "preview", "console", "--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    with subprocess.Popen(command, cwd=UI, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until_up(coordinator)
            yield coordinator
        finally:
            server.terminate()


def wait_until_up(coordinator: Coordinator, patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            coordinator.post("/dev/reset")
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def coordinator(canned: Coordinator) -> Coordinator:
    canned.post("/dev/reset")
    return canned


@pytest.fixture
def page(browser: Browser, coordinator: Coordinator) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale="en-GB",
        timezone_id="America/Lima",  # the depot's zone counts, not the reader's
        reduced_motion="reduce",
    )
    page = context.new_page()
    open_at(page, coordinator, "#/live")
    yield page
    context.close()


def open_at(page: Page, coordinator: Coordinator, address: str) -> None:
    page.goto("about:blank")
    page.goto(f"{coordinator.url}/{address}")
    expect(page.get_by_test_id("clock")).to_contain_text("14:3")


def serious_faults(page: Page) -> list[str]:
    page.evaluate((UI / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
           .filter((fault) => ['serious', 'critical'].includes(fault.impact))
           .map((fault) => fault.id + ' ' + fault.nodes.map((node) => node.target.join(' ')).join(', '))"""
    )
    return found


def test_trouble_stands_first_and_a_change_is_seen_at_once(page: Page, coordinator: Coordinator) -> None:
    rows = page.locator("[data-testid^=van-row-]")
    expect(rows.first).to_contain_text("14 min late")
    coordinator.change_van("van-26", punctuality="late", minutes_late=40)
    expect(rows.first).to_have_attribute("data-testid", "van-row-van-26")
    expect(rows.first).to_contain_text("40 min late")


def test_a_silent_van_is_hollow_and_asks_for_a_person(page: Page) -> None:
    expect(page.get_by_test_id("van-row-van-11")).to_have_attribute("data-freshness", "silent")
    expect(page.get_by_test_id("van-row-van-21")).to_have_attribute("data-freshness", "fading")
    expect(page.get_by_test_id("need-silent")).to_contain_text("Van 11 last heard 14:25")


def test_one_selection_holds_in_list_map_card_and_address(page: Page) -> None:
    page.get_by_test_id("van-row-van-7").click()
    expect(page).to_have_url(re.compile(r"van=van-7"))
    expect(page.get_by_test_id("selected-card")).to_contain_text("Rua do Almada")
    expect(page.get_by_test_id("map-flag")).to_have_attribute("data-stop", "stop-7-14")
    page.keyboard.press("ArrowDown")
    expect(page).not_to_have_url(re.compile(r"van=van-7$"))


def test_the_stop_page_shows_the_proof_and_both_times(page: Page, coordinator: Coordinator) -> None:
    open_at(page, coordinator, "#/stops/stop-2-10")
    expect(page.get_by_test_id("stop-status")).to_have_attribute("data-status", "completed")
    expect(page.get_by_test_id("proof-verdict")).to_have_attribute("data-verdict", "match")
    for kind in ("photo", "signature"):
        image = page.get_by_test_id(f"proof-{kind}")
        expect(image).to_be_visible()
        assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0
    expect(page.get_by_test_id("stop-page")).to_contain_text("6 min 45 s later")


def test_evidence_on_its_way_is_counted_and_appears_when_it_is_whole(page: Page, coordinator: Coordinator) -> None:
    open_at(page, coordinator, "#/stops/stop-7-13")
    expect(page.get_by_test_id("proof-waiting")).to_contain_text("On its way: 40 of 112 kB")
    expect(page.get_by_test_id("proof-photo")).to_have_count(0)
    coordinator.change_stop("stop-7-13", proofs_whole=2)
    expect(page.get_by_test_id("proof-photo")).to_be_visible()
    expect(page.get_by_test_id("proof-verdict")).to_have_attribute("data-verdict", "match")


def test_stops_are_found_and_opened_without_a_mouse(page: Page) -> None:
    page.get_by_test_id("nav-stops").click()
    page.keyboard.press("/")
    page.keyboard.type("almada 294")
    expect(page).to_have_url(re.compile(r"q=almada\+294"))
    expect(page.locator("[data-testid^=stop-row-]")).to_have_count(1)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("stop-page")).to_contain_text("Beatriz Fontes")
    page.go_back()
    expect(page.get_by_test_id("search")).to_have_value("almada 294")


def test_orders_are_looked_at_then_taken_then_given_out(page: Page) -> None:
    page.get_by_test_id("nav-orders").click()
    page.get_by_test_id("import-file").set_input_files(ORDERS)
    report = page.get_by_test_id("import-report")
    expect(report).to_have_attribute("data-dry-run", "true")
    expect(page.get_by_test_id("import-problem")).to_contain_text("there is no geocoder yet")
    expect(page.get_by_test_id("import-go")).to_have_text("Import 2 orders")
    page.get_by_test_id("import-go").click()
    expect(report).to_have_attribute("data-dry-run", "false")
    page.get_by_test_id("assign-go").click()
    expect(page.get_by_test_id("assign-reason")).to_contain_text("no van has room before 17:00")


def test_a_file_that_is_no_table_is_refused_in_words(page: Page) -> None:
    page.get_by_test_id("nav-orders").click()
    page.get_by_test_id("import-file").set_input_files({**ORDERS, "buffer": b"\x00\x01"})
    expect(page.get_by_test_id("import-trouble")).to_contain_text("this is no table of orders")


def test_an_order_is_cancelled_only_when_asked_twice(page: Page, coordinator: Coordinator) -> None:
    open_at(page, coordinator, "#/stops/stop-7-14")
    page.get_by_test_id("cancel-order").click()
    expect(page.get_by_test_id("stop-status")).to_have_attribute("data-status", "planned")
    page.get_by_test_id("cancel-yes").click()
    expect(page.get_by_test_id("stop-status")).to_have_attribute("data-status", "cancelled")


def test_a_stop_is_moved_by_asking_and_one_sees_whom_it_waits_for(page: Page, coordinator: Coordinator) -> None:
    open_at(page, coordinator, "#/stops/stop-7-14")
    page.get_by_test_id("move-stop").click()
    page.get_by_test_id("move-van").select_option("van-2")
    page.get_by_test_id("move-go").click()
    expect(page.get_by_test_id("transfer")).to_have_text("to van 2: waiting for van 7")
    page.get_by_test_id("take-back").click()
    expect(page.get_by_test_id("transfer")).to_have_attribute("data-end", "withdrawn")


def test_goods_that_are_aboard_are_planned_to_change_vans_at_a_meeting(page: Page, coordinator: Coordinator) -> None:
    open_at(page, coordinator, "#/stops/stop-7-14")
    page.get_by_test_id("move-stop").click()
    page.get_by_test_id("move-meet").click()
    expect(page.get_by_test_id("meet-at")).to_be_visible()
    assert serious_faults(page) == []
    page.get_by_test_id("move-van").select_option("van-2")
    page.get_by_test_id("move-go").click()
    expect(page.get_by_test_id("transfer")).to_have_text("to van 2, where it meets van 7")


def test_what_only_one_of_two_vans_said_and_what_cannot_be_moved_asks_for_a_person(
    page: Page, coordinator: Coordinator
) -> None:
    asked: dict[str, object] = {
        "from_van": "van-7", "to_van": "van-2", "meeting_id": None, "asked_at": "2026-11-24T14:20:00Z", "end": None,
        "why": "", "given": None, "taken": None,
    }  # fmt: skip
    coordinator.change_stop("stop-7-14", transfer={**asked, "end": "kept", "why": "aboard"})
    expect(page.get_by_test_id("need-kept")).to_contain_text("its goods are aboard")
    coordinator.change_stop("stop-7-15", transfer={**asked, "meeting_id": "m1", "given": True})
    expect(page.get_by_test_id("need-one_sided")).to_contain_text("van 2 has not said that it took it")


@pytest.mark.parametrize("language", ["en", "es", "pt", "de", "fr"])
def test_every_language_fits_the_tablet(browser: Browser, coordinator: Coordinator, language: str) -> None:
    context = browser.new_context(viewport={"width": 1024, "height": 768}, locale=language, has_touch=True)
    page = context.new_page()
    for address in ("#/live?van=van-7", "#/stops", "#/stops/stop-2-10", "#/orders"):
        open_at(page, coordinator, address)
        wide = page.evaluate("document.querySelector('[data-testid=console]').scrollWidth - innerWidth")
        assert wide <= 0, f"{address} is {wide} px too wide in {language}"
    expect(page.locator("html")).to_have_attribute("lang", language)
    context.close()


@pytest.mark.parametrize(
    "address", ["#/live?van=van-7", "#/stops", "#/stops/stop-2-10", "#/stops/stop-7-13", "#/orders"]
)
def test_nothing_serious_stands_in_the_way_of_anyone_day_and_night(
    page: Page, coordinator: Coordinator, address: str
) -> None:
    open_at(page, coordinator, address)
    if "stop-" in address:
        expect(page.get_by_test_id("stop-page")).to_be_visible()
    assert serious_faults(page) == []
    page.get_by_test_id("theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    assert serious_faults(page) == []
