"""Who this store is: its epochs, and how often it was started.

The boot number is kept twice, in the store and in a file beside it. A store that is behind the file was restored from
an older copy: it would give seqs again that were given before, so it begins a new epoch.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from agent.store.database import Database
from host.clock import ClockMark

MOST_BOOTS = 2**31
"""More than any van starts: a damaged file says it."""


@dataclass(frozen=True)
class Identity:
    """`epoch_id` is the store's own number for `epoch`; `boot` counts its starts, from 1."""

    epoch: str
    epoch_id: int
    boot: int
    was_restored: bool = False


def begin_boot(database: Database, counter_file: Path) -> Identity:
    """The identity for this start; call once, after migrating."""
    beside = _read_counter(counter_file)
    rows = database.execute("SELECT value FROM meta WHERE key = 'boot'")
    inside = int(rows[0][0] or 0) if rows else 0
    was_restored = inside < beside
    boot = max(inside, beside) + 1
    with database.transaction():
        database.execute(
            "INSERT INTO meta (key, value) VALUES ('boot', ?) ON CONFLICT DO UPDATE SET value = excluded.value", (boot,)
        )
        if was_restored or not database.execute("SELECT 1 FROM epochs"):
            new_epoch(database)
    # After the store, never before: a crash in between leaves the file behind, which is not the sign of a restore.
    _write_counter(counter_file, boot)
    ((epoch_id, epoch),) = database.execute("SELECT epoch_id, epoch FROM epochs ORDER BY epoch_id DESC LIMIT 1")
    assert isinstance(epoch_id, int)
    assert isinstance(epoch, str)
    return Identity(epoch=epoch, epoch_id=epoch_id, boot=boot, was_restored=was_restored)


def new_epoch(database: Database) -> tuple[int, str]:
    """Begins another life of the store, within the caller's transaction: its own number, and its name."""
    epoch = secrets.token_hex(8)
    ((epoch_id,),) = database.execute("INSERT INTO epochs (epoch) VALUES (?) RETURNING epoch_id", (epoch,))
    assert isinstance(epoch_id, int)
    return epoch_id, epoch


def read_clock_mark(database: Database) -> ClockMark:
    rows = database.execute("SELECT key, value FROM meta WHERE key IN ('age_ms', 'sure_ms', 'sure_age_ms')")
    found = {str(key): int(value or 0) for key, value in rows}
    return ClockMark(found.get("age_ms", 0), found.get("sure_ms"), found.get("sure_age_ms", 0))


def write_clock_mark(database: Database, mark: ClockMark) -> None:
    values = [("age_ms", mark.age_ms)]
    if mark.sure_ms is not None:
        values += [("sure_ms", mark.sure_ms), ("sure_age_ms", mark.sure_age_ms)]
    database.execute_many(
        "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", values
    )


def _read_counter(path: Path) -> int:
    try:
        count = int(path.read_text())
    except (FileNotFoundError, ValueError):
        return 0
    return count if 0 < count < MOST_BOOTS else 0


def _write_counter(path: Path, boot: int) -> None:
    new = path.with_name(path.name + ".new")
    with new.open("w") as file:
        file.write(f"{boot}\n")
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
