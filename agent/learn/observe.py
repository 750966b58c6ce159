"""From what happened to lessons: a visit that ended, a leg that was driven. Pure.

What lies far off says that something else happened (a lunch, a breakdown, a tap forgotten) and teaches nothing; what is
merely unusual counts, but no more than MOST_FACTOR times what was expected.
"""

from dataclasses import dataclass

from agent.learn.expect import Expecting, Way, leg_keys, leg_variance, visit_keys
from agent.learn.keys import address_key
from agent.learn.lessons import Lesson
from agent.learn.today import MOST_SQUARE
from wire.manifest import Stop

MOST_FACTOR = 4.0
BEYOND_FACTOR = 10.0
"""More than this is no visit and no leg."""
LEAST_FACTOR = 0.05


@dataclass(frozen=True)
class Seen:
    """What a visit or a leg teaches, and what it adds to the day's sums (`DaySums.plus`)."""

    lessons: tuple[Lesson, ...]
    took_s: float
    usual_s: float
    """What it should have taken, had the day been like any other."""
    square: float


def visit_seen(expecting: Expecting, stop: Stop, took_s: float, setup_s: float | None) -> Seen | None:
    """A visit that took so long, `setup_s` of it until the first proof (None without one); None when it was none."""
    expected = expecting.visit(stop)
    if expected.takes_s <= 0 or not LEAST_FACTOR <= took_s / expected.takes_s <= BEYOND_FACTOR:
        return None
    ratio = min(MOST_FACTOR, took_s / expected.takes_s)
    square = (ratio - 1.0) ** 2 / expecting.visit_variance(stop)
    lessons = _factors(expecting, visit_keys(stop), ratio, expecting.visits_factor)
    lessons.append(Lesson("spread/visit", min(MOST_SQUARE, square)))
    if setup_s is not None and expected.setup_s > 0 and 0 <= setup_s <= took_s:
        share = min(MOST_FACTOR, (setup_s / took_s) / (expected.setup_s / expected.takes_s))
        setup_keys = ("setup/van", f"setup/address/{address_key(stop)}")
        lessons += [Lesson(key, share * expecting.factor(key)) for key in setup_keys]
    return Seen(
        tuple(lessons),
        took_s=ratio * expected.takes_s,
        usual_s=expected.takes_s / expecting.visits_factor,
        square=square,
    )


def leg_seen(expecting: Expecting, way: Way, took_s: float) -> Seen | None:
    """A leg that took so long; None when it was none. One that was only estimated teaches nothing."""
    expected = expecting.leg(way)
    if way.is_estimate or way.road_s < 1.0 or not LEAST_FACTOR <= took_s / expected.travel_s <= BEYOND_FACTOR:
        return None
    took_s = min(took_s, MOST_FACTOR * expected.travel_s)
    square = (took_s - expected.travel_s) ** 2 / leg_variance(expected.travel_s)
    lessons = _factors(expecting, leg_keys(way), took_s / expected.travel_s, expecting.legs_factor)
    lessons.append(Lesson("spread/leg", min(MOST_SQUARE, square)))
    return Seen(tuple(lessons), took_s=took_s, usual_s=expected.travel_s / expecting.legs_factor, square=square)


def _factors(expecting: Expecting, keys: tuple[str, str, str], ratio: float, day_factor: float) -> list[Lesson]:
    """What each key's own factor would have had to be, had all others been right. The van's takes all of the day."""
    van, *others = keys
    lessons = [Lesson(van, ratio * expecting.factor(van) * day_factor)]
    lessons += [Lesson(key, ratio * expecting.factor(key)) for key in others]
    return lessons
