"""Bytes to messages and back, strictly: what is not a message is a refusal with a reason, never a surprise inside.

JSON, compressed by zstd above 512 bytes. A zstd frame starts with a byte that no JSON text starts with, so the reader
needs no flag.
"""

import hashlib
import json
import math
import threading
from collections.abc import Sequence
from typing import Any

import orjson
import zstandard
from pydantic import ValidationError

from wire.envelope import MAX_CHUNK_BYTES, ChunkHeader
from wire.model import Message
from wire.topics import MAX_PACKET_BYTES

COMPRESS_ABOVE_BYTES = 512
MAX_PLAIN_BYTES = 1_000_000
"""Many times what an honest message holds; 700 bytes of zstd that unpack to more would cost their reader seconds."""
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_HEADER_LENGTH_BYTES = 4
_SURROGATE = rb"\ud"
"""How one is written in JSON, in lower case; UTF-8 itself holds none."""
_BEYOND_ORJSON = (TypeError, RecursionError)
"""Whole numbers of more than 64 bits, and keys that are no text."""


class WireError(ValueError):
    """What arrived, or is about to be sent, cannot be a message; the text says why."""


class TooBigError(WireError):
    """The message does not fit the 65,536-byte packet, or unpacks to more than a reader accepts."""


def encode(message: Message, level: int = 9) -> bytes:
    """The packet of a message; raises TooBigError when it would not fit, or its reader would not unpack it."""
    return encode_text(json.dumps(to_json(message), separators=(",", ":"), ensure_ascii=False, allow_nan=False), level)


def encode_text(text: str, level: int = 9) -> bytes:
    """The packet of a message that is JSON text already; raises TooBigError as `encode` does.

    `level` is zstd's: 9 makes fifty records a fiftieth smaller than 3 does, and takes four times as long.
    """
    plain = text.encode()
    if len(plain) > MAX_PLAIN_BYTES:
        raise TooBigError(
            f"a message of {len(plain)} bytes is over the limit of {MAX_PLAIN_BYTES}, however small it packs"
        )
    packet = _ZSTD.compressor(level).compress(plain) if len(plain) > COMPRESS_ABOVE_BYTES else plain
    if len(packet) > MAX_PACKET_BYTES:
        raise TooBigError(f"a packet of {len(packet)} bytes is over the limit of {MAX_PACKET_BYTES}")
    return packet


def decode[M: Message](model: type[M], packet: bytes) -> M:
    """The message in a packet; raises WireError with the reason when there is none."""
    try:
        return model.model_validate(loads(_plain(packet)))
    except ValidationError as error:
        raise WireError(f"not a {model.__name__}: {first_problem(error)}") from error


def decode_with_texts[M: Message](model: type[M], packet: bytes, of: str) -> tuple[M, list[bytes]]:
    """The message in a packet, and `canonical` of each value in its list `of`. Raises WireError, also for a
    value that can be read and not written again.
    """
    plain = _plain(packet)
    value, texts = _as_it_was_written(plain, of) or (loads(plain), None)
    try:
        message = model.model_validate(value)
    except ValidationError as error:
        raise WireError(f"not a {model.__name__}: {first_problem(error)}") from error
    try:
        return message, canonical_each(value[of]) if texts is None else texts
    except (ValueError, RecursionError) as error:
        raise WireError(f"one of the {of} can be read and not written again: {error}") from error


def pack_chunk(header: ChunkHeader, data: bytes) -> bytes:
    """A blob chunk: four bytes of header length (big endian), the header as JSON, the raw bytes."""
    if not 0 < len(data) <= MAX_CHUNK_BYTES:
        raise WireError(f"a chunk has 1 to {MAX_CHUNK_BYTES} bytes, this one {len(data)}")
    head = json.dumps(to_json(header), separators=(",", ":")).encode()
    return len(head).to_bytes(_HEADER_LENGTH_BYTES, "big") + head + data


def unpack_chunk(packet: bytes) -> tuple[ChunkHeader, bytes]:
    """The header and bytes of a chunk; raises WireError when they do not fit together."""
    if len(packet) < _HEADER_LENGTH_BYTES:
        raise WireError("a chunk is shorter than its own header")
    end = _HEADER_LENGTH_BYTES + int.from_bytes(packet[:_HEADER_LENGTH_BYTES], "big")
    header = decode(ChunkHeader, packet[_HEADER_LENGTH_BYTES:end])
    data = packet[end:]
    if not 0 < len(data) <= MAX_CHUNK_BYTES or header.offset_bytes + len(data) > header.total_bytes:
        raise WireError(
            f"a chunk of {len(data)} bytes at {header.offset_bytes} does not fit a blob of {header.total_bytes}"
        )
    return header, data


