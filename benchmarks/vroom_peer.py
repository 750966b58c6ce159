"""VROOM as a peer: hard windows only, whole seconds, and stops it cannot fit are left unserved.

It takes a start that keeps every window and refuses the others, so it starts cold. What it leaves out is appended, in
the order the driver had, for the judge to price: a loaded van cannot leave them out.
"""

from collections.abc import Sequence
from datetime import timedelta

from agent.localroute.check import NO_ROAD_S
from agent.localroute.problem import Problem

TICKS_PER_S = 10
FAR = 2**31 - 1


def solved(problem: Problem, limit_s: float, seed: int) -> Sequence[str]:
    import numpy as np  # noqa: PLC0415  (peers are loaded when they are asked for)
    import vroom  # noqa: PLC0415

    count = len(problem.visits)
    legs = np.array([[NO_ROAD_S if leg is None else leg for leg in row] for row in problem.travel_s])
    lowest = min((window.opens_s for visit in problem.visits for window in visit.windows), default=0.0)
    shift = round(max(0.0, -lowest) * TICKS_PER_S)  # VROOM has no time before 0

    def at(moment_s: float) -> int:
        return min(FAR, max(0, round(moment_s * TICKS_PER_S) + shift))

    day = vroom.Input()
    day.set_durations_matrix("car", np.rint(legs * TICKS_PER_S).astype(np.uint32))
    end = FAR if problem.shift_end_s is None else at(problem.shift_end_s)
    day.add_vehicle(vroom.Vehicle(1, start=0, end=count + 1, time_window=vroom.TimeWindow(min(shift, end), end)))
    for number, visit in enumerate(problem.visits, start=1):
        day.add_job(
            vroom.Job(
                number,
                location=number,
                default_setup=round(visit.setup_s * TICKS_PER_S),
                default_service=round(visit.service_s * TICKS_PER_S),
                time_windows=[vroom.TimeWindow(at(window.opens_s), at(window.closes_s)) for window in visit.windows],
            )
        )
    found = day.solve(exploration_level=5, nb_threads=1, timeout=timedelta(seconds=limit_s))
    routes = found.routes
    served = [int(number) for number in routes[routes["type"] == "job"]["id"]] if len(routes) else []
    order = [problem.visits[number - 1].stop_id for number in served]
    place = {stop_id: place for place, stop_id in enumerate(problem.warm_order)}
    left = sorted(
        {visit.stop_id for visit in problem.visits} - set(order),
        key=lambda stop_id: (place.get(stop_id, count), stop_id),
    )
    return [*order, *left]
