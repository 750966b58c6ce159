"""A damaged store is set aside, and what can still be read of it goes on in a new one.

    van.sqlite, -wal  ->  damaged-<time>/            kept for a person, untouched
    rows unreceipted  ->  the new file, under the epoch and seq they had: lost ones are a gap that the coordinator sees
    evidence          ->  only what still has its own sha256; the rest is not called a proof
    the run           ->  when it can be read; else the day begins with the list that the coordinator keeps

The new file begins a new epoch, and the first thing it says is what happened. A cut at any moment is finished by the
next start: the file that is complete is `van.sqlite.salvaged`, and it takes its place only after the old one is aside.
"""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import zstandard
from pydantic import TypeAdapter, ValidationError

from agent.errors import StoreError
from agent.store import blobs, outbox, runs
from agent.store.blobs import NewBlob
from agent.store.database import Cell, DamagedFile, Database, Row
from agent.store.meta import new_epoch
from agent.store.migrations import migrate
from agent.trip.run import Run
from wire.codec import to_json
from wire.envelope import Record
from wire.events import Alarm, AlarmRaised, EventKind
from wire.manifest import EvidenceKind
from wire.track import Breadcrumb, GivenUp

log = logging.getLogger(__name__)

DATABASE = "van.sqlite"
SUSPECT = "van.sqlite.suspect"
"""Left by an agent whose database turned out to be damaged while it worked; the next start salvages."""
PAGE_BYTES = 4096
_BUILDING, _SALVAGED, _REPAIRED = "van.sqlite.building", "van.sqlite.salvaged", "van.sqlite.repaired"
_BESIDE = ("-wal", "-shm", "-journal")
_ITEMS: dict[str, TypeAdapter[Record] | TypeAdapter[Breadcrumb | GivenUp]] = {
    "events": TypeAdapter(Record),
    "track": TypeAdapter(Breadcrumb | GivenUp),
}


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
        _copy_over(_readable(damaged, building), new, found, aside)
        new.checkpoint()
    for end in ("", *_BESIDE):
        building.with_name(_REPAIRED + end).unlink(missing_ok=True)
        if end:
            building.with_name(building.name + end).unlink(missing_ok=True)
    return found


def _readable(damaged: Path, building: Path) -> DamagedFile:
    """The damaged file; or, where its first page is spoiled, a copy with the first page of a new database: all that is
    in it is where which table begins, and that is the same in each.
    """
    old = DamagedFile(damaged)
    if old.rows("SELECT 1 FROM epochs, lanes, outbox LIMIT 0") is not None:
        return old
    old.close()
    repaired = building.with_name(_REPAIRED)
    shutil.copy2(damaged, repaired)
    wal = damaged.with_name(damaged.name + "-wal")
    if wal.exists():
        shutil.copy2(wal, repaired.with_name(repaired.name + "-wal"))
    page = bytearray(building.read_bytes()[:PAGE_BYTES])
    page[92:96] = bytes(4)  # makes SQLite count the pages itself
    with repaired.open("r+b") as file:
        file.write(page)
    return DamagedFile(repaired)


def _copy_over(damaged: DamagedFile, new: Database, found: Salvaged, aside: Path) -> None:
    with closing(damaged) as old, new.transaction():
        boot = _meta(old, new)
        for epoch_id, epoch in _epochs(old):
            found.epochs[epoch_id] = epoch
            new.execute("INSERT INTO epochs (epoch_id, epoch) VALUES (?, ?)", (epoch_id, epoch))
        for epoch_id in found.epochs:
            for lane in _ITEMS:
                _lane(old, new, epoch_id, lane, found)
        _evidence(old, new, found)
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
    rows = old.rows("SELECT epoch_id, epoch FROM epochs")
    if rows is None:
        rows = [row for number in range(1, 200) for row in old.rows(_ONE_EPOCH, (number,)) or []]
    for epoch_id, name in rows:
        epoch = _text(name)
        if isinstance(epoch_id, int) and epoch is not None and len(epoch) == 16 and epoch.isalnum():
            yield epoch_id, epoch


_ONE_EPOCH = "SELECT epoch_id, epoch FROM epochs WHERE epoch_id = ?"
AT_ONCE = 500
MOST_ROWS = 300_000
"""Of a lane that nobody can count any more: three days of breadcrumbs."""
_LAST = "SELECT next_seq - 1 FROM lanes WHERE epoch_id = ? AND lane = ?"
_END = "SELECT seq FROM outbox WHERE epoch_id = ? AND lane = ? ORDER BY seq {} LIMIT 1"
_ROW = (
    "SELECT seq, record, created_ms, receipted_ms FROM outbox NOT INDEXED WHERE epoch_id = ? AND lane = ? AND seq = ?"
)
_ROWS = (
    "SELECT seq, record, created_ms, receipted_ms FROM outbox NOT INDEXED "
    "WHERE epoch_id = ? AND lane = ? AND seq BETWEEN ? AND ?"
)


