"""How wide a range must be to hold what it says, from the van's own errors. Pure.

Split conformal prediction (Vovk, Gammerman, Shafer 2005; Lei et al. 2018), normalised, weighted and one-sided: an error
is kept as

    score = (arrival as it was - arrival as it was expected) / standard deviation as it was expected

and a later range reaches from the expected arrival by as many standard deviations as 10 % of the scores fell below and
10 % above, each score weighing half as much after HALF_LIFE_DAYS, those of one day DAY_WEIGHT together, the one still
to come counted as if it lay outside. Nothing is assumed about the shape of the errors; the standard deviation only
says where they are larger. Near and far arrivals err in different ways, so each band of horizons has scores of its
own. PRIOR_WEIGHT scores of a normal distribution stand in until there are enough.

Within a day, errors hang together and the day may be like none before: after each arrival the bounds it should have met
move a little (quantile tracking, as in Angelopoulos, Candes, Tibshirani 2023), and the next day begins anew.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from statistics import NormalDist

from wire.model import Value

MISS = 0.1
"""The share that may fall on either side: p10 and p90."""
BANDS_S = (900.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0)
"""Where one band of horizons ends and the next begins: 15 and 30 minutes, 1, 2 and 4 hours."""
HALF_LIFE_DAYS = 20.0
MOST_SCORES = 300
"""Of a band; older ones go."""
DAY_WEIGHT = 2.0
"""What the scores of one day in a band weigh together, at most: they are late together, and ten of one slow morning say
little more than two."""
PRIOR_WEIGHT = 20
MOST_SD = 6.0
"""A score further out says that something else happened: a lunch, a breakdown."""
STEP = 0.2
"""By how many standard deviations a bound moves within the day when it was missed; a ninth of that when it held."""

_NORMAL = [NormalDist().inv_cdf((place + 0.5) / PRIOR_WEIGHT) for place in range(PRIOR_WEIGHT)]
Z_P90 = NormalDist().inv_cdf(1 - MISS)


class Score(Value):
    """One error, in standard deviations, and the day on which it was found out."""

    day: int
    value: float


class Quantiles(Value):
    """From the expected arrival to p10 (not above 0) and to p90 (not below), in standard deviations."""

    low: float = -Z_P90
    high: float = Z_P90
    scores: int = 0
    """How many errors that rests on."""


UNCALIBRATED = Quantiles()
"""As many standard deviations as a normal distribution would need."""


def band_of(horizon_s: float) -> int:
    """The band of an arrival expected in so many seconds; there are len(BANDS_S) + 1 of them."""
    return bisect_right(BANDS_S, horizon_s)


def score(error_s: float, sd_s: float) -> float:
    """An error in standard deviations; one of less than a second is taken as a second."""
    return max(-MOST_SD, min(MOST_SD, error_s / max(1.0, sd_s)))


def calibrated(scores: Sequence[Score], day: int) -> Quantiles:
    """The bounds for a day, from the scores of the days before."""
    of_day = Counter(one.day for one in scores)
    weighed = [
        (one.value, min(1.0, DAY_WEIGHT / of_day[one.day]) * 0.5 ** (max(0, day - one.day) / HALF_LIFE_DAYS))
        for one in scores
    ]
    weighed += [(value, 1.0) for value in _NORMAL]
    return Quantiles(
        low=min(0.0, -_upper([(-value, weight) for value, weight in weighed])),
        high=max(0.0, _upper(weighed)),
        scores=len(scores),
    )


def kept(scores: Sequence[Score], values: Sequence[float], day: int) -> tuple[Score, ...]:
    """The newest of a band after a day with these."""
    return (*scores, *(Score(day=day, value=value) for value in values))[-MOST_SCORES:]


def _upper(weighed: Sequence[tuple[float, float]]) -> float:
    """The smallest value such that MISS of all weight lies above, the one to come among it."""
    goal = (1 - MISS) * (sum(weight for _, weight in weighed) + 1.0)
    reached = 0.0
    for value, weight in sorted(weighed):
        reached += weight
        if reached >= goal:
            return value
    return MOST_SD


def moved(shift: tuple[float, float], quantiles: Quantiles, value: float) -> tuple[float, float]:
    """What is added to the bounds of a band for the rest of the day, after one more score."""
    low, high = shift
    is_below, is_above = value < quantiles.low + low, value > quantiles.high + high
    low -= STEP * ((1.0 if is_below else 0.0) - MISS)
    high += STEP * ((1.0 if is_above else 0.0) - MISS)
    return low, high
