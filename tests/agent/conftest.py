"""A whole agent inside the test's own event loop, with neither gpsd nor broker nor map: the worst of ordinary days."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from agent.app import App
from agent.config import Settings
from agent.store.store import Step, Store
from agent.trip.run import Run
from host.loopback import free_port
from tests.builders import MORNING

ASKED = {"X-Roundsman": "1"}


@dataclass
class Cab:
    """What a page can do. `url` is where the agent listens."""

    url: str
    http: aiohttp.ClientSession

    async def view(self) -> dict[str, Any]:
        async with self.http.get(f"{self.url}/api/view") as answer:
            assert answer.status == 200
            view: dict[str, Any] = await answer.json()
            return view

    async def tap(self, **tap: object) -> tuple[int, dict[str, Any]]:
        async with self.http.post(f"{self.url}/api/taps", json=tap, headers=ASKED) as answer:
            return answer.status, await answer.json()

    async def evidence(self, stop_id: str, data: bytes, **query: str) -> tuple[int, dict[str, Any]]:
        url = f"{self.url}/api/stops/{stop_id}/evidence"
        async with self.http.post(url, params=query, data=BytesIO(data), headers=ASKED) as answer:
            return answer.status, await answer.json()


class StartCab(Protocol):
    """`broker_port`: of a broker that is there; without it there is none."""

    def __call__(self, folder: Path, broker_port: int | None = None) -> AbstractAsyncContextManager[Cab]: ...


@pytest.fixture
def start_cab() -> StartCab:
    """`async with start_cab(folder) as cab`: an agent on the data in that folder."""

    def start(folder: Path, broker_port: int | None = None) -> AbstractAsyncContextManager[Cab]:
        return a_cab(settings(folder, broker_port))

    return start


@asynccontextmanager
async def a_cab(settings: Settings) -> AsyncIterator[Cab]:
    """A whole agent, and the page before it."""
    said: asyncio.Queue[str] = asyncio.Queue()
    stopped = asyncio.Event()
    running = asyncio.create_task(App(settings, said.put_nowait).run(stopped))
    hearing = asyncio.create_task(said.get())
    await asyncio.wait({running, hearing}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        hearing.cancel()
        running.result()
    url = hearing.result().rpartition(" ")[2]
    try:
        async with aiohttp.ClientSession() as http:
            yield Cab(url, http)
    finally:
        stopped.set()
        await running


def settings(folder: Path, broker_port: int | None = None, *, tls: bool = False) -> Settings:
    """A van whose neighbours are absent, but for the broker when its port is given, at the morning of the builders."""
    fields = {
        "van": "van-1",
        "fleet": "town",
        "data_dir": folder,
        "clock": {"origin": MORNING, "system_origin_s": time.time()},
        "gpsd": {"port": free_port()},
        "broker": {"port": broker_port or free_port(), "tls": tls},
        "screen": {"port": 0, "pages_dir": folder / "pages"},
    }
    return Settings.model_validate(fields)


async def begin_day(folder: Path, run: Run) -> None:
    """Puts a run into a folder's store, as an earlier life of the agent would have."""
    store = await Store.open(folder)
    await store.save(Step(at_ms=round(MORNING.timestamp() * 1000), run=run))
    await store.close()
