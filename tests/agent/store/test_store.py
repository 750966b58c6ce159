"""What the van's disk promises: all of a step or nothing of it, and the same after any restart."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.errors import StoreError, StoreErrorKind
from agent.store.blobs import NewBlob
from agent.store.database import Database
from agent.store.inputs import TapMade
from agent.store.outbox import KEEP_RECEIPTED_MS, SeqRange
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped, FixJudged
from tests.builders import a_position, a_run, at
from wire.envelope import BlobReceipt, LaneReceipt, Receipts, Record
from wire.manifest import EvidenceKind
from wire.track import Breadcrumb

AT_MS = round(at(0).timestamp() * 1000)


def a_record(number: int) -> Record:
    return Record(kind="stop.arrived", wall_ms=number, wall_source="system", mono_ms=number, body={"stop_id": "s1"})


def a_crumb(number: int) -> Breadcrumb:
    return Breadcrumb(wall_ms=number * 1000, lat_deg=41.0, lon_deg=-8.0)


def a_step(**changes: Any) -> Step:
    return Step(**{"at_ms": AT_MS, "run": a_run(), "entered": ArrivedTapped(stop_id="s1"), **changes})


def a_blob(text: str = "a", kind: EvidenceKind = EvidenceKind.PHOTO) -> NewBlob:
    return NewBlob(sha256=text * 64, kind=kind, media_type="image/jpeg", data=text.encode() * 50_000)


async def test_a_step_is_there_after_a_restart(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    step = a_step(
        tap=TapMade("tap-0001", "hash"),
        blob=a_blob(),
        records=(a_record(1), a_record(2)),
        soft=((AT_MS, FixJudged(position=a_position())),),
        crumbs=(a_crumb(1),),
    )
    await store.save(step)
    await store.close()

    store = await Store.open(tmp_path)
    assert await store.load_run() == step.run
    assert [row.seq for row in await store.next_unreceipted("events", 10)] == [1, 2]
    assert [row.seq for row in await store.next_unreceipted("track", 10)] == [1]
    blob = await store.find_blob("a" * 64)
    assert blob is not None
    assert blob.data == b"a" * 50_000
    found = await store.find_tap("tap-0001")
    assert found is not None
    assert found.saved_at == at(0)
    assert (store.waiting.events, store.waiting.track, store.waiting.blobs) == (2, 1, 1)
    await store.close()


async def test_a_step_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(tap=TapMade("tap-0001", "hash"), records=(a_record(1),)))
    with pytest.raises(StoreError) as caught:
        await store.save(a_step(run=a_run(5), tap=TapMade("tap-0001", "other"), records=(a_record(2),), blob=a_blob()))
    assert caught.value.kind is StoreErrorKind.CONSTRAINT
    assert len((await store.load_run()).stops) == 3
    assert [row.seq for row in await store.next_unreceipted("events", 10)] == [1]
    assert await store.find_blob("a" * 64) is None
    await store.save(a_step(records=(a_record(3),)))
    assert [row.seq for row in await store.next_unreceipted("events", 10)] == [
        1,
        2,
    ]  # a seq rolled back was never given
    await store.close()


async def test_a_seq_is_never_given_twice_even_when_all_rows_are_purged(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=(a_record(1), a_record(2))))
    epoch = store.identity.epoch
    await store.apply_receipts(Receipts(epoch=epoch, lanes={"events": LaneReceipt(contiguous_seq=2)}), AT_MS)
    await store.purge(AT_MS + KEEP_RECEIPTED_MS + 1)
    await store.save(a_step(records=(a_record(3),)))
    assert [row.seq for row in await store.next_unreceipted("events", 10)] == [3]
    await store.close()


async def test_receipted_rows_stay_72_hours(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=(a_record(1),), blob=a_blob()))
    epoch = store.identity.epoch
    receipts = Receipts(
        epoch=epoch, lanes={"events": LaneReceipt(contiguous_seq=1)}, blobs={"a" * 64: BlobReceipt(is_whole=True)}
    )
    await store.apply_receipts(receipts, AT_MS)
    assert (store.waiting.events, store.waiting.blobs, store.waiting.oldest_ms) == (0, 0, None)
    await store.purge(AT_MS + KEEP_RECEIPTED_MS - 1)
    assert await store.find_blob("a" * 64) is not None
    await store.purge(AT_MS + KEEP_RECEIPTED_MS + 1)
    assert await store.find_blob("a" * 64) is None
    await store.close()


async def test_a_receipt_of_another_epoch_frees_nothing(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=(a_record(1),)))
    await store.apply_receipts(Receipts(epoch="0" * 16, lanes={"events": LaneReceipt(contiguous_seq=9)}), AT_MS)
    assert store.waiting.events == 1
    await store.close()


async def test_a_restored_coordinator_gets_again_what_it_lost(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=tuple(a_record(number) for number in range(1, 7))))
    epoch = store.identity.epoch
    await store.apply_receipts(Receipts(epoch=epoch, lanes={"events": LaneReceipt(contiguous_seq=6)}), AT_MS)
    older = Receipts(epoch=epoch, lanes={"events": LaneReceipt(contiguous_seq=2, ranges=((4, 4),))})
    await store.apply_receipts(older, AT_MS)  # on its way for long: frees nothing and takes nothing back
    assert store.waiting.events == 0
    await store.apply_receipts(older, AT_MS, is_resume=True)
    assert [row.seq for row in await store.next_unreceipted("events", 10)] == [3, 5, 6]
    await store.close()


async def test_rows_under_way_are_left_out_and_the_newest_can_go_first(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(crumbs=tuple(a_crumb(number) for number in range(1, 11))))
    epoch = store.identity.epoch
    besides = [SeqRange(epoch, "track", 1, 3), SeqRange(epoch, "track", 9, 10), SeqRange(epoch, "events", 4, 8)]
    assert [row.seq for row in await store.next_unreceipted("track", 3, besides)] == [4, 5, 6]
    assert [row.seq for row in await store.next_unreceipted("track", 3, besides, newest=True)] == [6, 7, 8]
    await store.close()


async def test_signatures_wait_before_photos(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(blob=a_blob("a")))
    await store.save(a_step(blob=a_blob("b", EvidenceKind.SIGNATURE), at_ms=AT_MS + 1))
    assert [blob.sha256[0] for blob in await store.waiting_blobs()] == ["b", "a"]
    assert await store.blob_piece("a" * 64, 49_990, 100) == b"a" * 10
    await store.close()


async def test_the_same_bytes_for_two_stops_are_kept_once(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(blob=a_blob()))
    await store.save(a_step(blob=a_blob()))
    assert store.waiting.blobs == 1
    await store.close()


async def test_each_start_counts_and_keeps_the_epoch(tmp_path: Path) -> None:
    first = await Store.open(tmp_path)
    await first.close()
    second = await Store.open(tmp_path)
    await second.close()
    assert (first.identity.boot, second.identity.boot) == (1, 2)
    assert first.identity.epoch == second.identity.epoch


async def test_a_store_restored_from_a_copy_goes_on_under_a_new_epoch(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=(a_record(1),)))
    await store.close()
    copy = (tmp_path / "van.sqlite").read_bytes()
    await (await Store.open(tmp_path)).close()

    (tmp_path / "van.sqlite").write_bytes(copy)
    restored = await Store.open(tmp_path)
    assert restored.identity.was_restored
    assert restored.identity.epoch != store.identity.epoch
    assert restored.identity.boot == 3
    await restored.save(a_step(records=(a_record(2),)))
    rows = await restored.next_unreceipted("events", 10)
    assert [(row.epoch, row.seq) for row in rows] == [(store.identity.epoch, 1), (restored.identity.epoch, 1)]
    await restored.close()


@pytest.mark.system
async def test_a_second_agent_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    with pytest.raises(StoreError, match="second agent") as caught:
        await Store.open(tmp_path)
    assert caught.value.kind is StoreErrorKind.BUSY
    assert (tmp_path / "reserve").exists()  # what the first one keeps back is not the second's to give up
    await store.close()


@pytest.mark.parametrize("statement", ["CREATE TABLE meta (a)", "PRAGMA user_version = 1"])
async def test_another_programs_file_is_named_and_left_alone(tmp_path: Path, statement: str) -> None:
    with closing(sqlite3.connect(tmp_path / "van.sqlite")) as other:
        other.execute(statement)
        other.execute("CREATE TABLE songs (title)")
    with pytest.raises(StoreError, match="no van's store; move it away"):
        await Store.open(tmp_path)


@pytest.mark.parametrize("damage", [b"9" * 40, b"\xff\xfe", b"-3", b""])
async def test_a_damaged_boot_file_does_not_keep_the_van_from_starting(tmp_path: Path, damage: bytes) -> None:
    await (await Store.open(tmp_path)).close()
    (tmp_path / "boot").write_bytes(damage)
    store = await Store.open(tmp_path)
    assert store.identity.boot == 2
    await store.close()


async def test_what_entered_is_forgotten_after_a_week(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    week_ms = 7 * 24 * 3600 * 1000
    await store.save(a_step(tap=TapMade("tap-0001", "hash")))
    await store.save(a_step(at_ms=AT_MS + week_ms, tap=TapMade("tap-0002", "hash")))
    await store.purge(AT_MS + week_ms)
    assert await store.find_tap("tap-0001") is not None
    await store.purge(AT_MS + week_ms + 1)
    assert await store.find_tap("tap-0001") is None
    assert await store.find_tap("tap-0002") is not None
    await store.close()


async def test_evidence_waits_again_when_the_coordinator_asks_for_it(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=(a_record(1), a_record(2)), blob=a_blob()))
    whole = {"a" * 64: BlobReceipt(is_whole=True)}
    knows = Receipts(epoch=store.identity.epoch, lanes={"events": LaneReceipt(contiguous_seq=2)}, blobs=whole)
    await store.apply_receipts(knows, AT_MS)
    await store.apply_receipts(knows, AT_MS, is_resume=True)
    assert await store.waiting_blobs() == []
    asked = {"a" * 64: BlobReceipt()}
    restored = Receipts(epoch=store.identity.epoch, lanes={"events": LaneReceipt(contiguous_seq=1)}, blobs=asked)
    await store.apply_receipts(restored, AT_MS, is_resume=True)
    assert [blob.sha256 for blob in await store.waiting_blobs()] == ["a" * 64]
    await store.close()


async def test_a_file_of_a_newer_agent_is_refused(tmp_path: Path) -> None:
    await (await Store.open(tmp_path)).close()
    database = Database(tmp_path / "van.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="newer agent"):
        await Store.open(tmp_path)


async def test_a_full_disk_is_said_and_keeps_nothing_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_step(records=(a_record(1),)))
    await store.close()
    opened = Database.__init__

    def on_a_full_disk(self: Database, path: Path) -> None:
        opened(self, path)
        self.execute("PRAGMA max_page_count = 1")  # as many as there are already: SQLite says SQLITE_FULL beyond

    monkeypatch.setattr(Database, "__init__", on_a_full_disk)
    store = await Store.open(tmp_path)
    with pytest.raises(StoreError) as caught:
        await store.save(a_step(run=a_run(5), records=(a_record(2),), blob=a_blob()))
    assert caught.value.kind is StoreErrorKind.FULL
    assert len((await store.load_run()).stops) == 3
    assert store.waiting.events == 1
    await store.close()
