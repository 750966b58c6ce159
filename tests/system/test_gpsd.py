"""Both clients of gpsd against a real one that is fed NMEA by UDP, as in the van and in the simulation: a test for each
way in which a receiver, gpsd or the clock can fail. `docs/gps.md` holds the table.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent.clock import VanClock
from agent.gps.__main__ import main as replay_main
from agent.gps.gpsd import GpsdReceiver, Quiet, RawFix, Silence
from agent.gps.gpsd_py3 import GpsdPy3Receiver
from agent.gps.observer import Observed, Observer
from agent.gps.position import Motion
from agent.gps.quality import ROLLOVER
from host.child import Child
from host.clock import ClockSettings
from host.loopback import free_port
from tests.agent.gps.sentences import Second, a_drive, log
from tests.builders import MORNING, a_place
from wire.events import FixQuality
from wire.geo import Place, distance_m

pytestmark = pytest.mark.system

Heard = AsyncGenerator[RawFix | Silence]
EPOCH_S = 0.05
"""Real seconds between two seconds of the drive."""
SHORTER = 1 / EPOCH_S


class World:
    """A gpsd on its own port, and a van that drives east at 10 m/s, 20 domain seconds a second."""

    def __init__(self, tmp_path: Path, source: str) -> None:
        self.port = free_port()
        self.source = source
        self.began = MORNING
        self.is_plugged = True
        self.has_fix = True
        self.says: dict[str, float | None] = {}
        """What the receiver says otherwise than it is."""
        self.gpsd: Child | None = None
        self._run_dir = tmp_path
        self._udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self._udp_port: int = probe.getsockname()[1]
        self._second = 0

    async def start_gpsd(self) -> None:
        argv = ["gpsd", "-N", "-n", "-S", str(self.port), f"udp://127.0.0.1:{self._udp_port}"]
        self.gpsd = await Child.start(
            "gpsd", argv, run_dir=self._run_dir, log_path=self._run_dir / "log", as_user="nobody"
        )

    def signal(self, number: signal.Signals) -> None:
        assert self.gpsd is not None
        os.kill(self.gpsd.pid, number)

    async def drive(self) -> None:
        with self._udp:
            while True:
                if self.is_plugged:
                    self._second += 1
                    place = self.place_at(self.began + timedelta(seconds=self._second))
                    second = Second(
                        self.began + timedelta(seconds=self._second), place if self.has_fix else None, 10.0, 90.0
                    )
                    self._udp.sendto(replace(second, **self.says).said(), ("127.0.0.1", self._udp_port))  # type: ignore[arg-type]
                await asyncio.sleep(EPOCH_S)

    def place_at(self, time: datetime) -> Place:
        return a_place(east_m=10.0 * (time - self.began).total_seconds())

    def listen(self, *, hung_after_s: float = 8.0) -> Heard:
        """The client, its seconds made short."""
        if self.source == "gpsd-py3":
            return GpsdPy3Receiver(
                "127.0.0.1", self.port, tick_s=0.2, poll_every_s=0.04, hung_after_s=hung_after_s, first_retry_s=0.2
            ).fixes()
        return GpsdReceiver("127.0.0.1", self.port, tick_s=0.2, hung_after_s=0.6, first_retry_s=0.2).fixes()


@pytest.fixture(params=["own", "gpsd-py3"])
async def world(tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[World]:
    world = World(tmp_path, request.param)
    driving = asyncio.create_task(world.drive())
    yield world
    driving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await driving
    if world.gpsd is not None:
        with contextlib.suppress(ProcessLookupError):
            world.signal(signal.SIGCONT)
        await world.gpsd.stop()


async def next_fix(heard: Heard) -> tuple[RawFix, list[Quiet]]:
    """The next fix, and the reasons of the silence before it."""
    silences: list[Quiet] = []
    async with asyncio.timeout(30):
        async for one in heard:
            if isinstance(one, RawFix):
                return one, silences
            silences.append(one.why)
    raise AssertionError("the receiver's client ended")


async def next_silence(heard: Heard) -> Quiet:
    async with asyncio.timeout(30):
        async for one in heard:
            if isinstance(one, Silence):
                return one.why
    raise AssertionError("the receiver's client ended")


async def observed(heard: Heard, observer: Observer, count: int) -> list[Observed]:
    """What is believed after each of the next things heard, with the loop's seconds as long as the drive's."""
    loop, seen = asyncio.get_running_loop(), []
    async with asyncio.timeout(30):
        async for one in heard:
            fix = one if isinstance(one, RawFix) else None
            seen.append(observer.observe(fix, loop.time() * SHORTER))
            if len(seen) == count:
                return seen
    raise AssertionError("the receiver's client ended")


async def test_a_drive_is_heard_as_it_was_driven(world: World) -> None:
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        seen = await observed(heard, observer, 30)
    position = seen[-1].position
    assert position is not None
    assert distance_m(position.place, world.place_at(position.fixed_at)) < 2
    assert position.quality is FixQuality.FIX_3D
    assert position.speed_mps == pytest.approx(10, abs=0.1)
    assert position.heading_deg == pytest.approx(90, abs=1)
    # gpsd tells `eph` here and no `epx`, `epy`, which is all that the library knows of.
    assert (position.error_m is None) == (world.source == "gpsd-py3")
    assert seen[-1].motion is Motion.MOVING
    assert observer.belief.refused == {}


async def test_a_gpsd_that_is_not_there_is_said_and_heard_once_it_is(world: World) -> None:
    async with contextlib.aclosing(world.listen()) as heard:
        assert [await next_silence(heard) for _ in range(3)] == [Quiet.NO_DAEMON] * 3
        await world.start_gpsd()
        fix, _ = await next_fix(heard)
    assert fix.mode == 3


async def test_a_receiver_that_is_silent_from_the_start_gives_no_position(world: World) -> None:
    world.is_plugged = False
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen()) as heard:
        seen = await observed(heard, observer, 10)
        assert [one.position for one in seen] == [None] * 10
        world.is_plugged = True
        fix, _ = await next_fix(heard)
    assert fix.mode == 3


async def test_a_gpsd_that_hangs_is_silence_and_is_heard_again(world: World) -> None:
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen(hung_after_s=1.0)) as heard:
        await observed(heard, observer, 5)
        world.signal(signal.SIGSTOP)
        # Long enough to give up this connection and try others, which hang too.
        seen = await observed(heard, observer, 40)
        assert seen[-1].position is None
        world.signal(signal.SIGCONT)
        fix, _ = await next_fix(heard)
    assert fix.mode == 3


async def test_a_gpsd_that_is_killed_and_comes_back_is_heard_again(world: World) -> None:
    await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        world.signal(signal.SIGKILL)
        assert await next_silence(heard) in {Quiet.CLOSED, Quiet.NO_DAEMON, Quiet.SILENT}
        assert world.gpsd is not None
        await world.gpsd.stop()
        await world.start_gpsd()
        fix, silences = await next_fix(heard)
    assert fix.mode == 3
    assert set(silences) <= {Quiet.CLOSED, Quiet.NO_DAEMON, Quiet.SILENT}


async def test_a_receiver_that_is_unplugged_leaves_a_stale_position_and_then_none(world: World) -> None:
    """gpsd goes on telling the last fix as a good one to whoever asks."""
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen()) as heard:
        await observed(heard, observer, 10)
        world.is_plugged = False
        seen = [one.position for one in await observed(heard, observer, 12)]
        assert FixQuality.STALE in {position.quality for position in seen if position is not None}
        assert seen[-1] is None
        world.is_plugged = True
        fix, _ = await next_fix(heard)
    assert fix.mode == 3


async def test_a_receiver_without_a_fix_yet_gives_no_position_and_never_0_0(world: World) -> None:
    world.has_fix = False
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen()) as heard:
        assert [one.position for one in await observed(heard, observer, 10)] == [None] * 10
        # The library does not tell a receiver that is blind from one that is silent.
        assert await next_silence(heard) is (Quiet.SILENT if world.source == "gpsd-py3" else Quiet.BLIND)
        world.has_fix = True
        seen = await observed(heard, observer, 40)
    assert seen[-1].position is not None


async def test_a_heading_that_is_missing_is_never_north(world: World) -> None:
    world.says = {"track_deg": None}
    await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        fixes = [(await next_fix(heard))[0] for _ in range(10)]
    assert {fix.track_deg for fix in fixes} == {None}


async def test_a_speed_that_is_missing_is_never_a_standstill(world: World) -> None:
    """gpsd works one out from the places, or says none; it never says that a moving van stands."""
    world.says = {"speed_mps": None}
    await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        fixes = [(await next_fix(heard))[0] for _ in range(10)]
    assert all(fix.speed_mps is None or fix.speed_mps > 5 for fix in fixes)


async def test_a_week_counter_that_rolled_over_is_told_as_the_date_it_means(world: World) -> None:
    world.began = MORNING - ROLLOVER
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen()) as heard:
        await next_fix(heard)
        [seen] = await observed(heard, observer, 1)
    assert seen.position is not None
    assert timedelta() <= seen.position.fixed_at - MORNING < timedelta(minutes=30)


async def test_midnight_and_new_year_are_driven_through(world: World) -> None:
    world.began = datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC)
    await world.start_gpsd()
    observer = Observer()
    async with contextlib.aclosing(world.listen()) as heard:
        seen = await observed(heard, observer, 60)
    times = [one.position.fixed_at for one in seen if one.position is not None]
    assert times == sorted(times)
    assert times[-1].year == 2027
    assert observer.belief.refused == {}


async def test_a_computer_that_starts_in_1970_learns_the_time_from_fixes(world: World) -> None:
    clock = VanClock(ClockSettings(), system=lambda: 60.0)
    assert clock.read().source == "none"
    await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        while clock.read().source != "gps":
            fix, _ = await next_fix(heard)
            world.is_plugged = False  # three of the same moment: the drive's seconds run fast and the clock's do not
            for _ in range(3):
                clock.heard_gps(fix.time)
    assert abs(clock.now() - MORNING) < timedelta(minutes=30)


def test_a_log_read_by_gpsd_is_the_drive_that_our_own_reader_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "drive.nmea"
    path.write_bytes(log(a_drive(60)))
    distances = []
    for way in ([], ["--gpsd"]):
        assert replay_main(["replay", *way, str(path)]) == 0
        sums = dict(word.split("=") for word in capsys.readouterr().out.splitlines()[-1].split())
        distances.append(float(sums["distance_m"]))
    assert distances[1] == pytest.approx(distances[0], abs=30)  # gpsd needs an epoch or two to learn where they end


WITHOUT_IPV6 = """
import asyncio, contextlib, pathlib, sys, tempfile
from tests.system.test_gpsd import World, next_fix

async def main() -> None:
    world = World(pathlib.Path(tempfile.mkdtemp()), sys.argv[1])
    driving = asyncio.create_task(world.drive())
    await world.start_gpsd()
    async with contextlib.aclosing(world.listen()) as heard:
        fix, _ = await next_fix(heard)
    await world.gpsd.stop()
    driving.cancel()
    print("mode", fix.mode)

asyncio.run(main())
"""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs a network of its own")
@pytest.mark.parametrize("source", ["own", "gpsd-py3"])
def test_without_ipv6_gpsd_is_heard(source: str) -> None:
    """In a network of its own, in which `localhost` has one address only."""
    off = "ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.lo.disable_ipv6=1"
    command = ["unshare", "-n", "sh", "-c", f'{off} && exec "$0" "$@"', sys.executable, "-c", WITHOUT_IPV6, source]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert done.stdout == "mode 3\n", done.stderr
