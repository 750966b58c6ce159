"""Who may speak to the cab's server, and what every answer says to the browser."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from agent.screen.messages import NotSaved
from host.loopback import LoopbackOnlyError, require_loopback

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; "
    "connect-src 'self'; img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
ASKED_HEADER = "X-Roundsman"
"""Set by our pages on what changes something: a foreign page cannot set it without asking us first."""


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`, so that no answer leaves without them."""
    response.headers.update(HEADERS)


@web.middleware
async def only_from_here(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Refuses another site's name for this machine (DNS rebinding), its pages, and changes none of ours asked for."""
    try:
        require_loopback(_host_name(request.host), "the cab page")
    except LoopbackOnlyError:
        return not_saved(403, "This page is only for the van's own screen.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{request.host}":
        return not_saved(403, "This page is only for the van's own screen, and not for a page of another site.")
    if request.method not in ("GET", "HEAD") and request.headers.get(ASKED_HEADER) != "1":
        return not_saved(403, f"Not saved: the request lacks the header {ASKED_HEADER}: 1.")
    return await handler(request)


def not_saved(status: int, message: str) -> web.Response:
    return web.json_response(NotSaved(message=message).model_dump(mode="json"), status=status)


def _host_name(host: str) -> str:
    """The name in a Host header, without its port; an IPv6 address without its brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
