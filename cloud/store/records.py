"""What the vans said, applied once.

Every function works within the caller's transaction, and none of them answers a van: the receipts are read from
`cursor_of` and the blobs' ranges, and go out after the commit. A record is kept under (van, epoch, seq); the same
identity with another hash is a fork (a cloned or restored store), kept beside it and never applied.
"""

import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, insert, select, update

from cloud.store.cursor import Cursor
from cloud.store.database import execute_many, execute_one, insert_rows
from cloud.store.instants import to_ms
from cloud.store.keys import add_key
from cloud.store.stop_states import record_from
from cloud.store.tables import breadcrumbs, clock_anchors, forks, lane_cursors, records, track_gaps
from cloud.store.vans import COUNTED, count_plans
from wire.events import ClockAnchored, EventKind
from wire.topics import Lane
from wire.track import Breadcrumb, Dropped

log = logging.getLogger(__name__)

# Made once: building a statement costs more than running it.
_KNOWN = select(records.c.seq, records.c.sha256).where(
    records.c.van == bindparam("which"),
    records.c.epoch == bindparam("life"),
    records.c.seq.between(bindparam("first"), bindparam("last")),
)
_PROOF_CAPTURED, _CLOCK_ANCHORED = EventKind.PROOF_CAPTURED.value, EventKind.CLOCK_ANCHORED.value
_KEY_ANNOUNCED = EventKind.KEY_ANNOUNCED.value
MAX_FORKED = 500
"""Told in one receipt, so that it fits its packet."""
_NEW_CRUMB = insert(breadcrumbs)
_ANCHORS = select(clock_anchors).where(
    clock_anchors.c.van == bindparam("which"), clock_anchors.c.epoch == bindparam("life")
)
_KNOWN_CRUMBS = select(breadcrumbs.c.seq).where(
    breadcrumbs.c.van == bindparam("which"),
    breadcrumbs.c.epoch == bindparam("life"),
    breadcrumbs.c.seq.between(bindparam("first"), bindparam("last")),
)
_OF_LANE = and_(
    lane_cursors.c.van == bindparam("which"),
    lane_cursors.c.epoch == bindparam("life"),
    lane_cursors.c.lane == bindparam("on"),
)
_CURSOR = select(lane_cursors.c.contiguous_seq, lane_cursors.c.beyond).where(_OF_LANE)
_ADVANCE = (
    update(lane_cursors).where(_OF_LANE).values(contiguous_seq=bindparam("contiguous_seq"), beyond=bindparam("beyond"))
)


@dataclass(frozen=True)
class Sender:
    """A van and one life of its store: what a seq is unique within."""

    van: str
    epoch: str


class NewRecord(NamedTuple):
    """A record ready to be kept. `problem` says why its body is not what its kind says."""

    seq: int
    kind: str
    stop_id: str | None
    sha256: str
    text: str
    captured_ms: int
    has_time: bool
    problem: str | None
    body: Mapping[str, Any] | None
    """As it was said; None when we do not know its kind, or it is not what its kind says."""
    boot: int | None = None
    """It was captured in; None from a van that does not say, then it is the boot it was sent in."""
    mono_ms: int = 0
    is_sure: bool = True
    """Its time came from GPS."""


@dataclass
class Changes:
    """What a transaction changed, for those who show it."""

    vans: set[str] = field(default_factory=set)
    forked: set[Sender] = field(default_factory=set)
    """Those that contradicted themselves."""
    stops: set[str] = field(default_factory=set)
    blobs: set[str] = field(default_factory=set)
    """Those that became whole."""
    named: set[tuple[str, str]] = field(default_factory=set)
    """Evidence that new records name: van, sha256."""

    def add(self, other: "Changes") -> None:
        self.vans |= other.vans
        self.forked |= other.forked
        self.stops |= other.stops
        self.blobs |= other.blobs
        self.named |= other.named


