"""The console's web server: every route, what guards them, and the pages as they were built."""

import socket
import ssl
from pathlib import Path

from aiohttp import web

from cloud.api import base_map, conditions, enrolment, fleet, login, orders, stops, transfers
from cloud.api.access import only_who_may
from cloud.api.guard import add_headers, only_known_hosts
from cloud.api.parts import PARTS, Parts
from cloud.api.problems import NotFoundError, errors_as_problems
from cloud.orders.table import MAX_FILE_BYTES

MAX_BODY_BYTES = MAX_FILE_BYTES + 1024
STOP_WITHIN_S = 2.0


def make_app(parts: Parts) -> web.Application:
    guards = [errors_as_problems, only_known_hosts, only_who_may]
    app = web.Application(middlewares=guards, client_max_size=MAX_BODY_BYTES)
    app[PARTS] = parts
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_let_watchers_go)
    app.add_routes(
        [*fleet.routes(parts), *orders.routes(parts), *conditions.routes(parts), *stops.routes(), *base_map.routes()]
    )
    app.add_routes(transfers.routes(parts))
    app.add_routes([*login.routes(), *enrolment.routes()])
    app.add_routes([web.get("/favicon.svg", page), web.get("/assets/{path}", asset), web.get("/{path:.*}", page)])
    return app


async def serve(app: web.Application, sock: socket.socket, tls: ssl.SSLContext | None = None) -> web.AppRunner:
    """Answers on a socket that listens already, until the runner's `cleanup`."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=STOP_WITHIN_S)
    await runner.setup()
    await web.SockSite(runner, sock, ssl_context=tls).start()
    return runner


async def _let_watchers_go(app: web.Application) -> None:
    app[PARTS].live.end()


async def page(request: web.Request) -> web.StreamResponse:
    """A file of the console's page, and the page itself at the root."""
    root = (request.app[PARTS].pages_dir / "console").resolve()
    wanted = request.path.removeprefix("/") or "index.html"
    found = _inside(root, wanted)
    if found is None and request.path == "/":
        raise NotFoundError(f"the console's page is not built: there is no {root / 'index.html'}. Run scripts/demo")
    if found is None or wanted.startswith("api/"):
        raise NotFoundError(f"there is nothing at {request.path}")
    return web.FileResponse(found, headers={"Cache-Control": "no-cache"})


async def asset(request: web.Request) -> web.StreamResponse:
    """A built file, named by its content: script, style, font. The sign-in page needs some before anybody is known."""
    found = _inside((request.app[PARTS].pages_dir / "console" / "assets").resolve(), request.match_info["path"])
    if found is None:
        raise NotFoundError(f"there is nothing at {request.path}")
    return web.FileResponse(found, headers={"Cache-Control": "max-age=31536000, immutable"})


def _inside(root: Path, wanted: str) -> Path | None:
    """A file below the root, whatever dots and links the name holds."""
    try:
        found = (root / wanted).resolve()
        return found if found.is_relative_to(root) and found.is_file() else None
    except (OSError, ValueError):
        return None
