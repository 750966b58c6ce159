"""How long the end of a run is waited for."""

import asyncio
from typing import Any, cast

from simulator.dispatcher import Dispatcher
from simulator.verdict import settled


class SlowFleet:
    """A row less waits at each look, until `stuck_at` rows are left."""

    def __init__(self, rows: int, stuck_at: int = 0) -> None:
        self.rows = rows
        self.stuck_at = stuck_at

    async def picture(self) -> dict[str, Any]:
        self.rows = max(self.stuck_at, self.rows - 1)
        return {"vans": [{"waiting_rows": self.rows, "is_online": True}], "stops": []}


def looked_at(fleet: SlowFleet) -> Dispatcher:
    return cast("Dispatcher", fleet)


async def test_a_backlog_that_shrinks_is_waited_for_however_long_it_takes() -> None:
    async with asyncio.timeout(30):
        assert await settled(looked_at(SlowFleet(6)), [], patience_s=1.2)


async def test_a_backlog_that_does_not_is_given_up() -> None:
    async with asyncio.timeout(30):
        assert not await settled(looked_at(SlowFleet(4, stuck_at=2)), [], patience_s=1.2)
