"""A real disk of a few megabytes, filled up: the track thins first and says so, proofs and stops come last, and what is
refused is refused before it is called saved.
"""

import hashlib
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import func, select

from agent.errors import StoreError, StoreErrorKind
from agent.link import outbound
from agent.link.outbound import Sender
from agent.store.blobs import NewBlob
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped
from agent.trip.run import Run
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.store.cursor import Cursor
from cloud.store.database import Database, open_database
from cloud.store.records import Sender as Known
from cloud.store.records import cursor_of
from cloud.store.tables import breadcrumbs, track_gaps
from tests.builders import MORNING
from wire.envelope import LaneReceipt, Receipts, Record
from wire.manifest import EvidenceKind
from wire.topics import Lane
from wire.track import Breadcrumb

pytestmark = pytest.mark.system
DISK_BYTES = 64_000_000
RESERVE_BYTES = 8_000_000
BALLAST_BYTES = 14_000_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 64 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        pytest.fail("a disk of its own needs root: run the system tests as root")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
async def store(disk: Path) -> AsyncIterator[Store]:
    store = await Store.open(disk / "van", RESERVE_BYTES, BALLAST_BYTES)
    yield store
    await store.close()


def a_track(first: int, count: int) -> Step:
    crumbs = tuple(
        Breadcrumb(wall_ms=1_800_000_000_000 + 1000 * s, lat_deg=41.1 + s / 1e5, lon_deg=-8.6, speed_mps=9.5, error_m=4)
        for s in range(first, first + count)
    )
    return Step(at_ms=first, run=Run(), crumbs=crumbs)


def a_delivery(number: int, size_bytes: int = 100_000) -> Step:
    photo = Random(number).randbytes(size_bytes)
    digest = hashlib.sha256(photo).hexdigest()
    record = Record(kind="stop.completed", wall_ms=1, wall_source="none", mono_ms=0, body={"stop_id": f"s{number}"})
    return Step(
        at_ms=number,
        run=Run(),
        entered=ArrivedTapped(stop_id=f"s{number}"),
        blob=NewBlob(digest, EvidenceKind.PHOTO, "image/jpeg", photo),
        records=(record,),
    )


def fill(disk: Path) -> None:
    """Somebody else takes all that is left."""
    with (disk / "other").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            pass


async def drive_a_day(store: Store) -> int:
    """Five hours of track; how many seconds of it."""
    for first in range(0, 18_000, 600):
        await store.save(a_track(first, 600))
    return 18_000


async def trouble(store: Store, step: Step) -> StoreErrorKind | None:
    """None when it is saved."""
    try:
        await store.save(step)
    except StoreError as error:
        return error.kind
    return None


async def track_rows(store: Store) -> list[str]:
    return [row.record_json for row in await store.next_unreceipted("track", 100_000)]


async def test_on_a_full_disk_proofs_are_saved_and_the_old_track_thins_first(store: Store, disk: Path) -> None:
    driven = await drive_a_day(store)
    fill(disk)
    saved = 0
    refused = None
    while refused is None:
        refused = await trouble(store, a_delivery(saved + 1))
        saved += refused is None
    assert refused is StoreErrorKind.FULL
    assert saved >= 40  # 5.5 MB of ballast, and what the track gave up

    rows = await track_rows(store)
    assert len(rows) == driven  # no seq is missing: what went says so
    given_up = [row for row in rows if row == '{"why":"disk full"}']
    assert driven * 0.5 < len(given_up) < driven
    assert all(row.startswith('{"wall_ms"') for row in rows[-600:])
    assert store.waiting.events == saved
    assert store.waiting.blobs == saved  # not one proof was given up for another


async def test_everything_that_was_called_saved_is_there_after_the_power_is_cut(
    store: Store, disk: Path, tmp_path: Path
) -> None:
    await drive_a_day(store)
    fill(disk)
    saved = []
    for number in range(1, 200):
        step = a_delivery(number)
        if await trouble(store, step) is not None:
            break
        saved.append(step)
    assert 20 < len(saved) < 199
    (disk / "other").unlink()
    copies = {file.name: file.read_bytes() for file in (disk / "van").iterdir() if file.name.startswith("van.sqlite")}
    (tmp_path / "after").mkdir()
    for name, content in copies.items():  # as it was on the disk while the first one had it open
        (tmp_path / "after" / name).write_bytes(content)
    after = await Store.open(tmp_path / "after")
    for step in saved:
        assert step.blob is not None
        kept = await after.find_blob(step.blob.sha256)
        assert kept is not None
        assert kept.data == step.blob.data
    assert after.waiting.events == len(saved)
    await after.close()


async def test_receipts_can_be_applied_on_a_full_disk_and_make_room_again(store: Store, disk: Path) -> None:
    for number in range(1, 21):
        await store.save(a_delivery(number))
    fill(disk)
    saved = 20
    while await trouble(store, a_delivery(saved + 1)) is None:
        saved += 1
    whole = {blob.sha256: {"is_whole": True} for blob in await store.waiting_blobs()}
    receipts = {"epoch": store.identity.epoch, "lanes": {"events": LaneReceipt(contiguous_seq=saved)}, "blobs": whole}
    await store.apply_receipts(Receipts.model_validate(receipts), 5)
    assert (store.waiting.events, store.waiting.blobs) == (0, 0)
    await store.save(a_delivery(1000))  # copies of what is receipted give way
    assert store.waiting.events == 1


async def test_the_ballast_is_taken_again_when_there_is_room(store: Store, disk: Path) -> None:
    ballast = disk / "van" / "ballast"
    assert ballast.stat().st_size == BALLAST_BYTES
    fill(disk)
    await drive_a_day_until_full(store)
    assert ballast.stat().st_size < BALLAST_BYTES
    (disk / "other").unlink()
    await store.purge(0)
    assert ballast.stat().st_size == BALLAST_BYTES


async def drive_a_day_until_full(store: Store) -> None:
    number = 1
    while await trouble(store, a_delivery(number)) is None:
        number += 1


async def test_the_coordinator_can_account_for_every_seq(store: Store, disk: Path, tmp_path: Path) -> None:
    driven = await drive_a_day(store)
    fill(disk)
    await drive_a_day_until_full(store)
    database = open_database(tmp_path / "cloud.db")
    first = 0
    rows = await store.next_unreceipted("track", 100_000)
    while first < len(rows):
        parcel = outbound.track_parcel(Sender("van-1", 1), rows[first:])
        packet = unpack("town", parcel.topic.of("town", "van-1"), parcel.packet)
        assert packet is not None
        for _ in range(2):  # twice is once
            with database.transaction() as connection:
                apply_group(connection, [Incoming(packet)], MORNING)
        first += parcel.last - parcel.first + 1
    stored, given_up, cursor = accounted(database, store.identity.epoch)
    database.close()
    assert given_up > 0
    assert stored + given_up == driven
    assert cursor == Cursor(driven)


def accounted(database: Database, epoch: str) -> tuple[int, int, Cursor]:
    with database.snapshot() as connection:
        stored = connection.execute(select(func.count()).select_from(breadcrumbs)).scalar_one()
        gaps = connection.execute(select(track_gaps)).all()
        assert {gap.why for gap in gaps} <= {"disk full"}
        cursor = cursor_of(connection, Known("van-1", epoch), Lane.TRACK)
    return stored, sum(gap.last_seq - gap.first_seq + 1 for gap in gaps), cursor
