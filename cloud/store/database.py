"""The coordinator's database: opened, brought to the present shape, written by one thread.

A receipt stands for a commit that survives a power cut, so SQLite runs with WAL and `synchronous=FULL`, and we read
the setting back rather than believe it. One connection writes and checkpoints, ever: SQLite before 3.51.3 can damage
a WAL that two connections reset in the same moment (its "WAL-reset bug"). Readers have connections of their own that
cannot write, so a slow page never holds up a receipt.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from sqlalchemy import (
    ClauseElement,
    Connection,
    CursorResult,
    Dialect,
    Engine,
    Insert,
    Table,
    create_engine,
    event,
    insert,
    make_url,
)
from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, ProgrammingError
from sqlalchemy.sql.compiler import SQLCompiler

from cloud.errors import StoreError, StoreTooNewError

BUSY_TIMEOUT_MS = 5_000
_FULL = 2
_READERS = 2


class Database:
    """One database of the coordinator. Made by `open_database`; closed by `close`."""

    def __init__(self, writer: Engine, reader: Engine) -> None:
        self._writer = writer
        self._reader = reader
        self._write_thread = ThreadPoolExecutor(1, thread_name_prefix="store-write")
        self._read_threads = ThreadPoolExecutor(_READERS, thread_name_prefix="store-read")

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A transaction on the only connection that writes; durable when the block ends, undone when it raises."""
        with self._writer.begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one moment of the database."""
        with self._reader.connect() as connection:
            yield connection

    async def write[T](self, act: Callable[[Connection], T]) -> T:
        """Run `act` in a transaction on the writer's thread; its answer, once the commit is on disk.

        Raises whatever `act` raises, and StoreError when the disk will not take it; then nothing of it was written.
        A caller that is cancelled meanwhile may find it written.
        """
        return await asyncio.get_running_loop().run_in_executor(self._write_thread, self._run, self.transaction, act)

    async def read[T](self, act: Callable[[Connection], T]) -> T:
        """Run `act` on a reader's thread, which never waits for the writer."""
        return await asyncio.get_running_loop().run_in_executor(self._read_threads, self._run, self.snapshot, act)

    def close(self) -> None:
        """Wait for what is being written, then let go of the file."""
        self._read_threads.shutdown()
        self._write_thread.shutdown()
        self._reader.dispose()
        self._writer.dispose()

    @staticmethod
    def _run[T](place: Callable[[], Any], act: Callable[[Connection], T]) -> T:
        try:
            with place() as connection:
                return act(connection)
        except (IntegrityError, DataError, ProgrammingError):
            raise  # a mistake of ours
        except DatabaseError as error:
            raise StoreError(f"the database cannot be used now: {error.orig}") from error


def execute_one(connection: Connection, statement: ClauseElement, values: Mapping[str, Any]) -> CursorResult[Any]:
    """Run a statement that was made once; `values` names every parameter, with values the driver knows.

    Past SQLAlchemy's own `execute`, which takes longer over a statement it knows than the database does. Columns come
    as the driver gives them.
    """
    made = _compiled(statement, connection.dialect)
    if made.positiontup is None:
        return connection.exec_driver_sql(made.string, dict(values))
    return connection.exec_driver_sql(made.string, tuple(map(values.__getitem__, made.positiontup)))


def execute_many(connection: Connection, statement: ClauseElement, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement that was made once, for each row; a row names every parameter, with values the driver knows.

    Past SQLAlchemy, which spends more on each of thousands of rows than the database does.
    """
    if not rows:
        return
    made = _compiled(statement, connection.dialect)
    if made.positiontup is None:
        connection.exec_driver_sql(made.string, [dict(row) for row in rows])
    else:
        pick = itemgetter(*made.positiontup)
        connection.exec_driver_sql(made.string, [pick(row) for row in rows])


def insert_rows(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows that have a value the driver knows for each column, in the table's order."""
    if not rows:
        return
    made = _compiled(_insert_into(table), connection.dialect)
    columns = table.columns.keys()
    if made.positiontup == columns:
        connection.exec_driver_sql(made.string, rows)
    else:
        execute_many(connection, _insert_into(table), [dict(zip(columns, row, strict=True)) for row in rows])


@lru_cache(maxsize=64)
def _insert_into(table: Table) -> Insert:
    return insert(table)


@lru_cache(maxsize=256)
def _compiled(statement: ClauseElement, dialect: Dialect) -> SQLCompiler:
    made = statement.compile(dialect=dialect)
    assert isinstance(made, SQLCompiler)
    return made


def open_database(where: Path | str) -> Database:
    """Open, and migrate, the SQLite file at a path (made when missing) or the database of an SQLAlchemy URL.

    Raises StoreTooNewError when a newer Roundsman wrote it, StoreError when it cannot be used.
    """
    if isinstance(where, Path):
        where.parent.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{where}"
    else:
        url = where
    # Exactly one connection writes: a second writer waits here instead of meeting the first in the file.
    writer = create_engine(url, pool_size=1, max_overflow=0)
    reader = create_engine(url, pool_size=_READERS, max_overflow=0)
    if make_url(url).get_backend_name() == "sqlite":
        _as_sqlite(writer, can_write=True)
        _as_sqlite(reader, can_write=False)
    try:
        _migrate(writer)
    except CommandError as error:
        writer.dispose()
        raise StoreTooNewError(
            f"{where} was written by a newer Roundsman ({error}). Start that version, or use another data_dir."
        ) from error
    except DatabaseError as error:
        writer.dispose()
        raise StoreError(f"{where} cannot be used as the coordinator's database: {error.orig}") from error
    return Database(writer, reader)


@contextmanager
def looked_into(path: Path) -> Iterator[Connection]:
    """One moment of a database that a running coordinator may be writing; nothing is changed. Raises StoreError."""
    if not path.is_file():
        raise StoreError(f"there is no {path}: has the coordinator been started?")
    engine = create_engine(f"sqlite:///file:{quote(str(path.absolute()))}?mode=ro&uri=true")
    try:
        with engine.connect() as connection:
            yield connection
    except DatabaseError as error:
        raise StoreError(f"{path} cannot be read: {error.orig}") from error
    finally:
        engine.dispose()


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", "cloud.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _as_sqlite(engine: Engine, *, can_write: bool) -> None:
    @event.listens_for(engine, "connect")
    def opened(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing behind our back; `begun` does
        answers = [
            connection.execute(f"PRAGMA {pragma}").fetchone()
            for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "journal_mode=WAL")
        ]
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        if not can_write:
            connection.execute("PRAGMA query_only=ON")
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        (foreign_keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
        if answers[1] != ("wal",) or synchronous != _FULL or foreign_keys != 1:
            raise StoreError(
                f"SQLite would not run safely here (journal {answers[1]}, synchronous {synchronous}): "
                "put data_dir on a local disk"
            )

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if can_write else "BEGIN")
