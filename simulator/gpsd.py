"""A van's receiver: a real gpsd, brought back when it dies, fed by UDP with one epoch per second of domain time."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from host.child import Child
from host.clock import Clock
from simulator.nmea import Seen, Wander, epoch

RESTART_AFTER_S = 0.5
CATCH_UP = timedelta(seconds=60)
"""Epochs that a busy machine was late with are still sent; after a longer gap they are left out."""
_SECOND = timedelta(seconds=1)


class Receiver:
    """`truth` answers where the van is at a moment; the receiver adds its error and says it to whoever asks gpsd.

    While `is_blind` it sees no satellites; while `is_unplugged` it says nothing at all.
    """

    def __init__(
        self, port: int, truth: Callable[[datetime], Seen], clock: Clock, *, seed: int, data_dir: Path
    ) -> None:
        self.is_blind = False
        self.is_unplugged = False
        self._port = port
        self._truth = truth
        self._clock = clock
        self._wander = Wander(seed)
        self._data_dir = data_dir
        self._feed = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._feed_port = _free_udp_port()
        self._child: Child | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def pid(self) -> int | None:
        return None if self._child is None or self._child.returncode is not None else self._child.pid

    async def start(self) -> None:
        """Starts gpsd and the feed. Raises ProgramMissingError when gpsd is not installed."""
        self._feed.setblocking(False)
        await self._launch()
        self._tasks = [asyncio.create_task(self._keep()), asyncio.create_task(self._say_epochs())]

    def kill(self) -> None:
        """SIGKILL, as a fault; it comes back by itself."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._feed.close()
        if self._child is not None:
            await self._child.stop()

    async def _launch(self) -> None:
        # Started as its own user: as root it would drop to it by itself, and so lose the tie to our life.
        self._child = await Child.start(
            "gpsd",
            [_gpsd(), "-N", "-n", "-S", str(self._port), f"udp://127.0.0.1:{self._feed_port}"],
            run_dir=self._data_dir / "run",
            log_path=self._data_dir / "gpsd.log",
            as_user="gpsd",
        )

    async def _keep(self) -> None:
        while True:
            assert self._child is not None
            await self._child.wait()
            await asyncio.sleep(RESTART_AFTER_S)
            await self._launch()

    async def _say_epochs(self) -> None:
        due_at = self._clock.now().replace(microsecond=0)
        while True:
            now = self._clock.now()
            if due_at > now:
                await asyncio.sleep(self._clock.real_s((due_at - now).total_seconds()))
                continue
            if now - due_at > CATCH_UP:
                due_at = now.replace(microsecond=0)
            if not self.is_unplugged:
                self._say(due_at)
            due_at += _SECOND

    def _say(self, at: datetime) -> None:
        # The error goes on wandering in a tunnel, so that a seed gives the same day with and without one.
        seen = self._wander.off(self._truth(at))
        with contextlib.suppress(ConnectionRefusedError, BlockingIOError):  # gpsd is down: said into the void
            self._feed.sendto(epoch(at, None if self.is_blind else seen), ("127.0.0.1", self._feed_port))


def _gpsd() -> str:
    """Debian keeps it in /usr/sbin, which is not on every user's path."""
    return next((path for path in ("/usr/sbin/gpsd", "/usr/local/sbin/gpsd") if os.access(path, os.X_OK)), "gpsd")


def _free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
