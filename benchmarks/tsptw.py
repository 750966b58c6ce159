"""Instances of the travelling salesman with hard windows: the public format, our own random ones, and our problem.

A file holds the number of nodes (the depot is node 0), the travel matrix with the service at the origin folded in, and
a line "earliest latest" a node. The tour starts at the depot when that opens and is back before it closes. Cost is the
travel alone; waiting is free.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from pathlib import Path
from random import Random

from agent.localroute.check import evaluate
from agent.localroute.problem import Problem, TimeWindow, Visit

LATE_COST_PER_S = 10_000.0
"""So dear that no saving in travel is worth a second of lateness."""
TOLERANCE_S = 1e-6


@dataclass(frozen=True)
class Instance:
    name: str
    travel_s: tuple[tuple[float, ...], ...]
    windows: tuple[tuple[float, float], ...]

    @property
    def customers(self) -> int:
        return len(self.windows) - 1


@dataclass(frozen=True)
class Tour:
    """What a tour is worth by the instance's own rules."""

    cost: float
    is_feasible: bool


def read(path: Path) -> Instance:
    """Raises ValueError naming the file when it is not in the format."""
    try:
        text = " ".join(line.split("#", 1)[0] for line in path.read_text().splitlines())
        numbers = [float(word) for word in text.split()]
        nodes = int(numbers[0])
        cells, ends = numbers[1 : 1 + nodes * nodes], numbers[1 + nodes * nodes :]
        if nodes < 2 or len(ends) != 2 * nodes:
            raise ValueError(f"{len(numbers)} numbers do not make a matrix and windows for {nodes} nodes")
    except (IndexError, ValueError) as error:
        raise ValueError(f"{path} is no TSPTW instance: {error}") from error
    return Instance(
        name=f"{path.parent.name}/{path.name}",
        travel_s=tuple(tuple(cells[row * nodes : (row + 1) * nodes]) for row in range(nodes)),
        windows=tuple((ends[2 * node], ends[2 * node + 1]) for node in range(nodes)),
    )


def best_known(path: Path) -> dict[str, float]:
    """Best-known cost by "family/name", from a JSON list with `family`, `name` and `cost`."""
    return {f"{row['family']}/{row['name']}": float(row["cost"]) for row in json.loads(path.read_text())}


def made(customers: int, seed: int, width_s: float = 60.0) -> Instance:
    """A random instance that can be kept: each window lies around the moment a random tour passes."""
    dice = Random(seed)  # noqa: S311  (the same instance again, not a secret)
    points = [(dice.uniform(0, 50), dice.uniform(0, 50)) for _ in range(customers + 1)]
    travel_s = tuple(tuple(float(round(hypot(a[0] - b[0], a[1] - b[1]))) for b in points) for a in points)
    tour = dice.sample(range(1, customers + 1), customers)
    windows = [(0.0, 0.0)] * (customers + 1)
    here, passed_s = 0, 0.0
    for node in tour:
        passed_s += travel_s[here][node]
        windows[node] = (max(0.0, passed_s - dice.uniform(0, width_s)), passed_s + dice.uniform(0, width_s))
        passed_s, here = max(passed_s, windows[node][0]), node
    windows[0] = (0.0, passed_s + travel_s[here][0] + width_s)
    return Instance(name=f"made/n{customers}s{seed}", travel_s=travel_s, windows=tuple(windows))


def as_problem(instance: Instance) -> Problem:
    """The instance in the van's terms: cold, no service, lateness out of the question, waiting free."""
    opens_s, closes_s = instance.windows[0]
    nodes = (*range(instance.customers + 1), 0)
    # The end is the depot again; nothing leaves it, and nothing goes from a node to itself.
    travel_s = tuple(
        tuple(0.0 if i == j else instance.travel_s[a][b] for j, b in enumerate(nodes)) for i, a in enumerate(nodes)
    )
    return Problem(
        visits=tuple(
            Visit(
                stop_id=f"{node:04d}",
                windows=(
                    TimeWindow(
                        opens_s=instance.windows[node][0] - opens_s,
                        closes_s=instance.windows[node][1] - opens_s,
                        is_hard=True,
                    ),
                ),
            )
            for node in range(1, instance.customers + 1)
        ),
        travel_s=travel_s,
        travel_m=travel_s,
        shift_end_s=closes_s - opens_s,
        late_cost_per_s=LATE_COST_PER_S,
        hard_late_cost_per_s=LATE_COST_PER_S,
        wait_cost_per_s=0.0,
        moved_stop_cost_s=0.0,
    )


def judged(problem: Problem, order: Sequence[str]) -> Tour:
    """The tour's travel, and whether it meets every window and is home in time."""
    answer = evaluate(problem, order)
    shift_end_s = problem.shift_end_s if problem.shift_end_s is not None else float("inf")
    return Tour(
        cost=sum(timing.travel_s for timing in answer.timings) + answer.home_travel_s,
        is_feasible=len(set(order)) == len(problem.visits)
        and answer.end_s <= shift_end_s + TOLERANCE_S
        and all(timing.lateness_s <= TOLERANCE_S for timing in answer.timings),
    )
