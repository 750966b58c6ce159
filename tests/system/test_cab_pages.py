"""The built cab page in a real browser, against the canned agent of ui/dev. Needs Node, `npm ci` in ui/, Chromium."""

import json
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Page, Playwright, expect, sync_playwright

from host.loopback import free_port

pytestmark = pytest.mark.system

UI = Path(__file__).resolve().parents[2] / "ui"
FLAGS = [
    "--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
    "--disable-background-networking", "--no-first-run", "--disable-sync", "--disable-quic",
]  # fmt: skip
HALTED = {"motion": "halted", "is_within_reach": True}
JPEG: FilePayload = {"name": "door.jpg", "mimeType": "image/jpeg", "buffer": b"\xff\xd8\xff\xe0 a door"}


class Agent:
    """The canned agent and how to steer it."""

    def __init__(self, url: str) -> None:
        self.url = url

    def post(self, path: str, body: object = "") -> None:
        data = body if isinstance(body, str) else json.dumps(body)
        request = urllib.request.Request(self.url + path, data=data.encode(), method="POST")
        with urllib.request.urlopen(request, timeout=5):
            pass

    def change(self, **view: object) -> None:
        self.post("/dev/change", view)

    def charge(self, percent: float) -> None:
        """An electric van with so much in its battery."""
        with urllib.request.urlopen(self.url + "/api/view", timeout=5) as answer:
            plan = json.load(answer)["plan"]
        shares = {"charge_pct": percent, "end_pct": 31, "end_least_pct": 22, "reserve_pct": 10, "short_pct": 0}
        energy: dict[str, object] = {**shares, "is_enough": True, "read_at": None, "charges": []}
        self.change(plan={**plan, "energy": energy})

    def asks_for(self, stop_id: str) -> None:
        """Another van is to get that stop, and nobody knows whether its goods are aboard."""
        with urllib.request.urlopen(self.url + "/api/view", timeout=5) as answer:
            stops = json.load(answer)["stops"]
        self.change(stops=[{**stop, "release_to": "van-2" if stop["stop_id"] == stop_id else None} for stop in stops])

    def taps(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(self.url + "/dev/taps", timeout=5) as answer:
            taps: list[dict[str, Any]] = json.load(answer)
            return taps


@pytest.fixture(scope="module")
def canned() -> Iterator[Agent]:
    vite = UI / "node_modules" / "vite" / "bin" / "vite.js"
    node = shutil.which("node")
    if node is None or not vite.exists():
        pytest.skip("Node or ui/node_modules is missing: run `npm ci` in ui/")
    subprocess.run([node, str(vite), "build", "cab", "--logLevel", "error"], cwd=UI, check=True)
    agent = Agent(f"http://127.0.0.1:{(port := free_port())}")
    command = [node, str(vite), "preview", "cab", "--host", "127.0.0.1", "--port", str(port), "--strictPort"]
    with subprocess.Popen(command, cwd=UI, stdout=subprocess.DEVNULL) as server:
        try:
            wait_until_up(agent)
            yield agent
        finally:
            server.terminate()


def wait_until_up(agent: Agent, patience_s: float = 20.0) -> None:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            agent.taps()
        except urllib.error.URLError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
    yield chromium
    chromium.close()


@pytest.fixture
def agent(canned: Agent) -> Agent:
    canned.post("/dev/day?next=14")
    return canned


@pytest.fixture
def page(browser: Browser, agent: Agent) -> Iterator[Page]:
    context = browser.new_context(
        viewport={"width": 1024, "height": 600},
        has_touch=True,
        locale="en-GB",
        timezone_id="Europe/Lisbon",
        reduced_motion="reduce",  # so that no colour is caught half-way
    )
    page = context.new_page()
    page.goto(agent.url)
    expect(page.get_by_test_id("next-plate")).to_contain_text("294")
    yield page
    context.close()


def sign(page: Page) -> None:
    box = page.get_by_test_id("signature-pad").bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 120)
    page.mouse.down()
    for step in range(40):
        page.mouse.move(box["x"] + 200 + 10 * step, box["y"] + 120 + 30 * (step % 2))
    page.mouse.up()


