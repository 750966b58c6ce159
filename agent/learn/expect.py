"""What is expected of a visit or a leg, from the list, the road, what was learned and how today goes. Pure.

    visit = (setup + service on the list) x van x kind x address x today      not below VISIT_FLOOR_S
    leg   = the road's own time x van x hour x area x today                   not below FASTEST of the road's time

Every factor is a mean pulled towards 1 (`level.py`), today's too (`today.py`).
"""

from dataclasses import dataclass
from datetime import datetime
from math import sqrt

from agent.learn import today as this_day
from agent.learn.keys import Spot, address_key, area_key, hour_key
from agent.learn.known import Known
from agent.learn.lessons import memory_of
from agent.learn.today import DaySums
from wire.manifest import Stop

FASTEST = 0.8
"""No leg is expected in less than this share of the road's own time, which knows the signs and no traffic."""
VISIT_FLOOR_S = 20.0
"""No visit is expected to take less, unless the list itself says so."""
SETUP_MOST = 0.8
"""The most of a visit that may go by before the door is open."""
VISIT_SHARE, ADDRESS_SHARE = 0.5, 0.35
"""Standard deviation of one visit around its address, and of addresses around the list, as shares of the visit."""
LEG_SHARE, LEG_SD_S = 0.2, 15.0
"""Standard deviation of a leg: a share of its time, and as many seconds for finding a place to stand."""
ESTIMATE_SHARE = 0.35
"""... of a leg along the straight line."""


@dataclass(frozen=True, slots=True)
class Visit:
    """What is expected of a visit; `sd_s` is its own, beside what today's visits have in common."""

    setup_s: float
    service_s: float
    sd_s: float

    @property
    def takes_s(self) -> float:
        return self.setup_s + self.service_s

    def times(self, factor: float) -> "Visit":
        """The same visit where all of it takes so many times as long."""
        return Visit(setup_s=self.setup_s * factor, service_s=self.service_s * factor, sd_s=self.sd_s * factor)


@dataclass(frozen=True, slots=True)
class Way:
    """A leg to be driven: how long the road says it takes, when it begins, by which clock on the wall, and where to."""

    road_s: float
    leaves_at: datetime
    timezone: str
    to: Spot
    is_estimate: bool = False
    """The straight line's time, for want of a road."""


@dataclass(frozen=True, slots=True)
class Leg:
    """What is expected of a leg; `sd_s` is its own, beside what today's legs have in common."""

    travel_s: float
    sd_s: float


class Expecting:
    """A day's expectations at one moment of it. What all stops have in common is worked out once."""

    def __init__(self, known: Known, visits: DaySums, legs: DaySums) -> None:
        self.visits_factor = this_day.factor(known, visits, "visit")
        self.legs_factor = this_day.factor(known, legs, "leg")
        self._known = known
        self._visits, self._legs = visits, legs
        self._visits_spread = this_day.spread(known, visits, "visit")
        self._legs_spread = this_day.spread(known, legs, "leg")
        self._factors: dict[str, float] = {}

    @property
    def visits_doubt(self) -> float:
        """The variance of what today's visits have in common, as a squared share."""
        return this_day.doubt(self._known, self._visits, "visit")

    @property
    def legs_doubt(self) -> float:
        return this_day.doubt(self._known, self._legs, "leg")

    def factor(self, key: str) -> float:
        """What is believed of a key."""
        found = self._factors.get(key)
        if found is None:
            found = self._factors[key] = self._known.factor(key)
        return found

    def visit(self, stop: Stop) -> Visit:
        """How long a stop will take."""
        listed_s = stop.setup_s + stop.service_s
        van, kind, address = visit_keys(stop)
        usual = self.factor(van) * self.factor(kind) * self.factor(address) * self.visits_factor
        takes_s = max(min(listed_s, VISIT_FLOOR_S), listed_s * usual)
        share = stop.setup_s / listed_s if listed_s > 0 else 0.0
        share *= self.factor("setup/van") * self.factor(f"setup/address/{address_key(stop)}")
        setup_s = takes_s * (min(SETUP_MOST, share) if stop.service_s > 0 else 1.0)
        sd_s = takes_s * sqrt(self._visits_spread * self.visit_variance(stop))
        return Visit(setup_s=setup_s, service_s=takes_s - setup_s, sd_s=sd_s)

    def leg(self, way: Way) -> Leg:
        """How long a way takes. Of a straight line nothing was learned."""
        if way.is_estimate:
            return Leg(travel_s=way.road_s, sd_s=sqrt(leg_variance(way.road_s, ESTIMATE_SHARE)))
        travel_s = way.road_s * self.leg_factor(way)
        return Leg(travel_s=travel_s, sd_s=sqrt(self._legs_spread * leg_variance(travel_s)))

    def leg_factor(self, way: Way) -> float:
        """How much longer a way takes than the road says."""
        van, hour, area = leg_keys(way)
        return max(FASTEST, self.factor(van) * self.factor(hour) * self.factor(area) * self.legs_factor)

    def area_factor(self, to: Spot) -> float:
        """How much longer a way to there takes than the road says, whatever the hour."""
        return self.factor("leg/van") * self.factor(f"leg/area/{area_key(to)}") * self.legs_factor

    def visit_variance(self, stop: Stop) -> float:
        """What is taken for granted, as a squared share: the visit's own spread, and the doubt about its address."""
        key = f"visit/address/{address_key(stop)}"
        prior_weight = memory_of(key).prior_weight
        return VISIT_SHARE**2 + ADDRESS_SHARE**2 * prior_weight / (prior_weight + self._known.weight(key))


def visit_keys(stop: Stop) -> tuple[str, str, str]:
    """Where it is learned how long a visit takes: van, kind, address."""
    return "visit/van", f"visit/kind/{stop.kind.value}", f"visit/address/{address_key(stop)}"


def leg_keys(way: Way) -> tuple[str, str, str]:
    """Where it is learned how long a leg takes: van, hour, area."""
    hour, area = hour_key(way.leaves_at, way.timezone), area_key(way.to)
    return "leg/van", f"leg/hour/{hour}", f"leg/area/{area}"


def leg_variance(travel_s: float, share: float = LEG_SHARE) -> float:
    """In squared seconds, what is taken for granted."""
    return (share * travel_s) ** 2 + LEG_SD_S**2
