"""Old copies put back, with real programs and kill -9: a coordinator from yesterday's backup, a van from an old image,
both at once. Everything comes together again, and nothing counts twice.
"""

import asyncio
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from host.loopback import free_port
from tests.agent.conftest import Cab
from tests.agent.pictures import a_photo
from tests.builders import MORNING, a_command
from tests.cloud.api.world import csv_of
from tests.system.test_cloud import CHECKOUT, Coordinator, until
from wire import topics
from wire.codec import encode
from wire.mqtt import MqttLink

pytestmark = pytest.mark.system
DAY = "20261123"


class Unit:
    """`python -m agent` in a folder, ended and started again; its data can be copied and put back."""

    def __init__(self, folder: Path, broker_port: int, van: str = "van-1") -> None:
        self.van = van
        self.data_dir = folder / ("van" if van == "van-1" else van)
        self.settings = folder / ("VAN.toml" if van == "van-1" else f"{van}.toml")
        self.settings.write_text(
            f'van = "{van}"\nfleet = "town"\ndata_dir = "{self.data_dir}"\n'
            f'[clock]\norigin = "{MORNING.isoformat()}"\nsystem_origin_s = {time.time()}\n'
            f"[gpsd]\nport = {free_port()}\n[broker]\ntls = false\nport = {broker_port}\n[screen]\nport = 0\n"
        )
        self.cab = Cab("", aiohttp.ClientSession())
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agent", str(self.settings), cwd=CHECKOUT, stdout=PIPE, stderr=DEVNULL
        )
        assert self.process.stdout is not None
        line = (await self.process.stdout.readline()).decode().strip()
        assert line.startswith(f"{self.van}: cab page on "), line
        self.cab.url = line.rpartition(" ")[2]

    async def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            os.kill(self.process.pid, how)
        await self.process.communicate()

    def image(self, name: str) -> Path:
        """A copy of all its data, as a technician makes it of a card; the unit is off."""
        copy = self.data_dir.with_name(name)
        shutil.copytree(self.data_dir, copy)
        return copy

    def put_back(self, image: Path, *, with_counter: bool) -> None:
        """The whole card, or all of it but the boot counter, which is where the image does not reach."""
        counter = (self.data_dir / "boot").read_text()
        shutil.rmtree(self.data_dir)
        shutil.copytree(image, self.data_dir)
        if not with_counter:
            (self.data_dir / "boot").write_text(counter)

    async def deliver(self, *orders: str) -> None:
        """With a photo each; a photo is named by its order, so that it is known again."""
        for order in orders:
            stop_id = f"{DAY}-{order}"
            photo = a_photo(640, 480 + sum(order.encode()))
            tap = f"{order}-{time.time_ns()}"
            assert (await self.cab.evidence(stop_id, photo, kind="photo", tap_id=f"photo-{tap}"))[0] == 200
            status, answer = await self.cab.tap(kind="delivered", tap_id=f"tap-{tap}", stop_id=stop_id)
            assert status == 200, answer

    async def phases(self) -> dict[str, str]:
        return {stop["order_ref"]: stop["phase"] for stop in (await self.cab.view())["stops"]}

    async def has(self, *orders: str) -> None:
        async def is_listed() -> bool:
            return set(orders) <= set(await self.phases())

        await until(is_listed)

    async def all_receipted(self) -> None:
        async def is_empty() -> bool:
            link = (await self.cab.view())["link"]
            return bool(link["is_online"]) and link["waiting"] == 0

        await until(is_empty)


