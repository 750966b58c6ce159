"""The live page: the whole picture, what changes in it as it happens, and the way a van has before it."""

import asyncio
import json
from collections.abc import Sequence

from aiohttp import web

from cloud.api.access import is_signed_in
from cloud.api.parts import PARTS, Parts
from cloud.api.problems import NotFoundError, answer
from cloud.fleet.view import VanRoute, VanView
from cloud.live import REFRESH_S, Update
from wire.geo import Place
from wire.model import StopId, Value

COMMENT_EVERY_S = 10.0
MAX_ROUTE_PLACES = 25
REMEMBERED_ROUTES = 500


class Routes:
    """The drawn way of each van, asked for once per plan and per stop done: between them a van only moves along it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[tuple[str, int, tuple[StopId, ...], bool], VanRoute] = {}

    async def of(self, van: VanView) -> VanRoute:
        """From where the van is through its next stops, 25 places at most; empty when it has nothing to do."""
        network = self._parts.network
        stop_ids = van.stop_ids[: MAX_ROUTE_PLACES - 1]
        key = (van.van, van.plan_version, stop_ids, network.is_up)
        if key in self._known:
            return self._known[key]
        rows = [self._parts.live.row(stop_id) for stop_id in stop_ids]
        places = [Place(lat_deg=row.lat_deg, lon_deg=row.lon_deg) for row in rows if row is not None]
        at = van.position
        start = Place(lat_deg=at.lat_deg, lon_deg=at.lon_deg) if at else self._parts.depot.place
        found = await network.route([start, *places] if places else [])
        route = VanRoute(van=van.van, times=found.source, line=found.line)
        if len(self._known) >= REMEMBERED_ROUTES:
            self._known.clear()
        self._known[key] = route
        return route


def routes(parts: Parts) -> Sequence[web.AbstractRouteDef]:
    ways = Routes(parts)

    async def van_route(request: web.Request) -> web.Response:
        name = request.match_info["van"]
        van = parts.live.van(name)
        if van is None:
            raise NotFoundError(f"there is no van {name} in this fleet")
        return answer(await ways.of(van))

    return (
        web.get("/api/picture", picture),
        web.get("/api/events", events, allow_head=False),  # asked by HEAD it would never end
        web.get("/api/vans/{van}/route", van_route),
        web.get("/api/health", health),
    )


async def picture(request: web.Request) -> web.Response:
    return answer(request.app[PARTS].live.picture())


async def health(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    await parts.database.read(lambda conn: conn.exec_driver_sql("SELECT 1").scalar())  # raises what a page would
    return web.json_response({"broker": "up" if parts.is_broker_up() else "down", "store": "ok"})


async def events(request: web.Request) -> web.StreamResponse:
    """Server-sent events: the picture once, then what changed, at most twice a second."""
    live = request.app[PARTS].live
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    await response.prepare(request)
    loop = asyncio.get_running_loop()
    with live.watching() as watcher:
        try:
            asked_s = loop.time()
            while not live.is_over:
                if loop.time() - asked_s >= COMMENT_EVERY_S:
                    if not await is_signed_in(request):
                        break  # the session ended: the page connects again, and is told to sign in
                    asked_s = loop.time()
                try:
                    async with asyncio.timeout(COMMENT_EVERY_S):
                        await watcher.woken.wait()
                except TimeoutError:
                    await response.write(b": still here\n\n")
                    continue
                await response.write(as_events(live.news(watcher)))
                await asyncio.sleep(REFRESH_S)
        except ConnectionError:
            pass  # the page was closed
    return response


def as_events(update: Update) -> bytes:
    parts = []
    if update.picture is not None:
        parts.append(_event("picture", update.picture.model_dump_json(by_alias=True)))
    if update.vans:
        parts.append(_event("vans", _listed(update.vans)))
    if update.stops:
        parts.append(_event("stops", _listed(update.stops)))
    if update.closures is not None:
        parts.append(_event("closures", _listed(update.closures)))
    if update.endings is not None:
        parts.append(_event("endings", _listed(update.endings)))
    return "".join(parts).encode()


def _listed(values: Sequence[Value]) -> str:
    return json.dumps([value.model_dump(mode="json", by_alias=True) for value in values], separators=(",", ":"))


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
