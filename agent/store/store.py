"""The store: everything durable in the van, on one thread of its own so that a slow disk never stops the event loop.

Synchronous inside; what is awaited here runs in the order it was asked for, but that steps and the questions of a tap
go first (`thread.py`).
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from agent.errors import StoreError, StoreErrorKind
from agent.learn.known import Known
from agent.learn.lessons import DayLearned
from agent.store import blobs, copied, inputs, memory, outbox, runs
from agent.store.blobs import NewBlob, StoredBlob, WaitingBlob
from agent.store.chain import Chain, Sealing
from agent.store.copied import Again
from agent.store.database import Database
from agent.store.inputs import TapAnswered, TapMade
from agent.store.meta import Identity, begin_boot, read_clock_mark, write_clock_mark
from agent.store.migrations import migrate
from agent.store.outbox import KEEP_RECEIPTED_MS, LaneName, OutboxRow, SeqRange
from agent.store.reserve import RESERVE_BYTES, Reserve
from agent.store.room import WHY_FULL, Ballast, with_room
from agent.store.runs import PackedRun
from agent.store.salvage import DATABASE, finish, is_suspect, salvage, suspect
from agent.store.thread import StoreThread
from agent.store.wal import Wal
from agent.trip.inputs import AnyInput
from agent.trip.run import Run
from host.clock import ClockMark
from wire.envelope import Receipts, Record
from wire.manifest import Manifest
from wire.track import Breadcrumb

type Keep = Callable[[], AbstractContextManager[None]]

log = logging.getLogger(__name__)

SETTLE_AFTER_S = 90.0
"""Receipts are written with the next step; without one, after this. Each commit of their own would wear the card, and
a receipt that is forgotten only costs a packet sent twice. Longer than the minute after which fixes go to disk."""
SETTLE_AFTER_BYTES = 500_000
"""... or when there are so many, so that a power cut in a long drain does not send much of it again, and none of these
commits is long."""

LOGGED_BYTES = 16_000
"""What a step puts into the log, beside its evidence: a dozen pages, seldom more."""
LOGGED_BYTES_A_RECEIPT: dict[LaneName, int] = {"events": 1_300, "track": 50}
"""... and the receipt for one record."""
LOGGED_BYTES_A_PHOTO = 200_000
PURGED_AT_ONCE = 200
"""Rows of each kind that are forgotten within one commit."""


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
    given_up: int = 0
    """Breadcrumbs that went before they could be saved; they get seqs, to say so, before those in `crumbs`."""
    clock: ClockMark | None = None
    """Its age dates the rows; without it `at_ms` does."""
    learned: DayLearned | None = None
    erased: str | None = None
    """The address of which all that was learned goes, from the log of inputs too."""

    @property
    def age_ms(self) -> int:
        return self.at_ms if self.clock is None else self.clock.age_ms

    @property
    def may_use_reserve(self) -> bool:
        """Small and not to be given up: a tap, a message, a plan."""
        return self.blob is None and not self.soft and not self.crumbs and not self.given_up


@dataclass(frozen=True)
class Waiting:
    """What the coordinator has not receipted: rows and pieces of evidence, and when the oldest was made (ms)."""

    events: int = 0
    track: int = 0
    blobs: int = 0
    oldest_said_ms: int | None = None
    """The age (`Clock.age_ms`) at which the oldest was saved, of events and evidence: what a driver would miss."""
    oldest_ms: int | None = None
    """Of everything, the track too."""


class Store:
    """Made by `open`. `waiting` is as of the newest write."""

    def __init__(
        self,
        database: Database,
        identity: Identity,
        reserve: Reserve,
        thread: StoreThread,
        ballast: Ballast,
        *,
        chain: Chain | None,
    ) -> None:
        self.identity = identity
        self.waiting = Waiting()
        self.damaged = asyncio.Event()
        """Set when the database turned out to be damaged: end, and the next start salvages it."""
        self._database = database
        self._reserve = reserve
        self._ballast = ballast
        self._chain = chain
        self._thread = thread
        self._is_closed = False
        self._settling: asyncio.Task[None] | None = None
        self._noted_bytes = 0
        self._wal = Wal(database, self._do)
        self._run_base: bytes | None = None
        """What the run on disk is told as a difference from; None makes the next step write it whole."""

    @classmethod
    async def open(
        cls,
        folder: Path,
        reserve_bytes: int = RESERVE_BYTES,
        ballast_bytes: int = 0,
        sealing: Sealing | None = None,
    ) -> Self:
        """Opens or makes the store in a folder, checks it and counts the boot. Without `sealing` nothing is sealed.

        `reserve_bytes` are kept back on the disk while there is room, for taps and receipts when there is none;
        `ballast_bytes` for giving up what is least missed, so that evidence finds room for longer.
        Raises StoreError: held by another agent, damaged, not ours, full to the last byte, or of a newer agent.
        """
        reserve = Reserve(folder / "reserve", reserve_bytes)
        thread = StoreThread()
        try:
            database, identity = await asyncio.get_running_loop().run_in_executor(
                thread.patient, _open, folder, reserve
            )
        except BaseException:
            thread.end()
            raise
        ballast = Ballast(folder / "ballast", ballast_bytes)
        store = cls(database, identity, reserve, thread, ballast, chain=Chain(sealing) if sealing else None)
        await store._do(ballast.fill)
        await store._do(store._recount)
        return store

    async def close(self) -> None:
        """Waits for what was asked before; safe to call twice."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._settling is not None:
            self._settling.cancel()
        await self._wal.close()
        await self._do(self._close)
        self._thread.end()

    async def load_run(self) -> Run:
        """The run as of the newest step. Raises StoreError (corrupt) when it cannot be read."""
        return await self._do(lambda: runs.load(self._database))

    async def save(self, step: Step) -> None:
        """Returns after the synced commit. Raises StoreError, and then nothing of the step is kept."""
        await self._do(lambda: self._save(step), is_urgent=True)
        if step.tap is not None:
            self._wal.tapped()
        self._wal.empty_in_time()

    async def recall(self, manifest: Manifest) -> Known:
        """What was learned on other days, as far as the day of this list can use it."""
        return await self._do(lambda: memory.recall(self._database, manifest.stops, manifest.day.toordinal()))

    async def find_tap(self, tap_id: str) -> TapAnswered | None:
        return await self._do(lambda: inputs.find_tap(self._database, tap_id), is_urgent=True)

    async def find_blob(self, sha256: str) -> StoredBlob | None:
        return await self._do(lambda: blobs.find(self._database, sha256), is_urgent=True)

    async def blob_piece(self, sha256: str, start: int, length: int) -> bytes:
        return await self._do(lambda: blobs.piece(self._database, sha256, start, length))

    async def is_blob_intact(self, sha256: str) -> bool:
        """See `blobs.is_intact`."""
        return await self._do(lambda: blobs.is_intact(self._database, sha256))

    async def waiting_blobs(self) -> list[WaitingBlob]:
        return await self._do(lambda: blobs.waiting(self._database))

    async def next_unreceipted(
        self, lane: LaneName, limit: int, besides: Sequence[SeqRange] = (), *, newest: bool = False
    ) -> list[OutboxRow]:
        """See `outbox.next_unreceipted`."""
        return await self._do(lambda: outbox.next_unreceipted(self._database, lane, limit, besides, newest=newest))

    async def apply_receipts(self, receipts: Receipts, at_ms: int, *, is_resume: bool = False) -> None:
        """Marks all that a receipt covers, for every read from now on; on disk with the next step, or a little later.

        `is_resume` (or the receipt's own): it tells all that stands. Kept rows that it does not cover wait again, for
        the coordinator was restored from a backup; and so does evidence of which a receipt says that nothing is held.
        """
        await self._do(lambda: self._apply_receipts(receipts, at_ms, is_resume=is_resume))
        self._wal.empty_in_time()
        if self._settling is None and self._database.has_notes:
            self._settling = asyncio.create_task(self._settle_in_time())

    async def settle(self) -> None:
        """Returns when every receipt applied so far is on disk. Raises StoreError."""
        await self._do(self._settle)

    async def clock_mark(self) -> ClockMark:
        """What is remembered of time."""
        return await self._do(lambda: read_clock_mark(self._database))

    async def kept_epochs(self) -> tuple[str, ...]:
        """Earlier epochs of which rows are still kept, newest first."""
        return await self._do(lambda: outbox.kept_epochs(self._database, self.identity.epoch_id))

    async def purge(self, age_ms: int) -> None:
        """Forgets what was receipted more than 72 hours ago, and what entered more than a week ago.

        Both as ages tell (`Clock.age_ms`): by a clock that can jump to the year 2046 all of it would go at once.
        """
        # A little at a time: a tap that comes meanwhile goes between.
        while await self._do(lambda: self._purge_some(age_ms, age_ms - KEEP_RECEIPTED_MS)):
            self._wal.empty_in_time()
        await self._do(self._take_reserve)

    async def _settle_in_time(self) -> None:
        await asyncio.sleep(SETTLE_AFTER_S)
        self._settling = None
        try:
            await self._do(self._settle)
        except StoreError as error:
            log.error("receipts could not be saved and will come again: %s", error)

    async def _do[T](self, act: Callable[[], T], *, is_urgent: bool = False) -> T:
        turn = self._thread.urgent if is_urgent else self._thread.patient
        try:
            return await asyncio.get_running_loop().run_in_executor(turn, lambda: self._done(act))
        except StoreError as error:
            if error.kind is StoreErrorKind.CORRUPT:
                suspect(self._database.path.parent)
                self.damaged.set()
            raise

    # On the store's thread ----------------------------------------------------------------------------------------

    def _done[T](self, act: Callable[[], T]) -> T:
        try:
            return act()
        finally:
            if not self._database.has_notes:
                self._noted_bytes = 0
            if self._database.has_lost_notes:  # receipts went with a write that failed: their rows wait again
                self._database.has_lost_notes = False
                self._recount()

    def _close(self) -> None:
        try:
            self._settle()
        except StoreError as error:
            log.error("receipts could not be saved and will come again: %s", error)
        self._database.close()

    def _settle(self) -> None:
        self._with_reserve(self._database.settle)

    def _save(self, step: Step) -> None:
        # What the run on disk is told from would keep what is to be erased.
        packed_run = runs.pack(step.run, None if step.erased is not None else self._run_base)
        if step.may_use_reserve:
            self._with_reserve(lambda: self._write(step, packed_run))
        else:
            if not self._reserve.is_held and not self._make_room(step.age_ms):
                raise StoreError(
                    StoreErrorKind.FULL, f"{self._database.path}: the disk is nearly full; free some space"
                )
            with_room(self._database, self._ballast, lambda: self._write(step, packed_run))
        if self._chain is not None:
            self._chain.kept()
        self._run_base = packed_run.base
        self._wal.wrote(LOGGED_BYTES + (len(step.blob.data) if step.blob is not None else 0))
        crumbs = len(step.crumbs) + step.given_up
        self._count_waiting(self.waiting.events + len(step.records), self.waiting.track + crumbs)

    def _write(self, step: Step, packed_run: PackedRun) -> None:
        database, epoch_id, age_ms = self._database, self.identity.epoch_id, step.age_ms
        if self._chain is not None:
            self._chain.begun()
        with database.transaction():
            inputs.append_soft(database, step.soft, age_ms)
            if step.entered is not None:
                inputs.append(database, step.entered, step.at_ms, age_ms, step.tap)
            if step.blob is not None:
                blobs.add(database, step.blob, age_ms)
            outbox.append(database, epoch_id, "track", [WHY_FULL] * step.given_up, age_ms)
            outbox.append(database, epoch_id, "track", step.crumbs, age_ms)
            outbox.append(database, epoch_id, "events", step.records, age_ms, chain=self._chain)
            runs.replace(database, packed_run)
            if step.learned is not None:
                memory.fold(database, step.learned)
            if step.erased is not None:
                memory.erase(database, step.erased)
                inputs.erase(database, step.erased)
            if step.clock is not None:
                write_clock_mark(database, step.clock)

    def _apply_receipts(self, receipts: Receipts, at_ms: int, *, is_resume: bool) -> None:
        marked: dict[LaneName, int] = {}
        is_resume = is_resume or receipts.is_resume
        # That something must be sent again is said once; and on a full disk room is made of what is receipted.
        again = copied.shown_by(self._database, self.identity, receipts)
        unheld = [sha256 for sha256, receipt in receipts.blobs.items() if not receipt.is_whole and not receipt.held]
        lost = blobs.whole_among(self._database, unheld)
        is_urgent = is_resume or again is not None or bool(lost) or not self._reserve.is_held
        kept = self._database.transaction if is_urgent else self._database.note
        self._with_reserve(lambda: marked.update(self._mark(receipts, at_ms, kept, again, lost, is_resume=is_resume)))
        if not self._reserve.is_held:
            self._make_room(at_ms)
        noted_bytes = sum(rows * LOGGED_BYTES_A_RECEIPT[lane] for lane, rows in marked.items())
        self._wal.wrote(noted_bytes)
        self._noted_bytes += noted_bytes
        if self._noted_bytes >= SETTLE_AFTER_BYTES:
            self._with_reserve(self._database.settle)
        if is_resume or again is not None:
            self._recount()
        else:
            self._count_waiting(
                self.waiting.events - marked.get("events", 0), self.waiting.track - marked.get("track", 0)
            )

    def _mark(
        self, receipts: Receipts, at_ms: int, kept: Keep, again: Again | None, lost: Sequence[str], *, is_resume: bool
    ) -> dict[LaneName, int]:
        """How many rows of each lane wait no longer."""
        marked: dict[LaneName, int] = {}
        anew = self.identity
        if self._chain is not None:
            self._chain.begun()
        with kept():
            if again is not None:
                anew = copied.begin_anew(self._database, self.identity, again, self._chain)
            for lane, receipt in receipts.lanes.items():
                if is_resume:
                    outbox.reopen(self._database, receipts.epoch, lane, receipt)
                marked[lane] = outbox.apply_receipt(self._database, receipts.epoch, lane, receipt, at_ms)
            whole = [sha256 for sha256, receipt in receipts.blobs.items() if receipt.is_whole]
            blobs.mark_whole(self._database, whole, at_ms)
            blobs.reopen(self._database, lost)
        self.identity = anew
        if again is not None and self._chain is not None:
            self._chain.kept()
        return marked

    def _purge_some(self, age_ms: int, receipted_before_ms: int) -> int:
        """How many rows went: SQLite writes them once more, as zeros."""
        with self._database.transaction():
            rows = outbox.purge(self._database, receipted_before_ms, PURGED_AT_ONCE)
            rows += inputs.purge(self._database, age_ms, PURGED_AT_ONCE)
            photos = blobs.purge(self._database, receipted_before_ms, limit=2)
        self._wal.wrote(rows * LOGGED_BYTES_A_RECEIPT["events"] + photos * LOGGED_BYTES_A_PHOTO)
        return rows + photos

    def _purge(self, age_ms: int, receipted_before_ms: int) -> None:
        """On a full disk: all at once, and in steps that little room is enough for."""
        while self._purge_some(age_ms, receipted_before_ms):
            self._database.checkpoint()
        self._take_reserve()

    def _take_reserve(self) -> None:
        if not self._reserve.is_held:
            self._database.give_back_pages()
            self._reserve.take()
        self._ballast.fill()

    def _with_reserve(self, write: Callable[[], None]) -> None:
        """Writes; on a full disk once more after what was kept back is given up."""
        try:
            write()
        except StoreError as error:
            if error.kind is not StoreErrorKind.FULL or not self._reserve.give_back():
                raise
            self._database.checkpoint()
            write()

    def _make_room(self, age_ms: int) -> bool:
        """Forgets all that was receipted, however lately; whether there is room for evidence again."""
        try:
            self._purge(age_ms, receipted_before_ms=age_ms + 1)
        except StoreError as error:
            if error.kind is not StoreErrorKind.FULL:
                raise
        return self._reserve.is_held

    def _recount(self) -> None:
        self._count_waiting(outbox.count(self._database, "events"), outbox.count(self._database, "track"))

    def _count_waiting(self, events: int, track: int) -> None:
        oldest_event_ms = outbox.oldest_ms(self._database, "events")
        oldest_crumb_ms = outbox.oldest_ms(self._database, "track")
        said = [ms for ms in (oldest_event_ms, blobs.oldest_waiting_ms(self._database)) if ms is not None]
        every = said if oldest_crumb_ms is None else [*said, oldest_crumb_ms]
        self.waiting = Waiting(
            events=events,
            track=track,
            blobs=len(blobs.waiting(self._database)),
            oldest_said_ms=min(said, default=None),
            oldest_ms=min(every, default=None),
        )


