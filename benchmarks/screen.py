"""The cab page, as a browser follows it: its stream of views, read with the time at which each came."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import aiohttp

from wire.geo import Place

PATIENCE_S = 120.0


class Screen:
    def __init__(self, url: str) -> None:
        self._url = url
        self.view: dict[str, Any] = {}
        self.seen: dict[str, Any] = {}
        """The view that `wait` was answered with."""
        self._news = asyncio.Condition()
        self._heard_s = 0.0

    async def is_up(self) -> bool:
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self._url}/api/view") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def watch(self) -> None:
        limit = aiohttp.ClientTimeout(total=None)
        async with (
            aiohttp.ClientSession(timeout=limit, read_bufsize=2**22) as session,
            session.get(f"{self._url}/api/events") as stream,
        ):
            async for line in stream.content:
                if not line.startswith(b"data: "):
                    continue
                heard_s = time.perf_counter()
                async with self._news:
                    self.view, self._heard_s = json.loads(line[6:]), heard_s
                    self._news.notify_all()

    async def wait(self, is_so: Callable[[dict[str, Any]], bool]) -> float:
        """When the first view came of which that is so, by `perf_counter`; also one that is there already."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            while not self.view or not is_so(self.view):
                await self._news.wait()
            self.seen = self.view
            return self._heard_s

    def places(self) -> list[Place]:
        """Of the open stops, in the order of the plan."""
        stops = [stop for stop in self.view["stops"] if stop["phase"] == "open"]
        return [Place(lat_deg=stop["lat_deg"], lon_deg=stop["lon_deg"]) for stop in stops]
