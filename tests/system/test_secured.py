"""The link and the console, secured: a real coordinator, a real mosquitto, the van's own code on the other side."""

import asyncio
import os
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from agent.errors import EnrolmentError
from agent.identity.badge import Badge
from agent.identity.enrol import enrol, renew
from agent.identity.tls import Credentials, pinned
from cloud.identity.certificates import client_certificate, key_pem, new_authority, new_key, pem_of, server_certificate
from cloud.identity.home import open_home
from host.loopback import free_port
from wire import topics
from wire.enrolment import new_token, parse_token
from wire.mqtt import Connected, Disconnected, LinkEvent, MqttLink, Secure

pytestmark = pytest.mark.system
CHECKOUT = Path(__file__).resolve().parents[2]
WITHIN_S = 30.0
EVERYTHING = "rm/1/#"


class Coordinator:
    """`python -m cloud` with every lock on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker_port, self.http_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.http_port}"
        self.settings = folder / "cloud.toml"
        self.settings.write_text(
            f'fleet = "town"\ndata_dir = "{folder}/data"\n[broker]\nport = {self.broker_port}\n'
            f"[http]\nport = {self.http_port}\n[depot]\nlat_deg = 41.15\nlon_deg = -8.61\n"
            + "".join(f'[[vans]]\nname = "van-{n}"\ndriver = "Ana"\n' for n in range(1, 9))
        )
        self.log = folder / "cloud.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cloud", str(self.settings)], cwd=CHECKOUT, stdout=log, stderr=log
            )
        give_up_s = time.monotonic() + WITHIN_S
        while "link to" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < give_up_s, self.log.read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(20)

    def typed(self, *words: str) -> str:
        """What a command of the coordinator's terminal prints."""
        command, *rest = words
        return subprocess.run(
            [sys.executable, "-m", "cloud", command, str(self.settings), *rest],
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
        ).stdout.strip()

    @property
    def broker_pid(self) -> int:
        return int((self.folder / "data" / "run" / "mosquitto.pid").read_text())

    def van(self, name: str, folder: Path) -> Credentials:
        """A van that was enrolled, as it is done by hand."""
        badge = Badge(folder / name)
        enrol(badge, name, self.typed("enrol", name), self.url)
        return Credentials(badge)


@pytest.fixture(scope="module")
def coordinator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coordinator]:
    coordinator = Coordinator(tmp_path_factory.mktemp("coordinator"))
    try:
        coordinator.start()
        yield coordinator
    finally:
        coordinator.stop()


@asynccontextmanager
async def a_link(port: int, van: str, credentials: Credentials | None, *filters: str) -> AsyncIterator[MqttLink]:
    link = MqttLink(
        host="127.0.0.1",
        port=port,
        client_id=van,
        subscriptions=[(topic, 1) for topic in filters],
        secure=credentials.secure if credentials else None,
    )
    link.start()
    try:
        yield link
    finally:
        await link.close()


async def next_event(link: MqttLink, within_s: float = WITHIN_S) -> LinkEvent:
    async with asyncio.timeout(within_s):
        async for event in link.events():
            return event
    raise AssertionError("the link was closed")


async def nothing_arrives(link: MqttLink, for_s: float = 1.5) -> bool:
    try:
        await next_event(link, for_s)
    except TimeoutError:
        return True
    return False


# The broker ----------------------------------------------------------------------------------------------------------


async def test_nobody_speaks_to_the_broker_without_tls_or_without_a_certificate(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    async with a_link(coordinator.broker_port, "van-1", None) as link:
        assert isinstance(await next_event(link), Disconnected)

    authority = (coordinator.folder / "data" / "authority" / "authority.pem").read_text()
    nameless = MqttLink(
        host="127.0.0.1",
        port=coordinator.broker_port,
        client_id="van-1",
        secure=lambda: Secure(pinned(authority)),
    )
    nameless.start()
    assert isinstance(await next_event(nameless), Disconnected)
    await nameless.close()


async def test_a_certificate_of_another_authority_is_refused(coordinator: Coordinator, tmp_path: Path) -> None:
    ours = (coordinator.folder / "data" / "authority" / "authority.pem").read_text()
    stranger, key = new_authority("town", datetime.now(UTC)), new_key()
    certificate = client_certificate(stranger, "van-1", key.public_key(), datetime.now(UTC))
    (tmp_path / "c.pem").write_bytes(pem_of(certificate))
    (tmp_path / "c.key").write_bytes(key_pem(key))
    context = pinned(ours)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "c.key")

    link = MqttLink(host="127.0.0.1", port=coordinator.broker_port, client_id="van-1", secure=lambda: Secure(context))
    link.start()
    assert isinstance(await next_event(link), Disconnected)
    await link.close()


