"""The road network as the van and the cloud use it: places, matrices, routes, closures. There is always an answer:
without a map pack, or while OSRM is down, it is the straight-line estimate and says so.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Self

from host.child import ChildError
from roads import asking, estimate, lost, mixed
from roads import closures as closed
from roads.answers import ClosureReport, Located, Lost, Matrix, Route
from roads.closures import Pair
from roads.customise import customised
from roads.engine import Engine
from roads.errors import RoadsError
from roads.known import KnownTimes
from roads.lost import REMEMBERED_PLACES, Doors
from roads.osrm import MAX_PLACES, Osrm, Refusal
from roads.pack import MapPack
from roads.speeds import speed_lines
from wire.events import TimesSource
from wire.geo import Place
from wire.manifest import Closure, SpeedChange
from wire.places import PlaceTrouble

ENGINE = "osrm"
UP_WITHIN_S = 20.0
LOST_SHARE = 0.1
"""Of the places the old map knows, how many a new one may lose: more, and it is the map of another area."""


class RoadNetwork:
    """Open one per process, on the main thread."""

    def __init__(self, pack: MapPack | None, run_dir: Path, work_dir: Path, log_dir: Path) -> None:
        self.pack = pack
        self._run_dir = run_dir
        self._work_dir = work_dir
        self._log_path = log_dir / f"{ENGINE}.log"
        self._engine: Engine | None = None
        self._copy: Path | None = None
        """The folder of the working copy in use; None while the pack itself is."""
        self._copies = 0
        self._asides = 0
        self._closures: tuple[Closure, ...] = ()
        self._speeds: tuple[SpeedChange, ...] = ()
        self._report = ClosureReport()
        self._matched: dict[Closure | SpeedChange, tuple[Pair, ...]] = {}
        self._located: dict[Place, Located | None] = {}
        self._doors = Doors()
        self._shut: frozenset[Pair] = frozenset()
        self._known = KnownTimes()
        self._changing = asyncio.Lock()

    @classmethod
    async def open(cls, pack: MapPack | None, *, run_dir: Path, work_dir: Path, log_dir: Path) -> Self:
        """Starts the engine and waits until it answers; when it does not, opens with estimates and keeps trying.

        `work_dir` holds the copies for closures and should be on the pack's file system. Without a pack everything is
        an estimate.
        """
        network = cls(pack, run_dir, work_dir, log_dir)
        if pack is not None:
            await asyncio.to_thread(_sweep, work_dir)
            network._engine = network._start(ENGINE, None)
            await network._engine.up_within(UP_WITHIN_S)
        return network

    @property
    def is_up(self) -> bool:
        """True while answers come from the roads."""
        return self._engine is not None and self._engine.is_up

    @property
    def problem(self) -> str:
        """Why answers are estimates, in words; empty while they are not."""
        if self._engine is None:
            return "there is no map pack"
        return "" if self._engine.is_up else self._engine.problem

    async def close(self) -> None:
        """Ends the engine and removes the working copy."""
        async with self._changing:
            if self._engine is not None:
                await self._engine.close()
            self._engine = None
            if self._copy is not None:
                await asyncio.to_thread(shutil.rmtree, self._copy, ignore_errors=True)

    async def locate(self, places: Sequence[Place]) -> list[Located | None]:
        """Each place on its nearest road, or None when there is none within 150 m.

        While the engine is down each place itself, with source estimate.
        """
        located = await self._locate(places)
        if located is None:
            return [Located(place=place, distance_m=0.0, street="", source=TimesSource.ESTIMATE) for place in places]
        return located

    async def matrix(self, places: Sequence[Place]) -> Matrix:
        """Travel between all places (at most 500), by road as far as roads lead; see Matrix for what is not.

        One bad place never spoils the others. Of places it was asked about before, as long as no road was closed or
        opened since, it asks the engine for nothing but the new ones. Put together on a thread: with many places it
        takes a tenth of a second.
        """
        _check(places)
        for _ in range(2):
            located = await self._locate(places)
            if located is None:
                return await asyncio.to_thread(estimate.matrix, places)
            on_road = [index for index, found in enumerate(located) if found is not None]
            if len(on_road) < 2:
                return estimate.matrix(places, tuple(index for index in range(len(places)) if index not in on_road))
            engine = self._engine
            known = await asking.table(self._ask, self._known, [places[index] for index in on_road])
            if not isinstance(known, Refusal):
                if engine is self._engine:
                    self._known = known
                whole = await asyncio.to_thread(mixed.matrix, places, on_road, known.cells)
                return replace(whole, closed=await self._on_closed_roads(places))
            self._located.clear()  # a road under one of them was closed since: look once more
        return await asyncio.to_thread(estimate.matrix, places)

    async def troubles(self, places: Sequence[Place], times: Matrix) -> dict[int, Lost]:
        """What is wrong with those of the places that no open road leads to, by their number."""
        found = {number: Lost(PlaceTrouble.CUT_OFF) for number in times.cut_off}
        for number in times.unlocated:
            found[number] = await self.why_lost(places[number])
        return found | {number: Lost(PlaceTrouble.CLOSED) for number in times.closed}

    async def why_lost(self, place: Place) -> Lost:
        """Why a place that `matrix` calls unlocated has no road."""
        if self.pack is None:
            return Lost(PlaceTrouble.FAR)
        return await lost.why_lost(self._ask, place, self.pack.bounds)

    async def route(self, places: Sequence[Place]) -> Route:
        """The way through the places in this order (at most 500); a leg that has no road is a straight line."""
        _check(places)
        located = await self._locate(places)
        if located is None or len(places) < 2:
            return estimate.route(places)
        return await asking.way(self._ask, places, located)

    async def legs_closed(self, places: Sequence[Place], closures: tuple[Closure, ...], now: datetime) -> list[int]:
        """Which legs of the way through the places lead over a road that `set_closures` would close only now.

        From 0; answered within tenths of a second, without waiting for the network to change. Nothing when it is
        down, or knows these closures.
        """
        new = [closure for closure in closed.active(closures, now) if closure not in self._closures]
        located = await self._locate(places) if new and len(places) <= MAX_PLACES else None
        if located is None:
            return []
        shut: set[Pair] = set()
        for closure in new:
            shut.update(closed.given_pairs(closure))
            under = await self._ask(partial(closed.matched_pairs, closure=closure)) if closure.line else ()
            shut.update(() if isinstance(under, Refusal) else under)
        legs = await asking.pieces_of(self._ask, places, located) if shut else []
        return [number for number, leg in enumerate(legs) if not shut.isdisjoint(leg)]

    async def set_closures(
        self, closures: tuple[Closure, ...], now: datetime, speeds: tuple[SpeedChange, ...] = ()
    ) -> ClosureReport:
        """Closes the roads that are closed at `now`, and opens all others; the same set again costs nothing.

        So it does with roads that are driven at another speed; the report names both by their ids.

        Answers go on from the old network until the new one is proven. Call it again when `closures.next_change` says
        that one begins or ends, and after a report with a problem.
        """
        async with self._changing:
            wanted, slow = closed.active(closures, now), closed.active(speeds, now)
            if self.pack is None or self._engine is None:
                ids = tuple(closure.closure_id for closure in wanted)
                return ClosureReport(unmatched=ids, problem="there is no map pack" if ids else "")
            if (wanted, slow) != (self._closures, self._speeds) or self._report.problem:
                try:
                    self._report = await self._change_to(wanted, slow)
                    self._closures, self._speeds = wanted, slow
                except (OSError, ChildError, RoadsError) as error:
                    return ClosureReport(problem=f"closures could not be set, the network is as it was: {error}")
            return self._report

    async def swap(self, new: MapPack, pack_dir: Path, put_in_place: Callable[[], None], now: datetime) -> str:
        """Goes over to another pack, proven and with the same roads closed; answers why not, "" when it did.

        `put_in_place` renames the new pack's folder to `pack_dir`. Until all is well, and when it is not, answers
        come from the old one.
        """
        async with self._changing:
            self._copies += 1
            next_dir = self._work_dir / f"next-{self._copies}"
            fresh = RoadNetwork(new, self._run_dir, next_dir, self._log_path.parent)
            fresh._engine = fresh._start(f"{ENGINE}-fresh", None)
            try:
                await fresh._engine.up_within(UP_WITHIN_S)
                why = (
                    await self._why_not(fresh) or (await fresh.set_closures(self._closures, now, self._speeds)).problem
                )
                if not why:
                    await asyncio.to_thread(put_in_place)
                    await self._become(fresh, pack_dir)
            except (OSError, ChildError, RoadsError) as error:
                why = str(error)
            finally:
                await fresh.close()
            return why

    async def _why_not(self, fresh: "RoadNetwork") -> str:
        """What speaks against the new network: it does not answer as built, or not where this one did."""
        assert fresh.pack is not None
        assert fresh._engine is not None
        if not fresh.is_up:
            return f"the new road network does not answer: {fresh._engine.problem}"
        if not await asking.all_as_built(fresh._engine, fresh.pack.more_probes):
            return "the new road network does not answer as when it was made"
        known = [place for place, located in self._located.items() if located is not None][-MAX_PLACES:]
        gone = sum(one is None for one in await fresh.locate(known))
        if gone > len(known) * LOST_SHARE:
            return f"the new map has no road at {gone} of the {len(known)} places that the old one knows"
        return ""

    async def _become(self, fresh: "RoadNetwork", pack_dir: Path) -> None:
        assert fresh.pack is not None
        assert fresh._engine is not None
        self.pack = fresh.pack.at(pack_dir)
        if fresh._copy is None:
            fresh._engine.move_to(self.pack.road_base)
        old, old_copy = self._engine, self._copy
        self._engine, self._copy, fresh._engine, fresh._copy = fresh._engine, fresh._copy, None, None
        self._report, self._closures, self._shut = fresh._report, fresh._closures, fresh._shut
        self._speeds = fresh._speeds
        self._matched, self._located, self._doors = fresh._matched, fresh._located, fresh._doors
        self._known = KnownTimes()
        if old is not None:
            await old.close()
        self._engine.take_name(ENGINE)
        if old_copy is not None:
            await asyncio.to_thread(shutil.rmtree, old_copy, ignore_errors=True)

    async def _change_to(self, wanted: tuple[Closure, ...], slow: tuple[SpeedChange, ...]) -> ClosureReport:
        assert self.pack is not None
        await self._learn_lines((*wanted, *slow))
        pairs: dict[str, tuple[Pair, ...]] = {}
        for closure in wanted:
            own = closed.given_pairs(closure) + self._matched.get(closure, ())
            pairs[closure.closure_id] = tuple(dict.fromkeys(pairs.get(closure.closure_id, ()) + own))
        lines = {one: closed.speed_file(share) for one, share in closed.shared_out(pairs).items() if share}
        shut = frozenset(pair for every in pairs.values() for pair in every)
        pieces: dict[str, tuple[Pair, ...]] = {}
        if slow:
            meant = {change: self._matched.get(change, ()) for change in slow}
            for one, (met, text) in (await asyncio.to_thread(speed_lines, self.pack.road_base, meant, shut)).items():
                pieces[one] = met
                lines |= {f"speed {one}": text} if text else {}
        used: dict[str, int] = {}
        if lines:
            used = await self._customised(lines)
        elif self._copy is not None:
            await self._switch_to(None)
        self._shut = shut
        applied = (*closed.applied(pairs, used), *(one for one, met in pieces.items() if met))
        ids = dict.fromkeys((*(closure.closure_id for closure in wanted), *(change.speed_id for change in slow)))
        return ClosureReport(applied=applied, unmatched=tuple(one for one in ids if one not in applied))

    async def _customised(self, lines: Mapping[str, str]) -> dict[str, int]:
        """Goes over to a working copy with these speeds; answers how many pieces of road each met."""
        assert self.pack is not None
        self._copies += 1
        copy = self._work_dir / f"closures-{self._copies}"
        try:
            used = await customised(self.pack.road_base, copy, lines, self._run_dir)
            await self._switch_to(copy)
        except BaseException:
            await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
            raise
        return used

    async def _learn_lines(self, wanted: Sequence[Closure | SpeedChange]) -> None:
        """Which roads are under the lines; those of earlier closures are forgotten."""
        known = {one: pairs for one, pairs in self._matched.items() if one in wanted}
        new = [one for one in wanted if one.line and one not in known]
        if new:
            async with self._open_roads() as engine:
                for one in new:
                    pairs = await engine.ask(partial(closed.matched_pairs, closure=one))
                    if isinstance(pairs, Refusal):
                        raise RoadsError("the road engine does not answer, so drawn lines cannot be matched to roads")
                    known[one] = pairs
        self._matched = known

    @asynccontextmanager
    async def _open_roads(self) -> AsyncIterator[Engine]:
        """An engine with no road closed: what is closed already it cannot find, so the pack itself for a moment."""
        assert self._engine is not None
        if self._copy is None:
            yield self._engine
            return
        self._asides += 1
        extra = self._start(f"{ENGINE}-open-{self._asides}", None)
        try:
            await extra.up_within(UP_WITHIN_S)
            yield extra
        finally:
            await extra.close()

    async def _on_closed_roads(self, places: Sequence[Place]) -> tuple[int, ...]:
        if not self._shut or self._engine is None:
            return ()
        new = self._doors.unknown(places)
        if new:
            async with self._open_roads() as engine:
                found = await engine.ask(partial(Osrm.locate, places=new))
            if not isinstance(found, Refusal):
                self._doors.note(dict(zip(new, found, strict=True)))
        return self._doors.shut(places, self._shut)

    async def _switch_to(self, copy: Path | None) -> None:
        assert self._engine is not None
        new = self._start(f"{ENGINE}-next", copy)
        if not await new.up_within(UP_WITHIN_S):
            problem = new.problem
            await new.close()
            raise RoadsError(f"the new road network does not answer: {problem}")
        old, old_copy = self._engine, self._copy
        self._engine, self._copy = new, copy
        self._located.clear()
        self._known = KnownTimes()
        await old.close()
        new.take_name(ENGINE)
        if old_copy is not None:
            await asyncio.to_thread(shutil.rmtree, old_copy, ignore_errors=True)

    def _start(self, name: str, copy: Path | None) -> Engine:
        assert self.pack is not None
        base = self.pack.road_base if copy is None else copy / self.pack.road_base.name
        is_sound = self._answers_as_built if copy is None else self._answers
        return Engine(name, base, is_sound, run_dir=self._run_dir, log_path=self._log_path)

    async def _answers_as_built(self, osrm: Osrm) -> bool:
        assert self.pack is not None
        return await asking.is_as_built(osrm, self.pack.probe)

    async def _answers(self, osrm: Osrm) -> bool:
        assert self.pack is not None  # with closures the journey may take longer, or not lead anywhere
        return await osrm.table([self.pack.probe.start, self.pack.probe.end]) is not Refusal.DOWN

    async def _locate(self, places: Sequence[Place]) -> list[Located | None] | None:
        """None while the engine is down."""
        new = [place for place in dict.fromkeys(places) if place not in self._located]
        was_open = self._copy is None
        found: dict[Place, Located | None] = {}
        for start in range(0, len(new), MAX_PLACES):
            part = new[start : start + MAX_PLACES]
            answer = await self._ask(partial(Osrm.locate, places=part))
            if isinstance(answer, Refusal):
                return None
            found |= zip(part, answer, strict=True)
        if was_open and self._copy is None:
            self._doors.note(found)
        if not self.is_up:
            return None
        known = self._located | found
        self._located = known if len(known) <= REMEMBERED_PLACES else found
        return [known[place] for place in places]

    async def _ask[T](self, question: Callable[[Osrm], Awaitable[T | Refusal]]) -> T | Refusal:
        while (engine := self._engine) is not None:
            answer = await engine.ask(question)
            if answer is not Refusal.DOWN or engine is self._engine:
                return answer
            # The engine was changed for another one while we asked: ask that one.
        return Refusal.DOWN


def _check(places: Sequence[Place]) -> None:
    if len(places) > MAX_PLACES:
        raise ValueError(f"at most {MAX_PLACES} places at once, these are {len(places)}")


def _sweep(work_dir: Path) -> None:
    for left_over in (*work_dir.glob("closures-*"), *work_dir.glob("next-*")):
        shutil.rmtree(left_over, ignore_errors=True)
