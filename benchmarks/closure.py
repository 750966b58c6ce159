"""Road closed -> plan on screen: from the dispatcher's drawn closure to the new plan in the cab's view.

A real coordinator, broker and agent with its road engine and its worker. Each run closes one more street of those the
van is about to drive, drawn as a line over the map. The clock begins when the request leaves for the coordinator. It
is read when the cab page's stream of views brings a plan made for the closed road: with estimated times (repaired), by
open roads (exact), and when the search for a better order is over too (searched). The copy of the road network is
within that time.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from agent.store.store import Step, Store
from agent.trip.decide import decide
from agent.trip.inputs import ManifestArrived
from agent.trip.run import Run
from benchmarks.figure import Figure
from benchmarks.machine import machine
from benchmarks.quarter import NoLimitError, part_of_a_core
from benchmarks.screen import Screen
from benchmarks.stand import CHECKOUT, LOOPBACK, UP_WITHIN_S, Stand, stand
from host.child import Child
from host.loopback import free_port
from roads.network import RoadNetwork
from roads.pack import MapPack, open_pack
from simulator import ground
from simulator.dispatcher import Dispatcher
from simulator.stage import map_pack
from wire.events import ReplanReason, TimesSource
from wire.geo import Place, distance_m
from wire.manifest import Closure, Depot, Manifest, Stop

MUST_S = {"full": {"repaired_s": 2.0, "exact_s": 3.0}, "quarter": {"repaired_s": 5.0, "exact_s": 12.0}}
SHARES = {"full": None, "quarter": 0.25}
DRAWN_M = (60.0, 160.0)
REACH_M = 6_000.0


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report. 2 where no limit can be set."""
    parser = argparse.ArgumentParser(prog="scripts/bench closure", description=__doc__)
    parser.add_argument("--map", type=Path, help="an OSM extract (.osm.pbf); without one, the made-up town")
    parser.add_argument("--stops", type=int, default=150)
    parser.add_argument("--runs", type=int, default=5, help="closed roads for each limit")
    parser.add_argument(
        "--limits", default="full,quarter", help="what the van may use: full, quarter of a core, or both"
    )
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    pack, land = ground_of(arguments.map)
    at_start = machine(["scripts/bench", "closure", *argv], ["osrm-bindings", "aiohttp"])
    rows: list[dict[str, Any]] = []
    try:
        for limit in arguments.limits.split(","):
            rows += asyncio.run(_measured(pack, land, arguments.stops, arguments.runs, limit))
    except NoLimitError as error:
        print(error, file=sys.stderr)
        return 2
    summary = [{key: row[key] for key in ("limit", "repaired_s", "exact_s", "searched_s")} for row in rows]
    for limit, musts in MUST_S.items():
        for what, must_s in musts.items():
            taken = [row[what] for row in rows if row["limit"] == limit]
            if taken:
                print(Figure(f"{limit}, {what[:-2]}, slowest of {len(taken)}", max(taken), "s", at_most=must_s))
    report = {
        "rows": rows,
        "summary": summary,
        "notes": [
            f"{arguments.stops} stops on {land.name}; one drawn street more closed in each run",
            *dict.fromkeys(f"{row['limit']}: {row['by']}" for row in rows),
            "the limit holds for the agent, its road engines, osrm-customize and the worker together",
            "repaired: with estimated times; exact: by open roads; searched: the look for a better order is over too",
        ],
        "machine": {**at_start, "load_1_min_at_end": round(os.getloadavg()[0], 2)},
    }
    print(f"on {at_start['cpu']}, {at_start['cores']} cores, load {at_start['load_1_min']}")
    if arguments.report is not None:
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def ground_of(extract: Path | None) -> tuple[MapPack, ground.Ground]:
    """The map pack and the addresses of an extract, or of the made-up town."""
    land = ground.extract(extract, print) if extract else ground.town()
    return open_pack(map_pack(land.pbf, land.name, print)), land


async def _measured(pack: MapPack, land: ground.Ground, stops: int, runs: int, limit: str) -> list[dict[str, Any]]:
    rows = []
    async with stand("closure", 1) as (place, dispatcher), _own_roads(pack, place.folder) as roads:
        await fill(place, land, stops)
        port = free_port()
        settings = place.write_van("van-1", screen_port=port)
        settings.write_text(settings.read_text() + f'[roads]\npack_dir = "{pack.folder}"\n')
        with part_of_a_core(SHARES[limit]) as (before, how):
            agent = await Child.start(
                "agent-service",
                [*before, sys.executable, "-m", "agent", str(settings)],
                run_dir=place.folder / "run",
                log_path=place.folder / "agent.log",
                cwd=CHECKOUT,
            )
            try:
                screen = Screen(f"http://{LOOPBACK}:{port}")
                await agent.ready_when(screen.is_up, UP_WITHIN_S)
                watching = asyncio.create_task(screen.watch())
                await screen.wait(lambda view: _is_exact(view) and _is_quiet(view) and view["link"]["is_online"])
                closed: tuple[Closure, ...] = ()
                for number in range(1, runs + 1):
                    closure = await _ahead(roads, screen.places(), number, closed)
                    closed += (closure,)
                    row = await _closed(dispatcher, screen, closure)
                    rows.append({"limit": limit, "by": how, "run": number, **row})
                    print(json.dumps(rows[-1]), flush=True)
                watching.cancel()
            except TimeoutError:
                print((place.folder / "agent.log").read_text()[-3000:], file=sys.stderr)
                raise
            finally:
                await agent.stop(grace_s=30)
    return rows


