"""What goes when the disk is full, in order: first the ballast, a file that holds nothing but room (on a full disk even
a DELETE needs some), then what is least missed. Proofs and stops that wait for the coordinator are never given up: when
nothing else is left, the next one is refused before it is called saved.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path

from agent.errors import StoreError, StoreErrorKind
from agent.store import trail
from agent.store.database import Database
from wire.track import GivenUp

log = logging.getLogger(__name__)

AT_ONCE = 5_000
"""Rows a stage touches in one transaction, so that its log fits the room that the ballast gave."""
WORK_BYTES = 8_500_000
"""The database's log (8 MB at most), emptied into the file while the disk is full."""
SLACK_BYTES = 1_000_000
NEWEST_CRUMBS = 600
"""The last ten minutes of the track stay as they are."""
WHY_FULL = GivenUp(why="disk full")


class Ballast:
    """A file of `size_bytes` beside the database; 0: none. WORK_BYTES of it are given back after each use."""

    def __init__(self, path: Path, size_bytes: int) -> None:
        self._path = path
        self._size_bytes = size_bytes

    def fill(self) -> None:
        """Takes all of its room when there is plenty, else what there is of WORK_BYTES; leaves SLACK_BYTES to write."""
        held = self._path.stat().st_size if self._path.exists() else 0
        disk = os.statvfs(self._path.parent)
        room = held + disk.f_bavail * disk.f_frsize - SLACK_BYTES
        size_bytes = self._size_bytes if room >= self._size_bytes else min(self._size_bytes, WORK_BYTES, room)
        if size_bytes <= held:
            return
        try:
            with self._path.open("ab") as file:
                os.posix_fallocate(file.fileno(), 0, size_bytes)
        except OSError as error:
            log.warning("no room for a ballast of %d bytes: %s", size_bytes, error)

    def release(self) -> None:
        self._path.unlink(missing_ok=True)

    def keeps_enough(self) -> bool:
        """Whether it is whole enough to make room again after the next write."""
        return self._size_bytes == 0 or (
            self._path.exists() and self._path.stat().st_size >= min(self._size_bytes, WORK_BYTES)
        )


def with_room(database: Database, ballast: Ballast, write: Callable[[], None], *, frees: bool = False) -> None:
    """Runs `write`; on a full disk makes room, stage by stage, and tries again. Raises StoreError (full) at the end.

    `frees`: it only marks rows as no longer needed, so that it may use the last of the room.
    """
    refusal = _refusal(write)
    if refusal is None:
        return
    for stage in (_forget_replay_log, _forget_receipted, _thin_track, None):
        while True:
            # The room of the ballast is for giving up rows and emptying the log; what they leave is for the write.
            ballast.release()
            _checkpoint(database)
            if stage is not None and not _is_done(database, stage):
                break
            _checkpoint(database)
            if not frees:
                ballast.fill()
            if frees or ballast.keeps_enough():
                refusal = _refusal(write)
            if refusal is None or stage is None:
                break
        if refusal is None:
            break
    _checkpoint(database)
    ballast.fill()
    if refusal is not None:
        raise refusal


def _refusal(write: Callable[[], None]) -> StoreError | None:
    try:
        write()
    except StoreError as error:
        if error.kind is not StoreErrorKind.FULL:
            raise
        return error
    return None


def _is_done(database: Database, stage: Callable[[Database], int]) -> bool:
    try:
        with database.transaction():
            given_up = stage(database)
    except StoreError as error:
        if error.kind is not StoreErrorKind.FULL:
            raise
        return False
    if given_up:
        log.error("the disk is full: %s gave up %d rows", stage.__name__.strip("_"), given_up)
    return given_up > 0


def _forget_replay_log(database: Database) -> int:
    """Old fixes as they entered: only needed to replay a day; what they led to is in the track."""
    return _changes(
        database,
        "DELETE FROM inputs WHERE input_id IN "
        "(SELECT input_id FROM inputs WHERE kind = 'fixes' ORDER BY input_id LIMIT 50)",
    )


def _forget_receipted(database: Database) -> int:
    """Copies of what the coordinator holds, kept in case it is restored from a backup."""
    rows = _changes(
        database,
        "DELETE FROM outbox WHERE (epoch_id, lane, seq) IN "
        "(SELECT epoch_id, lane, seq FROM outbox WHERE receipted_ms IS NOT NULL ORDER BY receipted_ms LIMIT ?)",
        (AT_ONCE,),
    )
    rows += _changes(
        database,
        "DELETE FROM trail WHERE trail_id IN "
        "(SELECT trail_id FROM trail WHERE receipted_ms IS NOT NULL ORDER BY receipted_ms LIMIT 100)",
    )
    blobs = _changes(
        database,
        "DELETE FROM blobs WHERE sha256 IN "
        "(SELECT sha256 FROM blobs WHERE whole_ms IS NOT NULL ORDER BY whole_ms, created_ms LIMIT 5)",
    )
    return rows + blobs


def _thin_track(database: Database) -> int:
    """Every second breadcrumb of the old ones that wait. Its seq stays, to say that it was given up and why."""
    return trail.thin(database, NEWEST_CRUMBS, AT_ONCE, WHY_FULL)


def _changes(database: Database, sql: str, values: tuple[str | int, ...] = ()) -> int:
    database.execute(sql, values)
    ((count,),) = database.execute("SELECT changes()")
    assert isinstance(count, int)
    return count


def _checkpoint(database: Database) -> None:
    """Moves the log into the file and gives its room back; when that needs more room than there is, it stays."""
    try:
        database.checkpoint()
    except StoreError as error:
        log.warning("the log could not be emptied: %s", error)
