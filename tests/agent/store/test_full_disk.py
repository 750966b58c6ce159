"""A disk that fills up: evidence is refused first, taps and receipts go on, and there is a way back."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StoreError, StoreErrorKind
from agent.store.blobs import NewBlob
from agent.store.reserve import Reserve
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped, FixJudged
from tests.builders import a_position, a_run, at
from wire.envelope import BlobReceipt, LaneReceipt, Receipts, Record
from wire.manifest import EvidenceKind
from wire.track import Breadcrumb

AT_MS = round(at(0).timestamp() * 1000)
A_CRUMB = Breadcrumb(wall_ms=AT_MS, lat_deg=41.0, lon_deg=-8.0)


def a_tap(number: int) -> Step:
    record = Record(kind="stop.arrived", wall_ms=number, wall_source="system", mono_ms=0, body={"stop_id": "s1"})
    return Step(at_ms=AT_MS, run=a_run(), entered=ArrivedTapped(stop_id="s1"), records=(record,))


def a_photo(number: int) -> Step:
    blob = NewBlob(f"{number:064x}", EvidenceKind.PHOTO, "image/jpeg", bytes(150_000))
    return Step(at_ms=AT_MS, run=a_run(), entered=ArrivedTapped(stop_id="s1"), blob=blob)


def fixes() -> Step:
    return Step(at_ms=AT_MS, run=a_run(), soft=((AT_MS, FixJudged(position=a_position())),), crumbs=(A_CRUMB,))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)  # lazily: a failed test may have left a file open


async def fill(store: Store) -> int:
    """How many photos there was room for."""
    for number in range(1000):
        try:
            await store.save(a_photo(number))
        except StoreError as error:
            if error.kind is StoreErrorKind.FULL:
                return number
            raise
    raise AssertionError("this disk is not small")


@pytest.mark.system
async def test_photos_and_breadcrumbs_give_way_and_taps_go_on(small_disk: Path) -> None:
    store = await Store.open(small_disk)
    assert await fill(store) > 5
    for number in range(300):
        await store.save(a_tap(number))
    for bulky in (a_photo(99), fixes()):
        with pytest.raises(StoreError, match="free some space"):
            await store.save(bulky)
    await store.close()


@pytest.mark.system
async def test_a_van_starts_on_a_full_disk_drains_and_takes_photos_again(small_disk: Path) -> None:
    store = await Store.open(small_disk)
    photos = await fill(store)
    await store.close()
    with pytest.raises(OSError, match="No space"):
        (small_disk / "someone-elses").write_bytes(bytes(64_000_000))

    store = await Store.open(small_disk)
    await store.save(a_tap(1))
    whole = {f"{number:064x}": BlobReceipt(is_whole=True) for number in range(photos)}
    lanes = {"events": LaneReceipt(contiguous_seq=1)}
    await store.apply_receipts(Receipts(epoch=store.identity.epoch, lanes=lanes, blobs=whole), AT_MS)
    assert store.waiting.blobs == 0
    await store.save(a_photo(1000))
    await store.close()


def test_room_is_kept_back_only_where_there_is_plenty(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "reserve", 100_000)
    assert reserve.take()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 100_000
    assert reserve.give_back()
    assert not reserve.give_back()
    assert not Reserve(tmp_path / "reserve", 10**18).take()
    assert not (tmp_path / "reserve").exists()
