"""The way ahead for the map: asked for when the page wants it, kept until the plan or the van leaves it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from agent.gps.line import Foot, Line
from agent.gps.matching import Matcher
from agent.screen.view import ManoeuvreView, RouteView
from agent.trip.progress import fresh_position
from agent.trip.run import Run
from wire.events import TimesSource
from wire.geo import Place, distance_m, distance_to_segment_m
from wire.model import StopId

BLOCK_FROM_M, BLOCK_M = 10.0, 120.0
"""Which piece of the way is closed by *road blocked here*: not the spot the van stands on, from which it must turn."""
STOPS_AHEAD = 8
"""How far ahead the line is drawn: more would be asked for and never looked at."""


@dataclass(frozen=True)
class Way:
    """The answer of the road network, without the stops it leads to. `line` as (lon, lat) pairs."""

    line: tuple[tuple[float, float], ...]
    legs_begin: tuple[int, ...]
    """Where each leg begins in `line`."""
    manoeuvres: tuple[ManoeuvreView, ...]
    """Of the first leg."""
    times: TimesSource


type FindWay = Callable[[Sequence[Place]], Awaitable[Way]]
"""The way through places in order. A straight line is an answer, marked as an estimate."""


class RouteAhead:
    """`version` says whether what the page has is still the way; it only grows while the agent runs."""

    def __init__(self, find_way: FindWay) -> None:
        self.version = 0
        self._find_way = find_way
        self._rests_on: tuple[int, tuple[StopId, ...]] | None = None
        self._kept: RouteView | None = None
        self._kept_places: list[Place] = []
        self._matcher: Matcher | None = None

    def look(self, run: Run, now: datetime) -> int:
        """The version for this run: a new one when the stops ahead changed or the van has left the line we gave."""
        rests_on = (run.plan.version if run.plan else 0, tuple(stop.stop_id for stop in run.open_stops[:STOPS_AHEAD]))
        if rests_on != self._rests_on or self._is_off(run, now):
            self._rests_on = rests_on
            self._kept = None
            self.version += 1
        return self.version

    async def view(self, run: Run, now: datetime) -> RouteView:
        """The way from here through the next stops; an empty line when there is no stop, or no idea where we are."""
        version = self.look(run, now)
        if self._kept is not None:
            return self._kept
        places = _places(run)
        if len(places) < 2:
            return RouteView(route_version=version, times=TimesSource.ESTIMATE, line=(), onward=(), manoeuvres=())
        way = await self._find_way(places)
        cut = way.legs_begin[1] if len(way.legs_begin) > 1 else len(way.line) - 1
        view = RouteView(
            route_version=version,
            times=way.times,
            line=way.line[: cut + 1],
            onward=way.line[cut:] if len(way.legs_begin) > 1 else (),
            manoeuvres=way.manoeuvres,
        )
        if version == self.version:  # nothing changed while we asked
            self._kept = view
            self._kept_places = [Place(lat_deg=lat_deg, lon_deg=lon_deg) for lon_deg, lat_deg in view.line]
            self._matcher = Matcher(self._kept_places, view.times, places[0])
        return view

    @property
    def line(self) -> Line | None:
        """The way to the next stop that was shown last; None while there is none by road."""
        return None if self._kept is None or self._matcher is None else self._matcher.way

    def matched(self, run: Run, now: datetime) -> Foot | None:
        """Where on its way the van is drawn; None off it, without a fresh position and without a way by road."""
        position = fresh_position(run, now)
        if self._kept is None or self._matcher is None or position is None:
            return None
        return self._matcher.seen(position)

    def ahead(self, run: Run, now: datetime) -> tuple[tuple[float, float], ...]:
        """The way from just before the van to BLOCK_M on, as (latitude, longitude); empty when it is not known.

        Not known: without a fresh position, off the line, or while there is no way by road.
        """
        position = fresh_position(run, now)
        if self._kept is None or position is None or self._kept.times is not TimesSource.ROADS:
            return ()
        if self._matcher is None or len(self._kept_places) < 2 or not self._matcher.departure.is_near(position):
            return ()
        line = _from(self._kept_places, position.place)
        part = _stretch(line, BLOCK_FROM_M, BLOCK_M)
        return tuple((place.lat_deg, place.lon_deg) for place in part) if len(part) > 1 else ()

    def _is_off(self, run: Run, now: datetime) -> bool:
        if self._kept is None or self._matcher is None:
            return False
        position = fresh_position(run, now)
        return position is not None and self._matcher.departure.is_off_at(position)


def _from(line: Sequence[Place], place: Place) -> list[Place]:
    """The line from the piece nearest to `place` on."""
    nearest = min(range(len(line) - 1), key=lambda k: distance_to_segment_m(place, line[k], line[k + 1]))
    return [place, *line[nearest + 1 :]]


def _stretch(line: Sequence[Place], from_m: float, to_m: float) -> list[Place]:
    """The part of the line between two distances along it; up to its end where it is shorter."""
    part: list[Place] = []
    gone_m = 0.0
    for a, b in pairwise(line):
        leg_m = distance_m(a, b)
        for cut_m in (from_m, to_m):
            if gone_m <= cut_m < gone_m + leg_m:
                share = (cut_m - gone_m) / leg_m
                part.append(
                    Place(
                        lat_deg=a.lat_deg + (b.lat_deg - a.lat_deg) * share,
                        lon_deg=a.lon_deg + (b.lon_deg - a.lon_deg) * share,
                    )
                )
        gone_m += leg_m
        if from_m < gone_m < to_m:
            part.append(b)
    return part


def _places(run: Run) -> list[Place]:
    """From the newest position, however old, or where the plan began; then the stops ahead."""
    start = run.position.place if run.position else (run.plan.start if run.plan else None)
    if start is None and run.manifest is not None:
        start = run.manifest.start.place
    stops = [stop.stop.place for stop in run.open_stops[:STOPS_AHEAD]]
    return [start, *stops] if start is not None and stops else []
