"""A coordinator with every lock on, and the van's own link before it: what the tests of the secured link share."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from agent.identity.badge import Badge
from agent.identity.enrol import enrol
from agent.identity.tls import Credentials
from host.loopback import free_port
from wire.mqtt import LinkEvent, MqttLink

CHECKOUT = Path(__file__).resolve().parents[2]
WITHIN_S = 60.0
UP_WITHIN_S = 120.0
"""For a coordinator on a machine that has a lot else to do."""


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
        give_up_s = time.monotonic() + UP_WITHIN_S
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


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await is_so():  # noqa: ASYNC110 - the other side is another process
            await asyncio.sleep(0.1)
