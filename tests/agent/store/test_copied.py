"""A store put back with everything around it: it learns from the coordinator that its seqs were given before."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from agent.store.store import Step, Store
from cloud.ingest.apply import Applied, Incoming, apply_group
from cloud.ingest.receipts import receipts_for
from cloud.ingest.unpack import unpack
from cloud.store.database import Database, open_database
from cloud.store.tables import forks, records
from tests.builders import MORNING, a_run, at
from wire import topics
from wire.codec import encode, loads
from wire.envelope import Batch, LaneReceipt, Receipts, Record
from wire.events import EventKind, Presence
from wire.track import Breadcrumb

AT_MS = round(at(0).timestamp() * 1000)


def a_record(text: str) -> Record:
    return Record(kind=EventKind.STOP_ARRIVED, wall_ms=1, wall_source="gps", mono_ms=0, body={"stop_id": text})


async def say(store: Store, *texts: str) -> None:
    for text in texts:
        await store.save(Step(at_ms=AT_MS, run=a_run(), records=(a_record(text),)))


class Coordinator:
    def __init__(self, home: Path) -> None:
        self.database: Database = open_database(home / "cloud.db")

    def apply(self, topic: topics.Topic, packet: bytes) -> Applied:
        unpacked = unpack("town", topic.of("town", "van-1"), packet)
        assert unpacked is not None
        with self.database.transaction() as connection:
            return apply_group(connection, [Incoming(unpacked)], MORNING)

    async def greet(self, store: Store) -> None:
        """The van says that it is here, and is told how it stands."""
        kept = await store.kept_epochs()
        here = Presence(van="van-1", epoch=store.identity.epoch, boot=1, is_online=True, kept_epochs=kept)
        await self._tell(store, self.apply(topics.PRESENCE, encode(here)))

    async def hear(self, store: Store) -> None:
        """All that waits, a batch an epoch, answered."""
        rows = await store.next_unreceipted("events", 1000)
        for epoch in dict.fromkeys(row.epoch for row in rows):
            mine = [row for row in rows if row.epoch == epoch]
            while mine:
                run = [row for place, row in enumerate(mine) if row.seq == mine[0].seq + place]
                mine = mine[len(run) :]
                said = tuple(Record.model_validate_json(row.record_json) for row in run)
                batch = Batch(van="van-1", epoch=epoch, boot=1, lane="events", first_seq=run[0].seq, records=said)
                await self._tell(store, self.apply(topics.EVENTS, encode(batch)))

    async def _tell(self, store: Store, applied: Applied) -> None:
        for _, standing in applied.standings:
            await store.apply_receipts(receipts_for(standing), AT_MS)

    def knows(self) -> list[str]:
        with self.database.snapshot() as connection:
            texts = connection.execute(select(records.c.record)).scalars().all()
        return sorted(loads(text.encode())["body"]["stop_id"] for text in texts)

    def set_aside(self) -> list[str]:
        with self.database.snapshot() as connection:
            texts = connection.execute(select(forks.c.record)).scalars().all()
        return sorted(loads(text.encode())["body"]["stop_id"] for text in texts)


async def a_van_with_two_lives(home: Path, before: int, after: int) -> tuple[Coordinator, Store]:
    """An image of `before` records; the life after it said `after` more, and all of them were receipted."""
    coordinator = Coordinator(home)
    store = await Store.open(home / "van")
    await say(store, *(f"before-{number}" for number in range(before)))
    await coordinator.hear(store)
    await store.close()
    shutil.copytree(home / "van", home / "image")
    store = await Store.open(home / "van")
    await say(store, *(f"first-{number}" for number in range(after)))
    await coordinator.hear(store)
    await store.close()
    shutil.rmtree(home / "van")
    shutil.copytree(home / "image", home / "van")
    return coordinator, await Store.open(home / "van")


@pytest.mark.parametrize("greets_first", [True, False], ids=["told first", "spoke first"])
@pytest.mark.parametrize("more", [1, 3, 7], ids=["less than before", "as much", "more"])
async def test_what_both_lives_said_is_known_once(tmp_path: Path, more: int, *, greets_first: bool) -> None:
    coordinator, store = await a_van_with_two_lives(tmp_path, 4, 3)
    first_epoch = store.identity.epoch
    second = [f"second-{number}" for number in range(more)]
    await say(store, *second)
    if not greets_first:
        await coordinator.hear(store)
    for _ in range(3):
        await coordinator.greet(store)
        await coordinator.hear(store)
    everything = [f"before-{number}" for number in range(4)] + [f"first-{number}" for number in range(3)] + second
    assert coordinator.knows() == sorted(everything)
    assert store.identity.epoch != first_epoch
    assert store.waiting.events == 0
    await store.close()
    coordinator.database.close()


async def test_the_track_that_both_lives_left_goes_on_under_the_new_epoch(tmp_path: Path) -> None:
    """Two lives give the seqs 1 to 12; only what lies beyond the receipt is certainly this one's."""
    store = await Store.open(tmp_path)
    old = store.identity.epoch
    crumbs = [Breadcrumb(wall_ms=second, lat_deg=41.0, lon_deg=-8.0) for second in range(1, 13)]
    for first in (0, 4, 8):
        await store.save(Step(at_ms=AT_MS, run=a_run(), crumbs=tuple(crumbs[first : first + 4])))
    await say(store, "second-0")
    lanes = {"events": LaneReceipt(contiguous_seq=2), "track": LaneReceipt(contiguous_seq=6)}
    await store.apply_receipts(Receipts(epoch=old, lanes=lanes), AT_MS)
    shutil.copytree(tmp_path, tmp_path.with_name("cut"))  # said at once, and durable at once
    await store.close()

    for folder in (tmp_path, tmp_path.with_name("cut")):
        again = await Store.open(folder)
        rows = await again.next_unreceipted("track", 100)
        said = [(row.epoch, row.seq, Breadcrumb.model_validate_json(row.record_json).wall_ms) for row in rows]
        new = again.identity.epoch
        assert new != old
        assert sorted(said) == sorted(
            [(old, seq, seq) for seq in range(7, 13)] + [(new, seq, seq) for seq in range(1, 7)]
        )
        assert [row.epoch for row in await again.next_unreceipted("events", 100)] == [new]
        await again.save(Step(at_ms=AT_MS, run=a_run(), crumbs=(crumbs[0],)))
        rows = await again.next_unreceipted("track", 100, newest=True)
        assert (rows[-1].epoch, rows[-1].seq) == (new, 7)
        await again.close()


