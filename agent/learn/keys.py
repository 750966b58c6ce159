"""Under which names things are learned: an address, an hour of the week, a piece of the map. Pure.

An address is kept as a fingerprint of its words, so that a stolen card does not read like an address book. Whoever has
the card and an address can still ask whether it is in there: it stays personal data, and is erased by the same name.
"""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from math import floor
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from wire.manifest import Address, Stop

AREA_DEG = 0.02
"""The side of an area: 2.2 km from south to north, less from west to east."""


def address_key(stop: Stop) -> str:
    """The name of a stop's address: its words; without street and number its place, to some ten metres."""
    return key_of_words(stop.address) or _fingerprint(f"{stop.lat_deg:.4f}", f"{stop.lon_deg:.4f}")


def key_of_words(words: Address) -> str | None:
    """The name of an address; None when street or number is missing."""
    if not (words.street and words.number):
        return None
    return _fingerprint(words.number, words.street, words.postcode, words.city)


@lru_cache(maxsize=4096)
def _fingerprint(*words: str) -> str:
    text = "|".join(" ".join(word.casefold().split()) for word in words)
    return blake2b(text.encode(), digest_size=10).hexdigest()


class Spot(Protocol):
    """A stop, a depot or a place."""

    @property
    def lat_deg(self) -> float: ...
    @property
    def lon_deg(self) -> float: ...


def area_key(spot: Spot) -> str:
    return f"{floor(spot.lat_deg / AREA_DEG)},{floor(spot.lon_deg / AREA_DEG)}"


def hour_key(at: datetime, timezone: str) -> str:
    """The hour by the clock on the wall there; Saturdays and Sundays are apart from the other days."""
    there = at.astimezone(_zone(timezone))
    return f"{'weekend' if there.weekday() >= 5 else 'weekday'}-{there.hour:02d}"


@lru_cache(maxsize=8)
def _zone(timezone: str) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
