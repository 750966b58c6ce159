"""An order at once, without search: the order the driver has, less the stops that are gone, with each new stop where it
costs least. The screen shows it while an engine looks for a better one, and it stands when no engine answers.
"""

from agent.localroute.check import NO_ROAD_COST, NO_ROAD_S, SPLIT_COST, service
from agent.localroute.problem import Problem, Visit
from agent.localroute.rules import scheduled

MOST_TRIED = 2000
"""New stops x stops, of which each new one looks for its best place: 20 ms. Of a day in no order at all, the others
go by their windows."""


def repaired(problem: Problem, most_tried: int = MOST_TRIED) -> tuple[str, ...]:
    """An order that keeps every rule of the problem. Steps: stops x new stops; 5 ms for a usual change.

    A stop that may be left out is taken in when that looks cheaper than leaving it out.
    """
    fixed = {visit.locked_at: visit.stop_id for visit in problem.visits if visit.locked_at is not None}
    fixed.update(enumerate(problem.prefix))
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
    here, leave_s = 0, 0.0
    for stop_id in problem.prefix:
        here, leave_s = _after(problem, here, leave_s, node_of[stop_id])
    free = [visit for visit in problem.visits if visit.stop_id not in fixed.values()]
    queue: list[str] = []
    for group in ([visit for visit in free if not visit.is_last], [visit for visit in free if visit.is_last]):
        route = _route(problem, group, here, leave_s, 1 + most_tried // max(1, len(problem.visits)))
        for node in route:
            here, leave_s = _after(problem, here, leave_s, node)
        queue += [problem.visits[node - 1].stop_id for node in route]
    queue = _whole_pairs(problem, queue, set(fixed.values()))
    if any(visit.pickup is not None for visit in problem.visits):
        places = {stop_id: place for place, stop_id in fixed.items()}
        order = scheduled(problem, places, [*fixed.values(), *queue])
        if order is not None:  # `Problem` has refused the others
            return order
    # `Problem` refuses locks that leave a put-off stop before another, so filling the gaps in order keeps every rule.
    waiting = iter(queue)
    return tuple(fixed[place] if place in fixed else next(waiting) for place in range(len(fixed) + len(queue)))


def _whole_pairs(problem: Problem, queue: list[str], fixed: set[str]) -> list[str]:
    """The queue without stops whose pickup, or whose drop-off, was left out."""
    there = {*queue, *fixed}
    torn = {
        stop_id
        for visit in problem.visits
        if visit.pickup is not None and (visit.pickup in there) != (visit.stop_id in there)
        for stop_id in (visit.pickup, visit.stop_id)
    }
    return [stop_id for stop_id in queue if stop_id not in torn]


def _route(problem: Problem, visits: list[Visit], here: int, leave_s: float, most_new: int) -> list[int]:
    """These visits in the driver's order; new ones are put in by name, so that the input's order changes nothing."""
    place = {stop_id: place for place, stop_id in enumerate(problem.warm_order)}
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
    names = sorted(visit.stop_id for visit in visits)
    route = [node_of[stop_id] for stop_id in sorted((name for name in names if name in place), key=place.__getitem__)]
    new = [stop_id for stop_id in names if stop_id not in place]
    hurried = sorted(new[most_new:], key=lambda stop_id: (_closes_s(problem.visits[node_of[stop_id] - 1]), stop_id))
    route += [node_of[stop_id] for stop_id in hurried]
    for stop_id in new[:most_new]:
        node = node_of[stop_id]
        at, cost = _cheapest_place(problem, here, leave_s, route, node)
        visit = problem.visits[node - 1]
        if visit.skip_cost_s is None or cost < visit.priority * visit.skip_cost_s:
            route.insert(at, node)
    return route


def _closes_s(visit: Visit) -> float:
    return max((window.closes_s for window in visit.windows), default=float("inf"))


def _cheapest_place(problem: Problem, here: int, leave_s: float, route: list[int], node: int) -> tuple[int, float]:
    """Where in `route` the new node costs least, and how much: its detour, waiting, lateness, and what it holds up.

    How much the held-up stops are late is judged by the first of them that becomes late: a guess, made in one pass.
    """
    visit = problem.visits[node - 1]
    starts_s, spare_s = _starts_and_spare(problem, here, leave_s, route)
    splits = _splits(problem, route, visit)
    best, best_cost = 0, float("inf")
    for place in range(len(route) + 1):
        there = route[place] if place < len(route) else len(problem.visits) + 1
        then = here if visit.is_anywhere else node
        detour = _leg_cost(problem, here, node) + _leg_cost(problem, then, there) - _leg_cost(problem, here, there)
        ready_s = leave_s + _seconds(problem, here, node) + visit.setup_s
        start_s, lateness_s, rate = service(problem, visit, ready_s)
        direct_s = leave_s + _seconds(problem, here, there)
        held_up_s = start_s + visit.service_s + _seconds(problem, then, there) - direct_s
        cost = detour + problem.wait_cost_per_s * (start_s - ready_s) + rate * lateness_s
        cost += problem.late_cost_per_s * max(0.0, held_up_s - spare_s[place]) + SPLIT_COST * splits[place]
        if cost < best_cost:
            best, best_cost = place, cost
        if place < len(route):
            leave_s = starts_s[place] + problem.visits[there - 1].service_s
            here = _place(problem, here, there)
    return best, best_cost


def _splits(problem: Problem, route: list[int], visit: Visit) -> list[int]:
    """For each place in `route`, how many groups are torn when `visit` comes there."""
    groups = [problem.visits[node - 1].group for node in route]
    if visit.is_anywhere or (visit.group is None and not any(groups)):
        return [0] * (len(route) + 1)
    torn = []
    for before, after in zip([None, *groups], [*groups, None], strict=True):
        is_inside_another = before is not None and before == after and before != visit.group
        is_apart = visit.group in groups and visit.group is not None and visit.group not in (before, after)
        torn.append(is_inside_another + is_apart)
    return torn


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
        here, leave_s = _place(problem, here, node), start_s + visit.service_s
    spare_s = [float("inf")] * (len(route) + 1)
    for place in range(len(route) - 1, -1, -1):
        windows = problem.visits[route[place] - 1].windows
        own_s = max(window.closes_s for window in windows) - starts_s[place] if windows else float("inf")
        spare_s[place] = waits_s[place] + max(0.0, min(own_s, spare_s[place + 1]))
    return starts_s, spare_s


def _after(problem: Problem, here: int, leave_s: float, node: int) -> tuple[int, float]:
    """Where the van is and when it leaves, once `node` is served."""
    visit = problem.visits[node - 1]
    start_s, _, _ = service(problem, visit, leave_s + _seconds(problem, here, node) + visit.setup_s)
    return _place(problem, here, node), start_s + visit.service_s


def _place(problem: Problem, here: int, node: int) -> int:
    """Where the van stands when it has done `node`: at a break, where it stood before."""
    return here if problem.visits[node - 1].is_anywhere else node


def _has_no_leg(problem: Problem, there: int) -> bool:
    return problem.ends_anywhere if there == len(problem.visits) + 1 else problem.visits[there - 1].is_anywhere


def _seconds(problem: Problem, here: int, there: int) -> float:
    if _has_no_leg(problem, there):
        return 0.0
    travel_s = problem.travel_s[here][there]
    return NO_ROAD_S if travel_s is None else travel_s


def _leg_cost(problem: Problem, here: int, there: int) -> float:
    if _has_no_leg(problem, there):
        return 0.0
    travel_s = problem.travel_s[here][there]
    return NO_ROAD_COST if travel_s is None else travel_s
