"""An order at once, without search: the order the driver has, less the stops that are gone, with each new stop where it
costs least. The screen shows it while an engine looks for a better one, and it stands when no engine answers.
"""

from agent.localroute.check import NO_ROAD_COST, NO_ROAD_S, service
from agent.localroute.problem import Problem, Visit


def repaired(problem: Problem) -> tuple[str, ...]:
    """An order that keeps every rule of the problem. Steps: stops x new stops; 5 ms for a usual change."""
    fixed = {visit.locked_at: visit.stop_id for visit in problem.visits if visit.locked_at is not None}
    here, leave_s = 0, 0.0
    if problem.first is not None:
        fixed[0] = problem.first
        first = next(node for node, visit in enumerate(problem.visits, start=1) if visit.stop_id == problem.first)
        here, leave_s = first, _leave_s(problem, 0, 0.0, first)
    free = [visit for visit in problem.visits if visit.stop_id not in fixed.values()]
    queue: list[str] = []
    for group in ([visit for visit in free if not visit.is_last], [visit for visit in free if visit.is_last]):
        route = _route(problem, group, here, leave_s)
        for node in route:
            leave_s, here = _leave_s(problem, here, leave_s, node), node
        queue += [problem.visits[node - 1].stop_id for node in route]
    # `Problem` refuses locks that leave a put-off stop before another, so filling the gaps in order keeps every rule.
    waiting = iter(queue)
    return tuple(fixed[place] if place in fixed else next(waiting) for place in range(len(problem.visits)))


def _route(problem: Problem, visits: list[Visit], here: int, leave_s: float) -> list[int]:
    """These visits in the driver's order; new ones are put in by name, so that the input's order changes nothing."""
    place = {stop_id: place for place, stop_id in enumerate(problem.warm_order)}
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
    names = sorted(visit.stop_id for visit in visits)
    route = [node_of[stop_id] for stop_id in sorted((name for name in names if name in place), key=place.__getitem__)]
    for stop_id in names:
        if stop_id not in place:
            route.insert(_cheapest_place(problem, here, leave_s, route, node_of[stop_id]), node_of[stop_id])
    return route


def _cheapest_place(problem: Problem, here: int, leave_s: float, route: list[int], node: int) -> int:
    """Where in `route` the new node costs least: its detour, waiting and lateness, and that of the stops it holds up.

    How much the held-up stops are late is judged by the first of them that becomes late: a guess, made in one pass.
    """
    visit = problem.visits[node - 1]
    starts_s, spare_s = _starts_and_spare(problem, here, leave_s, route)
    best, best_cost = 0, float("inf")
    for place in range(len(route) + 1):
        there = route[place] if place < len(route) else len(problem.visits) + 1
        detour = _leg_cost(problem, here, node) + _leg_cost(problem, node, there) - _leg_cost(problem, here, there)
        ready_s = leave_s + _seconds(problem, here, node) + visit.setup_s
        start_s, lateness_s, rate = service(problem, visit, ready_s)
        direct_s = leave_s + _seconds(problem, here, there)
        held_up_s = start_s + visit.service_s + _seconds(problem, node, there) - direct_s
        cost = detour + problem.wait_cost_per_s * (start_s - ready_s) + rate * lateness_s
        cost += problem.late_cost_per_s * max(0.0, held_up_s - spare_s[place])
        if cost < best_cost:
            best, best_cost = place, cost
        if place < len(route):
            here, leave_s = there, starts_s[place] + problem.visits[there - 1].service_s
    return best


def _starts_and_spare(problem: Problem, here: int, leave_s: float, route: list[int]) -> tuple[list[float], list[float]]:
    """When service starts at each place; and by how much each may be held up before it or one behind it is late."""
    starts_s: list[float] = []
    waits_s: list[float] = []
    for node in route:
        visit = problem.visits[node - 1]
        ready_s = leave_s + _seconds(problem, here, node) + visit.setup_s
        start_s, _, _ = service(problem, visit, ready_s)
        starts_s.append(start_s)
        waits_s.append(start_s - ready_s)
        here, leave_s = node, start_s + visit.service_s
    spare_s = [float("inf")] * (len(route) + 1)
    for place in range(len(route) - 1, -1, -1):
        windows = problem.visits[route[place] - 1].windows
        own_s = max(window.closes_s for window in windows) - starts_s[place] if windows else float("inf")
        spare_s[place] = waits_s[place] + max(0.0, min(own_s, spare_s[place + 1]))
    return starts_s, spare_s


def _leave_s(problem: Problem, here: int, leave_s: float, node: int) -> float:
    visit = problem.visits[node - 1]
    start_s, _, _ = service(problem, visit, leave_s + _seconds(problem, here, node) + visit.setup_s)
    return start_s + visit.service_s


def _seconds(problem: Problem, here: int, there: int) -> float:
    travel_s = problem.travel_s[here][there]
    return NO_ROAD_S if travel_s is None else travel_s


def _leg_cost(problem: Problem, here: int, there: int) -> float:
    travel_s = problem.travel_s[here][there]
    return NO_ROAD_COST if travel_s is None else travel_s
