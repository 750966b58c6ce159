"""The base map: what there is, and its tiles."""

from collections.abc import Sequence

from aiohttp import web

from cloud.api.parts import PARTS
from cloud.api.problems import UnavailableError, answer
from cloud.fleet.view import MapView
from roads.errors import PackDamagedError


def routes() -> Sequence[web.AbstractRouteDef]:
    return (web.get("/api/map", what_there_is), web.get(r"/tiles/{z:\d{1,2}}/{x:\d{1,8}}/{y:\d{1,8}}.pbf", tile))


async def what_there_is(request: web.Request) -> web.Response:
    parts = request.app[PARTS]
    pack = parts.network.pack
    return answer(
        MapView(
            has_tiles=parts.tiles is not None,
            name=pack.name if pack else "",
            bounds=pack.bounds if pack else None,
            max_zoom=parts.tiles.max_zoom if parts.tiles else 0,
        )
    )


async def tile(request: web.Request) -> web.Response:
    """204 where there is none: the sea, or a place outside the pack."""
    tiles = request.app[PARTS].tiles
    if tiles is None:
        return web.Response(status=204)
    try:
        data = tiles.tile(*(int(request.match_info[part]) for part in ("z", "x", "y")))
    except PackDamagedError as error:
        raise UnavailableError(str(error)) from error
    if data is None:
        return web.Response(status=204)
    headers = {"Content-Encoding": "gzip", "Cache-Control": "max-age=3600"}
    return web.Response(body=data, content_type="application/x-protobuf", headers=headers)
