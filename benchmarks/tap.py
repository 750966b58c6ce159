"""Tap to "saved": the agent's HTTP on a disk whose every sync takes 50 ms, while a backlog drains over 1 Mbit/s.

strace holds each fsync and fdatasync of the agent back by that much, a checkpoint's as well; nothing in the agent
knows of it.
"""

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from agent.store.store import Store
from agent.trip.decide import decide
from agent.trip.inputs import ManifestArrived
from agent.trip.run import Run
from benchmarks import made
from benchmarks.backlog import leave_backlog
from benchmarks.figure import Figure, conclude, percentile
from benchmarks.machine import machine
from benchmarks.slow_link import SlowLink
from benchmarks.stand import CHECKOUT, LOOPBACK, UP_WITHIN_S, Stand, stand
from host.child import Child
from host.loopback import free_port
from simulator.dispatcher import WRITE_HEADERS
from simulator.processes import pid_of

MAX_P99_MS = 150.0
PAUSE_S = 0.25
EVENTS, CRUMBS = 2_000, 36_000


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report. 2 when strace is missing."""
    parser = argparse.ArgumentParser(prog="scripts/bench tap", description=__doc__)
    parser.add_argument("--stops", type=int, default=150, help="each with two taps")
    parser.add_argument("--sync", type=float, default=50.0, help="what a sync takes, ms")
    parser.add_argument("--proofs", type=int, default=100, help="photos that wait, with 2,000 events and 10 h of track")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    if shutil.which("strace") is None:
        print("strace is needed to slow the disk down: apt-get install strace", file=sys.stderr)
        return 2
    at_start = machine(["scripts/bench", "tap", *argv], ["aiohttp"])
    took_ms = asyncio.run(_measured(arguments.stops, arguments.sync, arguments.proofs))
    figures = [
        Figure(
            f'tap to "saved", sync of {arguments.sync:g} ms: p99',
            round(percentile(took_ms, 0.99), 1),
            "ms",
            at_most=MAX_P99_MS if arguments.sync == 50 else None,
        ),
        Figure("p50", round(percentile(took_ms, 0.5), 1), "ms"),
        Figure("slowest", round(max(took_ms), 1), "ms"),
    ]
    rows: list[dict[str, Any]] = [{"tap": number, "ms": round(ms, 1)} for number, ms in enumerate(took_ms)]
    notes = [
        f"{len(took_ms)} taps, {PAUSE_S} s apart",
        f"meanwhile {arguments.proofs} photos, {EVENTS} events and {CRUMBS} breadcrumbs drain over 1 Mbit/s",
    ]
    conclude(figures, rows, at_start, arguments.report, notes)
    return 0


async def _measured(stops: int, sync_ms: float, proofs: int) -> list[float]:
    async with stand("tap", 1) as (place, _dispatcher):
        stop_ids = await _fill(place, stops, proofs)
        port = free_port()
        link = SlowLink(LOOPBACK, place.broker_port, 1e6, 0.06)
        settings = place.write_van("van-1", broker_port=await link.open(LOOPBACK), screen_port=port)
        slowly = f"inject=fsync,fdatasync:delay_exit={round(1000 * sync_ms)}"
        watch = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync")
        agent = await Child.start(
            "agent-service",
            [*watch, "-e", slowly, sys.executable, "-m", "agent", str(settings)],
            run_dir=place.folder / "run",
            log_path=place.folder / "agent.log",
            cwd=CHECKOUT,
        )
        url = f"http://{LOOPBACK}:{port}"
        try:
            async with aiohttp.ClientSession() as session:
                await agent.ready_when(lambda: _answers(session, url), UP_WITHIN_S)
                await asyncio.sleep(5)  # the first plan is made
                link.begin()
                return [ms for stop_id in stop_ids for ms in await _visit(session, url, stop_id)]
        finally:
            await _end(place, agent)
            await link.close()


async def _end(place: Stand, strace: Child) -> None:
    # Ended first, strace would only let go of the agent.
    pid = pid_of(place.van_dir("van-1") / "run", "agent")
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await strace.wait()
    await strace.stop()


async def _visit(session: aiohttp.ClientSession, url: str, stop_id: str) -> list[float]:
    taken = []
    for kind in ("arrived", "delivered"):
        tap = {"kind": kind, "tap_id": f"{kind}-{stop_id.replace('.', '-')}", "stop_id": stop_id}
        began_s = time.perf_counter()
        async with session.post(f"{url}/api/taps", json=tap, headers=WRITE_HEADERS) as answer:
            said = await answer.text()
        taken.append(1000 * (time.perf_counter() - began_s))
        if answer.status != 200:
            raise RuntimeError(f"the tap was not saved: {answer.status} {said}")
        await asyncio.sleep(PAUSE_S)
    return taken


async def _fill(place: Stand, stops: int, proofs: int) -> list[str]:
    """A van without a link since it got its manifest; its stops ask for no proof, so that two taps close one."""
    now = datetime.now(UTC)
    manifest = made.manifest(stops, timedelta(hours=10))
    manifest = manifest.model_copy(
        update={"stops": tuple(stop.model_copy(update={"proof": {}, "windows": ()}) for stop in manifest.stops)}
    )
    stop_ids = [stop.stop_id for stop in manifest.stops]
    run = decide(Run(), ManifestArrived(manifest=manifest), now).run
    store = await Store.open(place.van_dir("van-1"))
    try:
        await leave_backlog(store, run, now, list(made.events(stop_ids, EVENTS, now)), crumbs=CRUMBS, proofs=proofs)
    finally:
        await store.close()
    return stop_ids


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/api/view") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
