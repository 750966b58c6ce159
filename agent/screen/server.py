"""The cab's HTTP on loopback: the view and its changes out, taps and evidence in. It decides nothing.

`Saved` leaves here only after `take_tap` returned, which is after the store's synced commit.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import Literal

from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from agent.errors import EvidenceRefusedError, StoreError, StoreErrorKind
from agent.pod.evidence import keep
from agent.pod.images import MAX_BYTES
from agent.pod.labels import Spotted
from agent.screen.guard import add_headers, not_saved, only_from_here
from agent.screen.messages import SCAN_TAPS, AnyTap, NotSaved, PinTap, TapId
from agent.screen.pages import Pages
from agent.screen.picture import Picture
from agent.screen.taps import TakeTap, TapEntry, evidence_entry, tap_entry
from agent.trip.effects import Trouble
from wire.codec import WireError, first_problem, loads
from wire.manifest import EvidenceKind
from wire.model import StopId, Value

log = logging.getLogger(__name__)

VIEWS_APART_S = 0.2
COMMENT_EVERY_S = 10.0
SAID_AS = {
    StoreErrorKind.FULL: (507, "Not saved: the van's storage is full. Please tell the depot, and keep the goods."),
    StoreErrorKind.CONSTRAINT: (409, "Not saved: this tap was sent before for something else. Please try again."),
}
_TAP: TypeAdapter[AnyTap] = TypeAdapter(AnyTap)

type FindEvidence = Callable[[str], Awaitable[tuple[str, bytes] | None]]
"""Media type and bytes of kept evidence by its hash; None for an unknown one."""

type Spot = Callable[[str], Awaitable[Spotted | None]]
"""Where the map has the address of a scanned label; None for any other code, and for what it does not have."""

type CheckPin = Callable[[str, str], Awaitable[bool]]
"""Whether that is the PIN of the stop; False for a stop without one. Takes CPU, and takes it beside the event loop."""


class EvidenceQuery(Value):
    """What comes beside the bytes of a photo or signature."""

    stop_id: StopId
    kind: Literal[EvidenceKind.PHOTO, EvidenceKind.SIGNATURE]
    tap_id: TapId
    signed_by: str = ""


class CabServer:
    """`changed(count)` returns the next count of changes after `count`."""

    def __init__(
        self,
        *,
        picture: Picture,
        pages: Pages,
        take_tap: TakeTap,
        find_evidence: FindEvidence,
        changed: Callable[[int], Awaitable[int]],
        check_pin: CheckPin,
        spot: Spot,
    ) -> None:
        self._picture = picture
        self._take_tap = take_tap
        self._find_evidence = find_evidence
        self._changed = changed
        self._check_pin = check_pin
        self._spot = spot
        self._closing = asyncio.Event()
        self._one_picture_at_a_time = asyncio.Semaphore(1)  # a photo unpacks to 40 MB
        self.app = web.Application(middlewares=[only_from_here], client_max_size=MAX_BYTES + 1)
        self.app.on_response_prepare.append(add_headers)
        self.app.on_shutdown.append(self._end_streams)
        self.app.add_routes(
            [
                web.get("/api/view", self._view),
                web.get("/api/events", self._events),
                web.get("/api/route", self._route),
                web.get("/api/offer/route", self._offer_route),
                web.post("/api/taps", self._tap),
                web.post("/api/stops/{stop_id}/evidence", self._evidence),
                web.get("/api/evidence/{sha256:[0-9a-f]{64}}", self._evidence_bytes),
                *pages.routes(),
            ]
        )
        self._runner = web.AppRunner(self.app, access_log=None, shutdown_timeout=1.0)

    async def start(self, listening: socket.socket) -> None:
        await self._runner.setup()
        await web.SockSite(self._runner, listening).start()

    async def close(self) -> None:
        await self._runner.cleanup()

    # Out ----------------------------------------------------------------------------------------------------------

    async def _view(self, _request: web.Request) -> web.Response:
        return _json(self._picture.view())

    async def _route(self, _request: web.Request) -> web.Response:
        return _json(await self._picture.route())

    async def _offer_route(self, _request: web.Request) -> web.Response:
        return _json(await self._picture.offer_route())

    async def _evidence_bytes(self, request: web.Request) -> web.Response:
        found = await self._find_evidence(request.match_info["sha256"])
        if found is None:
            raise web.HTTPNotFound
        media_type, data = found
        return web.Response(body=data, content_type=media_type, headers={"Cache-Control": "max-age=31536000"})

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            while not self._closing.is_set():
                view = self._picture.view()
                await response.write(b"event: view\ndata: " + view.model_dump_json(by_alias=True).encode() + b"\n\n")
                await asyncio.sleep(VIEWS_APART_S)
                while not await self._is_changed_since(view.revision) and not self._closing.is_set():
                    await response.write(b": still here\n\n")
        return response

    async def _is_changed_since(self, revision: int) -> bool:
        """Waits for a change, a closing server, or COMMENT_EVERY_S to pass."""
        changed = asyncio.ensure_future(self._changed(revision))
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            await asyncio.wait({changed, closing}, timeout=COMMENT_EVERY_S, return_when=asyncio.FIRST_COMPLETED)
            return changed.done()
        finally:
            changed.cancel()
            closing.cancel()

    async def _end_streams(self, _app: web.Application) -> None:
        self._closing.set()

    # In -----------------------------------------------------------------------------------------------------------

    async def _tap(self, request: web.Request) -> web.Response:
        try:
            tap = _TAP.validate_python(loads(await request.read()))
        except web.HTTPRequestEntityTooLarge:
            return not_saved(413, "Not saved: the message is too big.")
        except ValidationError as error:
            return not_saved(400, f"Not saved: {first_problem(error)}")
        except WireError as error:
            return not_saved(400, f"Not saved: {error}")
        is_right = await self._check_pin(tap.stop_id, tap.pin) if isinstance(tap, PinTap) else False
        spotted = await self._spot(tap.code) if isinstance(tap, SCAN_TAPS) else None
        return await self._answer(tap_entry(tap, self._picture.road_ahead(), is_right_pin=is_right, spotted=spotted))

    async def _evidence(self, request: web.Request) -> web.Response:
        try:
            query = EvidenceQuery.model_validate({**request.query, "stop_id": request.match_info["stop_id"]})
        except ValidationError as error:
            return not_saved(400, f"Not saved: {first_problem(error)}")
        if len(query.signed_by) > 120:
            return not_saved(400, "Not saved: the name is longer than 120 letters.")
        try:
            received = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return not_saved(413, f"Not saved: the picture is bigger than {MAX_BYTES // 1_000_000} MB.")
        capture = self._picture.capture()
        try:
            async with self._one_picture_at_a_time:
                image = await asyncio.to_thread(keep, query.kind, received, capture)
        except EvidenceRefusedError as error:
            return not_saved(413 if len(received) > MAX_BYTES else 422, str(error))
        entry = evidence_entry(
            query.tap_id,
            query.stop_id,
            image=image,
            received=received,
            signed_by=query.signed_by,
            taken_at=capture.at.astimezone(UTC),
        )
        return await self._answer(entry)

    async def _answer(self, entry: TapEntry) -> web.Response:
        try:
            answer = await self._take_tap(entry)
        except StoreError as error:
            log.error("tap %s was not saved: %s", entry.tap_id, error)
            status, message = SAID_AS.get(error.kind, (503, "Not saved: the van's storage failed. Please try again."))
            return not_saved(status, message)
        if isinstance(answer, NotSaved):
            return _json(answer, 404 if answer.trouble is Trouble.UNKNOWN_STOP else 409)
        return _json(answer)


def _json(value: Value, status: int = 200) -> web.Response:
    return web.Response(
        text=value.model_dump_json(by_alias=True),
        content_type="application/json",
        status=status,
        headers={"Cache-Control": "no-store"},
    )
