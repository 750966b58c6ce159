"""A mean that fades: the one number behind everything that is learned. Pure.

A lesson counts 1 on its day and half of that a half-life later, so that what was true last year gives way. A mean of
few lessons is not believed: it is pulled towards what is thought without it, by `prior_weight` lessons' worth

    believed = (weight x mean + prior_weight x prior) / (weight + prior_weight)

which is the best linear guess when prior_weight = (variance of one lesson) / (variance of the truth between addresses).
"""

from typing import Annotated

from pydantic import Field

from wire.model import Value


class Memory(Value):
    """How a mean forgets, and how much it takes to be believed."""

    half_life_days: Annotated[float, Field(gt=0)]
    prior_weight: Annotated[float, Field(gt=0)]
    most_weight: Annotated[float, Field(gt=1)] = 1_000.0
    """Of so many lessons the next one moves the mean by one part: what is told often also fades by number."""


class Level(Value):
    """A mean of lessons, as of `day` (days since year 1), the day of the newest of them."""

    weight: Annotated[float, Field(ge=0)] = 0.0
    mean: float = 1.0
    day: int = 0


def taught(level: Level | None, count: int, total: float, day: int, memory: Memory) -> Level:
    """The mean with `count` lessons more, whose sum is `total`. Those of an earlier day, by a clock set back, count as
    of the newest.
    """
    before = level or Level(day=day)
    weight = max(0.0, min(weight_on(before, day, memory), memory.most_weight - count))
    return Level(
        weight=weight + count, mean=(weight * before.mean + total) / (weight + count), day=max(day, before.day)
    )


def weight_on(level: Level | None, day: int, memory: Memory) -> float:
    """How many fresh lessons the mean is worth on a day."""
    if level is None:
        return 0.0
    return float(level.weight * 0.5 ** (max(0, day - level.day) / memory.half_life_days))


def believed(level: Level | None, prior: float, day: int, memory: Memory) -> float:
    """The mean, pulled towards `prior` as far as it rests on little."""
    if level is None:
        return prior
    weight = weight_on(level, day, memory)
    return (weight * level.mean + memory.prior_weight * prior) / (weight + memory.prior_weight)
