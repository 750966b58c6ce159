"""Evidence as it comes in: chunks by content hash and offset, in any order, until all bytes are there and the hash is
right. Then the bytes are one row and the chunks are gone. Works within the caller's transaction.
"""

import hashlib
import logging
from collections.abc import Collection, Iterable
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, text, update

from cloud.store.cursor import Ranges, merge
from cloud.store.database import execute_many
from cloud.store.instants import to_ms
from cloud.store.parts import Among
from cloud.store.records import Changes
from cloud.store.tables import blob_chunks, blobs, wanted_blobs
from wire.envelope import BlobReceipt, ChunkHeader

RECENT_WHOLE = 100
"""How many finished blobs a van is told of when it comes back; the rest it learns by sending their first chunk."""

MOST_WANTED = 300
"""How many missing ones a van is asked for at once, so that the receipt fits its packet; the rest with the next."""

log = logging.getLogger(__name__)

_NOTHING_HELD = BlobReceipt()

# Made once: putting a statement together costs as much as running it, and these run for each chunk or hello.
_BLOB = select(blobs.c.total_bytes, blobs.c.is_whole).where(blobs.c.sha256 == bindparam("of_blob"))
_CHUNK = and_(blob_chunks.c.sha256 == bindparam("of_blob"), blob_chunks.c.offset_bytes == bindparam("at_offset"))
_CHUNK_LENGTH = select(func.length(blob_chunks.c.data)).where(_CHUNK)
_NEWEST = (
    select(blobs.c.sha256)
    .where(blobs.c.van == bindparam("of_van"))
    .order_by(blobs.c.received_ms.desc())
    .limit(RECENT_WHOLE)
)
_NEWEST_UNFINISHED, _NEWEST_WHOLE = (
    _NEWEST.where(blobs.c.is_whole.is_(False)),
    _NEWEST.where(blobs.c.is_whole.is_(True)),
)
_NEWEST_WANTED = (
    select(wanted_blobs.c.sha256)
    .outerjoin(blobs, and_(blobs.c.sha256 == wanted_blobs.c.sha256, blobs.c.is_whole))
    .where(wanted_blobs.c.van == bindparam("of_van"), blobs.c.sha256.is_(None))
    .order_by(wanted_blobs.c.named_ms.desc(), wanted_blobs.c.sha256)
    .limit(MOST_WANTED)
)
_WHOLE_AMONG = Among(select(blobs.c.sha256, blobs.c.total_bytes).where(blobs.c.is_whole), blobs.c.sha256)
_WANT = text(
    "INSERT INTO wanted_blobs (van, named_ms, sha256) VALUES (:van, :named_ms, :sha256) ON CONFLICT DO NOTHING"
)
_PIECES_OF = Among(
    select(blob_chunks.c.sha256, blob_chunks.c.offset_bytes, func.length(blob_chunks.c.data)), blob_chunks.c.sha256
)


def apply_chunk(connection: Connection, header: ChunkHeader, data: bytes, now: datetime) -> Changes:
    """Keep a chunk; when it was the last one missing, the blob becomes whole, or starts anew if its hash is wrong."""
    changes = Changes(vans={header.van})
    row = connection.execute(_BLOB, {"of_blob": header.sha256}).first()
    if row is not None and row.is_whole:
        return changes
    if row is not None and row.total_bytes != header.total_bytes:
        log.warning("blob %s is said to have %d bytes, then %d", header.sha256, row.total_bytes, header.total_bytes)
        _forget(connection, header.sha256)
        row = None
    if row is None:
        connection.execute(
            insert(blobs).values(
                sha256=header.sha256,
                van=header.van,
                total_bytes=header.total_bytes,
                is_whole=False,
                received_ms=to_ms(now),
            )
        )
    _keep(connection, header.sha256, header.offset_bytes, data)
    if held_ranges(connection, header.sha256) == ((0, header.total_bytes),):
        whole = _assembled(connection, header.sha256, header.total_bytes)
        if hashlib.sha256(whole).hexdigest() != header.sha256:
            # Some chunk was damaged and nobody can tell which. With nothing held, the receipt asks for all of it.
            log.error("blob %s from %s is complete but its hash is wrong: it starts anew", header.sha256, header.van)
            _forget(connection, header.sha256)
            return changes
        connection.execute(
            update(blobs)
            .where(blobs.c.sha256 == header.sha256)
            .values(is_whole=True, data=whole, van=header.van, received_ms=to_ms(now))
        )
        connection.execute(delete(blob_chunks).where(blob_chunks.c.sha256 == header.sha256))
        mine = (wanted_blobs.c.van == header.van) & (wanted_blobs.c.sha256 == header.sha256)
        connection.execute(delete(wanted_blobs).where(mine))
        changes.blobs.add(header.sha256)
    return changes


