"""Passwords as they are stored: scrypt from the standard library, the cost written beside the hash."""

import base64
import hashlib
import hmac
import secrets
from functools import cache

N, R, P = 2**15, 8, 1
"""32 MiB and about a tenth of a second for each try."""
_MAX_MEMORY_BYTES = 128 * 1024 * 1024


def hashed(password: str) -> str:
    """`scrypt$N$r$p$salt$hash`."""
    salt = secrets.token_bytes(16)
    return "$".join(["scrypt", str(N), str(R), str(P), _text(salt), _text(_scrypt(password, salt, N, R, P))])


def is_right(password: str, stored: str) -> bool:
    """Whether it is the password that was stored. Takes as long either way."""
    _, n, r, p, salt, wanted = stored.split("$")
    found = _scrypt(password, base64.b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(found, base64.b64decode(wanted))


@cache
def nobody() -> str:
    """What to compare with when there is no such person, so that the time taken does not say so."""
    return hashed(secrets.token_urlsafe(16))


def _scrypt(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY_BYTES, dklen=32)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
