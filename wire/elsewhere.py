"""Down: which parcels are on whose list today, so that a van without a network can say whose a parcel is.

A code is told as five bytes of a hash over the day and the code: the codes themselves leave the coordinator only for
the van that has them, and two days cannot be laid beside each other. Who can guess codes can try them; against that
the topic's lock helps, not the hash. Of 8,000 codes one in 130 million other codes is mistaken for one of them.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import islice
from typing import Annotated, Literal

from pydantic import Field

from wire.manifest import SCHEMA
from wire.model import Count, Instant, Message, Name

MARK_BYTES = 5
MOST_CODES = 8_000
"""40 kB, which no compressing makes smaller: it fits the packet, and a van keeps it with its run."""


class Elsewhere(Message):
    """All codes of a day's lists; each message replaces the one made before it."""

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    day: date
    made_at: Instant
    lists: dict[Name, Annotated[str, Field(max_length=100_000)]] = {}
    """By van the marks of its codes, one behind the other, in base64."""
    left_out: Count = 0
    """How many codes are on lists and found no room here; they stay unknown."""

    def whose(self, code: str, *, besides: str) -> Name | None:
        """The van that has a parcel on its list, `besides` not among them; None where no other has, or none is told."""
        mark = mark_of(self.day, code)
        return next((van for van in sorted(self.lists) if van != besides and mark in _marks(self.lists[van])), None)


def mark_of(day: date, code: str) -> bytes:
    """What stands for a code on a day."""
    return hashlib.sha256(f"{day.isoformat()}\n{code}".encode()).digest()[:MARK_BYTES]


def elsewhere_of(codes: Mapping[Name, Iterable[str]], day: date, made_at: datetime) -> Elsewhere:
    """The message about these lists. Where there are too many codes those with the lowest marks stay: which they are
    depends on nothing but the codes, and no van's list goes before another's.
    """
    marks = sorted({(mark_of(day, code), van) for van, listed in codes.items() for code in listed})
    lists: dict[Name, bytearray] = {}
    for mark, van in islice(marks, MOST_CODES):
        lists.setdefault(van, bytearray()).extend(mark)
    return Elsewhere(
        schema=1,
        day=day,
        made_at=made_at,
        lists={van: b64encode(listed).decode() for van, listed in sorted(lists.items())},
        left_out=max(0, len(marks) - MOST_CODES),
    )


def _marks(listed: str) -> set[bytes]:
    """None of a text that is no base64: nothing of it is believed."""
    try:
        plain = b64decode(listed, validate=True)
    except ValueError:
        return set()
    return {plain[at : at + MARK_BYTES] for at in range(0, len(plain) - MARK_BYTES + 1, MARK_BYTES)}
