"""Faults planted in the production code, in memory: each must be found, or the rig would not have found the real one.

A mutant is a function that patches named parts of the production code and gives back how to undo it. Those that change
a statement of SQL or a constant say so in one line; the rest wrap a method.
"""

import asyncio
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any
from unittest import mock

from sqlalchemy import delete, event

import agent.courier
import agent.link.outbound
import agent.runtime.fixes
import agent.runtime.loop
import agent.store.inputs
import agent.store.outbox
import agent.store.runs
import agent.store.store
import agent.trip.decide
import cloud.ingest.apply
import cloud.ingest.ingest
import cloud.ingest.receipts
import cloud.store.blobs
import cloud.store.cursor
import cloud.store.database
import cloud.store.records
from agent.runtime import Runtime
from agent.store.database import Database as VanDatabase
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from cloud.errors import StoreError as CloudStoreError
from cloud.store.cursor import Cursor
from cloud.store.database import Database as CloudDatabase
from cloud.store.tables import records
from tests.rig.simulate import Outcome, outcome_of
from wire.envelope import BlobReceipt, LaneReceipt, Receipts
from wire.topics import Lane

type Plant = Callable[[], AbstractContextManager[Any]]
MUTANTS: dict[str, Plant] = {}
MISTAKES = ("AttributeError(", "NameError(", "TypeError(")
"""What a mutant says that no longer fits the code it is planted in: that it is found then proves nothing."""


def planted(name: str) -> Callable[[Plant], Plant]:
    def keep(plant: Plant) -> Plant:
        MUTANTS[name] = plant
        return plant

    return keep


def _wrapped(owner: Any, name: str, make: Callable[[Any], Any]) -> AbstractContextManager[Any]:
    original = getattr(owner, name)
    return mock.patch.object(owner, name, wraps(original)(make(original)))


# The van's disk -----------------------------------------------------------------------------------------------------


def _van_pragma(pragma: str, value: str, answer: Any) -> AbstractContextManager[Any]:
    def make(original: Any) -> Any:
        def set_(self: VanDatabase, name: str, wanted: str, expected: Any) -> None:
            original(self, name, *((value, answer) if name == pragma else (wanted, expected)))

        return set_

    return _wrapped(VanDatabase, "_set", make)


@planted("the van commits without a sync (synchronous=NORMAL)")
def _() -> Any:
    return _van_pragma("synchronous", "NORMAL", 1)


@planted("the van's journal is in memory (journal_mode=MEMORY)")
def _() -> Any:
    return _van_pragma("journal_mode", "MEMORY", "memory")


@planted("a tap is called saved before the commit")
def _() -> Any:
    def make(original: Any) -> Any:
        async def save(self: Store, step: Step) -> None:
            _beside(_ignoring(original(self, step)))

        return save

    return _wrapped(Store, "save", make)


@planted("what entered is forgotten by the clock on the wall")
def _() -> Any:
    def make(original: Any) -> Any:
        def purge(database: VanDatabase, age_ms: int, limit: int) -> int:
            # As it was once: against the newest wall time there is, from the oldest row on.
            week = "(SELECT at_ms FROM inputs ORDER BY input_id DESC LIMIT 1) - 604800000"
            fresh = database.execute(f"SELECT input_id FROM inputs WHERE at_ms >= {week} ORDER BY input_id LIMIT 1")
            for (input_id,) in fresh:
                database.execute("DELETE FROM taps WHERE input_id < ?", (input_id,))
            rows: int = original(database, age_ms, limit)
            return rows

        return purge

    return _wrapped(agent.store.inputs, "purge", make)


@planted("what the van says is written in a transaction of its own")
def _() -> Any:
    def make(original: Any) -> Any:
        def save(self: Store, step: Step) -> None:
            original(self, replace(step, records=()))
            original(self, Step(at_ms=step.at_ms, run=step.run, records=step.records))

        return save

    return _wrapped(Store, "_save", make)