def canonical(value: Any) -> bytes:
    """One byte string per JSON value (sorted keys, no blanks): what hashes are taken over.

    Numbers are finite: `loads` and our models let no other in.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except _BEYOND_ORJSON:
        return _CANONICAL.encode(value).encode()


def canonical_each(values: Sequence[Any]) -> list[bytes]:
    """`canonical` of each; of many values it takes less time."""
    try:
        return [orjson.dumps(value, option=orjson.OPT_SORT_KEYS) for value in values]
    except _BEYOND_ORJSON:
        return [canonical(value) for value in values]


def content_hash(message: Message) -> str:
    """sha256 of a message's canonical form, in hex. Fields at their defaults do not count: a peer that knows of a field
    more must come to the same hash.
    """
    plain = message.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return hashlib.sha256(canonical(plain)).hexdigest()


def to_json(message: Message) -> dict[str, Any]:
    """A message as plain JSON values, under its wire names."""
    return message.model_dump(mode="json", by_alias=True)


def loads(text: bytes) -> Any:
    """Strict JSON: no NaN, no infinity, no number that overflows, no key twice, no lone surrogate. Raises WireError."""
    try:
        value = orjson.loads(text)
        # Written again it is the same, letter for letter: so it holds nothing of all that, for none of it can be
        # written. What our own programs write passes here; anything else takes the slow way, and may pass there.
        if orjson.dumps(value) == text:
            return value
    except (ValueError, *_BEYOND_ORJSON):
        pass
    return _strictly(text)


def first_problem(error: ValidationError) -> str:
    """The first thing wrong, in words a person can act on: `stops.3.lat_deg: Input should be ...`."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else str(problem["msg"])


class _Zstd(threading.local):
    """A thread's own: each is for one thread at a time, and making one takes as long as a small message does."""

    def __init__(self) -> None:
        self.compressors: dict[int, zstandard.ZstdCompressor] = {}
        self.decompressor = zstandard.ZstdDecompressor()

    def compressor(self, level: int) -> zstandard.ZstdCompressor:
        if level not in self.compressors:
            self.compressors[level] = zstandard.ZstdCompressor(level=level)
        return self.compressors[level]


_ZSTD = _Zstd()


def _as_it_was_written(plain: bytes, of: str) -> tuple[Any, list[bytes]] | None:
    """What our own programs write, a list of canonical values at the end of a message, read and proven strict (see
    `loads`) by the same texts that are wanted of it. None for anything else, which may be as good.
    """
    try:
        value = orjson.loads(plain)
        if isinstance(value, dict) and isinstance(value.get(of), list):
            texts = [orjson.dumps(one, option=orjson.OPT_SORT_KEYS) for one in value[of]]
            around = orjson.dumps({**value, of: []})
            if around[:-2] + b",".join(texts) + around[-2:] == plain:
                return value, texts
    except (ValueError, *_BEYOND_ORJSON):
        pass
    return None


def _plain(packet: bytes) -> bytes:
    if not packet.startswith(ZSTD_MAGIC):
        return packet
    try:
        # A frame that says how long it is does not come to more; one that does not say may be a bomb.
        if 0 < zstandard.frame_content_size(packet) <= MAX_PLAIN_BYTES:
            return _ZSTD.decompressor.decompress(packet)
        return _in_steps(packet)
    except zstandard.ZstdError as error:
        raise WireError(f"a compressed packet is damaged: {error}") from error


def _in_steps(packet: bytes) -> bytes:
    """Fed in small steps, so that a bomb is noticed after one step and never unpacked whole."""
    plain = zstandard.ZstdDecompressor().decompressobj()
    out = b""
    for start in range(0, len(packet), 1024):
        out += plain.decompress(packet[start : start + 1024])
        if len(out) > MAX_PLAIN_BYTES:
            raise WireError(f"a packet unpacks to more than {MAX_PLAIN_BYTES} bytes")
    if not plain.eof:
        raise WireError("a compressed packet ends too early")
    return out


def _strictly(text: bytes) -> Any:
    try:
        value = _STRICT.decode(text.decode())
        if _SURROGATE in text.lower():
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate decodes, and fails here
    except WireError:
        raise
    except (ValueError, RecursionError) as error:
        raise WireError(f"not JSON we accept: {error}") from error
    return value


def _no_constant(word: str) -> float:
    raise WireError(f"{word} is not a number we accept")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise WireError(f"{digits} is too large a number")
    return value


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise WireError("a key stands twice in one object")
    return value


_STRICT = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_each_key_once)
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
