"""When the database's log (its WAL) goes into its file: that takes up to four syncs, and a tap that met it would wait.

How long the log is, is not asked but counted along, roughly, by those who write.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Protocol

from agent.errors import StoreError
from agent.store.database import Database

log = logging.getLogger(__name__)

IS_LONG_BYTES = 1_200_000
"""From here on the log goes into the file when nobody taps."""
IS_FULL_BYTES = 6_500_000
"""... and from here on also while somebody does; by itself it would go before an answer (`LOG_BYTES`)."""
LULL_S = 3.0
"""Nobody taps when nobody has for so long: two taps of one stop come closer together."""
LOOK_EVERY_S = 0.5


class Do(Protocol):
    """Does something on the store's thread. Raises StoreError."""

    def __call__(self, act: Callable[[], None], /) -> Awaitable[None]: ...


class Wal:
    """`wrote` with each write, `tapped` after a tap's, then `empty_in_time`."""

    def __init__(self, database: Database, do: Do) -> None:
        self._database = database
        self._do = do
        self._bytes = 0
        self._tapped_at_s = -LULL_S
        self._emptying: asyncio.Task[None] | None = None

    def wrote(self, size_bytes: int) -> None:
        self._bytes += size_bytes

    def tapped(self) -> None:
        self._tapped_at_s = asyncio.get_running_loop().time()

    def empty_in_time(self) -> None:
        """Returns at once."""
        if self._bytes >= IS_LONG_BYTES and (self._emptying is None or self._emptying.done()):
            self._emptying = asyncio.create_task(self._empty())

    async def close(self) -> None:
        """Does not wait for a lull: closing the database empties its log."""
        if self._emptying is not None:
            self._emptying.cancel()
            await asyncio.wait([self._emptying])

    async def _empty(self) -> None:
        loop = asyncio.get_running_loop()
        while self._bytes < IS_FULL_BYTES:
            quiet_s = loop.time() - self._tapped_at_s
            if quiet_s >= LULL_S:
                break
            await asyncio.sleep(min(LULL_S - quiet_s, LOOK_EVERY_S))
        self._bytes = 0
        try:
            await self._do(self._database.empty_log)
            await self._do(self._database.begin_log)
        except StoreError as error:
            log.warning("the log could not be emptied: %s", error)
