"""Makes the README's pictures: the real pages of a running simulation, photographed by a real browser."""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
PORT = 8160
CONSOLE = f"http://127.0.0.1:{PORT}"
CAB = f"http://127.0.0.1:{PORT + 1}"
CHROMIUM_FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-quic",
]


def ask(url: str) -> Any:
    """JSON from one of our servers; None while it does not answer."""
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - our own loopback servers
            return json.load(answer)
    except OSError:
        return None


def wait_for(url: str, is_so: Any, within_s: float) -> Any:
    """The first answer of which `is_so` is true. Raises TimeoutError."""
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        answer = ask(url)
        if answer is not None and is_so(answer):
            return answer
        time.sleep(0.3)
    raise TimeoutError(f"{url} did not come to the state the picture needs")


def opened(browser: Browser, url: str, width: int, height: int, scheme: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": height},
        has_touch=True,
        locale="en-GB",
        timezone_id="Europe/Lisbon",
        color_scheme="dark" if scheme == "night" else "light",
    )
    page = context.new_page()
    page.goto(url)
    return page


def shoot(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / f"{name}.png")
    print(f"  docs/pictures/{name}.png", flush=True)


def take(browser: Browser) -> None:
    """All pictures, each when the run shows what it is about."""
    wait_for(f"{CAB}/api/view", lambda view: view["done"] >= 2, within_s=120)
    cab = opened(browser, CAB, 1024, 600, "day")
    cab.wait_for_selector('[data-ready="true"]', timeout=30_000)
    wait_for(f"{CAB}/api/view", lambda view: view["motion"] == "moving" and not view["is_within_reach"], within_s=60)
    time.sleep(0.6)
    shoot(cab, "cab-drive")
    wait_for(
        f"{CAB}/api/view",
        lambda view: any(stop["phase"] == "arrived" and not stop["is_ready_to_close"] for stop in view["stops"]),
        within_s=90,
    )
    cab.get_by_test_id("open-stop").click()
    cab.wait_for_selector('[data-testid="problem"]', timeout=10_000)
    shoot(cab, "cab-stop")

    console = opened(browser, CONSOLE, 1440, 900, "day")
    console.wait_for_selector('[data-ready="true"]', timeout=30_000)
    console.get_by_test_id("van-row-van-2").click()
    time.sleep(1.5)
    shoot(console, "console-live")
    picture = wait_for(
        f"{CONSOLE}/api/picture",
        lambda found: any(stop["proofs"] == stop["proofs_whole"] >= 2 for stop in found["stops"]),
        within_s=60,
    )
    proved = next(stop for stop in picture["stops"] if stop["proofs"] == stop["proofs_whole"] >= 2)
    console.goto(f"{CONSOLE}/#/stops/{proved['stop_id']}")
    console.wait_for_selector('[data-testid="proof-photo"]', timeout=20_000)
    console.wait_for_selector('[data-ready="true"]', timeout=30_000)
    time.sleep(1.0)
    shoot(console, "console-stop")


def main() -> int:
    PICTURES.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "simulator",
        "--plain-console",
        "--scenario",
        "an_ordinary_morning",
        "--seed",
        "4",
        "--port",
        str(PORT),
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as run:
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM_FLAGS)
                take(browser)
                browser.close()
        finally:
            run.terminate()
    return 0


if __name__ == "__main__":
    sys.exit(main())
