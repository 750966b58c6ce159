"""VROOM's JSON in and out: the neutral format in which a day can be handed to this engine and to others.

Two things differ from VROOM, because a loaded van is not a fleet that is still to be planned: every task is in the
answer, and a window that cannot be kept, or a load that does not fit, is a *violation* of its step, as in VROOM's own
plan mode. Windows are hard ones (`problem.md`); a priority of 100 weighs eleven times as much as one of 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

from pydantic import ValidationError

from agent.errors import DayError
from agent.localroute.problem import Amount, Answer, Capacity, Problem, TimeWindow, Visit
from agent.localroute.vroom_format import Break, Coordinates, Day, Job, Matrices, Shipment, Task

UNITS = tuple(Amount.model_fields)
PRIORITY_STEP = 0.1

Kind = Literal["job", "pickup", "delivery", "break"]
Cells = Sequence[Sequence[float]]


@dataclass(frozen=True)
class _Spot:
    """Where something is, in whichever way the day says it."""

    name: str
    index: int | None
    coordinates: Coordinates | None


@dataclass(frozen=True)
class _Stop:
    kind: Kind
    task: Task | Break
    load: tuple[int, ...] = ()
    priority: int = 0
    pickup: str | None = None

    @property
    def name(self) -> str:
        return _name(self.kind, self.task.id)


class VroomDay:
    """A day as VROOM tells it: `problem` is ours, `told` tells an answer as VROOM would."""

    def __init__(self, text: str | bytes) -> None:
        """Raises DayError."""
        try:
            day = Day.model_validate_json(text)
            self._vehicle = day.vehicles[0]
            self._stops = _stops(day)
            self._aboard = _sum([job.delivery for job in day.jobs])
            window = self._vehicle.time_window
            if window and window[1] < window[0]:
                raise DayError(f"the vehicle's time_window closes at {window[1]}, before it opens at {window[0]}")
            self._now_s = window[0] if window else 0
            self._spots = self._places()
            travel_s, travel_m = self._travel(day.matrices.get(self._vehicle.profile))
            self.problem = Problem(
                visits=tuple(self._visit(stop) for stop in self._stops),
                travel_s=tuple(tuple(row) for row in travel_s),
                travel_m=tuple(tuple(row) for row in travel_m),
                warm_order=self._warm_order(),
                shift_end_s=window[1] - self._now_s if window else None,
                aboard=_amount(self._aboard),
                capacity=Capacity(**dict(zip(UNITS, self._vehicle.capacity, strict=False))),
                ends_anywhere=self._spots[-1] is self._spots[0],
            )
        except ValidationError as error:
            raise DayError(_words(error)) from error

    def told(self, answer: Answer) -> dict[str, Any]:
        """The answer in VROOM's output format: whole seconds, and what is not kept as violations of its step."""
        steps = self._steps(answer)
        sums = {name: sum(step[name] for step in steps) for name in ("setup", "service", "waiting_time")}
        delay_s = sum(one.get("duration", 0) for step in steps for one in step["violations"])
        totals = {
            "cost": round(answer.cost),
            "duration": steps[-1]["duration"],
            **sums,
            "priority": sum(stop.priority for stop in self._stops),
            "violations": [{"cause": "delay", "duration": delay_s}] if delay_s else [],
        }
        route = {"vehicle": self._vehicle.id, **totals, "steps": steps}
        return {"code": 0, "summary": {"routes": 1, "unassigned": 0, **totals}, "unassigned": [], "routes": [route]}

    # In -------------------------------------------------------------------------------------------------------------

    def _places(self) -> list[_Spot]:
        """Of the van, of each stop and of the end; a break has the van's, for it is not looked at."""
        vehicle = self._vehicle
        start = _Spot("the vehicle's start", vehicle.start_index, vehicle.start)
        end = _Spot("the vehicle's end", vehicle.end_index, vehicle.end)
        stops = [
            start if isinstance(stop.task, Break) else _Spot(stop.name, stop.task.location_index, stop.task.location)
            for stop in self._stops
        ]
        return [start, *stops, start if end.index is None and end.coordinates is None else end]

    def _travel(self, matrices: Matrices | None) -> tuple[Cells, Cells]:
        """Seconds and metres between the places."""
        profile = f"matrices.{self._vehicle.profile}"
        if matrices is None:
            raise DayError(f"there is no {profile}: this engine asks no router, the day must bring its durations")
        size = len(matrices.durations)
        metres = matrices.distances or ((0,) * size,) * size
        if len(metres) != size or any(len(row) != size for row in (*matrices.durations, *metres)):
            raise DayError(f"{profile} must have as many columns as rows")
        nodes = []
        for spot in self._spots:
            if spot.index is None or spot.index >= size:
                raise DayError(f"{spot.name} needs an index into the matrix, 0 to {size - 1}")
            nodes.append(spot.index)
        return _scaled(matrices.durations, nodes, 1 / self._vehicle.speed_factor), _scaled(metres, nodes, 1.0)

    def _visit(self, stop: _Stop) -> Visit:
        task = stop.task
        return Visit(
            stop_id=stop.name,
            windows=tuple(
                TimeWindow(opens_s=opens - self._now_s, closes_s=closes - self._now_s, is_hard=True)
                for opens, closes in task.time_windows
            ),
            setup_s=0 if isinstance(task, Break) else task.setup,
            service_s=task.service,
            is_anywhere=isinstance(task, Break),
            load=_amount(stop.load),
            pickup=stop.pickup,
            priority=1 + PRIORITY_STEP * stop.priority,
        )

    def _warm_order(self) -> tuple[str, ...]:
        known = {stop.name for stop in self._stops}
        order = [_name(step.type, step.id) for step in self._vehicle.steps if step.type not in ("start", "end")]
        unknown = [name for name in order if name not in known]
        if unknown:
            raise DayError(f"the vehicle's steps name {unknown[0]}, which is not in the day")
        return tuple(order)

    # Out ------------------------------------------------------------------------------------------------------------

    def _steps(self, answer: Answer) -> list[dict[str, Any]]:
        stop_of = {stop.name: stop for stop in self._stops}
        spot_of = {stop.name: spot for stop, spot in zip(self._stops, self._spots[1:-1], strict=True)}
        # Rounded as sums, so that no second is lost or made on a long day.
        driven_s = [round(sum_s) for sum_s in accumulate(timing.travel_s for timing in answer.timings)]
        load = self._aboard
        steps = [self._step("start", self._now_s, self._spots[0], load, 0)]
        steps[0]["violations"] = self._overloads(load)
        for timing, duration_s in zip(answer.timings, driven_s, strict=True):
            stop = stop_of[timing.stop_id]
            load = _sum([load, stop.load])
            setup_s = 0 if isinstance(stop.task, Break) else stop.task.setup
            waiting_s = round(timing.start_s - timing.arrive_s - setup_s)
            late_s = round(timing.lateness_s)
            delays: list[dict[str, Any]] = [{"cause": "delay", "duration": late_s}] if late_s > 0 else []
            step = self._step(stop.kind, self._now_s + round(timing.arrive_s), spot_of[stop.name], load, duration_s)
            step |= {"id": stop.task.id, "setup": setup_s, "service": stop.task.service, "waiting_time": waiting_s}
            step["violations"] = delays + self._overloads(load)
            if stop.task.description:
                step["description"] = stop.task.description
            steps.append(step)
        if not self.problem.ends_anywhere:
            driving_s = round(sum(timing.travel_s for timing in answer.timings) + answer.home_travel_s)
            steps.append(self._step("end", self._now_s + round(answer.end_s), self._spots[-1], load, driving_s))
        return steps

    def _overloads(self, load: Sequence[int]) -> list[dict[str, Any]]:
        is_too_much = any(carried > most for carried, most in zip(load, self._vehicle.capacity, strict=False))
        return [{"cause": "load"}] if is_too_much else []

    def _step(self, kind: str, arrival_s: int, spot: _Spot, load: Sequence[int], duration_s: int) -> dict[str, Any]:
        step: dict[str, Any] = {"type": kind, "arrival": arrival_s, "duration": duration_s, "setup": 0, "service": 0}
        step |= {"waiting_time": 0, "violations": [], "load": list(load)}
        if kind != "break" and spot.index is not None:
            step["location_index"] = spot.index
        if kind != "break" and spot.coordinates is not None:
            step["location"] = list(spot.coordinates)
        return step