def _lane(old: DamagedFile, new: Database, epoch_id: int, lane: str, found: Salvaged) -> None:
    told = old.rows(_LAST, (epoch_id, lane))
    ends = [old.rows(_END.format(way), (epoch_id, lane)) for way in ("ASC", "DESC")]
    if told == [] and ends == [[], []]:
        return
    first = max(1, (_number(ends[0]) or 1) - AT_ONCE)
    last = _number(told) or _number(ends[1]) or 0
    if not first <= last < 2**40:  # a number nobody gave
        first, last = 1, MOST_ROWS
    kept: list[int] = []
    for seq, record, created_ms, receipted_ms in _between(old, epoch_id, lane, first, last):
        if receipted_ms is not None:
            kept.append(seq)
            continue
        text = _text(record)
        if text is None or not _is_item(lane, text):
            continue
        at_ms = created_ms if isinstance(created_ms, int) and 0 <= created_ms < 2**53 else 0
        new.execute(
            "INSERT OR IGNORE INTO outbox (epoch_id, lane, seq, record, created_ms) VALUES (?, ?, ?, ?, ?)",
            (epoch_id, lane, seq, text, at_ms),
        )
        kept.append(seq)
        if lane == "events":
            found.events += 1
        else:
            found.track += 1
    if kept or told:
        # Between the first that is there and the last that was given, all should be: what was purged is before them.
        found.rows_lost += max(last, *kept, 0) - (min(kept) if kept else first) + 1 - len(set(kept))
        new.execute(
            "INSERT INTO lanes (epoch_id, lane, next_seq) VALUES (?, ?, ?)", (epoch_id, lane, max(last, *kept, 0) + 1)
        )


def _between(
    old: DamagedFile, epoch_id: int, lane: str, first: int, last: int
) -> Iterator[tuple[int, Cell, Cell, Cell]]:
    """Every row that can be read. What is missing of a range (it failed, or a page is out of order) is asked for one by
    one: that goes another way through the file.
    """
    for low in range(first, last + 1, AT_ONCE):
        span = range(low, min(low + AT_ONCE, last + 1))
        rows = {row[0]: row for row in old.rows(_ROWS, (epoch_id, lane, span[0], span[-1])) or []}
        for seq in span:
            for number, record, created_ms, receipted_ms in (
                [rows[seq]] if seq in rows else old.rows(_ROW, (epoch_id, lane, seq)) or []
            ):
                if number == seq:
                    yield seq, record, created_ms, receipted_ms


def _evidence(old: DamagedFile, new: Database, found: Salvaged) -> None:
    # By its bytes, not by the row about it: what a piece is, its name and content say together.
    rows = old.rows("SELECT rowid FROM blob_bytes")
    if rows is None:
        first = _number(old.rows("SELECT rowid FROM blob_bytes ORDER BY rowid LIMIT 1")) or 1
        last = min(_number(old.rows("SELECT rowid FROM blob_bytes ORDER BY rowid DESC LIMIT 1")) or 10_000, 1_000_000)
        rows = [(number,) for number in range(first, last + 1)]
    for (number,) in rows:
        assert isinstance(number, int)
        for data, name in old.rows("SELECT bytes, sha256 FROM blob_bytes WHERE rowid = ?", (number,)) or []:
            if not isinstance(data, bytes):
                continue
            sha256 = hashlib.sha256(data).hexdigest()
            about = old.rows("SELECT kind, created_ms, whole_ms FROM blobs WHERE sha256 = ?", (sha256,)) or []
            if _text(name) != sha256 and not about:
                found.evidence_lost += 1
                continue
            kind, created_ms, whole_ms = about[0] if about else (None, 0, None)
            if whole_ms is not None:
                continue
            is_png = data.startswith(b"\x89PNG")
            by_bytes = EvidenceKind.SIGNATURE if is_png else EvidenceKind.PHOTO
            named = _text(kind)
            blob = NewBlob(
                sha256,
                EvidenceKind(named) if named in list(EvidenceKind) else by_bytes,
                "image/png" if is_png else "image/jpeg",
                data,
            )
            blobs.add(new, blob, created_ms if isinstance(created_ms, int) and created_ms >= 0 else 0)
            found.evidence += 1
    waiting = _number(old.rows("SELECT count(*) FROM blobs WHERE whole_ms IS NULL"))
    if waiting is not None:
        found.evidence_lost = max(found.evidence_lost, waiting - found.evidence)


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


def _is_item(lane: str, text: str) -> bool:
    try:
        _ITEMS[lane].validate_json(text)
    except ValidationError:
        return False
    return isinstance(json.loads(text), dict)


def _number(rows: list[Row] | None) -> int | None:
    value = rows[0][0] if rows else None
    return value if isinstance(value, int) else None


def _text(cell: object) -> str | None:
    if not isinstance(cell, bytes):
        return None
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return None


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
