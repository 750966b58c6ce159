"""The coordinator's database to a file and back.

A backup is taken while the coordinator runs, sees one moment, and is a whole SQLite file of its own. A restore needs
the coordinator stopped, and keeps the database it replaces beside the new one. What the backup does not know yet is not
lost: each van sends again what it still keeps (72 hours) when it hears how the restored database stands.
"""

import os
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from cloud.errors import StoreError
from cloud.store.database import open_database


def back_up(database: Path, target: Path) -> None:
    """Write the database as it is now to `target`, whole or not at all. Raises StoreError with what to do."""
    if not database.is_file():
        raise StoreError(f"there is no {database}: nothing to back up")
    if target.exists():
        raise StoreError(f"{target} is there already: give the name of a new file")
    new = target.with_name(target.name + ".new")
    new.unlink(missing_ok=True)
    try:
        with closing(_reading(database)) as source, closing(sqlite3.connect(new)) as copy:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        _check(new)
        _sync(new)
        new.rename(target)
        _sync(target.parent)
    except (sqlite3.Error, OSError) as error:
        new.unlink(missing_ok=True)
        raise StoreError(f"{database} could not be backed up to {target}: {error}") from error
    except StoreError:
        new.unlink(missing_ok=True)
        raise


def restore(source: Path, database: Path) -> Path | None:
    """Put a backup in the database's place; where the old one was put, None when there was none.

    Raises StoreError: the coordinator runs, or `source` is no whole database of ours.
    """
    if not source.is_file():
        raise StoreError(f"there is no {source}: give the name of a backup")
    database.parent.mkdir(parents=True, exist_ok=True)
    new = database.with_name(database.name + ".new")
    new.unlink(missing_ok=True)
    try:
        _check(source)
        with closing(_reading(source)) as backup, closing(sqlite3.connect(new)) as copy:
            backup.backup(copy)
        open_database(new).close()  # one that a newer Roundsman wrote is refused here, and nothing was touched
        with closing(sqlite3.connect(new)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
        _sync(new)
        kept = _set_aside(database)
        new.replace(database)
        _sync(database.parent)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{source} could not be restored to {database}: {error}") from error
    finally:
        for left in (new, _beside(new, "-wal"), _beside(new, "-shm")):
            left.unlink(missing_ok=True)
    return kept


def require_stopped(database: Path) -> None:
    """Raises StoreError when a coordinator has this database open: two processes must not write it.

    In WAL an exclusive lock is given only when no other connection is open.
    """
    if database.exists():
        try:
            with closing(sqlite3.connect(database, isolation_level=None, timeout=0.5)) as alone:
                alone.execute("PRAGMA locking_mode = EXCLUSIVE")
                alone.execute("BEGIN EXCLUSIVE")
                alone.execute("COMMIT")
        except sqlite3.DatabaseError as error:  # any other trouble is said by whoever opens it next
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreError(f"{database} is in use: stop the coordinator first") from error


def _set_aside(database: Path) -> Path | None:
    """The old database under another name as well; its log is emptied into it, so that none is left to the new one."""
    if not database.exists():
        return None
    try:
        require_stopped(database)
        with closing(sqlite3.connect(database, isolation_level=None, timeout=0.5)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            old.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError:
        pass  # damaged: the very reason to restore; it is kept as it is
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    kept = database.with_name(f"{database.name}.before-restore-{stamp}")
    number = 2
    while kept.exists():
        kept = database.with_name(f"{database.name}.before-restore-{stamp}-{number}")
        number += 1
    for suffix in ("-wal", "-shm"):  # left by a damaged one only
        if _beside(database, suffix).exists():
            _beside(database, suffix).rename(_beside(kept, suffix))
    os.link(database, kept)  # not renamed: at no moment is there no database, which would begin an empty one
    return kept


def _reading(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
    # The writer alone checkpoints (see database.py), also when we are the last to leave.
    connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, True)
    return connection


def _check(path: Path) -> None:
    try:
        with closing(_reading(path)) as connection:
            answer = connection.execute("PRAGMA quick_check(1)").fetchone()
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is no whole database: {error}") from error
    if answer != ("ok",):
        raise StoreError(f"{path} is damaged: {answer[0]}")
    if not {"alembic_version", "records"} <= tables:
        raise StoreError(f"{path} is no coordinator's database")


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
