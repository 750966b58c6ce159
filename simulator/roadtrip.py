"""The roads of the world outside: which way a driver can really take, past the roads that are closed today.

The van's own opinion of the roads is another matter; it learns of a closure from the coordinator, the driver from the
barrier.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from roads.answers import ClosureReport, Route
from wire.events import TimesSource
from wire.geo import Place, distance_m
from wire.manifest import Closure


class Network(Protocol):
    """The part of `roads.network.RoadNetwork` a driver needs."""

    async def route(self, places: Sequence[Place]) -> Route: ...

    async def set_closures(self, closures: tuple[Closure, ...], now: datetime) -> ClosureReport: ...


class NotClosedError(RuntimeError):
    """The closure met no road of this map: the scenario would test nothing."""


@dataclass(frozen=True)
class Way:
    """How to drive somewhere, from where the van stands to where it stops."""

    line: tuple[Place, ...]
    travel_s: float
    travel_m: float


class OpenRoads:
    """The network as it is at this moment. `version` changes when a road closes or opens."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._closures: tuple[Closure, ...] = ()
        self.version = 0

    async def close(self, closure: Closure, now: datetime) -> None:
        """From now on nobody drives there. Raises NotClosedError."""
        report = await self._network.set_closures((*self._closures, closure), now)
        if report.problem or closure.closure_id in report.unmatched:
            raise NotClosedError(f"closure {closure.closure_id} was not applied: {report.problem or 'no such road'}")
        self._closures = (*self._closures, closure)
        self.version += 1

    async def way(self, start: Place, end: Place) -> Way | None:
        """The way by road; None when there is none, or when the road engine does not answer."""
        route = await self._network.route([start, end])
        if route.source is not TimesSource.ROADS or not route.line:
            return None
        line = [Place(lat_deg=lat_deg, lon_deg=lon_deg) for lon_deg, lat_deg in route.line]
        # A van that turns round in the street starts where it is, not where the engine put it on the road.
        if distance_m(start, line[0]) > 1.0:
            line.insert(0, start)
        leg = route.legs[0]
        return Way(tuple(line), leg.travel_s, leg.travel_m)
