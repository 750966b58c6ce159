"""The processes of a schedule, each in its namespace: mosquitto, the coordinator, the vans; killed and started."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

from cloud.app import DATABASE_FILE as CLOUD_FILE
from cloud.broker import config_text, find_mosquitto
from cloud.store.database import open_database
from cloud.store.manifests import save_manifest
from tests.builders import MORNING, a_manifest
from tests.rig.ext4 import Ext4
from tests.rig.link.namespace import Namespace
from tests.rig.link.plan import CLOUD, STOPS

CHECKOUT = Path(__file__).parents[3]
FLEET = "town"
PORT, CAB_PORT, GPSD_PORT = 1883, 8101, 2947
SAVE_EVERY_S = 1
"""The broker's persistence, so that there is something on its disk to lose; as delivered it is 30."""


class BrokenRigError(RuntimeError):
    """The rig itself did not come up: what was found then says nothing."""


class Node:
    """One process, and the end of what it said."""

    def __init__(self, name: str, namespace: Namespace, home: Path) -> None:
        home.mkdir()
        self.name, self.namespace, self.home = name, namespace, home
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def strike(self) -> None:
        """kill -9, now."""
        if self._process is not None:
            self._process.kill()

    async def kill(self) -> None:
        """kill -9, and it is gone."""
        self.strike()
        process, self._process = self._process, None
        if process is not None:
            await self.namespace.run(process.wait)

    def said(self, lines: int = 12) -> list[str]:
        log = self.home / "log"
        return log.read_text(errors="replace").splitlines()[-lines:] if log.exists() else []

    async def _start(self, argv: list[str]) -> None:
        self._process = await self.namespace.start(argv, self.home / "log")


class Agent(Node):
    """A van or the coordinator, whose broker is at `broker`; `plant` is the name of a mutant it is to be."""

    def __init__(self, name: str, namespace: Namespace, home: Path, *, broker: str, began: float, plant: str) -> None:
        super().__init__(name, namespace, home)
        self._broker, self._plant = broker, plant
        settings = f"""fleet = "{FLEET}"
data_dir = "{home / "data"}"
clock = {{ origin = {MORNING.isoformat()}, system_origin_s = {began} }}
"""
        settings += _CLOUD if name == CLOUD else _VAN.format(name=name)
        self._settings = home / "settings.toml"
        self._settings.write_text(settings)

    @property
    def data(self) -> Path:
        return self.home / "data"

    async def boot(self) -> None:
        await self._start(
            [sys.executable, "-m", "tests.rig.link.process", self.name, str(self._settings), self._broker, self._plant]
        )


_VAN = f"""van = "{{name}}"
broker = {{{{ port = {PORT}, tls = false }}}}
screen.port = {CAB_PORT}
gpsd.port = {GPSD_PORT}
"""
_CLOUD = f"""broker = {{ is_private = false, port = {PORT}, tls = false }}
http.tls = false
depot = {{ lat_deg = 41.15, lon_deg = -8.61 }}
vans = [{{ name = "van-1", driver = "Inês Duarte" }}, {{ name = "van-2", driver = "Rui Costa" }}]
"""


def hand_out(cloud: Agent, vans: tuple[str, ...]) -> None:
    """Today's list for each van, saved before the coordinator starts for the first time."""
    cloud.data.mkdir()
    database = open_database(cloud.data / CLOUD_FILE)
    try:
        with database.transaction() as connection:
            for van in vans:
                save_manifest(connection, a_manifest(STOPS, van=van), MORNING + timedelta(seconds=1))
    finally:
        database.close()


class Broker(Node):
    """mosquitto with the coordinator's configuration, on a file system of its own when `has_disk`."""

    def __init__(self, namespace: Namespace, home: Path, *, has_disk: bool) -> None:
        super().__init__("broker", namespace, home)
        self._has_disk = has_disk
        self._disk: Ext4 | None = None
        self._turn = asyncio.Lock()

    async def boot(self) -> None:
        place = self.home / "kept"
        place.mkdir()
        if self._has_disk:
            self._disk = await self.namespace.run(Ext4, self.home)
            await self.namespace.run(self._disk.mount)
            place = self._disk.place
        config = config_text(host=self.namespace.address, port=PORT, home=place, is_root=True)
        config = config.replace("autosave_interval 30", f"autosave_interval {SAVE_EVERY_S}")
        (self.home / "mosquitto.conf").write_text(config)
        await self._up()

    async def die(self, for_s: float) -> None:
        async with self._turn:
            await self.kill()
            await asyncio.sleep(for_s)
            await self._up()

    async def lose_power(self, for_s: float) -> None:
        """With what its file system had not synced."""
        assert self._disk is not None
        async with self._turn:
            await self.namespace.run(self._disk.shut_down)
            await self.kill()
            await self.namespace.run(self._disk.umount)
            await asyncio.sleep(for_s)
            await self.namespace.run(self._disk.mount)
            await self._up()

    async def run_full(self, for_s: float) -> None:
        """Its disk fills, it is told to save, it dies, and starts on the full disk."""
        assert self._disk is not None
        async with self._turn:
            filler = self._disk.place / "filler"
            await self.namespace.run(_fill, filler)
            assert self._process is not None
            self._process.send_signal(signal.SIGUSR1)
            await asyncio.sleep(for_s / 2)
            await self.kill()
            await self._up()
            await asyncio.sleep(for_s / 2)
            await self.namespace.run(filler.unlink)

    async def _up(self) -> None:
        for _ in range(2):
            await self._start([find_mosquitto(), "-c", str(self.home / "mosquitto.conf")])
            give_up_s = time.monotonic() + 10.0
            while self.is_running and time.monotonic() < give_up_s:
                if await self.namespace.run(self._answers):
                    return
                await asyncio.sleep(0.02)
            await self.kill()
            await self.namespace.run(self._put_kept_aside)  # as the coordinator's own keeper of the broker does
        raise BrokenRigError(f"mosquitto does not start: {' '.join(self.said())}")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError):
            socket.create_connection((self.namespace.address, PORT), timeout=1.0).close()
            return True
        return False

    def _put_kept_aside(self) -> None:
        kept = (self._disk.place if self._disk else self.home / "kept") / "mosquitto.db"
        kept.unlink(missing_ok=True)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
