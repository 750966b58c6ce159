"""What is on its way and not receipted: how much there may be, when to send it again, when the link has stopped.

Pure: `now_s` is the event loop's time, which never jumps and never runs fast.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.link.backoff import Backoff
from agent.link.outbound import Parcel, first_gap
from wire.envelope import MAX_CHUNK_BYTES, BlobReceipt, LaneReceipt
from wire.topics import Lane

LIMIT = 6
TRACK_LIMIT = 4
"""Breadcrumbs never take the whole window: an event finds room at once."""
FIRST_PIECE_BYTES = LEAST_PIECE_BYTES = 4_096
SLOW_S, QUICK_S = 0.45, 0.25
"""A chunk that took longer to be answered makes the next ones smaller, one that was quicker makes them bigger."""
MOST_CHUNKS = 8
ROOM_S = 0.30
"""Full chunks that are answered sooner may be one more: most of the time then passes between a chunk and its receipt.
With three under way 16 kB take 0.39 s at 1 Mbit/s, and three stay; at 256 kbit/s one alone takes 0.6 s."""
AGAIN = Backoff(first_s=2.0, longest_s=30.0)


@dataclass(frozen=True)
class _Sent:
    parcel: Parcel
    sent_s: float
    tries: int = 0

    @property
    def due_s(self) -> float:
        return self.sent_s + AGAIN.wait_s(self.tries)


class Window:
    """Batches under way on the lanes of records."""

    def __init__(self) -> None:
        self._sent: list[_Sent] = []

    def has_room(self, lane: Lane) -> bool:
        of_track = sum(sent.parcel.topic.lane is Lane.TRACK for sent in self._sent)
        return self.room > 0 and (lane is not Lane.TRACK or of_track < TRACK_LIMIT)

    @property
    def room(self) -> int:
        """Batches of events that may be sent now."""
        return LIMIT - len(self._sent)

    def parcels(self) -> list[Parcel]:
        return [sent.parcel for sent in self._sent]

    def add(self, parcel: Parcel, now_s: float) -> None:
        self._sent.append(_Sent(parcel, now_s))

    def due(self, now_s: float) -> list[Parcel]:
        """What was not receipted in time; counted as sent again now."""
        again = [sent.parcel for sent in self._sent if sent.due_s <= now_s]
        self._sent = [
            replace(sent, sent_s=now_s, tries=sent.tries + 1) if sent.due_s <= now_s else sent for sent in self._sent
        ]
        return again

    def receipted(self, epoch: str, lane: str, receipt: LaneReceipt) -> None:
        """Takes out what a receipt covers as a whole; one covered in part is sent again in time."""
        self._sent = [
            sent
            for sent in self._sent
            if (sent.parcel.epoch, sent.parcel.topic.lane) != (epoch, lane) or not _covers(receipt, sent.parcel)
        ]

    def next_due_s(self) -> float | None:
        return min((sent.due_s for sent in self._sent), default=None)

    def clear(self) -> None:
        """The link is gone: what is not receipted is chosen anew from the outbox."""
        self._sent = []


@dataclass(frozen=True)
class Chunk:
    """A piece of evidence that is on its way."""

    sha256: str
    offset_bytes: int
    length: int
    sent_s: float
    tries: int = 0
    among: int = 1
    """So many were under way with it, as it was sent."""

    @property
    def due_s(self) -> float:
        return self.sent_s + AGAIN.wait_s(self.tries)


class ChunkWindow:
    """Evidence under way: so much that the link is busy, and so little that a stop event never waits long behind it.
    On a slow link that is a part of one chunk.

    What the coordinator holds of a blob is remembered while we run; after a restart its first receipt tells it all.
    """

    def __init__(self) -> None:
        self._under_way: list[Chunk] = []
        self._held: dict[str, tuple[tuple[int, int], ...]] = {}
        self._piece_bytes = FIRST_PIECE_BYTES
        self._most = 1

    @property
    def is_empty(self) -> bool:
        return not self._under_way

    @property
    def newest(self) -> Chunk | None:
        return self._under_way[-1] if self._under_way else None

    def next_piece(self, sha256: str, total_bytes: int, now_s: float) -> tuple[int, int] | None:
        """(start, length) to send next; None while all that is missing is on its way.

        When only the word "whole" is missing, the first piece is sent to ask.
        """
        waited_for = [chunk for chunk in self._under_way if chunk.sha256 == sha256 and chunk.due_s > now_s]
        on_its_way = [(chunk.offset_bytes, chunk.offset_bytes + chunk.length) for chunk in waited_for]
        gap = first_gap((*self._held.get(sha256, ()), *on_its_way), total_bytes)
        if gap is None:
            return None if waited_for else (0, min(1024, total_bytes))
        start, length = gap
        return start, min(length, self._piece_bytes)

    def sent(self, sha256: str, offset_bytes: int, length: int, now_s: float) -> None:
        tries = 0
        for chunk in self._under_way:
            if (chunk.sha256, chunk.offset_bytes) == (sha256, offset_bytes):
                tries = chunk.tries + 1
        # What was due and is not sent again belongs to a blob that others have overtaken: its turn comes anew.
        self._under_way = [
            chunk
            for chunk in self._under_way
            if chunk.due_s > now_s and (chunk.sha256, chunk.offset_bytes) != (sha256, offset_bytes)
        ]
        self._under_way.append(Chunk(sha256, offset_bytes, length, now_s, tries, len(self._under_way) + 1))
        self._most = self._most if tries == 0 else 1

    def receipted(self, sha256: str, receipt: BlobReceipt, now_s: float) -> None:
        if receipt.is_whole:
            self._held.pop(sha256, None)
        else:
            self._held[sha256] = receipt.held
        still = []
        for chunk in self._under_way:
            if chunk.sha256 == sha256 and (receipt.is_whole or _holds(receipt, chunk)):
                self._learn(chunk, now_s - chunk.sent_s)
            else:
                still.append(chunk)
        self._under_way = still

    def _learn(self, chunk: Chunk, took_s: float) -> None:
        if chunk.tries or took_s > SLOW_S:
            if self._most == 1:
                self._piece_bytes = max(LEAST_PIECE_BYTES, self._piece_bytes // 2)
            self._most = max(1, self._most - 1)
            return
        # The short end of a blob is quick on any link, and one that had the link to itself says nothing of several.
        if took_s < QUICK_S and chunk.length >= self._piece_bytes:
            self._piece_bytes = min(MAX_CHUNK_BYTES, self._piece_bytes * 2)
        if took_s < ROOM_S and chunk.length == MAX_CHUNK_BYTES and chunk.among >= self._most:
            self._most = min(MOST_CHUNKS, self._most + 1)

    def is_free(self, now_s: float) -> bool:
        """There is room for a chunk, or one that is under way is due again."""
        waited_for = sum(chunk.due_s > now_s for chunk in self._under_way)
        return waited_for < self._most

    def next_due_s(self) -> float | None:
        return min((chunk.due_s for chunk in self._under_way), default=None)

    def clear(self) -> None:
        self._under_way = []
        self._most = 1


class Pulse:
    """Whether receipts flow. A link that takes packets and answers none looks healthy to everyone else."""

    def __init__(self) -> None:
        self._has_answered = False
        self._silent_since_s: float | None = None

    def connected(self) -> None:
        self._has_answered = False
        self._silent_since_s = None

    def sent(self, now_s: float) -> None:
        if self._silent_since_s is None:
            self._silent_since_s = now_s

    def receipted(self, now_s: float, *, is_more_waiting: bool) -> None:
        self._has_answered = True
        self._silent_since_s = now_s if is_more_waiting else None

    def silent_s(self, now_s: float) -> float:
        """For how long something sent has gone unanswered."""
        return 0.0 if self._silent_since_s is None else now_s - self._silent_since_s

    def is_beating(self, now_s: float, *, is_anything_waiting: bool, patience_s: float) -> bool:
        """Receipts flow, or there is nothing to be receipted."""
        return not is_anything_waiting or (self._has_answered and self.silent_s(now_s) < patience_s)


def _holds(receipt: BlobReceipt, chunk: Chunk) -> bool:
    """A refused chunk stays under way until its time is up: it must not circle at the speed of the link."""
    end = chunk.offset_bytes + chunk.length
    return any(start <= chunk.offset_bytes and end <= stop for start, stop in receipt.held)


def _covers(receipt: LaneReceipt, parcel: Parcel) -> bool:
    spans: Sequence[tuple[int, int]] = ((1, receipt.contiguous_seq), *receipt.ranges)
    return any(first <= parcel.first and parcel.last <= last for first, last in _joined(spans))


def _joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined
