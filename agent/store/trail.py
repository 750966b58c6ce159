"""The track lane of the outbox: rows of many breadcrumbs each, packed as they will travel.

A row a second would be 36,000 a day, each written three times: when it is left, when it is receipted, and from the log
into the file. Here a row is what one step left. The rest of the van sees single breadcrumbs; a receipt that covers part
of a row splits it. Exact to what the wire carries (`wire/track.py`).
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import zstandard

from agent.store.database import Cell, Database
from wire.envelope import LaneReceipt
from wire.track import Breadcrumb, Column, Dropped, GivenUp, from_columns, to_columns

type Crumb = Breadcrumb | GivenUp
MOST_IN_A_ROW = 600

TABLE = (
    # One crumb for each seq from `first_seq` to `last_seq`; `kept` of them were not given up. The bytes come last, so
    # that what is asked of the rest need not read them.
    """CREATE TABLE trail (
        trail_id     INTEGER PRIMARY KEY,
        epoch_id     INTEGER NOT NULL REFERENCES epochs,
        first_seq    INTEGER NOT NULL,
        last_seq     INTEGER NOT NULL,
        kept         INTEGER NOT NULL,
        created_ms   INTEGER NOT NULL,
        receipted_ms INTEGER,
        crumbs_zstd  BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX trail_waiting ON trail (epoch_id, first_seq, last_seq) WHERE receipted_ms IS NULL",
)


_SPANS = "SELECT trail_id, epoch_id, first_seq, last_seq, kept, created_ms, receipted_ms FROM trail "


@dataclass(frozen=True)
class Span:
    """A row without its crumbs: they have the seqs from `first` to `last`, both included."""

    trail_id: int
    epoch_id: int
    first: int
    last: int
    kept: int
    created_ms: int
    receipted_ms: int | None

    @property
    def seqs(self) -> range:
        return range(self.first, self.last + 1)


def append(
    database: Database,
    epoch_id: int,
    first: int,
    crumbs: Sequence[Crumb],
    at_ms: int,
    *,
    receipted_ms: int | None = None,
) -> None:
    """Adds crumbs with the seqs from `first` on."""
    for start in range(0, len(crumbs), MOST_IN_A_ROW):
        some = crumbs[start : start + MOST_IN_A_ROW]
        kept = sum(isinstance(crumb, Breadcrumb) for crumb in some)
        database.execute(
            "INSERT INTO trail (epoch_id, first_seq, last_seq, kept, created_ms, receipted_ms, crumbs_zstd) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (epoch_id, first + start, first + start + len(some) - 1, kept, at_ms, receipted_ms, _packed(some)),
        )


def waiting(database: Database) -> list[Span]:
    """The rows without a receipt, the oldest first."""
    return _spans(database, "WHERE receipted_ms IS NULL ORDER BY epoch_id, first_seq")


def said_in(database: Database, span: Span) -> tuple[str, ...]:
    """The crumbs of a row as JSON, in the order of their seqs."""
    return _said(_bytes_of(database, span))


def apply_receipt(database: Database, epoch_id: int, receipt: LaneReceipt, at_ms: int) -> int:
    """Marks the seqs a receipt covers; how many were new."""
    marked = 0
    for first, last in ((1, receipt.contiguous_seq), *receipt.ranges):
        covered = range(first, last + 1)
        where = "WHERE receipted_ms IS NULL AND epoch_id = ? AND first_seq <= ? AND last_seq >= ?"
        for span in _spans(database, where, (epoch_id, last, first)):
            if span.first in covered and span.last in covered:
                database.execute("UPDATE trail SET receipted_ms = ? WHERE trail_id = ?", (at_ms, span.trail_id))
            else:
                _divide(database, span, covered.__contains__, at_ms)
            marked += min(span.last, last) - max(span.first, first) + 1
    return marked


