"""A whole fleet at work: 500 vans say something once a second, and the coordinator keeps up in little memory.

The vans are connections and no more (`benchmarks/light_van.py`); broker and coordinator are the real ones, with TLS and
a certificate for each van, and a store with a day's orders.
"""

import argparse
import asyncio
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

from agent.identity.badge import Badge
from agent.identity.tls import Credentials
from benchmarks import effort, made
from benchmarks.figure import Figure, conclude, percentile
from benchmarks.light_van import LightVan
from benchmarks.machine import machine
from benchmarks.stand import LOOPBACK, Stand, stand
from host.child import pid_path

VANS, SECONDS, STOPS = 500, 60, 20
MAX_PSS_MIB, MAX_P99_S = 256.0, 2.0
LOOK_S = 0.5
HANDSHAKES_AT_ONCE = 4
SETTLED_S = 5.0
"""... after the last van has come, so that its coming is not measured."""
READY_WITHIN_S, WAIT_FOR_LAST_S = 30.0, 15.0
BREATH = 10
"""Messages said at most without a look at what has arrived."""


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report."""
    parser = argparse.ArgumentParser(prog="scripts/bench fleet", description=__doc__)
    parser.add_argument("--vans", type=int, default=VANS)
    parser.add_argument("--seconds", type=int, default=SECONDS, help="of one message a second from each van")
    parser.add_argument("--stops", type=int, default=STOPS, help="orders a van, in the coordinator's store")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    at_start = machine(["scripts/bench", "fleet", *argv], ["paho-mqtt", "sqlalchemy", "pydantic"])
    _let_open_many_files()
    row = asyncio.run(measured(arguments.vans, arguments.seconds, arguments.stops))
    is_asked = arguments.vans >= VANS
    figures = [
        Figure("coordinator's PSS, highest", row["pss_mib"], "MiB", at_most=MAX_PSS_MIB if is_asked else None),
        Figure("message to receipt, p50", row["receipt_p50_s"], "s"),
        Figure("message to receipt, p99", row["receipt_p99_s"], "s", at_most=MAX_P99_S if is_asked else None),
        Figure("messages without a receipt at the end", row["unreceipted"], "messages", at_most=0),
        Figure("records that are not in the store", row["missing"], "records", at_most=0),
        Figure("coordinator's processor time", row["cpu_share"], "of one core"),
        Figure("rate", row["messages_per_s"], "messages/s"),
    ]
    notes = [
        f"{row['vans']} vans, {row['seconds']} s, a record to a message; {row['orders']} orders in the store; "
        f"TLS with certificates on both sides: {'on' if row['tls'] else 'off'}",
        f"the orders alone took the coordinator to {row['pss_mib_at_first']:g} MiB, before the first van came",
        f"the vans had certificates after {row['let_in_s']:g} s and were connected {row['connected_s']:g} s later",
        "a message counts from the moment it was due; the vans are light ones, on the same machine",
    ]
    if row["cut_off"]:
        notes.append(f"vans that lost their connection: {row['cut_off']}")
    conclude(figures, [row], at_start, arguments.report, notes)
    return 0


async def measured(vans: int, seconds: int, stops: int) -> dict[str, Any]:
    """One run: the coordinator with its store, the vans at their work, and what it came to."""
    began_s = time.monotonic()
    async with stand("fleet", vans) as (place, dispatcher):
        let_in_s = time.monotonic() - began_s
        csv, stop_ids = made.orders(place.day, vans * stops)
        await dispatcher.import_orders(place.day, csv.encode())
        pid = int(pid_path(place.cloud_dir / "run", "cloud").read_text())
        pss_kib: list[int] = []
        looking = asyncio.create_task(_look(pid, pss_kib))
        took_s: list[float] = []
        began_s = time.monotonic()
        fleet = await _connected(place, took_s)
        connected_s = time.monotonic() - began_s
        await asyncio.sleep(SETTLED_S)
        before, began_s = effort.spent_s(), time.monotonic()
        await _speak(fleet, place, stop_ids, seconds)
        after, spoke_s = effort.spent_s(), time.monotonic() - began_s
        await _until_receipted(fleet)
        looking.cancel()
        row = {
            "vans": vans,
            "seconds": seconds,
            "orders": len(stop_ids),
            "tls": place.is_secured,
            "let_in_s": round(let_in_s, 1),
            "connected_s": round(connected_s, 1),
            "messages_per_s": round(vans * seconds / spoke_s),
            "pss_mib_at_first": round(pss_kib[0] / 1024, 1),
            "pss_mib": round(max(pss_kib) / 1024, 1),
            "receipt_p50_s": round(percentile(took_s, 0.5), 3),
            "receipt_p99_s": round(percentile(took_s, 0.99), 3),
            "unreceipted": sum(van.unreceipted for van in fleet),
            "missing": vans * seconds - place.stored()["events"],
            "cpu_share": round(effort.between(before, after, {pid}) / spoke_s, 2),
            "cut_off": sum(bool(van.lost_because) for van in fleet),
        }
        for van in fleet:
            van.close()
    return row


async def _connected(place: Stand, took_s: list[float]) -> list[LightVan]:
    fleet = [LightVan(name, took_s.append) for name in place.vans]
    turn = asyncio.Semaphore(HANDSHAKES_AT_ONCE)

    async def connect(name: str, van: LightVan) -> None:
        async with turn:
            secure = Credentials(Badge(place.van_dir(name))).secure
            await asyncio.to_thread(lambda: van.connect(LOOPBACK, place.broker_port, secure()))
            van.begin()
            async with asyncio.timeout(READY_WITHIN_S):
                await van.is_ready.wait()

    await asyncio.gather(*map(connect, place.vans, fleet))
    return fleet


async def _speak(fleet: Sequence[LightVan], place: Stand, stop_ids: list[str], seconds: int) -> None:
    """Each van once a second about stops of its own, the vans one after the other over the second."""
    share = len(stop_ids) // len(fleet)
    day = [
        made.events(stop_ids[number * share : (number + 1) * share], seconds, made.at_eight(place.day))
        for number in range(len(fleet))
    ]
    began_s = time.monotonic()
    for turn in range(seconds * len(fleet)):
        due_s = began_s + turn / len(fleet)
        if (early_s := due_s - time.monotonic()) > 0:
            await asyncio.sleep(early_s)
        elif turn % BREATH == 0:
            await asyncio.sleep(0)  # late: what has arrived is read all the same
        number = turn % len(fleet)
        fleet[number].say(next(day[number]), due_s)


async def _until_receipted(fleet: Sequence[LightVan]) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT_FOR_LAST_S):
            while any(van.unreceipted for van in fleet):  # noqa: ASYNC110 - receipts come to hundreds of them
                await asyncio.sleep(0.1)


async def _look(pid: int, pss_kib: list[int]) -> None:
    while True:
        pss_kib.append(effort.pss_kib(pid))
        await asyncio.sleep(LOOK_S)


def _let_open_many_files() -> None:
    """A van takes three here and one in the broker, which has its limit from us."""
    _, most = getrlimit(RLIMIT_NOFILE)
    setrlimit(RLIMIT_NOFILE, (most, most))
