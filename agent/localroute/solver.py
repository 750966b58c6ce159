"""Looks for a better order with OR-Tools, in a process of its own that is killed when it does not keep its time.

The upper half is the van's side: it never blocks, never raises for an ordinary failure, and believes only what
`check.py` computes. The lower half runs in the worker (`python -m agent.localroute.solver PARENT_PID`), the one place
that knows OR-Tools. They speak in lines of JSON over the worker's stdin and stdout; the worker says each better order
when it has it, so that killing it loses the last moments and not the search.
"""

import asyncio
import ctypes
import json
import os
import signal
import sys
import time
import weakref
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from math import ceil, floor
from pathlib import Path
from typing import Any

from agent.localroute.check import NO_ROAD_COST, NO_ROAD_S, broken_rules, evaluate
from agent.localroute.problem import Answer, Problem
from agent.localroute.repair import repaired
from wire.model import StopId, Value

GRACE_S = 0.5
"""How long past its limit a worker may take to say its last word; then it is killed."""
START_LIMIT_S = 30.0
SEARCH_S_PER_STOP = 0.05
"""A few stops are searched to the end long before the limit; the van's processor has other work."""
MAX_LINE_BYTES = 4_000_000


class Question(Value):
    """What the worker is asked: a problem, an order that keeps its rules, and the monotonic time to end at."""

    problem: Problem
    order: tuple[StopId, ...]
    ends_at: float


class Solver:
    """One worker, started when first needed, replaced when it died or had to be killed."""

    def __init__(self, on_started: Callable[[int], None] = lambda pid: None) -> None:
        """`on_started` gets the process id of every worker that is started."""
        self._on_started = on_started
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
            best = evaluate(problem, repaired(problem), "repair")
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
                    searched_at = time.monotonic() + SEARCH_S_PER_STOP * len(problem.visits)
                    await _ask(worker, problem, best.order, min(ends_at, searched_at))
                    while True:
                        reply = await _hear(worker)
                        if "order" not in reply:
                            return best, str(reply["why"])
                        best = _better(problem, best, reply["order"])
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
            "agent.localroute.solver",
            str(os.getpid()),
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


def _better(problem: Problem, best: Answer, order: Sequence[str]) -> Answer:
    """The better of the two by our own figures; raises ValueError for an order that breaks a rule."""
    broken = broken_rules(problem, order)
    if broken:
        raise ValueError(f"it gave an order that breaks a rule: {broken[0]}")
    found = evaluate(problem, order, "ortools")
    return found if found.cost < best.cost - 1e-6 else best


def _is_gone(starting: asyncio.Task[Process]) -> bool:
    return starting.cancelled() or starting.exception() is not None or starting.result().returncode is not None


async def _ask(worker: Process, problem: Problem, order: Sequence[str], ends_at: float) -> None:
    assert worker.stdin is not None
    question = Question(problem=problem, order=tuple(order), ends_at=ends_at)
    worker.stdin.write(question.model_dump_json().encode() + b"\n")
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

TICKS_PER_S = 100
COST_PER_S = 1000
FAR_S = 30 * 86_400.0
"""Times beyond a month are all alike; it keeps the engine's integers far from their end."""
SAY_AT_MOST_EVERY_S = 0.05
LEAST_SEARCH_MS = 100
"""Of a limit that was used up by building the model."""


def serve(parent_pid: int) -> None:
    """Answers problems until stdin ends or the parent dies."""
    die_with_parent = 1  # PR_SET_PDEATHSIG
    ctypes.CDLL(None, use_errno=True).prctl(die_with_parent, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:  # it died before we could ask to be told
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; our parent ends us in its own time
    from ortools.constraint_solver import pywrapcp  # noqa: F401, PLC0415  (loaded here, before "ready", and only here)

    _say({"why": ""})
    for line in sys.stdin.buffer:
        try:
            asked = Question.model_validate_json(line)
            why = improve(asked.problem, asked.order, asked.ends_at, lambda order: _say({"order": order}))
        except Exception as error:  # whatever the engine does, the van keeps its order and says why
            why = f"{type(error).__name__}: {error}"
        _say({"why": why})


def improve(problem: Problem, order: Sequence[str], ends_at: float, say: Callable[[list[str]], None]) -> str:
    """Searches from `order`, which keeps the rules, until the monotonic clock shows `ends_at`, and says better orders.

    Returns "" or what failed.

    Visits enter by name, so that the same stops in another order give the same search.
    """
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # noqa: PLC0415

    def left_ms() -> int:
        return max(LEAST_SEARCH_MS, int((ends_at - time.monotonic()) * 1000))

    nodes = sorted(range(1, len(problem.visits) + 1), key=lambda node: problem.visits[node - 1].stop_id)
    nodes = [0, *nodes, len(nodes) + 1]
    names = ["", *(problem.visits[node - 1].stop_id for node in nodes[1:-1]), ""]
    place_of = {name: place for place, name in enumerate(names)}
    end = len(nodes) - 1
    # A list in no good order at all is a slow place to start from: putting every stop in anew may be far ahead of it.
    if problem.warm_order:
        anew = repaired(problem.model_copy(update={"warm_order": ()}))
        if evaluate(problem, anew).cost < evaluate(problem, order).cost:
            order = anew
            say(list(order))
    manager = pywrapcp.RoutingIndexManager(len(nodes), 1, [0], [end])
    routing = pywrapcp.RoutingModel(manager)
    routing.SetArcCostEvaluatorOfAllVehicles(routing.RegisterTransitMatrix(_costs(problem, nodes, names)))
    _add_times(routing, manager, problem, nodes)
    _add_rules(routing, manager, problem, nodes, place_of)

    settings = pywrapcp.DefaultRoutingSearchParameters()
    settings.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    settings.time_limit.FromMilliseconds(left_ms())
    best_cost: int | None = None
    said_at = 0.0

    seen = weakref.proxy(
        routing
    )  # the model keeps the callback, so a callback that kept the model would keep it for good

    def at_solution() -> None:
        nonlocal best_cost, said_at
        cost = seen.CostVar().Value()
        if best_cost is not None and cost >= best_cost:
            return
        best_cost = cost
        if time.monotonic() - said_at >= SAY_AT_MOST_EVERY_S:
            said_at = time.monotonic()
            say(_route(seen, manager, names, lambda index: seen.NextVar(index).Value()))

    routing.AddAtSolutionCallback(at_solution)
    routing.CloseModelWithParameters(settings)
    warm = routing.ReadAssignmentFromRoutes([[manager.NodeToIndex(place_of[stop_id]) for stop_id in order]], True)
    if warm is None:
        return "the engine did not take the repaired order as its start"
    settings.time_limit.FromMilliseconds(left_ms())
    found = routing.SolveFromAssignmentWithParameters(warm, settings)
    if found is None:
        return "the engine found no order"
    say(_route(routing, manager, names, lambda index: found.Value(routing.NextVar(index))))
    return ""


def _costs(problem: Problem, nodes: list[int], names: list[str]) -> list[list[int]]:
    """What driving a leg costs: its seconds, and the price of a stop whose neighbour before it is not the one it had.

    A new stop between two old ones hides the old neighbour; the engine charges nothing there, `check.py` judges.
    """
    known = [stop_id for stop_id in problem.warm_order if stop_id in set(names)]
    before = dict(zip(known, ["", *known], strict=False))
    is_known = {"", *known}
    rows: list[list[int]] = []
    for i, here in enumerate(nodes):
        row: list[int] = []
        for j, there in enumerate(nodes):
            travel_s = problem.travel_s[here][there]
            # Waiting is priced by the length of the whole day, which holds the driving too: the leg pays the rest.
            cost_s = NO_ROAD_COST if travel_s is None else min(travel_s, FAR_S) * (1 - problem.wait_cost_per_s)
            if names[j] in before and names[i] in is_known and before[names[j]] != names[i]:
                cost_s += min(problem.moved_stop_cost_s, FAR_S)
            row.append(round(cost_s * COST_PER_S))
        rows.append(row)
    return rows


def _add_times(routing: Any, manager: Any, problem: Problem, nodes: list[int]) -> None:
    """Start of service as a dimension: windows are waited for, lateness costs and is never forbidden."""

    def ticks(here: int, there: int) -> int:
        travel_s = problem.travel_s[here][there]
        service_s = problem.visits[here - 1].service_s if here > 0 else 0.0
        setup_s = problem.visits[there - 1].setup_s if there <= len(problem.visits) else 0.0
        total_s = service_s + (NO_ROAD_S if travel_s is None else travel_s) + setup_s
        return ceil(min(total_s, FAR_S) * TICKS_PER_S - 1e-6)

    last = nodes[-1]
    matrix = [[ticks(here, there) if here != last else 0 for there in nodes] for here in nodes]
    horizon = round((len(nodes) + 1) * FAR_S * TICKS_PER_S)
    routing.AddDimension(routing.RegisterTransitMatrix(matrix), horizon, horizon, True, "time")
    dimension = routing.GetDimensionOrDie("time")

    def rate(cost_per_s: float) -> int:
        return round(min(cost_per_s, 10_000.0) * COST_PER_S / TICKS_PER_S)

    def bounded(seconds: float) -> float:
        return min(max(seconds, 0.0), FAR_S) * TICKS_PER_S

    for place, node in enumerate(nodes[1:-1], start=1):
        windows = sorted(problem.visits[node - 1].windows, key=lambda window: window.opens_s)
        if not windows:
            continue
        index = manager.NodeToIndex(place)
        service = dimension.CumulVar(index)
        service.SetMin(ceil(bounded(windows[0].opens_s) - 1e-6))
        shut = floor(bounded(windows[0].closes_s) + 1e-6)
        for window in windows[1:]:
            opens = ceil(bounded(window.opens_s) - 1e-6)
            if opens > shut + 1:
                service.RemoveInterval(shut + 1, opens - 1)
            shut = max(shut, floor(bounded(window.closes_s) + 1e-6))
        final = max(windows, key=lambda window: (window.closes_s, window.is_hard))
        late = problem.hard_late_cost_per_s if final.is_hard else problem.late_cost_per_s
        dimension.SetCumulVarSoftUpperBound(index, shut, rate(late))
    if problem.shift_end_s is not None:
        shift_end = floor(bounded(problem.shift_end_s))
        dimension.SetCumulVarSoftUpperBound(routing.End(0), shift_end, rate(problem.late_cost_per_s))
    dimension.SetSpanCostCoefficientForVehicle(rate(problem.wait_cost_per_s), 0)


def _add_rules(routing: Any, manager: Any, problem: Problem, nodes: list[int], place_of: dict[str, int]) -> None:
    """`first`, stops put off to the end, and locked places, as moves the engine cannot make."""
    put_off = [place for place, node in enumerate(nodes[1:-1], start=1) if problem.visits[node - 1].is_last]
    others = [manager.NodeToIndex(place) for place in range(1, len(nodes) - 1) if place not in put_off]
    if others:
        for place in put_off:
            routing.NextVar(manager.NodeToIndex(place)).RemoveValues(others)
    if problem.first is not None:
        routing.NextVar(routing.Start(0)).SetValue(manager.NodeToIndex(place_of[problem.first]))
    locked = {visit.stop_id: visit.locked_at for visit in problem.visits if visit.locked_at is not None}
    if locked:
        routing.AddConstantDimension(1, len(nodes), True, "place")
        dimension = routing.GetDimensionOrDie("place")
        for stop_id, place in locked.items():
            dimension.CumulVar(manager.NodeToIndex(place_of[stop_id])).SetValue(place + 1)


def _route(routing: Any, manager: Any, names: list[str], after: Callable[[int], int]) -> list[str]:
    route: list[str] = []
    index = after(routing.Start(0))
    while not routing.IsEnd(index):
        route.append(names[manager.IndexToNode(index)])
        index = after(index)
    return route


def _say(reply: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