def move(database: Database, span: Span, to_seq: int, epoch_id: int, first: int) -> int:
    """Gives the crumbs of a row that waits other seqs, from `first` on under another epoch: those up to `to_seq`. How
    many.
    """
    count = min(span.last, to_seq) - span.first + 1
    if count == len(span.seqs):
        database.execute(
            "UPDATE trail SET epoch_id = ?, first_seq = ?, last_seq = ? WHERE trail_id = ?",
            (epoch_id, first, first + count - 1, span.trail_id),
        )
    else:
        crumbs = unpacked(_bytes_of(database, span))
        _delete(database, span)
        append(database, epoch_id, first, crumbs[:count], span.created_ms)
        append(database, span.epoch_id, span.first + count, crumbs[count:], span.created_ms)
    return count


def reopen(database: Database, epoch_id: int, receipt: LaneReceipt) -> int:
    """Makes receipted seqs wait again that the receipt does not cover; how many."""

    def is_held(seq: int) -> bool:
        return seq <= receipt.contiguous_seq or any(first <= seq <= last for first, last in receipt.ranges)

    reopened = 0
    where = "WHERE receipted_ms IS NOT NULL AND epoch_id = ? AND last_seq > ?"
    for span in _spans(database, where, (epoch_id, receipt.contiguous_seq)):
        missing = sum(not is_held(seq) for seq in span.seqs)
        if missing:
            assert span.receipted_ms is not None
            _divide(database, span, is_held, span.receipted_ms)
        reopened += missing
    return reopened


def count(database: Database) -> int:
    """How many crumbs wait."""
    ((crumbs,),) = database.execute(
        "SELECT coalesce(sum(last_seq - first_seq + 1), 0) FROM trail WHERE receipted_ms IS NULL"
    )
    return _whole(crumbs)


def oldest_ms(database: Database) -> int | None:
    """When the oldest crumb that waits was saved."""
    oldest = database.execute(
        "SELECT created_ms FROM trail WHERE receipted_ms IS NULL ORDER BY epoch_id, first_seq LIMIT 1"
    )
    return _whole(oldest[0][0]) if oldest else None


def purge(database: Database, receipted_before_ms: int, limit: int) -> int:
    """Forgets rows receipted before then, `limit` at most; how many."""
    gone = database.execute(
        "DELETE FROM trail WHERE trail_id IN (SELECT trail_id FROM trail WHERE receipted_ms < ? LIMIT ?) RETURNING 1",
        (receipted_before_ms, limit),
    )
    return len(gone)


def thin(database: Database, spared: int, at_once: int, why: GivenUp) -> int:
    """Gives up every second crumb of the old ones that wait, where most are left first; how many.

    The newest `spared` stay, and no more than about `at_once` go. Neighbours become one row: only so is there room.
    """
    old: list[Span] = []
    for span in reversed(waiting(database)):
        if spared <= 0 and span.kept > 1:
            old.append(span)
        spared -= len(span.seqs)
    old.sort(key=lambda span: (-span.kept / len(span.seqs), span.epoch_id, span.first))
    given_up = 0
    group: list[Span] = []
    for span in old:
        if given_up >= at_once:
            break
        if group and not _may_join(group, span):
            _merge_thinned(database, group, why)
            group = []
        group.append(span)
        given_up += span.kept // 2
    if group:
        _merge_thinned(database, group, why)
    return given_up


def _may_join(group: Sequence[Span], span: Span) -> bool:
    follows = (group[-1].epoch_id, group[-1].last + 1) == (span.epoch_id, span.first)
    return follows and span.last - group[0].first < MOST_IN_A_ROW


def _merge_thinned(database: Database, group: Sequence[Span], why: GivenUp) -> None:
    crumbs: list[Crumb] = []
    for span in group:
        kept = 0
        for crumb in unpacked(_bytes_of(database, span)):
            kept += isinstance(crumb, Breadcrumb)
            crumbs.append(why if isinstance(crumb, Breadcrumb) and kept % 2 == 0 else crumb)
        _delete(database, span)
    append(database, group[0].epoch_id, group[0].first, crumbs, group[0].created_ms)


