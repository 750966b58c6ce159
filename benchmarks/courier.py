"""`python -m benchmarks.courier VAN.toml`: a van's store, loop and courier without screen, receiver and planner.

The parts are the agent's own, wired as its `app.py` wires them; orders come on stdin, answers go to stdout, a line of
JSON each: fill, drain, ping. What the van does not need for talking to the coordinator would only blur the figure.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.config import Settings, read_settings
from agent.courier import Courier
from agent.identity.badge import Badge
from agent.identity.tls import Credentials
from agent.link.live import live
from agent.runtime import Runtime
from agent.store.store import Step, Store
from agent.trip.decide import decide
from agent.trip.inputs import PlanNotFound
from agent.trip.plans import pending_effects
from agent.trip.run import Run
from benchmarks.made import at_eight, events
from host.clock import Clock
from wire.events import Live, ReplanReason

FILL_AT_ONCE = 500


async def main() -> None:
    settings = read_settings(Path(sys.argv[1]))
    store = await Store.open(settings.data_dir)
    clock = Clock(settings.clock)
    runtime = Runtime(
        store=store,
        run=await store.load_run(),
        decide=decide,
        pending_effects=pending_effects,
        ask_planner=_no_plan,
        clock=clock,
    )
    receipted = asyncio.Event()

    def on_receipt() -> None:
        runtime.changed.ring()
        receipted.set()

    courier = _courier(settings, store, runtime, clock, on_receipt)
    runtime.saved.then(courier.nudge)
    bench = Bench(store, runtime, courier, receipted)
    try:
        await bench.serve()
    finally:
        await bench.close()
        await store.close()


class Bench:
    """Does what it is told, and says how long it took."""

    def __init__(self, store: Store, runtime: Runtime, courier: Courier, receipted: asyncio.Event) -> None:
        self._store = store
        self._runtime = runtime
        self._courier = courier
        self._receipted = receipted
        self._working: list[asyncio.Task[None]] = []

    async def serve(self) -> None:
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            order = json.loads(line)
            answer = await getattr(self, f"do_{order.pop('do')}")(**order)
            print(json.dumps(answer), flush=True)

    async def do_fill(self, stop_ids: list[str], count: int) -> dict[str, Any]:
        records = list(events(stop_ids, count, _eight()))
        for start in range(0, count, FILL_AT_ONCE):
            await self._store.save(Step(_now_ms(), Run(), records=tuple(records[start : start + FILL_AT_ONCE])))
        return {"waiting": self._store.waiting.events}

    async def do_drain(self) -> dict[str, Any]:
        """From the start of the connection to the last receipt marked in the store."""
        began_s = time.monotonic()
        self._working = [asyncio.create_task(self._runtime.live()), asyncio.create_task(self._courier.run())]
        await self._drained()
        return {"began_s": began_s, "ended_s": time.monotonic()}

    async def do_ping(self, count: int, pause_s: float) -> dict[str, Any]:
        """One record at a time on an idle link: milliseconds from its commit to its receipt, marked in the store."""
        took_ms = []
        for record in events(["ping"], count, _eight()):
            await asyncio.sleep(pause_s)
            await self._store.save(Step(_now_ms(), self._runtime.run, records=(record,)))
            saved_s = time.perf_counter()
            self._courier.nudge()
            await self._drained()
            took_ms.append(1000 * (time.perf_counter() - saved_s))
        return {"took_ms": took_ms}

    async def close(self) -> None:
        for task in reversed(self._working):
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    async def _drained(self) -> None:
        while self._store.waiting.events:
            self._receipted.clear()
            await self._receipted.wait()


def _courier(settings: Settings, store: Store, runtime: Runtime, clock: Clock, on_receipt: Any) -> Courier:
    def newest() -> Live:
        return live(settings.van, runtime.run, {}, clock.now())

    return Courier(
        address=(settings.broker.host, settings.broker.port),
        fleet=settings.fleet,
        van=settings.van,
        store=store,
        submit=runtime.submit,
        live=newest,
        receipted=on_receipt,
        clock=clock,
        is_online=runtime.run.is_online,
        secure=Credentials(Badge(settings.data_dir)).secure if settings.broker.tls else None,
    )


async def _no_plan(asked_about: Run, _reason: ReplanReason) -> PlanNotFound:
    return PlanNotFound(run_version=asked_about.version, why="there is no planner here")


def _eight() -> datetime:
    return at_eight(datetime.now(UTC).date())


def _now_ms() -> int:
    return round(time.time() * 1000)


if __name__ == "__main__":
    asyncio.run(main())
