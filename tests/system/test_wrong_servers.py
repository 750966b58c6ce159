"""A van that meets a server which is not its coordinator: nothing is said to it, nothing breaks, nothing is lost."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.errors import EnrolmentError
from agent.identity.badge import Badge
from agent.identity.enrol import enrol, renew
from agent.identity.tls import Credentials
from cloud.identity.certificates import Authority, key_pem, new_authority, new_key, pem_of, server_certificate
from cloud.identity.home import open_home
from host.loopback import free_port
from simulator.link import Link
from tests.agent.conftest import a_cab, begin_day, settings
from tests.builders import a_run, a_stop
from tests.system.secured import Coordinator, a_link, next_event, until
from wire.enrolment import parse_token
from wire.mqtt import Connected, Disconnected

pytestmark = pytest.mark.system
PORTAL = b"HTTP/1.1 302 Found\r\nLocation: http://portal.example/login\r\nContent-Length: 0\r\n\r\n"


class Stranger:
    """Something that answers on a port, and notes what is said to it."""

    def __init__(self) -> None:
        self.said = b""
        self.met = 0
        self.port = 0
        self._server: asyncio.Server | None = None

    async def open(self, port: int = 0, tls: ssl.SSLContext | None = None, answer: bytes = b"") -> None:
        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.met += 1
            self.said += await reader.read(2000)
            writer.write(answer)
            writer.close()

        self._server = await asyncio.start_server(meet, "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()


@pytest.fixture
async def stranger() -> AsyncIterator[Stranger]:
    stranger = Stranger()
    yield stranger
    await stranger.close()


def shows(folder: Path, authority: Authority, *names: str, made_at: datetime | None = None) -> ssl.SSLContext:
    """TLS with a certificate of that authority."""
    key = new_key()
    certificate = server_certificate(authority, key.public_key(), names, made_at or datetime.now(UTC))
    (folder / "s.pem").write_bytes(pem_of(certificate))
    (folder / "s.key").write_bytes(key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "s.pem", folder / "s.key")
    return context


def of_the_fleet(coordinator: Coordinator) -> Authority:
    return open_home(coordinator.folder / "data", "town", datetime.now(UTC)).authority


@pytest.mark.parametrize(
    ("made_after", "names", "is_spoken_to"),
    [
        (timedelta(), ("127.0.0.1",), True),
        (timedelta(days=20_000), ("127.0.0.1",), True),  # our clock is that of 1970, seen from there
        (timedelta(days=-800), ("127.0.0.1",), False),  # over, by the clock floor
        (timedelta(), ("broker.example",), False),  # of our authority, and under another name
    ],
)
async def test_nothing_is_said_to_a_server_before_it_is_known(
    coordinator: Coordinator,
    stranger: Stranger,
    tmp_path: Path,
    made_after: timedelta,
    names: tuple[str, ...],
    is_spoken_to: bool,
) -> None:
    van = coordinator.van("van-7", tmp_path)
    tls = shows(tmp_path, of_the_fleet(coordinator), *names, made_at=datetime.now(UTC) + made_after)
    await stranger.open(tls=tls)
    async with a_link(stranger.port, "van-7", van) as link:
        assert isinstance(await next_event(link), Disconnected)
    assert (b"MQTT" in stranger.said) == is_spoken_to


@pytest.mark.parametrize("kind", ["a captive portal", "a server of another authority", "our own authority's console"])
async def test_a_van_says_nothing_to_a_wrong_server_and_everything_to_the_right_one_after_it(
    coordinator: Coordinator, stranger: Stranger, tmp_path: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    coordinator.van("van-1", tmp_path)
    await begin_day(tmp_path / "van-1", a_run([a_stop(1)]))
    port = free_port()
    match kind:
        case "a captive portal":
            await stranger.open(port, answer=PORTAL)
        case "a server of another authority":
            await stranger.open(port, shows(tmp_path, new_authority("town", datetime.now(UTC)), "127.0.0.1"))
        case _:
            await stranger.open(port, shows(tmp_path, of_the_fleet(coordinator), "console.example"))
    async with a_cab(settings(tmp_path / "van-1", port, tls=True)) as cab:
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1"))[0] == 200

        async def tried() -> bool:
            return "no link to" in caplog.text

        async def nothing_waits() -> bool:
            return bool((await cab.view())["link"]["waiting"] == 0)

        await until(tried)
        await asyncio.sleep(2)  # and again
        assert not any(word in stranger.said for word in (b"MQTT", b"van-1", b"rm/1", b"tap-00001"))
        assert not await nothing_waits()

        await stranger.close()
        network = Link("127.0.0.1", coordinator.broker_port)
        await network.open(port=port)
        await until(nothing_waits)
        await network.close()
    assert not [line for line in caplog.records if line.levelno >= logging.ERROR]


async def test_a_token_and_a_renewal_are_told_to_no_wrong_server(
    coordinator: Coordinator, stranger: Stranger, tmp_path: Path
) -> None:
    token = coordinator.typed("enrol", "van-2")
    van = coordinator.van("van-7", tmp_path)
    await stranger.open(tls=shows(tmp_path, new_authority("town", datetime.now(UTC)), "127.0.0.1"), answer=PORTAL)
    url = f"https://127.0.0.1:{stranger.port}"
    van.badge.coordinator_url = url
    with pytest.raises(EnrolmentError, match=r"no coordinator|said no"):
        await asyncio.to_thread(enrol, Badge(tmp_path / "van-2"), "van-2", token, url)
    with pytest.raises(EnrolmentError, match="cannot be believed"):
        await asyncio.to_thread(renew, van, "van-7")
    assert stranger.met == 1  # asked for its authority; the other handshake it did not survive
    assert b"CERTIFICATE REQUEST" not in stranger.said
    assert parse_token(token).text().encode() not in stranger.said


async def test_a_van_whose_clock_is_that_of_1970_connects_and_learns_that_time_has_passed(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    before = coordinator.van("van-7", tmp_path)
    van = Credentials(before.badge, clock=lambda: datetime(1970, 1, 1, tzinfo=UTC))
    async with a_link(coordinator.broker_port, "van-7", van) as link:
        assert isinstance(await next_event(link), Connected)
    assert van.badge.kept_floor is not None
    assert van.badge.kept_floor.year >= 2026
