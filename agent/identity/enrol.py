"""Getting a certificate over HTTPS: the first by a one-time token, the next ones by the one we hold."""

import json
import ssl
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

from pydantic import ValidationError

from agent.errors import EnrolmentError
from agent.identity import floor
from agent.identity.badge import Badge, fingerprint_of, life_of
from agent.identity.tls import Credentials, pinned
from host.loopback import LoopbackOnlyError, require_loopback
from wire.enrolment import (
    AUTHORITY_PATH,
    ENROL_PATH,
    RENEW_PATH,
    EnrolAsk,
    Enrolled,
    RenewAsk,
    TokenError,
    parse_token,
)
from wire.model import Value

TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64_000

type Judge = Callable[[bytes], None]


def enrol(badge: Badge, van: str, token_text: str, url: str) -> None:
    """Makes the device's key if there is none, and keeps the certificate that the token earns.

    The token is said only to a server of the authority whose fingerprint it carries. May be run again after a lost
    answer. Raises EnrolmentError.
    """
    try:
        token = parse_token(token_text)
    except TokenError as error:
        raise EnrolmentError(str(error)) from None
    if token.van != van:
        raise EnrolmentError(f"this token is for {token.van}, and this is {van}")
    authority_pem = _authority(url)
    try:
        found = fingerprint_of(authority_pem)
    except ValueError:
        raise EnrolmentError(f"{url} is no coordinator") from None
    if found != token.fingerprint:
        raise EnrolmentError(
            f"{url} is not the coordinator that made this token: its authority is another. Nothing was sent to it"
        )

    def judge(certificate_der: bytes) -> None:
        floor.judge(life_of(certificate_der), floor.floor(badge.kept_floor, []))

    asked = EnrolAsk(token=token_text.strip(), csr_pem=badge.csr_pem(van))
    given = _ask(url, ENROL_PATH, asked, pinned(authority_pem), judge)
    badge.coordinator_url = url
    badge.keep(given, van, token.fingerprint)


def renew(credentials: Credentials, van: str) -> None:
    """A new certificate for the same key, asked for by showing the present one. Raises EnrolmentError."""
    url = credentials.badge.coordinator_url
    if url is None:
        raise EnrolmentError("it is not known where to renew the certificate: enrol this van again")
    secure = credentials.secure()
    asked = RenewAsk(csr_pem=credentials.badge.csr_pem(van))
    try:
        given = _ask(url, RENEW_PATH, asked, secure.context, secure.judge)
    except EnrolmentError as error:
        if not credentials.has_ended():
            raise
        ended_at = credentials.badge.held().own.ends_at
        raise EnrolmentError(
            f"this van's certificate ended on {ended_at:%Y-%m-%d %H:%M} UTC ({error}): enrol this van again with a new "
            "token. What it has saved stays"
        ) from error
    credentials.badge.keep(given, van, fingerprint_of(credentials.badge.held().authority_pem))


def _authority(url: str) -> str:
    """What the server calls its authority's certificate: asked of a stranger, believed by its fingerprint only."""
    stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE
    return _exchange(url, AUTHORITY_PATH, None, stranger, None).decode(errors="replace")


def _ask(url: str, path: str, asked: Value, context: ssl.SSLContext, judge: Judge) -> Enrolled:
    answer = _exchange(url, path, asked.model_dump_json().encode(), context, judge)
    try:
        return Enrolled.model_validate_json(answer)
    except ValidationError as error:
        raise EnrolmentError(f"{url} answered with something else than a certificate") from error


def _exchange(url: str, path: str, body: bytes | None, context: ssl.SSLContext, judge: Judge | None) -> bytes:
    connection = _connection(url, context)
    try:
        connection.connect()
        if judge is not None and isinstance(connection.sock, ssl.SSLSocket):
            judge(connection.sock.getpeercert(binary_form=True) or b"")
        headers = {"X-Roundsman": "1", "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body, headers)
        response = connection.getresponse()
        answer = response.read(MAX_ANSWER_BYTES)
    except floor.ServerTooOldError as error:
        raise EnrolmentError(str(error)) from error
    except ssl.SSLError as error:
        raise EnrolmentError(f"{url} cannot be believed: {error}") from error
    except (OSError, HTTPException) as error:
        raise EnrolmentError(f"{url} does not answer: {error}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise EnrolmentError(f"{url} said no: {_words(answer) or response.reason}")
    return answer


def _connection(url: str, context: ssl.SSLContext) -> HTTPConnection:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("https", "http") or parts.path not in ("", "/"):
        raise EnrolmentError(f"{url} is no address of a coordinator: write it as https://HOST:PORT")
    if parts.scheme == "https":
        return HTTPSConnection(host, port, timeout=TIMEOUT_S, context=context)
    try:
        require_loopback(host, "enrolment")
    except LoopbackOnlyError as error:
        raise EnrolmentError(f"{error}; or use https") from None
    return HTTPConnection(host, port, timeout=TIMEOUT_S)


def _words(answer: bytes) -> str:
    try:
        return str(json.loads(answer)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
