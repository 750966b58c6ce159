"""Our own programs as an operator's service manager would run them: started and kept running."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from host.child import Child

RESTART_AFTER_S = 1.0


class Service:
    """One of our Python programs, started again whenever it ends without being asked to."""

    def __init__(self, name: str, module: str, settings_file: Path, data_dir: Path, commit_ms: int = 0) -> None:
        """`commit_ms`: how long the disk under it takes for a synced commit, on top of what it really takes."""
        self.name = name
        self.data_dir = data_dir
        self.starts = 0
        on_disk = ("simulator.slow_disk", str(commit_ms), module) if commit_ms else (module,)
        self._argv: Sequence[str] = (sys.executable, "-m", *on_disk, str(settings_file))
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._launch()
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._child is not None:
            await self._child.stop()

    def log_tail(self) -> str:
        """The last lines the program wrote."""
        return self._child.log_tail() if self._child is not None else ""

    async def _launch(self) -> None:
        self.starts += 1
        self._child = await Child.start(
            f"{self.name}-service",
            list(self._argv),
            run_dir=self.data_dir / "run",
            log_path=self.data_dir / f"{self.name}.log",
        )

    async def _keep(self) -> None:
        while True:
            assert self._child is not None
            await self._child.wait()
            await asyncio.sleep(RESTART_AFTER_S)
            await self._launch()


def pid_of(run_dir: Path, name: str) -> int | None:
    """The pid a program wrote down for itself; None while it is not up."""
    try:
        return int((run_dir / f"{name}.pid").read_text())
    except (OSError, ValueError):
        return None
