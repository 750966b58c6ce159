"""How saving goes, for the driver: well, slow (one is under way for seconds), or failing (the newest did not work)."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

SLOW_AFTER_S = 2.0


class Saving(StrEnum):
    WELL = "well"
    SLOW = "slow"
    FAILING = "failing"


class SavingWatch:
    """`changed` is called when the answer of `state` has become another."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.state = Saving.WELL

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Around one save."""
        slow = asyncio.get_running_loop().call_later(SLOW_AFTER_S, self._become, Saving.SLOW)
        try:
            yield
        except Exception:
            self._become(Saving.FAILING)
            raise
        else:
            self._become(Saving.WELL)
        finally:
            slow.cancel()

    def _become(self, state: Saving) -> None:
        if state is not self.state:
            self.state = state
            self._changed()
