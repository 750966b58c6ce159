"""A receipt is believed at once and costs no commit of its own; forgotten, it only costs a packet sent twice."""

import asyncio
import hashlib
import shutil
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import store as store_module
from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped
from agent.trip.run import Run
from wire.envelope import BlobReceipt, LaneReceipt, Receipts, Record
from wire.manifest import EvidenceKind


def a_tap(number: int, tap_id: str = "") -> Step:
    record = Record(kind="stop.arrived", wall_ms=1, wall_source="system", mono_ms=1, body={"stop_id": f"s{number}"})
    tap = TapMade(tap_id or f"tap-{number}", "hash")
    return Step(at_ms=1, run=Run(), entered=ArrivedTapped(stop_id=f"s{number}"), tap=tap, records=(record,))


async def receipt(store: Store, seq: int, *, is_resume: bool = False) -> None:
    lanes = {"events": LaneReceipt(contiguous_seq=seq)}
    await store.apply_receipts(Receipts(epoch=store.identity.epoch, lanes=lanes), 2, is_resume=is_resume)


async def waiting(store: Store) -> list[int]:
    return [row.seq for row in await store.next_unreceipted("events", 10)]


async def waiting_after_a_power_cut(folder: Path, to: Path) -> list[int]:
    """What a copy of the disk as it is now says."""
    shutil.copytree(folder, to)
    store = await Store.open(to)
    try:
        return await waiting(store)
    finally:
        await store.close()


async def test_a_receipt_is_on_disk_with_the_next_step_and_believed_before(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "van")
    await store.save(a_tap(1))
    await receipt(store, 1)
    assert await waiting(store) == []
    assert store.waiting.events == 0
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "before") == [1]
    await store.save(a_tap(2))
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "after") == [2]
    await store.close()


async def test_a_receipt_is_on_disk_after_an_orderly_end(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_tap(1))
    await receipt(store, 1)
    await store.close()
    again = await Store.open(tmp_path)
    assert await waiting(again) == []
    await again.close()


async def test_without_a_step_a_receipt_is_on_disk_a_little_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "SETTLE_AFTER_S", 0.05)
    store = await Store.open(tmp_path / "van")
    await store.save(a_tap(1))
    await receipt(store, 1)
    await asyncio.sleep(0.3)
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "after") == []
    await store.close()


async def test_many_receipts_do_not_wait_for_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "SETTLE_AFTER_BYTES", 2_600)
    store = await Store.open(tmp_path / "van")
    for number in (1, 2, 3):
        await store.save(a_tap(number))
    await receipt(store, 1)
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "one") == [1, 2, 3]
    await receipt(store, 2)
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "two") == [3]
    await store.close()


async def test_a_word_of_evidence_that_is_on_its_way_costs_no_commit(tmp_path: Path) -> None:
    """The receipt for a record names the photo in it, of which the coordinator holds nothing yet."""
    store = await Store.open(tmp_path / "van")
    data = b"photo"
    sha256 = hashlib.sha256(data).hexdigest()
    photo = NewBlob(sha256, EvidenceKind.PHOTO, "image/jpeg", data)
    await store.save(Step(at_ms=1, run=Run(), entered=ArrivedTapped(stop_id="s1"), blob=photo))
    await store.save(a_tap(1))
    lanes = {"events": LaneReceipt(contiguous_seq=1)}
    await store.apply_receipts(Receipts(epoch=store.identity.epoch, lanes=lanes, blobs={sha256: BlobReceipt()}), 2)
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "after") == [1]
    await store.close()


async def test_that_rows_must_be_sent_again_is_on_disk_at_once(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "van")
    await store.save(a_tap(1))
    await receipt(store, 1)
    await store.settle()
    await receipt(store, 0, is_resume=True)
    assert await waiting_after_a_power_cut(tmp_path / "van", tmp_path / "after") == [1]
    await store.close()


async def test_receipts_that_went_with_a_failed_step_are_waited_for_again(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_tap(1))
    await receipt(store, 1)
    with pytest.raises(StoreError):
        await store.save(a_tap(2, tap_id="tap-1"))
    assert store.waiting.events == 1
    assert await waiting(store) == [1]
    await receipt(store, 1)
    assert store.waiting.events == 0
    await store.close()
