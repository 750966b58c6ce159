"""How a van gets its certificate: the one-time token a person carries to it, and what is said over HTTPS.

The token holds three things in one line: the van's name, a secret of 128 bits, and the fingerprint of the fleet's
authority. The fingerprint lets a van that trusts nobody yet know the right coordinator from a wrong one before it
gives the secret away.
"""

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass

from wire.model import Name, Value
from wire.topics import NAME_PATTERN

SECRET_BYTES = 16
AUTHORITY_PATH = "/authority.pem"
ENROL_PATH = "/api/enrol"
RENEW_PATH = "/api/renew"


class TokenError(ValueError):
    """What was typed is no token; the text says what one looks like."""


@dataclass(frozen=True)
class Token:
    """`fingerprint`: sha256 of the authority's certificate (DER)."""

    van: str
    secret: bytes
    fingerprint: bytes

    def text(self) -> str:
        """As it is printed and typed: VAN.SECRET.FINGERPRINT."""
        return f"{self.van}.{_to_text(self.secret)}.{_to_text(self.fingerprint)}"

    @property
    def secret_sha256(self) -> str:
        """What the coordinator stores. A plain hash is enough for 128 random bits."""
        return hashlib.sha256(self.secret).hexdigest()


class EnrolAsk(Value):
    """Sent once the server is known by its fingerprint. Any name inside the CSR is ignored: the token's counts."""

    token: str
    csr_pem: str


class RenewAsk(Value):
    """Sent over a connection on which the van showed its present certificate; that one's name counts."""

    csr_pem: str


class Enrolled(Value):
    """The answer to both."""

    van: Name
    certificate_pem: str
    authority_pem: str


def new_token(van: str, fingerprint: bytes) -> Token:
    """A fresh one, from the system's random source."""
    return Token(van, secrets.token_bytes(SECRET_BYTES), fingerprint)


def parse_token(text: str) -> Token:
    """The token that was printed. Raises TokenError."""
    problem = TokenError("this is no enrolment token: copy the whole line that `python -m cloud enrol` printed")
    parts = text.strip().split(".")
    if len(parts) != 3 or not NAME_PATTERN.fullmatch(parts[0]):
        raise problem
    try:
        secret, fingerprint = _to_bytes(parts[1]), _to_bytes(parts[2])
    except (binascii.Error, ValueError):
        raise problem from None
    if len(secret) != SECRET_BYTES or len(fingerprint) != hashlib.sha256().digest_size:
        raise problem
    return Token(parts[0], secret, fingerprint)


def _to_text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _to_bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
