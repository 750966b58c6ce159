"""Outbox to durable receipt: four vans with batches of 50 to a coordinator that keeps its whole picture up to date.

Beside it, with --peer, ThingsBoard IoT Gateway and its SQLite storage on the same kind of broker; and what each of the
two has lost after the link went silent with its sockets open and the process was killed.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from agent.link.outbound import MAX_EVENTS
from benchmarks import effort, made, silence
from benchmarks.figure import Figure, conclude, percentile
from benchmarks.machine import machine
from benchmarks.peers import PeerMissingError
from benchmarks.stand import Stand, stand
from benchmarks.van import van_up

VANS = 4
MIN_RATE, MAX_IDLE_MS = 10_000.0, 15.0
STOPS_PER_VAN_SHARE = 6
RECORDS = 25_000
"""A drain begins with connecting and with small groups; with less waiting, that would be a good part of it."""
PINGS = 200


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report."""
    parser = argparse.ArgumentParser(prog="scripts/bench sync", description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS, help="waiting in each van")
    parser.add_argument("--vans", type=int, default=VANS)
    parser.add_argument("--pings", type=int, default=PINGS, help="single records on an idle link")
    parser.add_argument("--peer", action="store_true", help="ThingsBoard IoT Gateway beside, and the silent link")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    at_start = machine(["scripts/bench", "sync", *argv], ["paho-mqtt", "sqlalchemy", "pydantic", "zstandard"])
    rows = asyncio.run(_measured(arguments.vans, arguments.records, arguments.pings))
    ours = rows[0]
    beside: list[Figure] = []
    if arguments.peer:
        try:
            rows += asyncio.run(_beside(arguments.records))
        except PeerMissingError as error:
            print(error, file=sys.stderr)
            return 2
        beside = _peer_figures(rows[1:])
    figures = [
        Figure(
            f"{arguments.vans} vans, batches of {MAX_EVENTS}: rate",
            ours["records_per_s"],
            "records/s to durable receipt",
            at_least=MIN_RATE,
        ),
        Figure("processor time a record, all programs together", ours["cpu_us"], "us"),
        Figure("of that in the vans", ours["cpu_us_in_vans"], "us"),
        Figure("idle: record to receipt, p50", ours["idle_p50_ms"], "ms", at_most=MAX_IDLE_MS),
        Figure("idle: record to receipt, p99", ours["idle_p99_ms"], "ms"),
        Figure("records that did not arrive", ours["missing"], "records", at_most=0),
        *beside,
    ]
    notes = [
        f"TLS with certificates on both sides: {'on' if ours['tls'] else 'off'}",
        "what a stop heard is durable with its receipt; the state is folded when read, which these times leave out",
    ]
    if beside:
        notes.append("the gateway's rate ends at a subscriber that stores nothing; ours at a commit and its receipt")
    conclude(figures, rows, at_start, arguments.report, notes)
    return 0


async def _measured(vans: int, records: int, pings: int) -> list[dict[str, Any]]:
    async with stand("sync", vans) as (place, dispatcher), AsyncExitStack() as parts:
        csv, stop_ids = made.orders(place.day, vans * max(1, records // STOPS_PER_VAN_SHARE))
        await dispatcher.import_orders(place.day, csv.encode())
        couriers = [await parts.enter_async_context(van_up(place.write_van(van))) for van in place.vans]
        share = len(stop_ids) // vans
        await asyncio.gather(
            *(
                van.ask(do="fill", stop_ids=stop_ids[number * share : (number + 1) * share], count=records)
                for number, van in enumerate(couriers)
            )
        )
        before = effort.spent_s()
        spans = await asyncio.gather(*(van.ask(do="drain") for van in couriers))
        after = effort.spent_s()
        took_s = max(span["ended_s"] for span in spans) - min(span["began_s"] for span in spans)
        missing = vans * records - place.stored()["events"]
        idle = (await couriers[0].ask(do="ping", count=pings, pause_s=0.02))["took_ms"]
        in_vans = {van.process.pid for van in couriers}
    return [
        {
            **_row(place, records=vans * records, took_s=took_s, idle=idle, missing=missing),
            "cpu_us": round(1e6 * effort.between(before, after) / (vans * records), 1),
            "cpu_us_in_vans": round(1e6 * effort.between(before, after, in_vans) / (vans * records), 1),
        }
    ]


async def _beside(records: int) -> list[dict[str, Any]]:
    return [await silence.peers_rate(records), await silence.ours(records), await silence.the_peers(records)]


def _peer_figures(rows: Sequence[dict[str, Any]]) -> list[Figure]:
    rate, ours, the_peers = rows
    return [
        Figure("thingsboard-gateway: rate to a subscriber", rate["records_per_s"], "records/s"),
        Figure("thingsboard-gateway: payload", rate["bytes_per_record"], "bytes a record"),
        Figure("silent link and kill -9: lost by us", ours["lost"], "records", at_most=0),
        Figure("silent link and kill -9: lost by thingsboard-gateway", the_peers["lost"], "records"),
    ]


def _row(place: Stand, *, records: int, took_s: float, idle: list[float], missing: int) -> dict[str, Any]:
    return {
        "who": "roundsman",
        "vans": len(place.vans),
        "records": records,
        "batch": MAX_EVENTS,
        "tls": place.is_secured,
        "seconds": round(took_s, 3),
        "records_per_s": round(records / took_s),
        "idle_p50_ms": round(percentile(idle, 0.5), 2),
        "idle_p99_ms": round(percentile(idle, 0.99), 2),
        "missing": missing,
    }
