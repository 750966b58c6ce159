"""The order of the lanes, measured on a slow link; and a link that goes silent with every socket left open."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

import agent.courier as courier
from agent.link.backoff import Backoff
from agent.store.blobs import NewBlob
from agent.store.store import Step, Store
from tests.agent.conftest import StartCab, begin_day
from tests.agent.test_link import all_receipted, reading, until
from tests.builders import a_run
from tests.conftest import Mosquitto
from wire.manifest import EvidenceKind

pytestmark = pytest.mark.system
KBIT_S = 256
PHOTO = Random(1).randbytes(300_000)


class SlowLink:
    """A relay to the broker with a bottleneck upwards, and the delay of a mobile network each way. `hole`: it takes
    everything and passes nothing on, for the connections there are.
    """

    def __init__(self, broker_port: int, kbit_s: float, delay_s: float = 0.03) -> None:
        self._broker_port = broker_port
        self._bytes_s = kbit_s * 125
        self._delay_s = delay_s
        self._holes: list[asyncio.Event] = []
        self._carrying: set[asyncio.Task[None] | None] = set()
        self.connections = 0
        self.port = 0

    def hole(self) -> None:
        for hole in self._holes:
            hole.set()

    async def _carry(self, van_in: asyncio.StreamReader, van_out: asyncio.StreamWriter) -> None:
        hole = asyncio.Event()
        self._holes.append(hole)
        self._carrying.add(asyncio.current_task())
        self.connections += 1
        broker_in, broker_out = await asyncio.open_connection("127.0.0.1", self._broker_port)
        with contextlib.suppress(OSError):
            try:
                await asyncio.gather(
                    self._pump(van_in, broker_out, hole, self._bytes_s), self._pump(broker_in, van_out, hole, 1e7)
                )
            finally:
                for out in (broker_out, van_out):
                    out.close()
                    with contextlib.suppress(OSError):
                        await out.wait_closed()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, hole: asyncio.Event, bytes_s: float
    ) -> None:
        loop = asyncio.get_running_loop()
        free_s = 0.0
        while data := await source.read(1024):
            free_s = max(free_s, loop.time()) + len(data) / bytes_s  # one byte after the other, as on the air
            await asyncio.sleep(free_s - loop.time())
            if not hole.is_set():
                loop.call_later(self._delay_s, sink.write, data)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["SlowLink"]:
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=2048)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            left = [task for task in self._carrying if task is not None and not task.done()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)


async def take_photo(folder: Path) -> None:
    digest = sha256(PHOTO).hexdigest()
    store = await Store.open(folder)
    run = await store.load_run()
    await store.save(Step(at_ms=1, run=run, blob=NewBlob(digest, EvidenceKind.PHOTO, "image/jpeg", PHOTO)))
    await store.close()


async def test_a_stop_event_waits_less_than_half_a_second_behind_a_photo_at_256_kbit_a_second(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    await begin_day(tmp_path / "van", a_run(12))
    await take_photo(tmp_path / "van")
    waits_s = []
    async with (
        reading(mosquitto.port) as notebook,
        SlowLink(mosquitto.port, KBIT_S).open() as link,
        start_cab(tmp_path / "van", link.port) as cab,
    ):
        await until(lambda: notebook.order.count("up/blobs") > 3)
        for number in range(1, 11):
            before, said = notebook.order.count("up/blobs"), len(notebook.events)
            assert (await cab.tap(kind="arrived", tap_id=f"tap-{number:05}", stop_id=f"s{number}"))[0] == 200
            tapped_s = time.monotonic()
            await until(lambda said=said: len(notebook.events) > said)  # type: ignore[misc]
            waits_s.append(time.monotonic() - tapped_s)
            await asyncio.sleep(0.21)
            assert sum(map(len, notebook.blobs[sha256(PHOTO).hexdigest()].values())) < len(PHOTO)  # still under way
            assert notebook.order.count("up/blobs") >= before
    print(f"waits behind a photo: {[round(wait_s, 2) for wait_s in waits_s]} s")
    assert max(waits_s) < 0.5


async def test_the_photo_itself_loses_little_by_giving_way(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    await begin_day(tmp_path / "van", a_run(2))
    await take_photo(tmp_path / "van")
    async with (
        reading(mosquitto.port) as notebook,
        SlowLink(mosquitto.port, KBIT_S).open() as link,
        start_cab(tmp_path / "van", link.port),
    ):
        began_s = time.monotonic()
        await until(lambda: notebook.blob(sha256(PHOTO).hexdigest()) == PHOTO, 25)
        took_s = time.monotonic() - began_s
    alone_s = len(PHOTO) / (KBIT_S * 125)
    print(f"300 kB at 256 kbit/s: {took_s:.1f} s, alone it would be {alone_s:.1f} s")
    assert took_s < 2 * alone_s  # 1.3 on a quiet machine


async def test_a_link_that_swallows_everything_is_left_and_made_anew(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "STUCK", Backoff(first_s=3.0, longest_s=12.0))  # 20 s in life
    await begin_day(tmp_path / "van", a_run(2))
    async with (
        reading(mosquitto.port) as notebook,
        SlowLink(mosquitto.port, 10_000).open() as link,
        start_cab(tmp_path / "van", link.port) as cab,
    ):
        await until(lambda: bool(notebook.presence))
        link.hole()
        assert (await cab.tap(kind="arrived", tap_id="tap-00001", stop_id="s1"))[0] == 200
        silent_s = time.monotonic()
        await asyncio.sleep(1.2)
        age_s = (await cab.view())["link"]["oldest_waiting_s"]
        assert age_s is not None
        await all_receipted(cab)
        assert 1.4 < time.monotonic() - silent_s < 12
        assert link.connections == 2
        assert (await cab.view())["link"]["oldest_waiting_s"] is None


async def test_a_photo_that_spoiled_on_the_card_is_told_of_and_keeps_nothing_back(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    van = tmp_path / "van"
    await begin_day(van, a_run(1))
    photos = [Random(number).randbytes(30_000) for number in range(2)]
    store = await Store.open(van)
    for place, data in enumerate(photos):
        blob = NewBlob(sha256(data).hexdigest(), EvidenceKind.PHOTO, "image/jpeg", data)
        await store.save(Step(at_ms=place, run=a_run(1), blob=blob))
    await store.close()
    first, second = (sha256(data).hexdigest() for data in photos)
    with contextlib.closing(sqlite3.connect(van / "van.sqlite")) as card:
        card.execute("UPDATE blob_bytes SET bytes = ? WHERE sha256 = ?", (photos[0][:-1] + b"!", first))
        card.commit()
    async with reading(mosquitto.port) as notebook, start_cab(van, mosquitto.port):
        await until(lambda: notebook.blob(second) == photos[1])
        await until(lambda: any(record.kind == "alarm.raised" for record in notebook.events.values()))
        assert notebook.blob(first) == b""
