"""Who may ask what of the console: every route, with and without a session."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from aiohttp import ClientResponse, FormData
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request
from yarl import URL

from cloud.api import fleet
from cloud.api.access import COOKIE, POLICY, Who
from cloud.api.server import make_app
from cloud.fleet.view import Ending, EndingKind
from cloud.identity import office
from cloud.identity.desk import Desk
from cloud.identity.home import open_home
from cloud.identity.register import open_register
from cloud.live import LiveFleet
from tests.cloud.api.world import CHANGE, a_world

PASSWORD = "a long password"


class Clock:
    """The machine's time, moved on by hand."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at


class Console:
    """A console with its locks on, and a browser before it. Plain HTTP carries it; the session is put in by hand."""

    def __init__(self, client: TestClient[Request, Application], desk: Desk, clock: Clock, live: LiveFleet) -> None:
        self.client = client
        self.desk = desk
        self.clock = clock
        self.live = live

    @property
    def origin(self) -> str:
        return f"https://{self.client.host}:{self.client.port}"

    async def send(self, form_path: str, origin: str | None = "", **fields: str) -> ClientResponse:
        headers = {} if origin is None else {"Origin": origin or self.origin}
        return await self.client.post(form_path, data=FormData(fields), headers=headers, allow_redirects=False)

    async def session(self) -> dict[str, str]:
        """The header by which a browser that signed in is known."""
        await self.set_up()
        answer = await self.send("/login", name="ana", password=PASSWORD)
        return {"Cookie": f"{COOKIE}={SimpleCookie(answer.headers['Set-Cookie'])[COOKIE].value}"}

    async def set_up(self) -> None:
        token = await self.desk.first_setup()
        if token is not None:
            assert (await self.send("/setup", token=token, name="ana", password=PASSWORD)).status == 303


@pytest.fixture
async def console(tmp_path: Path) -> AsyncIterator[Console]:
    async with a_console(tmp_path) as console:
        yield console


@asynccontextmanager
async def a_console(tmp_path: Path) -> AsyncIterator[Console]:
    home = open_home(tmp_path, "town", datetime.now(UTC))
    clock = Clock()
    desk = Desk(home, open_register(home.register_path), clock)
    async with a_world(tmp_path) as world:
        app = make_app(replace(world.parts, desk=desk, is_secured=True, hosts=frozenset({"depot.example"})))
        async with TestClient(TestServer(app, host="127.0.0.1")) as client:
            yield Console(client, desk, clock, world.parts.live)
    desk.close()


def routes(console: Console) -> list[tuple[str, str]]:
    found = console.client.app.router.routes()
    return [(route.method, route.resource.canonical) for route in found if route.resource and route.method != "HEAD"]


async def test_every_route_has_a_rule_and_every_rule_a_route(console: Console) -> None:
    assert set(routes(console)) == set(POLICY)


async def test_without_a_session_nothing_is_told_and_nothing_is_done(console: Console) -> None:
    for method, path in routes(console):
        filled = path.replace("{", "").replace("}", "").replace("z/x/y", "1/2/3")
        answer = await console.client.request(method, filled, headers=CHANGE, allow_redirects=False)
        match POLICY[method, path]:
            case Who.PERSON if filled.startswith(("/api/", "/tiles/")):
                assert answer.status == 401, path
                assert (await answer.json())["problem"] == "not_signed_in"
            case Who.PERSON:
                assert (answer.status, answer.headers["Location"]) == (303, "/login"), path
            case Who.VAN:
                assert answer.status == 403, path
            case Who.ANYONE:
                assert answer.status != 401, path
                assert answer.headers.get("Location") != "/login" or path == "/logout", path


async def test_a_session_opens_what_is_for_people_and_nothing_that_is_for_vans(console: Console) -> None:
    session = await console.session()
    assert (await console.client.get("/api/picture", headers=session)).status == 200
    assert (await console.client.post("/api/renew", headers={**session, **CHANGE})).status == 403


