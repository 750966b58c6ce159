"""Whoever sits in a van whose agent is a process: taps by HTTP and believes "saved" alone; and the van's gpsd."""

import asyncio
import contextlib
import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import aiohttp
from PIL import Image

from agent.pod.evidence import keep
from agent.screen.guard import ASKED_HEADER
from agent.screen.messages import AnyTap, ArrivedTap, DeliveredTap, FailedTap
from agent.screen.taps import TapEntry, evidence_entry, tap_entry
from agent.trip.effects import Trouble
from tests.builders import DEPOT, MORNING
from tests.rig.driver import Act, Saying
from tests.rig.link.nodes import CAB_PORT, GPSD_PORT, Agent
from wire.events import FailReason
from wire.geo import moved
from wire.manifest import EvidenceKind

ANSWER_WITHIN_S = 5.0
DRIVES_MPS = 8.0


@dataclass(frozen=True)
class Request:
    """One tap as the page sends it, and what must come of it."""

    path: str
    body: bytes
    act: Act


def a_day(van: str, stops: int, dice: random.Random) -> list[Request]:
    """Each stop in its turn: often an arrival, evidence, and the end."""
    requests: list[Request] = []

    def tap(tap: AnyTap, *said: Saying) -> None:
        requests.append(Request("/api/taps", tap.model_dump_json().encode(), Act(tap_entry(tap), said)))

    def tap_id() -> str:
        return f"{van}-tap-{len(requests):04}"

    for number in range(1, stops + 1):
        stop_id = f"s{number}"
        has_arrived = dice.random() < 0.7
        if has_arrived:
            tap(ArrivedTap(tap_id=tap_id(), stop_id=stop_id), ("stop.arrived", stop_id, ""))
        for kind in dice.choice(((), (EvidenceKind.SIGNATURE,), (EvidenceKind.SIGNATURE, EvidenceKind.PHOTO))):
            requests.append(_evidence(tap_id(), stop_id, kind, dice))
        if dice.random() < 0.2:
            failed = FailedTap(tap_id=tap_id(), stop_id=stop_id, reason=FailReason.NOT_HOME)
            tap(failed, ("stop.failed", stop_id, "not_home"))
        else:
            arrival = () if has_arrived else (("stop.arrived", stop_id, ""),)
            delivered = DeliveredTap(tap_id=tap_id(), stop_id=stop_id)
            tap(delivered, *arrival, ("stop.completed", stop_id, "delivered_to_recipient"))
    return requests


def _evidence(tap_id: str, stop_id: str, kind: EvidenceKind, dice: random.Random) -> Request:
    edge = dice.choice((60, 120)) if kind is EvidenceKind.SIGNATURE else dice.choice((120, 250))
    picture = io.BytesIO()
    Image.frombytes("L", (edge, edge), dice.randbytes(edge * edge)).save(picture, "PNG")
    kept = keep(kind, picture.getvalue())
    entry: TapEntry = evidence_entry(
        tap_id, stop_id, image=kept, received=picture.getvalue(), signed_by="", taken_at=MORNING
    )
    path = f"/api/stops/{stop_id}/evidence?kind={kind}&tap_id={tap_id}"
    return Request(path, picture.getvalue(), Act(entry, (("proof.captured", stop_id, kept.sha256),)))


class Answered(NamedTuple):
    """When it was saved, as the page was told; of evidence also under which hash: a photo says when it was taken."""

    saved_at: str
    sha256: str | None


def _as_kept(act: Act, answered: Answered) -> Act:
    if act.entry.image is None or answered.sha256 is None:
        return act
    ((kind, stop_id, _),) = act.said
    image = replace(act.entry.image, sha256=answered.sha256)
    return replace(act, entry=replace(act.entry, image=image), said=((kind, stop_id, answered.sha256),))


