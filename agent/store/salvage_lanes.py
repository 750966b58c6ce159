"""The lanes of a damaged store: every row that waits and can be read goes on under the epoch and seq it had."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import zstandard
from pydantic import TypeAdapter, ValidationError

from agent.store import trail
from agent.store.database import Cell, DamagedFile, Database, Row
from agent.store.trail import Crumb
from wire.envelope import Record

LANES = ("events", "track")
AT_ONCE = 500
MOST_ROWS = 300_000
"""Of a lane that nobody can count any more: three days of breadcrumbs."""
MOST_SEQS = 2**40
"""More than a lane ever has: a damaged file says it."""
_RECORD = TypeAdapter(Record)
_LAST = "SELECT next_seq - 1 FROM lanes WHERE epoch_id = ? AND lane = ?"
_END = "SELECT seq FROM outbox WHERE epoch_id = ? AND lane = ? ORDER BY seq {} LIMIT 1"
_ROW = (
    "SELECT seq, record, created_ms, receipted_ms FROM outbox NOT INDEXED WHERE epoch_id = ? AND lane = ? AND seq = ?"
)
_ROWS = (
    "SELECT seq, record, created_ms, receipted_ms FROM outbox NOT INDEXED "
    "WHERE epoch_id = ? AND lane = ? AND seq BETWEEN ? AND ?"
)
_SPAN = "SELECT trail_id, epoch_id, first_seq, last_seq, created_ms, receipted_ms, crumbs_zstd FROM trail NOT INDEXED "
_SPAN_ENDS = (
    "SELECT trail_id FROM trail NOT INDEXED ORDER BY trail_id ASC LIMIT 1",
    "SELECT trail_id FROM trail NOT INDEXED ORDER BY trail_id DESC LIMIT 1",
    "SELECT max(trail_id) FROM trail INDEXED BY trail_waiting WHERE receipted_ms IS NULL",
)


@dataclass
class Saved:
    """`seqs`: all of which something is known; `waiting` of them came over, and `lost` are missing between them."""

    seqs: set[int] = field(default_factory=set)
    waiting: int = 0
    lost: int = 0


@dataclass(frozen=True)
class FoundSpan:
    """A row of the trail: its crumbs when they wait."""

    epoch_id: int
    seqs: range
    created_ms: int
    packed: bytes | None


def save_lane(old: DamagedFile, new: Database, epoch_id: int, lane: str, spans: Sequence[FoundSpan]) -> Saved:
    """Copies what waits and is what it should be, within the caller's transaction. `spans`: of the trail, all."""
    told = old.rows(_LAST, (epoch_id, lane))
    ends = [old.rows(_END.format(way), (epoch_id, lane)) for way in ("ASC", "DESC")]
    saved = Saved()
    if lane == "track":
        _save_trail(new, [span for span in spans if span.epoch_id == epoch_id], saved)
    if told == [] and ends == [[], []] and not saved.seqs:
        return saved
    if ends != [[], []]:
        first = max(1, (number_in(ends[0]) or 1) - AT_ONCE)
        last = number_in(told) or number_in(ends[1]) or 0
        if not first <= last < MOST_SEQS:  # a number nobody gave
            first, last = 1, MOST_ROWS
        save = _save_events if lane == "events" else _save_single_crumbs
        save(new, epoch_id, _between(old, epoch_id, lane, first, last), saved)
    last = max([number for number in map(number_in, (told, ends[1])) if number and number < MOST_SEQS], default=0)
    last = max(last, *saved.seqs, 0)
    if saved.seqs or told:
        # Between the first that is there and the last that was given, all should be: what was purged is before them.
        saved.lost = last - min(saved.seqs, default=last + 1) + 1 - len(saved.seqs)
        new.execute("INSERT INTO lanes (epoch_id, lane, next_seq) VALUES (?, ?, ?)", (epoch_id, lane, last + 1))
    return saved


type OutboxRow = tuple[int, Cell, Cell, Cell]
"""Seq, record, when it was made, when receipted."""


def _between(old: DamagedFile, epoch_id: int, lane: str, first: int, last: int) -> Iterator[OutboxRow]:
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


def _save_events(new: Database, epoch_id: int, rows: Iterable[OutboxRow], saved: Saved) -> None:
    for seq, record, created_ms, receipted_ms in rows:
        if receipted_ms is None:
            text = text_in(record)
            if text is None or not _is_record(text):
                continue
            new.execute(
                "INSERT OR IGNORE INTO outbox (epoch_id, lane, seq, record, created_ms) VALUES (?, 'events', ?, ?, ?)",
                (epoch_id, seq, text, _ms(created_ms)),
            )
            saved.waiting += 1
        saved.seqs.add(seq)