async def test_old_tls_is_refused_by_broker_and_console(coordinator: Coordinator) -> None:
    for port in (coordinator.broker_port, coordinator.http_port):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.minimum_version = ssl.TLSVersion.TLSv1
        with pytest.warns(DeprecationWarning, match="deprecated"):
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", port, ssl=context)


async def test_a_van_writes_and_reads_its_own_topics_and_no_other_vans(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    one, two = coordinator.van("van-1", tmp_path), coordinator.van("van-2", tmp_path)
    other = topics.RECEIPTS.of("town", "van-2")
    async with (
        a_link(coordinator.broker_port, "van-1", one, topics.PRESENCE.of("town", "van-1"), EVERYTHING) as first,
        a_link(coordinator.broker_port, "van-2", two, other) as second,
    ):
        assert isinstance(await next_event(first), Connected)
        assert isinstance(await next_event(second), Connected)
        # Into the other's mailbox, in the coordinator's voice; and as the other van.
        assert first.publish(other, b"forged", qos=1)
        assert first.publish(topics.EVENTS.of("town", "van-2"), b"forged", qos=1)
        # Whatever it listens to, it hears only what is for it: van-2's own words do not reach van-1.
        assert second.publish(topics.PRESENCE.of("town", "van-2"), b"{}", qos=1, retain=True)
        assert await nothing_arrives(second)
        assert await nothing_arrives(first)


async def test_the_name_a_client_gives_itself_does_not_count(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-3", tmp_path)
    async with a_link(coordinator.broker_port, "van-4", van, topics.RECEIPTS.of("town", "van-4")) as link:
        assert isinstance(await next_event(link), Connected)
        assert link.publish(topics.EVENTS.of("town", "van-4"), b"forged", qos=1)
        assert await nothing_arrives(link)


async def test_a_second_device_with_the_same_certificate_throws_the_first_out(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    van = coordinator.van("van-3", tmp_path)
    async with a_link(coordinator.broker_port, "van-3", van) as first:
        assert isinstance(await next_event(first), Connected)
        async with a_link(coordinator.broker_port, "another-name", van) as clone:
            assert isinstance(await next_event(clone), Connected)
            assert isinstance(await next_event(first), Disconnected)


async def test_a_revoked_van_loses_its_live_session_within_a_minute_and_does_not_come_back(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    bad, good = coordinator.van("van-5", tmp_path), coordinator.van("van-6", tmp_path)
    async with (
        a_link(coordinator.broker_port, "van-5", bad) as ended,
        a_link(coordinator.broker_port, "van-6", good) as other,
    ):
        assert isinstance(await next_event(ended), Connected)
        assert isinstance(await next_event(other), Connected)
        pid = coordinator.broker_pid

        coordinator.typed("revoke", "van-5")
        began_s = time.monotonic()

        assert isinstance(await next_event(ended, 60), Disconnected)
        ended_after_s = time.monotonic() - began_s
        assert isinstance(await next_event(other, 60), Disconnected)
        gone_s = time.monotonic()
        assert isinstance(await next_event(other), Connected)
        away_s = time.monotonic() - gone_s
        assert coordinator.broker_pid != pid
        assert await nothing_arrives(ended, 5)
        print(f"revoked: session ended after {ended_after_s:.1f} s; another van was away for {away_s:.2f} s")
    with pytest.raises(EnrolmentError, match="revoked"):
        renew(bad, "van-5")


# The van's side ------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def a_tls_server(folder: Path, data_dir: Path, made_at: datetime, *names: str) -> AsyncIterator[int]:
    """Something that answers TLS with a certificate of the fleet's authority, and notes what is said to it."""
    home = open_home(data_dir, "town", datetime.now(UTC))
    key = new_key()
    (folder / "s.pem").write_bytes(pem_of(server_certificate(home.authority, key.public_key(), names, made_at)))
    (folder / "s.key").write_bytes(key_pem(key))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "s.pem", folder / "s.key")

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        (folder / "said").write_bytes(await reader.read(100))
        writer.close()

    server = await asyncio.start_server(note, "127.0.0.1", 0, ssl=context)
    yield server.sockets[0].getsockname()[1]
    server.close()


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
    coordinator: Coordinator, tmp_path: Path, made_after: timedelta, names: tuple[str, ...], is_spoken_to: bool
) -> None:
    van = coordinator.van("van-7", tmp_path)
    data_dir, made_at = coordinator.folder / "data", datetime.now(UTC) + made_after
    async with (
        a_tls_server(tmp_path, data_dir, made_at, *names) as port,
        a_link(port, "van-7", van) as link,
    ):
        assert isinstance(await next_event(link), Disconnected)
    said = (tmp_path / "said").read_bytes() if (tmp_path / "said").exists() else b""
    assert (b"MQTT" in said) == is_spoken_to


async def test_a_van_whose_clock_is_that_of_1970_connects_and_learns_that_time_has_passed(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    before = coordinator.van("van-7", tmp_path)
    van = Credentials(before.badge, clock=lambda: datetime(1970, 1, 1, tzinfo=UTC))
    async with a_link(coordinator.broker_port, "van-7", van) as link:
        assert isinstance(await next_event(link), Connected)
    assert van.badge.kept_floor is not None
    assert van.badge.kept_floor.year >= 2026


# Enrolment -----------------------------------------------------------------------------------------------------------


def test_the_two_commands_enrol_a_van(coordinator: Coordinator, tmp_path: Path) -> None:
    settings = tmp_path / "VAN.toml"
    settings.write_text(f'van = "van-8"\nfleet = "town"\ndata_dir = "{tmp_path}/van"\n')
    token = coordinator.typed("enrol", "van-8")
    done = subprocess.run(
        [sys.executable, "-m", "agent", "enrol", str(settings), token, coordinator.url],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=True,
        timeout=WITHIN_S,
    )
    assert done.stdout.startswith("van-8: enrolled")
    files = [tmp_path / "van" / "identity" / name for name in ("device.key", "badge.pem")]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert (
        parse_token(token).secret_sha256.encode()
        in (coordinator.folder / "data" / "authority" / "identity.db").read_bytes()
    )


def test_a_token_is_good_for_one_device_and_again_for_the_same(coordinator: Coordinator, tmp_path: Path) -> None:
    token = coordinator.typed("enrol", "van-8")
    enrol(Badge(tmp_path / "a"), "van-8", token, coordinator.url)
    enrol(Badge(tmp_path / "a"), "van-8", token, coordinator.url)  # the answer was lost
    with pytest.raises(EnrolmentError, match="not good"):
        enrol(Badge(tmp_path / "b"), "van-8", token, coordinator.url)  # somebody read it over a shoulder
    assert not Badge(tmp_path / "b").path.exists()


def test_a_token_is_told_to_no_coordinator_but_its_own(coordinator: Coordinator, tmp_path: Path) -> None:
    token = new_token("van-8", os.urandom(32))
    with pytest.raises(EnrolmentError, match="Nothing was sent"):
        enrol(Badge(tmp_path), "van-8", token.text(), coordinator.url)


def test_the_certificate_is_renewed_over_mtls(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-8", tmp_path)
    before, key = van.badge.path.read_bytes(), van.badge.key_path.read_bytes()
    assert not van.is_renewal_due()
    assert Credentials(van.badge, clock=lambda: datetime.now(UTC) + timedelta(days=20)).is_renewal_due()

    renew(van, "van-8")

    assert van.badge.path.read_bytes() != before
    assert van.badge.key_path.read_bytes() == key


# The console ---------------------------------------------------------------------------------------------------------


async def test_the_console_is_https_of_the_same_authority_and_asks_who_is_there(coordinator: Coordinator) -> None:
    trusted = pinned((coordinator.folder / "data" / "authority" / "authority.pem").read_text())
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusted)) as browser:
        async with browser.get(f"{coordinator.url}/api/picture") as answer:
            assert answer.status == 401
        async with browser.get(f"{coordinator.url}/api/renew") as answer:
            assert answer.status == 401
        async with browser.post(f"{coordinator.url}/api/renew", headers={"X-Roundsman": "1"}) as answer:
            assert answer.status == 403
        async with browser.get(f"{coordinator.url}/", allow_redirects=False) as answer:
            assert (answer.status, answer.headers["Location"]) == (303, "/login")


async def test_secrets_are_in_no_log(coordinator: Coordinator) -> None:
    token = parse_token(coordinator.typed("enrol", "van-8"))
    logs = b"".join(path.read_bytes() for path in (coordinator.folder / "data" / "log").iterdir())
    logs += coordinator.log.read_bytes()
    assert token.text().encode() not in logs
    assert b"PRIVATE KEY" not in logs
    kept = coordinator.folder / "data" / "authority"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept.iterdir())


async def test_a_broker_that_is_killed_comes_back_with_its_locks_on(coordinator: Coordinator, tmp_path: Path) -> None:
    van = coordinator.van("van-7", tmp_path)
    os.kill(coordinator.broker_pid, signal.SIGKILL)
    async with a_link(coordinator.broker_port, "van-7", van) as link:
        event = await next_event(link)
        while not isinstance(event, Connected):
            event = await next_event(link)
    async with a_link(coordinator.broker_port, "van-7", None) as link:
        assert isinstance(await next_event(link), Disconnected)
