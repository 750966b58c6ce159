"""The sequencing problem in numbers: one van, one start, stops with windows, one matrix. Seconds from `now` throughout.

Node 0 is where the van is, nodes 1..n are the stops in the order of `visits`, node n+1 is the end of the day. What an
order costs, term by term, and which rules it must keep, is told in `problem.md`.
"""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from agent.localroute.battery import Energy
from agent.localroute.rules import contradicted
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


class Amount(Value):
    """How much goods weigh and fill. As a change of load it is negative where goods leave the van."""

    kg: float = 0.0
    litres: float = 0.0
    parcels: float = 0.0


class Capacity(Value):
    """What the van takes; None where nobody has said."""

    kg: Annotated[float, Field(ge=0)] | None = None
    litres: Annotated[float, Field(ge=0)] | None = None
    parcels: Annotated[float, Field(ge=0)] | None = None


class Slot(Value):
    """From `from_s` until the next slot begins, legs take `factor` times their usual time."""

    from_s: float
    factor: Annotated[float, Field(gt=0, le=10)]


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
    is_anywhere: bool = False
    """A break: it is done where the van stands, has no leg of its own, and its row of the matrix is not looked at."""
    load: Amount = Amount()
    """What comes aboard here; negative: what leaves the van. A return that was collected stays aboard to the end."""
    pickup: StopId | None = None
    """The visit that collects what is dropped off here; it comes before this one."""
    group: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Visits of one group follow each other, with nothing but breaks between them."""
    priority: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """How much its lateness, its promise and its being left out weigh; 1 is usual."""
    skip_cost_s: Annotated[float, Field(ge=0)] | None = None
    """The price of leaving it out; None when it must be visited. A pickup and its drop-off are left out together."""
    promise: tuple[float, float] | None = None
    """What the customer was told: service begins between these moments. To miss it has a price, earlier or later."""


class Problem(Value):
    """What the engine gets. `travel_s[i][j]` and `travel_m[i][j]` over nodes 0..n+1; None where no road leads.

    With `energy` the matrices go on with its chargers.
    """

    visits: tuple[Visit, ...]
    travel_s: tuple[tuple[float | None, ...], ...]
    travel_m: tuple[tuple[float | None, ...], ...]
    first: StopId | None = None
    """The stop being driven to: it stays first."""
    frozen: tuple[StopId, ...] = ()
    """The head of the order, which stays as it is; begins with `first` where both are given."""
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
    moved_promise_cost_s: Annotated[float, Field(ge=0)] = 600.0
    """Price of each promise that is not met, since somebody must be told another time."""
    aboard: Amount = Amount()
    """The load at the start."""
    capacity: Capacity = Capacity()
    slots: tuple[Slot, ...] = ()
    """By the hour: how much longer legs take than the matrix says. Before the first slot the factor is 1."""
    ends_anywhere: bool = False
    """The day ends with the last service; the way home is not looked at."""
    energy: Energy | None = None
    """None for a van whose charge is not looked at."""

    @model_validator(mode="after")
    def matrix_fits(self) -> Self:
        nodes = len(self.visits) + 2 + len(self.energy.chargers if self.energy else ())
        matrices: list[tuple[tuple[float | None, ...], ...]] = [self.travel_s, self.travel_m]
        if self.energy is not None:
            matrices += [self.energy.use_kwh, *([self.energy.use_kwh_per_kg] if self.energy.use_kwh_per_kg else [])]
            if len(self.energy.standing_kwh) not in (0, len(self.visits)):
                raise ValueError("what is used standing is not told for each visit")
            if self.energy.charge_cost_per_s < self.wait_cost_per_s:
                raise ValueError("a second at a charger is cheaper than one before a closed door")
        for matrix in matrices:
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
    def slots_are_in_order(self) -> Self:
        if any(late.from_s <= early.from_s for early, late in pairwise(self.slots)):
            raise ValueError("the slots are not in order of time")
        return self

    @model_validator(mode="after")
    def rules_agree(self) -> Self:
        """Refuses rules that no order can keep, so that every problem has an answer."""
        contradiction = contradicted(self)
        if contradiction:
            raise ValueError(contradiction)
        return self

    @property
    def prefix(self) -> tuple[StopId, ...]:
        """The stops at the head of the order that stay there."""
        return self.frozen or ((self.first,) if self.first is not None else ())


class Timing(Value):
    """When one visit of an order happens, in seconds from now."""

    stop_id: StopId
    travel_s: Seconds
    travel_m: float
    arrive_s: float
    start_s: float
    leave_s: float
    lateness_s: Seconds
    charge_kwh: float | None = None
    """What is expected in the battery on arrival, and what 95 of 100 vans have at least; None without energy."""
    least_kwh: float | None = None


class ChargeTiming(Value):
    """One charging stop of an order, in seconds from now."""

    place: int
    """The van is on its way to the stop at this place of the order; the order's length: home."""
    charger_id: StopId
    travel_s: Seconds
    travel_m: float
    arrive_s: float
    leave_s: float
    arrive_kwh: float
    least_kwh: float
    to_kwh: float


class Terms(Value):
    """What the cost of an order is made of, in seconds; `problem.md` tells each."""

    driving: float = 0.0
    waiting: float = 0.0
    lateness: float = 0.0
    overtime: float = 0.0
    moved_stops: float = 0.0
    moved_promises: float = 0.0
    skipped: float = 0.0
    charging: float = 0.0
    overload: float = 0.0
    split_groups: float = 0.0
    short_of_charge: float = 0.0
    no_road: float = 0.0

    @property
    def total(self) -> float:
        return sum(float(cost) for cost in dict(self).values())


EngineName = Literal["core", "ortools", "repair"]


class Answer(Value):
    """An order with its timings and cost, as `check.py` computes them; the engine's own figures are not believed."""

    order: tuple[StopId, ...]
    timings: tuple[Timing, ...]
    home_travel_s: Seconds
    home_travel_m: float
    end_s: float
    cost: float
    moved_stops: tuple[StopId, ...]
    terms: Terms = Terms()
    skipped: tuple[StopId, ...] = ()
    """Optional visits that are left out."""
    charges: tuple[ChargeTiming, ...] = ()
    end_kwh: float | None = None
    """What is expected in the battery at the end of the day, and what 95 of 100 vans have at least."""
    end_least_kwh: float | None = None
    engine: EngineName
