"""One schedule from its first moment to the verdict."""

import asyncio
import contextlib
import hashlib
import logging
import random
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError

import agent.courier
import agent.errors
import agent.link.outbound
import agent.runtime.fixes
import agent.store.meta
import agent.store.room
import agent.store.runs
import agent.store.wal
import cloud.errors
import cloud.store.database
from agent.clock import VanClock
from cloud.store.database import Database, open_database
from host.clock import Clock, ClockSettings
from tests.builders import MORNING, a_command, a_manifest
from tests.rig import judge, schedule, sealjudge
from tests.rig.broker import Broker
from tests.rig.coordinator import DATABASE_FILE as CLOUD_FILE
from tests.rig.coordinator import CloudNode
from tests.rig.disk import Disk
from tests.rig.driver import Driver, a_day
from tests.rig.judge import Findings, Promises
from tests.rig.schedule import LEAST_CRASHES, Event, Fault, Schedule
from tests.rig.trackbook import BookedStore, TrackBook
from tests.rig.van import DATABASE_FILE as VAN_FILE
from tests.rig.van import FLEET, NotThereError, VanNode, nothing
from tests.rig.vfs import the_vfs
from tests.rig.virtual import DeadlockError, VirtualLoop
from tests.rig.virtual_link import SimLink
from tests.rig.weather import Weather
from wire import topics
from wire.codec import encode

CALM = Weather(least_s=0.005, most_s=0.05)
DRAINED_WITHIN_S = 300.0
"""Virtual seconds after the last fault is healed; beyond it a van counts as stuck."""
LOST_AFTER_S = 3_600.0


@dataclass
class Verdict:
    seed: int
    findings: Findings
    crashes: int
    partitions: int
    trace: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        """Of everything that happened: the same seed gives the same."""
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