def take_over(database: Database) -> None:
    """Packs the rows of a second each that an older agent left in `outbox`, inside the transaction of the migration."""
    while rows := database.execute(
        "SELECT epoch_id, seq, record, created_ms, receipted_ms FROM outbox WHERE lane = 'track' "
        "ORDER BY epoch_id, seq LIMIT ?",
        (MOST_IN_A_ROW,),
    ):
        # Consecutive, of one epoch and one receipt: their seq less their place is the same.
        alike = groupby(enumerate(rows), key=lambda row: (row[1][0], _whole(row[1][1]) - row[0], row[1][4]))
        for (epoch_id, _, receipted_ms), members in alike:
            together = [row for _, row in members]
            crumbs = [crumb_of(str(record)) for _, _, record, _, _ in together]
            receipted = None if receipted_ms is None else _whole(receipted_ms)
            append(
                database,
                _whole(epoch_id),
                _whole(together[0][1]),
                crumbs,
                _whole(together[0][3]),
                receipted_ms=receipted,
            )
        database.execute_many(
            "DELETE FROM outbox WHERE epoch_id = ? AND lane = 'track' AND seq = ?", [row[:2] for row in rows]
        )


def _divide(database: Database, span: Span, is_receipted: Callable[[int], bool], at_ms: int) -> None:
    """Replaces a row by rows of which each is receipted or not, as a whole."""
    crumbs = unpacked(_bytes_of(database, span))
    _delete(database, span)
    for receipted, seqs in groupby(span.seqs, key=is_receipted):
        held = list(seqs)
        some = crumbs[held[0] - span.first : held[-1] - span.first + 1]
        append(database, span.epoch_id, held[0], some, span.created_ms, receipted_ms=at_ms if receipted else None)


def _delete(database: Database, span: Span) -> None:
    database.execute("DELETE FROM trail WHERE trail_id = ?", (span.trail_id,))


@dataclass(frozen=True)
class _Columns:
    """What `wire.track.from_columns` reads."""

    wall_ms: Column
    lat_udeg: Column
    lon_udeg: Column
    speed_cmps: Column
    heading_deg: Column
    error_dm: Column
    first_seq: int
    dropped: tuple[Dropped, ...]


def _packed(crumbs: Sequence[Crumb]) -> bytes:
    columns = to_columns([crumb if isinstance(crumb, Breadcrumb) else None for crumb in crumbs])
    given_up = [[place, crumb.why] for place, crumb in enumerate(crumbs) if isinstance(crumb, GivenUp)]
    text = json.dumps({**columns, "given_up": given_up}, separators=(",", ":"))
    return zstandard.ZstdCompressor(level=3, write_checksum=True).compress(text.encode())


def unpacked(packed: bytes) -> list[Crumb]:
    """The crumbs of a row. Raises ValueError or zstandard.ZstdError for damaged bytes."""
    said = json.loads(zstandard.ZstdDecompressor().decompress(packed))
    whys = {place: GivenUp(why=why) for place, why in said.pop("given_up")}
    dropped = tuple(Dropped(first_seq=place + 1, last_seq=place + 1, why=gone.why) for place, gone in whys.items())
    columns = from_columns(_Columns(**said, first_seq=1, dropped=dropped))
    return [crumb if crumb is not None else whys[place] for place, crumb in enumerate(columns)]


# The newest rows are looked at several times a second, and a tap waits for whoever looks.
@lru_cache(maxsize=16)
def _said(packed: bytes) -> tuple[str, ...]:
    return tuple(crumb.model_dump_json(by_alias=True) for crumb in unpacked(packed))


def _bytes_of(database: Database, span: Span) -> bytes:
    ((packed,),) = database.execute("SELECT crumbs_zstd FROM trail WHERE trail_id = ?", (span.trail_id,))
    assert isinstance(packed, bytes)
    return packed


def crumb_of(record_json: str) -> Crumb:
    """As an older agent kept it. Raises ValueError (pydantic's too) for what is none."""
    said = json.loads(record_json)
    return GivenUp.model_validate(said) if "why" in said else Breadcrumb.model_validate(said)


def _spans(database: Database, where: str, values: Sequence[Cell] = ()) -> list[Span]:
    return [
        Span(
            trail_id=_whole(trail_id),
            epoch_id=_whole(epoch_id),
            first=_whole(first),
            last=_whole(last),
            kept=_whole(kept),
            created_ms=_whole(created_ms),
            receipted_ms=None if receipted_ms is None else _whole(receipted_ms),
        )
        for trail_id, epoch_id, first, last, kept, created_ms, receipted_ms in database.execute(_SPANS + where, values)
    ]


def _whole(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell
