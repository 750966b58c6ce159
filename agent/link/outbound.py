"""Which rows travel in which packet. Pure: rows in, packets out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from wire import codec, topics
from wire.codec import TooBigError
from wire.envelope import MAX_CHUNK_BYTES, Batch, ChunkHeader, Record
from wire.track import Breadcrumb, TrackBatch, to_columns

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
        batch = Batch(
            van=sender.van,
            epoch=together[0].epoch,
            boot=sender.boot,
            lane="events",
            first_seq=together[0].seq,
            records=tuple(Record.model_validate_json(row.record_json) for row in together),
        )
        try:
            return _parcel(topics.EVENTS, codec.encode(batch), together)
        except TooBigError as error:
            if len(together) == 1:
                raise UnsendableError(together[0], str(error)) from error
            together = together[: len(together) // 2]


def track_parcel(sender: Sender, rows: Sequence[Row], *, newest: bool = False) -> Parcel:
    """As many of the first (or the newest) rows as are consecutive, 300 at most, as columns."""
    together = _consecutive(rows[::-1], MAX_CRUMBS, step=-1)[::-1] if newest else _consecutive(rows, MAX_CRUMBS)
    columns = to_columns([Breadcrumb.model_validate_json(row.record_json) for row in together])
    batch = TrackBatch.model_validate(
        {
            "van": sender.van,
            "epoch": together[0].epoch,
            "boot": sender.boot,
            "lane": "track",
            "first_seq": together[0].seq,
            **columns,
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
