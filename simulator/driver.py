"""A driver's day: drive to the next stop on the screen, ring, hand over, take proof, tap; home when all is done.

The driver knows the van only by its screen, and believes nothing but the word "saved", which goes into the notebook.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from host.clock import Clock
from simulator import keepsakes
from simulator.cab import Cab, RefusedSeen, SavedSeen, Screen, StopSeen
from simulator.nmea import Seen as SeenByReceiver
from simulator.roadtrip import OpenRoads
from simulator.seenlog import Seen, SeenKind, SeenLog
from simulator.vehicle import Journey, journey, standing
from wire.events import FailReason, Outcome
from wire.geo import Place, distance_m

LOOK_S = 0.4
"""How often a driver looks at the screen, in real seconds."""
REACH_WAIT_S = 30.0
"""How long, in domain seconds, before a driver taps *Arrived* although the van is not sure of it."""
WALK_S = 45.0
REFUSED_TALK_S = 60.0
USUAL_SERVICE_S = 100.0
READS_S = 5.0
READS_DAY_S = 240.0
KEEPS_SHARE = 0.2
"""How often a driver knows better, and keeps the order there is."""
TRIES_AT_A_ROAD = 20
TRIES_AT_A_STOP = 6
_AT_HOME_M = 40.0


async def _nothing(*_: object) -> None:
    return None


@dataclass(frozen=True)
class Hooks:
    """Whom a driver tells. `on_progress(van, closed, total)` once at the start with closed = 0 and after each closed
    stop; `on_saving(van, stop_id, kind)` while a request that saves is on its way.
    """

    on_progress: Callable[[str, int, int], Awaitable[None]] = _nothing
    on_saving: Callable[[str, str, str], None] = lambda _van, _stop_id, _kind: None


class DriverStuckError(RuntimeError):
    """The van goes on refusing what the driver has to do; the text holds its words."""


@dataclass
class Driver:
    """One driver in one van, standing at the depot. `await run()` is the day."""

    van: str
    cab: Cab
    roads: OpenRoads
    clock: Clock
    log: SeenLog
    depot: Place
    seed: int
    service_s: Mapping[str, float] = field(default_factory=dict)
    """By order_ref: how long the hand-over takes."""
    refusals: dict[str, FailReason] = field(default_factory=dict)
    """By stop_id or order_ref: whoever opens this door will not take the goods."""
    hooks: Hooks = Hooks()
    is_home: bool = False
    refused: list[RefusedSeen] = field(default_factory=list)
    """What the van would not save, for the record."""

    def __post_init__(self) -> None:
        self._rng = Random(f"{self.seed} {self.van}")  # noqa: S311 - habits, not keys
        self._journey: Journey = standing(self.depot, self.clock.now())
        self._next_door: FailReason | None = None
        self._bytes_wanted: set[str] = set()
        self._answered: set[int] = set()
        self.suggestions = Counter[bool]()
        """Answers that were saved: how many were yes, how many no."""

    def where(self, at: datetime) -> SeenByReceiver:
        """The truth about the van, for its receiver."""
        return self._journey.at(at)

    def refuse_next(self, reason: FailReason) -> None:
        """Whoever opens the next door does not take the goods."""
        self._next_door = reason

    async def run(self) -> None:
        """Until all stops are closed and the van is home. Raises DriverStuckError."""
        has_begun, tries = False, dict[str, int]()
        while not self.is_home:
            screen = await self.cab.screen()
            if screen is not None and screen.stops and not has_begun:
                has_begun = True
                screen = await self._read_the_day(screen)
                await self.hooks.on_progress(self.van, screen.closed, screen.listed)
            if screen is not None and screen.offer is not None and await self._answer(screen, screen.offer.number):
                continue
            stop = screen.find(screen.next_stop_id) if screen is not None else None
            if stop is not None:
                await self._visit(stop, tries)
            elif screen is not None and screen.is_done:
                self.is_home = await self._drive(self.depot, _is_still_done)
            else:
                await asyncio.sleep(LOOK_S)
        await self._fetch_bytes()

    async def _read_the_day(self, screen: Screen) -> Screen:
        """Before setting off: the screen once the van has finished thinking about its first order."""
        until = self.clock.now() + timedelta(seconds=READS_DAY_S)
        while screen.is_planning and self.clock.now() < until:
            await asyncio.sleep(LOOK_S)
            screen = await self._screen()
        return screen

    async def _answer(self, screen: Screen, offer: int) -> bool:
        """Between two stops, standing: says yes or no to a suggestion, once. False when there is nothing to answer."""
        stop = screen.find(screen.next_stop_id)
        if offer in self._answered or screen.motion not in ("halted", "parked") or stop is None or stop.phase != "open":
            return False
        self._answered.add(offer)
        says_yes = self._rng.random() >= KEEPS_SHARE
        await self._live(READS_S)
        answer = await self.cab.answer("accept" if says_yes else "keep", self._tap_id(), offer)
        if isinstance(answer, SavedSeen):
            self.suggestions[says_yes] += 1
        return True

    async def _visit(self, stop: StopSeen, tries: dict[str, int]) -> None:
        place = Place(lat_deg=stop.lat_deg, lon_deg=stop.lon_deg)
        if stop.phase == "open" and not await self._drive(place, lambda screen: screen.next_stop_id == stop.stop_id):
            return
        if await self._serve(stop):
            screen = await self._screen()
            await self.hooks.on_progress(self.van, screen.closed, screen.listed)
            return
        tries[stop.stop_id] = tries.get(stop.stop_id, 0) + 1
        if tries[stop.stop_id] >= TRIES_AT_A_STOP:
            raise DriverStuckError(f"{self.van} cannot close {stop.stop_id}: {self.refused[-1].message}")
        await asyncio.sleep(LOOK_S)

    async def _drive(self, place: Place, is_wanted: Callable[[Screen], bool]) -> bool:
        """Drives there; False when the screen names another aim on the way. No road at all: as if there, on foot."""
        tries = 0
        while True:
            version, here = self.roads.version, self._journey.at(self.clock.now()).place
            if distance_m(here, place) < _AT_HOME_M:
                return True
            way = await self.roads.way(here, place)
            if way is None:
                tries += 1
                if tries >= TRIES_AT_A_ROAD:
                    return True
                await asyncio.sleep(LOOK_S)
                continue
            takes_s = way.travel_s * self._rng.uniform(0.95, 1.12)
            self._journey = journey(way.line, takes_s, self.clock.now())
            while self._journey.ends_at > self.clock.now() and version == self.roads.version:
                left_s = (self._journey.ends_at - self.clock.now()).total_seconds()
                await asyncio.sleep(min(LOOK_S, max(0.0, self.clock.real_s(left_s))))
                screen = await self.cab.screen()
                if screen is not None and not is_wanted(screen):
                    return False
            if version == self.roads.version:
                return True

    async def _serve(self, stop: StopSeen) -> bool:
        """At the door. True when the stop is closed; False when the van did not take a tap."""
        if stop.phase == "open":
            await self._wait_for_reach(stop.stop_id)
            if not await self._tap("arrived", stop.stop_id):
                return False
        reason = self._refusal(stop)
        if reason is not None:
            await self._live(REFUSED_TALK_S)
            return await self._tap("failed", stop.stop_id, result=reason, reason=reason.value)
        if stop.window is not None:
            await self._live((stop.window.opens_at - self.clock.now()).total_seconds())
        usual_s = self.service_s.get(stop.order_ref, USUAL_SERVICE_S)
        await self._live(WALK_S + usual_s * self._rng.uniform(0.8, 1.15))
        for step in stop.steps:
            if step.rule == "required" and step.taken_at is None and not await self._prove(stop, step.kind):
                return False
        is_signed = any(step.kind == "signature" and step.rule == "required" for step in stop.steps)
        is_in_picture = any(step.kind == "photo" and step.rule == "required" for step in stop.steps)
        outcome = Outcome.TO_SAFE_PLACE if is_in_picture and not is_signed else Outcome.TO_RECIPIENT
        received_by = stop.recipient_name if is_signed else ""
        return await self._tap(
            "delivered", stop.stop_id, result=outcome, outcome=outcome.value, received_by=received_by
        )

    def _refusal(self, stop: StopSeen) -> FailReason | None:
        planned = self.refusals.get(stop.stop_id) or self.refusals.get(stop.order_ref)
        if planned is None and self._next_door is not None:
            planned, self._next_door = self._next_door, None
            self.refusals[stop.stop_id] = planned  # asked again, after a tap that was not taken: the same answer
        return planned

    async def _wait_for_reach(self, stop_id: str) -> None:
        until = self.clock.now() + timedelta(seconds=REACH_WAIT_S)
        while self.clock.now() < until:
            screen = await self.cab.screen()
            if screen is not None and screen.is_within_reach and screen.next_stop_id == stop_id:
                return
            await asyncio.sleep(min(LOOK_S, self.clock.real_s(REACH_WAIT_S / 4)))

    async def _prove(self, stop: StopSeen, kind: str) -> bool:
        tap_id = self._tap_id()
        if kind == "photo":
            picture = await asyncio.to_thread(keepsakes.photo, f"{self.seed} {tap_id}", stop.recipient_name)
            sending = self.cab.give(kind, picture, "image/jpeg", tap_id=tap_id, stop_id=stop.stop_id)
            return await self._saved("photo", stop.stop_id, tap_id, sending)
        picture = await asyncio.to_thread(keepsakes.signature, f"{self.seed} {tap_id}")
        sending = self.cab.give(
            "signature", picture, "image/png", tap_id=tap_id, stop_id=stop.stop_id, signed_by=stop.recipient_name
        )
        return await self._saved("signature", stop.stop_id, tap_id, sending)

    async def _tap(
        self, kind: Literal["arrived", "delivered", "failed"], stop_id: str, result: str = "", **more: str
    ) -> bool:
        tap_id = self._tap_id()
        return await self._saved(kind, stop_id, tap_id, self.cab.tap(kind, tap_id, stop_id, **more), result)

    async def _saved(
        self,
        kind: SeenKind,
        stop_id: str,
        tap_id: str,
        sending: Awaitable[SavedSeen | RefusedSeen],
        result: str = "",
    ) -> bool:
        """Sends, and notes what was seen. Someone may pull a plug while the request is on its way."""
        request = asyncio.ensure_future(sending)
        await asyncio.wait({request}, timeout=self._rng.uniform(0.0, 0.06))
        self.hooks.on_saving(self.van, stop_id, kind)
        answer = await request
        if isinstance(answer, RefusedSeen):
            self.refused.append(answer)
            return False
        self.log.note(
            Seen(
                at=self.clock.now(),
                van=self.van,
                stop_id=stop_id,
                kind=kind,
                tap_id=tap_id,
                sha256=answer.sha256,
                result=result,
            )
        )
        if answer.sha256 is not None:
            self._bytes_wanted.add(answer.sha256)
        await self._fetch_bytes()
        return True

    async def _fetch_bytes(self) -> None:
        """What the van keeps, as it says itself; a van that is down is asked again at the next tap."""
        for sha256 in sorted(self._bytes_wanted):
            evidence = await self.cab.evidence(sha256)
            if evidence is None:
                return
            self.log.keep(sha256, evidence)
            self._bytes_wanted.discard(sha256)

    async def _screen(self) -> Screen:
        """The screen, as soon as the van shows one."""
        while True:
            screen = await self.cab.screen()
            if screen is not None:
                return screen
            await asyncio.sleep(LOOK_S)

    async def _live(self, domain_s: float) -> None:
        if domain_s > 0:
            await asyncio.sleep(self.clock.real_s(domain_s))

    def _tap_id(self) -> str:
        return f"{self.van}-{self._rng.getrandbits(64):016x}"


def _is_still_done(screen: Screen) -> bool:
    return screen.is_done
