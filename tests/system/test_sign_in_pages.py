"""Signing in and out in a real browser, at a real coordinator with TLS. Needs Chromium and the built console."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.system.secured import Coordinator

pytestmark = pytest.mark.system
UI = Path(__file__).resolve().parents[2] / "ui"
FLAGS = ["--headless=new", "--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
PASSWORD = "a long password"


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    """One of our own, in which nobody has an account yet."""
    if not (UI / "dist" / "console" / "index.html").exists():
        pytest.skip("the console is not built: scripts/setup --pages")
    coordinator = Coordinator(tmp_path_factory.mktemp("coordinator"))
    try:
        coordinator.start()
        yield coordinator
    finally:
        coordinator.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is missing")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


def opened(browser: Browser, url: str, **more: str) -> Page:
    """A page of somebody who went on past the warning about an authority that the browser does not know."""
    context = browser.new_context(ignore_https_errors=True, locale=more.pop("locale", "en-GB"), **more)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(url)
    return page


def violations(page: Page) -> list[str]:
    page.evaluate((UI / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(
        "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        ".filter(each => ['serious', 'critical'].includes(each.impact)).map(each => each.id)"
    )
    return found


def test_the_first_administrator_signs_in_and_out_and_a_session_that_ended_leads_to_the_sign_in(
    coordinator: Coordinator, browser: Browser
) -> None:
    page = opened(browser, coordinator.url)
    expect(page).to_have_url(f"{coordinator.url}/setup")
    token = re.findall(r"one-time token: (\S+)", coordinator.log.read_text())[0]
    page.get_by_label("Token").fill(token)
    page.get_by_label("Name").fill("ana")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_test_id("needs-you")).to_be_visible()

    page.get_by_test_id("sign-out").click()
    expect(page).to_have_url(f"{coordinator.url}/login")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill("a guess")
    page.get_by_role("button").click()
    expect(page.get_by_role("alert")).to_have_text("Name or password is wrong.")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button").click()
    expect(page.get_by_test_id("needs-you")).to_be_visible()

    page.context.clear_cookies()
    page.get_by_test_id("nav-orders").click()
    page.reload()
    expect(page).to_have_url(re.compile(r"/login(#.*)?$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("locale", ["en-GB", "de-DE"])
def test_the_sign_in_pages_are_legible_in_both_themes(
    coordinator: Coordinator, browser: Browser, scheme: str, locale: str
) -> None:
    page = opened(browser, f"{coordinator.url}/login", color_scheme=scheme, locale=locale)
    assert violations(page) == []
    assert page.evaluate("document.fonts.check(\"15px 'Encode Sans Variable'\")")
    expect(page.locator("html")).to_have_attribute("lang", locale[:2])
