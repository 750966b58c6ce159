"""What every request must pass and every answer carries: the host is this machine, and a change is meant.

A page of another site can make a browser send us requests. It cannot add a header of its own without asking us first,
so a change must carry one; and a name that was pointed at loopback to read us (DNS rebinding) is not a host we know.
"""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from host.loopback import LoopbackOnlyError, require_loopback

CHANGE_HEADER = "X-Roundsman"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'"
)
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@web.middleware
async def only_this_machine(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for a host that is not loopback, or a change without the header that only our own pages send."""
    try:
        require_loopback(urlsplit(f"//{request.headers.get('Host', '')}").hostname or "", "the console")
    except (LoopbackOnlyError, ValueError):
        raise web.HTTPForbidden(reason="ask for this page by 127.0.0.1 or localhost") from None
    if request.method not in _READING and request.headers.get(CHANGE_HEADER) != "1":
        raise web.HTTPForbidden(reason=f"a change must carry the header {CHANGE_HEADER}: 1")
    return await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: every answer, streams and files too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
