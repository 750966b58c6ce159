"""What the van says, waiting for receipts: rows by epoch, lane and seq.

A seq is given once, in the transaction of its row. Only a receipt marks a row, and a marked row stays 72 hours more,
so that a coordinator restored from a backup can ask again. The track's rows are packed: see `trail.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from agent.store import trail
from agent.store.chain import Chain
from agent.store.database import Cell, Database, Row
from wire.envelope import LaneReceipt, Record
from wire.track import Breadcrumb, GivenUp

type LaneName = Literal["events", "track"]
KEEP_RECEIPTED_MS = 72 * 3600 * 1000
MAX_SEQ = 2**53


class OutboxRow(NamedTuple):
    """One record or breadcrumb as JSON."""

    epoch: str
    lane: LaneName
    seq: int
    record_json: str


@dataclass(frozen=True)
class SeqRange:
    """Consecutive seqs of one lane, both ends included."""

    epoch: str
    lane: LaneName
    first: int
    last: int


def append(
    database: Database,
    epoch_id: int,
    lane: LaneName,
    items: Sequence[Record] | Sequence[Breadcrumb] | Sequence[GivenUp],
    at_ms: int,
    *,
    chain: Chain | None = None,
) -> None:
    """Adds rows at the end of a lane, sealed by its chain; call inside the transaction of what they tell of."""
    if not items:
        return
    head = chain.head(database, epoch_id) if chain is not None and lane == "events" else None
    first = give_seqs(database, epoch_id, lane, len(items))
    if lane == "track":
        trail.append(database, epoch_id, first, [item for item in items if not isinstance(item, Record)], at_ms)
        return
    if chain is None:
        texts = [item.model_dump_json(by_alias=True) for item in items]
    else:
        texts = chain.seal(database, epoch_id, first, head, [item.model_dump(mode="json") for item in items])
    database.execute_many(
        "INSERT INTO outbox (epoch_id, lane, seq, record, created_ms) VALUES (?, ?, ?, ?, ?)",
        [(epoch_id, lane, seq, text, at_ms) for seq, text in enumerate(texts, first)],
    )


def give_seqs(database: Database, epoch_id: int, lane: str, count: int) -> int:
    """The first of so many new ones, 0 for none. The chain ends there, unless whoever adds them carries it on."""
    if count == 0:
        return 0
    ((next_seq,),) = database.execute(
        "INSERT INTO lanes (epoch_id, lane, next_seq) VALUES (?, ?, 1 + ?) "
        "ON CONFLICT DO UPDATE SET next_seq = next_seq + ?, head = NULL RETURNING next_seq",
        (epoch_id, lane, count, count),
    )
    return _whole(next_seq) - count


def next_unreceipted(
    database: Database,
    lane: LaneName,
    limit: int,
    besides: Sequence[SeqRange] = (),
    *,
    newest: bool = False,
) -> list[OutboxRow]:
    """Rows of a lane without a receipt and outside the ranges `besides`, ascending: the oldest ones; of the track, if
    asked for, the newest.
    """
    if lane == "track":
        return _next_crumbs(database, limit, besides, newest=newest)
    assert not newest
    found: list[OutboxRow] = []
    for epoch_id, epoch in database.execute("SELECT epoch_id, epoch FROM epochs ORDER BY epoch_id"):
        first = _first_waiting(database, _whole(epoch_id))
        if first is not None and len(found) < limit:
            known = [span for span in besides if (span.lane, span.epoch) == (lane, epoch)]
            rows = _rows_waiting(database, _whole(epoch_id), first, limit - len(found), known)
            found += [OutboxRow(str(epoch), lane, _whole(seq), str(record)) for seq, record in rows]
    return found


def apply_receipt(database: Database, epoch: str, lane: LaneName, receipt: LaneReceipt, at_ms: int) -> int:
    """Marks the rows a receipt covers; how many were new. Receipts may come in any order and more than once."""
    if lane == "track":
        return sum(trail.apply_receipt(database, known, receipt, at_ms) for known in _epoch_ids(database, epoch))
    marked = 0
    for epoch_id in _epoch_ids(database, epoch):
        for first, last in ((1, receipt.contiguous_seq), *receipt.ranges):
            waiting = _first_waiting(database, epoch_id, first, last)
            if waiting is not None:
                database.execute(
                    "UPDATE outbox NOT INDEXED SET receipted_ms = ? "
                    "WHERE epoch_id = ? AND lane = 'events' AND seq BETWEEN ? AND ? AND receipted_ms IS NULL",
                    (at_ms, epoch_id, waiting, last),
                )
                marked += _whole(database.execute("SELECT changes()")[0][0])
    return marked


def reopen(database: Database, epoch: str, lane: LaneName, receipt: LaneReceipt) -> int:
    """Makes rows wait again that were receipted once and that the coordinator holds no more: it was restored.

    How many there were.
    """
    if lane == "track":
        return sum(trail.reopen(database, known, receipt) for known in _epoch_ids(database, epoch))
    sql = (
        "UPDATE outbox SET receipted_ms = NULL WHERE lane = ? AND receipted_ms IS NOT NULL AND seq > ? "
        "AND epoch_id = (SELECT epoch_id FROM epochs WHERE epoch = ?)"
    )
    values: list[Cell] = [lane, receipt.contiguous_seq, epoch]
    for first, last in receipt.ranges:
        sql += " AND NOT seq BETWEEN ? AND ?"
        values += [first, last]
    database.execute(sql, values)
    return _whole(database.execute("SELECT changes()")[0][0])


def kept_epochs(database: Database, besides: int) -> tuple[str, ...]:
    """The epochs that rows are kept of, newest first, without the one numbered `besides`."""
    rows = database.execute(
        "SELECT epoch FROM epochs WHERE epoch_id <> ? AND ("
        "  EXISTS (SELECT 1 FROM outbox WHERE outbox.epoch_id = epochs.epoch_id)"
        "  OR EXISTS (SELECT 1 FROM trail WHERE trail.epoch_id = epochs.epoch_id)"
        ") ORDER BY epoch_id DESC",
        (besides,),
    )
    return tuple(str(epoch) for (epoch,) in rows)


def count(database: Database, lane: LaneName) -> int:
    """How many rows wait. It looks at each of them: for once, not for every receipt."""
    if lane == "track":
        return trail.count(database)
    ((rows,),) = database.execute("SELECT count(*) FROM outbox WHERE lane = ? AND receipted_ms IS NULL", (lane,))
    return _whole(rows)


def oldest_ms(database: Database, lane: LaneName) -> int | None:
    """When the oldest row that waits was made (epoch milliseconds)."""
    if lane == "track":
        return trail.oldest_ms(database)
    oldest = database.execute(
        "SELECT created_ms FROM outbox WHERE lane = ? AND receipted_ms IS NULL ORDER BY epoch_id, seq LIMIT 1", (lane,)
    )
    return _whole(oldest[0][0]) if oldest else None


def purge(database: Database, receipted_before_ms: int, limit: int) -> int:
    """Forgets rows receipted before then, about so many at most; how many."""
    gone = database.execute(
        "DELETE FROM outbox WHERE (epoch_id, lane, seq) IN "
        "(SELECT epoch_id, lane, seq FROM outbox WHERE receipted_ms < ? LIMIT ?) RETURNING 1",
        (receipted_before_ms, limit),
    )
    return len(gone) + trail.purge(database, receipted_before_ms, limit)


def _first_waiting(database: Database, epoch_id: int, first: int = 1, last: int = MAX_SEQ) -> int | None:
    """The lowest seq among those that waits. By the index of what waits: the primary key would lead past every row
    receipted in the last 72 hours. From there on the key is the shorter way by far.
    """
    rows = database.execute(
        "SELECT seq FROM outbox INDEXED BY outbox_waiting "
        "WHERE lane = 'events' AND epoch_id = ? AND receipted_ms IS NULL AND seq BETWEEN ? AND ? ORDER BY seq LIMIT 1",
        (epoch_id, first, last),
    )
    return _whole(rows[0][0]) if rows else None


def _rows_waiting(database: Database, epoch_id: int, first: int, limit: int, besides: Sequence[SeqRange]) -> list[Row]:
    sql = "SELECT seq, record FROM outbox NOT INDEXED WHERE epoch_id = ? AND lane = 'events' AND seq >= ?"
    values: list[Cell] = [epoch_id, first]
    for known in besides:
        sql += " AND seq NOT BETWEEN ? AND ?"
        values += [known.first, known.last]
    return database.execute(sql + " AND receipted_ms IS NULL ORDER BY seq LIMIT ?", [*values, limit])


def _next_crumbs(database: Database, limit: int, besides: Sequence[SeqRange], *, newest: bool) -> list[OutboxRow]:
    epochs = {epoch_id: str(epoch) for epoch_id, epoch in database.execute("SELECT epoch_id, epoch FROM epochs")}
    step = -1 if newest else 1
    found: list[OutboxRow] = []
    for span in trail.waiting(database)[::step]:
        epoch = epochs[span.epoch_id]
        known = [range(one.first, one.last + 1) for one in besides if one.lane == "track" and one.epoch == epoch]
        if any(span.first in one and span.last in one for one in known):
            continue
        crumbs = list(zip(span.seqs, trail.said_in(database, span), strict=True))[::step]
        some = [(seq, said) for seq, said in crumbs if not any(seq in one for one in known)][: limit - len(found)]
        found += [OutboxRow(epoch, "track", seq, said) for seq, said in some]
        if len(found) == limit:
            break
    return found[::step]


def _epoch_ids(database: Database, epoch: str) -> list[int]:
    return [
        _whole(epoch_id) for (epoch_id,) in database.execute("SELECT epoch_id FROM epochs WHERE epoch = ?", (epoch,))
    ]


def _whole(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell
