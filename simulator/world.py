"""The switches a fault can reach: links, processes, doors, bridges; holds what stands outside the van in a run."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from host.clock import Clock
from simulator.dispatcher import Dispatcher
from simulator.driver import Driver
from simulator.link import Link
from simulator.processes import pid_of
from simulator.roadtrip import OpenRoads
from simulator.scenario import Process
from simulator.town import Bridge
from wire.events import FailReason
from wire.manifest import Closure, NodePair

OF_THE_COORDINATOR = frozenset({Process.COORDINATOR, Process.BROKER})


@dataclass
class StagedWorld:
    """`simulator.faults.World` over real processes."""

    clock: Clock
    cloud_run_dir: Path
    van_run_dirs: dict[str, Path]
    links: dict[str, Link]
    drivers: dict[str, Driver]
    dispatcher: Dispatcher
    roads: OpenRoads
    bridges: tuple[Bridge, ...]
    say: Callable[[str], None]
    killed: list[tuple[str, int]] = field(default_factory=list)

    def now(self) -> datetime:
        return self.clock.now()

    def cut_link(self, van: str) -> None:
        self.links[van].cut()

    def heal_link(self, van: str) -> None:
        self.links[van].heal()

    def watch_receipts(self, van: str, seen: Callable[[], None]) -> None:
        self.links[van].watch_receipts(seen)

    def refuse_next(self, van: str, reason: FailReason) -> None:
        self.drivers[van].refuse_next(reason)

    def kill(self, process: Process, van: str) -> bool:
        """SIGKILL to the process that wrote that pid file; False for one that is just not up and needs no killing."""
        run_dir = self.cloud_run_dir if process in OF_THE_COORDINATOR else self.van_run_dirs[van]
        pid = pid_of(run_dir, process)
        if pid is not None:
            self.killed.append((process, pid))
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                self.say(f"{process} of {van} was down already")
                return False
        return pid is not None

    async def close_bridge(self, bridge: int, duration: timedelta) -> None:
        """In the world at once; at the coordinator by the dispatcher, who insists until it answers."""
        chosen = self.bridges[bridge]
        closure = Closure(
            closure_id=f"bridge-{bridge + 1}",
            note=f"{chosen.name} is closed",
            pairs=tuple(NodePair(from_node=a, to_node=b) for a, b in chosen.pairs),
            line=tuple((place.lat_deg, place.lon_deg) for place in chosen.line),
            valid_from=self.now(),
            valid_until=self.now() + duration,
        )
        await self.roads.close(closure, self.now())
        await self.dispatcher.close_road(closure)
