"""`exhaust`: the reference scenarios, with the power cut at every single storage operation of each in turn.

A scenario is a few steps on one store; each step that returned was told to somebody. After the cut the store is opened
again, without further faults, and must hold all that was told, whole; then the scenario is done once more from its
start and must end as if nothing had happened.
"""

import hashlib
import multiprocessing
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from agent.errors import StoreError as VanStoreError
from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.store.migrations import STEPS
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped, MinutePassed
from cloud.errors import StoreError as CloudStoreError
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.store.blobs import whole_blob
from cloud.store.database import Database, open_database
from cloud.store.manifests import newest_manifest, save_manifest
from cloud.store.records import Sender, cursor_of
from cloud.store.tables import records
from tests.builders import MORNING, a_manifest, a_run
from tests.cloud.said import EPOCH, VAN, a_record, arrived, batch_packet, completed
from tests.rig import proofs
from tests.rig.disk import Disk
from tests.rig.vfs import the_vfs
from tests.rig.virtual import VirtualLoop
from tests.rig.world import migrated_cloud, quiet
from wire import topics
from wire.codec import pack_chunk
from wire.envelope import BlobReceipt, ChunkHeader, LaneReceipt, Receipts
from wire.manifest import EvidenceKind
from wire.topics import Lane
from wire.track import Breadcrumb

NOW_MS = round(MORNING.timestamp() * 1000)
PHOTO = bytes(range(256)) * 120
DIGEST = hashlib.sha256(PHOTO).hexdigest()


@dataclass
class Told:
    """What somebody was told is durable, so far."""

    taps: list[str] = field(default_factory=list)
    blobs: list[str] = field(default_factory=list)
    receipted: int = 0
    boots: int = 0
    records: int = 0
    crumbs: int = 0
    has_whole_blob: bool = False
    has_list: bool = False


@dataclass(frozen=True)
class Found:
    """Of one cut, or of one scenario altogether."""

    cuts: int = 0
    lost: tuple[str, ...] = ()
    corrupt: tuple[str, ...] = ()


# On the van's disk --------------------------------------------------------------------------------------------------

type VanStep = Callable[[Store, Told], Awaitable[None]]


def _step(**fields: Any) -> Step:
    return Step(**{"at_ms": NOW_MS, "run": a_run(2), **fields})


async def _tap(store: Store, told: Told) -> None:
    number = len(told.taps)
    record = a_record(arrived(f"s{number}"), after_ms=number)
    tap = TapMade(f"tap-{number:05}", "hash")
    if await store.find_tap(tap.tap_id) is None:
        await store.save(_step(entered=ArrivedTapped(stop_id=f"s{number}"), tap=tap, records=(record,)))
    told.taps.append(tap.tap_id)


async def _photo(store: Store, told: Told) -> None:
    blob = NewBlob(DIGEST, EvidenceKind.PHOTO, "image/jpeg", PHOTO)
    await store.save(_step(entered=MinutePassed(), blob=blob, records=(a_record(arrived("s1")),)))
    told.blobs.append(DIGEST)


async def _fixes(store: Store, _told: Told) -> None:
    crumbs = tuple(Breadcrumb(wall_ms=NOW_MS + second, lat_deg=41.0, lon_deg=-8.0) for second in range(60))
    await store.save(_step(soft=tuple((NOW_MS, MinutePassed()) for _ in range(60)), crumbs=crumbs))


async def _receipt(store: Store, told: Told) -> None:
    receipt = Receipts(
        epoch=store.identity.epoch,
        lanes={"events": LaneReceipt(contiguous_seq=1, ranges=((3, 4),))},
        blobs={DIGEST: BlobReceipt(is_whole=True)},
    )
    await store.apply_receipts(receipt, NOW_MS)
    told.receipted = 1


async def _purge(store: Store, _told: Told) -> None:
    await store.purge(NOW_MS + 80 * 3600 * 1000)


