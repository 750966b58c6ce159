"""PyVRP as a peer: one van, whole numbers, and a callback that keeps what is best by the objective all engines are
judged by.

It knows hard windows only. Of the ways tried in giving it soft ones, two are here: `pyvrp` takes every window as
hard, so that its penalties press lateness out, and `pyvrp-hard` leaves the soft windows out. Both start from the plan
where there is one, and remember the candidate with the least true cost, since PyVRP itself remembers feasible ones
only. Times are in hundredths of a second. What it cannot know (waiting, moved stops, rules) is left to the judge.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from agent.localroute.check import NO_ROAD_S
from agent.localroute.problem import Problem

TICKS_PER_S = 100
FAR = 2**40


def solved(problem: Problem, limit_s: float, seed: int, *, are_soft_hard: bool = True) -> Sequence[str]:
    """The best order by true cost that PyVRP looked at within `limit_s`, the building of its model included."""
    import numpy as np  # noqa: PLC0415  (peers are loaded when they are asked for)
    import pyvrp  # noqa: PLC0415
    from pyvrp.stop import MaxRuntime  # noqa: PLC0415

    ends_at = time.monotonic() + limit_s
    count = len(problem.visits)
    true_cost = _true_cost(problem)
    seconds = np.array([[NO_ROAD_S if leg is None else leg for leg in row] for row in problem.travel_s])
    ticks: Any = np.rint(seconds * TICKS_PER_S).astype(np.int64)
    np.fill_diagonal(ticks, 0)
    durations = ticks.copy()
    for number, visit in enumerate(problem.visits, start=1):
        durations[:, number] += round(visit.setup_s * TICKS_PER_S)
    np.fill_diagonal(durations, 0)
    lowest = min((w.opens_s for visit in problem.visits for w in visit.windows), default=0.0)
    shift = round(max(0.0, -lowest) * TICKS_PER_S)  # PyVRP has no time before 0

    def at(moment_s: float) -> int:
        return min(FAR, max(0, round(moment_s * TICKS_PER_S) + shift))

    clients = []
    for number, visit in enumerate(problem.visits, start=1):
        windows = [window for window in visit.windows if window.is_hard or are_soft_hard]
        clients.append(
            pyvrp.Client(
                location=number,
                service_duration=round(visit.service_s * TICKS_PER_S),
                tw_early=at(min(window.opens_s for window in windows)) if windows else 0,
                tw_late=at(max(window.closes_s for window in windows)) if windows else FAR,
            )
        )
    data = pyvrp.ProblemData(
        locations=[pyvrp.Location(0, 0) for _ in range(count + 2)],
        clients=clients,
        depots=[pyvrp.Depot(location=0), pyvrp.Depot(location=count + 1)],
        vehicle_types=[
            pyvrp.VehicleType(
                num_available=1,
                start_depot=0,
                end_depot=1,
                tw_early=shift,
                tw_late=at(problem.shift_end_s) if problem.shift_end_s is not None else FAR,
            )
        ],
        distance_matrices=[ticks],
        duration_matrices=[durations],
    )
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits)}
    warm = [node_of[stop_id] for stop_id in problem.warm_order if stop_id in node_of]
    initial = pyvrp.Solution(data, [warm]) if len(warm) == count else None
    best = list(warm) if initial is not None else list(range(count))
    best_cost = true_cost(best) if initial is not None else float("inf")

    class Keep(pyvrp.IteratedLocalSearchCallbacks):  # type: ignore[misc, unused-ignore]
        def on_iteration(self, current: Any, candidate: Any, best_found: Any, cost_evaluator: Any) -> None:
            nonlocal best, best_cost
            order = _order(candidate)
            if len(order) == count and (cost := true_cost(order)) < best_cost:
                best, best_cost = order, cost

    params = pyvrp.SolveParams(ils=pyvrp.IteratedLocalSearchParams(callbacks=Keep()))
    left_s = max(0.001, ends_at - time.monotonic())
    found = pyvrp.solve(
        data, MaxRuntime(left_s), seed=seed, collect_stats=False, params=params, initial_solution=initial
    )
    order = _order(found.best)
    if len(order) == count and true_cost(order) < best_cost:
        best = order
    return [problem.visits[node].stop_id for node in best]


def _order(solution: Any) -> list[int]:
    return [activity.idx for route in solution.routes() for activity in route if activity.is_client()]


def _true_cost(problem: Problem) -> Callable[[Sequence[int]], float]:
    """What `check.py` says of an order of visits with at most one window each, quickly enough for every candidate."""
    legs = [[NO_ROAD_S if leg is None else leg for leg in row] for row in problem.travel_s]
    rows = []
    for visit in problem.visits:
        window = visit.windows[0] if visit.windows else None
        rate = problem.hard_late_cost_per_s if window and window.is_hard else problem.late_cost_per_s
        opens_s, closes_s = (window.opens_s, window.closes_s) if window else (float("-inf"), float("inf"))
        rows.append((visit.setup_s, visit.service_s, opens_s, closes_s, rate * visit.priority))
    shift_end_s = problem.shift_end_s if problem.shift_end_s is not None else float("inf")
    home = len(rows) + 1

    def cost_of(order: Sequence[int]) -> float:
        clock_s = cost = 0.0
        here = 0
        for index in order:
            setup_s, service_s, opens_s, closes_s, rate = rows[index]
            leg_s = legs[here][index + 1]
            cost += leg_s
            clock_s += leg_s + setup_s
            if clock_s < opens_s:
                cost += problem.wait_cost_per_s * (opens_s - clock_s)
                clock_s = opens_s
            elif clock_s > closes_s:
                cost += rate * (clock_s - closes_s)
            clock_s += service_s
            here = index + 1
        cost += legs[here][home]
        return cost + problem.late_cost_per_s * max(0.0, clock_s + legs[here][home] - shift_end_s)

    return cost_of