def held_ranges(connection: Connection, sha256: str) -> Ranges:
    """Which bytes of an unfinished blob are here: (start, end), end excluded."""
    return merge((start, start + length) for _, start, length in _PIECES_OF.rows(connection, (sha256,)))


def blob_receipts(connection: Connection, sha256s: Collection[str]) -> dict[str, BlobReceipt]:
    """What to tell a van about blobs; nothing held of one that was never heard of."""
    whole: dict[str, BlobReceipt] = {}
    pieces: dict[str, list[tuple[int, int]]] = {}
    for sha256, total_bytes in _WHOLE_AMONG.rows(connection, sha256s):
        whole[sha256] = BlobReceipt(held=((0, total_bytes),), is_whole=True)
    for sha256, start, length in _PIECES_OF.rows(connection, sha256s):
        pieces.setdefault(sha256, []).append((start, start + length))
    held = {sha256: BlobReceipt(held=merge(ranges)) for sha256, ranges in pieces.items()}
    return {sha256: whole.get(sha256) or held.get(sha256) or _NOTHING_HELD for sha256 in sorted(sha256s)}


def blobs_of_van(connection: Connection, van: str) -> tuple[str, ...]:
    """The van's unfinished blobs, and the newest finished ones."""
    unfinished = connection.execute(_NEWEST_UNFINISHED, {"of_van": van}).scalars().all()
    return (*unfinished, *connection.execute(_NEWEST_WHOLE, {"of_van": van}).scalars().all())


def want_blobs(connection: Connection, wanted: Iterable[tuple[str, str]], now: datetime) -> None:
    """Remember evidence (van, sha256) that new records name and that is not whole here."""
    named_ms = to_ms(now)
    execute_many(
        connection, _WANT, [{"van": van, "named_ms": named_ms, "sha256": sha256} for van, sha256 in sorted(wanted)]
    )


def wanted_blobs_of(connection: Connection, van: str) -> tuple[str, ...]:
    """The evidence that a van's records name and that is not whole here, newest first."""
    return tuple(connection.execute(_NEWEST_WANTED, {"of_van": van}).scalars())


def whole_blob(connection: Connection, sha256: str) -> bytes | None:
    """The bytes of a blob; None until all are here and their hash is right."""
    return connection.execute(select(blobs.c.data).where(blobs.c.sha256 == sha256, blobs.c.is_whole.is_(True))).scalar()


def _keep(connection: Connection, sha256: str, offset_bytes: int, data: bytes) -> None:
    here = {"of_blob": sha256, "at_offset": offset_bytes}
    length = connection.execute(_CHUNK_LENGTH, here).scalar()
    if length is None:
        connection.execute(insert(blob_chunks).values(sha256=sha256, offset_bytes=offset_bytes, data=data))
    elif length < len(data):  # cut differently this time
        connection.execute(update(blob_chunks).where(_CHUNK), {**here, "data": data})


def _assembled(connection: Connection, sha256: str, total_bytes: int) -> bytes:
    whole = bytearray(total_bytes)
    rows = connection.execute(
        select(blob_chunks.c.offset_bytes, blob_chunks.c.data)
        .where(blob_chunks.c.sha256 == sha256)
        .order_by(blob_chunks.c.offset_bytes)
    )
    for offset_bytes, data in rows:
        whole[offset_bytes : offset_bytes + len(data)] = data
    return bytes(whole)


def _forget(connection: Connection, sha256: str) -> None:
    connection.execute(delete(blob_chunks).where(blob_chunks.c.sha256 == sha256))
    connection.execute(delete(blobs).where(blobs.c.sha256 == sha256))
