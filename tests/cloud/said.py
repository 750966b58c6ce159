"""What vans say, for tests of the coordinator: records, batches, chunks, and the packets they travel in."""

import hashlib
from collections.abc import Sequence
from typing import Any

from tests.builders import MORNING
from wire import topics
from wire.codec import encode, pack_chunk
from wire.envelope import Batch, ChunkHeader, Record
from wire.events import Outcome, ProofCaptured, StopArrived, StopCompleted, StopFailed
from wire.manifest import EvidenceKind
from wire.model import Message
from wire.topics import Topic

FLEET = "town"
VAN = "van-1"
EPOCH = "00000000000000aa"
OTHER_EPOCH = "00000000000000bb"
MORNING_MS = int(MORNING.timestamp() * 1000)

KINDS = {
    StopArrived: "stop.arrived",
    StopCompleted: "stop.completed",
    StopFailed: "stop.failed",
    ProofCaptured: "proof.captured",
}


def a_record(body: Message | dict[str, Any], kind: str | None = None, *, after_ms: int = 0, **changes: Any) -> Record:
    """A record captured `after_ms` into the morning; its kind is the body's."""
    fields: dict[str, Any] = {
        "kind": kind if kind is not None else KINDS[type(body)],  # type: ignore[index]
        "wall_ms": MORNING_MS + after_ms,
        "wall_source": "gps",
        "mono_ms": after_ms,
        "body": body.model_dump(mode="json") if isinstance(body, Message) else body,
    }
    return Record(**{**fields, **changes})


def arrived(stop_id: str = "s1", **changes: Any) -> StopArrived:
    return StopArrived(stop_id=stop_id, **changes)


def completed(stop_id: str = "s1", **changes: Any) -> StopCompleted:
    return StopCompleted(**{"stop_id": stop_id, "outcome": Outcome.TO_RECIPIENT, **changes})


def proof_of(data: bytes, stop_id: str = "s1") -> ProofCaptured:
    return ProofCaptured(
        stop_id=stop_id,
        evidence_kind=EvidenceKind.PHOTO,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        media_type="image/jpeg",
    )


def a_batch(records: Sequence[Record], first_seq: int = 1, van: str = VAN, epoch: str = EPOCH) -> Batch:
    return Batch(van=van, epoch=epoch, boot=1, lane="events", first_seq=first_seq, records=tuple(records))


def chunks_of(
    data: bytes, size_bytes: int = 1000, van: str = VAN, epoch: str = EPOCH
) -> list[tuple[ChunkHeader, bytes]]:
    """A blob cut into pieces, in order."""
    return [
        (
            ChunkHeader(
                van=van,
                epoch=epoch,
                sha256=hashlib.sha256(data).hexdigest(),
                offset_bytes=start,
                total_bytes=len(data),
            ),
            data[start : start + size_bytes],
        )
        for start in range(0, len(data), size_bytes)
    ]


def on(topic: Topic, van: str = VAN) -> str:
    return topic.of(FLEET, van)


def batch_packet(
    records: Sequence[Record], first_seq: int = 1, van: str = VAN, epoch: str = EPOCH
) -> tuple[str, bytes]:
    """(topic, payload) of a batch of events."""
    return on(topics.EVENTS, van), encode(a_batch(records, first_seq, van, epoch))


def chunk_packet(header: ChunkHeader, data: bytes) -> tuple[str, bytes]:
    return on(topics.BLOBS, header.van), pack_chunk(header, data)
