"""The seal: what makes a change to a proof visible afterwards. Pure: keys, randomness and seqs come in as arguments.

    link    of a record = H(van, epoch, seq, the link before it, digest of what was said)
    seal    stands in the record beside its body: `prev` (the link before it), and what else the digest needs
    signed  are the records that close or leave a stop: Ed25519 of the device over the link, and all that led to it

The digest takes what was said at a stop as one salted hash, H(salt || payload), and the salt stays beside it in the
record. Later both can be taken out, with the commitment left in their place, and every link still holds (`erased`).

A record without a seal, from an older agent, is not sealed; it is never an error. Links need a record's digest only:
who is shown one stop need not be shown what was said of the others between.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from pydantic import Field, ValidationError

from wire.codec import canonical, first_problem
from wire.events import EventKind
from wire.model import Count, Message, Sha256

REOPENED: Final = "stop.reopened"
SIGNED_KINDS: Final[frozenset[str]] = frozenset(
    {
        EventKind.STOP_COMPLETED,
        EventKind.STOP_FAILED,
        EventKind.KEY_ANNOUNCED,
        REOPENED,
        EventKind.STOP_AMENDED,
        EventKind.STOP_DEPARTED,
    }
)
"""A stop is never closed, opened again or corrected without a signature; the key signs that it is there. A departure is
signed as the last that is said of a stop: nothing about it waits for the next one's closing.
"""
SAID_OPENLY: Final = frozenset({"stop_id", "outcome", "reason", "evidence_kind", "media_type", "size_bytes"})
"""Of a record about a stop: what says nothing of a person. All else, also what a newer agent knows of, is hidden."""
SALT_BYTES: Final = 16
BUNDLE: Final = 2
_BESIDE_THE_DIGEST = frozenset({"prev", "salt", "hidden", "signature"})

Salt = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Signature = Annotated[str, Field(pattern=r"^[0-9a-f]{128}$")]

type Draw = Callable[[int], bytes]
"""So many random bytes."""


class Signer(Protocol):
    """A device's key."""

    @property
    def public_key(self) -> str:
        """Ed25519, 32 bytes in hex."""
        ...

    def sign(self, message: bytes) -> bytes: ...


class SealError(ValueError):
    """This is no seal, or the record cannot be one that was sealed; the text says why."""


class Seal(Message):
    """What a record carries of the chain."""

    prev: Sha256
    """The link of the record before it, or `begin` where a chain begins."""
    before: Count = 0
    """The seq of the record before it about the same stop; 0: the van remembers none."""
    salt: Salt | None = None
    hides: tuple[str, ...] = ()
    """The fields of the body that the digest takes as one commitment."""
    hidden: Sha256 | None = None
    """That commitment, in place of the salt and those fields, when they were taken out."""
    bundle: Count = 1
    """Of which version a bundle with this record is at least; 2: the coordinator signs in it what it has."""
    key: PublicKey | None = None
    signature: Signature | None = None


@dataclass(frozen=True)
class Place:
    """Where a record stands."""

    van: str
    epoch: str
    seq: int


def begin(van: str, epoch: str) -> str:
    """What the first record of a chain is linked to."""
    return _hash(["roundsman chain 1", van, epoch])


def link(place: Place, prev: str, digest: str) -> str:
    """What the record after this one is linked to."""
    return _hash(["roundsman link 1", place.van, place.epoch, place.seq, prev, digest])


def to_sign(link_of_it: str) -> bytes:
    """What the device signs of a record."""
    return f"roundsman seal 1 {link_of_it}".encode()


def to_vouch(van: str, epoch: str, public_key: str) -> bytes:
    """What the device's certified key signs, to say that the sealing key is its own."""
    return canonical(["roundsman key 1", van, epoch, public_key])


def sealed(
    record: Mapping[str, Any], place: Place, *, prev: str, before: int = 0, draw: Draw, signer: Signer
) -> tuple[dict[str, Any], str]:
    """The record (plain JSON values) with its seal, and its link. A salt that it has stays."""
    said = {name: value for name, value in record.items() if name != "seal"}
    body, kind = said["body"], said["kind"]
    seal: dict[str, Any] = {"prev": prev}
    if isinstance(body, dict) and "stop_id" in body:
        seal["before"] = before
        seal["hides"] = sorted(body.keys() - SAID_OPENLY)
        seal["salt"] = _salt_of(record) or draw(SALT_BYTES).hex()
    if kind in SIGNED_KINDS:
        seal["key"], seal["bundle"] = signer.public_key, BUNDLE
    made = {**said, "seal": seal}
    its_link = link(place, prev, digest_of(made))
    if kind in SIGNED_KINDS:
        seal["signature"] = signer.sign(to_sign(its_link)).hex()
    return made, its_link


def seal_of(record: Mapping[str, Any]) -> Seal | None:
    """None for a record that has none. Raises SealError for what is no seal."""
    if record.get("seal") is None:
        return None
    try:
        return Seal.model_validate(record["seal"])
    except ValidationError as error:
        raise SealError(f"its seal cannot be read: {first_problem(error)}") from None


def digest_of(record: Mapping[str, Any]) -> str:
    """Of a record with a seal, all that was said and where the salt stood for it. Raises SealError."""
    seal = seal_of(record)
    if seal is None:
        raise SealError("it has no seal")
    said = {name: value for name, value in record.items() if name != "seal"}
    about = {name: value for name, value in record["seal"].items() if name not in _BESIDE_THE_DIGEST}
    hidden: str | None = None
    if seal.hides:
        body = said.get("body")
        if not isinstance(body, dict):
            raise SealError("it has no body")
        hidden = _commitment(body, seal)
        said["body"] = {name: value for name, value in body.items() if name not in seal.hides}
    return _hash([said, about, hidden])


def erased(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record without what was said of people, and without the salt: what it was can be neither read nor tried out,
    and every link and signature still holds. Raises SealError.
    """
    seal = seal_of(record)
    if seal is None or not seal.hides:
        return dict(record)
    body = record["body"]
    return {
        **record,
        "body": {name: value for name, value in body.items() if name not in seal.hides},
        "seal": {
            **{name: value for name, value in record["seal"].items() if name != "salt"},
            "hidden": _commitment(body, seal),
        },
    }


def _commitment(body: Mapping[str, Any], seal: Seal) -> str:
    """H(salt || payload); of a photo the payload is its own hash."""
    is_there = [name for name in seal.hides if name in body]
    if seal.hidden is not None:
        if is_there:
            raise SealError(f"{is_there[0]} was taken out, and stands there again")
        return seal.hidden
    if seal.salt is None or len(is_there) < len(seal.hides):
        raise SealError("what was said is not all there, nor what stands for it")
    payload = canonical({name: body[name] for name in seal.hides})
    return hashlib.sha256(bytes.fromhex(seal.salt) + payload).hexdigest()


def _salt_of(record: Mapping[str, Any]) -> str | None:
    seal = record.get("seal")
    salt = seal.get("salt") if isinstance(seal, dict) else None
    return salt if isinstance(salt, str) else None


def _hash(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
