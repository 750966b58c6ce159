"""One stop with its proof, and the bytes of a proof."""

import asyncio
import re
from collections.abc import Sequence

from aiohttp import web
from sqlalchemy import Connection

from cloud.api.parts import PARTS
from cloud.api.problems import NotFoundError, answer
from cloud.fleet.build import stop_row
from cloud.fleet.page import stop_page
from cloud.fleet.view import StopPage
from cloud.proof.bundle import pack
from cloud.proof.fonts import find_fonts
from cloud.proof.pdf import draw
from cloud.proof.sheet import Sheet, sheet_of
from cloud.store import blobs, reading
from cloud.store.proofs import evidence_in

_SHA256 = re.compile(r"^[0-9a-f]{64}$")
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}
"""How a file begins, and what it is."""
_NO_PICTURE = "application/octet-stream"


def routes() -> Sequence[web.AbstractRouteDef]:
    return (
        web.get("/api/stops/{stop_id}", stop),
        web.get("/api/stops/{stop_id}/bundle", bundle),
        web.get("/api/stops/{stop_id}/proof.pdf", page),
        web.get("/api/blobs/{sha256}", blob),
    )


async def stop(request: web.Request) -> web.Response:
    """A stop of any day."""
    parts = request.app[PARTS]
    stop_id = request.match_info["stop_id"]
    now = parts.clock.now()
    live_row = parts.live.row(stop_id)

    def read(conn: Connection) -> StopPage | None:
        found = reading.stops(conn, [stop_id])
        if not found:
            return None
        order, facts = found[0]
        row = stop_row(
            order, facts.state, live_row.eta if live_row else None, facts.whole, now, transfer=facts.transfer
        )
        held = reading.held_of(conn, [piece.sha256 for piece in facts.state.evidence])
        proof = parts.proofs.proof(conn, stop_id)
        verification = None if proof is None else parts.proofs.verify(conn, proof)
        return stop_page(order, row, facts.state, reading.heard_of_stop(conn, stop_id), held, verification=verification)

    found = await parts.database.read(read)
    if found is None:
        raise NotFoundError(f"there is no stop {stop_id}")
    return answer(found)


async def bundle(request: web.Request) -> web.Response:
    """A stop's sealed proof as a file, for `python -m cloud verify`."""
    parts = request.app[PARTS]
    stop_id = request.match_info["stop_id"]

    def read(conn: Connection) -> bytes | None:
        proof = parts.proofs.proof(conn, stop_id)
        return None if proof is None else pack(proof, evidence_in(conn, proof))

    data = await parts.database.read(read)
    if data is None:
        raise NotFoundError(f"there is no stop {stop_id}")
    headers = {"Content-Disposition": f'attachment; filename="{stop_id}.proof.zip"', "Cache-Control": "no-store"}
    return web.Response(body=data, content_type="application/zip", headers=headers)


async def page(request: web.Request) -> web.Response:
    """A stop's proof as a page for the shipper."""
    parts = request.app[PARTS]
    stop_id = request.match_info["stop_id"]

    def read(conn: Connection) -> tuple[Sheet, dict[str, bytes]] | None:
        proof = parts.proofs.proof(conn, stop_id)
        if proof is None:
            return None
        return sheet_of(proof, parts.proofs.verify(conn, proof), parts.proofs.authority_sha256), evidence_in(
            conn, proof
        )

    found = await parts.database.read(read)
    if found is None:
        raise NotFoundError(f"there is no stop {stop_id}")
    data = await asyncio.to_thread(draw, *found, find_fonts())
    headers = {"Content-Disposition": f'inline; filename="{stop_id}.pdf"', "Cache-Control": "no-store"}
    return web.Response(body=data, content_type="application/pdf", headers=headers)


async def blob(request: web.Request) -> web.Response:
    """Evidence, when every byte is here and matches its fingerprint."""
    sha256 = request.match_info["sha256"]
    if not _SHA256.match(sha256):
        raise NotFoundError("evidence is named by its sha256: 64 hexadecimal digits")

    def read(conn: Connection) -> tuple[bytes | None, bool, int]:
        held = reading.held_of(conn, [sha256]).get(sha256)
        return blobs.whole_blob(conn, sha256), reading.is_awaited(conn, sha256), held.held_bytes if held else 0

    data, is_awaited, held_bytes = await request.app[PARTS].database.read(read)
    if data is None:
        if not is_awaited and not held_bytes:
            raise NotFoundError(f"no van has announced evidence {sha256}")
        raise NotFoundError(f"this evidence is not whole yet: {held_bytes} bytes are here, the van is still sending it")
    # Whoever sent the bytes, and whatever they were called, a browser never takes them for anything but a picture.
    content_type = next((kind for begin, kind in _PICTURES.items() if data.startswith(begin)), _NO_PICTURE)
    headers = {"Cache-Control": "private, max-age=31536000, immutable"}
    return web.Response(body=data, content_type=content_type, headers=headers)