@planted("the run is saved one step late")
def _() -> Any:
    def make(original: Any) -> Any:
        last: dict[int, bytes] = {}

        def replace_run(database: VanDatabase, packed: bytes) -> None:
            original(database, last.get(id(database), packed))
            last[id(database)] = packed

        return replace_run

    return _wrapped(agent.store.runs, "replace", make)


@planted("a tap sent again is done again")
def _() -> Any:
    def make(_original: Any) -> Any:
        async def answered_before(_self: Runtime, _tap: TapMade) -> None:
            return None

        return answered_before

    stack = ExitStack()
    stack.enter_context(_wrapped(Runtime, "_answered_before", make))

    def without_tap(original: Any) -> Any:
        def append(database: VanDatabase, entered: Any, at_ms: int, age_ms: int, tap: TapMade | None) -> None:
            is_known = tap is not None and agent.store.inputs.find_tap(database, tap.tap_id) is not None
            original(database, entered, at_ms, age_ms, None if is_known else tap)

        return append

    stack.enter_context(_wrapped(agent.store.inputs, "append", without_tap))
    return stack


@planted("seqs are counted from the rows that still wait, so that they are given again")
def _() -> Any:
    def make(original: Any) -> Any:
        def append(database: VanDatabase, epoch_id: int, lane: str, items: Sequence[Any], at_ms: int) -> None:
            if lane == "track":
                original(database, epoch_id, lane, items, at_ms)
                return
            ((last,),) = database.execute(
                "SELECT coalesce(max(seq), 0) FROM outbox WHERE epoch_id = ? AND lane = ? AND receipted_ms IS NULL",
                (epoch_id, lane),
            )
            for place, item in enumerate(items, int(last or 0) + 1):
                database.execute(
                    "INSERT OR REPLACE INTO outbox (epoch_id, lane, seq, record, created_ms) VALUES (?, ?, ?, ?, ?)",
                    (epoch_id, lane, place, item.model_dump_json(by_alias=True), at_ms),
                )

        return append

    return _wrapped(agent.store.outbox, "append", make)


@planted("breadcrumbs stay in the buffer after the commit")
def _() -> Any:
    return mock.patch.object(agent.runtime.fixes.FixBuffer, "clear")


@planted("old rows are forgotten, receipted or not")
def _() -> Any:
    def make(_original: Any) -> Any:
        def purge(database: VanDatabase, receipted_before_ms: int, _limit: int) -> int:
            too_old_ms = receipted_before_ms + agent.store.outbox.KEEP_RECEIPTED_MS - 1_000
            return len(database.execute("DELETE FROM outbox WHERE created_ms < ? RETURNING 1", (too_old_ms,)))

        return purge

    return _wrapped(agent.store.outbox, "purge", make)


# The van and receipts -----------------------------------------------------------------------------------------------


@planted("a row is done with when it was published (PUBACK)")
def _() -> Any:
    def make(original: Any) -> Any:
        async def send_events(self: Any) -> bool:
            has_sent: bool = await original(self)
            if has_sent:
                for parcel in self._window.parcels():
                    if parcel.topic.lane == "events":
                        receipt = LaneReceipt(contiguous_seq=0, ranges=((parcel.first, parcel.last),))
                        receipts = Receipts(epoch=parcel.epoch, lanes={"events": receipt})
                        await self._store.apply_receipts(receipts, self._clock.age_ms())
            return has_sent

        return send_events

    return _wrapped(agent.courier.Courier, "_send_events", make)


@planted("a receipt is read as its highest seq, gaps and all")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(database: VanDatabase, epoch: str, lane: Any, receipt: LaneReceipt, at_ms: int) -> int:
            top = max([receipt.contiguous_seq, *(last for _, last in receipt.ranges)])
            answer: int = original(database, epoch, lane, LaneReceipt(contiguous_seq=top), at_ms)
            return answer

        return apply

    return _wrapped(agent.store.outbox, "apply_receipt", make)


@planted("a receipt of another epoch is taken for ours")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(database: VanDatabase, _epoch: str, lane: Any, receipt: LaneReceipt, at_ms: int) -> int:
            rows = database.execute("SELECT epoch FROM epochs ORDER BY epoch_id")
            return sum(original(database, str(row[0]), lane, receipt, at_ms) for row in rows)

        return apply

    return _wrapped(agent.store.outbox, "apply_receipt", make)


