"""What was learned before a day, as it enters the day: an input like any other, so that the day replays. Pure."""

from collections.abc import Mapping, Sequence

from agent.learn.conformal import Quantiles, Score, calibrated
from agent.learn.keys import address_key, area_key
from agent.learn.lessons import PERSONAL, Levels, keys_of, memory_of
from agent.learn.level import Level, believed, weight_on
from wire.manifest import Stop
from wire.model import Value

AREA = "leg/area/"
OF_PLACES = (*PERSONAL, AREA)
"""Keys of which only those of a day's stops enter it; all others are few and enter every day."""


class Known(Value):
    """Of all that was learned, what a day can use. `day`: the day it is for, in days since year 1."""

    day: int = 0
    levels: Mapping[str, Level] = {}
    ranges: Mapping[int, Quantiles] = {}
    """How wide a range must be, by band."""

    def factor(self, key: str, prior: float = 1.0) -> float:
        """What is believed of a key."""
        return believed(self.levels.get(key), prior, self.day, memory_of(key))

    def weight(self, key: str) -> float:
        """How many fresh lessons that rests on."""
        return weight_on(self.levels.get(key), self.day, memory_of(key))

    def newest(self, keys: Sequence[str]) -> int | None:
        """The day of the newest lesson under any of these keys; None without one."""
        return max((level.day for key in keys if (level := self.levels.get(key)) is not None), default=None)

    def without(self, address: str) -> "Known":
        """As if nothing had been learned about an address."""
        gone = keys_of(address)
        return self.model_copy(update={"levels": {key: one for key, one in self.levels.items() if key not in gone}})


NOTHING_KNOWN = Known()


def keys_for(stops: Sequence[Stop]) -> frozenset[str]:
    """The keys by address or area that these stops can use."""
    return frozenset().union(
        *(keys_of(address_key(stop)) for stop in stops),
        ("leg/area/" + area_key(stop) for stop in stops),
    )


def is_for_all(key: str) -> bool:
    """Whether a key enters every day, whatever its stops are."""
    return not key.startswith(OF_PLACES)


def known_for(stops: Sequence[Stop], day: int, levels: Levels, scores: Mapping[int, Sequence[Score]]) -> Known:
    """What the stops of a day can use of all that was learned."""
    wanted = keys_for(stops)
    return Known(
        day=day,
        levels={key: level for key, level in sorted(levels.items()) if key in wanted or is_for_all(key)},
        ranges={band: calibrated(kept, day) for band, kept in sorted(scores.items()) if kept},
    )
