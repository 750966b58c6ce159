"""The road network as the van and the cloud use it: places, matrices, routes, closures. There is always an answer:
without a map pack, or while OSRM is down, it is the straight-line estimate and says so.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Self

from host.child import Child, ChildError
from roads import closures as closed
from roads import estimate, mixed
from roads.answers import ClosureReport, Located, Lost, Matrix, Route
from roads.closures import Pair
from roads.engine import Engine
from roads.errors import RoadsError
from roads.known import KnownTimes, Table
from roads.osrm import MAX_PLACES, Osrm, Refusal, customize_command, used_speeds
from roads.pack import MapPack
from wire.events import TimesSource
from wire.geo import Place
from wire.manifest import Closure
from wire.places import PlaceTrouble

ENGINE = "osrm"
UP_WITHIN_S = 20.0
PROBE_WITHIN_S = 1.0
REMEMBERED_PLACES = 5_000


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
        self._report = ClosureReport()
        self._matched: dict[Closure, tuple[Pair, ...]] = {}
        self._located: dict[Place, Located | None] = {}
        self._doors: dict[Place, Pair | None] = {}
        """On which piece of road each place is while no road is closed."""
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
            cells = await self._table([places[index] for index in on_road])
            if not isinstance(cells, Refusal):
                whole = await asyncio.to_thread(mixed.matrix, places, on_road, cells)
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
        found = await self._ask(partial(Osrm.locate, places=[place], is_anywhere=True))
        away_m = None if isinstance(found, Refusal) or found[0] is None else round(found[0].distance_m)
        if _is_within(place, self.pack.bounds):
            return Lost(PlaceTrouble.FAR, away_m)
        if abs(place.lon_deg) <= 90:
            turned = Place(lat_deg=place.lon_deg, lon_deg=place.lat_deg)
            found = await self._ask(partial(Osrm.locate, places=[turned]))
            if not isinstance(found, Refusal) and found[0] is not None:
                return Lost(PlaceTrouble.SWAPPED)
        return Lost(PlaceTrouble.OFF_MAP, away_m)

    async def route(self, places: Sequence[Place]) -> Route:
        """The way through the places in this order (at most 500); a leg that has no road is a straight line."""
        _check(places)
        located = await self._locate(places)
        if located is None or len(places) < 2:
            return estimate.route(places)
        parts: list[Route] = []
        for first, last, is_road in mixed.runs([found is not None for found in located]):
            parts += await self._parts(places[first : last + 1], is_road)
        return mixed.joined(parts)

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
        found: list[int] = []
        for first, last, is_road in mixed.runs([place is not None for place in located]) if shut else ():
            if is_road:
                legs = await self._pieces(places[first : last + 1])
                found += [first + number for number, leg in enumerate(legs) if not shut.isdisjoint(leg)]
        return found

    async def set_closures(self, closures: tuple[Closure, ...], now: datetime) -> ClosureReport:
        """Closes the roads that are closed at `now`, and opens all others; the same set again costs nothing.

        Answers go on from the old network until the new one is proven. Call it again when `closures.next_change` says
        that one begins or ends, and after a report with a problem.
        """
        async with self._changing:
            wanted = closed.active(closures, now)
            if self.pack is None or self._engine is None:
                ids = tuple(closure.closure_id for closure in wanted)
                return ClosureReport(unmatched=ids, problem="there is no map pack" if ids else "")
            if wanted != self._closures or self._report.problem:
                try:
                    self._report = await self._change_to(wanted)
                    self._closures = wanted
                except (OSError, ChildError, RoadsError) as error:
                    return ClosureReport(problem=f"closures could not be set, the network is as it was: {error}")
            return self._report

    async def _change_to(self, wanted: tuple[Closure, ...]) -> ClosureReport:
        assert self.pack is not None
        pairs = await self._pairs(wanted)
        shares = {closure_id: share for closure_id, share in closed.shared_out(pairs).items() if share}
        ids = tuple(dict.fromkeys(closure.closure_id for closure in wanted))
        copy: Path | None = None
        used: dict[str, int] = {}
        if shares:
            self._copies += 1
            copy = self._work_dir / f"closures-{self._copies}"
            try:
                used = await self._customised(copy, shares)
                await self._switch_to(copy)
            except BaseException:
                await asyncio.to_thread(shutil.rmtree, copy, ignore_errors=True)
                raise
        elif self._copy is not None:
            await self._switch_to(None)
        self._shut = frozenset(pair for share in shares.values() for pair in share)
        applied = closed.applied(pairs, used)
        return ClosureReport(applied=applied, unmatched=tuple(i for i in ids if i not in applied))

    async def _pairs(self, wanted: tuple[Closure, ...]) -> dict[str, tuple[Pair, ...]]:
        lines = [closure for closure in wanted if closure.line and closure not in self._matched]
        found = await self._match(lines) if lines else {}
        self._matched = {closure: pairs for closure, pairs in (self._matched | found).items() if closure in wanted}
        pairs: dict[str, tuple[Pair, ...]] = {}
        for closure in wanted:
            own = closed.given_pairs(closure) + self._matched.get(closure, ())
            pairs[closure.closure_id] = tuple(dict.fromkeys(pairs.get(closure.closure_id, ()) + own))
        return pairs

    async def _match(self, lines: Sequence[Closure]) -> dict[Closure, tuple[Pair, ...]]:
        async with self._open_roads() as engine:
            matched: dict[Closure, tuple[Pair, ...]] = {}
            for closure in lines:
                pairs = await engine.ask(partial(closed.matched_pairs, closure=closure))
                if isinstance(pairs, Refusal):
                    raise RoadsError("the road engine does not answer, so drawn lines cannot be matched to roads")
                matched[closure] = pairs
            return matched

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
        """Which of the places lie on a road that is closed both ways."""
        if not self._shut or self._engine is None:
            return ()
        new = [place for place in dict.fromkeys(places) if place not in self._doors]
        if new:
            async with self._open_roads() as engine:
                await self._learn_doors(engine, new)
        return tuple(
            number
            for number, place in enumerate(places)
            if (pair := self._doors.get(place)) is not None and {pair, pair[::-1]} <= self._shut
        )

    async def _learn_doors(self, engine: Engine, places: Sequence[Place]) -> None:
        for start in range(0, len(places), MAX_PLACES):
            part = places[start : start + MAX_PLACES]
            found = await engine.ask(partial(Osrm.locate, places=part))
            if isinstance(found, Refusal):
                return
            self._note_doors(dict(zip(part, found, strict=True)))

    def _note_doors(self, found: dict[Place, Located | None]) -> None:
        doors = {place: None if located is None else located.pair for place, located in found.items()}
        known = self._doors | doors
        self._doors = known if len(known) <= REMEMBERED_PLACES else doors

    async def _customised(self, copy: Path, shares: dict[str, tuple[Pair, ...]]) -> dict[str, int]:
        """Makes the working copy; answers how many pieces of road each closure met."""
        assert self.pack is not None
        base = await asyncio.to_thread(closed.working_copy, self.pack.road_base, copy)
        files = {copy / f"{number}.csv": closure_id for number, closure_id in enumerate(shares)}
        for file, closure_id in files.items():
            file.write_text(closed.speed_file(shares[closure_id]))
        log_path = copy / "customize.log"
        child = await Child.start(
            "osrm-customize", customize_command(base, list(files)), run_dir=self._run_dir, log_path=log_path, cwd=copy
        )
        try:
            code = await child.wait()
        finally:
            await child.stop()
        if code != 0:
            raise RoadsError(f"osrm-customize ended with code {code}: {child.log_tail()}")
        used = used_speeds(log_path.read_text(errors="replace"))
        return {closure_id: used.get(file.name, 0) for file, closure_id in files.items()}

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
        probe = self.pack.probe
        cells = await osrm.table([probe.start, probe.end])
        if isinstance(cells, Refusal):
            return False
        there_s = cells[0][0][1]
        return there_s is not None and abs(there_s - probe.travel_s) <= PROBE_WITHIN_S

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
            self._note_doors(found)
        if not self.is_up:
            return None
        known = self._located | found
        self._located = known if len(known) <= REMEMBERED_PLACES else found
        return [known[place] for place in places]

    async def _table(self, places: Sequence[Place]) -> Table | Refusal:
        """Seconds and metres between places that have a road."""
        known, engine = self._known, self._engine
        if known.is_worth_filling(places):
            new = known.new_among(places)
            every = range(len(places))
            rows: Table | Refusal = ((), ())
            columns: Table | Refusal = ((), ())
            if new:
                rows = await self._ask(partial(Osrm.table, places=places, sources=new, destinations=every))
                columns = await self._ask(partial(Osrm.table, places=places, sources=every, destinations=new))
            if isinstance(rows, Refusal) or isinstance(columns, Refusal):
                return rows if isinstance(rows, Refusal) else columns
            now_known = await asyncio.to_thread(known.filled, places, rows, columns)
        else:
            cells = await self._ask(partial(Osrm.table, places=places))
            if isinstance(cells, Refusal):
                return cells
            now_known = KnownTimes(tuple(places), cells)
        if engine is self._engine:
            self._known = now_known
        return now_known.cells

    async def _pieces(self, places: Sequence[Place]) -> list[list[Pair]]:
        """The pieces of road of each leg; none where no road leads."""
        answer = await self._ask(lambda osrm: osrm.pieces(places))
        if not isinstance(answer, Refusal):
            return answer
        if answer is Refusal.DOWN or len(places) == 2:
            return [[] for _ in places[1:]]
        return [part for leg in pairwise(places) for part in await self._pieces(leg)]

    async def _parts(self, places: Sequence[Place], is_road: bool) -> list[Route]:
        if not is_road:
            return [estimate.route(places)]
        answer = await self._ask(lambda osrm: osrm.route(places))
        if not isinstance(answer, Refusal):
            return [mixed.by_road(*answer)]
        if answer is Refusal.DOWN or len(places) == 2:
            return [estimate.route(places)]
        return [part for leg in pairwise(places) for part in await self._parts(leg, True)]

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


def _is_within(place: Place, bounds: tuple[float, float, float, float]) -> bool:
    west, south, east, north = bounds
    return south <= place.lat_deg <= north and west <= place.lon_deg <= east


def _sweep(work_dir: Path) -> None:
    for left_over in work_dir.glob("closures-*"):
        shutil.rmtree(left_over, ignore_errors=True)
