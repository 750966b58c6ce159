"""Looks for a better order with OR-Tools: for where our own core is not built, and as a second opinion.

The one file that knows OR-Tools. It models driving, windows, waiting, overtime, moved stops, and the rules on
places and pairs; what it does not know (`not_modelled`) it is not asked, and
`check.py` judges what comes out.
"""

import time
import weakref
from collections.abc import Callable, Sequence
from math import ceil, floor
from typing import Any

from agent.localroute.check import NO_ROAD_COST, NO_ROAD_S, evaluate
from agent.localroute.problem import Problem
from agent.localroute.repair import repaired
from wire.model import StopId, Value

NAME = "ortools"
SEARCH_S_PER_STOP = 0.05
"""A few stops are searched to the end long before the limit; the van's processor has other work."""
TICKS_PER_S = 100
COST_PER_S = 1000
FAR_S = 30 * 86_400.0
"""Times beyond a month are all alike; it keeps the engine's integers far from their end."""
SAY_AT_MOST_EVERY_S = 0.05
LEAST_SEARCH_MS = 100
"""Of a limit that was used up by building the model."""


class Question(Value):
    """What the worker is asked: a problem, an order that keeps its rules, and the monotonic time to end at."""

    problem: Problem
    order: tuple[StopId, ...]
    ends_at: float


def load() -> None:
    from ortools.constraint_solver import pywrapcp  # noqa: F401, PLC0415  (takes a while, and only the worker needs it)


def question(problem: Problem, order: Sequence[str], ends_at: float, seed: int) -> bytes:
    """What the worker is asked, as JSON. OR-Tools throws no dice."""
    return Question(problem=problem, order=tuple(order), ends_at=ends_at).model_dump_json().encode()


def improve(asked: bytes, say: Callable[[Sequence[str]], None]) -> str:
    """Searches from the question's order until its end and says better orders. Returns "" or what failed."""
    question = Question.model_validate_json(asked)
    lacks = not_modelled(question.problem)
    return f"OR-Tools does not know {lacks}" if lacks else searched(question, say)


def not_modelled(problem: Problem) -> str:
    """What the problem has and the model has not, so that its orders would be no use; "" when all is there."""
    wants = {
        "breaks": any(visit.is_anywhere for visit in problem.visits),
        "groups": any(visit.group is not None for visit in problem.visits),
        "stops that may be left out": any(visit.skip_cost_s is not None for visit in problem.visits),
        "an end of the day anywhere": problem.ends_anywhere,
    }
    return ", ".join(what for what, is_there in wants.items() if is_there)


def searched(question: Question, say: Callable[[Sequence[str]], None]) -> str:
    """Visits enter by name, so that the same stops in another order give the same search."""
    problem, order, ends_at = question.problem, question.order, question.ends_at
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2  # noqa: PLC0415

    def left_ms() -> int:
        return max(LEAST_SEARCH_MS, int((ends_at - time.monotonic()) * 1000))

    nodes = sorted(range(1, len(problem.visits) + 1), key=lambda node: problem.visits[node - 1].stop_id)
    nodes = [0, *nodes, len(nodes) + 1]
    names = ["", *(problem.visits[node - 1].stop_id for node in nodes[1:-1]), ""]
    place_of = {name: place for place, name in enumerate(names)}
    end = len(nodes) - 1
    # A list in no good order at all is a slow place to start from: putting every stop in anew may be far ahead of it.
    anew = repaired(problem.model_copy(update={"warm_order": ()}), most_tried=len(problem.visits) ** 2)
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
        late = (problem.hard_late_cost_per_s if final.is_hard else problem.late_cost_per_s) * problem.visits[
            node - 1
        ].priority
        dimension.SetCumulVarSoftUpperBound(index, shut, rate(late))
    if problem.shift_end_s is not None:
        shift_end = floor(bounded(problem.shift_end_s))
        dimension.SetCumulVarSoftUpperBound(routing.End(0), shift_end, rate(problem.late_cost_per_s))
    dimension.SetSpanCostCoefficientForVehicle(rate(problem.wait_cost_per_s), 0)


def _add_rules(routing: Any, manager: Any, problem: Problem, nodes: list[int], place_of: dict[str, int]) -> None:
    """The head of the order, stops put off to the end, locked places and pairs, as moves the engine cannot make."""
    put_off = [place for place, node in enumerate(nodes[1:-1], start=1) if problem.visits[node - 1].is_last]
    others = [manager.NodeToIndex(place) for place in range(1, len(nodes) - 1) if place not in put_off]
    if others:
        for place in put_off:
            routing.NextVar(manager.NodeToIndex(place)).RemoveValues(others)
    before = routing.Start(0)
    for stop_id in problem.prefix:
        routing.NextVar(before).SetValue(manager.NodeToIndex(place_of[stop_id]))
        before = manager.NodeToIndex(place_of[stop_id])
    time_dimension = routing.GetDimensionOrDie("time")
    for visit in problem.visits:
        if visit.pickup is None:
            continue
        pickup, drop = (manager.NodeToIndex(place_of[stop_id]) for stop_id in (visit.pickup, visit.stop_id))
        routing.AddPickupAndDelivery(pickup, drop)
        routing.solver().Add(time_dimension.CumulVar(pickup) <= time_dimension.CumulVar(drop))
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
