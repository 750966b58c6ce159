"""The coordinator as it is run: its own process, a real mosquitto, a van that speaks over the real link."""

import asyncio
import hashlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from host.loopback import claim_port, free_port
from tests.builders import MORNING
from tests.cloud.api.world import CHANGE, EPOCH, an_events_packet, captured, chunk_packets, completed, csv_of
from wire import topics
from wire.codec import decode, encode
from wire.envelope import Receipts
from wire.events import EventKind, Presence, StopArrived
from wire.manifest import Manifest
from wire.mqtt import Arrived, MqttLink

pytestmark = pytest.mark.system
CHECKOUT = Path(__file__).resolve().parents[2]
WITHIN_S = 60.0
PHOTO = os.urandom(40_000)
PHOTO_SHA256 = hashlib.sha256(PHOTO).hexdigest()
UP = {"broker": "up", "store": "ok"}


class Coordinator:
    """`python -m cloud` in a folder; ended and started again on the same ports."""

    def __init__(self, folder: Path) -> None:
        self.data_dir = folder / "data"
        self.broker_port = free_port()
        self.http_port = free_port()
        self.settings = folder / "cloud.toml"
        self.settings.write_text(
            f"""
fleet = "town"
data_dir = "data"
timezone = "Europe/Lisbon"
[clock]
origin = "{MORNING.isoformat()}"
system_origin_s = {time.time()}
[broker]
tls = false
port = {self.broker_port}
[http]
tls = false
port = {self.http_port}
[depot]
lat_deg = 41.15
lon_deg = -8.61
[[vans]]
name = "van-1"
driver = "Inês Duarte"
"""
        )
        self.process: asyncio.subprocess.Process | None = None

    async def launch(self) -> asyncio.subprocess.Process:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cloud", str(self.settings)),
            cwd=CHECKOUT,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return self.process

    async def start(self) -> None:
        await self.launch()
        await until(self.is_up)

    async def is_up(self) -> bool:
        assert self.process is not None
        assert self.process.returncode is None, (await self.process.communicate())[1].decode()
        try:
            return bool(await self.get("/api/health") == UP)
        except aiohttp.ClientError:
            return False

    async def get(self, path: str) -> Any:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"http://127.0.0.1:{self.http_port}{path}") as response,
        ):
            return await response.json() if response.content_type == "application/json" else await response.read()

    async def post(self, path: str, body: bytes = b"") -> Any:
        async with (
            aiohttp.ClientSession(headers=CHANGE) as session,
            session.post(f"http://127.0.0.1:{self.http_port}{path}", data=body) as response,
        ):
            assert response.status == 200, await response.text()
            return await response.json()

    def pid_of(self, name: str) -> int:
        return int((self.data_dir / "run" / f"{name}.pid").read_text())

    async def kill(self) -> None:
        """kill -9, by the pid it wrote."""
        assert self.process is not None
        assert self.pid_of("cloud") == self.process.pid
        os.kill(self.pid_of("cloud"), signal.SIGKILL)
        await self.process.communicate()

    async def end(self) -> tuple[int, str]:
        """SIGTERM; the exit code and what it said on stderr."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        async with asyncio.timeout(20):
            _, said = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode()


class Van:
    """A van's side of the link: keeps what it hears, and sends what it must until it is receipted."""

    def __init__(self, broker_port: int) -> None:
        presence = Presence(van="van-1", epoch=EPOCH, boot=1, is_online=True)
        self.link = MqttLink(
            host="127.0.0.1",
            port=broker_port,
            client_id="van-1",
            subscriptions=[(topic.of("town", "van-1"), 1) for topic in (topics.MANIFEST, topics.RECEIPTS)],
        )
        self.presence = encode(presence)
        self.manifests: list[Manifest] = []
        self.receipts: list[Receipts] = []

    async def live(self) -> None:
        self.link.start()
        async for event in self.link.events():
            if isinstance(event, Arrived):
                event.ack()
                if event.topic.endswith(topics.MANIFEST.name):
                    self.manifests.append(decode(Manifest, event.payload))
                else:
                    self.receipts.append(decode(Receipts, event.payload))

    def send(self, topic: topics.Topic, payload: bytes) -> None:
        self.link.publish(topic.of("town", "van-1"), payload, qos=topic.qos, retain=topic.retained)

    def is_receipted(self, seq: int) -> bool:
        return any(one.lanes["events"].contiguous_seq >= seq for one in self.receipts if "events" in one.lanes)

    def is_whole(self) -> bool:
        return any(one.blobs[PHOTO_SHA256].is_whole for one in self.receipts if PHOTO_SHA256 in one.blobs)


