"""Records in batches, chunks of evidence, and the receipts that free them.

Identity of a record is (van, epoch, lane, seq) plus the hash of its content: the same identity with another hash is a
fork (a cloned or restored store) and never an update.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from wire.manifest import SCHEMA
from wire.model import Count, Epoch, Message, Name, Sha256, UnixMs

Seq = Annotated[int, Field(ge=1, lt=2**53)]
MAX_CHUNK_BYTES = 16_384
MAX_BLOB_BYTES = 4_000_000
MAX_RECORDS = 500


class Record(Message):
    """One thing the van says. `wall_ms` may be wrong; `wall_source` and `wall_err_ms` say how far to trust it."""

    kind: Annotated[str, Field(min_length=1, max_length=64)]
    wall_ms: UnixMs
    wall_source: Literal["gps", "system", "none"]
    wall_err_ms: int | None = None
    mono_ms: Count
    """Milliseconds since the boot it was captured in, by the clock that never jumps."""
    boot: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    """The boot it was captured in; it may be sent in a later one."""
    manifest_version: int = 0
    body: dict[str, Any]
    seal: Any = None
    """A `wire.seal.Seal`. Not read as one here: a seal that cannot be read spoils no record."""


class Batch(Message):
    """Consecutive records of the events lane: `records[i]` has seq `first_seq + i`."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    epoch: Epoch
    boot: Annotated[int, Field(ge=1, lt=2**31)]
    lane: Literal["events"]
    first_seq: Seq
    records: Annotated[tuple[Record, ...], Field(min_length=1, max_length=MAX_RECORDS)]


class ChunkHeader(Message):
    """Travels before the raw bytes of one piece of a blob; see `wire.codec.pack_chunk`."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    epoch: Epoch
    sha256: Sha256
    offset_bytes: Annotated[int, Field(ge=0)]
    total_bytes: Annotated[int, Field(gt=0, le=MAX_BLOB_BYTES)]


class LaneReceipt(Message):
    """Everything up to and including `contiguous_seq` is durable at the coordinator; so are the ranges beyond it."""

    contiguous_seq: Annotated[int, Field(ge=0)]
    ranges: tuple[tuple[int, int], ...] = ()
    """Inclusive (first, last) pairs beyond the contiguous part."""
    head_sha256: Sha256 | None = None
    """Of the record at `contiguous_seq`, as it was said; in a resume of the events lane."""


class BlobReceipt(Message):
    """Which bytes of a blob are durable: (start, end), end excluded. `is_whole`: all are, and the hash is right."""

    held: tuple[tuple[int, int], ...] = ()
    is_whole: bool = False


class Receipts(Message):
    """The coordinator's answer after its synced commit; only this frees a row of the van's outbox."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    epoch: Epoch
    lanes: dict[Literal["events", "track"], LaneReceipt] = {}
    blobs: dict[Sha256, BlobReceipt] = {}
    """One that is held in no part and not whole is asked for, also when it was receipted before."""
    is_resume: bool = False
    """All that stands of this epoch: what the van still keeps and this does not cover is asked for again."""
    forked: tuple[tuple[Seq, Sha256], ...] = ()
    """Records of the events lane that came under a seq which holds another: the store was copied. They are kept aside
    and asked for again, under an epoch of their own."""