class Town:
    """One coordinator, one van, and what the coordinator's database holds."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.coordinator = Coordinator(folder)
        self.van = Unit(folder, self.coordinator.broker_port)

    async def begins(self, *orders: str) -> None:
        await self.coordinator.start()
        await self.orders(*orders)
        await self.van.start()
        await self.van.has(*orders)

    async def orders(self, *orders: str) -> None:
        rows = (f"{order},{41.15 + 0.003 * place:.4f},-8.60,,,photo,1" for place, order in enumerate(orders, 1))
        await self.coordinator.post("/api/orders/import", csv_of(*rows))
        await self.coordinator.post("/api/assign")

    async def run_cloud(self, command: str, backup: Path) -> None:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "cloud", command, str(self.coordinator.settings), str(backup)),
            cwd=CHECKOUT,
            stdout=PIPE,
            stderr=PIPE,
        )
        _, said = await process.communicate()
        assert process.returncode == 0, said.decode()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        database = sqlite3.connect(f"file:{self.coordinator.data_dir / 'cloud.db'}?mode=ro", uri=True)
        try:
            return database.execute(sql).fetchall()
        finally:
            database.close()

    async def page(self, order: str) -> Any:
        return await self.coordinator.get(f"/api/stops/{DAY}-{order}")

    async def alarms(self) -> set[str]:
        (view,) = (await self.coordinator.get("/api/picture"))["vans"]
        return set(view["alarms"])

    async def is_whole(self, *orders: str) -> None:
        """Each is delivered once, by one van, with its photo to the last byte, and asks for nobody."""

        async def all_here() -> bool:
            pages = [await self.page(order) for order in orders]
            (view,) = (await self.coordinator.get("/api/picture"))["vans"]
            return view["stops_done"] == len(orders) and all(
                page["stop"]["status"] == "completed" and 0 < page["stop"]["proofs"] == page["stop"]["proofs_whole"]
                for page in pages
            )

        await until(all_here)
        for order in orders:
            page = await self.page(order)
            assert not page["stop"]["is_flagged"], page["note"]
            for piece in page["evidence"]:
                data = await self.coordinator.get(f"/api/blobs/{piece['sha256']}")
                assert hashlib.sha256(data).hexdigest() == piece["sha256"]

    def has_nothing_twice(self) -> None:
        """No record is there twice: neither under one identity nor, said again, under another."""
        told = Counter(self.rows("SELECT sha256, kind FROM records"))
        assert {what for what, times in told.items() if times > 1} == set()

    async def command(self) -> None:
        """Asks the van for a new order: command c1, always the same."""
        command = encode(a_command(command_id="c1", expires_at=MORNING + timedelta(days=1)))
        link = MqttLink(host="127.0.0.1", port=self.coordinator.broker_port, client_id="dispatcher")
        link.start()
        answered = len(self.results())
        topic = topics.COMMANDS.of("town", "van-1")
        try:
            await until(lambda: link.is_up)
            link.publish(topic, command, qos=1)
            await until(lambda: len(self.results()) > answered)
        finally:
            await link.close()

    def results(self) -> list[tuple[Any, ...]]:
        return self.rows("SELECT json_extract(record, '$.body.result') FROM records WHERE kind = 'command.result'")

    def plans_asked_for(self) -> int:
        sql = "SELECT count(*) FROM records WHERE json_extract(record, '$.body.reason') = 'asked by the coordinator'"
        return int(self.rows(sql)[0][0])


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    town = Town(tmp_path)
    yield town
    await town.van.cab.http.close()
    for process in (town.van.process, town.coordinator.process):
        if process is not None and process.returncode is None:
            process.kill()
            await process.communicate()


async def test_a_coordinator_restored_from_an_old_backup_gets_everything_again_and_once(town: Town) -> None:
    await town.begins("A", "B", "C")
    await town.van.deliver("A")
    await town.van.all_receipted()
    await town.run_cloud("backup", town.folder / "backup")
    await town.van.deliver("B")
    await town.command()
    await town.van.all_receipted()
    everything = sorted(town.rows("SELECT van, epoch, seq, sha256 FROM records"))
    assert town.plans_asked_for() <= 1

    await town.coordinator.kill()
    await town.run_cloud("restore", town.folder / "backup")
    assert len(town.rows("SELECT * FROM records")) < len(everything)
    await town.coordinator.start()
    await town.is_whole("A", "B")
    await town.van.all_receipted()
    assert set(everything) <= set(town.rows("SELECT van, epoch, seq, sha256 FROM records"))
    town.has_nothing_twice()
    asked = town.plans_asked_for()
    await town.command()  # said again by a coordinator that does not know that it was done
    assert set(town.results()) == {("done",)}
    await town.van.deliver("C")
    await town.is_whole("A", "B", "C")
    assert town.plans_asked_for() == asked
    assert await town.alarms() - {"unsafe disk"} == set()


def _unsealed(record: str) -> str:
    said = json.loads(record)
    del said["seal"]
    return json.dumps(said, sort_keys=True)


@pytest.mark.parametrize("with_counter", [False, True], ids=["the database alone", "the whole card"])
async def test_a_van_restored_from_an_old_image_converges(town: Town, *, with_counter: bool) -> None:
    await town.begins("A", "B", "C")
    await town.van.deliver("A")
    await town.van.all_receipted()
    # In order, so that what was receipted is on the card: a life that does not know it says it again, and harmlessly.
    await town.van.kill(signal.SIGTERM)
    image = town.van.image("image")
    await town.van.start()
    await town.van.deliver("B")
    await town.van.all_receipted()
    await town.van.kill()
    before = set(town.rows("SELECT epoch, seq, sha256 FROM records"))
    await town.coordinator.kill()

    town.van.put_back(image, with_counter=with_counter)
    await town.van.start()  # alone, with what it remembers: B is open again for all it knows
    assert (await town.van.phases())["A"] == "completed"
    assert (await town.van.phases())["B"] in ("open", "arrived")
    await town.van.deliver("C")  # under seqs that the life after the image gave to B
    await town.coordinator.start()
    await town.orders("D")  # a newer list
    await town.van.has("A", "B", "C", "D")
    await town.van.deliver("D", "B")  # the driver closes what the screen shows as open
    await town.van.all_receipted()
    await town.is_whole("A", "B", "C", "D")
    assert before <= set(town.rows("SELECT epoch, seq, sha256 FROM records"))
    assert set((await town.van.phases()).values()) == {"completed"}
    await until(lambda: _has(town, "store restored"))
    said = {_unsealed(record) for (record,) in town.rows("SELECT record FROM records")}
    forked = town.rows("SELECT record FROM forks")
    if with_counter:
        assert forked  # both are kept ...
        assert await _has(town, "records differ")  # ... a person is told ...
        # ... and what was said a second way counts all the same, sealed anew under its new epoch
        assert {_unsealed(record) for (record,) in forked} <= said
    else:
        assert not forked
    town.has_nothing_twice()


async def test_a_coordinator_and_a_van_both_put_back_converge(town: Town) -> None:
    await town.begins("A", "B", "C")
    await town.van.deliver("A")
    await town.van.all_receipted()
    await town.van.kill(signal.SIGTERM)  # in order, as above
    image = town.van.image("image")
    await town.run_cloud("backup", town.folder / "backup")
    await town.van.start()
    await town.van.deliver("B")
    await town.van.all_receipted()
    await town.van.kill()
    await town.coordinator.kill()

    town.van.put_back(image, with_counter=True)
    await town.run_cloud("restore", town.folder / "backup")
    await town.coordinator.start()
    await town.van.start()
    await town.van.has("A", "B", "C")
    await town.van.deliver("B", "C")  # what neither remembers is open on both screens, and is done
    await town.van.all_receipted()
    await town.is_whole("A", "B", "C")
    town.has_nothing_twice()


async def _has(town: Town, alarm: str) -> bool:
    return alarm in await town.alarms()
