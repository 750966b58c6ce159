"""A day's energy as values: the battery now, what each leg takes from it, where and how fast it may be charged.

What these numbers cost and forbid is told in `problem.md`; where a leg's kWh come from, in `energy.py`.
"""

from bisect import bisect_right
from itertools import pairwise
from typing import Annotated, Self

from pydantic import Field, model_validator

from wire.model import Seconds, StopId, Value

Z_95 = 1.6449
"""So many standard deviations below what is expected, 95 of 100 vans have more."""
type Kwh = Annotated[float, Field(ge=0)]


class ChargingCurve(Value):
    """How long charging takes: `points` are (kWh in the battery, seconds of charging since it was empty).

    Between two points the power is one; that is near enough to measured curves (Montoya et al. 2017).
    """

    points: tuple[tuple[float, float], ...]

    @model_validator(mode="after")
    def grows(self) -> Self:
        if len(self.points) < 2 or any(b[0] <= a[0] or b[1] <= a[1] for a, b in pairwise(self.points)):
            raise ValueError("a charging curve has two points or more, each with more kWh and later than the last")
        return self

    def seconds(self, from_kwh: float, to_kwh: float) -> float:
        """How long it takes from one charge to the other; 0 when nothing is charged. Outside the curve nothing is."""
        return max(0.0, self._since_empty_s(to_kwh) - self._since_empty_s(from_kwh))

    def _since_empty_s(self, kwh: float) -> float:
        at = min(max(bisect_right(self.points, kwh, key=lambda point: point[0]), 1), len(self.points) - 1)
        (low_kwh, low_s), (high_kwh, high_s) = self.points[at - 1], self.points[at]
        share = min(max((kwh - low_kwh) / (high_kwh - low_kwh), 0.0), 1.0)
        return low_s + share * (high_s - low_s)


class Charger(Value):
    """A place where this van may be charged."""

    charger_id: StopId
    setup_s: Seconds = 0.0
    """Park, plug in, be let in, unplug."""
    curve: ChargingCurve


class Charge(Value):
    """On the way to the stop at `place` of the order (past the last: home) the van charges, to `to_kwh`."""

    place: Annotated[int, Field(ge=0)]
    charger_id: StopId
    to_kwh: Kwh


class Energy(Value):
    """Nodes are those of the problem's matrix; behind the end of the day come the chargers, the first as node n+2."""

    charge_kwh: Kwh
    """In the battery now, and how far from it the truth may be (standard deviation)."""
    charge_sd_kwh: Kwh = 0.0
    reserve_kwh: Kwh = 0.0
    """What must be left at each charger and at the end of the day, with a probability of 95 %."""
    levels_kwh: tuple[Kwh, ...] = ()
    """The charges that a driver may be told to charge to, in ascending order; the last is a full battery."""
    chargers: tuple[Charger, ...] = ()
    use_kwh: tuple[tuple[Kwh, ...], ...]
    """What each leg takes with an empty van; of a leg without a road it is not looked at."""
    use_kwh_per_kg: tuple[tuple[Kwh, ...], ...] = ()
    """What each kilogram aboard adds to it; empty where nobody knows."""
    standing_kwh: tuple[Kwh, ...] = ()
    """What each visit takes while it is served, by visit; empty for nothing."""
    common_sd_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """By what share all legs of the day are off together, for weather, driver or a wrong model: standard deviation."""
    leg_sd_share: Annotated[float, Field(ge=0, le=1)] = 0.0
    """By what share each leg and each stop is off by itself."""
    charge_cost_per_s: Annotated[float, Field(ge=0)] = 1.0
    """The price of a second at a charger, plugging in included; not below the price of waiting."""

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if any(b <= a for a, b in pairwise(self.levels_kwh)):
            raise ValueError("the levels to charge to are not in ascending order")
        if self.chargers and not self.levels_kwh:
            raise ValueError("chargers without a level to charge to")
        ids = [charger.charger_id for charger in self.chargers]
        if len(ids) != len(set(ids)):
            raise ValueError("a charger stands twice in the problem")
        return self
