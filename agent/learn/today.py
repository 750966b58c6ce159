"""How a day goes, from what was done so far: whether its visits and legs are slower than they should be. Pure.

Visits of a day are slow together (rain, a stand-in, a heavy load), and legs are. What the first stops show is believed
as far as it is no chance: pulled towards 1 by the ratio of one visit's variance to that between whole days, so that
after some ten stops it counts half. What is left in doubt widens the ranges of all stops to come.
"""

from typing import Annotated, Literal

from pydantic import Field

from agent.learn.known import Known
from agent.learn.lessons import Lesson
from wire.model import Value

type What = Literal["visit", "leg"]

ONE_SHARE: dict[What, float] = {"visit": 0.6, "leg": 0.22}
"""Standard deviation of one visit, one leg, as a share of it, with what is not known of its address."""
DAY_SHARE: dict[What, float] = {"visit": 0.18, "leg": 0.08}
"""Standard deviation of whole days, before anything is learned about them."""
LEAST, MOST = 0.25, 6.0
"""What spreads may be, as multiples of what is taken for granted."""
SPREAD_WEIGHT = 30.0
"""So many of today's visits say as much about today's spread as all days before."""
CLEARLY = 4.0
"""A day is clearly unlike others when it differs by more than two standard deviations of chance; their square."""
DAYS_WEIGHT = 1.0
"""... and this day as much about how far days differ as one after so many others."""
MOST_SQUARE = 16.0


class DaySums(Value):
    """Of the visits, or the legs, that were done today."""

    count: Annotated[int, Field(ge=0)] = 0
    took_s: float = 0.0
    expected_s: float = 0.0
    """What they should have taken, had the day been like any other."""
    squares: float = 0.0
    """Their errors, squared, each in what is taken for granted."""

    def plus(self, took_s: float, expected_s: float, square: float) -> "DaySums":
        return DaySums(
            count=self.count + 1,
            took_s=self.took_s + took_s,
            expected_s=self.expected_s + expected_s,
            squares=self.squares + min(MOST_SQUARE, square),
        )

    def minus(self, took_s: float, expected_s: float, square: float) -> "DaySums":
        """As before that `plus`."""
        if self.count <= 1:
            return DaySums()
        return DaySums(
            count=self.count - 1,
            took_s=max(0.0, self.took_s - took_s),
            expected_s=max(0.0, self.expected_s - expected_s),
            squares=max(0.0, self.squares - min(MOST_SQUARE, square)),
        )

    @property
    def ratio(self) -> float:
        """How much longer all of it took than it should have."""
        return self.took_s / self.expected_s if self.expected_s > 0 else 1.0


def spread(known: Known, today: DaySums, what: What) -> float:
    """By how much the variance of one of them is larger than taken for granted."""
    before = known.factor(f"spread/{what}")
    seen = (SPREAD_WEIGHT * before + today.squares) / (SPREAD_WEIGHT + today.count)
    return max(LEAST, min(MOST, seen))


def factor(known: Known, today: DaySums, what: What) -> float:
    """How much longer they take today than on other days, as far as that is believed."""
    weight = _prior_weight(known, today, what)
    return (weight + today.count * today.ratio) / (weight + today.count)


def doubt(known: Known, today: DaySums, what: What) -> float:
    """The variance of that factor: what is not known yet of today, and of the van."""
    weight = _prior_weight(known, today, what)
    one = spread(known, today, what) * ONE_SHARE[what] ** 2
    return one / (weight + today.count) + one / (known.weight(f"{what}/van") + 10.0)


def lessons(known: Known, today: DaySums, what: What) -> tuple[Lesson, ...]:
    """What a day that is over says about days; nothing when too little was done on it."""
    if today.count < 10:
        return ()
    by_chance = spread(known, today, what) * ONE_SHARE[what] ** 2 / today.count
    beyond = (today.ratio - 1.0) ** 2 - by_chance
    return (Lesson(f"days/{what}", min(MOST_SQUARE, beyond / DAY_SHARE[what] ** 2)),)


def _prior_weight(known: Known, today: DaySums, what: What) -> float:
    """How many of today's visits the other days weigh."""
    one = spread(known, today, what) * ONE_SHARE[what] ** 2
    days = max(LEAST, min(MOST, known.factor(f"days/{what}"))) * DAY_SHARE[what] ** 2
    if today.count:
        # A day that is clearly unlike those before says that days differ by more than was thought.
        beyond = max(0.0, (today.ratio - 1.0) ** 2 - CLEARLY * one / today.count)
        days = max(days, (DAYS_WEIGHT * days + beyond) / (DAYS_WEIGHT + 1.0))
    return one / days
