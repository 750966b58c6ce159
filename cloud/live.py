"""The picture of the day, kept up to date in memory, and who is told what changed in it.

Whoever changes something says so here; what is so is read from the store, so that this never holds a second truth.
Time changes the picture too: a van falls silent, a window closes, the day turns.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from cloud.errors import StoreError
from cloud.fleet.picture import Changes, Picture
from cloud.fleet.view import ClosureView, Ending, FleetPicture, StopRow, VanView
from cloud.store import reading
from cloud.store.database import Database
from cloud.store.drawn import CLOSURES, standing
from cloud.store.records import Changes as Stored
from host.clock import Clock
from wire.model import StopId

REFRESH_S = 0.5
"""How often the picture is looked over, in real seconds."""
LEAST_PAUSE_S = 0.1
REST_SHARE = 8.0
"""A look is followed by a pause this many times as long: when a fleet comes back, receipts go before the picture."""
STOPS_AT_ONCE = 200
"""Read in one look; more would hold up the receipts that are due meanwhile."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Update:
    """What a watcher is told at once. `picture`: everything, at the start and when the day turned."""

    picture: FleetPicture | None = None
    vans: tuple[VanView, ...] = ()
    stops: tuple[StopRow, ...] = ()
    closures: tuple[ClosureView, ...] | None = None
    endings: tuple[Ending, ...] | None = None