@planted("a receipt of the track frees events")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(database: VanDatabase, epoch: str, _lane: Any, receipt: LaneReceipt, at_ms: int) -> int:
            return sum(original(database, epoch, lane, receipt, at_ms) for lane in ("events", "track"))

        return apply

    return _wrapped(agent.store.outbox, "apply_receipt", make)


@planted("evidence is done with when its last piece was sent")
def _() -> Any:
    def make(original: Any) -> Any:
        async def send_chunk(self: Any, blob: Any) -> bool:
            has_sent: bool = await original(self, blob)
            chunk = self._chunks.newest
            if has_sent and chunk is not None and chunk.offset_bytes + chunk.length >= blob.size_bytes:
                whole = {blob.sha256: BlobReceipt(held=((0, blob.size_bytes),), is_whole=True)}
                receipts = Receipts(epoch=self._store.identity.epoch, blobs=whole)
                await self._store.apply_receipts(receipts, self._clock.age_ms())
            return has_sent

        return send_chunk

    return _wrapped(agent.courier.Courier, "_send_chunk", make)


@planted("a batch is numbered from its first row, gaps or not")
def _() -> Any:
    return mock.patch.object(agent.link.outbound, "_consecutive", lambda rows, limit, step=1: rows[:limit])


@planted("a command said again is done again")
def _() -> Any:
    def make(original: Any) -> Any:
        return lambda run, arrived, now: original(run.model_copy(update={"commands_done": ()}), arrived, now)

    return _wrapped(agent.trip.decide, "command_arrived", make)


@planted("a list said again begins the day anew")
def _() -> Any:
    def make(original: Any) -> Any:
        return lambda run, arrived, now: original(
            run.model_copy(update={"manifest": None, "manifest_hash": "", "stops": ()}), arrived, now
        )

    return _wrapped(agent.trip.decide, "manifest_arrived", make)


# The coordinator ----------------------------------------------------------------------------------------------------


def _cloud_pragma(pragma: str) -> AbstractContextManager[Any]:
    def make(original: Any) -> Any:
        def as_sqlite(engine: Any, *, can_write: bool) -> None:
            original(engine, can_write=can_write)

            @event.listens_for(engine, "connect")
            def opened(connection: Any, _record: Any) -> None:
                connection.execute(pragma)

        return as_sqlite

    return _wrapped(cloud.store.database, "_as_sqlite", make)


@planted("the coordinator commits without a sync (synchronous=NORMAL)")
def _() -> Any:
    return _cloud_pragma("PRAGMA synchronous=NORMAL")


@planted("the coordinator does not sync at all (synchronous=OFF)")
def _() -> Any:
    return _cloud_pragma("PRAGMA synchronous=OFF")


@planted("the receipt goes out before the commit")
def _() -> Any:
    def make(original: Any) -> Any:
        async def write(self: CloudDatabase, act: Any) -> Any:
            def rehearse(connection: Any) -> Any:
                answer = act(connection)
                connection.rollback()
                return answer

            answer = self._run(self.snapshot_to_write, rehearse)  # type: ignore[attr-defined]
            _beside(_ignoring(original(self, act)))
            return answer

        return write

    @contextmanager
    def snapshot_to_write(self: CloudDatabase) -> Iterator[Any]:
        with self._writer.connect() as connection:
            yield connection

    stack = ExitStack()
    stack.enter_context(mock.patch.object(CloudDatabase, "snapshot_to_write", snapshot_to_write, create=True))
    stack.enter_context(_wrapped(CloudDatabase, "write", make))
    return stack


@planted("a record is kept and counted again each time it comes")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(connection: Any, sender: Any, boot: int, batch: Any, now: Any) -> Any:
            here = (records.c.van == sender.van) & (records.c.epoch == sender.epoch)
            span = records.c.seq.between(batch[0].seq, batch[-1].seq)
            connection.execute(delete(records).where(here, span))
            return original(connection, sender, boot, batch, now)

        return apply

    return _wrapped(cloud.ingest.apply, "apply_records", make)


