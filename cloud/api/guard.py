"""What every request must pass and every answer carries: the host is one of ours, and a change is meant.

A page of another site can make a browser send us requests. It cannot add a header of its own without asking us first,
so a change must carry one (a plain form cannot either: there the browser's word for where it came from must be there);
and a name that was pointed at us to read us (DNS rebinding) is not a host we know.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from cloud.api.parts import PARTS
from cloud.api.problems import ForbiddenError
from host.loopback import LoopbackOnlyError, require_loopback

CHANGE_HEADER = "X-Roundsman"
FORMS = frozenset({"/login", "/setup", "/logout"})
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a browser would write "Origin: null" on the form that signs out, as for a foreign page's.
    "Referrer-Policy": "same-origin",
}


@web.middleware
async def only_known_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """403 for a host that is none of ours, and for a change that did not come from our own pages or programs."""
    parts = request.app[PARTS]
    if not _is_ours(request.headers.get("Host", ""), parts.hosts):
        raise ForbiddenError("ask for this page by 127.0.0.1, localhost, or a name under `names` in [http]")
    if request.method not in _READING:
        origin = request.headers.get("Origin")
        scheme = "https" if parts.is_secured else "http"
        if origin is not None and origin != f"{scheme}://{request.headers['Host']}":
            raise ForbiddenError(f"this change comes from a page of another site, {origin}")
        if request.path in FORMS:
            if origin is None:
                raise ForbiddenError("a form must say where it comes from (Origin)")
        elif request.headers.get(CHANGE_HEADER) != "1":
            raise ForbiddenError(f"a change must carry the header {CHANGE_HEADER}: 1")
    return await handler(request)


def _is_ours(host: str, names: Collection[str]) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
        if name not in names:
            require_loopback(name, "the console")
    except (LoopbackOnlyError, ValueError):
        return False
    return True


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: every answer, streams and files too."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
