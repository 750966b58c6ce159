"""Looks what the vans said of stops that are to change vans, soon after it is stored, and lets the lists follow.

Beside the ingest and not within it: a receipt waits for nothing of it. What was stored and not yet looked at when we
were ended is looked at again at the next start; looking twice changes nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from cloud.errors import StoreError
from cloud.store.records import Changes
from wire.model import StopId

log = logging.getLogger(__name__)

PACE_S = 0.1
"""When a fleet comes back, one look for many records."""
AGAIN_S = 5.0
"""After a store that did not take it."""

type Settle = Callable[[Collection[StopId]], Awaitable[None]]


class TransferWatch:
    """`note` what was stored, and keep `run` running."""

    def __init__(self) -> None:
        self._waiting: set[StopId] = set()
        self._woken = asyncio.Event()
        self._is_looking = False

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting) or self._is_looking

    def note(self, changes: Changes) -> None:
        """Stops of which something new was heard; returns at once."""
        self._waiting |= changes.stops
        if self._waiting:
            self._woken.set()

    async def run(self, settle: Settle, unfinished: Callable[[], Awaitable[Collection[StopId]]]) -> None:
        """Until cancelled."""
        is_started = False
        while True:
            try:
                if not is_started:
                    self._waiting |= set(await unfinished())
                    is_started = True
                else:
                    await self._woken.wait()
                await asyncio.sleep(PACE_S)
                self._woken.clear()
                stop_ids, self._waiting = self._waiting, set()
                await self._look(settle, stop_ids)
            except StoreError as error:
                log.warning("stops that change vans are not looked at: %s", error)
                await asyncio.sleep(AGAIN_S)
                self._woken.set()

    async def _settle(self, settle: Settle, stop_ids: set[StopId]) -> None:
        """One that cannot be settled, because a list would not fit its message, may not end the look at the others."""
        try:
            await settle(stop_ids)
        except StoreError:
            raise
        except Exception:
            if len(stop_ids) == 1:
                log.exception("stop %s cannot change vans", *stop_ids)
                return
            for stop_id in sorted(stop_ids):
                await self._settle(settle, {stop_id})

    async def _look(self, settle: Settle, stop_ids: set[StopId]) -> None:
        self._is_looking = True
        try:
            if stop_ids:
                await self._settle(settle, stop_ids)
        except StoreError:
            self._waiting |= stop_ids
            raise
        finally:
            self._is_looking = False
