"""A damaged store is set aside, and what can still be read of it goes on in a new one.

    van.sqlite, -wal  ->  damaged-<time>/            kept for a person, untouched
    rows unreceipted  ->  the new file, under the epoch and seq they had: lost ones are a gap that the coordinator sees
    evidence          ->  only what still has its own sha256; the rest is not called a proof
    what was learned  ->  as far as it can be read
    the run           ->  when it can be read; else the day begins with the list that the coordinator keeps

The new file begins a new epoch, and the first thing it says is what happened. A cut at any moment is finished by the
next start: the file that is complete is `van.sqlite.salvaged`, and it takes its place only after the old one is aside.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import zstandard
from pydantic import ValidationError

from agent.errors import StoreError
from agent.learn.conformal import MOST_SD
from agent.learn.lessons import is_key
from agent.store import blobs, outbox, runs
from agent.store.blobs import NewBlob
from agent.store.database import Cell, DamagedFile, Database
from agent.store.first_pages import readable
from agent.store.meta import new_epoch
from agent.store.migrations import migrate
from agent.store.salvage_lanes import LANES, number_in, save_lane, spans_in, text_in
from agent.trip.run import Run
from wire.codec import to_json
from wire.envelope import Record
from wire.events import Alarm, AlarmRaised, EventKind
from wire.manifest import EvidenceKind

log = logging.getLogger(__name__)

DATABASE = "van.sqlite"
SUSPECT = "van.sqlite.suspect"
"""Left by an agent whose database turned out to be damaged while it worked; the next start salvages."""
_BUILDING, _SALVAGED, _REPAIRED = "van.sqlite.building", "van.sqlite.salvaged", "van.sqlite.repaired"
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass
class Salvaged:
    """What came over, and of which rows nothing could be read: those between the ones that could."""

    events: int = 0
    track: int = 0
    evidence: int = 0
    evidence_lost: int = 0
    rows_lost: int = 0
    has_run: bool = False
    epochs: dict[int, str] = field(default_factory=dict)

    def words(self, aside: Path) -> str:
        return (
            f"set aside as {aside.name}; saved from it: {self.events} events, {self.track} breadcrumbs, "
            f"{self.evidence} pieces of evidence; lost: {self.rows_lost} rows known to be missing, "
            f"{self.evidence_lost} pieces of evidence{'' if self.has_run else ', and how far the day was'}"
        )


def suspect(folder: Path) -> None:
    """Makes the next start salvage, whatever a first look says then."""
    with suppress(OSError):  # a disk that cannot even hold this: the first look must do
        (folder / SUSPECT).touch()


def is_suspect(folder: Path) -> bool:
    return (folder / SUSPECT).exists()


def finish(folder: Path) -> None:
    """Before every start: completes a salvage that a power cut stopped, and sets a log aside that lost its database.

    SQLite would throw such a log away, or read it into whatever database it finds beside it.
    """
    database, complete = folder / DATABASE, folder / _SALVAGED
    for leftover in (name + end for name in (_BUILDING, _REPAIRED) for end in ("", *_BESIDE)):
        (folder / leftover).unlink(missing_ok=True)
    if complete.exists():
        _take_place(folder)
    log_beside = folder / (DATABASE + "-wal")
    is_gone = not database.exists() or database.stat().st_size == 0
    if is_gone and log_beside.exists() and log_beside.stat().st_size > 0:
        aside = _set_aside(folder)
        log.error("a log without its database was set aside as %s", aside)
        log_beside.unlink()


def salvage(folder: Path) -> Salvaged:
    """Sets the database aside and puts a new one in its place. Raises StoreError when there is no room for it."""
    try:
        aside = _set_aside(folder)
        building = folder / _BUILDING
        found = _rebuild(aside / DATABASE, building, aside)
        os.replace(building, folder / _SALVAGED)
        _take_place(folder)
    except OSError as error:
        raise StoreError.from_disk(folder, error) from error
    log.error("the database was damaged and is %s", found.words(aside))
    return found


def _set_aside(folder: Path) -> Path:
    """A second name (or a copy, where the file system has none) for the files as they are."""
    stem = f"damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    aside = folder / stem
    for number in range(2, 1000):
        if not aside.exists():
            break
        aside = folder / f"{stem}-{number}"
    aside.mkdir()
    for name in (DATABASE, DATABASE + "-wal"):
        if (folder / name).exists():
            try:
                os.link(folder / name, aside / name)
            except OSError:
                shutil.copy2(folder / name, aside / name)
    _sync(aside)
    _sync(folder)
    return aside


def _take_place(folder: Path) -> None:
    for end in _BESIDE:  # first: a new database must never meet an old log
        (folder / (DATABASE + end)).unlink(missing_ok=True)
    os.replace(folder / _SALVAGED, folder / DATABASE)
    (folder / SUSPECT).unlink(missing_ok=True)
    _sync(folder)


def _rebuild(damaged: Path, building: Path, aside: Path) -> Salvaged:
    found = Salvaged()
    with closing(Database(building)) as new:
        migrate(new)
        new.checkpoint()
        _copy_over(readable(damaged, building.with_name(_REPAIRED)), new, found, aside)
        new.checkpoint()
    for end in ("", *_BESIDE):
        building.with_name(_REPAIRED + end).unlink(missing_ok=True)
        if end:
            building.with_name(building.name + end).unlink(missing_ok=True)
    return found


def _copy_over(damaged: DamagedFile, new: Database, found: Salvaged, aside: Path) -> None:
    with closing(damaged) as old, new.transaction():
        boot = _meta(old, new)
        for epoch_id, epoch in _epochs(old):
            found.epochs[epoch_id] = epoch
            new.execute("INSERT INTO epochs (epoch_id, epoch) VALUES (?, ?)", (epoch_id, epoch))
        spans = spans_in(old)
        for epoch_id in found.epochs:
            for lane in LANES:
                saved = save_lane(old, new, epoch_id, lane, spans)
                found.rows_lost += saved.lost
                if lane == "events":
                    found.events += saved.waiting
                else:
                    found.track += saved.waiting
        _evidence(old, new, found)
        _learned(old, new)
        run = _run(old)
        found.has_run = run is not None
        run = Run() if run is None else run
        run = run.model_copy(update={"alarms": (*run.alarms, Alarm.STORE_DAMAGED)[-8:]})
        runs.replace(new, runs.pack(run, None))
        epoch_id, _ = new_epoch(new)
        outbox.append(new, epoch_id, "events", [_alarm(found.words(aside), boot)], at_ms=0)


def _meta(old: DamagedFile, new: Database) -> int:
    """Ages and the number of starts; how many there were, 1 when nobody knows."""
    for key in ("boot", "age_ms", "sure_ms", "sure_age_ms"):
        for (value,) in old.rows("SELECT value FROM meta WHERE key = ?", (key,)) or []:
            if isinstance(value, int) and 0 <= value < 2**53:
                new.execute("INSERT INTO meta (key, value) VALUES (?, ?)", (key, value))
    rows = new.execute("SELECT value FROM meta WHERE key = 'boot'")
    return int(rows[0][0] or 1) if rows else 1


def _epochs(old: DamagedFile) -> Iterator[tuple[int, str]]:
    # Asked in three ways, for without its epoch no row is worth anything.
    ways = ("SELECT epoch_id, epoch FROM epochs NOT INDEXED", "SELECT epoch_id, epoch FROM epochs ORDER BY epoch")
    rows = [row for way in ways for row in old.rows(way) or []]
    rows += [row for number in range(1, 200) for row in old.rows(_ONE_EPOCH, (number,)) or []]
    known: set[Cell] = set()
    for epoch_id, name in rows:
        epoch = text_in(name)
        if isinstance(epoch_id, int) and epoch is not None and len(epoch) == 16 and epoch.isalnum():
            if not known & {epoch_id, epoch}:
                yield epoch_id, epoch
            known |= {epoch_id, epoch}


_ONE_EPOCH = "SELECT epoch_id, epoch FROM epochs NOT INDEXED WHERE epoch_id = ?"


def _evidence(old: DamagedFile, new: Database, found: Salvaged) -> None:
    # By its bytes, not by the row about it: what a piece is, its name and content say together.
    rows = old.rows("SELECT rowid FROM blob_bytes")
    if rows is None:
        first = number_in(old.rows("SELECT rowid FROM blob_bytes ORDER BY rowid LIMIT 1")) or 1
        last = min(number_in(old.rows("SELECT rowid FROM blob_bytes ORDER BY rowid DESC LIMIT 1")) or 10_000, 1_000_000)
        rows = [(number,) for number in range(first, last + 1)]
    for (number,) in rows:
        assert isinstance(number, int)
        for data, name in old.rows("SELECT bytes, sha256 FROM blob_bytes WHERE rowid = ?", (number,)) or []:
            if not isinstance(data, bytes):
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            about = old.rows("SELECT kind, created_ms, whole_ms FROM blobs WHERE sha256 = ?", (sha256,)) or []
            if text_in(name) != sha256 and not about:
                found.evidence_lost += 1
                continue
            kind, created_ms, whole_ms = about[0] if about else (None, 0, None)
            if whole_ms is not None:
                continue
            is_png = data.startswith(b"\x89PNG")
            by_bytes = EvidenceKind.SIGNATURE if is_png else EvidenceKind.PHOTO
            named = text_in(kind)
            blob = NewBlob(
                sha256,
                EvidenceKind(named) if named in list(EvidenceKind) else by_bytes,
                "image/png" if is_png else "image/jpeg",
                data,
            )
            blobs.add(new, blob, created_ms if isinstance(created_ms, int) and created_ms >= 0 else 0)
            found.evidence += 1
    waiting = number_in(old.rows("SELECT count(*) FROM blobs WHERE whole_ms IS NULL"))
    if waiting is not None:
        found.evidence_lost = max(found.evidence_lost, waiting - found.evidence)


_LEARNED = "INSERT INTO learned (key, weight, mean, day) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"


def _learned(old: DamagedFile, new: Database) -> None:
    """What days taught, as far as it makes sense; the rest is learned again."""
    for key, weight, mean, day in old.rows("SELECT key, weight, mean, day FROM learned") or []:
        name = text_in(key)
        if name is not None and is_key(name) and _is_between(weight, 0, 1e4) and _is_between(mean, -100, 100):
            new.execute(_LEARNED, (name, weight, mean, number_in([(day,)]) or 0))
    for band, day, value in old.rows("SELECT band, day, value FROM arrival_errors ORDER BY error_id") or []:
        if isinstance(band, int) and isinstance(day, int) and _is_between(value, -MOST_SD, MOST_SD):
            new.execute("INSERT INTO arrival_errors (band, day, value) VALUES (?, ?, ?)", (band, day, value))


def _is_between(cell: Cell, least: float, most: float) -> bool:
    return isinstance(cell, float) and least <= cell <= most


def _run(old: DamagedFile) -> Run | None:
    rows, bases = old.rows("SELECT json_zstd FROM run"), old.rows("SELECT json_zstd FROM run_base")
    difference, base = rows[0][0] if rows else None, bases[0][0] if bases else None
    if not isinstance(difference, bytes):
        return None
    try:
        return runs.unpack(difference, base if isinstance(base, bytes) else None)
    except (zstandard.ZstdError, ValidationError, MemoryError):
        return None


def _alarm(words: str, boot: int) -> Record:
    body = to_json(AlarmRaised(alarm=Alarm.STORE_DAMAGED, detail=words))
    return Record(kind=EventKind.ALARM_RAISED, wall_ms=0, wall_source="none", mono_ms=0, boot=boot, body=body)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