class World:
    """The parts of one schedule. `run_schedule` is the way in."""

    def __init__(self, drawn: Schedule, loop: VirtualLoop, folder: Path) -> None:
        self.findings = Findings()
        self.promises = Promises()
        self.crashes = 0
        self.partitions = 0
        self.trace: list[str] = []
        self._drawn, self._loop = drawn, loop
        self._dice = random.Random(drawn.seed + 1)
        self._weather = drawn.weather
        self._skew_s = dict.fromkeys(drawn.vans, drawn.clock_off_s)
        self._broker = Broker(loop, self._dice, lambda: self._weather)
        self._timers: list[asyncio.TimerHandle] = []
        self._books = {name: TrackBook(name) for name in drawn.vans}
        self._vans = {name: self._van(name, folder / name) for name in drawn.vans}
        (folder / "cloud").mkdir()
        self._cloud = CloudNode(
            folder / "cloud",
            disk=Disk(self._dice.getrandbits(64), migrated_cloud()),
            dice=self._dice,
            clock=Clock(ClockSettings(), system=self._true_s, monotonic=self._loop.time),
            broker=self._broker,
            vans=drawn.vans,
            on_boot=self._cloud_booted,
            on_cut=self._cut,
            on_broken=self._broke,
            on_publish=self._cloud_published,
            note=self._note,
        )
        self._drivers = {name: self._driver(van) for name, van in self._vans.items()}

    @property
    def nodes(self) -> list[VanNode | CloudNode]:
        return [*self._vans.values(), self._cloud]

    async def run(self) -> None:
        self._cloud.boot()
        for van in self._vans.values():
            van.boot()
        working = [asyncio.create_task(driver.work()) for driver in self._drivers.values()]
        self._dispatcher = asyncio.create_task(self._dispatch())
        working.append(self._dispatcher)
        for event in self._drawn.events:
            await asyncio.sleep(max(0.0, event.at_s - self._loop.time()))
            self._strike(event)
        await asyncio.sleep(self._dice.uniform(0.0, 5.0))
        await self._heal()
        await self._drain()
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        for timer in self._timers:
            timer.cancel()
        in_order = [name for name, van in self._vans.items() if van.store is not None]
        for node in self.nodes:
            await node.stop()
        self._settle(in_order)

    # Faults ---------------------------------------------------------------------------------------------------------

    def _strike(self, event: Event) -> None:
        self._note(f"{event.fault} {event.node} {event.amount:.3f}")
        node = next((node for node in self.nodes if node.name == event.node), None)
        match event.fault:
            case Fault.CUT:
                assert node is not None
                node.disk.cut_in(int(event.amount))
            case Fault.POWER | Fault.KILL:
                assert node is not None
                self._crash(node, has_power=event.fault is Fault.KILL)
            case Fault.PARTITION | Fault.ONE_WAY:
                is_both = event.fault is Fault.PARTITION
                self.partitions += 1
                self._broker.block(event.node, up=is_both or event.is_up, down=is_both or not event.is_up)
                self._after(event.amount, lambda: self._broker.unblock(event.node))
            case Fault.RESET:
                self._broker.reset(event.node)
            case Fault.BROKER:
                self._broker.crash()
                self._after(event.amount, self._broker.restart)
            case Fault.FULL | Fault.TIGHT:
                assert node is not None
                if isinstance(node, VanNode) and event.is_at_receipt:
                    node.on_receipts = partial(self._fill_at_receipt, node, event)
                else:
                    self._fill(node, event)
            case Fault.EPOCH:
                assert isinstance(node, VanNode)
                self._crash(node, has_power=False)
                (node.folder / "boot").write_text("1000000\n")
            case Fault.JUMP:
                self._skew_s[event.node] += event.amount

    def _fill_at_receipt(self, node: VanNode, event: Event) -> None:
        node.on_receipts = nothing
        self._fill(node, event)

    def _fill(self, node: VanNode | CloudNode, event: Event) -> None:
        if event.fault is Fault.FULL:
            node.disk.is_full = True
        else:
            held = sum(len(data) for name, data in node.disk.seen.items() if not name.endswith("-wal"))
            node.disk.limit_bytes = held + event.room_bytes
        if node.name in self._books:
            self._books[node.name].may_thin = True

        def empty() -> None:
            node.disk.is_full, node.disk.limit_bytes = False, None

        self._after(event.amount, empty)

    def _cut(self, node: VanNode | CloudNode) -> None:
        """The disk of that node has just died under an operation."""
        self._crash(node, has_power=False)

    def _crash(self, node: VanNode | CloudNode, *, has_power: bool) -> None:
        if not node.is_on:
            return  # dark already
        self.crashes += 1
        self._note(f"{node.name} dies ({'killed' if has_power else 'power'}) at operation {node.disk.operations}")
        node.kill(has_power=has_power)
        if self._dice.random() < 0.25:
            node.disk.cut_in(self._dice.randint(1, 30))  # once more, while it recovers
        self._after(self._dice.uniform(0.05, 2.0), node.boot)

    def _broke(self, node: VanNode | CloudNode, error: BaseException) -> None:
        """A part ended by itself; whoever started it starts it again."""
        self._note(f"{node.name} ended: {error!r}")
        if not _is_disk(error):
            self.findings.stuck.append(f"{node.name} broke: {error!r}")
        node.kill(has_power=True)
        self._after(1.0, node.boot)

    async def _heal(self) -> None:
        for node in self.nodes:
            node.disk.is_full, node.disk.limit_bytes = False, None
        for van in self._vans.values():
            van.is_driving, van.on_receipts = False, nothing
        while self.crashes < LEAST_CRASHES:
            if on := [node for node in self.nodes if node.is_on]:
                self._crash(self._dice.choice(on), has_power=False)
            else:
                await asyncio.sleep(0.1)  # all are dark; one has to come up before it can be cut again
        for node in self.nodes:
            node.disk.cut_at = None
            self._broker.unblock(node.name)
        self._broker.restart()
        self._weather = CALM
        self._note("healed")

    async def _drain(self) -> None:
        """Until nothing is left to do, twice in a row: what was said last may be on its way to a van."""
        deadline_s = self._loop.time() + DRAINED_WITHIN_S
        looks_done = 0
        while looks_done < 2:
            what = self._undone() or await self._on_disk()
            looks_done = 0 if what else looks_done + 1
            if what and self._loop.time() > deadline_s:
                self.findings.stuck += what
                return
            await asyncio.sleep(0.5)

    async def _on_disk(self) -> list[str]:
        """What waits by the disk itself: a van that counts it wrongly is not done."""
        waits = []
        for name, van in self._vans.items():
            with contextlib.suppress(agent.errors.StoreError):  # it dies just now: the next look is at its next life
                if van.store is not None and await van.store.next_unreceipted("events", 1):
                    waits.append(f"{name} holds events that it does not count as waiting")
        return waits

    def _undone(self) -> list[str]:
        undone = [] if self._cloud.database is not None else ["the coordinator does not come up"]
        if not self._dispatcher.done():
            undone.append("the dispatcher has more to say")
        for name, driver in self._drivers.items():
            store = driver.van.store
            if store is None:
                undone.append(f"{name} does not come up")
                continue
            if not driver.is_done:
                undone.append(f"{name}'s driver waits for tap {len(driver.saved)} of {len(driver.acts)}")
            waiting = store.waiting
            if waiting.events or waiting.track or waiting.blobs:
                undone.append(
                    f"{name} still holds {waiting.events} events, {waiting.track} crumbs, {waiting.blobs} blobs"
                )
        return undone

    # Ordinary life --------------------------------------------------------------------------------------------------

    async def _dispatch(self) -> None:
        """A list, later a second one with a stop more, and commands said more than once."""
        stops = self._drawn.stops
        for number, at_s in ((1, 0.0), (2, self._drawn.second_list_at_s)):
            await asyncio.sleep(max(0.0, at_s - self._loop.time()))
            for name in self._drawn.vans:
                await self._until_handed_out(a_manifest(stops + number - 1, van=name, version=number))
        for name in self._drawn.vans:
            await asyncio.sleep(self._dice.uniform(0.0, 2.0))
            command = a_command(issued_at=MORNING, expires_at=MORNING + timedelta(days=10_000))
            for _ in range(self._dice.choice((1, 2, 3))):
                if self._cloud.link is not None:
                    topic = topics.COMMANDS.of(FLEET, name)
                    self._cloud.link.publish(topic, encode(command), qos=topics.COMMANDS.qos)
                await asyncio.sleep(self._dice.uniform(0.0, 2.0))

    async def _until_handed_out(self, manifest: Any) -> None:
        while True:
            try:
                await self._cloud.hand_out(manifest)
            except NotThereError:
                await asyncio.sleep(0.2)
            except Exception:  # it was saved, and the answer got lost
                return
            else:
                return

    def _van(self, name: str, folder: Path) -> VanNode:
        folder.mkdir()
        return VanNode(
            name,
            folder,
            dice=self._dice,
            make_clock=lambda: self._van_clock(name),
            sky=self._sky,
            hears_time=self._drawn.hears_time,
            fix_every_s=self._drawn.fix_every_s,
            book=self._books[name],
            on_boot=self._van_booted,
            on_cut=self._cut,
            on_broken=self._broke,
        )

    def _driver(self, van: VanNode) -> Driver:
        stop_ids = [f"s{number + 1}" for number in range(self._drawn.stops + 1)]
        acts = a_day(van.name, stop_ids, self._dice, MORNING)
        return Driver(van, acts, self._dice, self._drawn.pace_s, self._note)

    def _van_clock(self, name: str) -> VanClock:
        return VanClock(
            ClockSettings(), system=lambda: max(0.0, self._true_s() + self._skew_s[name]), monotonic=self._loop.time
        )

    def _true_s(self) -> float:
        return MORNING.timestamp() + self._loop.time()

    def _sky(self) -> datetime:
        return datetime.fromtimestamp(self._true_s(), UTC)

    def link_for(self, **asked: Any) -> SimLink:
        """What the courier gets when it asks for an MqttLink."""
        van = self._vans[asked["client_id"]]
        disk = van.disk
        known = ("client_id", "will", "subscriptions", "keepalive_s", "clean_start", "receive_maximum")
        wanted = {name: value for name, value in asked.items() if name in known}
        van.link = SimLink(self._broker, self._dice, lambda: disk.is_dead, note=self._note, **wanted)
        return van.link

    async def _van_booted(self, van: VanNode, store: BookedStore) -> None:
        self._note(f"{van.name} is up, boot {store.identity.boot}, epoch {store.identity.epoch}")
        self._books[van.name].boots(store.lanes())
        self.findings.lost += await judge.unsaved(self._drivers[van.name].saved, store)

    def _cloud_booted(self, database: Database) -> None:
        self._note("the coordinator is up")
        self.findings.lost += self.promises.broken(database)

    def _cloud_published(self, topic: str, payload: bytes) -> None:
        self.promises.heard(topic, payload)
        if topic.endswith(topics.RECEIPTS.name):
            self._note(f"{topic} {hashlib.sha256(payload).hexdigest()[:8]}")

    # The end --------------------------------------------------------------------------------------------------------

    def _settle(self, in_order: Sequence[str]) -> None:
        for node in self.nodes:
            the_vfs().mount(node.folder, node.disk)
        for name, driver in self._drivers.items():
            self.findings.doubled += driver.troubles
            files = (self._vans[name].folder / VAN_FILE, self._cloud.folder / CLOUD_FILE)
            ended_s = self._loop.time() if name in in_order else None
            judge.settle(self.findings, name, driver.saved, *files, self._books[name], ended_s)
        database = open_database(self._cloud.folder / CLOUD_FILE)
        try:
            judge.refold(self.findings, database)
            closed = {
                stop_id
                for driver in self._drivers.values()
                for act in driver.saved
                for kind, stop_id, _ in act.said
                if kind in ("stop.completed", "stop.failed")
            }
            with database.snapshot() as connection:
                self.findings.disordered += sealjudge.broken(connection, sorted(closed))
        finally:
            database.close()
        for error in the_vfs().errors:
            raise error

    def _after(self, delay_s: float, act: Any) -> None:
        self._timers.append(self._loop.call_later(delay_s, act))

    def _note(self, text: str) -> None:
        self.trace.append(f"{self._loop.time():9.3f} {text}")


