"""What a real gpsd makes of our receiver: places, times, hemispheres; and that it comes back."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import time as system_s
from typing import Any

import pytest

from host.clock import Clock, ClockSettings
from host.loopback import free_port
from simulator.gpsd import Receiver
from simulator.nmea import Seen
from simulator.vehicle import journey
from wire.geo import Place, distance_m, moved

pytestmark = pytest.mark.system

ORIGIN = datetime(2026, 12, 31, 23, 59, 0, tzinfo=UTC)  # over New Year


def _clock(rate: float = 30.0) -> Clock:
    return Clock(ClockSettings(origin=ORIGIN, system_origin_s=system_s(), rate=rate))


@asynccontextmanager
async def _receiver(
    tmp_path: Path, truth: Callable[[datetime], Seen], clock: Clock
) -> AsyncIterator[tuple[Receiver, int]]:
    port = free_port()
    receiver = Receiver(port, truth, clock, seed=1, data_dir=tmp_path)
    await receiver.start()
    try:
        yield receiver, port
    finally:
        await receiver.stop()


async def _fixes(port: int, count: int) -> list[dict[str, Any]]:
    """The next TPV reports that have a time, from whoever answers on the port."""
    fixes: list[dict[str, Any]] = []
    async with asyncio.timeout(15):
        while len(fixes) < count:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
                continue
            writer.write(b'?WATCH={"enable":true,"json":true};\n')
            while len(fixes) < count and (line := await reader.readline()):
                report = json.loads(line)
                if report["class"] == "TPV" and "time" in report:
                    fixes.append(report)
            writer.close()
    return fixes


def _time(fix: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(fix["time"])


@pytest.mark.parametrize(("lat_deg", "lon_deg"), [(41.15, -8.61), (-33.92, 18.42), (-54.8, -68.3), (35.68, 139.76)])
async def test_a_drive_arrives_as_it_was_driven(tmp_path: Path, lat_deg: float, lon_deg: float) -> None:
    start = Place(lat_deg=lat_deg, lon_deg=lon_deg)
    way = journey([start, moved(start, north_m=900, east_m=500)], 90.0, ORIGIN + timedelta(seconds=5))
    async with _receiver(tmp_path, way.at, _clock()) as (_, port):
        fixes = await _fixes(port, 60)
    times = [_time(fix) for fix in fixes]
    assert times == [times[0] + timedelta(seconds=k) for k in range(60)]
    for fix in fixes:
        truth = way.at(_time(fix))
        assert fix["mode"] == 3
        assert abs(fix["lat"] - truth.place.lat_deg) < 1e-4
        assert distance_m(Place(lat_deg=fix["lat"], lon_deg=fix["lon"]), truth.place) < 12
        assert abs(fix["speed"] - truth.speed_mps) < 0.6


async def test_in_a_tunnel_gpsd_has_no_fix(tmp_path: Path) -> None:
    here = Seen(Place(lat_deg=41.15, lon_deg=-8.61), 10.0, 90.0)
    async with _receiver(tmp_path, lambda _: here, _clock()) as (receiver, port):
        await _fixes(port, 3)
        receiver.is_blind = True
        await asyncio.sleep(0.3)
        blind = await _fixes(port, 10)
    assert blind[-1]["mode"] == 1
    assert "lat" not in blind[-1]


async def test_a_killed_gpsd_comes_back_by_itself(tmp_path: Path) -> None:
    here = Seen(Place(lat_deg=41.15, lon_deg=-8.61), 0.0, 0.0)
    async with _receiver(tmp_path, lambda _: here, _clock()) as (receiver, port):
        first = await _fixes(port, 3)
        before = receiver.pid
        receiver.kill()
        await asyncio.sleep(0.1)
        second = await _fixes(port, 3)
        assert receiver.pid not in (None, before)
    assert _time(second[0]) > _time(first[-1])
    assert not (tmp_path / "run" / "gpsd.pid").exists()
