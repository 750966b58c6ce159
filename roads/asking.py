"""Questions to an engine that take more than one: a table of which most is known, and a way with places no road joins.

`ask` answers Refusal.DOWN while the engine is down, and asks the next one where it was changed for another meanwhile.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, Protocol

from roads import estimate, mixed
from roads.answers import Located, Route
from roads.closures import Pair
from roads.engine import Engine
from roads.known import KnownTimes, Table
from roads.osrm import Osrm, Refusal
from roads.pack import Probe
from wire.geo import Place

PROBE_WITHIN_S = 1.0


class Ask(Protocol):
    """One question to the engine in use."""

    def __call__(self, question: Callable[[Osrm], Awaitable[Any]], /) -> Awaitable[Any]: ...


async def table(ask: Ask, known: KnownTimes, places: Sequence[Place]) -> KnownTimes | Refusal:
    """The times between places that have a road; of what is known only the new rows and columns are asked for."""
    if not known.is_worth_filling(places):
        cells: Table | Refusal = await ask(partial(Osrm.table, places=places))
        return cells if isinstance(cells, Refusal) else KnownTimes(tuple(places), cells)
    new, every = known.new_among(places), range(len(places))
    rows: Table | Refusal = ((), ())
    columns: Table | Refusal = ((), ())
    if new:
        rows = await ask(partial(Osrm.table, places=places, sources=new, destinations=every))
        columns = await ask(partial(Osrm.table, places=places, sources=every, destinations=new))
    if isinstance(rows, Refusal):
        return rows
    if isinstance(columns, Refusal):
        return columns
    return await asyncio.to_thread(known.filled, places, rows, columns)


async def way(ask: Ask, places: Sequence[Place], located: Sequence[Located | None]) -> Route:
    """The way through the places; a leg that has no road is a straight line."""
    parts: list[Route] = []
    for first, last, is_road in mixed.runs([found is not None for found in located]):
        parts += await _parts(ask, places[first : last + 1], is_road)
    return mixed.joined(parts)


async def pieces_of(ask: Ask, places: Sequence[Place], located: Sequence[Located | None]) -> list[list[Pair]]:
    """The pieces of road under each leg of the way; none where no road leads."""
    legs: list[list[Pair]] = []
    for first, last, is_road in mixed.runs([found is not None for found in located]):
        part = places[first : last + 1]
        legs += await _pieces(ask, part) if is_road else [[] for _ in part[1:]]
    return legs


async def is_as_built(osrm: Osrm, probe: Probe) -> bool:
    """Whether a journey takes as long as when the pack was made."""
    cells = await osrm.table([probe.start, probe.end])
    if isinstance(cells, Refusal):
        return False
    there_s = cells[0][0][1]
    return there_s is not None and abs(there_s - probe.travel_s) <= PROBE_WITHIN_S


async def all_as_built(engine: Engine, probes: Sequence[Probe]) -> bool:
    """The same for several."""
    answers = [await engine.ask(partial(is_as_built, probe=probe)) for probe in probes]
    return all(answer is True for answer in answers)


async def _parts(ask: Ask, places: Sequence[Place], is_road: bool) -> list[Route]:
    if not is_road:
        return [estimate.route(places)]
    answer = await ask(partial(Osrm.route, places=places))
    if not isinstance(answer, Refusal):
        return [mixed.by_road(*answer)]
    if answer is Refusal.DOWN or len(places) == 2:
        return [estimate.route(places)]
    return [part for leg in pairwise(places) for part in await _parts(ask, leg, True)]


async def _pieces(ask: Ask, places: Sequence[Place]) -> list[list[Pair]]:
    answer: list[list[Pair]] | Refusal = await ask(partial(Osrm.pieces, places=places))
    if not isinstance(answer, Refusal):
        return answer
    if answer is Refusal.DOWN or len(places) == 2:
        return [[] for _ in places[1:]]
    return [part for leg in pairwise(places) for part in await _pieces(ask, leg)]
