"""A van that keeps its contract and lives a hard life: connections cut before or after the save, restarts, a screen
that is gone for a while. And roads that lead anywhere in a straight line.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from aiohttp import web

from roads.answers import ClosureReport, Leg, Route
from wire.events import TimesSource
from wire.geo import Place, distance_m
from wire.manifest import Closure

AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass
class FakeVan:
    """Stops are done in the order given. `trouble` of the requests end badly, half of them after the save."""

    places: Sequence[Place]
    trouble: float = 0.0
    seed: int = 1
    proofs: tuple[str, ...] = ("signature", "photo")
    offers: int = 0
    """So many suggestions, one after the other, while nobody stands at a door."""
    refuses: bool = False
    """Understands every tap and takes none."""
    done: Counter[str] = field(default_factory=Counter)
    """What was really done, by "stop_id kind"."""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    evidence: dict[str, bytes] = field(default_factory=dict)
    requests: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self._rng = Random(self.seed)
        self._runner: web.AppRunner | None = None
        self._phases = {f"s{number}": "open" for number in range(1, len(self.places) + 1)}
        self._taken: Counter[str] = Counter()

    async def __aenter__(self) -> "FakeVan":
        app = web.Application(client_max_size=12_000_000)
        app.router.add_get("/api/view", self._view)
        app.router.add_post("/api/taps", self._tap)
        app.router.add_post("/api/stops/{stop_id}/evidence", self._evidence)
        app.router.add_get("/api/evidence/{sha256}", self._bytes)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    def phase(self, stop_id: str) -> str:
        return self._phases[stop_id]

    async def _view(self, request: web.Request) -> web.Response:
        if self._rng.random() < self.trouble:
            _cut(request)
        waiting = [stop_id for stop_id, phase in self._phases.items() if phase in ("open", "arrived")]
        return web.json_response(
            {
                "revision": self.requests,
                "next_stop_id": waiting[0] if waiting else None,
                "is_within_reach": True,
                "is_planning": False,
                "motion": "parked",
                "offer": self._offer(),
                "stops": [self._stop(stop_id, place) for stop_id, place in zip(self._phases, self.places, strict=True)],
            }
        )

    def _offer(self) -> dict[str, int] | None:
        answered = sum(count for what, count in self.done.items() if what.startswith("offer-"))
        return {"number": answered + 1} if answered < self.offers else None

    def _stop(self, stop_id: str, place: Place) -> dict[str, Any]:
        steps = [
            {
                "kind": kind,
                "rule": "required",
                "taken_at": AT.isoformat() if self._taken[f"{stop_id} {kind}"] else None,
            }
            for kind in self.proofs
        ]
        return {
            "stop_id": stop_id,
            "order_ref": f"order-{stop_id}",
            "phase": self._phases[stop_id],
            "recipient_name": "Aiko Tanabe",
            "lat_deg": place.lat_deg,
            "lon_deg": place.lon_deg,
            "window": None,
            "steps": steps,
            "is_listed": True,
        }

    async def _tap(self, request: web.Request) -> web.Response:
        tap = await request.json()
        about = tap["stop_id"] if "stop_id" in tap else f"offer-{tap['offer']}"
        return self._save(request, tap["tap_id"], about, tap["kind"], None)

    async def _evidence(self, request: web.Request) -> web.Response:
        kept = await request.read()
        kept = kept[:-1] + b"!"  # the van re-encodes: what it keeps is not what it was given
        sha256 = hashlib.sha256(kept).hexdigest()
        self.evidence[sha256] = kept
        return self._save(
            request, request.query["tap_id"], request.match_info["stop_id"], request.query["kind"], sha256
        )

    def _save(self, request: web.Request, tap_id: str, stop_id: str, kind: str, sha256: str | None) -> web.Response:
        self.requests += 1
        if request.headers.get("X-Roundsman") != "1":
            return web.json_response({"message": "no header"}, status=403)
        if self.refuses:
            return web.json_response({"trouble": None, "message": "This stop is not on today's list."}, status=409)
        luck = self._rng.random() / self.trouble if self.trouble else 1.0
        if luck < 0.35:
            _cut(request)
        if luck < 0.5:
            return web.json_response({"message": "restarting"}, status=503)
        if tap_id not in self.answers:
            self.done[f"{stop_id} {kind}"] += 1
            self._taken[f"{stop_id} {kind}"] += 1
            phase = {"arrived": "arrived", "delivered": "completed", "failed": "failed"}.get(kind)
            if phase is not None:
                self._phases[stop_id] = phase
            self.answers[tap_id] = {"saved_at": AT.isoformat(), "tap_id": tap_id, "sha256": sha256}
        if luck < 1.0 and self.trouble:
            _cut(request)  # saved, and nobody heard
        return web.json_response(self.answers[tap_id])

    async def _bytes(self, request: web.Request) -> web.Response:
        if self._rng.random() < self.trouble:
            _cut(request)
        return web.Response(body=self.evidence[request.match_info["sha256"]])


def _cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


@dataclass
class StraightRoads:
    """Everywhere leads everywhere, at 10 m/s; closing a road adds a detour point."""

    closed: tuple[Closure, ...] = ()
    asked: int = 0
    is_down: bool = False

    async def route(self, places: Sequence[Place]) -> Route:
        self.asked += 1
        start, end = places
        length_m = distance_m(start, end)
        return Route(
            line=((start.lon_deg, start.lat_deg), (end.lon_deg, end.lat_deg)),
            legs=(Leg(length_m / 10, length_m),),
            manoeuvres=(),
            source=TimesSource.ESTIMATE if self.is_down else TimesSource.ROADS,
        )

    async def set_closures(self, closures: tuple[Closure, ...], now: datetime) -> ClosureReport:
        self.closed = closures
        return ClosureReport(applied=tuple(closure.closure_id for closure in closures))