OLDER = "van: a store of an older agent"
VAN_SCENARIOS: dict[str, tuple[VanStep, ...]] = {
    "van: first start": (),
    "van: a tap": (_tap,),
    "van: five taps": (_tap,) * 5,
    "van: a photo of 30 kB": (_photo,),
    "van: a minute of fixes": (_fixes, _fixes),
    "van: receipts": (_tap, _tap, _tap, _photo, _receipt, _receipt),
    "van: forgetting": (_tap, _photo, _receipt, _purge, _tap),
    OLDER: (_tap,),
}
OLDER_CRUMBS = 150


def _older_van() -> dict[str, bytes]:
    """The files of a van whose agent kept a row for each breadcrumb: the next start packs them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "van.sqlite"
        # Not on the disk of ours that other scenarios cut.
        with closing(sqlite3.connect(f"file:{file}?vfs=unix", uri=True, isolation_level=None)) as database:
            for number, step in enumerate(STEPS[:3], 1):
                for statement in step:
                    database.execute(str(statement))
                database.execute(f"PRAGMA user_version = {number}")
            database.execute("INSERT INTO epochs VALUES (1, '0123456789abcdef')")
            database.execute("INSERT INTO lanes VALUES (1, 'track', ?)", (OLDER_CRUMBS + 1,))
            database.executemany(
                "INSERT INTO outbox VALUES (1, 'track', ?, ?, 1, ?)",
                [
                    (seq, Breadcrumb(wall_ms=NOW_MS + seq, lat_deg=41, lon_deg=-8).model_dump_json(), seq % 90 or None)
                    for seq in range(1, OLDER_CRUMBS + 1)
                ],
            )
        return {"van.sqlite": file.read_bytes()}


def _crumbs_kept(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "van.sqlite")) as database:
        kept = database.execute(
            "SELECT sum(last_seq - first_seq + 1), count(DISTINCT receipted_ms) FROM trail"
        ).fetchone()
        left = database.execute("SELECT count(*) FROM outbox WHERE lane = 'track'").fetchone()[0]
    return [] if (*kept, left) == (OLDER_CRUMBS, 89, 0) else [f"of {OLDER_CRUMBS} breadcrumbs {kept} kept, {left} left"]


async def _van_life(folder: Path, steps: tuple[VanStep, ...], told: Told) -> None:
    store = await Store.open(folder)
    try:
        told.boots = store.identity.boot
        for step in steps:
            await step(store, told)
    finally:
        with suppress(VanStoreError):
            await store.close()


async def _check_van(folder: Path, told: Told, epoch: str | None) -> list[str]:
    store = await Store.open(folder)
    try:
        await store.load_run()
        troubles = [f"{tap} is gone" for tap in told.taps if await store.find_tap(tap) is None]
        for sha256 in told.blobs:
            kept = await store.find_blob(sha256)
            if kept is None and not told.receipted:
                troubles.append("the photo is gone")
            elif kept is not None and kept.data != PHOTO:
                troubles.append("the photo is damaged")
        if store.identity.boot <= told.boots:
            troubles.append(f"boot {store.identity.boot} after boot {told.boots}")
        if epoch is not None and store.identity.epoch != epoch:
            troubles.append("a new epoch, and nothing was restored")
        return troubles
    finally:
        await store.close()


def _said_as_tapped(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "van.sqlite")) as database:
        taps = database.execute("SELECT count(*) FROM taps").fetchone()[0]
        said = database.execute("SELECT coalesce(max(next_seq), 1) - 1 FROM lanes WHERE lane = 'events'").fetchone()[0]
        blobs = database.execute("SELECT count(*) FROM inputs WHERE kind = 'minute_passed'").fetchone()[0]
    return [] if said == taps + blobs else [f"{taps} taps and {blobs} photos, but {said} records"]


# On the coordinator's disk ------------------------------------------------------------------------------------------

type CloudStep = Callable[[Database, Told], Awaitable[None]]


async def _serve(database: Database, *packets: tuple[str, bytes]) -> None:
    group = []
    for topic, payload in packets:
        packet = unpack("town", topic, payload)
        assert packet is not None
        group.append(Incoming(packet))
    await database.write(lambda connection: apply_group(connection, group, MORNING))


async def _batch(database: Database, told: Told) -> None:
    first = told.records + 1
    spoken = [a_record(arrived("s1"), after_ms=first), a_record(completed("s1"), after_ms=first + 1)]
    await _serve(database, batch_packet(spoken, first_seq=first))
    told.records += 2


async def _batch_again(database: Database, _told: Told) -> None:
    await _serve(database, batch_packet([a_record(arrived("s1"), after_ms=1)], first_seq=1))


async def _chunks(database: Database, told: Told) -> None:
    for start in range(0, len(PHOTO), 16_000):
        header = ChunkHeader(van=VAN, epoch=EPOCH, sha256=DIGEST, offset_bytes=start, total_bytes=len(PHOTO))
        packet = pack_chunk(header, PHOTO[start : start + 16_000])
        await _serve(database, (topics.BLOBS.of("town", VAN), packet))
    told.has_whole_blob = True


async def _list(database: Database, told: Told) -> None:
    manifest = a_manifest(3)

    def save(connection: Connection) -> None:
        if newest_manifest(connection, VAN, MORNING.date()) is None:
            save_manifest(connection, manifest, MORNING)

    await database.write(save)
    told.has_list = True


CLOUD_SCENARIOS: dict[str, tuple[CloudStep, ...]] = {
    "coordinator: first start": (),
    "coordinator: a batch": (_batch,),
    "coordinator: three batches": (_batch, _batch, _batch),
    "coordinator: a batch said again": (_batch, _batch_again),
    "coordinator: evidence in pieces": (_chunks,),
    "coordinator: a list is made": (_list, _batch),
}


async def _cloud_life(folder: Path, steps: tuple[CloudStep, ...], told: Told) -> None:
    database = open_database(folder / "cloud.db")
    try:
        for step in steps:
            await step(database, told)
    finally:
        database.close()


async def _check_cloud(folder: Path, told: Told) -> list[str]:
    database = open_database(folder / "cloud.db")
    troubles = []
    try:
        with database.snapshot() as connection:
            rows = connection.execute(select(func.count()).select_from(records)).scalar_one()
            cursor = cursor_of(connection, Sender(VAN, EPOCH), Lane.EVENTS)
            if cursor.contiguous_seq < told.records:
                troubles.append(f"{told.records} records were receipted, {cursor.contiguous_seq} stand")
            if rows != cursor.contiguous_seq:
                troubles.append(f"{rows} records, but the lane stands at {cursor.contiguous_seq}")
            if told.has_whole_blob and whole_blob(connection, DIGEST) != PHOTO:
                troubles.append("the photo was receipted as whole and is not")
            if told.has_list and newest_manifest(connection, VAN, MORNING.date()) is None:
                troubles.append("the list is gone")
    finally:
        database.close()
    return troubles


# Cutting ------------------------------------------------------------------------------------------------------------


def _in_virtual_time[T](work: Awaitable[T]) -> T:
    loop = VirtualLoop(0, is_shuffled=False)
    try:
        return loop.run_until_complete(work)
    finally:
        loop.close()


def _cut(name: str, at: int | None, seed: int, disk: Disk) -> tuple[Found, int]:
    """One scenario with one cut; what was found, and how many operations there were without it."""
    is_van = name in VAN_SCENARIOS
    file = "van.sqlite" if is_van else "cloud.db"
    folder = Path(tempfile.mkdtemp(prefix="rig-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    lost: list[str] = []
    corrupt: list[str] = []
    told = Told()

    def life() -> Awaitable[None]:
        if is_van:
            return _van_life(folder, VAN_SCENARIOS[name], told)
        return _cloud_life(folder, CLOUD_SCENARIOS[name], told)

    try:
        the_vfs().mount(folder, disk)
        disk.cut_at = at
        with suppress(VanStoreError, CloudStoreError):
            _in_virtual_time(life())
        operations = disk.operations
        if at is not None and not disk.is_dead:
            return Found(), operations
        disk = disk.after_power_cut()
        the_vfs().mount(folder, disk)
        with closing(sqlite3.connect(folder / file)) as database:
            answer = database.execute("PRAGMA integrity_check").fetchall()
        if answer != [("ok",)]:
            corrupt.append(f"{name}, cut {at}: {answer}")
        else:
            troubles = _in_virtual_time(_check_van(folder, told, None) if is_van else _check_cloud(folder, told))
            if is_van:
                troubles += _said_as_tapped(folder)
            if name == OLDER:
                troubles += _crumbs_kept(folder)
            again = told = Told()
            _in_virtual_time(life())
            troubles += _in_virtual_time(_check_van(folder, again, None) if is_van else _check_cloud(folder, again))
            lost += [f"{name}, cut {at}: {trouble}" for trouble in troubles]
        if the_vfs().errors:
            raise the_vfs().errors[0]
    except (VanStoreError, CloudStoreError, sqlite3.Error) as error:
        corrupt.append(f"{name}, cut {at}: {error}")
    finally:
        the_vfs().unmount(folder)
        shutil.rmtree(folder)
    return Found(1, tuple(lost), tuple(corrupt)), operations


def every_cut(name: str) -> Found:
    """One scenario, cut at each of its operations; twice each, since a cut leaves more than one thing possible."""

    def disk(seed: int) -> Disk:
        if name == OLDER:
            return Disk(seed, older)
        is_old = name.startswith("coordinator") and name != "coordinator: first start"
        return Disk(seed, migrated_cloud() if is_old else None)

    if name == TWO_PROOFS:
        return _every_cut_of_two_proofs()
    older = _older_van()
    cuts = 0
    lost: list[str] = []
    corrupt: list[str] = []
    with quiet():
        _, operations = _cut(name, None, 0, disk(0))
        for at in range(1, operations + 1):
            for seed in (2 * at, 2 * at + 1):
                found, _ = _cut(name, at, seed, disk(seed))
                cuts += found.cuts
                lost += found.lost
                corrupt += found.corrupt
    return Found(cuts, tuple(lost), tuple(corrupt))


TWO_PROOFS = "van: two proofs without a link"


def _every_cut_of_two_proofs() -> Found:
    """Cut at each operation, killed at each; then all that is not saved is tapped, and a coordinator looks at it."""
    here = Path(tempfile.mkdtemp(prefix="rig-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    ends: tuple[Callable[[Disk], Disk], ...] = (Disk.after_power_cut, Disk.after_kill)
    lost: list[str] = []
    cuts = at = 0
    with quiet():
        there = proofs.a_coordinator(here / "there", migrated_cloud())
        is_over = False
        while not is_over:
            at += 1
            for number, end in enumerate(ends):
                folder, disk, told = here / "van", Disk(2 * at + number), list[str]()
                folder.mkdir()
                the_vfs().mount(folder, disk)
                disk.cut_at = at
                with suppress(VanStoreError):
                    _in_virtual_time(proofs.life(folder, told))
                is_over = not disk.is_dead
                the_vfs().mount(folder, end(disk))
                troubles = proofs.gone(folder, told)
                _in_virtual_time(proofs.life(folder, []))
                troubles += proofs.crossed(folder, there)
                lost += [f"{TWO_PROOFS}, {end.__name__} {at}: {trouble}" for trouble in troubles]
                cuts += not is_over
                the_vfs().unmount(folder)
                shutil.rmtree(folder)
        there.close()
        the_vfs().unmount(here / "there")
    shutil.rmtree(here, ignore_errors=True)
    return Found(cuts, tuple(lost), tuple(repr(error) for error in the_vfs().errors))


def exhaust(jobs: int, only: str) -> int:
    """The exit status: 0 when nothing was lost or corrupt."""
    names = [name for name in (*VAN_SCENARIOS, TWO_PROOFS, *CLOUD_SCENARIOS) if only in name]
    if jobs == 1:
        found = [every_cut(name) for name in names]
    else:
        with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
            found = list(pool.map(every_cut, names))
    for name, one in zip(names, found, strict=True):
        print(f"{one.cuts:5} cuts  {name}")
    lost = [line for one in found for line in one.lost]
    corrupt = [line for one in found for line in one.corrupt]
    for line in (*lost, *corrupt):
        print(f"  {line}"[:400])
    print(f"scenarios={len(names)} cuts={sum(one.cuts for one in found)} lost={len(lost)} corrupt={len(corrupt)}")
    return 1 if lost or corrupt or not all(one.cuts for one in found) else 0
