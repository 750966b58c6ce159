"""The sequencing problem in numbers: one van, one start, stops with windows, one matrix. Seconds from `now` throughout.

Node 0 is where the van is, nodes 1..n are the stops in the order of `visits`, node n+1 is the end of the day.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from wire.model import Seconds, StopId, Value


class TimeWindow(Value):
    """Start of service must fall in [opens_s, closes_s]; negative values lie in the past."""

    opens_s: float
    closes_s: float
    is_hard: bool = False

    @model_validator(mode="after")
    def opens_first(self) -> Self:
        if self.closes_s < self.opens_s:
            raise ValueError(f"a window opens at {self.opens_s:g} s and closes before, at {self.closes_s:g} s")
        return self


class Visit(Value):
    """One stop to be sequenced. The van arrives, spends `setup_s` (park, walk), waits for a window, serves."""

    stop_id: StopId
    windows: tuple[TimeWindow, ...] = ()
    setup_s: Seconds = 0.0
    service_s: Seconds = 0.0
    locked_at: Annotated[int, Field(ge=0)] | None = None
    """Its fixed place in the order, counted from 0; None when free."""
    is_last: bool = False
    """Put off by the driver: after every visit that is not."""


class Problem(Value):
    """What the engine gets. `travel_s[i][j]` and `travel_m[i][j]` over nodes 0..n+1; None where no road leads."""

    visits: tuple[Visit, ...]
    travel_s: tuple[tuple[float | None, ...], ...]
    travel_m: tuple[tuple[float | None, ...], ...]
    first: StopId | None = None
    """The stop being driven to: it stays first."""
    warm_order: tuple[StopId, ...] = ()
    """The order the driver has now; the engine starts from it and an answer is never worse."""
    shift_end_s: float | None = None
    """When the driver's shift ends; the day's end past it costs like a missed soft window."""
    late_cost_per_s: Annotated[float, Field(ge=0)] = 0.5
    hard_late_cost_per_s: Annotated[float, Field(ge=0)] = 20.0
    wait_cost_per_s: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Standing before a closed door: dearer than nothing, so that a day does not idle, cheaper than driving."""
    moved_stop_cost_s: Annotated[float, Field(ge=0)] = 30.0
    """Price of each stop that changes its neighbour before it, so that a small gain never shuffles a day."""

    @model_validator(mode="after")
    def matrix_fits(self) -> Self:
        nodes = len(self.visits) + 2
        for matrix in (self.travel_s, self.travel_m):
            if len(matrix) != nodes or any(len(row) != nodes for row in matrix):
                raise ValueError(f"{len(self.visits)} visits need a matrix of {nodes} x {nodes}")
        ids = [visit.stop_id for visit in self.visits]
        if len(ids) != len(set(ids)):
            raise ValueError("a stop stands twice in the problem")
        return self

    @model_validator(mode="after")
    def legs_are_not_negative(self) -> Self:
        for matrix in (self.travel_s, self.travel_m):
            if any(leg is not None and leg < 0 for row in matrix for leg in row):
                raise ValueError("a leg of the matrix is negative")
        return self

    @model_validator(mode="after")
    def rules_agree(self) -> Self:
        """Refuses rules that no order can keep, so that every problem has an answer."""
        count = len(self.visits)
        last_from = count - sum(visit.is_last for visit in self.visits)
        places: dict[int, str] = {}
        for visit in self.visits:
            if visit.stop_id == self.first and visit.is_last and last_from > 0:
                raise ValueError(f"{visit.stop_id} cannot be first and put off to the end")
            if visit.locked_at is None:
                continue
            allowed = range(last_from, count) if visit.is_last else range(last_from)
            if visit.locked_at not in allowed:
                raise ValueError(f"{visit.stop_id} cannot be locked at place {visit.locked_at} of {count}")
            if visit.locked_at in places:
                other = places[visit.locked_at]
                raise ValueError(f"{other} and {visit.stop_id} are locked at the same place {visit.locked_at}")
            places[visit.locked_at] = visit.stop_id
        if self.first is not None:
            visit_of_first = next((visit for visit in self.visits if visit.stop_id == self.first), None)
            if visit_of_first is None:
                raise ValueError(f"the first stop {self.first} is not among the visits")
            if places.get(0, self.first) != self.first or visit_of_first.locked_at not in (None, 0):
                raise ValueError(f"{self.first} cannot be first: a lock says otherwise")
        return self


class Timing(Value):
    """When one visit of an order happens, in seconds from now."""

    stop_id: StopId
    travel_s: Seconds
    travel_m: float
    arrive_s: float
    start_s: float
    leave_s: float
    lateness_s: Seconds


class Answer(Value):
    """An order with its timings and cost, as `check.py` computes them; the engine's own figures are not believed."""

    order: tuple[StopId, ...]
    timings: tuple[Timing, ...]
    home_travel_s: Seconds
    home_travel_m: float
    end_s: float
    cost: float
    moved_stops: tuple[StopId, ...]
    engine: Literal["ortools", "repair"]
