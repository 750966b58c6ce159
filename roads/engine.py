"""One OSRM server on one road network, kept alive: when it ends, hangs or answers wrongly it is started again, at
growing intervals. A crash there is an event here and never ours.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path

from host.child import Child, ChildError
from host.loopback import free_port
from roads.errors import EngineError
from roads.osrm import Osrm, Refusal, server_command, wait_for_port

READY_WITHIN_S = 20.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 15.0
SETTLED_AFTER_S = 30.0
"""A server that lived this long is started again at once, however often it ended before."""

log = logging.getLogger(__name__)


class Engine:
    """Ask it through `ask`; while the server is down the answer is Refusal.DOWN, at once."""

    def __init__(
        self, name: str, base: Path, is_sound: Callable[[Osrm], Awaitable[bool]], *, run_dir: Path, log_path: Path
    ) -> None:
        """Starts it in the background. `is_sound` asks a question with a known answer before anybody else may ask."""
        self.name = name
        self.problem = "it is starting"
        self._base = base
        self._is_sound = is_sound
        self._run_dir = run_dir
        self._log_path = log_path
        self._child: Child | None = None
        self._osrm: Osrm | None = None
        self._up = asyncio.Event()
        self._keeping = asyncio.create_task(self._keep())

    @property
    def is_up(self) -> bool:
        return self._osrm is not None

    async def up_within(self, timeout_s: float) -> bool:
        """Waits until it answers; False when it does not in that time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._up.wait()
        return self.is_up

    async def ask[T](self, question: Callable[[Osrm], Awaitable[T | Refusal]]) -> T | Refusal:
        """The server's answer, or Refusal.DOWN. Raises EngineError when it refuses the question itself."""
        osrm = self._osrm
        if osrm is None:
            return Refusal.DOWN
        answer = await question(osrm)
        if osrm.is_hanging and self._osrm is osrm and self._child is not None:
            log.warning("%s hangs: it is ended and started again", self.name)
            await self._child.stop(grace_s=0.5)
        return answer

    def take_name(self, name: str) -> None:
        """From now on it is the engine of that name; the one that was must be closed already."""
        self.name = name
        if self._child is not None:
            self._child.take_name(name)

    def move_to(self, base: Path) -> None:
        """Its files lie elsewhere now, by a rename; the running server has them open."""
        self._base = base

    async def close(self) -> None:
        """Ends the server; questions under way are answered with Refusal.DOWN."""
        self._keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._keeping

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        pause_s = FIRST_PAUSE_S
        while True:
            started = loop.time()
            await self._live()
            if loop.time() - started > SETTLED_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    async def _live(self) -> None:
        """One life of the server, from its start to its end."""
        port, osrm = free_port(), None
        try:
            self._child = await Child.start(
                self.name,
                server_command(self._base, port),
                run_dir=self._run_dir,
                log_path=self._log_path,
                cwd=self._base.parent,
            )
            self._child.take_name(self.name)  # it may have got another one while the program started
            osrm = Osrm(port)
            await self._child.ready_when(lambda: self._answers(osrm, port), READY_WITHIN_S)
            if self.problem != "it is starting":
                log.info("%s answers again", self.name)
            self.problem, self._osrm = "", osrm
            self._up.set()
            self._gone(f"it ended with code {await self._child.wait()}")
        except (ChildError, EngineError, OSError) as error:
            self._gone(str(error))
        finally:
            self._osrm = None
            self._up.clear()
            if osrm is not None:
                await osrm.close()
            if self._child is not None:
                await self._child.stop()
                self._child = None

    async def _answers(self, osrm: Osrm, port: int) -> bool:
        return await wait_for_port(port) and await self._is_sound(osrm)

    def _gone(self, why: str) -> None:
        if not self.problem or self.problem == "it is starting":  # said once, until it is back
            log.warning("%s is down, travel times are estimates: %s", self.name, why)
        self.problem = why
