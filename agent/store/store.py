"""The store: everything durable in the van, on one thread of its own so that a slow disk never stops the event loop.

Synchronous inside; what is awaited here runs in the order it was asked for.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from agent.errors import StoreError, StoreErrorKind
from agent.store import blobs, inputs, outbox, runs
from agent.store.blobs import NewBlob, StoredBlob, WaitingBlob
from agent.store.database import Database
from agent.store.inputs import TapAnswered, TapMade
from agent.store.meta import Identity, begin_boot
from agent.store.migrations import migrate
from agent.store.outbox import LaneName, OutboxRow, SeqRange
from agent.trip.inputs import AnyInput
from agent.trip.run import Run
from wire.envelope import Receipts, Record
from wire.track import Breadcrumb


@dataclass(frozen=True)
class Step:
    """One input and all that follows from it, with the fixes buffered before it: saved as a whole or not at all."""

    at_ms: int
    run: Run
    entered: AnyInput | None = None
    tap: TapMade | None = None
    blob: NewBlob | None = None
    records: tuple[Record, ...] = ()
    soft: tuple[tuple[int, AnyInput], ...] = ()
    crumbs: tuple[Breadcrumb, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """What the coordinator has not receipted: rows and pieces of evidence, and when the oldest was made (ms)."""

    events: int = 0
    track: int = 0
    blobs: int = 0
    oldest_said_ms: int | None = None
    """Of events and evidence: what a driver would miss."""
    oldest_ms: int | None = None
    """Of everything, the track too."""


class Store:
    """Made by `open`. `waiting` is as of the newest write."""

    def __init__(self, database: Database, identity: Identity, executor: ThreadPoolExecutor) -> None:
        self.identity = identity
        self.waiting = Waiting()
        self._database = database
        self._executor = executor
        self._is_closed = False

    @classmethod
    async def open(cls, folder: Path) -> Self:
        """Opens or makes the store in a folder, checks it and counts the boot.

        Raises StoreError: held by another agent, damaged, full, or written by a newer agent.
        """
        executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        try:
            database, identity = await asyncio.get_running_loop().run_in_executor(executor, _open, folder)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        store = cls(database, identity, executor)
        await store._do(store._count_waiting)
        return store

    async def close(self) -> None:
        """Waits for what was asked before; safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._do(self._database.close)
        self._executor.shutdown(wait=False)

    async def load_run(self) -> Run:
        """The run as of the newest step. Raises StoreError (corrupt) when it cannot be read."""
        return await self._do(lambda: runs.load(self._database))

    async def save(self, step: Step) -> None:
        """Returns after the synced commit. Raises StoreError, and then nothing of the step is kept."""
        await self._do(lambda: self._save(step))

    async def find_tap(self, tap_id: str) -> TapAnswered | None:
        return await self._do(lambda: inputs.find_tap(self._database, tap_id))

    async def find_blob(self, sha256: str) -> StoredBlob | None:
        return await self._do(lambda: blobs.find(self._database, sha256))

    async def blob_piece(self, sha256: str, start: int, length: int) -> bytes:
        return await self._do(lambda: blobs.piece(self._database, sha256, start, length))

    async def waiting_blobs(self) -> list[WaitingBlob]:
        return await self._do(lambda: blobs.waiting(self._database))

    async def next_unreceipted(
        self, lane: LaneName, limit: int, besides: Sequence[SeqRange] = (), *, newest: bool = False
    ) -> list[OutboxRow]:
        """See `outbox.next_unreceipted`."""
        return await self._do(lambda: outbox.next_unreceipted(self._database, lane, limit, besides, newest=newest))

    async def apply_receipts(self, receipts: Receipts, at_ms: int, *, is_resume: bool = False) -> None:
        """Marks all that a receipt covers, in one transaction.

        `is_resume`: the first one of a connection. Kept rows that it does not cover wait again: the coordinator was
        restored from a backup.
        """
        await self._do(lambda: self._apply_receipts(receipts, at_ms, is_resume=is_resume))

    async def purge(self, now_ms: int) -> None:
        """Forgets what was receipted more than 72 hours ago."""

        def purge() -> None:
            with self._database.transaction():
                outbox.purge(self._database, now_ms)
                blobs.purge(self._database, now_ms)

        await self._do(purge)

    async def _do[T](self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, act)

    # On the store's thread ----------------------------------------------------------------------------------------

    def _save(self, step: Step) -> None:
        database, epoch_id = self._database, self.identity.epoch_id
        packed_run = runs.pack(step.run)
        with database.transaction():
            inputs.append_soft(database, step.soft)
            if step.entered is not None:
                inputs.append(database, step.entered, step.at_ms, step.tap)
            if step.blob is not None:
                blobs.add(database, step.blob, step.at_ms)
            outbox.append(database, epoch_id, "track", step.crumbs, step.at_ms)
            outbox.append(database, epoch_id, "events", step.records, step.at_ms)
            runs.replace(database, packed_run)
        self._count_waiting()

    def _apply_receipts(self, receipts: Receipts, at_ms: int, *, is_resume: bool) -> None:
        with self._database.transaction():
            for lane, receipt in receipts.lanes.items():
                if is_resume:
                    outbox.reopen(self._database, receipts.epoch, lane, receipt)
                outbox.apply_receipt(self._database, receipts.epoch, lane, receipt, at_ms)
            whole = [sha256 for sha256, receipt in receipts.blobs.items() if receipt.is_whole]
            blobs.mark_whole(self._database, whole, at_ms)
        self._count_waiting()

    def _count_waiting(self) -> None:
        events, oldest_event_ms = outbox.depth(self._database, "events")
        track, oldest_crumb_ms = outbox.depth(self._database, "track")
        said = [ms for ms in (oldest_event_ms, blobs.oldest_waiting_ms(self._database)) if ms is not None]
        every = said if oldest_crumb_ms is None else [*said, oldest_crumb_ms]
        self.waiting = Waiting(
            events=events,
            track=track,
            blobs=len(blobs.waiting(self._database)),
            oldest_said_ms=min(said, default=None),
            oldest_ms=min(every, default=None),
        )


def _open(folder: Path) -> tuple[Database, Identity]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        database = Database(folder / "van.sqlite")
        try:
            _check(database)
            migrate(database)
            return database, begin_boot(database, folder / "boot")
        except BaseException:
            database.close()
            raise
    except OSError as error:
        raise StoreError(StoreErrorKind.IO, f"{folder}: cannot be used as data_dir: {error}") from error


def _check(database: Database) -> None:
    answer = database.execute("PRAGMA quick_check(1)")
    if answer != [("ok",)]:
        raise StoreError(StoreErrorKind.CORRUPT, f"{database.path}: the file is damaged; set it aside: {answer}")
