"""The run as it is now: one row, replaced with every step.

A day of 150 stops is 12 kB even when packed, a tap changes a few words of it, and a card wears out by what is written.
So a step writes what differs from a base (zstd with the base as its dictionary), and the base anew when that has grown.
"""

from dataclasses import dataclass

import zstandard
from pydantic import ValidationError

from agent.errors import StoreError, StoreErrorKind
from agent.store.database import Database
from agent.trip.run import Run

LARGEST_DIFFERENCE_BYTES = 1_500
"""More would not fit a page of the database beside its row."""

MOST_BYTES = 64_000_000
"""Of a run unpacked, a hundred times the longest: a damaged length must not ask for all memory."""

_WRITE_BASE = (
    "INSERT INTO run_base (id, json_zstd) VALUES (1, ?) ON CONFLICT DO UPDATE SET json_zstd = excluded.json_zstd"
)
_WRITE_RUN = "INSERT INTO run (id, json_zstd) VALUES (1, ?) ON CONFLICT DO UPDATE SET json_zstd = excluded.json_zstd"


@dataclass(frozen=True)
class PackedRun:
    """A run as it is stored: `difference` from `base`, which must be written too when it `is_new`."""

    difference: bytes
    base: bytes
    is_new: bool


def pack(run: Run, base: bytes | None) -> PackedRun:
    """A run as it is stored on a disk that holds this base; None for a disk that holds none we know of."""
    plain = run.model_dump_json(by_alias=True).encode()
    if base is not None:
        difference = _difference(plain, base)
        if len(difference) <= LARGEST_DIFFERENCE_BYTES:
            return PackedRun(difference, base, is_new=False)
    return PackedRun(_difference(plain, plain), plain, is_new=True)


def replace(database: Database, packed: PackedRun) -> None:
    """Call inside the transaction of the step."""
    if packed.is_new:
        whole = zstandard.ZstdCompressor(level=3).compress(packed.base)
        database.execute(_WRITE_BASE, (whole,))
    database.execute(_WRITE_RUN, (packed.difference,))


def load(database: Database) -> Run:
    """The stored run; a new one when there is none. Raises StoreError (corrupt) for one we cannot read."""
    rows = database.execute("SELECT json_zstd FROM run")
    if not rows:
        return Run()
    bases = database.execute("SELECT json_zstd FROM run_base")
    try:
        return unpack(_bytes(rows[0][0]), _bytes(bases[0][0]) if bases else None)
    except (zstandard.ZstdError, ValidationError) as error:
        raise StoreError(
            StoreErrorKind.CORRUPT, f"{database.path}: the saved run cannot be read by this agent: {error}"
        ) from error


def unpack(difference: bytes, base: bytes | None) -> Run:
    """The run in the two cells that hold it. Raises ZstdError or ValidationError for one that cannot be read."""
    plain = b"" if base is None else zstandard.ZstdDecompressor().decompress(base, MOST_BYTES)
    unpacking = zstandard.ZstdDecompressor(dict_data=_as_dictionary(plain)) if plain else zstandard.ZstdDecompressor()
    return Run.model_validate_json(unpacking.decompress(difference, MOST_BYTES))


def _difference(plain: bytes, base: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3, dict_data=_as_dictionary(base)).compress(plain)


def _as_dictionary(base: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(base, dict_type=zstandard.DICT_TYPE_RAWCONTENT)


def _bytes(cell: object) -> bytes:
    assert isinstance(cell, bytes)
    return cell
