"""The run as it is now: one row, replaced with every step."""

import zstandard
from pydantic import ValidationError

from agent.errors import StoreError, StoreErrorKind
from agent.store.database import Database
from agent.trip.run import Run


def pack(run: Run) -> bytes:
    """A run as it is stored."""
    return zstandard.ZstdCompressor(level=3).compress(run.model_dump_json(by_alias=True).encode())


def replace(database: Database, packed: bytes) -> None:
    database.execute(
        "INSERT INTO run (id, json_zstd) VALUES (1, ?) ON CONFLICT DO UPDATE SET json_zstd = excluded.json_zstd",
        (packed,),
    )


def load(database: Database) -> Run:
    """The stored run; a new one when there is none. Raises StoreError (corrupt) for one we cannot read."""
    rows = database.execute("SELECT json_zstd FROM run")
    if not rows:
        return Run()
    packed = rows[0][0]
    assert isinstance(packed, bytes)
    try:
        return Run.model_validate_json(zstandard.ZstdDecompressor().decompress(packed))
    except (zstandard.ZstdError, ValidationError) as error:
        raise StoreError(
            StoreErrorKind.CORRUPT, f"{database.path}: the saved run cannot be read by this agent: {error}"
        ) from error
