"""What an order is worth and whether it keeps the rules. Written apart from every engine: no engine's figures are
believed, and an answer that fails here is never shown.

Cost, in seconds of driving:

    travel + wait_cost_per_s x waiting for windows + (hard_)late_cost_per_s x lateness of each start of service
    + late_cost_per_s x the day's end past shift_end_s + moved_stop_cost_s x moved stops
    + NO_ROAD_COST x legs without a road

Service begins at the earliest moment, after arrival and setup, that falls in one of the visit's windows. Past the last
window it begins at once and is late by the distance from that window's end.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from agent.localroute.problem import Answer, Problem, Timing, Visit

NO_ROAD_S = 3600.0
"""How long a leg without a road is taken to last: such a time is a guess, and `faults` names the leg."""
NO_ROAD_COST = 10_000_000.0
"""More than any lateness of a day, so that an order with a road always wins over one without."""


def evaluate(problem: Problem, order: Sequence[str], engine: Literal["ortools", "repair"] = "repair") -> Answer:
    """The timings and the cost of driving `order`, whatever rules it breaks; `faults` tells which.

    Raises ValueError when `order` names a stop that the problem does not have.
    """
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
    unknown = [stop_id for stop_id in order if stop_id not in node_of]
    if unknown:
        raise ValueError(f"stops that are not in the problem: {', '.join(unknown)}")
    cost, clock_s, here = 0.0, 0.0, 0
    timings: list[Timing] = []
    for stop_id in order:
        node = node_of[stop_id]
        visit = problem.visits[node - 1]
        travel_s, travel_m, leg_cost = _leg(problem, here, node)
        arrive_s = clock_s + travel_s
        ready_s = arrive_s + visit.setup_s
        start_s, lateness_s, rate = service(problem, visit, ready_s)
        cost += leg_cost + problem.wait_cost_per_s * (start_s - ready_s) + rate * lateness_s
        clock_s, here = start_s + visit.service_s, node
        timings.append(
            Timing(
                stop_id=stop_id,
                travel_s=travel_s,
                travel_m=travel_m,
                arrive_s=arrive_s,
                start_s=start_s,
                leave_s=clock_s,
                lateness_s=lateness_s,
            )
        )
    home_s, home_m, leg_cost = _leg(problem, here, len(problem.visits) + 1)
    end_s = clock_s + home_s
    cost += leg_cost
    if problem.shift_end_s is not None:
        cost += problem.late_cost_per_s * max(0.0, end_s - problem.shift_end_s)
    moved = moved_stops(problem.warm_order, order)
    return Answer(
        order=tuple(order),
        timings=tuple(timings),
        home_travel_s=home_s,
        home_travel_m=home_m,
        end_s=end_s,
        cost=cost + problem.moved_stop_cost_s * len(moved),
        moved_stops=moved,
        engine=engine,
    )


def faults(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """Everything wrong with `order`, in words: first the broken rules, then the legs that have no road."""
    return broken_rules(problem, order) + legs_without_road(problem, order)


def broken_rules(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """The rules that `order` breaks; an order that breaks none may be driven."""
    found: list[str] = []
    known = {visit.stop_id: visit for visit in problem.visits}
    counts: dict[str, int] = {}
    for stop_id in order:
        counts[stop_id] = counts.get(stop_id, 0) + 1
    found += [f"{stop_id} is not in the problem" for stop_id in counts if stop_id not in known]
    found += [f"{stop_id} stands {count} times in the order" for stop_id, count in counts.items() if count > 1]
    found += [f"{stop_id} is missing from the order" for stop_id in known if stop_id not in counts]
    if problem.first is not None and order and order[0] != problem.first:
        found.append(f"{problem.first} is being driven to and must stay first")
    was_put_off: str | None = None
    for place, stop_id in enumerate(order):
        visit = known.get(stop_id)
        if visit is None:
            continue
        if visit.locked_at is not None and visit.locked_at != place:
            found.append(f"{stop_id} is locked at place {visit.locked_at} and stands at {place}")
        if visit.is_last:
            was_put_off = stop_id
        elif was_put_off is not None:
            found.append(f"{was_put_off} was put off to the end and stands before {stop_id}")
    return tuple(found)


def legs_without_road(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """The legs of `order` for which the matrix has no time; stops that are not in the problem are passed over."""
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
    names = ["the van's place", *(visit.stop_id for visit in problem.visits), "the end of the day"]
    nodes = [0, *(node_of[stop_id] for stop_id in order if stop_id in node_of), len(problem.visits) + 1]
    return tuple(
        f"no road leads from {names[here]} to {names[there]}"
        for here, there in pairwise(nodes)
        if problem.travel_s[here][there] is None
    )


def moved_stops(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """The stops of `after` with another neighbour before them than in `before`.

    Only stops in both orders are looked at: a stop that is new or gone between two others moves neither.
    """
    is_in_both = set(before) & set(after)
    old = [stop_id for stop_id in before if stop_id in is_in_both]
    new = [stop_id for stop_id in after if stop_id in is_in_both]
    neighbour: dict[str, str | None] = dict(zip(old, [None, *old], strict=False))
    return tuple(stop_id for stop_id, ahead in zip(new, [None, *new], strict=False) if neighbour[stop_id] != ahead)


def service(problem: Problem, visit: Visit, ready_s: float) -> tuple[float, float, float]:
    """When service begins for a driver at the door at `ready_s`, how late that is, and the price of a late second."""
    if not visit.windows:
        return ready_s, 0.0, 0.0
    still_open = [max(ready_s, window.opens_s) for window in visit.windows if window.closes_s >= ready_s]
    if still_open:
        return min(still_open), 0.0, 0.0
    last = max(visit.windows, key=lambda window: (window.closes_s, window.is_hard))
    rate = problem.hard_late_cost_per_s if last.is_hard else problem.late_cost_per_s
    return ready_s, ready_s - last.closes_s, rate


def _leg(problem: Problem, here: int, there: int) -> tuple[float, float, float]:
    """Seconds, metres and cost of one leg."""
    travel_s = problem.travel_s[here][there]
    if travel_s is None:
        return NO_ROAD_S, problem.travel_m[here][there] or 0.0, NO_ROAD_COST
    return travel_s, problem.travel_m[here][there] or 0.0, travel_s
