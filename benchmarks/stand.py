"""The test stand: a real coordinator with its real broker on this machine's disk, and the settings of the vans.

Everything lies in a folder of the checkout's cache, on the disk that the checkout is on: a folder in memory would make
every sync free.
"""

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from agent.identity.badge import Badge
from agent.identity.enrol import enrol
from benchmarks.made import DEPOT
from cloud.identity.home import open_home
from cloud.identity.office import make_token
from cloud.identity.register import open_register
from host.child import Child
from host.loopback import free_port
from simulator.dispatcher import Dispatcher

CHECKOUT = Path(__file__).resolve().parent.parent
CACHE = CHECKOUT / ".cache" / "bench"
LOOPBACK = "127.0.0.1"
FLEET = "bench"
UP_WITHIN_S = 60.0


@dataclass(frozen=True)
class Stand:
    folder: Path
    broker_port: int
    console_port: int
    day: date
    vans: tuple[str, ...]
    is_secured: bool
    """Whether vans and coordinator speak TLS with certificates of both sides."""

    @property
    def cloud_dir(self) -> Path:
        return self.folder / "cloud"

    def van_dir(self, van: str) -> Path:
        return self.folder / van

    def write_van(
        self, van: str, *, broker_port: int | None = None, screen_port: int = 0, gpsd_port: int | None = None
    ) -> Path:
        """VAN.toml of a van; `broker_port` when it reaches the broker through a relay; without `gpsd_port` nobody says
        where it is.
        """
        path = self.folder / f"{van}.toml"
        path.write_text(
            f'van = "{van}"\nfleet = "{FLEET}"\ndata_dir = "{self.van_dir(van)}"\n'
            f'[gpsd]\nhost = "{LOOPBACK}"\nport = {gpsd_port or free_port()}\n'
            f'[broker]\nhost = "{LOOPBACK}"\nport = {broker_port or self.broker_port}\n'
            f'[screen]\nhost = "{LOOPBACK}"\nport = {screen_port}\n'
        )
        return path

    def stored(self) -> dict[str, int]:
        """How many events, breadcrumbs and whole blobs the coordinator holds."""
        with sqlite3.connect(f"file:{self.cloud_dir / 'cloud.db'}?mode=ro", uri=True, timeout=5) as database:
            counts = {
                "events": "SELECT count(*) FROM records",
                "track": "SELECT count(*) FROM breadcrumbs",
                "blobs": "SELECT count(*) FROM blobs WHERE is_whole",
            }
            found = {name: int(database.execute(sql).fetchone()[0]) for name, sql in counts.items()}
        database.close()
        return found


@asynccontextmanager
async def stand(name: str, vans: int) -> AsyncIterator[tuple[Stand, Dispatcher]]:
    """A coordinator that answers, with an empty store; it and its files are gone afterwards."""
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    made = Stand(
        folder=folder,
        broker_port=free_port(),
        console_port=free_port(),
        day=datetime.now(UTC).date(),
        vans=tuple(f"van-{number}" for number in range(1, vans + 1)),
        is_secured=True,
    )
    settings = folder / "cloud.toml"
    settings.write_text(_cloud_toml(made))
    dispatcher = Dispatcher(f"http://{LOOPBACK}:{made.console_port}")
    cloud = await Child.start(
        "cloud-service",
        [sys.executable, "-m", "cloud", str(settings)],
        run_dir=folder / "run",
        log_path=folder / "cloud.log",
        cwd=CHECKOUT,
    )
    try:
        await cloud.ready_when(dispatcher.is_up, UP_WITHIN_S)
        await asyncio.to_thread(_let_in, made)
        yield made, dispatcher
    finally:
        await dispatcher.close()
        await cloud.stop()
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _let_in(made: Stand) -> None:
    """Each van gets its certificate, as by `python -m cloud enrol` and `python -m agent enrol`."""
    home = open_home(made.cloud_dir, FLEET, datetime.now(UTC))
    with closing(open_register(home.register_path)) as book:
        for van in made.vans:
            token = make_token(home.authority, book, van, datetime.now(UTC))
            enrol(Badge(made.van_dir(van)), van, token, f"http://{LOOPBACK}:{made.console_port}")


def _cloud_toml(made: Stand) -> str:
    vans = [
        f'[[vans]]\nname = "{van}"\ndriver = "Inês Duarte"\ncapacity_parcels = 500\n'
        'shift_starts = "08:00"\nshift_ends = "18:00"\n'
        for van in made.vans
    ]
    return "\n".join(
        [
            f'fleet = "{FLEET}"\ndata_dir = "{made.cloud_dir}"\ntimezone = "UTC"',
            f'[broker]\nis_private = true\nhost = "{LOOPBACK}"\nport = {made.broker_port}',
            f'[http]\ntls = false\nhost = "{LOOPBACK}"\nport = {made.console_port}',
            f'[depot]\nname = "Depot"\nlat_deg = {DEPOT.lat_deg!r}\nlon_deg = {DEPOT.lon_deg!r}',
            *vans,
        ]
    )
