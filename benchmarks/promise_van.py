"""A van that lives the days of `benchmarks/promise_days.py` by its own `decide`, learns from them, and is asked for its
arrival times on the last one.

The shell around `decide` is the benchmark's: a clock that is set, a plan in the order of the day, and the van's memory
as plain values. What is learned and how, and every arrival time, is the van's own.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agent.gps.position import Motion, Position
from agent.learn.conformal import Score, kept
from agent.learn.known import known_for
from agent.learn.lessons import learned
from agent.learn.level import Level
from agent.trip.decide import decide
from agent.trip.eta import etas
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    DeliveredTapped,
    FailedTapped,
    FixJudged,
    ManifestArrived,
    MinutePassed,
    PlanSolved,
    Recalled,
)
from agent.trip.punctuality import window_at
from agent.trip.run import Plan, PlanLeg, Run
from benchmarks.promise_days import DEPOT, MadeDay, hour_takes
from wire.events import FailReason, FixQuality, ReplanReason, TimesSource
from wire.geo import Place

LOOK_EVERY = timedelta(minutes=30)
"""How often somebody looks at the arrival times of all stops that are still to come."""
STEP = LOOK_EVERY


@dataclass(frozen=True)
class Look:
    """What was said of one stop at one moment, and what came of it. All in seconds after the day's begin."""

    day: int
    """The seed of the van whose day it is."""
    stop_id: str
    at_s: float
    planned_s: float
    """The arrival of the morning's plan, made of the list's and the road's times."""
    p10_s: float
    p50_s: float
    p90_s: float
    came_s: float = 0.0

    @property
    def holds(self) -> bool:
        return self.p10_s <= self.came_s <= self.p90_s


@dataclass
class Van:
    """`levels` and `scores` are what it knows; both grow with each day lived."""

    seed: int
    levels: dict[str, Level] = field(default_factory=dict)
    scores: dict[int, tuple[Score, ...]] = field(default_factory=dict)
    _run: Run = field(default_factory=Run)
    _looks: list[Look] = field(default_factory=list)
    _began_at: datetime = field(init=False)
    _planned_s: dict[str, float] = field(default_factory=dict)
    _is_looked_at: bool = False

    def live(self, made: MadeDay, *, is_looked_at: bool) -> list[Look]:
        """Drives a day; what was seen of it when it `is_looked_at`, each half hour from its begin."""
        manifest = made.manifest
        self._began_at = now = manifest.shift_starts_at
        self._looks, self._is_looked_at = [], is_looked_at
        self._enter(ManifestArrived(manifest=manifest), now)
        known = known_for(manifest.stops, manifest.day.toordinal(), self.levels, self.scores)
        self._enter(Recalled(known=known), now)
        plan = _plan(made, now)
        self._planned_s = {leg.stop_id: (leg.arrive_at - now).total_seconds() for leg in plan.legs}
        self._enter(PlanSolved(run_version=self._run.version, plan=plan), now)
        self._look(now)
        came: dict[str, float] = {}
        here = DEPOT
        for place, stop in enumerate(manifest.stops):
            found = made.happens[stop.stop_id]
            takes_s = made.road_s[place] * hour_takes(now) * found.leg_factor + found.parking_s
            arrives_at = now + timedelta(seconds=takes_s)
            self._pass(now, arrives_at, here, stop.place)
            self._enter(FixJudged(position=_at(stop.place, arrives_at), motion=Motion.HALTED), arrives_at)
            came[stop.stop_id] = (arrives_at - self._began_at).total_seconds()
            self._enter(ArrivedTapped(stop_id=stop.stop_id), arrives_at)
            ready_at = arrives_at + timedelta(seconds=found.setup_s)
            window = window_at(stop, ready_at)
            waits = max(timedelta(0), window.opens_at - ready_at) if window is not None else timedelta(0)
            done_at = arrives_at + waits + timedelta(seconds=found.visit_s)
            self._pass(arrives_at, done_at, stop.place, stop.place)
            if found.is_failed:
                self._enter(FailedTapped(stop_id=stop.stop_id, reason=FailReason.NOT_HOME), done_at)
            else:
                self._enter(DeliveredTapped(stop_id=stop.stop_id), done_at)
            now, here = done_at, stop.place
        return [Look(**{**vars(look), "came_s": came[look.stop_id]}) for look in self._looks]

    def _enter(self, entered: AnyInput, now: datetime) -> None:
        decision = decide(self._run, entered, now)
        assert decision.refusal is None
        self._run = decision.run
        if decision.learned is not None:
            day, lessons = decision.learned.day, decision.learned.lessons
            self.levels |= learned(self.levels, decision.learned)
            for band, values in lessons.scores.items():
                self.scores[band] = kept(self.scores.get(band, ()), values, day)

    def _pass(self, since: datetime, until: datetime, a: Place, b: Place) -> None:
        """The minutes on the way, or at a door."""
        ticks = (since - self._began_at) // STEP + 1
        while (now := self._began_at + ticks * STEP) <= until:
            share = (now - since) / (until - since) if until > since else 1.0
            here = Place(
                lat_deg=a.lat_deg + share * (b.lat_deg - a.lat_deg), lon_deg=a.lon_deg + share * (b.lon_deg - a.lon_deg)
            )
            self._enter(FixJudged(position=_at(here, now), motion=Motion.PARKED if a == b else Motion.MOVING), now)
            self._enter(MinutePassed(), now)
            if (now - self._began_at) % LOOK_EVERY == timedelta(0):
                self._look(now)
            ticks += 1

    def _look(self, now: datetime) -> None:
        if not self._is_looked_at:
            return
        began_at = self._began_at
        for stop_id, eta in etas(self._run, now).items():
            stop = self._run.find(stop_id)
            if stop is None or stop.arrived_at is not None:
                continue
            self._looks.append(
                Look(
                    day=self.seed,
                    stop_id=stop_id,
                    at_s=(now - began_at).total_seconds(),
                    planned_s=self._planned_s[stop_id],
                    p10_s=(eta.p10 - began_at).total_seconds(),
                    p50_s=(eta.p50 - began_at).total_seconds(),
                    p90_s=(eta.p90 - began_at).total_seconds(),
                )
            )


def _plan(made: MadeDay, now: datetime) -> Plan:
    """The day's order with the times of the list and the road."""
    legs, clock = [], now
    for stop, road_s, road_m in zip(made.manifest.stops, made.road_s, made.road_m, strict=False):
        arrive_at = clock + timedelta(seconds=road_s)
        ready_at = arrive_at + timedelta(seconds=stop.setup_s)
        window = window_at(stop, ready_at)
        clock = (ready_at if window is None else max(ready_at, window.opens_at)) + timedelta(seconds=stop.service_s)
        legs.append(
            PlanLeg(
                stop_id=stop.stop_id,
                travel_s=road_s,
                travel_m=road_m,
                arrive_at=arrive_at,
                leave_at=clock,
                lateness_s=0.0,
            )
        )
    return Plan(
        version=1,
        made_at=now,
        start=DEPOT,
        legs=tuple(legs),
        home_travel_s=made.road_s[-1],
        home_travel_m=made.road_m[-1],
        reason=ReplanReason.MANIFEST,
        times=TimesSource.ROADS,
    )


def _at(place: Place, now: datetime) -> Position:
    return Position(lat_deg=place.lat_deg, lon_deg=place.lon_deg, fixed_at=now, quality=FixQuality.FIX_3D, error_m=4.0)
