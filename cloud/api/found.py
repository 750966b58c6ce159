"""Makes orders of the stops that vans made of labels, as they are heard; what a restart left undone is done first."""

import asyncio
import logging
from collections.abc import Callable
from datetime import date, timedelta

from cloud.api.dispatching import Dispatch
from cloud.api.parts import Parts
from cloud.api.problems import TooLargeError
from cloud.errors import StoreError
from cloud.orders.found import is_found_id
from cloud.store import reading
from cloud.store.records import Changes

DAYS_BACK = 3
"""A van that was out of reach for longer made its stops on days that nobody plans any more."""
TRY_AGAIN_S = 5.0

log = logging.getLogger(__name__)


class FoundStops:
    """`run` works until cancelled. The same stop heard again changes nothing."""

    def __init__(self, parts: Parts, today: Callable[[], date]) -> None:
        self._parts = parts
        self._dispatch = Dispatch(parts)
        self._today = today
        self._waiting: set[str] = set()
        self._woken = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        return bool(self._waiting)

    def note(self, changes: Changes) -> None:
        """Stops of which something new was heard."""
        self._waiting |= {stop_id for stop_id in changes.stops if is_found_id(stop_id)}
        if self._waiting:
            self._woken.set()

    async def run(self) -> None:
        await self._look_back()
        while True:
            await self._woken.wait()
            self._woken.clear()
            for stop_id in sorted(self._waiting):
                await self._take(stop_id)

    async def _look_back(self) -> None:
        days = [self._today() - timedelta(days=back) for back in range(DAYS_BACK)]
        try:
            self._waiting |= await self._parts.database.read(lambda conn: reading.found_without_order(conn, days))
        except StoreError as error:
            log.error("stops that vans found before this start could not be read: %s", error)
        if self._waiting:
            self._woken.set()

    async def _take(self, stop_id: str) -> None:
        try:
            await self._dispatch.take_in(stop_id)
        except StoreError as error:
            log.error("the stop %s that a van found could not be written yet: %s", stop_id, error)
            await asyncio.sleep(TRY_AGAIN_S)
            self._woken.set()
            return
        except TooLargeError as error:
            log.error("the stop %s that a van found is on its van and on no list: %s", stop_id, error)
        except Exception:
            # What a van says is looked at here: one van's stop may not end the look at all the others'.
            log.exception("the stop %s that a van found could not be taken in", stop_id)
        self._waiting.discard(stop_id)
