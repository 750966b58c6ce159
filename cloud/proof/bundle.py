"""The file that is handed out: an ordinary zip in which every byte counts. Pure: bytes in, bytes out.

    proof.json              what `cloud.proof.model.Proof` says, as canonical JSON
    evidence/1-photo.jpg    the photos and signatures
    SUM                     the sha256 of each, as `sha256sum -c SUM` reads them

Nothing is compressed, dates are those of no day, and the same proof gives the same bytes. So a reader need not trust
the container: it writes what it read once more and compares.
"""

import hashlib
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import ValidationError

from cloud.proof.model import Proof
from wire.codec import WireError, canonical, first_problem, loads, to_json

PROOF: Final = "proof.json"
SUM: Final = "SUM"
MAX_BYTES: Final = 64_000_000
MAX_FILES: Final = 1_000
_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END = struct.Struct("<4sHHHHIIH")
_VERSION, _UNIX, _UTF8 = 20, 3 << 8, 0x800
_NO_DATE, _NO_TIME = 0x21, 0
_PLAIN_FILE = 0o100644 << 16


class NoBundleError(ValueError):
    """The file is no bundle at all; the text says why."""


@dataclass(frozen=True)
class Opened:
    """What is in a bundle, and what is wrong with the bundle itself. Without `proof` it could not be read."""

    proof: Proof | None
    files: Mapping[str, bytes]
    troubles: tuple[str, ...]


@dataclass
class _Read:
    files: dict[str, bytes] = field(default_factory=dict)
    troubles: list[str] = field(default_factory=list)


def pack(proof: Proof, evidence: Mapping[str, bytes]) -> bytes:
    """The bundle. `evidence` by the names that `proof.items` gives."""
    files = {PROOF: canonical(to_json(proof))}
    files |= {item.file: evidence[item.file] for item in proof.items if item.file is not None}
    return _zip({**files, SUM: _sums(files)})


def unpack(data: bytes) -> Opened:
    """Everything that can be read. Raises NoBundleError for what never was one."""
    if len(data) > MAX_BYTES:
        raise NoBundleError(f"it has more than {MAX_BYTES // 1_000_000} MB")
    if not data.startswith(b"PK\x03\x04") and PROOF.encode() not in data[:64]:
        raise NoBundleError("it is no zip that begins with proof.json")
    read = _members(data)
    if not read.troubles and _zip(read.files) != data:
        read.troubles.append("The container was changed: it holds bytes that belong to none of its files.")
    _compare_sums(read)
    return Opened(_proof(read), read.files, tuple(read.troubles))


def _proof(read: _Read) -> Proof | None:
    if PROOF not in read.files:
        read.troubles.append(f"{PROOF} is missing.")
        return None
    try:
        return Proof.model_validate(loads(read.files[PROOF]))
    except ValidationError as error:
        read.troubles.append(f"{PROOF} cannot be read: {first_problem(error)}.")
    except WireError as error:
        read.troubles.append(f"{PROOF} cannot be read: {error}.")
    return None


def _compare_sums(read: _Read) -> None:
    if SUM not in read.files:
        read.troubles.append(f"{SUM} is missing.")
        return
    here = {name: data for name, data in read.files.items() if name != SUM}
    if read.files[SUM] == _sums(here):
        return
    listed = dict[str, str]()
    for line in read.files[SUM].decode(errors="replace").splitlines():
        sha256, _, name = line.partition("  ")
        listed[name] = sha256
    troubles = [f"{name} is missing." for name in listed.keys() - here.keys()]
    troubles += [f"{name} was added." for name in here.keys() - listed.keys()]
    troubles += [
        f"{name} was changed: {SUM} says otherwise."
        for name in sorted(here.keys() & listed.keys())
        if hashlib.sha256(here[name]).hexdigest() != listed[name]
    ]
    read.troubles += sorted(troubles) or [f"{SUM} was changed."]


def _sums(files: Mapping[str, bytes]) -> bytes:
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()).encode()


def _zip(files: Mapping[str, bytes]) -> bytes:
    """Written by hand: what zip libraries put beside names and bytes is another with each version of them."""
    out, central = bytearray(), bytearray()
    for name, data in files.items():
        raw = name.encode()
        about = (_UTF8, 0, _NO_TIME, _NO_DATE, zlib.crc32(data), len(data), len(data), len(raw), 0)
        central += _CENTRAL.pack(b"PK\x01\x02", _VERSION | _UNIX, _VERSION, *about, 0, 0, 0, _PLAIN_FILE, len(out))
        central += raw
        out += _LOCAL.pack(b"PK\x03\x04", _VERSION, *about) + raw + data
    end = _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), len(central), len(out), 0)
    return bytes(out + central + end)


def _members(data: bytes) -> _Read:
    """File after file from the start, as `_zip` writes them."""
    read = _Read()
    at = 0
    while data[at : at + 4] != b"PK\x01\x02" or not read.files:
        start = at + _LOCAL.size
        if start > len(data) or len(read.files) >= MAX_FILES:
            read.troubles.append(f"The container is damaged at byte {at}.")
            return read
        _, _, _, _, _, _, crc, size, _, length, extra = _LOCAL.unpack_from(data, at)
        name, begins = data[start : start + length].decode(errors="replace"), start + length + extra
        ends = begins + size
        if data[at : at + 4] != b"PK\x03\x04" or ends > len(data) or not name or name in read.files:
            read.troubles.append(f"The container is damaged at byte {at}.")
            if data[start : start + len(PROOF)] == PROOF.encode() and PROOF not in read.files and ends <= len(data):
                read.files[PROOF] = data[begins:ends]
            return read
        read.files[name] = data[begins:ends]
        if zlib.crc32(read.files[name]) != crc:
            read.troubles.append(f"{name} was changed.")
        at = ends
    return read


def evidence_names(kinds: Sequence[tuple[str, str]]) -> list[str]:
    """Names for pieces of evidence in a bundle, by kind and media type."""
    return [
        f"evidence/{number}-{kind}.{'png' if media_type == 'image/png' else 'jpg'}"
        for number, (kind, media_type) in enumerate(kinds, 1)
    ]
