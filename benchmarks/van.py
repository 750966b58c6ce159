"""A van's courier in a process of its own, and what it is asked over its stdin; see `benchmarks/courier.py`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.stand import CHECKOUT


class Van:
    """One `benchmarks.courier` process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def ask(self, **order: Any) -> dict[str, Any]:
        """What the process answers to an order. Raises RuntimeError when it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        line = await self.process.stdout.readline()
        if not line:
            raise RuntimeError("a van's process has ended; its own words are above")
        answer: dict[str, Any] = json.loads(line)
        return answer


@asynccontextmanager
async def van_up(settings: Path) -> AsyncIterator[Van]:
    """A van's courier in a process of its own; killed at the end if it does not go by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.courier",
        str(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=CHECKOUT,
        limit=2**22,
    )
    try:
        yield Van(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
