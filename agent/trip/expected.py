"""The times a plan rests on: the list's and the road's own, as what was learned corrects them. Pure.

Before anything was learned (`Run.known`) they are as they came, and so is a way along the straight line always; but for
the weather, which slows all of them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from agent.learn.expect import FASTEST, Expecting
from agent.learn.keys import Spot, hour_key
from agent.learn.known import NOTHING_KNOWN
from agent.localroute.problem import Slot
from agent.trip.run import Run, RunStop
from agent.trip.weather import service_factor, travel_factor
from wire.events import TimesSource

HOUR = timedelta(hours=1)
MOST = 4.0
"""No hour is planned to be slower than this."""
LEAST_APART = 0.05
"""Hours that differ by less are taken as one: a search that looks at the clock for each leg finds less in its time."""

type Cells = tuple[tuple[float | None, ...], ...]


class ExpectedTimes:
    """Of one run, at one moment."""

    def __init__(self, run: Run, now: datetime, source: TimesSource) -> None:
        self._expecting = Expecting(run.known or NOTHING_KNOWN, run.today.visits, run.today.legs)
        self._run = run
        self._is_learned = run.known is not None and source is TimesSource.ROADS
        self._timezone = run.manifest.timezone if run.manifest else "UTC"
        self._now = now
        ends_at = run.manifest.shift_ends_at if run.manifest else now
        self._hours = self._by_hour(max(ends_at, now))
        self._lowest = min(factor for _, factor in self._hours)

    def visit(self, stop: RunStop) -> tuple[float, float]:
        """Setup and service of a stop that is still driven to, in the weather of the hour the plan has for it."""
        expected = self._expecting.visit(stop.stop).times(service_factor(self._run, self._planned_at(stop)))
        return expected.setup_s, expected.service_s

    def served_at(self, stop: RunStop, arrived_at: datetime) -> datetime:
        """When a stop that was arrived at should be done, waiting for its window to open."""
        expected = self._expecting.visit(stop.stop).times(service_factor(self._run, arrived_at))
        ready_at = arrived_at + timedelta(seconds=expected.setup_s)
        starts = [max(ready_at, window.opens_at) for window in stop.stop.windows if window.closes_at >= ready_at]
        return min(starts, default=ready_at) + timedelta(seconds=expected.service_s)

    def travel_s(self, road_s: Cells, to: Sequence[Spot]) -> Cells:
        """The matrix as it is to be planned with, in the hour in which driving is quickest; `slots` has the others."""
        if not self._is_learned and self._lowest == 1.0:
            return road_s
        areas = [self._expecting.area_factor(spot) if self._is_learned else 1.0 for spot in to]
        factors = [max(FASTEST, area * self._lowest) for area in areas]
        return tuple(
            tuple(None if cell is None else cell * factor for cell, factor in zip(row, factors, strict=True))
            for row in road_s
        )

    def slots(self) -> tuple[Slot, ...]:
        """By how much each hour from now is slower than the quickest; nothing where all are alike."""
        slots: list[Slot] = []
        for begins_at, factor in self._hours:
            slower = factor / self._lowest
            if not slots or slower != slots[-1].factor:
                slots.append(Slot(from_s=(begins_at - self._now).total_seconds(), factor=slower))
        return () if len(slots) == 1 else tuple(slots)

    def _planned_at(self, stop: RunStop) -> datetime:
        legs = self._run.plan.legs if self._run.plan else ()
        return next((leg.arrive_at for leg in legs if leg.stop_id == stop.stop_id), self._now)

    def _by_hour(self, ends_at: datetime) -> list[tuple[datetime, float]]:
        """The factor of each hour from now on, until two hours past the shift; 1 for all where they are alike."""
        begins_at = self._now.replace(minute=0, second=0, microsecond=0)
        hours: list[tuple[datetime, float]] = []
        while begins_at <= ends_at + 2 * HOUR and len(hours) < 24:
            key = f"leg/hour/{hour_key(begins_at, self._timezone)}"
            factor = max(FASTEST, min(MOST, self._expecting.factor(key))) if self._is_learned else 1.0
            hours.append((begins_at, factor * travel_factor(self._run, begins_at)))
            begins_at += HOUR
        factors = [factor for _, factor in hours]
        if max(factors) - min(factors) < LEAST_APART:
            mean = sum(factors) / len(factors)
            return [(begins_at, mean) for begins_at, _ in hours]
        return hours