def apply_records(
    connection: Connection, sender: Sender, boot: int, batch: Sequence[NewRecord], now: datetime
) -> Changes:
    """Keep consecutive records of the events lane; those known already change nothing."""
    first, last = batch[0].seq, batch[-1].seq
    cursor = cursor_of(connection, sender, Lane.EVENTS)
    known = _known(connection, sender, first, last) if cursor.meets(first, last) else {}
    received_ms = to_ms(now)
    fresh = [record for record in batch if record.seq not in known] if known else batch
    anchors = _anchors(connection, sender, boot, fresh)
    van, epoch = sender.van, sender.epoch
    insert_rows(
        connection,
        records,
        [
            (
                van,
                epoch,
                one.seq,
                one.kind,
                one.stop_id,
                one.sha256,
                one.text,
                one.boot or boot,
                one.captured_ms,
                anchors.get(one.seq),
                received_ms,
                one.problem,
            )
            for one in fresh
        ],
    )
    differing = [one for one in batch if known.get(one.seq, one.sha256) != one.sha256] if known else []
    _keep_forks(connection, sender, differing, now)
    _advance(connection, sender, Lane.EVENTS, (first, last))
    changes = Changes(vans={van}, stops={one.stop_id for one in fresh if one.stop_id is not None})
    changes.forked |= {sender} if differing else set()
    changes.named = {(van, sha256) for sha256 in evidence_of(fresh)}
    for one in fresh:
        if one.kind == _CLOCK_ANCHORED and one.body is not None:
            changes.stops |= _anchor(connection, sender, one.seq, ClockAnchored.model_validate(one.body))
        if one.kind == _KEY_ANNOUNCED and one.body is not None:
            add_key(connection, (van, epoch), one.seq, record=one.text, received_at=now)
    count_plans(connection, van, [(one.kind, one.body) for one in fresh if one.kind in COUNTED])
    return changes


def apply_track(connection: Connection, sender: Sender, first_seq: int, crumbs: Sequence[Breadcrumb | None]) -> Changes:
    """Keep consecutive breadcrumbs; those known already stay as they are. None takes a seq and is nothing: given up."""
    last = first_seq + len(crumbs) - 1
    span = {"which": sender.van, "life": sender.epoch, "first": first_seq, "last": last}
    known = set(execute_one(connection, _KNOWN_CRUMBS, span).scalars())
    rows = [
        {"van": sender.van, "epoch": sender.epoch, "seq": seq, **dict(crumb)}
        for seq, crumb in enumerate(crumbs, first_seq)
        if crumb is not None and seq not in known
    ]
    execute_many(connection, _NEW_CRUMB, rows)
    _advance(connection, sender, Lane.TRACK, (first_seq, last))
    return Changes(vans={sender.van})


def note_track_gaps(connection: Connection, sender: Sender, gaps: Sequence[Dropped], now: datetime) -> None:
    """Keep what the van says of breadcrumbs it gave up; said again it changes nothing."""
    for gap in gaps:
        here = (
            (track_gaps.c.van == sender.van)
            & (track_gaps.c.epoch == sender.epoch)
            & (track_gaps.c.first_seq == gap.first_seq)
        )
        values = {"last_seq": gap.last_seq, "why": gap.why, "received_ms": to_ms(now)}
        known = connection.execute(select(track_gaps.c.last_seq).where(here)).scalar()
        if known is None:
            connection.execute(
                insert(track_gaps).values(van=sender.van, epoch=sender.epoch, first_seq=gap.first_seq, **values)
            )
        elif known < gap.last_seq:  # cut elsewhere this time
            connection.execute(update(track_gaps).where(here).values(**values))


def give_up_track(connection: Connection, sender: Sender, first_seq: int, count: int) -> None:
    """Count breadcrumbs nobody can read as stored (their packet is parked), so that they do not block their lane."""
    _advance(connection, sender, Lane.TRACK, (first_seq, first_seq + count - 1))


def cursor_of(connection: Connection, sender: Sender, lane: Lane) -> Cursor:
    """What of a lane is stored; nothing for a lane never heard of."""
    row = execute_one(connection, _CURSOR, _lane(sender, lane)).first()
    return Cursor() if row is None else Cursor(row.contiguous_seq, tuple((a, b) for a, b in json.loads(row.beyond)))


def forked_of(connection: Connection, sender: Sender) -> tuple[tuple[int, str], ...]:
    """The newest records (seq, sha256) of a sender that contradict others of its own; none for an honest one."""
    mine = (forks.c.van == sender.van) & (forks.c.epoch == sender.epoch)
    newest = select(forks.c.seq, forks.c.sha256).where(mine).order_by(forks.c.fork_id.desc()).limit(MAX_FORKED)
    return tuple(sorted((row.seq, row.sha256) for row in connection.execute(newest)))


def head_of(connection: Connection, sender: Sender) -> str | None:
    """sha256 of the last record of the events lane before which nothing is missing: a copied store knows by it."""
    seq = cursor_of(connection, sender, Lane.EVENTS).contiguous_seq
    mine = (records.c.van == sender.van) & (records.c.epoch == sender.epoch) & (records.c.seq == seq)
    sha256: str | None = connection.execute(select(records.c.sha256).where(mine)).scalar()
    return sha256


def epochs_of(connection: Connection, van: str) -> tuple[str, ...]:
    """The lives of a van's store that anything is stored of."""
    epochs = select(lane_cursors.c.epoch).where(lane_cursors.c.van == van).distinct().order_by(lane_cursors.c.epoch)
    return tuple(connection.execute(epochs).scalars())


