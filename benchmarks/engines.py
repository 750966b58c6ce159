"""The engines that sequencing benchmarks set side by side: ours as the van runs them, peers as their users would.

`core` and `ortools` are asked through the worker process, which is started before the clock; `pyvrp`, `pyvrp-hard`
and `vroom` run in this process, on one thread, with their own modelling inside the clock. `repair` is the order
without any search, `plan` the order the driver has.
"""

import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Self

from agent.localroute.problem import Problem
from agent.localroute.repair import repaired
from agent.localroute.worker import Solver
from benchmarks import pyvrp_peer, vroom_peer

ENGINES = ("core", "ortools", "pyvrp", "pyvrp-hard", "vroom", "repair", "plan")
PACKAGES = {"ortools": "ortools", "pyvrp": "pyvrp", "pyvrp-hard": "pyvrp", "vroom": "pyvroom"}
"""What each engine needs installed; peers come with the `bench` extra."""
THROWS_DICE = ("core", "pyvrp", "pyvrp-hard")


@dataclass(frozen=True)
class Run:
    order: Sequence[str]
    seconds: float


class Engines:
    """Answers problems by the engine's name. Workers live as long as this does."""

    def __init__(self, names: Sequence[str], seeds: Sequence[int] = (1,)) -> None:
        self._solvers: dict[tuple[str, int], Solver] = {}
        for name in names:
            for seed in seeds if name in THROWS_DICE else seeds[:1]:
                if name == "core":
                    self._solvers[name, seed] = Solver(engine="core", seed=seed)
                elif name == "ortools":
                    self._solvers[name, seed] = Solver(engine="ortools")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        for solver in self._solvers.values():
            await solver.close()

    async def run(self, name: str, problem: Problem, limit_s: float, seed: int = 1) -> Run:
        """What the engine found, and how long the van would have waited for it."""
        ask = self._asked(name, seed)
        if (name, seed) in self._solvers:
            await self._solvers[name, seed].start()  # one that was killed must not slow down the next problem
        started_s = time.perf_counter()
        order = await ask(problem, limit_s)
        return Run(order, time.perf_counter() - started_s)

    def _asked(self, name: str, seed: int) -> Callable[[Problem, float], Awaitable[Sequence[str]]]:
        async def by_worker(problem: Problem, limit_s: float) -> Sequence[str]:
            answer, why = await self._solvers[name, seed].solve(problem, limit_s)
            if why:
                print(f"  {why}", file=sys.stderr)
            return answer.order

        async def by_peer(problem: Problem, limit_s: float) -> Sequence[str]:
            if name == "vroom":
                return vroom_peer.solved(problem, limit_s, seed)
            return pyvrp_peer.solved(problem, limit_s, seed, are_soft_hard=name == "pyvrp")

        async def by_nobody(problem: Problem, limit_s: float) -> Sequence[str]:
            return repaired(problem) if name == "repair" else problem.warm_order

        if name in ("core", "ortools"):
            return by_worker
        return by_peer if name in PACKAGES else by_nobody


def engines_named(text: str) -> list[str]:
    """The engines of a list such as "core,pyvrp". Raises ValueError naming one that is not there."""
    names = text.split(",")
    unknown = [name for name in names if name not in ENGINES]
    if unknown:
        raise ValueError(f"no engine {unknown[0]!r} here; there are {', '.join(ENGINES)}")
    return names


def limits(text: str) -> list[float]:
    """Seconds from a list such as "0.2,1". Raises ValueError for one that is no time to search."""
    seconds = [float(word) for word in text.split(",")]
    if any(not 0 < limit <= 3600 for limit in seconds):
        raise ValueError("a limit is more than 0 and at most 3600 seconds")
    return seconds


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Mean and half the width of its 95 % confidence interval (Student's t); nan where there are too few."""
    count = len(values)
    mean = sum(values) / count if count else float("nan")
    if count < 2:
        return mean, float("nan")
    deviation = (sum((value - mean) ** 2 for value in values) / (count - 1)) ** 0.5
    return mean, _student_t(count - 1) * deviation / count**0.5


def _student_t(degrees: int) -> float:
    """97.5th percentile; near enough from five degrees of freedom on (Cornish and Fisher's expansion)."""
    z = 1.959964
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, start=1)) if degrees > 1 else 12.706
