"""Asks each publication at its pace, keeps what it says in the store, and tells the vans when that changed.

A publication that cannot be had or read changes nothing: what it said last stands until it is over by itself. It is
asked again later and later, at most every half hour, and the log tells it once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime

import aiohttp
from sqlalchemy import Connection

from cloud.errors import StoreError
from cloud.feeds.datex2 import read_datex2
from cloud.feeds.forecast import read_forecast
from cloud.feeds.geojson import read_geojson
from cloud.feeds.nearby import near
from cloud.feeds.published import MAX_BYTES, FeedError
from cloud.feeds.settings import FeedKind, FeedSettings
from cloud.store.conditions import conditions_now, save_weather
from cloud.store.database import Database
from cloud.store.drawn import CLOSURES, replace_all
from wire.codec import TooBigError, encode
from wire.geo import Place

ANSWERS_WITHIN_S = 30.0
LONGEST_WAIT_S = 1_800.0
READERS = {FeedKind.GEOJSON: read_geojson, FeedKind.DATEX2: read_datex2}

log = logging.getLogger(__name__)


class Poller:
    """One publication. `changed` is called after what vans should know became different."""

    def __init__(
        self,
        feed: FeedSettings,
        *,
        depot: Place,
        database: Database,
        now: Callable[[], datetime],
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self.feed = feed
        self.trouble = ""
        """Why the newest try brought nothing; empty while it works."""
        self._depot = depot
        self._database = database
        self._now = now
        self._changed = changed
        self._etag = ""
        self._left_out: tuple[str, ...] = ()

    async def run(self) -> None:
        """Until cancelled."""
        wait_s = self.feed.every_s
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)) as session:
            while True:
                trouble = await self.look(session)
                if trouble and not self.trouble:
                    log.warning("feed %s: %s; what it said last stands", self.feed.name, trouble)
                elif self.trouble and not trouble:
                    log.info("feed %s answers again", self.feed.name)
                self.trouble = trouble
                longest_s = max(LONGEST_WAIT_S, self.feed.every_s)
                wait_s = min(2 * wait_s, longest_s) if trouble else self.feed.every_s
                await asyncio.sleep(wait_s)

    async def look(self, session: aiohttp.ClientSession) -> str:
        """One try: what is wrong, or nothing."""
        try:
            body = await self._fetch(session)
            if body is not None:
                await self._keep(body)
        except (FeedError, StoreError) as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {ANSWERS_WITHIN_S:.0f} s"
        except (aiohttp.ClientError, OSError) as error:
            return f"it cannot be reached: {error}"
        except Exception as error:
            # What a stranger publishes must not end the coordinator, whatever we did not think of.
            log.exception("feed %s", self.feed.name)
            return f"it could not be read: {type(error).__name__}"
        return ""

    async def _fetch(self, session: aiohttp.ClientSession) -> bytes | None:
        """What is published; None when it is what we know already."""
        headers = {**self.feed.headers, **({"If-None-Match": self._etag} if self._etag else {})}
        async with session.get(self.feed.url, headers=headers) as answer:
            if answer.status == 304:
                return None
            if answer.status != 200:
                raise FeedError(f"it answered {answer.status} {answer.reason}: look at its url and headers")
            body = await answer.content.read(MAX_BYTES + 1)
            while len(body) <= MAX_BYTES and (more := await answer.content.read(MAX_BYTES)):
                body += more
            if len(body) > MAX_BYTES:
                raise FeedError(f"it sends more than {MAX_BYTES // 1_000_000} MB: ask for a smaller area")
            self._etag = answer.headers.get("ETag", "")
            return body

    async def _keep(self, body: bytes) -> None:
        now = self._now()
        if self.feed.kind is FeedKind.OPEN_METEO:
            hours = await asyncio.to_thread(read_forecast, body, now)
            await self._write(lambda connection: save_weather(connection, self.feed.name, hours))
            return
        found = await asyncio.to_thread(READERS[self.feed.kind], body, self.feed.name, now)
        closures, too_many = near(found.closures, self._depot, self.feed.within_km)

        def replace(connection: Connection) -> bool:
            is_new = replace_all(connection, CLOSURES, f"{self.feed.name}-", closures, now)
            conditions = conditions_now(connection, now)
            try:
                encode(conditions) if conditions else None
            except TooBigError as error:
                raise FeedError(f"all closures together are too much for one message ({error})") from error
            return is_new

        await self._write(replace)
        self._tell((*found.left_out, *too_many))

    async def _write(self, act: Callable[[Connection], bool]) -> None:
        if await self._database.write(act):
            await self._changed()

    def _tell(self, left_out: Iterable[str]) -> None:
        """Once for each, and not those that are merely over."""
        now_left_out = tuple(why for why in left_out if not why.endswith(": over"))
        if fresh := [why for why in now_left_out if why not in self._left_out]:
            log.info("feed %s: %d not used, such as %s", self.feed.name, len(fresh), "; ".join(fresh[:3]))
        self._left_out = now_left_out
