"""Who may ask what: one table for every route. What is not in it is refused.

People sign in and are known by a session cookie; vans by the certificate they show on the connection. Where the
console runs without TLS it is on loopback (`cloud/config.py` sees to that), and whoever is at this machine may ask.
"""

import enum
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web
from aiohttp.typedefs import Handler

from cloud.api.parts import PARTS
from cloud.api.problems import ForbiddenError, NotSignedInError

if TYPE_CHECKING:
    from ssl import SSLObject

COOKIE = "__Host-roundsman"
"""The prefix makes browsers insist on Secure, on this host alone, and on the whole path."""
SIGN_IN = "/login"


class Who(enum.Enum):
    ANYONE = "anyone"
    """Guards itself, by a password or a one-time token; or has nothing to hide, as the built pages' own files."""
    PERSON = "a person who signed in"
    VAN = "a van, by its certificate"


POLICY: Mapping[tuple[str, str], Who] = {
    ("GET", SIGN_IN): Who.ANYONE,
    ("POST", SIGN_IN): Who.ANYONE,
    ("GET", "/setup"): Who.ANYONE,
    ("POST", "/setup"): Who.ANYONE,
    ("POST", "/logout"): Who.ANYONE,
    ("GET", "/authority.pem"): Who.ANYONE,
    ("GET", "/api/health"): Who.ANYONE,
    ("GET", "/favicon.svg"): Who.ANYONE,
    ("GET", "/assets/{path}"): Who.ANYONE,
    ("POST", "/api/enrol"): Who.ANYONE,
    ("POST", "/api/renew"): Who.VAN,
    ("GET", "/api/picture"): Who.PERSON,
    ("GET", "/api/events"): Who.PERSON,
    ("GET", "/api/vans/{van}/route"): Who.PERSON,
    ("PUT", "/api/vans/{van}/policy"): Who.PERSON,
    ("GET", "/api/orders"): Who.PERSON,
    ("POST", "/api/orders/import"): Who.PERSON,
    ("POST", "/api/orders/{stop_id}/cancel"): Who.PERSON,
    ("POST", "/api/assign"): Who.PERSON,
    ("POST", "/api/orders/{stop_id}/move"): Who.PERSON,
    ("DELETE", "/api/orders/{stop_id}/move"): Who.PERSON,
    ("POST", "/api/meetings"): Who.PERSON,
    ("POST", "/api/closures"): Who.PERSON,
    ("DELETE", "/api/closures/{closure_id}"): Who.PERSON,
    ("GET", "/api/speeds"): Who.PERSON,
    ("POST", "/api/speeds"): Who.PERSON,
    ("DELETE", "/api/speeds/{speed_id}"): Who.PERSON,
    ("GET", "/api/stops/{stop_id}"): Who.PERSON,
    ("GET", "/api/stops/{stop_id}/bundle"): Who.PERSON,
    ("GET", "/api/stops/{stop_id}/proof.pdf"): Who.PERSON,
    ("GET", "/api/blobs/{sha256}"): Who.PERSON,
    ("GET", "/api/map"): Who.PERSON,
    ("GET", "/tiles/{z}/{x}/{y}.pbf"): Who.PERSON,
    ("GET", "/{path}"): Who.PERSON,
}
"""By method and path as they are registered. HEAD is as GET."""


@web.middleware
async def only_who_may(request: web.Request, handler: Handler) -> web.StreamResponse:
    """401 for somebody we do not know; a browser that wants a page is sent to sign in. 403 for the wrong kind."""
    resource = request.match_info.route.resource
    if resource is None:
        return await handler(request)  # no such path or method: says so, and nothing else
    method = "GET" if request.method == "HEAD" else request.method
    who = POLICY.get((method, resource.canonical))
    if who is None:
        raise ForbiddenError("this path has no rule who may use it")
    if who is Who.VAN and van_certificate(request) is None:
        raise ForbiddenError("this is for vans: show the certificate of one, over HTTPS")
    if who is Who.PERSON and not await is_signed_in(request):
        if request.path.startswith(("/api/", "/tiles/")):
            raise NotSignedInError("sign in first")
        raise web.HTTPSeeOther(SIGN_IN)
    return await handler(request)


async def is_signed_in(request: web.Request) -> bool:
    """Whether this request's session is good at this moment; streams ask again while they run."""
    parts = request.app[PARTS]
    if not parts.is_secured:
        return True
    session = request.cookies.get(COOKIE)
    return parts.desk is not None and session is not None and await parts.desk.person_of(session) is not None


def van_certificate(request: web.Request) -> bytes | None:
    """What the other side showed and TLS verified (DER); None when it showed nothing."""
    if request.transport is None:
        return None
    tls: SSLObject | None = request.transport.get_extra_info("ssl_object")
    return tls.getpeercert(binary_form=True) if tls is not None else None
