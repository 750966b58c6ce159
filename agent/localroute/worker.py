"""Looks for a better order in a process of its own, which is killed when it does not keep its time.

`Solver` is the van's side: it never blocks, never raises for an ordinary failure, and believes only what `check.py`
computes. `serve` runs in the worker (`python -m agent.localroute.worker PARENT_PID ENGINE`). A question is its length
and its bytes, as the engine wants them; answers are lines of JSON. The worker says each better order when it has it, so
that killing it loses the last moments and not the search.

The engine is our own core (`engine.py`) where that is built, else OR-Tools (`solver.py`).
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from agent.localroute import engine as core
from agent.localroute import solver as ortools
from agent.localroute.charging import appraised
from agent.localroute.check import broken_rules
from agent.localroute.problem import Answer, EngineName, Problem
from agent.localroute.repair import repaired

SearchName = Literal["core", "ortools"]
ENGINES: dict[SearchName, ModuleType] = {"core": core, "ortools": ortools}

GRACE_S = 0.5
"""How long past its limit a worker may take to say its last word; then it is killed."""
START_LIMIT_S = 30.0
MAX_LINE_BYTES = 1_000_000
LENGTH_BYTES = 8


def usual_engine() -> SearchName:
    """Our own core where it is built."""
    return "core" if core.is_built() else "ortools"


class Solver:
    """One worker, started when first needed, replaced when it died or had to be killed."""

    def __init__(
        self,
        on_started: Callable[[int], None] = lambda pid: None,
        engine: SearchName | None = None,
        seed: int = 1,
    ) -> None:
        """`on_started` gets the process id of every worker that is started; `engine` is the usual one unless told.

        Of an engine that throws dice, `seed` says how they fall.
        """
        self._on_started = on_started
        self._engine: SearchName = engine or usual_engine()
        self._seed = seed
        self._starting: asyncio.Task[Process] | None = None
        self._turn = asyncio.Lock()
        self._is_closed = False

    def warm(self) -> None:
        """Begins to start the worker, so that the first problem need not wait for it. Returns at once."""
        if self._starting is None and not self._is_closed:
            self._starting = asyncio.create_task(self._start())

    async def start(self) -> None:
        """Starts the worker and waits until it is ready. Raises OSError when it cannot be started."""
        await self._worker()

    async def solve(self, problem: Problem, limit_s: float) -> tuple[Answer, str]:
        """The best order known after `limit_s` real seconds (GRACE_S more at most), and what went wrong, "" if nothing.

        Never worse than the repaired order. One problem at a time; a second waits for its turn.
        """
        async with self._turn:
            ends_at = time.monotonic() + limit_s  # the worker reads the same clock
            # On a thread, as all that takes long with many stops: the van's event loop has taps to answer.
            known, best = await asyncio.to_thread(_without_search, problem)
            if len(problem.visits) < 2:
                return best, ""
            try:
                async with asyncio.timeout(ends_at - time.monotonic()):
                    worker = await self._worker()
            except TimeoutError:
                return best, f"the engine was not ready within {limit_s:g} s"
            except OSError as error:
                return best, str(error)
            try:
                async with asyncio.timeout(ends_at + GRACE_S - time.monotonic()):
                    engine = ENGINES[self._engine]
                    searched_at = time.monotonic() + engine.SEARCH_S_PER_STOP * len(problem.visits)
                    question = await asyncio.to_thread(
                        engine.question, problem, known, min(ends_at, searched_at), self._seed
                    )
                    await _ask(worker, question)
                    while True:
                        reply = await _hear(worker)
                        if "order" not in reply:
                            return best, str(reply["why"])
                        best = await asyncio.to_thread(_better, problem, best, reply["order"], self._engine)
            except TimeoutError:
                await self._replace(worker)
                return best, f"the engine was killed: it did not keep its limit of {limit_s:g} s"
            except (OSError, ValueError) as error:
                await self._replace(worker)
                return best, f"the engine failed: {error}"
            except asyncio.CancelledError:
                await self._replace(worker)  # its answer to a question nobody remembers must not meet the next one
                raise

    async def close(self) -> None:
        """Ends the worker."""
        self._is_closed = True
        if self._starting is None:
            return
        starting, self._starting = self._starting, None
        starting.cancel()
        try:
            worker = await starting
        except (asyncio.CancelledError, OSError):
            return
        await _kill(worker)

    async def _worker(self) -> Process:
        """The worker, ready for a problem; a start under way is waited for, a dead worker replaced."""
        if self._is_closed:
            raise OSError("the solver is closed")
        if self._starting is not None and self._starting.done() and _is_gone(self._starting):
            self._starting = None
        self.warm()
        assert self._starting is not None
        return await asyncio.shield(self._starting)

    async def _start(self) -> Process:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agent.localroute.worker",
            str(os.getpid()),
            self._engine,
            stdin=PIPE,
            stdout=PIPE,
            limit=MAX_LINE_BYTES,
            cwd=Path(__file__).parents[2],
        )
        try:
            self._on_started(worker.pid)
            async with asyncio.timeout(START_LIMIT_S):
                await _hear(worker)
        except BaseException as error:
            await _kill(worker)
            if isinstance(error, TimeoutError | OSError | ValueError):
                raise OSError(
                    f"the engine did not start: {error or f'nothing heard in {START_LIMIT_S:g} s'}"
                ) from error
            raise
        return worker

    async def _replace(self, worker: Process) -> None:
        """Ends a worker we no longer trust; the next one starts in the background, to be ready when needed."""
        self._starting = None
        self.warm()
        await _kill(worker)


def _without_search(problem: Problem) -> tuple[tuple[str, ...], Answer]:
    known = repaired(problem)
    return known, appraised(problem, known)


def _better(problem: Problem, best: Answer, order: Sequence[str], engine: EngineName) -> Answer:
    """The better of the two by our own figures; raises ValueError for an order that breaks a rule."""
    broken = broken_rules(problem, order)
    if broken:
        raise ValueError(f"it gave an order that breaks a rule: {broken[0]}")
    found = appraised(problem, order, engine)
    return found if found.cost < best.cost - 1e-6 else best


def _is_gone(starting: asyncio.Task[Process]) -> bool:
    return starting.cancelled() or starting.exception() is not None or starting.result().returncode is not None


async def _ask(worker: Process, question: bytes) -> None:
    assert worker.stdin is not None
    worker.stdin.write(len(question).to_bytes(LENGTH_BYTES, "big") + question)
    await worker.stdin.drain()


async def _hear(worker: Process) -> dict[str, Any]:
    assert worker.stdout is not None
    line = await worker.stdout.readline()
    if not line:
        raise OSError("the worker process died")
    reply: dict[str, Any] = json.loads(line)
    return reply


async def _kill(worker: Process) -> None:
    if worker.returncode is None:
        with suppress(ProcessLookupError):
            worker.kill()
    await worker.wait()


# ---- The worker ----------------------------------------------------------------------------------------------------


def serve(parent_pid: int, engine: SearchName) -> None:
    """Answers questions until stdin ends or the parent dies."""
    die_with_parent = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None, use_errno=True).prctl(die_with_parent, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before we could ask to be told
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; our parent ends us in its own time
    asked_of = ENGINES[engine]
    asked_of.load()  # before "ready", so that the first question need not wait for it
    _say({"why": ""})
    while length := sys.stdin.buffer.read(LENGTH_BYTES):
        question = sys.stdin.buffer.read(int.from_bytes(length, "big"))
        try:
            why = asked_of.improve(question, lambda order: _say({"order": order}))
        except Exception as error:  # whatever the engine does, the van keeps its order and says why
            why = f"{type(error).__name__}: {error}"
        _say({"why": why})


def _say(reply: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]), sys.argv[2])  # type: ignore[arg-type]