@planted("the coordinator receipts the highest seq it has")
def _() -> Any:
    def with_range(self: Cursor, _first: int, last: int) -> Cursor:
        return Cursor(max(self.contiguous_seq, last), ())

    return mock.patch.object(Cursor, "with_range", with_range)


@planted("the coordinator counts what it has and receipts the number")
def _() -> Any:
    def with_range(self: Cursor, first: int, last: int) -> Cursor:
        return Cursor(self.contiguous_seq + max(0, last - max(first - 1, self.contiguous_seq)), ())

    return mock.patch.object(Cursor, "with_range", with_range)


@planted("the last record of a batch is receipted and not kept")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(connection: Any, sender: Any, boot: int, batch: Any, now: Any) -> Any:
            if len(batch) == 1:
                return original(connection, sender, boot, batch, now)
            changes = original(connection, sender, boot, batch[:-1], now)
            cloud.store.records._advance(connection, sender, Lane.EVENTS, (batch[0].seq, batch[-1].seq))
            return changes

        return apply

    return _wrapped(cloud.ingest.apply, "apply_records", make)


@planted("evidence counts as whole when its last piece is there")
def _() -> Any:
    def make(original: Any) -> Any:
        def receipts(connection: Any, sha256s: Any) -> dict[str, BlobReceipt]:
            true: dict[str, BlobReceipt] = original(connection, sha256s)
            return {
                sha256: BlobReceipt(held=one.held, is_whole=one.is_whole or bool(one.held))
                for sha256, one in true.items()
            }

        return receipts

    return _wrapped(cloud.ingest.apply, "blob_receipts", make)


@planted("a stop's state is what came last")
def _() -> Any:
    def make(original: Any) -> Any:
        count = iter(range(1, 10**9))

        def facts(sender: Any, fresh: Any, anchors: Any, received_ms: int) -> Any:
            for stop_id, line in original(sender, fresh, anchors, received_ms):
                yield stop_id, (*line[:2], next(count), *line[3:])

        return facts

    return _wrapped(cloud.store.records, "_facts", make)


@planted("a commit that failed is answered as if it had not")
def _() -> Any:
    def make(original: Any) -> Any:
        async def write(self: CloudDatabase, act: Any) -> Any:
            answers: list[Any] = []

            def remembered(connection: Any) -> Any:
                answers.append(act(connection))
                return answers[-1]

            try:
                return await original(self, remembered)
            except CloudStoreError:
                if answers:
                    return answers[-1]
                raise

        return write

    return _wrapped(CloudDatabase, "write", make)


_under_way: set[asyncio.Future[None]] = set()


def _beside(work: Any) -> None:
    task = asyncio.ensure_future(work)
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)


async def _ignoring(work: Any) -> None:
    try:
        await work
    except Exception:  # whoever asked has been answered long ago
        return


# The command --------------------------------------------------------------------------------------------------------


def run_mutants(within: int, seed: int, jobs: int, only: str) -> int:
    """The exit status: 0 when each was found."""
    names = [name for name in MUTANTS if only in name]
    caught = 0
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.map(_hunt, names, [within] * len(names), [seed] * len(names))
        for name, outcome in zip(names, found, strict=True):
            if outcome is None:
                print(f"NOT FOUND within {within}: {name}", flush=True)
                continue
            caught += 1
            print(f"found after {outcome.seed - seed + 1:3}: {name}")
            print(f"    seed {outcome.seed}: {outcome.findings.lines()[0][:160]}", flush=True)
    print(f"caught={caught} of={len(names)}")
    return 0 if names and caught == len(names) else 1


def _hunt(name: str, within: int, seed: int) -> Outcome | None:
    with MUTANTS[name]():
        for number in range(seed, seed + within):
            outcome = outcome_of(number)
            if not outcome.findings.is_clean:
                lines = outcome.findings.lines()
                if any(mistake in line for line in lines for mistake in MISTAKES):
                    raise AssertionError(f"the mutant is broken, and so finds itself: {name}: {lines}")
                return outcome
    return None
