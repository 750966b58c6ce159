"""One van in the rig: the production store, loop, decisions and courier, on a disk and a link of the rig's."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path

from agent.clock import VanClock
from agent.courier import Courier
from agent.errors import StoreError
from agent.link.live import live
from agent.runtime import Answer, Runtime
from agent.screen.taps import TapEntry
from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.trip.decide import decide
from agent.trip.eta import etas
from agent.trip.inputs import FixJudged, KeyReady, PlanNotFound, PlanSolved, TimeFound
from agent.trip.plans import pending_effects
from agent.trip.policy import held_first
from agent.trip.run import Run
from tests.builders import a_place, a_plan, a_position
from tests.rig.disk import Disk
from tests.rig.trackbook import BookedStore, TrackBook
from tests.rig.vfs import the_vfs
from tests.rig.virtual_link import SimLink
from tests.sealing import a_sealing, sealing_key
from wire.events import KeyAnnounced, Live, ReplanReason
from wire.track import Breadcrumb

FLEET = "town"
DATABASE_FILE = "van.sqlite"
METRES_A_FIX = 2.0
"""More than a position on the wire is precise to, and so little that no stop is reached by it."""


RESERVE_BYTES, BALLAST_BYTES = 40_000, 40_000
"""Both are files beside those of the disk, for they are nothing but room: the disk hears when they are given back."""


def nothing() -> None:
    """Happens."""


class NotThereError(Exception):
    """Whoever was asked is down, or died before it answered."""


class VanNode:
    """Boots, is killed, boots again. `on_boot` sees each new store before anything is done with it.

    Each life has a clock of its own, as each start of the agent has; `sky` is the time that its
    receiver says; whether the clock hears it is another thing (`hears_time`).
    """

    def __init__(
        self,
        name: str,
        folder: Path,
        *,
        dice: random.Random,
        make_clock: Callable[[], VanClock],
        sky: Callable[[], datetime],
        hears_time: bool,
        fix_every_s: float,
        book: TrackBook,
        on_boot: Callable[["VanNode", BookedStore], Awaitable[None]],
        on_cut: Callable[["VanNode"], None],
        on_broken: Callable[["VanNode", BaseException], None],
    ) -> None:
        self.name, self.folder = name, folder
        self.disk = Disk(dice.getrandbits(64))
        self.link: SimLink | None = None
        self.store: BookedStore | None = None
        self.runtime: Runtime | None = None
        self.boots = 0
        self.is_driving = True
        self.on_receipts: Callable[[], None] = nothing
        self._dice, self._make_clock = dice, make_clock
        self._sky, self._hears_time = sky, hears_time
        self._fix_every_s, self._book = fix_every_s, book
        self._clock = make_clock()
        self._on_boot, self._on_cut, self._on_broken = on_boot, on_cut, on_broken
        self._life: asyncio.Task[None] | None = None
        self._asked: set[asyncio.Task[Answer]] = set()

    @property
    def is_on(self) -> bool:
        return self._life is not None

    def boot(self) -> None:
        the_vfs().mount(self.folder, self.disk)
        self.disk.on_cut = self._lose_power
        self.disk.given_back = self._given_back
        self.boots += 1
        self._life = asyncio.create_task(self._live(self.disk))
        self._life.add_done_callback(self._ended)

    def _given_back(self) -> int:
        kept = {"reserve": RESERVE_BYTES, "ballast": BALLAST_BYTES}
        return sum(size for name, size in kept.items() if not (self.folder / name).exists())

    def _receipted(self) -> None:
        self.on_receipts()

    def _lose_power(self) -> None:
        asyncio.get_running_loop().call_soon(self._on_cut, self)  # not from within SQLite

    def _ended(self, life: asyncio.Task[None]) -> None:
        error = None if life.cancelled() else life.exception()
        if life is self._life and error is not None:
            self._on_broken(self, error)

    def kill(self, *, has_power: bool) -> None:
        """kill -9, or the power goes: nobody below the application is asked."""
        if self._life is None:
            return
        self.disk = self.disk.after_kill() if has_power else self.disk.after_power_cut()
        if self.link is not None:
            self.link.killed(has_power=has_power)
        self._life.cancel()
        for task in self._asked:
            task.cancel()
        self._life = self.store = self.runtime = self.link = None

    async def stop(self) -> None:
        """An orderly end."""
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def tap(self, entry: TapEntry) -> Answer:
        """As the cab page asks. Raises NotThereError when no answer came, StoreError when it was not saved."""
        runtime, disk = self.runtime, self.disk
        if runtime is None:
            raise NotThereError
        image = entry.image
        task = asyncio.create_task(
            runtime.submit(
                entry.entered,
                tap=TapMade(entry.tap_id, entry.request_hash),
                blob=NewBlob(image.sha256, image.kind, image.media_type, image.data) if image else None,
            )
        )
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)
        await asyncio.wait({task})
        if disk.is_dead or task.cancelled():
            raise NotThereError
        return task.result()

    async def _live(self, disk: Disk) -> None:
        store = await self._opened(disk)
        try:
            self._clock = self._make_clock()
            self._clock.begin(await store.clock_mark())
            await self._on_boot(self, store)
            self.store = store
            await self._work(store, await store.load_run())
        finally:
            with contextlib.suppress(StoreError):
                await store.close()

    async def _opened(self, disk: Disk) -> BookedStore:
        try:
            store = await BookedStore.open(
                self.folder, reserve_bytes=4_096, sealing=a_sealing(self.name, self._dice.getrandbits(64))
            )  # on no disk of ours: its size says nothing
            store.book, store.disk, store.receipted = self._book, disk, self._receipted
            return store
        except StoreError:
            if disk.is_dead:
                await asyncio.Event().wait()  # until whoever cut the power has seen it
            raise

    async def _work(self, store: BookedStore, run: Run) -> None:
        runtime = Runtime(
            store=store,
            run=run,
            decide=decide,
            pending_effects=pending_effects,
            ask_planner=self._plan,
            clock=self._clock,
        )

        def newest() -> Live:
            now = self._clock.now()
            return live(self.name, runtime.run, etas(runtime.run, now), now)

        courier = Courier(
            address=("rig", 1883),
            fleet=FLEET,
            van=self.name,
            store=store,
            submit=runtime.submit,
            live=newest,
            receipted=runtime.changed.ring,
            clock=self._clock,
            is_online=runtime.run.is_online,
            chance=self._dice.random,
        )
        runtime.saved.then(courier.nudge)
        runtime.live_wanted.then(courier.send_live)
        self.runtime = runtime
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(runtime.live())
            tasks.create_task(self._announce_key(runtime, store))
            tasks.create_task(courier.run())
            tasks.create_task(self._drive(runtime))
            tasks.create_task(self._date_what_was_said(runtime, store.identity.boot))
            tasks.create_task(self._forget(store))

    async def _plan(self, run: Run, reason: ReplanReason) -> PlanSolved | PlanNotFound:
        await asyncio.sleep(self._dice.uniform(0.05, 1.0))
        stops = [stop.stop for stop in run.open_stops]
        if not stops:
            return PlanNotFound(run_version=run.version, why="no stop is open")
        first = held_first(run, reason)
        stops.sort(key=lambda stop: stop.stop_id != first)
        plan = a_plan(stops, made_at=self._clock.now(), reason=reason)
        return PlanSolved(run_version=run.version, plan=plan)

    async def _drive(self, runtime: Runtime) -> None:
        """Fixes and breadcrumbs: no two of one van have one place and moment, so that each is known by what it says."""
        while True:
            await asyncio.sleep(self._fix_every_s)
            now = self._sky()
            if self._hears_time:
                self._clock.heard_gps(now)
            if not self.is_driving:
                continue
            number = len(self._book.told_of)
            place = a_place(north_m=METRES_A_FIX * number)
            crumb = Breadcrumb(
                wall_ms=round(now.timestamp() * 1000),
                lat_deg=round(place.lat_deg, 6),
                lon_deg=round(place.lon_deg, 6),
                speed_mps=None if number % 5 == 0 else number % 7 + 0.25,
                heading_deg=None if number % 3 == 0 else float(number % 360),
            )
            is_due = runtime.run.is_on_duty
            self._book.told(crumb, asyncio.get_running_loop().time(), is_due=is_due)
            runtime.tell(FixJudged(position=a_position(place, fixed_at=now)), crumb=crumb)

    async def _announce_key(self, runtime: Runtime, store: BookedStore) -> None:
        """As `agent/app.py` does, with a second for a minute."""
        told = ""
        while True:
            if (epoch := store.identity.epoch) != told:
                key = sealing_key(self.name, epoch).public_key
                with contextlib.suppress(StoreError):
                    await runtime.submit(KeyReady(epoch=epoch, announced=KeyAnnounced(public_key=key)))
                    told = epoch
            await asyncio.sleep(1.0)

    async def _date_what_was_said(self, runtime: Runtime, boot: int) -> None:
        while True:
            self._clock.read()
            if (found := self._clock.take_anchor()) is not None:
                anchored = TimeFound(
                    boot=boot, mono_ms=found.mono_ms, wall_ms=found.wall_ms, err_ms=found.err_ms, source=found.source
                )
                runtime.tell(anchored)
            await asyncio.sleep(1.0)

    async def _forget(self, store: BookedStore) -> None:
        while True:
            await asyncio.sleep(self._dice.uniform(3.0, 15.0))
            with contextlib.suppress(StoreError):
                await store.purge(self._clock.age_ms())