def _open(folder: Path, reserve: Reserve) -> tuple[Database, Identity]:
    try:
        opened = _open_here(folder)
    except StoreError as error:
        if error.kind not in (StoreErrorKind.FULL, StoreErrorKind.IO) or not reserve.give_back():
            raise
        opened = _open_here(folder)  # a disk that is full must not keep the van from starting, nor from draining
    reserve.take()
    return opened


def _open_here(folder: Path) -> tuple[Database, Identity]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        finish(folder)
        try:
            if is_suspect(folder):
                raise StoreError(StoreErrorKind.CORRUPT, f"{folder}: was found damaged while it was in use")
            return _open_database(folder)
        except StoreError as error:
            if error.kind is not StoreErrorKind.CORRUPT:
                raise
            salvage(folder)
            return _open_database(folder)
    except OSError as error:
        raise StoreError(StoreErrorKind.IO, f"{folder}: cannot be used as data_dir: {error}") from error


def _open_database(folder: Path) -> tuple[Database, Identity]:
    database = Database(folder / DATABASE)
    try:
        _check(database)
        migrate(database)
        runs.load(database)  # a run that cannot be read is damage too, and found before anybody waits for it
        return database, begin_boot(database, folder / "boot")
    except BaseException:
        database.close()
        raise


def _check(database: Database) -> None:
    answer = database.execute("PRAGMA quick_check(1)")
    if answer != [("ok",)]:
        raise StoreError(StoreErrorKind.CORRUPT, f"{database.path}: the file is damaged; set it aside: {answer}")
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    ((version,),) = database.execute("PRAGMA user_version")
    if (tables or version) and not tables >= {"meta", "epochs", "inputs", "outbox"}:
        raise StoreError(StoreErrorKind.IO, f"{database.path}: this is no van's store; move it away")
