"""`link`: the agent, mosquitto and the coordinator as processes, in network namespaces joined by a seeded shuttle.

One schedule from its first moment to the verdict, and the command that runs many. The seed fixes what happens and when;
what the kernel and the processes make of it is theirs, so that a seed replays the weather and not each packet.
"""

import asyncio
import contextlib
import random
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cloud.app import DATABASE_FILE as CLOUD_FILE
from cloud.store.database import open_database
from tests.builders import MORNING
from tests.rig import judge
from tests.rig.ext4 import MachineLacksError
from tests.rig.judge import Findings
from tests.rig.link import plan
from tests.rig.link.cab import Driver, Gpsd, a_day
from tests.rig.link.namespace import Namespace, check_machine
from tests.rig.link.nodes import Agent, Broker, Node, hand_out
from tests.rig.link.plan import CLOUD, Event, Fault, Plan
from tests.rig.link.shuttle import READ_BYTES, Shuttle
from tests.rig.simulate import commit

DRAINED_WITHIN_S = 120.0
"""Seconds after the last fault is healed; beyond it what has not arrived counts as lost."""
VAN_FILE = "van.sqlite"
HUB = "192.0.2.1"
FLAPS_EVERY_S = 2.0
READY_WITHIN_S = 60.0
SPEAKS_WITHIN_S = 1.5
"""A node to be killed is killed when it next speaks, or after this."""


@dataclass
class Verdict:
    plan: Plan
    findings: Findings
    saved: int = 0
    drained_s: float = 0.0
    trace: list[str] = field(default_factory=list)


