"""A van's day in the made-up town as its receiver sees it: one position a second, wandering as real receivers do."""

import asyncio
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from agent.gps.gpsd import RawFix
from roads.network import RoadNetwork
from roads.pack import open_pack
from simulator import ground
from simulator.nmea import Wander
from simulator.roadtrip import OpenRoads
from simulator.stage import map_pack
from simulator.vehicle import Journey, journey, standing
from wire.geo import Place

STARTS_AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SERVICE_S = (90.0, 260.0)
REACH_DEG = 0.03


def town_fixes(hours: float, seed: int) -> list[RawFix]:
    """The fixes of a day of that many hours: driving by road from door to door, standing while parcels are handed over.

    Needs the map pack of the town, which is made when the cache does not hold it.
    """
    return asyncio.run(_town_fixes(hours, seed))


async def _town_fixes(hours: float, seed: int) -> list[RawFix]:
    town = ground.town()
    pack = open_pack(await asyncio.to_thread(map_pack, town.pbf, town.name, lambda _: None))
    ends_at = STARTS_AT + timedelta(hours=hours)
    dice = Random(seed)  # noqa: S311 - a day, not a key
    doors = [door.place for door in town.addresses if abs(door.place.lat_deg - town.depot.lat_deg) < REACH_DEG]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        network = await RoadNetwork.open(pack, run_dir=folder / "run", work_dir=folder / "work", log_dir=folder)
        try:
            journeys = await _journeys(OpenRoads(network), town.depot, doors, dice, ends_at)
        finally:
            await network.close()
    return _seen(journeys, Wander(seed), ends_at)


async def _journeys(
    roads: OpenRoads, depot: Place, doors: Sequence[Place], dice: Random, ends_at: datetime
) -> list[Journey]:
    journeys, here, now = [standing(depot, STARTS_AT)], depot, STARTS_AT + timedelta(minutes=10)
    while now < ends_at:
        # A round goes to a door nearby, as a planned one does, and not across the town each time.
        door = min(dice.sample(doors, min(12, len(doors))), key=lambda place: _apart(here, place))
        way = await roads.way(here, door)
        if way is None:
            continue
        drive = journey(way.line, way.travel_s * dice.uniform(0.95, 1.12), now)
        journeys.append(drive)
        here, now = drive.end, drive.ends_at + timedelta(seconds=dice.uniform(*SERVICE_S))
    return journeys


def _seen(journeys: Sequence[Journey], wander: Wander, ends_at: datetime) -> list[RawFix]:
    fixes, place, at = [], 0, STARTS_AT
    while at < ends_at:
        while place + 1 < len(journeys) and journeys[place + 1].starts_at <= at:
            place += 1
        seen = wander.off(journeys[place].at(at))
        fixes.append(
            RawFix(
                time=at,
                mode=3,
                lat_deg=round(seen.place.lat_deg, 9),
                lon_deg=round(seen.place.lon_deg, 9),
                speed_mps=round(seen.speed_mps, 3),
                track_deg=round(seen.heading_deg, 4) if seen.speed_mps > 0.3 else None,
                eph_m=17.86,  # what gpsd makes of the receiver's constant HDOP of 0.94
            )
        )
        at += timedelta(seconds=1)
    return fixes


def _apart(a: Place, b: Place) -> float:
    return abs(a.lat_deg - b.lat_deg) + abs(a.lon_deg - b.lon_deg)