def _is_disk(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_disk(inner) for inner in error.exceptions)
    return isinstance(error, agent.errors.StoreError | cloud.errors.StoreError | OperationalError)


def run_schedule(seed: int) -> Verdict:
    """The verdict on one seed. Same seed, same code: same trace."""
    drawn = schedule.draw(seed)
    loop = VirtualLoop(seed, is_shuffled=drawn.is_shuffled, longest_job_s=drawn.longest_job_s)
    folder = Path(tempfile.mkdtemp(prefix="rig-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    migrated_cloud()
    world = World(drawn, loop, folder)
    epochs = random.Random(seed + 2)
    try:
        with (
            mock.patch.object(agent.courier, "MqttLink", world.link_for),
            mock.patch.object(
                agent.store.meta,
                "secrets",
                SimpleNamespace(token_hex=lambda n: f"{epochs.getrandbits(8 * n):0{2 * n}x}"),
            ),
            mock.patch.object(agent.runtime.fixes, "LIMIT", drawn.crumbs_in_memory),
            mock.patch.object(agent.link.outbound, "MAX_EVENTS", drawn.events_a_packet),
            mock.patch.object(agent.link.outbound, "MAX_CRUMBS", drawn.crumbs_a_packet),
            mock.patch.object(agent.store.wal, "IS_LONG_BYTES", drawn.log_is_long_bytes),
            mock.patch.object(agent.store.wal, "IS_FULL_BYTES", 2 * drawn.log_is_long_bytes),
            mock.patch.object(agent.store.room, "NEWEST_CRUMBS", drawn.crumbs_spared),
            mock.patch.object(agent.store.runs, "LARGEST_DIFFERENCE_BYTES", drawn.largest_difference_bytes),
            mock.patch.object(cloud.store.database, "_migrate"),  # see `migrated_cloud`
            mock.patch.object(cloud.store.database, "create_engine", _engine),
            quiet(),
        ):
            try:
                asyncio.set_event_loop(loop)
                loop.run_until_complete(world.run())
            except DeadlockError as error:
                world.findings.stuck.append(str(error))
            finally:
                _wind_up(loop)
    finally:
        for node in world.nodes:
            the_vfs().unmount(node.folder)
        shutil.rmtree(folder)
    return Verdict(seed, world.findings, world.crashes, world.partitions, world.trace)


_first: list[Engine] = []


def _engine(*arguments: Any, **options: Any) -> Engine:
    """An engine that shares its compiled statements with those of all lives: half of a short life is compiling.

    They are kept by dialect, so that is shared too; each engine keeps a pool of its own.
    """
    engine = create_engine(*arguments, **options)
    if not _first:
        _first.append(engine)
    engine.dialect, engine._compiled_cache = _first[0].dialect, _first[0]._compiled_cache
    return engine


def _wind_up(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        with contextlib.suppress(DeadlockError):
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.close()
    asyncio.set_event_loop(None)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """What the parts say of their troubles is no news here."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


_template: dict[str, bytes] = {}


def migrated_cloud() -> dict[str, bytes]:
    """A coordinator's files after its first start; made once, since `exhaust` cuts the first start itself."""
    if not _template:
        folder = Path("/rig-template")
        disk = Disk(0)
        the_vfs().mount(folder, disk)
        with mock.patch.object(Path, "mkdir"):
            open_database(folder / CLOUD_FILE).close()
        _template.update(disk.image())
        the_vfs().unmount(folder)
    return dict(_template)
