"""What enters too often for a transaction of its own: fixes and quiet minutes, kept until the next one goes to disk.

A power cut costs at most the last minute of them. When the disk is full for long, the oldest breadcrumbs are thinned
first: they are the first thing to be given up and evidence is the last.
"""

from collections.abc import Sequence
from datetime import datetime

from agent.trip.inputs import AnyInput
from wire.track import Breadcrumb

LIMIT = 7_200


class FixBuffer:
    """Inputs with their times, and the breadcrumbs left on the way."""

    def __init__(self) -> None:
        self._soft: list[tuple[int, AnyInput]] = []
        self._crumbs: list[Breadcrumb] = []
        self.given_up = 0
        """Breadcrumbs thinned away since the last `clear`: they are told of, though they never got to the disk."""

    def add(self, at_ms: int, entered: AnyInput) -> None:
        self._soft.append((at_ms, entered))
        if len(self._soft) > LIMIT:
            self._soft = _thinned(self._soft)

    def leave(self, crumb: Breadcrumb) -> None:
        self._crumbs.append(crumb)
        if len(self._crumbs) > LIMIT:
            count = len(self._crumbs)
            self._crumbs = _thinned(self._crumbs)
            self.given_up += count - len(self._crumbs)

    @property
    def is_empty(self) -> bool:
        return not self._soft and not self._crumbs

    def contents(self) -> tuple[tuple[tuple[int, AnyInput], ...], tuple[Breadcrumb, ...]]:
        """The inputs and the breadcrumbs; they stay here until `clear`, which follows the commit."""
        return tuple(self._soft), tuple(self._crumbs)

    def clear(self) -> None:
        self._soft.clear()
        self._crumbs.clear()
        self.given_up = 0


def milliseconds(instant: datetime) -> int:
    """Unix milliseconds."""
    return round(instant.timestamp() * 1000)


def in_milliseconds(instant: datetime) -> datetime:
    """The instant without what is finer than a millisecond."""
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def _thinned[T](items: Sequence[T]) -> list[T]:
    """Every second one of the older half, and all of the newer half."""
    middle = len(items) // 2
    return [*items[:middle:2], *items[middle:]]
