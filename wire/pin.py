"""The PIN that a recipient says at the door, as Argon2id: made by the coordinator, checked by the van without a
network.

Four digits are ten thousand guesses, whatever the hash: it keeps a PIN from being read in passing, and a thief with the
van's disk from nothing but an hour's wait. What protects it at the door is that tries are counted (`MAX_TRIES`).
"""

import hashlib
import re

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import hash_secret

MAX_TRIES = 5
PIN = re.compile(r"^[0-9]{4,8}$", re.ASCII)
PHC = re.compile(r"^\$argon2id\$v=19\$m=([0-9]+),t=([0-9]+),p=([0-9]+)\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$", re.ASCII)
_MEMORY_KIB, _PASSES, _LANES = 8 * 1024, 2, 1
MOST_MEMORY_KIB, MOST_PASSES = 64 * 1024, 8
"""A manifest may not ask more of a van's computer than this."""


def hashed(pin: str, about: str) -> str:
    """The PHC string of a PIN. The same PIN for the same `about` (a stop's id) gives the same string, so that a file of
    orders imported twice changes nothing; for another stop it gives another. Raises ValueError for what is no PIN.
    """
    if not PIN.match(pin):
        raise ValueError("a PIN has 4 to 8 digits")
    salt = hashlib.sha256(f"roundsman pin {about}".encode()).digest()[:16]
    return hash_secret(pin.encode(), salt, _PASSES, _MEMORY_KIB, _LANES, 32, Type.ID).decode()


def is_hash(text: str) -> bool:
    """Whether a van will check against it."""
    found = PHC.match(text)
    return found is not None and int(found[1]) <= MOST_MEMORY_KIB and int(found[2]) <= MOST_PASSES and found[3] == "1"


def is_right(pin_hash: str, pin: str) -> bool:
    """Whether that is the PIN. Takes tens of milliseconds of CPU and 8 MB: for a thread, not for the event loop."""
    if not is_hash(pin_hash) or not PIN.match(pin):
        return False
    try:
        return PasswordHasher().verify(pin_hash, pin)
    except (VerificationError, InvalidHashError):
        return False