def evidence_of(batch: Iterable[NewRecord]) -> list[str]:
    """The hashes of the pieces of evidence that these records name."""
    return [one.body["sha256"] for one in batch if one.kind == _PROOF_CAPTURED and one.body is not None]


def _known(connection: Connection, sender: Sender, first: int, last: int) -> dict[int, str]:
    """The hashes of the records that are here already, by seq."""
    span = {"which": sender.van, "life": sender.epoch, "first": first, "last": last}
    return {row.seq: row.sha256 for row in execute_one(connection, _KNOWN, span)}


def _anchors(connection: Connection, sender: Sender, boot: int, fresh: Iterable[NewRecord]) -> dict[int, int]:
    """When those records were captured whose van learned the time later, by seq."""
    unsure = [record for record in fresh if not record.is_sure and record.problem is None]
    if not unsure:
        return {}
    rows = connection.execute(_ANCHORS, {"which": sender.van, "life": sender.epoch})
    anchors = {row.boot: row for row in rows}
    found = {}
    for record in unsure:
        anchor = anchors.get(record.boot or boot)
        if anchor is not None and record.seq < anchor.seq:
            found[record.seq] = max(0, anchor.wall_ms - (anchor.mono_ms - record.mono_ms))
    return found


def _anchor(connection: Connection, sender: Sender, seq: int, anchored: ClockAnchored) -> set[str]:
    """Date the earlier records of that boot by what the van found out; the stops that this moves."""
    mine = (clock_anchors.c.van == sender.van) & (clock_anchors.c.epoch == sender.epoch)
    here = mine & (clock_anchors.c.boot == anchored.boot)
    values = {"seq": seq, "mono_ms": anchored.mono_ms, "wall_ms": anchored.wall_ms}
    known = connection.execute(select(clock_anchors.c.seq).where(here)).scalar()
    if known is not None and known >= seq:
        return set()  # a later one is known: it is the better one
    if known is None:
        connection.execute(
            insert(clock_anchors).values(van=sender.van, epoch=sender.epoch, boot=anchored.boot, **values)
        )
    else:
        connection.execute(update(clock_anchors).where(here).values(**values))
    told = (records.c.van == sender.van) & (records.c.epoch == sender.epoch) & (records.c.boot == anchored.boot)
    rows = connection.execute(
        select(records.c.seq, records.c.stop_id, records.c.record).where(
            told, records.c.seq < seq, records.c.problem.is_(None)
        )
    ).all()
    moved = set()
    for row in rows:
        record = record_from(row.record)
        if record is not None and record.wall_source != "gps":
            anchored_ms = max(0, anchored.wall_ms - (anchored.mono_ms - record.mono_ms))
            one = told & (records.c.seq == row.seq)
            connection.execute(update(records).where(one).values(anchored_ms=anchored_ms))
            moved |= {row.stop_id} if row.stop_id is not None else set()
    return moved


def _keep_forks(connection: Connection, sender: Sender, differing: Sequence[NewRecord], now: datetime) -> None:
    """Keeps each once; said once for all, because a copied store differs in every record from here on."""
    if not differing:
        return
    mine = (forks.c.van == sender.van) & (forks.c.epoch == sender.epoch)
    new = []
    for record in differing:
        same = mine & (forks.c.seq == record.seq) & (forks.c.sha256 == record.sha256)
        if connection.execute(select(forks.c.fork_id).where(same)).first() is None:
            new.append(record)
    if not new:
        return
    log.error(
        "%s said two different things as record %d of epoch %s, and as %d after it: is its store a copy?",
        sender.van,
        new[0].seq,
        sender.epoch,
        len(new) - 1,
    )
    connection.execute(
        insert(forks),
        [
            {
                "van": sender.van,
                "epoch": sender.epoch,
                "seq": record.seq,
                "sha256": record.sha256,
                "record": record.text,
                "received_ms": to_ms(now),
            }
            for record in new
        ],
    )


def _advance(connection: Connection, sender: Sender, lane: Lane, stored: tuple[int, int]) -> None:
    cursor = cursor_of(connection, sender, lane).with_range(*stored)
    values = {"contiguous_seq": cursor.contiguous_seq, "beyond": json.dumps(cursor.beyond)}
    if execute_one(connection, _ADVANCE, {**_lane(sender, lane), **values}).rowcount == 0:
        connection.execute(insert(lane_cursors).values(van=sender.van, epoch=sender.epoch, lane=lane.value, **values))


def _lane(sender: Sender, lane: Lane) -> dict[str, str]:
    return {"which": sender.van, "life": sender.epoch, "on": lane.value}
