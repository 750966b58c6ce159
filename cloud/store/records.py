"""What the vans said, applied once.

Every function works within the caller's transaction, and none of them answers a van: the receipts are read from
`cursor_of` and the blobs' ranges, and go out after the commit. A record is kept under (van, epoch, seq); the same
identity with another hash is a fork (a cloned or restored store), kept beside it and never applied.
"""

import json
import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, RowMapping, and_, bindparam, delete, insert, select, update

from cloud.fleet.fold import Origin, StopState, fold
from cloud.store.cursor import Cursor
from cloud.store.database import execute_many, execute_one
from cloud.store.instants import from_ms, to_ms
from cloud.store.parts import Among
from cloud.store.tables import breadcrumbs, clock_anchors, forks, lane_cursors, records, stop_states, track_gaps
from cloud.store.vans import count_plans, heard
from wire.codec import WireError, loads
from wire.envelope import Record
from wire.events import BODIES, ClockAnchored
from wire.model import Message
from wire.topics import Lane
from wire.track import Breadcrumb, Dropped

log = logging.getLogger(__name__)

# Made once: building a statement costs more than running it.
_KNOWN = select(records.c.seq, records.c.sha256).where(
    records.c.van == bindparam("which"),
    records.c.epoch == bindparam("life"),
    records.c.seq.between(bindparam("first"), bindparam("last")),
)
MAX_FORKED = 500
"""Told in one receipt, so that it fits its packet."""
_NEW_RECORD = insert(records)
_NEW_CRUMB = insert(breadcrumbs)
_ANCHORS = select(clock_anchors).where(
    clock_anchors.c.van == bindparam("which"), clock_anchors.c.epoch == bindparam("life")
)
_STATES = Among(select(stop_states.c.stop_id, stop_states.c.state), stop_states.c.stop_id)
_NEW_STATE = insert(stop_states).values(stop_id=bindparam("which"), state=bindparam("folded"))
_CHANGED_STATE = (
    update(stop_states).where(stop_states.c.stop_id == bindparam("which")).values(state=bindparam("folded"))
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
    """A record ready to be kept. `problem` says why its body is not what its kind says; then `body` is None."""

    seq: int
    kind: str
    stop_id: str | None
    sha256: str
    text: str
    captured_ms: int
    has_time: bool
    problem: str | None
    body: Message | None
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

    def add(self, other: "Changes") -> None:
        self.vans |= other.vans
        self.forked |= other.forked
        self.stops |= other.stops
        self.blobs |= other.blobs


def apply_records(
    connection: Connection, sender: Sender, boot: int, batch: Sequence[NewRecord], now: datetime
) -> Changes:
    """Keep consecutive records of the events lane and fold the new ones; those known already change nothing."""
    first, last = batch[0].seq, batch[-1].seq
    span = {"which": sender.van, "life": sender.epoch, "first": first, "last": last}
    known = {row.seq: row.sha256 for row in execute_one(connection, _KNOWN, span)}
    received_ms = to_ms(now)
    fresh = [record for record in batch if record.seq not in known]
    anchors = _anchors(connection, sender, boot, fresh)
    execute_many(
        connection,
        _NEW_RECORD,
        [
            {
                "van": sender.van,
                "epoch": sender.epoch,
                "seq": record.seq,
                "kind": record.kind,
                "stop_id": record.stop_id,
                "sha256": record.sha256,
                "record": record.text,
                "boot": record.boot or boot,
                "captured_ms": record.captured_ms,
                "anchored_ms": anchors.get(record.seq),
                "received_ms": received_ms,
                "problem": record.problem,
            }
            for record in fresh
        ],
    )
    differing = [one for one in batch if known.get(one.seq, one.sha256) != one.sha256]
    _keep_forks(connection, sender, differing, now)
    _advance(connection, sender, Lane.EVENTS, (first, last))
    changes = Changes(vans={sender.van}, stops={record.stop_id for record in fresh if record.stop_id is not None})
    changes.forked |= {sender} if differing else set()
    heard(connection, sender.van, now)
    received_at = from_ms(received_ms)  # as precise as it is stored, so that a rebuild gives the same
    _fold_stops(
        connection, [(_origin(sender, record, anchors.get(record.seq), received_at), record) for record in fresh]
    )
    for record in fresh:
        if isinstance(record.body, ClockAnchored):
            changes.stops |= _anchor(connection, sender, record.seq, record.body)
    count_plans(connection, sender.van, [record.body for record in fresh if record.body is not None])
    return changes


def apply_track(
    connection: Connection, sender: Sender, first_seq: int, crumbs: Sequence[Breadcrumb | None], now: datetime
) -> Changes:
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
    heard(connection, sender.van, now)
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


def body_of(kind: str, text: str) -> Message | None:
    """The body of a stored record, as its kind's model; None for a kind we do not know and for a body that is none."""
    model = BODIES.get(kind)
    if model is None:
        return None
    try:
        return model.model_validate(loads(text.encode())["body"])
    except (WireError, ValueError, KeyError, TypeError):
        return None


def rebuild_stop_states(connection: Connection, stop_ids: Collection[str] | None = None) -> None:
    """Fold every record again from nothing, of these stops or of all; what comes out is what was there, or the fold or
    the dates of records have changed since.
    """
    which = records.c.stop_id.is_not(None) if stop_ids is None else records.c.stop_id.in_(stop_ids)
    connection.execute(
        delete(stop_states) if stop_ids is None else delete(stop_states).where(stop_states.c.stop_id.in_(stop_ids))
    )
    states: dict[str, StopState] = {}
    rows = connection.execute(select(records).where(which, records.c.problem.is_(None)))
    for row in rows.mappings():
        body = body_of(row["kind"], row["record"])
        if body is not None:
            stop_id = row["stop_id"]
            states[stop_id] = fold(states.get(stop_id, StopState(stop_id=stop_id)), [(_stored_origin(row), body)])
    if states:
        connection.execute(
            insert(stop_states),
            [{"stop_id": stop_id, "state": state.to_json()} for stop_id, state in states.items()],
        )


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
        record = Record.model_validate_json(row.record)
        if record.wall_source != "gps":
            anchored_ms = max(0, anchored.wall_ms - (anchored.mono_ms - record.mono_ms))
            one = told & (records.c.seq == row.seq)
            connection.execute(update(records).where(one).values(anchored_ms=anchored_ms))
            moved |= {row.stop_id} if row.stop_id is not None else set()
    if moved:
        rebuild_stop_states(connection, moved)
    return moved


def _fold_stops(connection: Connection, fresh: Iterable[tuple[Origin, NewRecord]]) -> None:
    about: dict[str, list[tuple[Origin, Message]]] = {}
    for origin, record in fresh:
        if record.stop_id is not None and record.body is not None:
            about.setdefault(record.stop_id, []).append((origin, record.body))
    texts: dict[str, str] = {row.stop_id: row.state for row in _STATES.rows(connection, about)}
    made: list[dict[str, str]] = []
    changed: list[dict[str, str]] = []
    for stop_id, facts in about.items():
        text = texts.get(stop_id)
        state = StopState(stop_id=stop_id) if text is None else StopState.from_json(text)
        (made if text is None else changed).append({"which": stop_id, "folded": fold(state, facts).to_json()})
    execute_many(connection, _NEW_STATE, made)
    execute_many(connection, _CHANGED_STATE, changed)


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


def _origin(sender: Sender, record: NewRecord, anchored_ms: int | None, received_at: datetime) -> Origin:
    captured_at = from_ms(record.captured_ms) if record.has_time else None
    captured_at = captured_at if anchored_ms is None else from_ms(anchored_ms)
    return Origin(van=sender.van, epoch=sender.epoch, seq=record.seq, captured_at=captured_at, received_at=received_at)


def _stored_origin(row: RowMapping) -> Origin:
    record = Record.model_validate_json(row["record"])
    captured_at = None if record.wall_source == "none" else from_ms(row["captured_ms"])
    return Origin(
        van=row["van"],
        epoch=row["epoch"],
        seq=row["seq"],
        captured_at=captured_at if row["anchored_ms"] is None else from_ms(row["anchored_ms"]),
        received_at=from_ms(row["received_ms"]),
    )
