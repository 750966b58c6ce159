"""Public instances of electric routing with time windows (Schneider, Stenger, Goeke 2014), as problems of one van.

Distances are Euclidean and not rounded, driving takes distance / speed, a unit of distance takes a constant amount of
the battery, and a station charges to the full at one rate. Cost is the distance. Windows and loads are hard, which here
are prices that no detour is worth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot
from pathlib import Path

from agent.localroute.battery import Charge, Charger, ChargingCurve, Energy
from agent.localroute.check import evaluate, faults
from agent.localroute.problem import Amount, Answer, Capacity, Problem, TimeWindow, Visit

LATE_COST_PER_S = 10_000.0
"""So dear that no saving in distance is worth a second of lateness."""
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Node:
    name: str
    kind: str
    """d: the depot, f: a station, c: a customer."""
    x: float
    y: float
    demand: float
    ready: float
    due: float
    service: float


@dataclass(frozen=True)
class Instance:
    name: str
    nodes: tuple[Node, ...]
    battery: float
    capacity: float
    rate: float
    """Of the battery, for a unit of distance."""
    inverse_rate: float
    """Seconds for a unit of the battery."""
    speed: float

    @property
    def depot(self) -> Node:
        return next(node for node in self.nodes if node.kind == "d")

    @property
    def stations(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.kind == "f")

    @property
    def customers(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if node.kind == "c")


def read(path: Path) -> Instance:
    """Raises ValueError naming the file when it is not in the format."""
    try:
        nodes: list[Node] = []
        numbers: list[float] = []
        for line in path.read_text().splitlines()[1:]:
            if "/" in line:
                numbers.append(float(line.split("/")[1]))
            elif line.strip():
                name, kind, *rest = line.split()
                nodes.append(Node(name, kind, *(float(word) for word in rest)))
        instance = Instance(path.stem, tuple(nodes), *numbers)
        _ = instance.depot
    except (ValueError, TypeError, StopIteration, IndexError) as error:
        raise ValueError(f"{path} is no E-VRPTW instance: {error}") from error
    return instance


def read_routes(path: Path) -> list[list[str]]:
    """The routes of a published solution, depot left out: comments, then the cost, then a route a line."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    return [[name.strip() for name in line.split(",") if name.strip() != "D0"] for line in lines[1:]]


def as_problem(instance: Instance, customers: Sequence[str]) -> Problem:
    """One van and these customers; the van may charge at any station."""
    of = {node.name: node for node in instance.nodes}
    depot = instance.depot
    served = [of[name] for name in customers]
    places = [depot, *served, depot, *instance.stations]
    far = [[hypot(a.x - b.x, a.y - b.y) for b in places] for a in places]
    curve = ChargingCurve(points=((0.0, 0.0), (instance.battery, instance.inverse_rate * instance.battery)))
    return Problem(
        visits=tuple(
            Visit(
                stop_id=node.name,
                windows=(TimeWindow(opens_s=node.ready, closes_s=node.due, is_hard=True),),
                service_s=node.service,
                load=Amount(litres=-node.demand),
            )
            for node in served
        ),
        travel_s=tuple(tuple(leg / instance.speed for leg in row) for row in far),
        travel_m=tuple(tuple(row) for row in far),
        shift_end_s=depot.due,
        late_cost_per_s=LATE_COST_PER_S,
        hard_late_cost_per_s=LATE_COST_PER_S,
        wait_cost_per_s=0.0,
        moved_stop_cost_s=0.0,
        aboard=Amount(litres=sum(node.demand for node in served)),
        capacity=Capacity(litres=instance.capacity),
        energy=Energy(
            charge_kwh=instance.battery,
            levels_kwh=(instance.battery,),
            chargers=tuple(Charger(charger_id=node.name, curve=curve) for node in instance.stations),
            use_kwh=tuple(tuple(instance.rate * leg for leg in row) for row in far),
            charge_cost_per_s=0.0,
        ),
    )


def driven(problem: Problem, route: Sequence[str]) -> Answer:
    """What a published route, stations among its stops, is worth by our own judge."""
    assert problem.energy is not None
    stations = {charger.charger_id for charger in problem.energy.chargers}
    order: list[str] = []
    charges: list[Charge] = []
    for name in route:
        if name in stations:
            charges.append(Charge(place=len(order), charger_id=name, to_kwh=problem.energy.levels_kwh[-1]))
        else:
            order.append(name)
    return evaluate(problem, order, charges=charges)


def distance(answer: Answer) -> float:
    to_stops = sum(timing.travel_m for timing in answer.timings)
    return to_stops + sum(charge.travel_m for charge in answer.charges) + answer.home_travel_m


def is_feasible(problem: Problem, answer: Answer) -> bool:
    charges = [Charge(place=one.place, charger_id=one.charger_id, to_kwh=one.to_kwh) for one in answer.charges]
    is_late = answer.terms.lateness + answer.terms.overtime > TOLERANCE * LATE_COST_PER_S
    return not faults(problem, answer.order, charges) and not is_late and len(answer.order) == len(problem.visits)