class Driver:
    """`saved` are the acts that the page called saved, in order."""

    def __init__(self, van: Agent, day: list[Request], dice: random.Random, pace_s: float, note: Callable[[str], None]):
        self.van, self.saved, self.troubles = van, list[Act](), list[str]()
        self._day, self._dice, self._pace_s, self._note = day, dice, pace_s, note

    @property
    def is_done(self) -> bool:
        return len(self.saved) == len(self._day)

    async def run(self) -> None:
        async with self._session() as session:
            for request in self._day:
                await asyncio.sleep(self._dice.uniform(0.0, 2 * self._pace_s))
                first = await self._until_saved(session, request)
                self.saved.append(_as_kept(request.act, first))
                self._note(f"{request.act.entry.tap_id} saved")
                if self._dice.random() < 0.1:
                    again = await self._until_saved(session, request)
                    if again != first:
                        self.troubles.append(f"{request.act.entry.tap_id} sent again was saved again, as {again}")

    async def has_list(self) -> None:
        """Returns when the van knows its stops."""
        while True:
            view = await self._view()
            if view is not None and view["total"] > 0:
                return
            await asyncio.sleep(0.1)

    async def waiting(self) -> int | None:
        """How many sayings and pieces of evidence the van's screen says are not receipted; None when it is dark."""
        view = await self._view()
        return None if view is None else int(view["link"]["waiting"])

    async def _view(self) -> dict[str, Any] | None:
        try:
            async with self._session() as session, session.get("/api/view") as response:
                view: dict[str, Any] = await response.json()
                return view
        except (aiohttp.ClientError, TimeoutError):
            return None

    def _session(self) -> aiohttp.ClientSession:
        # A socket made inside belongs to the van's own loopback, wherever it is used.
        connector = aiohttp.TCPConnector(
            socket_factory=lambda info: self.van.namespace.socket(*info[:3]), force_close=True
        )
        return aiohttp.ClientSession(
            f"http://127.0.0.1:{CAB_PORT}",
            connector=connector,
            headers={ASKED_HEADER: "1"},
            timeout=aiohttp.ClientTimeout(ANSWER_WITHIN_S),
        )

    async def _until_saved(self, session: aiohttp.ClientSession, request: Request) -> Answered:
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):  # it is down, or dies while we ask
                async with session.post(request.path, data=request.body) as response:
                    answer = await response.json()
                if response.status == 200:
                    return Answered(str(answer["saved_at"]), answer["sha256"])
                if answer.get("trouble") not in (Trouble.NO_MANIFEST, Trouble.UNKNOWN_STOP):
                    self.troubles.append(f"{request.act.entry.tap_id} refused: {response.status} {answer}")
                    return Answered("", None)
            await asyncio.sleep(self._dice.uniform(0.1, 0.5))


class Gpsd:
    """Says a fix a second to whoever asks on the van's loopback: eastwards, where no stop is."""

    def __init__(self, van: Agent, now: Callable[[], datetime]) -> None:
        self._van, self._now = van, now
        self._has_parked = False

    def park(self) -> None:
        """No more fixes, so that the track comes to an end."""
        self._has_parked = True

    async def run(self) -> None:
        listening = self._van.namespace.socket()
        listening.bind(("127.0.0.1", GPSD_PORT))
        async with await asyncio.start_server(self._serve, sock=listening) as server:
            await server.serve_forever()

    async def _serve(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError), contextlib.closing(writer):
            while not self._has_parked:
                writer.write(json.dumps(self._fix()).encode() + b"\n")
                await writer.drain()
                await asyncio.sleep(1.0)

    def _fix(self) -> dict[str, object]:
        now = self._now()
        place = moved(DEPOT, north_m=0.0, east_m=DRIVES_MPS * (now - MORNING) / timedelta(seconds=1))
        return {
            "class": "TPV",
            "mode": 3,
            "time": now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "lat": place.lat_deg,
            "lon": place.lon_deg,
            "speed": DRIVES_MPS,
            "track": 90.0,
            "eph": 4.0,
        }
