"""What goes up next, and what is under way: the lanes of the outbox in their order, until they are receipted.

Everything here runs on the event loop's own time. A row leaves the outbox on a receipt and on nothing else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from agent.link import outbound
from agent.link.outbound import Parcel, Sender, UnsendableError
from agent.link.window import ChunkWindow, Pulse, Window
from agent.store.blobs import WaitingBlob
from agent.store.outbox import LaneName, SeqRange
from agent.store.store import Store
from wire import topics
from wire.envelope import Receipts
from wire.manifest import EvidenceKind
from wire.topics import Lane, Topic

log = logging.getLogger(__name__)

Publish = Callable[[Topic, bytes], bool]
"""False when there is no link."""


class Drain:
    """`begin` with each connection, `send` whenever there may be room, `receipted` for what came back."""

    def __init__(
        self, store: Store, sender: Sender, publish: Publish, spoiled: Callable[[str], Awaitable[object]]
    ) -> None:
        """`spoiled` hears of evidence (its sha256) that is no longer what it was."""
        self.pulse = Pulse()
        self._store = store
        self._sender = sender
        self._publish = publish
        self._say_spoiled = spoiled
        self._window = Window()
        self._chunks = ChunkWindow()
        self._newest_crumb_sent: tuple[str, int] = ("", 0)
        self._unsendable: list[SeqRange] = []
        self._intact: set[str] = set()
        self._spoiled: set[str] = set()
        """Of the evidence that waits: what was found to have its own hash, and what was not."""

    def begin(self) -> None:
        """A new connection: everything unreceipted is chosen anew."""
        self.end()
        self.pulse.connected()
        self._newest_crumb_sent = ("", 0)

    def end(self) -> None:
        """The connection is gone, and what was under way with it."""
        self._window.clear()
        self._chunks.clear()

    def receipted(self, receipts: Receipts) -> None:
        """These are on the coordinator's disk, and marked on ours."""
        for lane, receipt in receipts.lanes.items():
            self._window.receipted(receipts.epoch, lane, receipt)
        for sha256, held in receipts.blobs.items():
            self._chunks.receipted(sha256, held, _loop_s())
        is_more_waiting = bool(self._window.parcels()) or not self._chunks.is_empty
        self.pulse.receipted(_loop_s(), is_more_waiting=is_more_waiting)

    def next_due_s(self) -> float | None:
        """When something is to be sent again; None when nothing is under way."""
        due = [moment for moment in (self._window.next_due_s(), self._chunks.next_due_s()) if moment is not None]
        return min(due, default=None)

    async def send(self, is_up: Callable[[], bool]) -> None:
        """All there is room for, the most pressing first, for as long as there is a link. Raises StoreError."""
        for parcel in self._window.due(_loop_s()):
            self._publish(parcel.topic, parcel.packet)
        while is_up() and await self._send_next():
            pass

    async def _send_next(self) -> bool:
        """The most pressing thing there is room for; False when there is none."""
        blob = await self._next_blob()
        return (
            await self._send_events()
            or (blob is not None and blob.kind is EvidenceKind.SIGNATURE and await self._send_chunk(blob))
            or await self._send_track(fresh=True)
            or (blob is not None and await self._send_chunk(blob))
            or await self._send_track(fresh=False)
        )

    async def _send_events(self) -> bool:
        if not self._window.has_room(Lane.EVENTS):
            return False
        at_once = outbound.MAX_EVENTS * self._window.room
        rows = await self._store.next_unreceipted("events", at_once, self._under_way("events"))
        is_done = False
        while rows and self._window.has_room(Lane.EVENTS):
            try:
                parcel = outbound.events_parcel(self._sender, rows)
            except UnsendableError as error:
                log.error("%s; what comes behind it goes on", error)
                self._unsendable.append(SeqRange(error.row.epoch, "events", error.row.seq, error.row.seq))
                rows, is_done = rows[1:], True
                continue
            if not self._send(parcel):
                break
            is_done = True
            rows = rows[parcel.last - parcel.first + 1 :]
        return is_done

    async def _send_track(self, *, fresh: bool) -> bool:
        """The crumbs newer than any sent on this connection; or else the oldest that wait."""
        if not self._window.has_room(Lane.TRACK):
            return False
        rows = await self._store.next_unreceipted("track", outbound.MAX_CRUMBS, self._under_way("track"), newest=fresh)
        if fresh:
            epoch, seq = self._newest_crumb_sent
            rows = [row for row in rows if row.epoch != epoch or row.seq > seq]
        if not rows:
            return False
        parcel = outbound.track_parcel(self._sender, rows, newest=fresh)
        if fresh:
            self._newest_crumb_sent = (parcel.epoch, parcel.last)
        return self._send(parcel)

    async def _next_blob(self) -> WaitingBlob | None:
        if self._store.waiting.blobs == 0 or not self._chunks.is_free(_loop_s()):
            return None
        for blob in await self._store.waiting_blobs():
            if blob.sha256 in self._intact:
                return blob
            if blob.sha256 in self._spoiled:
                continue
            if await self._store.is_blob_intact(blob.sha256):
                self._intact.add(blob.sha256)
                return blob
            self._spoiled.add(blob.sha256)  # it could never become whole; what is behind it goes on
            log.error("evidence %s is damaged on our disk", blob.sha256)
            await self._say_spoiled(blob.sha256)
        return None

    async def _send_chunk(self, blob: WaitingBlob) -> bool:
        piece = self._chunks.next_piece(blob.sha256, blob.size_bytes, _loop_s())
        if piece is None:
            return False
        start, length = piece
        data = await self._store.blob_piece(blob.sha256, start, length)
        packet = outbound.chunk_packet(
            self._sender,
            self._store.identity.epoch,
            sha256=blob.sha256,
            total_bytes=blob.size_bytes,
            offset_bytes=start,
            data=data,
        )
        if not self._publish(topics.BLOBS, packet):
            return False
        self._chunks.sent(blob.sha256, start, length, _loop_s())
        self.pulse.sent(_loop_s())
        return True

    def _send(self, parcel: Parcel) -> bool:
        if not self._publish(parcel.topic, parcel.packet):
            return False
        self._window.add(parcel, _loop_s())
        self.pulse.sent(_loop_s())
        return True

    def _under_way(self, lane: LaneName) -> list[SeqRange]:
        sent = [parcel for parcel in self._window.parcels() if parcel.topic.lane == lane]
        return [*self._unsendable, *(SeqRange(parcel.epoch, lane, parcel.first, parcel.last) for parcel in sent)]


def _loop_s() -> float:
    return asyncio.get_running_loop().time()
