"""The receiver's client against a real gpsd that is fed NMEA by UDP, as in the van and in the simulation."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from functools import reduce
from pathlib import Path

import pytest

from agent.gps.gpsd import GpsdReceiver, Quiet, RawFix, Silence
from agent.gps.observer import Observer
from agent.gps.position import Motion
from host.child import Child
from host.loopback import free_port
from tests.builders import MORNING, a_place
from wire.events import FixQuality
from wire.geo import Place, distance_m

pytestmark = pytest.mark.system

Heard = AsyncGenerator[RawFix | Silence]


class World:
    """A gpsd on its own port, and a van that drives north at 10 m/s, 20 domain seconds a second."""

    def __init__(self, tmp_path: Path) -> None:
        self.port = free_port()
        self.is_driving = True
        self._run_dir = tmp_path
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self._udp_port: int = probe.getsockname()[1]
        self._second = 0

    async def start_gpsd(self) -> Child:
        source = f"udp://127.0.0.1:{self._udp_port}"
        argv = ["gpsd", "-N", "-n", "-S", str(self.port), source]
        return await Child.start("gpsd", argv, run_dir=self._run_dir, log_path=self._run_dir / "log", as_user="nobody")

    async def drive(self) -> None:
        with self._udp:
            while True:
                if self.is_driving:
                    self._second += 1
                    epoch = nmea(MORNING + timedelta(seconds=self._second), place_at(self._second))
                    self._udp.sendto(epoch, ("127.0.0.1", self._udp_port))
                await asyncio.sleep(0.05)

    def listen(self) -> Heard:
        return GpsdReceiver("127.0.0.1", self.port, tick_s=0.2, hung_after_s=0.6, first_retry_s=0.2).fixes()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = World(tmp_path)
    driving = asyncio.create_task(world.drive())
    yield world
    driving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await driving


def place_at(second: float) -> Place:
    return a_place(north_m=10.0 * second)


def nmea(time: datetime, place: Place) -> bytes:
    """One epoch of a receiver: GGA, GSA and RMC of the same second."""
    lat = f"{int(place.lat_deg):02d}{place.lat_deg % 1 * 60:07.4f},N"
    lon_deg = abs(place.lon_deg)
    lon = f"{int(lon_deg):03d}{lon_deg % 1 * 60:07.4f},W"
    clock = f"{time:%H%M%S}.00"
    sentences = (
        f"GPGGA,{clock},{lat},{lon},1,09,0.9,80.0,M,50.0,M,,",
        "GPGSA,A,3,02,05,07,13,15,20,21,29,30,,,,1.6,0.9,1.3",
        f"GPRMC,{clock},A,{lat},{lon},19.4,0.0,{time:%d%m%y},,,A",
    )
    return "".join(
        f"${one}*{reduce(lambda sum_, char: sum_ ^ ord(char), one, 0):02X}\r\n" for one in sentences
    ).encode()


async def next_fix(heard: Heard) -> tuple[RawFix, list[Quiet]]:
    """The next fix, and the reasons of the silence before it."""
    silences: list[Quiet] = []
    async with asyncio.timeout(20):
        async for one in heard:
            if isinstance(one, RawFix):
                return one, silences
            silences.append(one.why)
    raise AssertionError("the receiver's client ended")


async def next_silence(heard: Heard) -> Quiet:
    async with asyncio.timeout(20):
        async for one in heard:
            if isinstance(one, Silence):
                return one.why
    raise AssertionError("the receiver's client ended")


async def test_a_drive_is_heard_as_it_was_driven(world: World) -> None:
    gpsd = await world.start_gpsd()
    observer = Observer()
    loop = asyncio.get_running_loop()
    async with contextlib.aclosing(world.listen()) as heard:
        seen, fix = None, None
        for _ in range(20):
            fix, _ = await next_fix(heard)
            seen = observer.observe(fix, loop.time())
    await gpsd.stop()
    assert fix is not None
    assert seen is not None
    assert seen.position is not None
    second = (fix.time - MORNING).total_seconds()
    assert distance_m(seen.position.place, place_at(second)) < 2
    assert seen.position.quality is FixQuality.FIX_3D
    assert seen.position.speed_mps == pytest.approx(10, abs=0.1)
    assert seen.motion is Motion.MOVING
    assert observer.belief.refused == {}


async def test_a_gpsd_that_is_killed_and_comes_back_is_heard_again(world: World) -> None:
    gpsd = await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        os.kill(gpsd.pid, signal.SIGKILL)
        assert await next_silence(heard) is Quiet.CLOSED
        await gpsd.stop()
        gpsd = await world.start_gpsd()
        fix, silences = await next_fix(heard)
    await gpsd.stop()
    assert fix.mode == 3
    assert set(silences) <= {Quiet.CLOSED, Quiet.NO_DAEMON, Quiet.SILENT}


async def test_a_gpsd_that_hangs_is_silence_and_is_heard_again(world: World) -> None:
    gpsd = await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        os.kill(gpsd.pid, signal.SIGSTOP)
        assert await next_silence(heard) is Quiet.SILENT
        for _ in range(8):  # long enough to give up this connection and try others
            await next_silence(heard)
        os.kill(gpsd.pid, signal.SIGCONT)
        fix, _ = await next_fix(heard)
    await gpsd.stop()
    assert fix.mode == 3


async def test_a_receiver_that_falls_silent_is_told_apart_from_one_that_repeats_itself(world: World) -> None:
    gpsd = await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        world.is_driving = False
        assert await next_silence(heard) is Quiet.SILENT
        assert await next_silence(heard) is Quiet.SILENT
        world.is_driving = True
        await next_fix(heard)
    await gpsd.stop()
