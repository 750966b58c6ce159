"""The built page and the base map's tiles, as files."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from agent.screen.view import MapView

NOT_BUILT = "The cab page is not built yet. Run scripts/demo, or `npm run build` in ui/, and reload.\n"

type FindTile = Callable[[int, int, int], bytes | None]
"""The gzipped vector tile at z, x, y; None when there is none."""


class Pages:
    """Serves `pages_dir/cab`."""

    def __init__(self, pages_dir: Path, base_map: MapView, find_tile: FindTile) -> None:
        self._cab_dir = (pages_dir / "cab").resolve()
        self._base_map = base_map
        self._find_tile = find_tile

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/map", self._map),
            web.get(r"/tiles/{z:\d{1,2}}/{x:\d{1,8}}/{y:\d{1,8}}.pbf", self._tile),
            web.get("/{path:.*}", self._file),
        ]

    async def _map(self, _request: web.Request) -> web.Response:
        return web.json_response(self._base_map.model_dump(mode="json"))

    async def _tile(self, request: web.Request) -> web.Response:
        place = request.match_info
        tile = self._find_tile(int(place["z"]), int(place["x"]), int(place["y"]))
        if tile is None:
            return web.Response(status=204)
        headers = {"Content-Encoding": "gzip", "Cache-Control": "max-age=3600"}
        return web.Response(body=tile, content_type="application/x-protobuf", headers=headers)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["path"]
        if name.startswith(("api/", "tiles/")):
            raise web.HTTPNotFound
        file = await asyncio.to_thread(self._find, name or "index.html")
        if file is None:
            if not name:
                return web.Response(status=503, text=NOT_BUILT)
            raise web.HTTPNotFound
        # Names of assets carry their content's hash, the page itself does not.
        cache = "max-age=31536000, immutable" if name.startswith("assets/") else "no-cache"
        return web.FileResponse(file, headers={"Cache-Control": cache})

    def _find(self, name: str) -> Path | None:
        """The file, when it lies inside the page's folder: `..` and links that lead out of it find nothing."""
        try:
            file = (self._cab_dir / name).resolve()
            return file if file.is_relative_to(self._cab_dir) and file.is_file() else None
        except (OSError, ValueError):  # a name that no file can have
            return None