async def test_the_session_is_a_cookie_that_scripts_and_other_sites_do_not_get(console: Console) -> None:
    await console.set_up()
    answer = await console.send("/login", name="ana", password=PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (303, "/")
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert cookie["domain"] == ""
    assert len(cookie.value) >= 43
    kept = (console.desk.home.register_path).read_bytes()
    assert cookie.value.encode() not in kept


async def test_a_session_ends_when_its_person_signs_out_and_when_its_time_is_over(console: Console) -> None:
    session = await console.session()
    later = await console.session()
    await console.client.post("/logout", headers={**session, "Origin": console.origin}, allow_redirects=False)
    assert (await console.client.get("/api/picture", headers=session)).status == 401
    assert (await console.client.get("/api/picture", headers=later)).status == 200
    console.clock.at += timedelta(hours=12)
    assert (await console.client.get("/api/picture", headers=later)).status == 401


async def test_what_is_about_to_end_is_in_the_picture_and_told_at_once(console: Console) -> None:
    session = await console.session()
    ending = Ending(kind=EndingKind.VAN_CERTIFICATE, van="van-1", ends_on=date(2026, 11, 29), days_left=5)
    async with console.client.get("/api/events", headers=session) as stream:
        assert (await stream.content.readline()) == b"event: picture\n"
        console.live.endings_are((ending,))
        told = b""
        while b"event: endings" not in told:
            told = await stream.content.readline()
        assert Ending.model_validate(json.loads((await stream.content.readline()).removeprefix(b"data: "))[0]) == ending
        console.live.end()
    picture = await (await console.client.get("/api/picture", headers=session)).json()
    assert [each["van"] for each in picture["endings"]] == ["van-1"]


async def test_a_stream_ends_with_its_session(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet, "COMMENT_EVERY_S", 0.05)
    session = await console.session()
    async with console.client.get("/api/events", headers=session) as stream:
        assert (await stream.content.readline()).startswith(b"event: picture")
        console.clock.at += timedelta(hours=12)
        await stream.content.read()  # to its end
    assert (await console.client.get("/api/events", headers=session)).status == 401


async def test_the_first_administrator_needs_the_printed_token_and_there_is_one_first(console: Console) -> None:
    token = await console.desk.first_setup()
    assert token is not None
    assert (await console.send("/setup", token="guess", name="eve", password=PASSWORD)).status == 403
    assert (await console.send("/setup", token=token, name="ana", password="short")).status == 403
    assert (await console.send("/setup", token=token, name="ana", password=PASSWORD)).status == 303
    assert (await console.send("/setup", token=token, name="eve", password=PASSWORD)).status == 403
    assert await console.desk.first_setup() is None
    assert (await console.client.get("/setup", allow_redirects=False)).headers["Location"] == "/login"


async def test_guessing_a_password_is_held_back_and_written_down(console: Console) -> None:
    await console.set_up()
    statuses = [(await console.send("/login", name="ana", password=f"guess {n}")).status for n in range(20)]
    assert statuses[:10] == [403] * 10
    assert statuses[10:] == [429] * 10
    assert (await console.send("/login", name="ana", password=PASSWORD)).status == 429
    with closing(open_register(console.desk.home.register_path)) as book, book.transaction() as conn:
        assert conn.execute("SELECT count(*) FROM audit WHERE did = 'sign-in refused'").fetchone() == (10,)


async def test_guessing_a_token_is_held_back(console: Console) -> None:
    asked = {"token": "van-1.AAAAAAAAAAAAAAAAAAAAAA." + "A" * 43, "csr_pem": "nonsense"}
    statuses = [(await console.client.post("/api/enrol", json=asked, headers=CHANGE)).status for _ in range(20)]
    assert statuses == [403] * 10 + [429] * 10


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://127.0.0.1:1"])
async def test_a_form_of_another_site_is_refused(console: Console, origin: str | None) -> None:
    await console.set_up()
    assert (await console.send("/login", origin=origin, name="ana", password=PASSWORD)).status == 403


async def test_a_change_from_another_site_is_refused_even_with_a_session(console: Console) -> None:
    session = await console.session()
    for headers in ({}, {"Origin": "https://evil.example", **CHANGE}, {"Origin": console.origin}):
        assert (await console.client.post("/api/assign", headers={**session, **headers})).status == 403
    ours = {**session, **CHANGE, "Origin": console.origin}
    assert (await console.client.post("/api/assign", headers=ours)).status == 200


@pytest.mark.parametrize(
    ("host", "status"), [("depot.example", 200), ("evil.example", 403), ("depot.example.evil", 403)]
)
async def test_the_console_answers_to_its_own_names_only(console: Console, host: str, status: int) -> None:
    assert (await console.client.get("/api/health", headers={"Host": host})).status == status


async def test_the_pages_before_signing_in_run_no_script_and_say_nothing_back_unescaped(console: Console) -> None:
    answer = await console.client.get("/setup")
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "<script" not in await answer.text()
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "language", "word"),
    [
        ("pt-PT,pt;q=0.9,en;q=0.8", "pt", "Código"),
        ("ja,de;q=0.5", "de", "Einmalcode"),
        ("*", "en", "Token"),
    ],
)
async def test_the_pages_before_signing_in_speak_the_browsers_language(
    console: Console, accepted: str, language: str, word: str
) -> None:
    page = await (await console.client.get("/setup", headers={"Accept-Language": accepted})).text()
    assert f'<html lang="{language}">' in page
    assert word in page


async def test_the_built_files_are_for_anyone_and_the_page_itself_is_not(console: Console, tmp_path: Path) -> None:
    assets = tmp_path / "pages" / "console" / "assets"
    assets.mkdir(parents=True)
    (assets / "index.js").write_text("built")
    (tmp_path / "pages" / "console" / "index.html").write_text("page")
    (tmp_path / "pages" / "hidden").write_text("not for you")
    assert await (await console.client.get("/assets/index.js")).text() == "built"
    assert (await console.client.get("/index.html", allow_redirects=False)).status == 303
    for path in ("/assets/..%2f..%2fhidden", "/assets/..%2findex.html", "/assets/%00", "/assets/"):
        answer = await console.client.get(URL(path, encoded=True), allow_redirects=False)
        assert answer.status in (303, 404), path
        assert "not for you" not in await answer.text()


async def test_signing_in_takes_as_long_for_a_name_that_nobody_has() -> None:
    assert not office.is_right(PASSWORD, None)