def _stops(day: Day) -> list[_Stop]:
    stops = [_Stop("job", job, _sum([job.pickup, _less(job)]), job.priority) for job in day.jobs]
    for shipment in day.shipments:
        stops += _pair(shipment)
    stops += [_Stop("break", pause) for pause in day.vehicles[0].breaks]
    seen: set[str] = set()
    for stop in stops:
        if stop.name in seen:
            raise DayError(f"{stop.name} stands twice in the day")
        seen.add(stop.name)
    return stops


def _pair(shipment: Shipment) -> tuple[_Stop, _Stop]:
    collected = _Stop("pickup", shipment.pickup, shipment.amount, shipment.priority)
    leaves = tuple(-amount for amount in shipment.amount)
    return collected, _Stop("delivery", shipment.delivery, leaves, shipment.priority, pickup=collected.name)


def _less(job: Job) -> tuple[int, ...]:
    return tuple(-amount for amount in job.delivery)


def _name(kind: str, number: int | None) -> str:
    return f"{kind}-{number}"


def _sum(amounts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    width = max((len(amount) for amount in amounts), default=0)
    return tuple(sum(amount[unit] for amount in amounts if unit < len(amount)) for unit in range(width))


def _amount(amounts: Sequence[int]) -> Amount:
    return Amount(**dict(zip(UNITS, amounts, strict=False)))


def _scaled(cells: Cells, nodes: Sequence[int], factor: float) -> Cells:
    return [[factor * cells[here][there] for there in nodes] for here in nodes]


def _words(error: ValidationError) -> str:
    """The first thing that is wrong, with its place in the file."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    what = "is not something this engine knows" if first["type"] == "extra_forbidden" else first["msg"]
    return f"{where}: {what}" if where else what.removeprefix("Value error, ")
