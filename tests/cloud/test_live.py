"""The picture follows what the ingest notes, a few stops at a time."""

import asyncio
from pathlib import Path

import pytest

import cloud.live
from cloud.fleet.view import StopStatus
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from tests.cloud.api.test_api import with_stops
from tests.cloud.api.world import World, a_world, an_events_packet, captured, chunk_packets, completed
from wire import topics


async def said(world: World, van: str, *packets: tuple[topics.Topic, bytes]) -> None:
    """Applied and noted, as `app.py` has the ingest do it."""
    found = [unpack("town", topic.of("town", van), payload) for topic, payload in packets]
    group = [Incoming(packet) for packet in found if packet is not None]
    now = world.parts.clock.now()
    applied = await world.parts.database.write(lambda conn: apply_group(conn, group, now))
    world.parts.live.note(applied.changes)


async def test_every_stop_that_was_noted_is_shown_however_few_are_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud.live, "STOPS_AT_ONCE", 1)
    async with a_world(tmp_path) as world:
        stop_ids = (await with_stops(world))["van-1"]
        live = world.parts.live
        looking = asyncio.create_task(live.run())
        bodies = [body for stop_id in stop_ids for body in (captured(stop_id, stop_id.encode()), completed(stop_id))]
        await said(world, "van-1", an_events_packet("van-1", 1, *bodies))
        await said(world, "van-1", *chunk_packets("van-1", stop_ids[0].encode()))

        async with asyncio.timeout(10):
            with live.watching() as watcher:
                while not _shows(world, stop_ids):
                    await watcher.woken.wait()
                    live.news(watcher)
        looking.cancel()
    assert len(stop_ids) > 1


def _shows(world: World, stop_ids: list[str]) -> bool:
    rows = [world.parts.live.row(stop_id) for stop_id in stop_ids]
    is_done = all(row is not None and row.status is StopStatus.COMPLETED for row in rows)
    return is_done and rows[0] is not None and rows[0].proofs_whole == 1
