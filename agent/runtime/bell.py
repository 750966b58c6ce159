"""A way to say "something changed" to however many listen, without saying what."""

import asyncio
from collections.abc import Callable


class Bell:
    """Counts its rings. A listener that was busy sees at once that the count moved on, so none is missed."""

    def __init__(self) -> None:
        self.count = 0
        self._rung = asyncio.Event()
        self._called: list[Callable[[], None]] = []

    def then(self, call: Callable[[], None]) -> None:
        """Calls `call` with each ring from now on; it must return at once."""
        self._called.append(call)

    def ring(self) -> None:
        self.count += 1
        for call in self._called:
            call()
        self._rung.set()
        self._rung = asyncio.Event()

    async def after(self, count: int) -> int:
        """Waits until the count differs from `count`; the new count."""
        while self.count == count:
            await self._rung.wait()
        return self.count