@dataclass(eq=False)
class Watcher:
    """One who looks. What it has not taken yet is kept as names, so a slow one costs little and gets the newest."""

    is_new: bool = True
    vans: set[str] = field(default_factory=set)
    stops: set[StopId] = field(default_factory=set)
    closures: bool = False
    endings: bool = False
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class LiveFleet:
    """Make one, `start` it, and keep `run` running."""

    def __init__(
        self,
        picture: Picture,
        database: Database,
        clock: Clock,
        today: Callable[[], date],
        on_online: Callable[[str, int], None] = lambda _van, _applied_version: None,
    ) -> None:
        """`on_online` hears of each van that came online, and which manifest it had applied last."""
        self._picture = picture
        self._database = database
        self._clock = clock
        self._today = today
        self._on_online = on_online
        self.is_over = False
        self._watchers: set[Watcher] = set()
        self._noted = Stored()
        self._woken = asyncio.Event()
        # One reading at a time: an older answer must never be put over a newer one.
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        """Reads the day. Raises StoreError."""
        async with self._reading:
            await self._start_day()

    async def run(self) -> None:
        """Takes in what was noted and lets time pass, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(REFRESH_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            began_s = time.monotonic()
            try:
                await self._look()
            except StoreError as error:
                log.warning("the picture is not up to date: %s", error)
            await asyncio.sleep(max(LEAST_PAUSE_S, REST_SHARE * (time.monotonic() - began_s)))

    def end(self) -> None:
        """Lets every watcher go."""
        self.is_over = True
        for watcher in self._watchers:
            watcher.woken.set()

    def note(self, stored: Stored) -> None:
        """For the ingest, after its commit; returns at once."""
        self._noted.add(stored)
        self._woken.set()

    async def stops_changed(self, stop_ids: Iterable[StopId], of_vans: Iterable[str] = ()) -> None:
        """Reads these orders again; returns when the picture shows them."""
        async with self._reading:
            today = self._picture.day
            for order, facts in await self._database.read(lambda conn: reading.stops(conn, set(stop_ids))):
                if order.day == today:
                    self._picture.put_stop(order, facts)
            await self._read_vans(set(of_vans))
            self._refresh()

    async def closures_changed(self) -> None:
        async with self._reading:
            await self._read_closures()
            self._tell_closures()

    def endings_are(self, endings: tuple[Ending, ...]) -> None:
        """What is about to end; the same ones again are no news."""
        if endings == self._picture.endings:
            return
        self._picture.endings = endings
        for watcher in self._watchers:
            watcher.endings = True
            watcher.woken.set()

    # What the console asks ----------------------------------------------------------------------------------------

    def picture(self) -> FleetPicture:
        self._refresh()
        return self._picture.whole(self._clock.now())

    def van(self, name: str) -> VanView | None:
        """None for a van that is not in the fleet."""
        return self._picture.van(name)

    def row(self, stop_id: StopId) -> StopRow | None:
        """None for a stop of another day."""
        return self._picture.row(stop_id)

    @contextmanager
    def watching(self) -> Iterator[Watcher]:
        """A watcher for as long as the block lasts; hand it to `news`."""
        watcher = Watcher()
        watcher.woken.set()
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            self._watchers.discard(watcher)

    def news(self, watcher: Watcher) -> Update:
        """What it has not been told yet."""
        watcher.woken.clear()
        update = self._update_for(watcher)
        watcher.vans.clear()
        watcher.stops.clear()
        watcher.is_new = watcher.closures = watcher.endings = False
        return update

    def _update_for(self, watcher: Watcher) -> Update:
        if watcher.is_new:
            return Update(picture=self.picture())
        vans = (self._picture.van(name) for name in sorted(watcher.vans))
        rows = (self._picture.row(stop_id) for stop_id in sorted(watcher.stops))
        return Update(
            vans=tuple(van for van in vans if van is not None),
            stops=tuple(row for row in rows if row is not None),
            closures=self._picture.closures if watcher.closures else None,
            endings=self._picture.endings if watcher.endings else None,
        )

    # Keeping up ---------------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        async with self._reading:
            self._woken.clear()
            if self._today() != self._picture.day:
                await self._start_day()
                return
            noted, self._noted = self._noted, Stored()
            try:
                stop_ids = noted.stops | self._picture.stops_with(noted.blobs)
                now_ids = set(islice(stop_ids, STOPS_AT_ONCE))
                await self._read_facts(now_ids)
                await self._read_vans(noted.vans)
            except StoreError:
                self._noted.add(noted)
                raise
            if later_ids := stop_ids - now_ids:
                self.note(Stored(stops=later_ids))
            self._refresh()
            self._drop_old_closures()

    async def _read_facts(self, stop_ids: set[StopId]) -> None:
        known_ids = self._picture.of_the_day(stop_ids)
        if known_ids:
            found = await self._database.read(lambda conn: reading.facts_of(conn, known_ids))
            for stop_id, facts in found.items():
                self._picture.put_facts(stop_id, facts)

    async def _read_vans(self, vans: set[str]) -> None:
        today = self._picture.day
        if today is None or not vans:
            return
        found = await self._database.read(lambda conn: reading.van_news(conn, vans, today))
        for name, (news, in_force) in found.items():
            came_online = news.is_online and not self._picture.is_online(name)
            self._picture.put_van(name, news, in_force)
            if came_online:
                self._on_online(name, news.applied_manifest_version)

    async def _start_day(self) -> None:
        day = self._today()
        names = self._picture.van_names
        stops = await self._database.read(lambda conn: reading.stops_of_day(conn, day))
        found = await self._database.read(lambda conn: reading.van_news(conn, names, day))
        self._picture.start_day(day)
        for order, facts in stops:
            self._picture.put_stop(order, facts)
        for name, (news, in_force) in found.items():
            self._picture.put_van(name, news, in_force)
        await self._read_closures()
        self._refresh()
        for watcher in self._watchers:
            watcher.is_new = True
            watcher.woken.set()

    async def _read_closures(self) -> None:
        now = self._clock.now()
        self._picture.put_closures(await self._database.read(lambda conn: standing(conn, CLOSURES, now)))

    def _drop_old_closures(self) -> None:
        if self._picture.drop_old_closures(self._clock.now()):
            self._tell_closures()

    def _refresh(self) -> None:
        changes: Changes = self._picture.refresh(self._clock.now())
        if not changes.vans and not changes.stops:
            return
        for watcher in self._watchers:
            watcher.vans |= {van.van for van in changes.vans}
            watcher.stops |= {row.stop_id for row in changes.stops}
            watcher.woken.set()

    def _tell_closures(self) -> None:
        for watcher in self._watchers:
            watcher.closures = True
            watcher.woken.set()