async def test_an_honest_store_keeps_its_epoch(tmp_path: Path) -> None:
    coordinator, store = Coordinator(tmp_path), await Store.open(tmp_path / "van")
    epoch = store.identity.epoch
    for round_ in range(3):
        await say(store, f"a-{round_}", f"b-{round_}")
        await coordinator.greet(store)
        await coordinator.hear(store)
    assert store.identity.epoch == epoch
    assert coordinator.set_aside() == []
    await store.close()
    coordinator.database.close()


async def test_a_clone_that_is_told_of_the_other_s_forks_keeps_its_own_rows(tmp_path: Path) -> None:
    """Two units from one image, both at work: the second is set aside and says it again, the first is left alone."""
    coordinator, second = await a_van_with_two_lives(tmp_path, 2, 0)
    shutil.copytree(tmp_path / "image", tmp_path / "twin")
    first = await Store.open(tmp_path / "twin")
    await say(first, "first-0")
    await coordinator.hear(first)
    await say(second, "second-0")
    await coordinator.hear(second)
    epoch = first.identity.epoch
    await coordinator.greet(first)  # it is told of the second's record
    assert first.identity.epoch == epoch
    assert first.waiting.events == 0
    await coordinator.hear(second)
    assert coordinator.knows() == ["before-0", "before-1", "first-0", "second-0"]
    assert coordinator.set_aside() == ["second-0"]
    for store in (first, second):
        await store.close()
    coordinator.database.close()
