"""Faults of the coordinator: what it keeps, and what it says that it keeps."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from sqlalchemy import delete, event

import cloud.ingest.apply
import cloud.store.database
import cloud.store.records
import cloud.store.stop_states
from cloud.errors import StoreError as CloudStoreError
from cloud.store.cursor import Cursor
from cloud.store.database import Database as CloudDatabase
from cloud.store.tables import records
from tests.rig.mutants.plant import beside, ignoring, planted, wrapped
from wire.envelope import BlobReceipt
from wire.topics import Lane


def _cloud_pragma(pragma: str) -> AbstractContextManager[Any]:
    def make(original: Any) -> Any:
        def as_sqlite(engine: Any, *, can_write: bool) -> None:
            original(engine, can_write=can_write)

            @event.listens_for(engine, "connect")
            def opened(connection: Any, _record: Any) -> None:
                connection.execute(pragma)

        return as_sqlite

    return wrapped(cloud.store.database, "_as_sqlite", make)


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
            beside(ignoring(original(self, act)))
            return answer

        return write

    @contextmanager
    def snapshot_to_write(self: CloudDatabase) -> Iterator[Any]:
        with self._writer.connect() as connection:
            yield connection

    stack = ExitStack()
    stack.enter_context(mock.patch.object(CloudDatabase, "snapshot_to_write", snapshot_to_write, create=True))
    stack.enter_context(wrapped(CloudDatabase, "write", make))
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

    return wrapped(cloud.ingest.apply, "apply_records", make)


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

    return wrapped(cloud.ingest.apply, "apply_records", make)


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

    return wrapped(cloud.ingest.apply, "blob_receipts", make)


@planted("a stop's state is what came last")
def _() -> Any:
    def make(original: Any) -> Any:
        count = iter(range(1, 10**9))

        def fact(row: Any) -> Any:
            found = original(row)
            return None if found is None else (replace(found[0], seq=next(count)), found[1])

        return fact

    return wrapped(cloud.store.stop_states, "_fact", make)


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

    return wrapped(CloudDatabase, "write", make)
