"""A way to say "something changed" to however many listen, without saying what."""

import asyncio


class Bell:
    """Counts its rings. A listener that was busy sees at once that the count moved on, so none is missed."""

    def __init__(self) -> None:
        self.count = 0
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self.count += 1
        self._rung.set()
        self._rung = asyncio.Event()

    async def after(self, count: int) -> int:
        """Waits until the count differs from `count`; the new count."""
        while self.count == count:
            await self._rung.wait()
        return self.count