async def _closed(dispatcher: Dispatcher, screen: "Screen", closure: Closure) -> dict[str, Any]:
    version = screen.view["plan"]["version"]
    began_s = time.perf_counter()
    await dispatcher.close_road(closure)
    asked_s = time.perf_counter() - began_s

    def is_new(view: dict[str, Any]) -> bool:
        return bool(view["plan"]["version"] > version and view["plan"]["reason"] == ReplanReason.ROAD_CLOSED)

    repaired_s = await screen.wait(is_new) - began_s
    first = screen.seen
    exact_s = await screen.wait(lambda view: is_new(view) and _is_exact(view)) - began_s
    searched_s = await screen.wait(lambda view: is_new(view) and _is_exact(view) and _is_quiet(view)) - began_s
    return {
        "repaired_s": round(repaired_s, 3),
        "exact_s": round(exact_s, 3),
        "searched_s": round(searched_s, 3),
        "repaired_is": first["plan"]["times"],
        "coordinator_s": round(asked_s, 3),
        "moved_stops": screen.seen["plan"]["moved_stops"],
        "is_offered": screen.seen["offer"] is not None,
    }


def _is_exact(view: dict[str, Any]) -> bool:
    return view["plan"] is not None and view["plan"]["times"] == TimesSource.ROADS


def _is_quiet(view: dict[str, Any]) -> bool:
    return not view["is_planning"]


async def _ahead(roads: RoadNetwork, order: Sequence[Place], number: int, closed: Sequence[Closure]) -> Closure:
    """A street that the plan drives along, drawn; each run takes one farther on in the day."""
    now = datetime.now(UTC)
    await roads.set_closures(tuple(closed), now)
    route = await roads.route(order)
    for leg in range(5 * number, len(route.legs)):
        first, last = route.leg_starts[leg], (*route.leg_starts, len(route.line) - 1)[leg + 1]
        line = [Place(lat_deg=lat, lon_deg=lon) for lon, lat in route.line[first : last + 1]]
        for a, b in pairwise(line[len(line) // 4 : len(line) * 3 // 4]):
            if DRAWN_M[0] <= distance_m(a, b) <= DRAWN_M[1]:
                return Closure(
                    closure_id=f"street-{number}",
                    line=((a.lat_deg, a.lon_deg), (b.lat_deg, b.lon_deg)),
                    valid_from=now - timedelta(minutes=1),
                    valid_until=now + timedelta(hours=8),
                )
    raise RuntimeError("no leg of the plan is long enough to close a street of it: give another map")


@asynccontextmanager
async def _own_roads(pack: MapPack, folder: Path) -> AsyncIterator[RoadNetwork]:
    """Ours, to look where the van will drive; the van has its own."""
    roads = await RoadNetwork.open(pack, run_dir=folder / "own", work_dir=folder / "own-work", log_dir=folder / "own")
    try:
        yield roads
    finally:
        await roads.close()


async def fill(place: Stand, land: ground.Ground, count: int) -> None:
    """A van with that many stops around the depot, and nothing done yet."""
    now = datetime.now(UTC)
    near = [door for door in land.addresses if distance_m(door.place, land.depot) <= REACH_M]
    doors = Random(1).sample(near, count)  # noqa: S311 - a day, not a key
    depot = Depot(lat_deg=land.depot.lat_deg, lon_deg=land.depot.lon_deg)
    stops = (
        Stop(stop_id=f"s{n}", order_ref=f"order-{n}", lat_deg=door.lat_deg, lon_deg=door.lon_deg)
        for n, door in enumerate(doors, start=1)
    )
    manifest = Manifest(
        van="van-1",
        day=now.date(),
        version=1,
        policy="free",
        start=depot,
        end=depot,
        shift_starts_at=now,
        shift_ends_at=now + timedelta(hours=10),
        stops=tuple(stops),
    )
    decision = decide(Run(), ManifestArrived(manifest=manifest), now)
    store = await Store.open(place.van_dir("van-1"))
    try:
        await store.save(Step(at_ms=round(now.timestamp() * 1000), run=decision.run))
    finally:
        await store.close()
