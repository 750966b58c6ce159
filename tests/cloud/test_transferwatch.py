"""Looking at stops that change vans: one that cannot be settled is no reason to end the look at the others."""

import asyncio
from collections.abc import Collection

from cloud.store.records import Changes
from cloud.transferwatch import TransferWatch
from wire.model import StopId


async def test_a_stop_that_cannot_be_settled_ends_the_look_at_no_other() -> None:
    settled: set[StopId] = set()
    done = asyncio.Event()

    async def settle(stop_ids: Collection[StopId]) -> None:
        if "s2" in stop_ids:
            raise ValueError("the list of van-2 would not fit one message")
        settled.update(stop_ids)
        if settled == {"s1", "s3"}:
            done.set()

    async def unfinished() -> Collection[StopId]:
        return {"s2"}

    watch = TransferWatch()
    running = asyncio.create_task(watch.run(settle, unfinished))
    watch.note(Changes(stops={"s1", "s2", "s3"}))
    async with asyncio.timeout(5):
        await done.wait()
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
