"""Off the way -> the new line in the cab: a van with a real receiver turns off its line, again and again.

A real gpsd tells the agent where the van is, once a second; the page's stream of views says that there is a new way,
and the line is asked for as the page does. Counted from the fix that made the van off its way (as it left for gpsd) to
the last byte of the new line; and, beside it, from the first fix beside the line, which several must follow before the
van believes it.
"""

import argparse
import asyncio
import os
import sys
import time
from contextlib import suppress
from datetime import datetime
from math import cos, radians, sin
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.closure import fill, ground_of
from benchmarks.figure import Figure, conclude
from benchmarks.machine import machine
from benchmarks.screen import Screen
from benchmarks.stand import CHECKOUT, LOOPBACK, UP_WITHIN_S, stand
from host.child import Child
from host.clock import Clock, ClockSettings
from host.loopback import free_port
from roads.pack import MapPack
from simulator import ground
from simulator.gpsd import Receiver
from simulator.nmea import Seen
from wire.events import TimesSource
from wire.geo import Place, bearing_deg, distance_m, moved

MUST_S = 1.0
SPEED_MPS = 9.0
ALONG_S = 8.0
"""How long the van keeps to its line before it turns off."""
GIVE_UP_S = 30.0


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report."""
    parser = argparse.ArgumentParser(prog="scripts/bench guidance", description=__doc__)
    parser.add_argument("--map", type=Path, help="an OSM extract (.osm.pbf); without one, the made-up town")
    parser.add_argument("--stops", type=int, default=150)
    parser.add_argument("--turns", type=int, default=10, help="how often the van leaves its line")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    pack, land = ground_of(arguments.map)
    at_start = machine(["scripts/bench", "guidance", *argv], ["osrm-bindings", "aiohttp"])
    rows = asyncio.run(_measured(pack, land, arguments.stops, arguments.turns))
    figures = [
        Figure(
            f"off the way to the new line, slowest of {len(rows)}", max(row["new_line_s"] for row in rows), "s", MUST_S
        ),
        Figure("first fix beside the line to the new line, slowest", max(row["since_left_s"] for row in rows), "s"),
    ]
    notes = [f"{arguments.stops} stops on {land.name}; a fix a second, the van at {SPEED_MPS:g} m/s"]
    conclude(figures, rows, at_start, arguments.report, notes)
    return 0


async def _measured(pack: MapPack, land: ground.Ground, stops: int, turns: int) -> list[dict[str, Any]]:
    async with stand("guidance", 1) as (place, _):
        await fill(place, land, stops)
        port, gpsd_port = free_port(), free_port()
        settings = place.write_van("van-1", screen_port=port, gpsd_port=gpsd_port)
        settings.write_text(settings.read_text() + f'[roads]\npack_dir = "{pack.folder}"\n')
        van = _Van(land.depot)
        receiver = Receiver(gpsd_port, van.seen, Clock(ClockSettings()), seed=1, data_dir=place.folder / "gps")
        await receiver.start()
        agent = await Child.start(
            "agent-service",
            [sys.executable, "-m", "agent", str(settings)],
            run_dir=place.folder / "run",
            log_path=place.folder / "agent.log",
            cwd=CHECKOUT,
        )
        screen = Screen(f"http://{LOOPBACK}:{port}")
        watching = None
        try:
            await agent.ready_when(screen.is_up, UP_WITHIN_S)
            watching = asyncio.create_task(screen.watch())
            await screen.wait(lambda view: view["plan"] is not None and view["plan"]["times"] == TimesSource.ROADS)
            await screen.wait(lambda view: view["position"] is not None and not view["is_planning"])
            async with aiohttp.ClientSession(f"http://{LOOPBACK}:{port}") as page:
                return [await _turn(number, van, screen, page) for number in range(1, turns + 1)]
        except TimeoutError:
            print((place.folder / "agent.log").read_text()[-3000:], file=sys.stderr)
            raise
        finally:
            if watching is not None:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
            await agent.stop(grace_s=30)
            await receiver.stop()


async def _turn(number: int, van: "_Van", screen: Screen, page: aiohttp.ClientSession) -> dict[str, Any]:
    line = await _line(page)
    van.follow(line)
    await asyncio.sleep(ALONG_S)
    version = screen.view["route_version"]
    van.turn_off(left=number % 2 == 0)
    async with asyncio.timeout(GIVE_UP_S):
        await screen.wait(lambda view: view["route_version"] > version)
        decided_by_s = van.told_s
        new = await _line(page)
    there_s = time.perf_counter()
    row = {
        "turn": number,
        "new_line_s": round(there_s - decided_by_s, 3),
        "since_left_s": round(there_s - van.left_s, 3),
        "begins_m": round(distance_m(new[0], van.here), 1),
        "load_1_min": round(os.getloadavg()[0], 2),
    }
    print(row, flush=True)
    return row


async def _line(page: aiohttp.ClientSession) -> list[Place]:
    async with page.get("/api/route") as answer:
        return [Place(lat_deg=lat, lon_deg=lon) for lon, lat in (await answer.json())["line"]]


class _Van:
    """Where the van is, told once a second: on its line, or away from it as the crow flies."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self.told_s = 0.0
        """When the newest fix left for gpsd, by `perf_counter`."""
        self.left_s = 0.0
        self._heading_deg = 0.0
        self._line: list[Place] = []
        self._is_off = False

    def follow(self, line: list[Place]) -> None:
        self._line, self._is_off = line[1:], False

    def turn_off(self, *, left: bool) -> None:
        self._heading_deg = (self._heading_deg + (-90 if left else 90)) % 360
        self._line, self._is_off, self.left_s = [], True, 0.0

    def seen(self, _: datetime) -> Seen:
        speed_mps = self._move(SPEED_MPS)
        self.told_s = time.perf_counter()
        self.left_s = self.left_s or self.told_s
        return Seen(self.here, speed_mps, self._heading_deg)

    def _move(self, rest_m: float) -> float:
        if self._is_off:
            self.here = _ahead(self.here, self._heading_deg, rest_m)
            return rest_m
        gone_m = 0.0
        while self._line and gone_m < rest_m:
            leg_m = distance_m(self.here, self._line[0])
            step_m = min(leg_m, rest_m - gone_m)
            if leg_m > 0.5:
                self._heading_deg = bearing_deg(self.here, self._line[0])
            self.here = self._line[0] if step_m == leg_m else _ahead(self.here, self._heading_deg, step_m)
            if step_m == leg_m:
                self._line.pop(0)
            gone_m += step_m
        return gone_m


def _ahead(here: Place, heading_deg: float, metres: float) -> Place:
    return moved(here, north_m=metres * cos(radians(heading_deg)), east_m=metres * sin(radians(heading_deg)))
