"""What is learned: a table of means by key, and how fast each kind of them fades. Pure.

| key | mean of |
| --- | --- |
| `visit/van`, `visit/kind/K`, `visit/address/A` | how long a visit took (setup and service), beside the list's times |
| `setup/van`, `setup/address/A` | how long until the first proof was taken at the door, beside the list's share |
| `leg/van`, `leg/hour/H`, `leg/area/C` | how long a leg took, beside the road's own time |
| `spread/visit`, `spread/leg` | how far off one was, squared, beside what `expect.py` takes for granted |
| `days/visit`, `days/leg` | how far off a whole day was, squared, beside what `today.py` takes for granted |

`score/B` is no mean: of each band of `conformal.py` the newest errors are kept as they are.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

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

SCORES = "score/"


class Lesson(Value):
    """One thing that was seen, to be folded into the mean of its key."""

    key: str
    value: float


type Levels = Mapping[str, Level]


@lru_cache(maxsize=4096)
def memory_of(key: str) -> Memory:
    """Raises KeyError for a key of no kind that is known."""
    return MEMORIES["/".join(key.split("/", 2)[:2])]


def is_score(lesson: Lesson) -> bool:
    return lesson.key.startswith(SCORES)


def learned(levels: Levels, lessons: Iterable[Lesson], day: int) -> dict[str, Level]:
    """The means after the lessons of a day; scores are passed over."""
    after = dict(levels)
    for lesson in lessons:
        if not is_score(lesson):
            after[lesson.key] = taught(after.get(lesson.key), lesson.value, day, memory_of(lesson.key))
    return after
