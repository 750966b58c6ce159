"""Lets the faults of a scenario happen when their van has come far enough, and remembers which ones did."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from simulator.scenario import (
    CoordinatorKilled,
    Fault,
    LinkCut,
    Process,
    ProcessKilled,
    RoadClosed,
    StopRefused,
    VanKilled,
)
from wire.events import FailReason

LEAST_OF_A_RUN = 0.38
"""A cut link stays cut for at least this part of the van's run: a third, and some in hand."""


class World(Protocol):
    """What a fault can reach: the things outside the van and the coordinator, and their power switches."""

    def now(self) -> datetime: ...
    def cut_link(self, van: str) -> None: ...
    def heal_link(self, van: str) -> None: ...
    def kill(self, process: Process, van: str) -> bool: ...
    def watch_receipts(self, van: str, seen: Callable[[], None]) -> None: ...
    def refuse_next(self, van: str, reason: FailReason) -> None: ...
    def close_bridge(self, bridge: int, duration: timedelta) -> Awaitable[None]: ...
    def say(self, text: str) -> None: ...


@dataclass
class Pending:
    """One fault of the scenario on its way."""

    fault: Fault
    started: bool = False
    fired: bool = False
    times_left: int = 1
    since: datetime | None = None


@dataclass
class Faults:
    """Told of progress by the drivers; pulls the switches of the world."""

    world: World
    pending: list[Pending] = field(default_factory=list)
    offline: dict[str, timedelta] = field(default_factory=dict)
    """Domain time each van has been without a link, for cuts that are over."""
    begun: dict[str, datetime] = field(default_factory=dict)
    """When each driver began."""

    @classmethod
    def of(cls, world: World, faults: tuple[Fault, ...]) -> "Faults":
        return cls(
            world,
            [Pending(f, times_left=f.times if isinstance(f, CoordinatorKilled) else 1) for f in faults],
        )

    def fired(self) -> dict[str, bool]:
        """Which faults have happened whole, by a name a reader understands."""
        return {_name(item.fault, place): item.fired for place, item in enumerate(self.pending, start=1)}

    async def on_progress(self, van: str, closed: int, total: int) -> None:
        """A driver has closed a stop, or is about to start (closed = 0)."""
        share = closed / total if total else 1.0
        self.begun.setdefault(van, self.world.now())
        for item in self.pending:
            if item.fault.van != van or item.fired:
                continue
            match item.fault:
                case LinkCut() as cut:
                    self._link(item, cut, share)
                case _ if item.started or share < item.fault.at_share:
                    pass
                case StopRefused(reason=reason):
                    item.started = item.fired = True
                    self.world.refuse_next(van, reason)
                    self.world.say(f"{van}: the next door will refuse")
                case RoadClosed(bridge=bridge, for_min=for_min):
                    item.started = True
                    await self.world.close_bridge(bridge, timedelta(minutes=for_min))
                    item.fired = True
                    self.world.say(f"bridge {bridge + 1} is closed")
                case ProcessKilled(process=process):
                    item.started = item.fired = True
                    self.world.kill(process, van)
                    self.world.say(f"{process} was killed, when {van} was at {share:.0%}")
                case CoordinatorKilled():
                    item.started = True
                    self._kill_at_receipt(item)
                case VanKilled():
                    item.started = True  # on_saving does the rest

    def on_saving(self, van: str, _stop_id: str, kind: str) -> None:
        """A driver's request that saves evidence is under way."""
        for item in self.pending:
            fault = item.fault
            if not isinstance(fault, VanKilled) or not item.started or item.fired:
                continue
            if fault.van == van and fault.while_saving == kind:
                item.fired = True
                self.world.kill(Process.AGENT, van)
                self.world.say(f"{van}: the agent was killed while a {kind} was being saved")

    def _is_long_enough(self, since: datetime, van: str, share: float) -> bool:
        """Stops say little about time where a driver waits for windows: a cut also lasts its part of the whole run, as
        the share done so far foretells it."""
        now = self.world.now()
        whole_run = (now - self.begun[van]) / share
        return share >= 1 or now - since >= whole_run * LEAST_OF_A_RUN

    def _link(self, item: Pending, cut: LinkCut, share: float) -> None:
        if not item.started and share >= cut.from_share:
            item.started, item.since = True, self.world.now()
            self.world.cut_link(cut.van)
            self.world.say(f"{cut.van}: the network is gone")
        elif item.since is not None and share >= cut.until_share and self._is_long_enough(item.since, cut.van, share):
            self.offline[cut.van] = self.offline.get(cut.van, timedelta()) + (self.world.now() - item.since)
            item.fired = True
            self.world.heal_link(cut.van)
            self.world.say(f"{cut.van}: the network is back after {self.offline[cut.van].total_seconds() / 60:.0f} min")

    def _kill_at_receipt(self, item: Pending) -> None:
        def seen() -> None:
            if self.world.kill(Process.COORDINATOR, item.fault.van):
                item.times_left -= 1
                self.world.say("the coordinator was killed with a receipt on the wire")
            if item.times_left > 0:
                self._kill_at_receipt(item)
            else:
                item.fired = True

        self.world.watch_receipts(item.fault.van, seen)


def _name(fault: Fault, place: int) -> str:
    what = f"{fault.process} killed" if isinstance(fault, ProcessKilled) else fault.kind
    return f"{what} ({fault.van}, fault {place})"