def _save_single_crumbs(new: Database, epoch_id: int, rows: Iterable[OutboxRow], saved: Saved) -> None:
    """The track of a store that was not yet taken over: see `trail.take_over`."""
    some: list[tuple[int, Crumb, int]] = []
    for seq, record, created_ms, receipted_ms in rows:
        if receipted_ms is not None:
            saved.seqs.add(seq)
            continue
        try:
            some.append((seq, trail.crumb_of(text_in(record) or ""), _ms(created_ms)))
        except (ValueError, TypeError):
            continue
        if len(some) == AT_ONCE:
            _append(new, epoch_id, some, saved)
            some = []
    _append(new, epoch_id, some, saved)


def _save_trail(new: Database, spans: Sequence[FoundSpan], saved: Saved) -> None:
    for span in spans:
        if span.packed is None:
            saved.seqs.update(span.seqs)
            continue
        crumbs = zip(span.seqs, trail.unpacked(span.packed), strict=True)
        _append(new, span.epoch_id, [(seq, crumb, span.created_ms) for seq, crumb in crumbs], saved)


def spans_in(old: DamagedFile) -> list[FoundSpan]:
    """Every row of the trail that can be read and is what it should be."""
    if old.rows("SELECT 1 FROM trail LIMIT 0") is None:
        return []  # of an agent that had none
    ends = [number_in(old.rows(end)) for end in _SPAN_ENDS]
    first = max(1, (ends[0] or 1) - AT_ONCE)
    last = (max(ends[1] or 0, ends[2] or 0) or MOST_ROWS) + AT_ONCE  # a page of another place may lie at either end
    found: list[FoundSpan] = []
    for low in range(first, min(last, first + MOST_ROWS) + 1, AT_ONCE):
        ids = range(low, low + AT_ONCE)
        rows = {row[0]: row for row in old.rows(_SPAN + "WHERE trail_id BETWEEN ? AND ?", (ids[0], ids[-1])) or []}
        for number in ids:
            span = _found(rows.get(number))
            if span is None:
                for row in old.rows(_SPAN + "WHERE trail_id = ?", (number,)) or []:
                    span = _found(row)
            found += [] if span is None else [span]
    return found


def _found(row: Row | None) -> FoundSpan | None:
    if row is None:
        return None
    _, epoch_id, first, last, created_ms, receipted_ms, packed = row
    if not (isinstance(epoch_id, int) and isinstance(first, int) and isinstance(last, int)):
        return None
    if not 1 <= first <= last < first + trail.MOST_IN_A_ROW:
        return None
    seqs = range(first, last + 1)
    if receipted_ms is not None:
        return FoundSpan(epoch_id, seqs, 0, None)
    try:
        is_whole = isinstance(packed, bytes) and len(trail.unpacked(packed)) == len(seqs)
    except (zstandard.ZstdError, ValueError, TypeError, KeyError, IndexError, MemoryError):
        return None
    return FoundSpan(epoch_id, seqs, _ms(created_ms), packed) if is_whole and isinstance(packed, bytes) else None


def _append(new: Database, epoch_id: int, crumbs: list[tuple[int, Crumb, int]], saved: Saved) -> None:
    fresh = [crumb for crumb in crumbs if crumb[0] not in saved.seqs]
    for _, members in groupby(enumerate(fresh), key=lambda crumb: crumb[1][0] - crumb[0]):  # consecutive
        together = [crumb for _, crumb in members]
        trail.append(new, epoch_id, together[0][0], [crumb for _, crumb, _ in together], together[0][2])
    saved.seqs.update(seq for seq, _, _ in fresh)
    saved.waiting += len(fresh)


def _is_record(text: str) -> bool:
    try:
        _RECORD.validate_json(text)
    except ValidationError:
        return False
    return isinstance(json.loads(text), dict)


def _ms(cell: Cell) -> int:
    return cell if isinstance(cell, int) and 0 <= cell < 2**53 else 0


def number_in(rows: list[Row] | None) -> int | None:
    """The number that was asked for, if there is one."""
    value = rows[0][0] if rows else None
    return value if isinstance(value, int) else None


def text_in(cell: Cell) -> str | None:
    """Text as it comes from a damaged file, if it is text."""
    if not isinstance(cell, bytes):
        return None
    try:
        return cell.decode()
    except UnicodeDecodeError:
        return None
