"""A driver's hands on the touchscreen: the van's public HTTP, and nothing of it that a page could not do.

A tap is sent again, with the same tap_id, until the van answers "saved" or says why not: through cut connections, time
outs and a van computer that is being restarted.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from wire.codec import first_problem

TRY_AGAIN_S = 0.25
ANSWER_S = 8.0
_HEADERS = {"X-Roundsman": "1"}


class _Read(BaseModel):
    """What we read of the van's answers; they may hold more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class WindowSeen(_Read):
    opens_at: datetime
    closes_at: datetime


class StepSeen(_Read):
    kind: str
    rule: str
    taken_at: datetime | None


class StopSeen(_Read):
    stop_id: str
    order_ref: str
    phase: str
    recipient_name: str
    lat_deg: float
    lon_deg: float
    window: WindowSeen | None
    steps: tuple[StepSeen, ...]
    is_listed: bool

    @property
    def is_open(self) -> bool:
        return self.is_listed and self.phase in ("open", "arrived")


class OfferSeen(_Read):
    number: int


class Screen(_Read):
    """The screen as the driver reads it."""

    next_stop_id: str | None
    offer: OfferSeen | None
    is_planning: bool
    motion: str
    is_within_reach: bool
    stops: tuple[StopSeen, ...]

    def find(self, stop_id: str | None) -> StopSeen | None:
        return next((stop for stop in self.stops if stop.stop_id == stop_id), None)

    @property
    def listed(self) -> int:
        return sum(stop.is_listed or stop.phase in ("completed", "failed") for stop in self.stops)

    @property
    def closed(self) -> int:
        return sum(stop.phase in ("completed", "failed") for stop in self.stops)

    @property
    def is_done(self) -> bool:
        return bool(self.stops) and not any(stop.is_open for stop in self.stops)


class SavedSeen(_Read):
    """The van said "saved"."""

    tap_id: str
    saved_at: datetime
    sha256: str | None = None


class BrokenScreenError(RuntimeError):
    """The van answered 200 with something that is not what it promises: a mistake in the van, or in here."""


@dataclass(frozen=True)
class RefusedSeen:
    """The van understood and did not save."""

    status: int
    message: str


class Cab:
    """The touchscreen of the van at `address` (http://127.0.0.1:8101)."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    async def screen(self) -> Screen | None:
        """What is on the screen now; None when the van does not answer. Raises BrokenScreenError."""
        body = await self._get("/api/view", within_s=2.0)
        return None if body is None else _understood(Screen, body)

    async def answers(self) -> bool:
        """True when the page is there."""
        return await self.screen() is not None

    async def tap(self, kind: str, tap_id: str, stop_id: str, **more: str) -> SavedSeen | RefusedSeen:
        """One tap, until it is answered. Raises BrokenScreenError."""
        return await self._until_answered(
            "/api/taps", lambda: {"json": {"kind": kind, "tap_id": tap_id, "stop_id": stop_id, **more}}
        )

    async def answer(self, kind: str, tap_id: str, offer: int) -> SavedSeen | RefusedSeen:
        """*Accept* or *Keep mine*, until it is answered. Raises BrokenScreenError."""
        return await self._until_answered(
            "/api/taps", lambda: {"json": {"kind": kind, "tap_id": tap_id, "offer": offer}}
        )

    async def give(
        self, kind: str, picture: bytes, media_type: str, *, tap_id: str, stop_id: str, signed_by: str = ""
    ) -> SavedSeen | RefusedSeen:
        """One piece of evidence, until it is answered."""
        question = {"kind": kind, "tap_id": tap_id} | ({"signed_by": signed_by} if signed_by else {})
        return await self._until_answered(
            f"/api/stops/{stop_id}/evidence",
            lambda: {"params": question, "data": picture, "headers": {**_HEADERS, "Content-Type": media_type}},
        )

    async def evidence(self, sha256: str) -> bytes | None:
        """The bytes the van keeps under that hash; None when it does not answer or has none."""
        return await self._get(f"/api/evidence/{sha256}", within_s=4.0)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _until_answered(self, path: str, request: Callable[[], dict[str, object]]) -> SavedSeen | RefusedSeen:
        while True:
            answer = await self._post(path, request())
            if answer is not None:
                return answer
            await asyncio.sleep(TRY_AGAIN_S)

    async def _post(self, path: str, request: dict[str, object]) -> SavedSeen | RefusedSeen | None:
        """None: no answer that says either way, so nobody knows whether it was saved."""
        limit = aiohttp.ClientTimeout(total=ANSWER_S)
        try:
            async with self._open().post(self._address + path, timeout=limit, **request) as response:  # type: ignore[arg-type]
                body = await response.read()
                if response.status == 200:
                    return _understood(SavedSeen, body)
                if 400 <= response.status < 500:
                    return RefusedSeen(response.status, body.decode(errors="replace")[:300])
        except (aiohttp.ClientError, TimeoutError, OSError):
            pass
        return None

    async def _get(self, path: str, within_s: float) -> bytes | None:
        limit = aiohttp.ClientTimeout(total=within_s)
        try:
            async with self._open().get(self._address + path, timeout=limit) as response:
                body = await response.read()
                return body if response.status == 200 else None
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=_HEADERS)
        return self._session


def _understood[M: BaseModel](model: type[M], body: bytes) -> M:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        raise BrokenScreenError(f"the van's answer is no {model.__name__}: {first_problem(error)}") from error
