"""Evidence by content hash: kept until it is whole at the coordinator, and 72 hours more."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agent.store.database import Database
from wire.manifest import EvidenceKind


@dataclass(frozen=True)
class NewBlob:
    """Bytes to be kept, in the transaction of the input that names them."""

    sha256: str
    kind: EvidenceKind
    media_type: str
    data: bytes


@dataclass(frozen=True)
class StoredBlob:
    media_type: str
    data: bytes


@dataclass(frozen=True)
class WaitingBlob:
    """One that the coordinator does not hold as a whole."""

    sha256: str
    kind: EvidenceKind
    size_bytes: int


def add(database: Database, blob: NewBlob, at_ms: int) -> None:
    """The same bytes for a second stop are kept once."""
    fresh = database.execute(
        "INSERT INTO blobs (sha256, kind, media_type, size_bytes, created_ms) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING RETURNING sha256",
        (blob.sha256, blob.kind, blob.media_type, len(blob.data), at_ms),
    )
    if fresh:
        database.execute("INSERT INTO blob_bytes (sha256, bytes) VALUES (?, ?)", (blob.sha256, blob.data))


def find(database: Database, sha256: str) -> StoredBlob | None:
    rows = database.execute(
        "SELECT media_type, bytes FROM blobs JOIN blob_bytes USING (sha256) WHERE sha256 = ?", (sha256,)
    )
    if not rows:
        return None
    media_type, data = rows[0]
    assert isinstance(data, bytes)
    return StoredBlob(str(media_type), data)


def piece(database: Database, sha256: str, start: int, length: int) -> bytes:
    """`length` bytes from `start`, without reading the rest; fewer at the end, none for an unknown hash."""
    rows = database.execute("SELECT substr(bytes, ?, ?) FROM blob_bytes WHERE sha256 = ?", (start + 1, length, sha256))
    data = rows[0][0] if rows else b""
    assert isinstance(data, bytes)
    return data


def is_intact(database: Database, sha256: str) -> bool:
    """Whether the bytes are still those that were saved: no half of a spoiled photo needs to be sent to find out."""
    rows = database.execute("SELECT bytes FROM blob_bytes WHERE sha256 = ?", (sha256,))
    return bool(rows) and isinstance(rows[0][0], bytes) and hashlib.sha256(rows[0][0]).hexdigest() == sha256


def waiting(database: Database) -> list[WaitingBlob]:
    """Those not whole at the coordinator, signatures first, then by age."""
    rows = database.execute(
        "SELECT sha256, kind, size_bytes FROM blobs WHERE whole_ms IS NULL "
        "ORDER BY kind <> 'signature', created_ms, sha256"
    )
    return [WaitingBlob(str(sha256), EvidenceKind(str(kind)), int(size or 0)) for sha256, kind, size in rows]


def oldest_waiting_ms(database: Database) -> int | None:
    ((oldest_ms,),) = database.execute("SELECT min(created_ms) FROM blobs WHERE whole_ms IS NULL")
    return oldest_ms if isinstance(oldest_ms, int) else None


def mark_whole(database: Database, sha256s: Sequence[str], at_ms: int) -> None:
    database.execute_many(
        "UPDATE blobs SET whole_ms = ? WHERE sha256 = ? AND whole_ms IS NULL", [(at_ms, sha256) for sha256 in sha256s]
    )


def whole_among(database: Database, sha256s: Iterable[str]) -> list[str]:
    """Those that we took to be whole at the coordinator."""
    sql = "SELECT sha256 FROM blobs WHERE sha256 = ? AND whole_ms IS NOT NULL"
    return [sha256 for sha256 in sha256s if database.execute(sql, (sha256,))]


def reopen(database: Database, sha256s: Sequence[str]) -> None:
    """Makes blobs wait again of which the coordinator says that it holds nothing."""
    database.execute_many("UPDATE blobs SET whole_ms = NULL WHERE sha256 = ?", [(sha256,) for sha256 in sha256s])


def purge(database: Database, whole_before_ms: int, limit: int) -> int:
    """Forgets blobs that became whole at the coordinator before then, `limit` at most; how many."""
    gone = database.execute(
        "DELETE FROM blobs WHERE sha256 IN (SELECT sha256 FROM blobs WHERE whole_ms < ? LIMIT ?) RETURNING sha256",
        (whole_before_ms, limit),
    )
    return len(gone)