def open_stop(page: Page, agent: Agent) -> None:
    agent.change(**HALTED)
    page.get_by_test_id("arrived").click()
    expect(page.get_by_test_id("stop-page")).to_be_visible()


def serious_faults(page: Page) -> list[str]:
    page.evaluate((UI / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
           .filter((fault) => ['serious', 'critical'].includes(fault.impact))
           .map((fault) => fault.id + ' ' + fault.nodes.map((node) => node.target.join(' ')).join(', '))"""
    )
    return found


def test_a_drop_is_saved_step_by_step(page: Page, agent: Agent) -> None:
    open_stop(page, agent)
    expect(page.get_by_test_id("delivered-locked")).to_contain_text("2 steps missing")
    page.get_by_test_id("photo-input").set_input_files(JPEG)
    expect(page.get_by_test_id("step-photo")).to_have_attribute("data-state", "done")
    page.get_by_test_id("step-signature").click()
    expect(page.get_by_test_id("signature-save")).to_be_disabled()
    page.get_by_test_id("signer-neighbour").click()
    sign(page)
    page.get_by_test_id("signature-save").click()
    page.get_by_test_id("key-1").click()  # a neighbour has a door
    page.get_by_test_id("key-2").click()
    page.get_by_test_id("neighbour-save").click()
    page.get_by_test_id("delivered").click()
    expect(page.get_by_test_id("saved")).to_contain_text("Saved 14:30")
    assert [tap["kind"] for tap in agent.taps()] == ["arrived", "photo", "signature", "way", "delivered"]
    assert agent.taps()[-1]["outcome"] == "delivered_to_neighbour"
    assert agent.taps()[-1]["received_by"] == "12"
    page.get_by_test_id("saved-drive").click()
    expect(page.get_by_test_id("next-plate")).to_contain_text("106")


def at_a_door_that_asks_for_everything(page: Page, agent: Agent) -> None:
    agent.post("/dev/door")
    page.get_by_test_id("open-stop").click()


def read_code(page: Page, code: str) -> None:
    """As a reader does, and Enter, all at once: a busy machine makes the gaps between played keys those of a hand."""
    press = "key => window.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))"
    page.evaluate(f"keys => keys.forEach({press})", [*code, "Enter"])


def test_a_door_that_asks_for_everything(page: Page, agent: Agent) -> None:
    at_a_door_that_asks_for_everything(page, agent)
    expect(page.get_by_test_id("delivered-locked")).to_contain_text("5 steps missing")
    page.get_by_test_id("step-age").click()
    page.get_by_test_id("age-yes").click()
    page.get_by_test_id("step-pin").click()
    for key in "4072":
        page.get_by_test_id(f"key-{key}").click()
    page.get_by_test_id("pin-check").click()
    expect(page.get_by_test_id("pin-wrong")).to_be_visible()
    for key in "4071":
        page.get_by_test_id(f"key-{key}").click()
    page.get_by_test_id("pin-check").click()
    page.get_by_test_id("step-cash").click()
    page.get_by_test_id("cash-take").click()
    read_code(page, "106141411234500010")  # also from the stop's own page
    expect(page.get_by_test_id("scan-verdict")).to_have_attribute("data-verdict", "right")
    read_code(page, "306141411234500012")
    expect(page.get_by_test_id("scan-verdict")).to_contain_text("Not this stop")
    page.get_by_test_id("type-code").click()
    page.get_by_test_id("code-field").fill("106141411234500027")
    page.get_by_test_id("code-field").press("Enter")
    page.get_by_test_id("parcel").nth(2).click()
    page.get_by_test_id("mark-refused").click()
    expect(page.get_by_test_id("parcel").nth(2)).to_have_attribute("data-state", "refused")
    page.get_by_test_id("back").click()
    page.get_by_test_id("photo-input").set_input_files(JPEG)
    page.get_by_test_id("delivered").click()
    page.get_by_test_id("why-not_possible_here").click()  # the place
    page.get_by_test_id("why-recipient_declined").click()  # the signature
    expect(page.get_by_test_id("saved")).to_be_visible()
    assert agent.taps()[-1]["waivers"] == [
        {"kind": "place", "why": "not_possible_here"},
        {"kind": "signature", "why": "recipient_declined"},
    ]


def test_a_closing_is_taken_back_and_a_closed_stop_corrected(page: Page, agent: Agent) -> None:
    open_stop(page, agent)
    page.get_by_test_id("problem").click()
    page.get_by_test_id("reason-refused").click()
    page.get_by_test_id("fail-close").click()
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("delivered-locked")).to_be_visible()
    page.get_by_test_id("back-to-map").click()
    page.get_by_test_id("open-day").click()
    page.get_by_test_id("page-up").click()
    page.get_by_test_id("day-row").first.click()
    page.get_by_test_id("correct").click()
    page.get_by_test_id("correct-delivered_to_mailbox").click()
    expect(page.get_by_test_id("saved")).to_contain_text("mailbox")
    assert [tap["kind"] for tap in agent.taps()][-2:] == ["undo", "amend"]


def test_goods_change_vans_by_one_tap_and_what_is_unticked_stays(page: Page, agent: Agent) -> None:
    agent.post("/dev/meeting?side=gives")
    page.get_by_test_id("open-stop").click()
    expect(page.get_by_test_id("hand-over")).to_contain_text("Give 2 stops to van 2")
    page.get_by_test_id("meeting-stop").last.click()
    page.get_by_test_id("hand-over").click()
    expect(page.get_by_test_id("saved")).to_contain_text("Handed over")
    tap = agent.taps()[-1]
    assert (tap["kind"], tap["stop_id"], tap["stop_ids"]) == ("hand_over", "stop-14", ["stop-15"])


def test_the_driver_says_whether_goods_that_another_van_is_to_get_are_aboard(page: Page, agent: Agent) -> None:
    agent.change(**HALTED)
    agent.asks_for("stop-15")
    expect(page.get_by_test_id("release-ask")).to_contain_text("106 Rua da Conceição")
    page.get_by_test_id("release-not-aboard").click()
    expect(page.get_by_test_id("release-ask")).to_have_count(0)
    assert (agent.taps()[-1]["kind"], agent.taps()[-1]["is_aboard"]) == ("release", False)


def test_what_goes_to_a_pickup_point_is_left_there_with_one_tap(page: Page, agent: Agent) -> None:
    agent.change(**HALTED)
    with urllib.request.urlopen(agent.url + "/api/view", timeout=5) as answer:
        load = json.load(answer)["load"]
    agent.change(load={**load, "drops": [{"pickup_point": "Kiosk Lima, Rua do Almada 100", "parcels": 2}]})
    page.get_by_test_id("open-day").click()
    page.get_by_test_id("open-van").click()
    page.get_by_test_id("load").click()
    expect(page.get_by_test_id("drop")).to_contain_text("2 parcels to: Kiosk Lima")
    assert serious_faults(page) == []
    page.get_by_test_id("drop-left").click()
    expect(page.get_by_test_id("drop")).to_have_count(0)
    assert (agent.taps()[-1]["kind"], agent.taps()[-1]["is_dropped"]) == ("dropped", True)


def test_the_load_is_counted_before_leaving(page: Page, agent: Agent) -> None:
    agent.post("/dev/day?next=1")
    agent.change(**HALTED)
    page.get_by_test_id("open-day").click()
    page.get_by_test_id("open-van").click()
    page.get_by_test_id("load").click()
    page.get_by_test_id("key-5").click()
    page.get_by_test_id("key-8").click()
    page.get_by_test_id("load-confirm").click()
    expect(page.get_by_test_id("day-row").first).to_be_visible()
    assert agent.taps()[-1]["counted"] == 58


def test_the_driver_says_what_the_battery_shows_and_pauses_the_position(page: Page, agent: Agent) -> None:
    agent.change(**HALTED)
    agent.charge(percent=62.4)
    expect(page.get_by_test_id("battery")).to_have_text("battery lasts: 31 % left")
    page.get_by_test_id("open-day").click()
    expect(page.get_by_test_id("drive")).to_be_in_viewport(ratio=1)
    page.get_by_test_id("open-van").click()
    page.get_by_test_id("open-battery").click()
    page.get_by_test_id("battery-less-10").click()
    page.get_by_test_id("battery-more-1").click()
    page.get_by_test_id("battery-save").click()
    expect(page.get_by_test_id("van-page")).to_contain_text("53 %")
    page.get_by_test_id("duty").click()
    assert [(tap["kind"], tap.get("percent")) for tap in agent.taps()] == [("charge", 53), ("duty", None)]


def test_a_refused_signature_says_why_and_keeps_what_was_drawn(page: Page, agent: Agent) -> None:
    open_stop(page, agent)
    page.get_by_test_id("step-signature").click()
    sign(page)
    agent.post("/dev/mood", "full")
    page.get_by_test_id("signature-save").click()
    expect(page.get_by_test_id("not-saved")).to_contain_text("storage is full")
    page.get_by_test_id("not-saved-ok").click()
    agent.post("/dev/mood", "well")
    page.get_by_test_id("signature-save").click()
    expect(page.get_by_test_id("step-signature")).to_have_attribute("data-state", "done")


def test_without_an_answer_nothing_is_called_saved_and_trying_again_is_the_same_tap(page: Page, agent: Agent) -> None:
    agent.change(**HALTED)
    agent.post("/dev/mood", "silent")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if "/api/taps" in request.url else None)
    page.get_by_test_id("arrived").click()
    expect(page.get_by_test_id("not-saved")).to_contain_text("did not answer", timeout=15_000)
    expect(page.get_by_test_id("stop-page")).to_have_count(0)
    agent.post("/dev/mood", "well")
    page.get_by_test_id("try-again").click()
    expect(page.get_by_test_id("stop-page")).to_be_visible()
    assert len(sent) == 2
    assert len({json.loads(body)["tap_id"] for body in sent}) == 1


def test_a_stop_fails_with_its_reason(page: Page, agent: Agent) -> None:
    open_stop(page, agent)
    page.get_by_test_id("problem").click()
    page.get_by_test_id("reason-refused").click()
    page.get_by_test_id("fail-close").click()
    expect(page.get_by_test_id("saved")).to_contain_text("Refused")
    assert agent.taps()[-1]["reason"] == "refused"


def test_moving_brings_the_map_back_and_locks_the_rest(page: Page, agent: Agent) -> None:
    open_stop(page, agent)
    page.get_by_test_id("step-signature").click()
    sign(page)
    agent.change(motion="moving", is_within_reach=False)
    expect(page.get_by_test_id("next-card")).to_be_visible()
    expect(page.get_by_test_id("open-day")).to_be_disabled()
    expect(page.get_by_test_id("open-stop")).to_have_count(0)
    agent.change(motion="halted")
    page.get_by_test_id("open-stop").click()
    page.get_by_test_id("step-signature").click()
    expect(page.get_by_test_id("signature-save")).to_be_enabled()


def test_a_blocked_road_is_closed_by_one_tap_while_driving_and_opened_by_another(page: Page, agent: Agent) -> None:
    agent.change(motion="moving", is_within_reach=False)
    page.get_by_test_id("road-block").click()
    agent.change(blocked_until="2026-11-24T15:32:00Z")
    expect(page.get_by_test_id("road-blocked")).to_contain_text("closed until 15:32")
    page.get_by_test_id("road-open").click()
    agent.change(blocked_until=None, can_block=False)
    expect(page.get_by_test_id("road-blocked")).to_have_count(0)
    expect(page.get_by_test_id("road-block")).to_be_disabled()
    assert [(tap["kind"], tap.get("for_min")) for tap in agent.taps()] == [("road_blocked", 60), ("road_open", None)]


def test_an_offer_waits_for_a_halt_and_is_looked_at_by_choice(page: Page, agent: Agent) -> None:
    agent.post("/dev/offer", {})
    expect(page.get_by_test_id("open-offer")).to_have_count(0)  # moving: nothing is asked of the driver
    agent.change(motion="halted")
    expect(page.get_by_test_id("open-offer")).to_contain_text("2 stops move, 4 min sooner")
    expect(page.get_by_test_id("next-plate")).to_contain_text("294")
    page.get_by_test_id("open-offer").click()
    expect(page.get_by_test_id("offer-windows")).to_contain_text("All windows kept")
    expect(page.get_by_test_id("offer-row").filter(has_text="306")).to_contain_text("in time for its window")
    agent.change(motion="moving")
    expect(page.get_by_test_id("offer")).to_have_count(0)
    expect(page.get_by_test_id("next-card")).to_be_visible()


def test_an_accepted_order_is_driven_once_it_is_saved(page: Page, agent: Agent) -> None:
    agent.change(motion="parked")
    agent.post("/dev/offer", {})
    agent.post("/dev/mood", "silent")
    page.get_by_test_id("accept").click()
    expect(page.get_by_test_id("not-saved")).to_be_visible(timeout=15_000)
    expect(page.get_by_test_id("offer")).to_be_visible()
    agent.post("/dev/mood", "well")
    page.get_by_test_id("try-again").click()
    expect(page.get_by_test_id("next-card")).to_be_visible()
    assert [(tap["kind"], tap["offer"]) for tap in agent.taps()] == [("accept", 1)]
    page.get_by_test_id("open-day").click()
    rows = page.get_by_test_id("day-row")
    expect(rows.nth(3)).to_contain_text("306")


def test_keep_mine_leaves_the_order_and_the_same_offer_does_not_come_up_again(page: Page, agent: Agent) -> None:
    agent.change(motion="parked")
    agent.post("/dev/offer", {})
    page.get_by_test_id("keep").click()
    expect(page.get_by_test_id("offer")).to_have_count(0)
    assert [tap["kind"] for tap in agent.taps()] == ["keep"]
    page.get_by_test_id("open-day").click()
    expect(page.get_by_test_id("day-row").nth(3)).to_contain_text("230")


def test_an_offer_never_comes_up_over_the_work_at_a_door(page: Page, agent: Agent) -> None:
    open_stop(page, agent)
    agent.change(motion="parked")
    agent.post("/dev/offer", {})
    expect(page.get_by_test_id("stop-page")).to_be_visible()
    expect(page.get_by_test_id("offer")).to_have_count(0)


def test_unknown_speed_counts_as_moving_until_the_driver_says_parked(page: Page, agent: Agent) -> None:
    agent.change(motion="unknown", gps={"quality": "none", "since": "2026-11-24T14:29:00Z"})
    expect(page.get_by_test_id("gps-state")).to_contain_text("GPS lost since 14:29")
    page.get_by_test_id("open-day").click()
    page.get_by_test_id("parked-yes").click()
    expect(page.get_by_test_id("day-row").first).to_contain_text("294 Rua do Almada")


def test_offline_is_said_with_since_when_and_how_much_waits(page: Page, agent: Agent) -> None:
    expect(page.get_by_test_id("link-state")).to_have_attribute("data-state", "online")
    agent.change(link={"is_online": False, "since": "2026-11-24T14:05:00Z", "waiting": 12, "oldest_waiting_s": 1500})
    expect(page.get_by_test_id("link-state")).to_have_text("Offline since 14:05 · 12 things waiting")
    agent.change(link={"is_online": False, "since": "2026-11-24T14:05:00Z", "waiting": 12, "oldest_waiting_s": 4000})
    expect(page.get_by_test_id("link-state")).to_contain_text("Offline · 12 things waiting · up to 1 h 6 min")


def test_nothing_is_fetched_from_outside(browser: Browser, agent: Agent) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(agent.url)
    expect(page.get_by_test_id("next-plate")).to_be_visible()
    outside = [url for url in asked if not url.startswith((agent.url, "data:", f"blob:{agent.url}"))]
    page.close()
    assert asked
    assert outside == []


def test_no_view_has_a_serious_fault_of_accessibility_by_day_or_night(page: Page, agent: Agent) -> None:
    faults: dict[str, list[str]] = {}
    for theme in ("day", "night"):
        agent.post("/dev/day?next=14")
        agent.change(**HALTED)
        faults[f"drive {theme}"] = serious_faults(page)
        agent.change(blocked_until="2026-11-24T15:32:00Z")
        faults[f"drive, road blocked {theme}"] = serious_faults(page)
        agent.change(blocked_until=None)
        page.get_by_test_id("open-day").click()
        faults[f"day {theme}"] = serious_faults(page)
        agent.charge(percent=62.0)
        page.get_by_test_id("open-van").click()
        faults[f"van {theme}"] = serious_faults(page)
        page.get_by_test_id("open-battery").click()
        faults[f"battery {theme}"] = serious_faults(page)
        page.get_by_test_id("back").click()
        page.get_by_test_id("back").click()
        page.get_by_test_id("day-row").first.click()
        faults[f"stop {theme}"] = serious_faults(page)
        page.get_by_test_id("step-signature").click()
        faults[f"signature {theme}"] = serious_faults(page)
        page.get_by_test_id("back").click()
        page.get_by_test_id("problem").click()
        faults[f"problem {theme}"] = serious_faults(page)
        page.get_by_test_id("reason-not_home").click()
        faults[f"reason {theme}"] = serious_faults(page)
        page.get_by_test_id("fail-close").click()
        expect(page.get_by_test_id("saved")).to_be_visible()
        faults[f"saved {theme}"] = serious_faults(page)
        page.get_by_test_id("saved-drive").click()
        agent.post("/dev/offer", {"number": 1 if theme == "day" else 2})
        page.get_by_test_id("open-offer").click()
        expect(page.get_by_test_id("accept")).to_be_visible()
        faults[f"offer {theme}"] = serious_faults(page)
        page.get_by_test_id("keep").click()
        agent.post("/dev/day?next=14")
        agent.post("/dev/door")
        page.get_by_test_id("open-stop").click()
        for step in ("age", "pin", "cash", "scan", "note"):
            page.get_by_test_id(f"step-{step}").click()
            faults[f"{step} {theme}"] = serious_faults(page)
            page.get_by_test_id("back").click()
        page.get_by_test_id("way").click()
        faults[f"way {theme}"] = serious_faults(page)
        page.get_by_test_id("back").click()
        page.get_by_test_id("back-to-map").click()
        agent.post("/dev/day?next=14")
        agent.post("/dev/meeting?side=takes")
        page.get_by_test_id("open-stop").click()
        expect(page.get_by_test_id("hand-over")).to_be_visible()
        faults[f"meeting {theme}"] = serious_faults(page)
        page.get_by_test_id("back-to-map").click()
        agent.asks_for("stop-15")
        faults[f"release {theme}"] = serious_faults(page)
        agent.post("/dev/day?next=14")
        agent.change(**HALTED)
        page.get_by_test_id("theme").click()
    assert {view: found for view, found in faults.items() if found} == {}


@pytest.mark.parametrize("language", ["es", "pt", "de", "fr"])
def test_no_text_runs_out_of_the_screen_in_any_language(browser: Browser, agent: Agent, language: str) -> None:
    page = browser.new_page(viewport={"width": 1024, "height": 600}, locale=language)
    agent.change(**HALTED)
    page.goto(agent.url)
    expect(page.get_by_test_id("arrived")).to_be_in_viewport(ratio=1)
    page.get_by_test_id("open-day").click()
    expect(page.get_by_test_id("drive")).to_be_in_viewport(ratio=1)
    page.get_by_test_id("day-row").first.click()
    expect(page.get_by_test_id("delivered-locked")).to_be_in_viewport(ratio=1)
    for way in ("problem", "way", "back-to-map"):
        assert not page.get_by_test_id(way).evaluate("button => button.scrollWidth > button.clientWidth"), way
    page.get_by_test_id("problem").click()
    expect(page.get_by_test_id("reason-others")).to_be_in_viewport(ratio=1)
    agent.post("/dev/door")
    page.get_by_test_id("back").click()
    for step in ("age", "pin", "cash", "scan", "note"):
        page.get_by_test_id(f"step-{step}").click()
        expect(page.get_by_test_id("back")).to_be_in_viewport(ratio=1)
        for button in page.locator("main button").all():
            words = button.inner_text()
            assert not button.evaluate("button => button.scrollWidth > button.clientWidth"), f"{step}: {words}"
        page.get_by_test_id("back").click()
    page.get_by_test_id("way").click()
    for button in page.locator("main button").all():
        words = button.inner_text()
        assert not button.evaluate("button => button.scrollWidth > button.clientWidth"), words
    page.get_by_test_id("back").click()
    for side in ("gives", "takes"):
        agent.post("/dev/day?next=14")  # drives off: the map is back
        agent.post(f"/dev/meeting?side={side}")
        page.get_by_test_id("open-stop").click()
        expect(page.get_by_test_id("hand-over")).to_be_in_viewport(ratio=1)
        for button in page.locator("main button").all():
            words = button.inner_text()
            assert not button.evaluate("button => button.scrollWidth > button.clientWidth"), f"{side}: {words}"
    page.get_by_test_id("back-to-map").click()
    agent.asks_for("stop-15")
    for answer in ("release-aboard", "release-not-aboard"):
        expect(page.get_by_test_id(answer)).to_be_in_viewport(ratio=1)
        overflows = page.get_by_test_id(answer).evaluate("button => button.scrollWidth > button.clientWidth")
        assert not overflows, answer
    agent.post("/dev/day?next=14")
    agent.change(motion="moving", is_within_reach=False, blocked_until="2026-11-24T15:32:00Z")
    for shown in ("road-blocked", "road-open", "road-block"):
        expect(page.get_by_test_id(shown)).to_be_in_viewport(ratio=1)
        overflows = page.get_by_test_id(shown).evaluate("box => box.scrollWidth > box.clientWidth")
        assert not overflows, shown
    agent.change(motion="parked", blocked_until=None)
    agent.post(
        "/dev/offer", {"moved_stops": 12, "gain_s": 1440, "late_before": 3, "reason": "driver chose another stop"}
    )
    for answer in ("keep", "accept"):
        box = page.get_by_test_id(answer).bounding_box()
        assert box is not None
        assert (box["height"], box["y"] + box["height"] <= 600) == (132, True)
        overflows = page.get_by_test_id(answer).evaluate("button => button.scrollWidth > button.clientWidth")
        assert not overflows, answer
    page.close()


def test_without_webgl_the_route_is_drawn_plainly(playwright: Playwright, agent: Agent) -> None:
    chromium = playwright.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=[flag for flag in FLAGS if "swiftshader" not in flag] + ["--disable-3d-apis"],
    )
    page = chromium.new_page(viewport={"width": 1024, "height": 600})
    page.goto(agent.url)
    expect(page.get_by_test_id("plain-map")).to_have_attribute("data-ready", "true")
    expect(page.get_by_test_id("manoeuvre")).to_contain_text("Rua do Almada")
    chromium.close()


def test_a_label_on_no_list_is_read_on_the_map_and_made_a_stop(page: Page, agent: Agent) -> None:
    agent.change(motion="parked")
    expect(page.get_by_test_id("cab")).to_have_attribute("data-motion", "parked")
    read_code(page, "]d200340123450000000017")
    expect(page.get_by_test_id("label-plate")).to_contain_text("12")
    facts = page.get_by_test_id("label-fact")
    leave, signature, dangerous, door = (
        "Safe place allowed",
        "Signature required",
        "Dangerous goods",
        "House number is on the map",
    )
    expect(facts).to_have_text([re.compile("15:00 . 17:30"), leave, signature, dangerous, door])
    last, button = facts.last.bounding_box(), page.get_by_test_id("make-stop").bounding_box()
    assert last is not None
    assert button is not None
    assert last["y"] + last["height"] <= button["y"]  # all of it is to be seen
    page.get_by_test_id("make-stop").click()
    expect(page.get_by_test_id("cab")).to_have_attribute("data-page", "day")
    assert [(tap["kind"], tap["code"]) for tap in agent.taps()] == [
        ("label", "]d200340123450000000017"),
        ("make_stop", "340123450000000017"),
    ]


def test_a_parcel_of_another_van_is_named_as_its_vans(page: Page, agent: Agent) -> None:
    agent.change(motion="parked")
    expect(page.get_by_test_id("cab")).to_have_attribute("data-motion", "parked")
    read_code(page, "]C100340123450000000024")
    expect(page.get_by_test_id("scan-verdict")).to_have_attribute("data-verdict", "not_this_van")
    expect(page.get_by_test_id("scan-whose")).to_contain_text("This parcel is van-9")
    expect(page.get_by_test_id("make-stop")).to_have_count(0)


def test_a_moving_van_reads_no_label(page: Page, agent: Agent) -> None:
    read_code(page, "]d200340123450000000017")
    page.wait_for_timeout(200)
    expect(page.get_by_test_id("cab")).to_have_attribute("data-page", "drive")
    assert agent.taps() == []
