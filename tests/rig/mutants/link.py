"""Faults between the van and what comes to it: receipts, packets, commands and lists."""

from typing import Any
from unittest import mock

import agent.drain
import agent.link.outbound
import agent.store.outbox
import agent.trip.decide
from agent.store.database import Database as VanDatabase
from tests.rig.mutants.plant import planted, wrapped
from wire.envelope import BlobReceipt, LaneReceipt, Receipts


@planted("a row is done with when it was published (PUBACK)")
def _() -> Any:
    def make(original: Any) -> Any:
        async def send_events(self: Any) -> bool:
            has_sent: bool = await original(self)
            if has_sent:
                for parcel in self._window.parcels():
                    if parcel.topic.lane == "events":
                        receipt = LaneReceipt(contiguous_seq=0, ranges=((parcel.first, parcel.last),))
                        receipts = Receipts(epoch=parcel.epoch, lanes={"events": receipt})
                        await self._store.apply_receipts(receipts, at_ms=0)
            return has_sent

        return send_events

    return wrapped(agent.drain.Drain, "_send_events", make)


@planted("a receipt is read as its highest seq, gaps and all")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(database: VanDatabase, epoch: str, lane: Any, receipt: LaneReceipt, at_ms: int) -> int:
            top = max([receipt.contiguous_seq, *(last for _, last in receipt.ranges)])
            answer: int = original(database, epoch, lane, LaneReceipt(contiguous_seq=top), at_ms)
            return answer

        return apply

    return wrapped(agent.store.outbox, "apply_receipt", make)


@planted("a receipt of another epoch is taken for ours")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(database: VanDatabase, _epoch: str, lane: Any, receipt: LaneReceipt, at_ms: int) -> int:
            rows = database.execute("SELECT epoch FROM epochs ORDER BY epoch_id")
            return sum(original(database, str(row[0]), lane, receipt, at_ms) for row in rows)

        return apply

    return wrapped(agent.store.outbox, "apply_receipt", make)


@planted("a receipt of the track frees events")
def _() -> Any:
    def make(original: Any) -> Any:
        def apply(database: VanDatabase, epoch: str, _lane: Any, receipt: LaneReceipt, at_ms: int) -> int:
            return sum(original(database, epoch, lane, receipt, at_ms) for lane in ("events", "track"))

        return apply

    return wrapped(agent.store.outbox, "apply_receipt", make)


@planted("evidence is done with when its last piece was sent")
def _() -> Any:
    def make(original: Any) -> Any:
        async def send_chunk(self: Any, blob: Any) -> bool:
            has_sent: bool = await original(self, blob)
            chunk = self._chunks.newest
            if has_sent and chunk is not None and chunk.offset_bytes + chunk.length >= blob.size_bytes:
                whole = {blob.sha256: BlobReceipt(held=((0, blob.size_bytes),), is_whole=True)}
                receipts = Receipts(epoch=self._store.identity.epoch, blobs=whole)
                await self._store.apply_receipts(receipts, at_ms=0)
            return has_sent

        return send_chunk

    return wrapped(agent.drain.Drain, "_send_chunk", make)


@planted("a batch is numbered from its first row, gaps or not")
def _() -> Any:
    return mock.patch.object(agent.link.outbound, "_consecutive", lambda rows, limit, step=1: rows[:limit])


@planted("a command said again is done again")
def _() -> Any:
    def make(original: Any) -> Any:
        return lambda run, arrived, now: original(run.model_copy(update={"commands_done": ()}), arrived, now)

    return wrapped(agent.trip.decide, "command_arrived", make)


@planted("a list said again begins the day anew")
def _() -> Any:
    def make(original: Any) -> Any:
        return lambda run, arrived, now: original(
            run.model_copy(update={"manifest": None, "manifest_hash": "", "stops": ()}), arrived, now
        )

    return wrapped(agent.trip.decide, "manifest_arrived", make)
