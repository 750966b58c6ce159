"""Which rows travel in which packet. Pure: rows in, packets out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import ValidationError

from wire import codec, topics
from wire.codec import TooBigError
from wire.envelope import MAX_CHUNK_BYTES, ChunkHeader
from wire.manifest import SCHEMA
from wire.track import Breadcrumb, Dropped, GivenUp, TrackBatch, to_columns

MAX_EVENTS = 50
MAX_CRUMBS = 300


class Row(Protocol):
    """One waiting record of a lane, as JSON."""

    @property
    def epoch(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def record_json(self) -> str: ...


@dataclass(frozen=True)
class Parcel:
    """A packet on its way, and the seqs of one lane that it carries (both ends included)."""

    topic: topics.Topic
    packet: bytes
    epoch: str
    first: int
    last: int


@dataclass(frozen=True)
class Sender:
    """Whose packets these are."""

    van: str
    boot: int


class UnsendableError(ValueError):
    """A single record that does not fit a packet; everything behind it must not wait for it."""

    def __init__(self, row: Row, why: str) -> None:
        super().__init__(f"record {row.seq} of epoch {row.epoch} cannot be sent: {why}")
        self.row = row


def events_parcel(sender: Sender, rows: Sequence[Row]) -> Parcel:
    """As many of the first rows as are consecutive and fit one packet.

    Raises UnsendableError when the first alone does not.
    """
    together = _consecutive(rows, MAX_EVENTS)
    while True:
        # Word for word as it was saved, and not through today's model of a record: one that is sent again by a newer
        # agent must have the same hash, or it would look like a fork.
        head = {
            "schema": SCHEMA,
            "van": sender.van,
            "epoch": together[0].epoch,
            "boot": sender.boot,
            "lane": "events",
            "first_seq": together[0].seq,
        }
        records = ",".join(row.record_json for row in together)
        text = json.dumps(head, separators=(",", ":"))[:-1] + f',"records":[{records}]}}'
        try:
            return _parcel(topics.EVENTS, codec.encode_text(text, level=3), together)
        except TooBigError as error:
            if len(together) == 1:
                raise UnsendableError(together[0], str(error)) from error
            together = together[: len(together) // 2]


def track_parcel(sender: Sender, rows: Sequence[Row], *, newest: bool = False) -> Parcel:
    """As many of the first (or the newest) rows as are consecutive, 300 at most, as columns."""
    together = _consecutive(rows[::-1], MAX_CRUMBS, step=-1)[::-1] if newest else _consecutive(rows, MAX_CRUMBS)
    crumbs = [_crumb(row) for row in together]
    columns = to_columns([crumb if isinstance(crumb, Breadcrumb) else None for crumb in crumbs])
    gaps = [(row.seq, crumb.why) for row, crumb in zip(together, crumbs, strict=True) if isinstance(crumb, GivenUp)]
    batch = TrackBatch.model_validate(
        {
            "van": sender.van,
            "epoch": together[0].epoch,
            "boot": sender.boot,
            "lane": "track",
            "first_seq": together[0].seq,
            **columns,
            "dropped": _gaps(gaps),
        }
    )
    return _parcel(topics.TRACK, codec.encode(batch), together)


def chunk_packet(sender: Sender, epoch: str, *, sha256: str, total_bytes: int, offset_bytes: int, data: bytes) -> bytes:
    """One piece of evidence, of at most 16 kB."""
    header = ChunkHeader(van=sender.van, epoch=epoch, sha256=sha256, offset_bytes=offset_bytes, total_bytes=total_bytes)
    return codec.pack_chunk(header, data)


def first_gap(held: Sequence[tuple[int, int]], total_bytes: int) -> tuple[int, int] | None:
    """Where the coordinator's copy has its first hole: (start, length), a chunk long at most; None when it has none.

    `held` are (start, end) ranges in any order, end excluded; they may overlap.
    """
    covered = 0
    for start, end in sorted(held):
        if start > covered:
            return covered, min(MAX_CHUNK_BYTES, start - covered)
        covered = max(covered, end)
    return (covered, min(MAX_CHUNK_BYTES, total_bytes - covered)) if covered < total_bytes else None


def _crumb(row: Row) -> Breadcrumb | GivenUp:
    try:
        return Breadcrumb.model_validate_json(row.record_json)
    except ValidationError:
        return GivenUp.model_validate_json(row.record_json)


def _gaps(dropped: Sequence[tuple[int, str]]) -> tuple[Dropped, ...]:
    """Seqs that were given up, with why, as the fewest ranges."""
    gaps: list[Dropped] = []
    for seq, why in dropped:
        if gaps and (gaps[-1].last_seq, gaps[-1].why) == (seq - 1, why):
            gaps[-1] = gaps[-1].model_copy(update={"last_seq": seq})
        else:
            gaps.append(Dropped(first_seq=seq, last_seq=seq, why=why))
    return tuple(gaps)


def _consecutive[R: Row](rows: Sequence[R], limit: int, step: int = 1) -> Sequence[R]:
    count = 1
    while count < min(len(rows), limit):
        row = rows[count]
        if row.epoch != rows[0].epoch or row.seq != rows[0].seq + step * count:
            break
        count += 1
    return rows[:count]


def _parcel(topic: topics.Topic, packet: bytes, rows: Sequence[Row]) -> Parcel:
    return Parcel(topic, packet, rows[0].epoch, rows[0].seq, rows[-1].seq)
