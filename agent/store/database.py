"""One SQLite file behind a few methods; the only place in the van that knows sqlite3.

Durable means: WAL with `synchronous=FULL`, so that a commit that returned survives a power cut. The connection is the
file's only one (exclusive lock): a second agent on the same folder is refused, and a checkpoint meets no reader.
A note is what can be learned anew: every read sees it at once, and the next transaction makes it durable on its way.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from agent.errors import StoreError, StoreErrorKind

PAGE_BYTES = 1_024
"""A commit writes whole pages, and ours change a few words on a dozen of them: small ones wear a card less. A file that
is older keeps the size it was made with."""
LOG_BYTES = 8_000_000
"""Longer than this it goes into the file within a commit; `empty_log` in time spares that commit three syncs."""

type Cell = int | float | str | bytes | None
type Row = tuple[Cell, ...]

_KINDS = {
    sqlite3.SQLITE_FULL: StoreErrorKind.FULL,
    sqlite3.SQLITE_BUSY: StoreErrorKind.BUSY,
    sqlite3.SQLITE_LOCKED: StoreErrorKind.BUSY,
    sqlite3.SQLITE_CORRUPT: StoreErrorKind.CORRUPT,
    sqlite3.SQLITE_NOTADB: StoreErrorKind.CORRUPT,
    sqlite3.SQLITE_CONSTRAINT: StoreErrorKind.CONSTRAINT,
}
_WHAT_TO_DO = {
    StoreErrorKind.FULL: "the disk is full; free some space",
    StoreErrorKind.BUSY: "another process holds it; is a second agent running on this folder?",
    StoreErrorKind.CORRUPT: "the file is damaged; it is set aside and salvaged at the next start",
    StoreErrorKind.CONSTRAINT: "a row contradicts what is stored",
    StoreErrorKind.IO: "the disk failed",
}


class Database:
    """Used from one thread at a time. Every failure is a StoreError; after one inside a transaction nothing is kept."""

    def __init__(self, path: Path, page_bytes: int = PAGE_BYTES) -> None:
        self.path = path
        self.has_notes = False
        self.has_lost_notes = False
        """Whether notes went with a write that failed, until whoever counts along has seen it."""
        try:
            # isolation_level=None: no transaction begins behind our back; `transaction()` says where one does.
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=2.0)
        except sqlite3.Error as error:
            raise self._ours(error) from error
        try:
            self._set("locking_mode", "EXCLUSIVE", "exclusive")
            self.execute(f"PRAGMA page_size = {page_bytes}")  # this and the next count for a file that is new
            self.execute("PRAGMA auto_vacuum = INCREMENTAL")
            self._set("journal_mode", "WAL", "wal")
            self._set("synchronous", "FULL", 2)
            self._set("foreign_keys", "ON", 1)
            ((made_with,),) = self.execute("PRAGMA page_size")
            assert isinstance(made_with, int)
            self.execute(f"PRAGMA wal_autocheckpoint = {LOG_BYTES // made_with}")
            self.execute(f"PRAGMA journal_size_limit = {LOG_BYTES}")
            self.execute("PRAGMA temp_store = MEMORY")  # sorting must not need the disk that is full
        except StoreError:
            self.close()
            raise

    def execute(self, sql: str, values: Sequence[Cell] = ()) -> list[Row]:
        """All rows of one statement: an unread RETURNING would make the COMMIT fail."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise self._ours(error) from error

    def execute_many(self, sql: str, rows: Sequence[Sequence[Cell]]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.Error as error:
            raise self._ours(error) from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside, durably, or nothing; notes share its fate. Does not nest."""
        if not self.has_notes:
            self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self.has_notes = False

    @contextmanager
    def note(self) -> Iterator[None]:
        """Everything inside, or nothing: durable with the next transaction, and gone with a power cut before it."""
        if not self.has_notes:
            self.execute("BEGIN IMMEDIATE")
        self.has_notes = True
        try:
            yield
        except BaseException:
            self._roll_back()
            raise

    def settle(self) -> None:
        """Makes notes durable."""
        if self.has_notes:
            with self.transaction():
                pass

    def checkpoint(self) -> None:
        """Moves the log into the file, so that the log's room is free again; notes are settled for it."""
        self.settle()
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def empty_log(self) -> None:
        """Moves the log into the file and begins it again in the room it has: the disk need not make a file longer."""
        self.settle()
        self.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def begin_log(self) -> None:
        """After `empty_log`: writes the log's beginning, which takes a sync more than what comes behind it."""
        with self.transaction():
            self.execute("UPDATE meta SET value = value WHERE key = 'boot'")

    def give_back_pages(self) -> None:
        """Makes the file as small as what it holds, in steps that need little room; one made without that ability stays
        as it is.
        """
        free = self.execute("PRAGMA freelist_count")
        while free != [(0,)]:
            self.execute("PRAGMA incremental_vacuum(500)")
            self.checkpoint()
            before, free = free, self.execute("PRAGMA freelist_count")
            if free == before:
                break

    def close(self) -> None:
        self._connection.close()

    def _roll_back(self) -> None:
        self.has_lost_notes = self.has_lost_notes or self.has_notes
        self.has_notes = False
        # SQLite may have rolled back by itself (a full disk); then there is nothing left to roll back.
        with suppress(StoreError):
            self.execute("ROLLBACK")

    def _set(self, pragma: str, value: str, expected: Cell) -> None:
        self.execute(f"PRAGMA {pragma} = {value}")
        answer = self.execute(f"PRAGMA {pragma}")
        if answer != [(expected,)]:
            raise StoreError(StoreErrorKind.IO, f"{self.path}: SQLite refused {pragma} = {value} and says {answer}")

    def _ours(self, error: sqlite3.Error) -> StoreError:
        # The low byte of an extended code is the code it refines.
        code = getattr(error, "sqlite_errorcode", None)
        kind = _KINDS.get(code & 0xFF, StoreErrorKind.IO) if code is not None else StoreErrorKind.IO
        if isinstance(error, sqlite3.IntegrityError):  # STRICT refuses a wrong type without naming a code
            kind = StoreErrorKind.CONSTRAINT
        return StoreError(kind, f"{self.path}: {_WHAT_TO_DO[kind]} ({error})")


class DamagedFile:
    """A damaged file, read row by row: each question may fail, and none that fails spoils the next."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(f"file:{path}?mode=rw", uri=True, isolation_level=None, timeout=0.0)
        # Nothing is written, not even the log into the file: it is kept as it was found.
        self._connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
        self._connection.text_factory = bytes  # a damaged letter must not cost the row beside it
        for pragma in ("locking_mode = EXCLUSIVE", "query_only = ON", "cell_size_check = ON"):
            self.rows(f"PRAGMA {pragma}")

    def rows(self, sql: str, values: Sequence[Cell] = ()) -> list[Row] | None:
        """None: that cannot be read. Text comes as bytes."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.Error, OverflowError, MemoryError, UnicodeError):  # a message may quote what is damaged
            return None

    def close(self) -> None:
        self._connection.close()


def move_log(path: Path) -> None:
    """Moves the log of a file that may be damaged into it, as far as that can be done."""
    with closing(sqlite3.connect(path, timeout=0.0)) as connection, suppress(sqlite3.Error, UnicodeError):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
