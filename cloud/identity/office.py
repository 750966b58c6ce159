"""What is done with tokens, certificates and passwords, each as one transaction with its line in the audit."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from cloud.identity import passwords, register
from cloud.identity.certificates import (
    Authority,
    CsrError,
    client_certificate,
    csr_key,
    key_sha256,
    name_and_serial,
    pem_of,
    serial_of,
)
from cloud.identity.register import Register
from cloud.identity.rules import (
    MAX_PASSWORD,
    SESSION_LIFE,
    TOKEN_LIFE,
    TokenVerdict,
    judge_token,
    name_problem,
    password_problem,
)
from wire.enrolment import Enrolled, TokenError, new_token, parse_token

TERMINAL = "terminal"
"""Where somebody at this machine's command line comes from, in the audit."""
_BAD_TOKEN = (
    "this token is not good, or not any more: make a new one with `python -m cloud enrol CLOUD.toml VAN` "  # noqa: S105
    "and use it within 15 minutes"
)


@dataclass(frozen=True)
class Refused:
    """An ordinary no. The text is for the one who asked and tells a guesser nothing."""

    why: str


def make_token(authority: Authority, book: Register, van: str, now: datetime) -> str:
    """The line to type at the van, good once and for 15 minutes."""
    token = new_token(van, authority.fingerprint)
    with book.transaction() as conn:
        register.add_token(conn, token.secret_sha256, van, now + TOKEN_LIFE)
        register.note(conn, now, who=TERMINAL, did="token made", about=van, address=TERMINAL)
    return token.text()


def enrol(
    authority: Authority, book: Register, token_text: str, csr_pem: str, *, address: str, now: datetime
) -> Enrolled | Refused:
    """A certificate for the token's van and the request's key.

    The token is used up by that key: the same device may ask again until the token's time is over, another may not.
    A van is one device, so what earlier devices held is revoked.
    """
    try:
        token, key = parse_token(token_text), csr_key(csr_pem)
    except TokenError:
        return Refused(_BAD_TOKEN)
    except CsrError as error:
        return Refused(str(error))
    device = key_sha256(key)
    with book.transaction() as conn:
        row = register.find_token(conn, token.secret_sha256)
        verdict = judge_token(row, token.van, device, now)
        if verdict not in (TokenVerdict.GOOD, TokenVerdict.AGAIN):
            register.note(conn, now, who=token.van, did="enrolment refused", about=verdict.value, address=address)
            return Refused(_BAD_TOKEN)
        register.use_token(conn, token.secret_sha256, device)
        register.revoke(conn, token.van, now, except_device=device)
        certificate = client_certificate(authority, token.van, key, now)
        serial, ends_at = serial_of(certificate), certificate.not_valid_after_utc
        register.add_certificate(conn, serial, token.van, device, made_at=now, ends_at=ends_at)
        register.note(conn, now, who=token.van, did="enrolled", about=serial, address=address)
    return Enrolled(van=token.van, certificate_pem=pem_of(certificate).decode(), authority_pem=authority.pem.decode())


def renew(
    authority: Authority, book: Register, shown_der: bytes, csr_pem: str, *, address: str, now: datetime
) -> Enrolled | Refused:
    """A new certificate for whoever showed one of ours (TLS verified it) that was not revoked."""
    try:
        van, shown_serial = name_and_serial(shown_der)
        key = csr_key(csr_pem)
    except (ValueError, CsrError) as error:
        return Refused(str(error))
    with book.transaction() as conn:
        if not register.is_good(conn, shown_serial, van):
            register.note(conn, now, who=van, did="renewal refused", about=shown_serial, address=address)
            return Refused("this certificate was revoked: the van must be enrolled again with a new token")
        certificate = client_certificate(authority, van, key, now)
        serial, ends_at = serial_of(certificate), certificate.not_valid_after_utc
        register.add_certificate(conn, serial, van, key_sha256(key), made_at=now, ends_at=ends_at)
        register.note(conn, now, who=van, did="renewed", about=serial, address=address)
    return Enrolled(van=van, certificate_pem=pem_of(certificate).decode(), authority_pem=authority.pem.decode())


def revoke(book: Register, van: str, who: str, address: str, now: datetime) -> int:
    """Ends a van's certificates and tokens; how many certificates still held until now."""
    with book.transaction() as conn:
        count = register.revoke(conn, van, now)
        register.drop_tokens(conn, van)
        register.note(conn, now, who=who, did="revoked", about=f"{van}: {count} certificates", address=address)
    return count


def set_password(book: Register, name: str, password: str, address: str, now: datetime) -> Refused | None:
    """A new administrator, or a new password for one."""
    problem = name_problem(name) or password_problem(password)
    if problem is not None:
        return Refused(problem)
    hashed = passwords.hashed(password)
    with book.transaction() as conn:
        register.set_password(conn, name, hashed, now)
        register.note(conn, now, who=name, did="password set", about=name, address=address)
    return None


def stored_password(book: Register, name: str) -> str | None:
    with book.transaction() as conn:
        return register.password_of(conn, name)


def is_right(password: str, stored: str | None) -> bool:
    """Takes a tenth of a second, also when there is nobody of that name."""
    matches = passwords.is_right(password[:MAX_PASSWORD], stored or passwords.nobody())
    return matches and stored is not None


def note_refusal(book: Register, name: str, address: str, now: datetime) -> None:
    with book.transaction() as conn:
        register.note(conn, now, who=name, did="sign-in refused", about=name, address=address)


def begin_session(book: Register, name: str, address: str, now: datetime) -> str:
    """The secret of a new session of somebody whose password was right."""
    secret = secrets.token_urlsafe(32)
    with book.transaction() as conn:
        register.add_session(conn, _sha256(secret), name, now + SESSION_LIFE, now)
        register.note(conn, now, who=name, did="signed in", about=name, address=address)
    return secret


def person_of(book: Register, session: str, now: datetime) -> str | None:
    """Whose session this is; None when it is over or never was."""
    with book.transaction() as conn:
        return register.person_of(conn, _sha256(session), now)


def sign_out(book: Register, session: str, address: str, now: datetime) -> None:
    with book.transaction() as conn:
        person = register.person_of(conn, _sha256(session), now)
        register.drop_session(conn, _sha256(session))
        if person is not None:
            register.note(conn, now, who=person, did="signed out", about=person, address=address)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
