"""The shell: the receipt after the commit, the broker's ack after the receipt, and one van's trouble is its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, func, select

import cloud.ingest.ingest as shell
from cloud.errors import StoreError
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.ingest import Ingest, subscriptions
from cloud.store.database import Database, open_database
from cloud.store.records import Changes
from cloud.store.tables import parked, records
from host.clock import Clock, ClockSettings
from tests.cloud.said import EPOCH, FLEET, VAN, a_record, arrived, batch_packet, completed, on
from wire import topics
from wire.codec import decode
from wire.envelope import Receipts
from wire.mqtt import Arrived


class World:
    """An ingest between a fake link and a real database; `log` holds what happened, in order."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.log: list[str] = []
        self.receipts: list[tuple[str, Receipts]] = []
        self.changes: list[Changes] = []
        self.has_link = True
        self.ingest = Ingest(
            fleet=FLEET,
            database=database,
            clock=Clock(ClockSettings()),
            publish=self._publish,
            on_applied=self._applied,
        )

    def send(self, packet: tuple[str, bytes], name: str = "") -> None:
        self.ingest.take(Arrived(*packet, ack=lambda: self.log.append(f"ack {name}".strip())))

    async def settle(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not done():  # noqa: ASYNC110  what is waited for may be anything
                await asyncio.sleep(0.005)

    @property
    def acks(self) -> int:
        return sum(entry.startswith("ack") for entry in self.log)

    def count(self, table: Any = records) -> int:
        with self.database.snapshot() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def _publish(self, topic: str, payload: bytes, qos: int) -> bool:
        self.log.append("receipt")
        self.receipts.append((topic, decode(Receipts, payload)))
        return self.has_link

    def _applied(self, changes: Changes) -> None:
        self.changes.append(changes)


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    world = World(database)
    running = asyncio.create_task(world.ingest.run())
    yield world
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def test_it_listens_to_everything_vans_say_and_to_nothing_they_are_told() -> None:
    assert {topic for topic, _ in subscriptions(FLEET)} == {
        row.of_every_van(FLEET) for row in topics.TOPICS if row.way is topics.Way.UP
    }


async def test_a_receipt_is_sent_when_the_commit_is_done_and_the_broker_is_told_last(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    real_write = world.database.write

    async def write[T](act: Callable[[Connection], T]) -> T:
        world.log.append("commit begins")
        answer = await real_write(act)
        world.log.append("commit is done")
        return answer

    monkeypatch.setattr(world.database, "write", write)
    world.send(batch_packet([a_record(arrived())]))
    await world.settle(lambda: world.acks == 1)

    assert world.log == ["commit begins", "commit is done", "receipt", "ack"]
    topic, receipts = world.receipts[0]
    assert topic == "rm/1/town/van-1/down/receipts"
    assert (receipts.epoch, receipts.lanes["events"].contiguous_seq) == (EPOCH, 1)
    assert world.changes[0].stops == {"s1"}


async def test_what_waits_together_is_committed_together_and_answered_once_per_van(database: Database) -> None:
    world = World(database)
    for seq in range(1, 11):
        world.send(batch_packet([a_record(arrived())], first_seq=seq))
        world.send(batch_packet([a_record(arrived("s2"))], first_seq=seq, van="van-2"))

    running = asyncio.create_task(world.ingest.run())
    await world.settle(lambda: world.acks == 20)
    running.cancel()

    assert world.log == ["receipt"] * 2 + ["ack"] * 20
    assert {receipts.lanes["events"].contiguous_seq for _, receipts in world.receipts} == {10}


async def test_when_nothing_can_be_stored_nobody_is_answered_and_nothing_is_lost_once_it_can(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "FIRST_PAUSE_S", 0.02)
    real_write = world.database.write
    tries = 0

    async def write[T](act: Callable[[Connection], T]) -> T:
        nonlocal tries
        tries += 1
        if tries < 4:
            raise StoreError("the disk is full")
        return await real_write(act)

    monkeypatch.setattr(world.database, "write", write)
    world.send(batch_packet([a_record(arrived())]))
    await world.settle(lambda: tries == 3)
    assert world.log == []

    await world.settle(lambda: world.acks == 1)
    assert world.count() == 1
    assert world.log == ["receipt", "ack"]


async def test_a_packet_nobody_can_read_is_parked_and_the_broker_gets_rid_of_it(world: World) -> None:
    world.send((on(topics.EVENTS), b"nonsense"))
    world.send(("somebody/else", b"{}"))
    world.send(batch_packet([a_record(arrived())]))
    await world.settle(lambda: world.acks == 3)

    assert world.count(parked) == 1
    assert world.count() == 1


async def test_a_message_that_breaks_us_is_parked_and_its_neighbours_are_applied(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fragile(connection: Connection, group: list[Incoming], *rest: Any) -> Any:
        if any(b"van-2" in one.packet.payload and not is_parked(one) for one in group):
            raise RuntimeError("a mistake of ours")
        return apply_group(connection, group, *rest)

    def is_parked(one: Incoming) -> bool:
        return type(one.packet.content).__name__ == "Unreadable"

    monkeypatch.setattr(shell, "apply_group", fragile)
    world = World(database)
    world.send(batch_packet([a_record(arrived())]), "van-1")
    world.send(batch_packet([a_record(arrived())], van="van-2"), "van-2")
    world.send(batch_packet([a_record(arrived())], van="van-3"), "van-3")

    running = asyncio.create_task(world.ingest.run())
    await world.settle(lambda: world.acks == 3)
    running.cancel()

    assert {topic.split("/")[3] for topic, _ in world.receipts} == {"van-1", "van-3"}
    assert world.count(parked) == 1
    assert world.count() == 2


async def test_a_picture_that_fails_does_not_hold_up_the_receipts(world: World) -> None:
    def fails(_: Changes) -> None:
        raise RuntimeError("the picture")

    world.ingest._on_applied = fails
    world.send(batch_packet([a_record(arrived())]))
    world.send(batch_packet([a_record(completed())], first_seq=2))
    await world.settle(lambda: world.acks == 2)

    assert world.count() == 2


async def test_without_a_link_the_records_are_kept_and_the_van_is_told_when_it_sends_again(world: World) -> None:
    world.has_link = False
    world.send(batch_packet([a_record(arrived())]))
    await world.settle(lambda: world.acks == 1)
    world.has_link = True
    world.send(batch_packet([a_record(arrived())]))
    await world.settle(lambda: world.acks == 2)

    assert world.count() == 1
    assert world.receipts[-1][1].lanes["events"].contiguous_seq == 1


async def test_a_kill_between_the_commit_and_the_receipt_is_mended_by_sending_again(tmp_path: Path) -> None:
    path = tmp_path / "killed.sqlite"
    before = World(open_database(path))

    def killed(*_: Any) -> bool:
        raise asyncio.CancelledError  # nothing of ours runs any more

    before.ingest._publish = killed
    before.send(batch_packet([a_record(arrived()), a_record(completed())]))
    with pytest.raises(asyncio.CancelledError):
        await before.ingest.run()
    assert before.log == []
    before.database.close()

    after = World(open_database(path))
    running = asyncio.create_task(after.ingest.run())
    after.send(batch_packet([a_record(arrived()), a_record(completed())]))
    await after.settle(lambda: after.acks == 1)
    running.cancel()

    assert after.count() == 2
    assert after.receipts[0][1].lanes["events"].contiguous_seq == 2
    after.database.close()


async def test_a_van_that_floods_its_live_picture_is_dropped_at_the_door_and_events_still_come_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "MAX_WAITING", 10)
    world = World(database)
    live = b'{"schema":1,"van":"van-1","sent_at":"2026-11-23T08:00:00Z"}'
    for _ in range(100):
        world.send((on(topics.LIVE), live))
    world.send(batch_packet([a_record(arrived())], van=VAN))

    assert world.acks == 90
    running = asyncio.create_task(world.ingest.run())
    await world.settle(lambda: world.acks == 101)
    running.cancel()
    assert world.count() == 1
