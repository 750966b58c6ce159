"""A van comes back after 10 h without a network: its backlog over a thin link, and the memory it takes meanwhile.

The real agent with the store of such a day, a relay of 1 Mbit/s and 60 ms each way, the real broker and coordinator.
Time counts from the moment the link is there again, the pause of the van's next attempt to connect included.
"""

import argparse
import asyncio
import hashlib
import sys
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from agent.store.blobs import NewBlob
from agent.store.store import Step, Store
from agent.trip.decide import decide
from agent.trip.inputs import ManifestArrived
from agent.trip.run import Run
from benchmarks import effort, made
from benchmarks.figure import Figure, conclude
from benchmarks.machine import machine
from benchmarks.slow_link import SlowLink
from benchmarks.stand import CHECKOUT, LOOPBACK, Stand, stand
from host.child import Child
from wire.envelope import Record
from wire.manifest import EvidenceKind
from wire.track import Breadcrumb

PROOF_BYTES = 150_000
STOPS_S, ALL_S, PSS_MIB = 60.0, 480.0, 96.0
GIVE_UP_S = 1_800.0
LOOK_S = 0.5
STOPS = 150


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report."""
    parser = argparse.ArgumentParser(prog="scripts/bench backlog", description=__doc__)
    parser.add_argument("--proofs", type=int, default=200, help=f"photos of {PROOF_BYTES // 1000} kB")
    parser.add_argument("--events", type=int, default=2_000)
    parser.add_argument("--crumbs", type=int, default=36_000)
    parser.add_argument("--mbit", type=float, default=1.0, help="rate of the link in each direction, Mbit/s")
    parser.add_argument("--delay", type=float, default=60.0, help="of the link in each direction, ms")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    at_start = machine(["scripts/bench", "backlog", *argv], ["paho-mqtt", "sqlalchemy"])
    row = asyncio.run(_measured(arguments))
    is_the_day = (arguments.proofs, arguments.events, arguments.crumbs, arguments.mbit) == (200, 2_000, 36_000, 1.0)
    figures = [
        Figure("all stop events at the coordinator", row["events_s"], "s", at_most=STOPS_S if is_the_day else None),
        Figure("everything at the coordinator", row["all_s"], "s", at_most=ALL_S if is_the_day else None),
        Figure("track at the coordinator", row["track_s"], "s"),
        Figure("first proof at the coordinator", row["first_proof_s"], "s"),
        Figure("agent's PSS, highest", row["pss_mib"], "MiB", at_most=PSS_MIB),
        Figure("sent up", round(row["up_bytes"] / 1e6, 2), "MB"),
    ]
    notes = [
        f"{row['proofs']} photos of {PROOF_BYTES // 1000} kB, {row['events']} events, {row['crumbs']} breadcrumbs; "
        f"{arguments.mbit:g} Mbit/s, {arguments.delay:g} ms each way; TLS {'on' if row['tls'] else 'off'}",
        "PSS is the agent's process alone; solver worker and road engine have processes of their own",
    ]
    conclude(figures, [row], at_start, arguments.report, notes)
    return 0


async def _measured(arguments: argparse.Namespace) -> dict[str, Any]:
    async with stand("backlog", 1) as (place, dispatcher):
        csv, stop_ids = made.orders(place.day, STOPS)
        await dispatcher.import_orders(place.day, csv.encode())
        await _fill(place, stop_ids, arguments)
        link = SlowLink(LOOPBACK, place.broker_port, arguments.mbit * 1e6, arguments.delay / 1000)
        settings = place.write_van("van-1", broker_port=await link.open(LOOPBACK))
        agent = await Child.start(
            "agent-service",
            [sys.executable, "-m", "agent", str(settings)],
            run_dir=place.folder / "run",
            log_path=place.folder / "agent.log",
            cwd=CHECKOUT,
        )
        try:
            await asyncio.sleep(5)  # started, and without a network as it was all day
            link.begin()
            row = await _watched(place, agent, arguments)
        finally:
            await agent.stop()
            await link.close()
    return {**row, "up_bytes": link.carried_bytes["up"], "down_bytes": link.carried_bytes["down"]}


async def _watched(place: Stand, agent: Child, wanted: argparse.Namespace) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    began_s, pss_kib = loop.time(), 0
    came_s: dict[str, float] = {}
    goals = {"events": wanted.events, "track": wanted.crumbs, "blobs": wanted.proofs, "first blob": 1}
    while len(came_s) < len(goals):
        await asyncio.sleep(LOOK_S)
        if agent.returncode is not None or loop.time() - began_s > GIVE_UP_S:
            raise RuntimeError(f"the backlog did not drain; so far {came_s}. The end of its log:\n{agent.log_tail()}")
        pss_kib = max(pss_kib, effort.pss_kib(agent.pid))
        stored = await asyncio.to_thread(place.stored)
        stored["first blob"] = stored["blobs"]
        for name, goal in goals.items():
            if stored[name] >= goal:
                came_s.setdefault(name, round(loop.time() - began_s, 1))
    return {
        "proofs": wanted.proofs,
        "events": wanted.events,
        "crumbs": wanted.crumbs,
        "mbit_per_s": wanted.mbit,
        "delay_ms": wanted.delay,
        "tls": place.is_secured,
        "events_s": came_s["events"],
        "track_s": came_s["track"],
        "first_proof_s": came_s["first blob"],
        "all_s": max(came_s.values()),
        "pss_mib": round(pss_kib / 1024, 1),
    }


async def _fill(place: Stand, stop_ids: list[str], wanted: argparse.Namespace) -> None:
    """The store as ten hours without a network leave it."""
    day = made.at_eight(place.day)
    run = decide(Run(), ManifestArrived(manifest=made.manifest(STOPS, timedelta(hours=10))), day).run
    store = await Store.open(place.van_dir("van-1"))
    try:
        await leave_backlog(
            store, run, day, list(made.events(stop_ids, wanted.events, day)), crumbs=wanted.crumbs, proofs=wanted.proofs
        )
    finally:
        await store.close()


async def leave_backlog(
    store: Store, run: Run, at: datetime, records: list[Record], *, crumbs: int, proofs: int
) -> None:
    """What waits for the coordinator: breadcrumbs of a second each, a minute to a step as in life; events; photos."""
    dice = Random(1)  # noqa: S311 - a day, not a key
    at_ms = round(at.timestamp() * 1000)
    track = [_crumb(at_ms, second, dice) for second in range(crumbs)]
    for start in range(0, len(track), 60):
        await store.save(Step(at_ms, run, crumbs=tuple(track[start : start + 60])))
    for start in range(0, len(records), 100):
        await store.save(Step(at_ms, run, records=tuple(records[start : start + 100])))
    for _ in range(proofs):
        data = dice.randbytes(PROOF_BYTES)  # as incompressible as the JPEG it stands for
        blob = NewBlob(hashlib.sha256(data).hexdigest(), EvidenceKind.PHOTO, "image/jpeg", data)
        await store.save(Step(at_ms, run, blob=blob))


def _crumb(start_ms: int, second: int, dice: Random) -> Breadcrumb:
    return Breadcrumb(
        wall_ms=start_ms + 1000 * second,
        lat_deg=round(41.15 + second * 2e-6 + dice.gauss(0, 2e-6), 7),
        lon_deg=round(-8.61 + second * 1e-6 + dice.gauss(0, 2e-6), 7),
        speed_mps=round(abs(dice.gauss(6, 3)), 2),
        heading_deg=round(dice.uniform(0, 359), 1),
        error_m=17.86,
    )