class Schedule:
    """The parts of one. `run_schedule` is the way in."""

    def __init__(self, drawn: Plan, home: Path, plant: str, closing_: contextlib.ExitStack) -> None:
        self.verdict = Verdict(drawn, Findings())
        self._drawn, self._began_s = drawn, time.time()
        self._dice = random.Random(drawn.seed + 1)

        def namespace(name: str, address: str) -> Namespace:
            made = Namespace(f"rig-{name}", address)
            closing_.callback(made.close)
            return made

        self._broker = Broker(namespace("broker", HUB), home / "broker", has_disk=drawn.needs_disk)
        self._nodes = {
            name: Agent(
                name,
                namespace(name, f"192.0.2.{2 + number}"),
                home / name,
                broker=HUB,
                began=self._began_s,
                plant=plant,
            )
            for number, name in enumerate((CLOUD, *drawn.vans))
        }
        self._all: tuple[Node, ...] = (self._broker, *self._nodes.values())
        namespaces = [node.namespace for node in self._all]
        self._shuttle = Shuttle(HUB, {one.address: one.tun for one in namespaces}, self._dice)
        closing_.callback(self._shuttle.close)
        self._drivers = [
            Driver(self._nodes[van], a_day(van, plan.STOPS, self._dice), self._dice, drawn.pace_s, self._note)
            for van in drawn.vans
        ]

    async def run(self) -> Verdict:
        hand_out(self._nodes[CLOUD], self._drawn.vans)
        await self._broker.boot()
        for agent in self._nodes.values():
            await agent.boot()
        feeds = [Gpsd(driver.van, self._now) for driver in self._drivers]
        works = (*(feed.run() for feed in feeds), *(driver.run() for driver in self._drivers))
        working = [asyncio.create_task(work) for work in works]
        try:
            async with asyncio.timeout(READY_WITHIN_S):
                await asyncio.gather(*(driver.has_list() for driver in self._drivers))
            self._note("the vans have their lists")
            async with asyncio.TaskGroup() as faults:
                for event in self._drawn.events:
                    faults.create_task(self._strike(event))
            await self._heal()
            await self._drain(feeds)
        finally:
            for node in self._all:
                await node.kill()
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)
        self._settle()
        return self.verdict

    # Faults ---------------------------------------------------------------------------------------------------------

    async def _strike(self, event: Event) -> None:
        await asyncio.sleep(event.at_s)
        self._note(f"{event.fault} {event.node} {event.lasts_s:.1f} s {event.amount:g}")
        match event.fault:
            case Fault.BROKER_KILLED:
                await self._broker.die(event.lasts_s)
            case Fault.BROKER_CUT:
                await self._broker.lose_power(event.lasts_s)
            case Fault.BROKER_FULL:
                await self._broker.run_full(event.lasts_s)
            case Fault.VAN_KILLED | Fault.CLOUD_KILLED:
                # At the worst moment: what it has just said is on its way, and nothing after it will be done.
                node = self._nodes[event.node]
                await self._shuttle.speaks(node.namespace.address, node.strike, SPEAKS_WITHIN_S)
                await node.kill()
                await asyncio.sleep(event.lasts_s)
                await node.boot()
            case Fault.PARTITION:
                namespace = self._nodes[event.node].namespace
                await namespace.set_up(is_up=False)
                await asyncio.sleep(event.lasts_s)
                await namespace.set_up(is_up=True)
            case Fault.FLAPPING:
                for _ in range(round(event.lasts_s / FLAPS_EVERY_S)):
                    async with self._weather(event, is_up_closed=True, is_down_closed=True):
                        await asyncio.sleep(FLAPS_EVERY_S / 2)
                    await asyncio.sleep(FLAPS_EVERY_S / 2)
            case _:
                async with self._weather(event, **_weather_of(event)):
                    await asyncio.sleep(event.lasts_s)
        self._note(f"{event.fault} {event.node} ends")

    @contextlib.asynccontextmanager
    async def _weather(self, event: Event, **changes: float) -> AsyncIterator[None]:
        way = self._shuttle.ways[self._nodes[event.node].namespace.address]
        before = {name: getattr(way, name) for name in changes}
        for name, value in changes.items():
            setattr(way, name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(way, name, value)

    async def _heal(self) -> None:
        for address in self._shuttle.ways:
            self._shuttle.ways[address] = type(self._shuttle.ways[address])()
        for node in self._nodes.values():
            if not node.is_running:  # each is started again where it was killed
                self.verdict.findings.stuck.append(f"{node.name} ended by itself: {' | '.join(node.said(4))}")
                await node.boot()
        self._note("healed")

    async def _drain(self, feeds: list[Gpsd]) -> None:
        began_s = time.monotonic()
        for feed in feeds:
            feed.park()
        calm = 0
        while calm < 2:  # a screen may show the moment before the last tap
            undone = await self._undone()
            calm = 0 if undone else calm + 1
            self.verdict.drained_s = time.monotonic() - began_s
            if undone and self.verdict.drained_s > DRAINED_WITHIN_S:
                self.verdict.findings.stuck += undone
                return
            await asyncio.sleep(0.5)
        self._note("drained")

    async def _undone(self) -> list[str]:
        undone = []
        for driver in self._drivers:
            waiting = await driver.waiting()
            if not driver.is_done:
                undone.append(f"{driver.van.name}'s driver waits, {len(driver.saved)} taps are saved")
            elif waiting is None:
                undone.append(f"{driver.van.name} does not answer: {' | '.join(driver.van.said(4))}")
            elif waiting:
                undone.append(f"{driver.van.name} still holds {waiting} records and pieces of evidence")
        return undone

    # The end --------------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        findings, there = self.verdict.findings, self._nodes[CLOUD].data / CLOUD_FILE
        for driver in self._drivers:
            self.verdict.saved += len(driver.saved)
            findings.doubled += driver.troubles
            judge.settle(findings, driver.van.name, driver.saved, driver.van.data / VAN_FILE, there)
        database = open_database(there)
        try:
            judge.refold(findings, database)
        finally:
            database.close()
        with closing(sqlite3.connect(there)) as rows:
            gaps = rows.execute(
                "SELECT van, contiguous_seq, beyond FROM lane_cursors WHERE lane = 'events' AND beyond <> '[]'"
            )
            findings.lost += [f"{van}'s events have a gap after {upto}: {beyond}" for van, upto, beyond in gaps]
        if findings.lost or findings.doubled or findings.stuck:
            for node in self._all:
                self.verdict.trace += [f"{node.name:8} {line}" for line in node.said()]

    def _now(self) -> datetime:
        return MORNING + timedelta(seconds=time.time() - self._began_s)

    def _note(self, text: str) -> None:
        self.verdict.trace.append(f"{time.time() - self._began_s:7.2f} {text}")


def _weather_of(event: Event) -> dict[str, float]:
    match event.fault:
        case Fault.LOSS:
            return {"loss": event.amount}
        case Fault.DELAY:
            return {"delay_s": event.amount / 2, "jitter_s": event.amount}
        case Fault.DOUBLES:
            return {"doubling": event.amount}
        case Fault.FLIPS:
            return {"flipping": event.amount}
        case Fault.ONE_WAY:
            return {"is_up_closed": event.is_up, "is_down_closed": not event.is_up}
        case Fault.BLACK_HOLE:
            return {"is_up_closed": True, "is_down_closed": True}
        case Fault.RESET:
            return {"is_resetting": True}
        case Fault.MTU:
            return {"largest_bytes": min(READ_BYTES, int(event.amount))}
    raise AssertionError(event)


async def run_schedule(seed: int, plant: str = "") -> Verdict:
    home = Path(tempfile.mkdtemp(prefix=f"rig-link-{seed}-"))
    with contextlib.ExitStack() as ending:
        ending.callback(shutil.rmtree, home, ignore_errors=True)
        return await Schedule(plan.draw(seed), home, plant, ending).run()


# The command --------------------------------------------------------------------------------------------------------


def link(schedules: int, seed: int, jobs: int, plant: str) -> int:
    """The exit status: 0 when nothing was lost, doubled, disordered or stuck."""
    try:
        check_machine()
    except MachineLacksError as error:
        print(f"this machine cannot run `link`: it lacks {error}", file=sys.stderr)
        return 1
    try:
        return asyncio.run(_link(range(seed, seed + schedules), jobs, plant))
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("ended before it was done; nothing is left running", file=sys.stderr)
        return 1


async def _link(seeds: range, jobs: int, plant: str) -> int:
    began_s, turn, done = time.monotonic(), asyncio.Semaphore(jobs), list[Verdict]()
    us = asyncio.current_task()
    assert us is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, us.cancel)

    async def one(seed: int) -> None:
        async with turn:
            verdict = await run_schedule(seed, plant)
        done.append(verdict)
        faults = ", ".join(event.fault for event in verdict.plan.events)
        print(f"seed {seed}: {faults}; {verdict.saved} taps, drained after {verdict.drained_s:.0f} s", flush=True)
        if not verdict.findings.is_clean:
            _report(verdict, plant)

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(one(seed))
    kinds = Counter(event.fault for verdict in done for event in verdict.plan.events)
    print(f"{', '.join(f'{fault} {kinds[fault]}' for fault in Fault)}")
    disordered, stuck = (sum(len(getattr(one.findings, name)) for one in done) for name in ("disordered", "stuck"))
    print(
        f"seeds {seeds[0]} to {seeds[-1]}, commit {commit()}, {time.monotonic() - began_s:.0f} s, {jobs} at once, "
        f"{sum(one.saved for one in done)} taps, slowest to drain {max(one.drained_s for one in done):.0f} s of "
        f"{DRAINED_WITHIN_S:.0f}, disordered={disordered} stuck={stuck}"
    )
    lost, doubled = (sum(len(getattr(one.findings, name)) for one in done) for name in ("lost", "doubled"))
    print(f"schedules={len(done)} lost={lost} doubled={doubled}")
    return 0 if done and all(one.saved and one.findings.is_clean for one in done) else 1


def _report(verdict: Verdict, plant: str) -> None:
    seed = verdict.plan.seed
    print(f"seed={seed} commit={commit()}" + (f" planted: {plant}" if plant else ""))
    for line in (*verdict.findings.lines()[:20], *verdict.trace[-80:]):
        print(f"  {line[:400]}")
    print(f"  again: scripts/rig link --schedules 1 --seed {seed}", flush=True)
