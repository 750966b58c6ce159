"""What is learned: a table of means by key, and how fast each kind of them fades. Pure.

| key | mean of |
| --- | --- |
| `visit/van`, `visit/kind/K`, `visit/address/A` | how long a visit took (setup and service), beside the list's times |
| `setup/van`, `setup/address/A` | how long until the first proof was taken at the door, beside the list's share |
| `leg/van`, `leg/hour/H`, `leg/area/C` | how long a leg took, beside the road's own time |
| `spread/visit`, `spread/leg` | how far off one was, squared, beside what `expect.py` takes for granted |
| `days/visit`, `days/leg` | how far off a whole day was, squared, beside what `today.py` takes for granted |

A day's lessons are kept as sums in the run and folded into the means when the day is over: a card that is written once
a day lives longer, and what today shows is believed apart from what other days did (`today.py`). Errors of arrivals
are no means: the newest of each band are kept as they are (`conformal.py`)."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from agent.learn.level import Level, Memory, taught
from wire.model import Value

MEMORIES: Mapping[str, Memory] = {
    "visit/van": Memory(half_life_days=14, prior_weight=10, most_weight=400),
    "visit/kind": Memory(half_life_days=60, prior_weight=8),
    "visit/address": Memory(half_life_days=120, prior_weight=2),
    "setup/van": Memory(half_life_days=30, prior_weight=10),
    "setup/address": Memory(half_life_days=120, prior_weight=3),
    "leg/van": Memory(half_life_days=14, prior_weight=10, most_weight=400),
    "leg/hour": Memory(half_life_days=60, prior_weight=6),
    "leg/area": Memory(half_life_days=60, prior_weight=6),
    "spread/visit": Memory(half_life_days=30, prior_weight=20),
    "spread/leg": Memory(half_life_days=30, prior_weight=20),
    "days/visit": Memory(half_life_days=60, prior_weight=6),
    "days/leg": Memory(half_life_days=60, prior_weight=6),
}
"""A visit's own spread is some 0.5 of its time and that between addresses some 0.35, so that two visits say as much of
an address as is known without them: (0.5 / 0.35)^2 = 2. The other weights are of the same kind."""

PERSONAL = ("visit/address/", "setup/address/")
"""Keys that say something about people."""


class Lesson(NamedTuple):
    """One thing that was seen, for the mean of its key."""

    key: str
    value: float


class Lessons(Value):
    """What a day taught so far."""

    sums: Mapping[str, tuple[int, float]] = {}
    """By key, how many lessons and their sum."""
    scores: Mapping[int, tuple[float, ...]] = {}
    """By band, the errors of arrivals, in standard deviations."""

    def plus(self, lessons: Iterable[Lesson]) -> "Lessons":
        sums = dict(self.sums)
        for key, value in lessons:
            count, total = sums.get(key, (0, 0.0))
            sums[key] = count + 1, round(total + value, 4)
        return self.model_copy(update={"sums": sums})

    def minus(self, lessons: Iterable[Lesson]) -> "Lessons":
        """As if those had not been learned; one that was forgotten since is passed over."""
        sums = dict(self.sums)
        for key, value in lessons:
            count, total = sums.pop(key, (0, 0.0))
            if count > 1:
                sums[key] = count - 1, round(total - value, 4)
        return self.model_copy(update={"sums": sums})

    def plus_score(self, band: int, value: float) -> "Lessons":
        scores = {**self.scores, band: (*self.scores.get(band, ()), round(value, 3))}
        return self.model_copy(update={"scores": scores})

    def without(self, address: str) -> "Lessons":
        """As if nothing had been seen of an address. Errors of arrivals name none."""
        gone = keys_of(address)
        return self.model_copy(update={"sums": {key: one for key, one in self.sums.items() if key not in gone}})


class DayLearned(Value):
    """What a day taught that is over; `day` in days since year 1."""

    day: int
    lessons: Lessons


type Levels = Mapping[str, Level]


@lru_cache(maxsize=4096)
def memory_of(key: str) -> Memory:
    """Raises KeyError for a key of no kind that is known."""
    return MEMORIES["/".join(key.split("/", 2)[:2])]


def is_key(key: str) -> bool:
    """Whether something is learned under such a key."""
    return "/".join(key.split("/", 2)[:2]) in MEMORIES


def keys_of(address: str) -> frozenset[str]:
    """All keys under which something is learned about an address."""
    return frozenset(prefix + address for prefix in PERSONAL)


def learned(levels: Levels, taught_by: DayLearned) -> dict[str, Level]:
    """The means that change when a day is over."""
    return {
        key: taught(levels.get(key), count, total, taught_by.day, memory_of(key))
        for key, (count, total) in taught_by.lessons.sums.items()
    }