async def until(check: Callable[[], Any], send: Callable[[], None] = lambda: None) -> None:
    """Until it is so, saying it again every second."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            send()
            for _ in range(10):
                found = check()
                if await found if asyncio.iscoroutine(found) else found:
                    return
                await asyncio.sleep(0.1)


@pytest.fixture
async def coordinator(tmp_path: Path) -> AsyncIterator[Coordinator]:
    coordinator = Coordinator(tmp_path)
    yield coordinator
    if coordinator.process is not None and coordinator.process.returncode is None:
        coordinator.process.kill()
        await coordinator.process.communicate()


@pytest.fixture
async def van(coordinator: Coordinator) -> AsyncIterator[Van]:
    van = Van(coordinator.broker_port)
    living = asyncio.create_task(van.live())
    yield van
    await van.link.close()
    await living


async def test_a_delivery_survives_the_end_of_coordinator_and_broker_at_every_step(
    coordinator: Coordinator, van: Van
) -> None:
    await coordinator.start()
    await coordinator.post("/api/orders/import", csv_of("A,41.16,-8.60,09:00,18:00,photo,1", "B,41.14,-8.62,,,,1"))
    await coordinator.post("/api/assign")
    await until(lambda: van.manifests)
    assert sorted(stop.order_ref for stop in van.manifests[-1].stops) == ["A", "B"]
    stop_id = "20261123-A"

    # The broker dies, and loses what it had kept: it is told again.
    os.kill(coordinator.pid_of("mosquitto"), signal.SIGKILL)
    for kept in (coordinator.data_dir / "broker").glob("mosquitto.db*"):
        kept.unlink()
    heard = len(van.manifests)
    await until(lambda: len(van.manifests) > heard)

    # Half of the evidence is sent, then the coordinator is killed, and its broker with it.
    arrived = (EventKind.STOP_ARRIVED, StopArrived(stop_id=stop_id, distance_m=5))
    events = an_events_packet("van-1", 1, arrived, captured(stop_id, PHOTO))
    first, *rest = chunk_packets("van-1", PHOTO)

    def send_first() -> None:
        for packet in (events, first):
            van.send(*packet)

    await until(lambda: van.is_receipted(2), send_first)
    await coordinator.kill()
    van.receipts.clear()
    await coordinator.start()
    page = await coordinator.get(f"/api/stops/{stop_id}")
    assert page["stop"]["status"] == "arrived"

    done = an_events_packet("van-1", 3, completed(stop_id))

    def send_rest() -> None:
        for packet in (done, first, *rest):
            van.send(*packet)

    await until(lambda: van.is_receipted(3) and van.is_whole(), send_rest)
    await coordinator.kill()
    await coordinator.start()
    page = await coordinator.get(f"/api/stops/{stop_id}")
    assert (page["stop"]["status"], page["stop"]["proofs_whole"], page["received_by"]) == ("completed", 1, "Ana")
    assert [entry["kind"] for entry in page["history"]] == ["stop.arrived", "proof.captured", "stop.completed"]
    assert await coordinator.get(f"/api/blobs/{PHOTO_SHA256}") == PHOTO
    picture = await coordinator.get("/api/picture")
    assert [one["stops_done"] for one in picture["vans"]] == [1]

    code, _ = await coordinator.end()
    assert code == 0
    assert list((coordinator.data_dir / "run").iterdir()) == []


async def test_a_van_is_seen_online_and_gone(coordinator: Coordinator, van: Van) -> None:
    await coordinator.start()

    async def is_online() -> bool:
        return bool((await coordinator.get("/api/picture"))["vans"][0]["is_online"])

    await until(is_online, lambda: van.send(topics.PRESENCE, van.presence))
    offline = encode(Presence(van="van-1", epoch=EPOCH, boot=1, is_online=False))

    async def is_offline() -> bool:
        return not await is_online()

    await until(is_offline, lambda: van.send(topics.PRESENCE, offline))


@pytest.mark.parametrize("what", ["http", "broker"])
async def test_a_port_in_use_is_one_line_and_exit_2(coordinator: Coordinator, what: str) -> None:
    port = coordinator.http_port if what == "http" else coordinator.broker_port
    with claim_port("127.0.0.1", port, "the test"):
        await coordinator.launch()
        assert coordinator.process is not None
        async with asyncio.timeout(WITHIN_S):
            _, said = await coordinator.process.communicate()
    assert coordinator.process.returncode == 2
    (line,) = said.decode().splitlines()
    assert str(port) in line
    assert "in use" in line


async def test_a_second_coordinator_on_the_same_data_is_one_line_and_exit_2_and_harms_nothing(
    coordinator: Coordinator, tmp_path: Path
) -> None:
    await coordinator.start()
    broker = coordinator.pid_of("mosquitto")
    (tmp_path / "second").mkdir()
    second = Coordinator(tmp_path / "second")
    second.settings.write_text(
        second.settings.read_text().replace('data_dir = "data"', f'data_dir = "{coordinator.data_dir}"')
    )
    await second.launch()
    assert second.process is not None
    async with asyncio.timeout(WITHIN_S):
        _, said = await second.process.communicate()
    assert second.process.returncode == 2
    (line,) = said.decode().splitlines()
    assert "another program is at work in" in line
    assert coordinator.pid_of("mosquitto") == broker
    assert await coordinator.get("/api/health") == UP


async def test_a_damaged_map_pack_is_one_line_and_exit_2(coordinator: Coordinator, tmp_path: Path) -> None:
    text = coordinator.settings.read_text()
    coordinator.settings.write_text(text + f'[roads]\npack_dir = "{tmp_path / "nothing"}"\n')
    await coordinator.launch()
    assert coordinator.process is not None
    async with asyncio.timeout(WITHIN_S):
        _, said = await coordinator.process.communicate()
    assert coordinator.process.returncode == 2
    (line,) = said.decode().splitlines()
    assert "there is no map pack" in line
