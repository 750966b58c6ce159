"""Days as they enter a van, made by the simulator's vehicle and receiver and heard through the van's own judge.

Each is a small round: three stops, driven one after the other, a hand-over of a minute and a half at each. A day is
what is special about it (`DAYS`); another one is a function more, and `python -m tests.drives record` writes it down.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from agent.gps.line import Line
from agent.gps.nmea import Log
from agent.gps.observer import Observer
from agent.trip.decide import decide
from agent.trip.effects import Outgoing, Replan
from agent.trip.inputs import (
    AnyInput,
    DeliveredTapped,
    FailedTapped,
    FixJudged,
    ManifestArrived,
    MinutePassed,
    PlanSolved,
    UndoTapped,
)
from agent.trip.run import Run, StopPhase
from simulator.nmea import Seen, Wander, epoch
from simulator.vehicle import Journey, journey
from tests.builders import DEPOT, MORNING, a_manifest, a_place, a_plan, a_stop
from wire.events import FailReason
from wire.geo import Place

SECOND = timedelta(seconds=1)
LEG_S = 120.0
HANDOVER_S = 90
STOPS = (a_place(north_m=900), a_place(north_m=900, east_m=1_100), a_place(north_m=1_900, east_m=1_100))
CORNERS = ((), (a_place(north_m=900, east_m=400),), (a_place(north_m=1_400, east_m=1_100),))
"""Between one stop and the next."""

type Entered = tuple[datetime, AnyInput]
type Receiver = Callable[[int, Seen], Seen | None]
"""What the receiver makes of the truth in this second of the day; None: it sees no satellites."""


@dataclass
class Day:
    """A van that lives; `entered` is all it took in and `said` all it told."""

    receiver: Receiver
    run: Run = field(default_factory=Run)
    entered: list[Entered] = field(default_factory=list)
    said: list[Outgoing] = field(default_factory=list)
    second: int = 0
    _observer: Observer = field(default_factory=Observer)
    _wander: Wander = field(default_factory=lambda: Wander(7))
    _plans: int = 0

    @property
    def now(self) -> datetime:
        return MORNING + self.second * SECOND

    def live(self, truth: Callable[[datetime], Seen], seconds: int, way: Line | None = None) -> None:
        """So many seconds of fixes."""
        for _ in range(seconds):
            self.second += 1
            seen = self.receiver(self.second, self._wander.off(truth(self.now)))
            [heard] = Log().epochs(epoch(self.now, seen).splitlines())
            observed = self._observer.observe(heard.fix, float(self.second), way)
            self.take(FixJudged(position=observed.position, motion=observed.motion))
            if self.second % 60 == 0:
                self.take(MinutePassed())

    def take(self, entered: AnyInput) -> None:
        self.entered.append((self.now, entered))
        decision = decide(self.run, entered, self.now)
        assert decision.refusal is None
        self.run = decision.run
        self.said += decision.outgoing
        for effect in decision.effects:
            if isinstance(effect, Replan):
                self._plan(effect)

    def _plan(self, asked: Replan) -> None:
        """The planner of this town: the stops in the order they have."""
        self._plans += 1
        stops = [stop.stop for stop in self.run.open_stops]
        plan = a_plan(stops, made_at=self.now, version=self._plans, leg_s=LEG_S, reason=asked.reason)
        self.take(PlanSolved(run_version=asked.run_version, plan=plan))


@dataclass(frozen=True)
class Tale:
    """What is special about a day."""

    receiver: Receiver = lambda _, seen: seen
    taken_back: frozenset[int] = frozenset()
    """The stops at which the driver says delivered, takes it back, and says that it was refused."""


def lived(tale: Tale) -> Day:
    """The round from the depot through its stops."""
    day = Day(tale.receiver)
    stops = tuple(a_stop(number, lat_deg=place.lat_deg, lon_deg=place.lon_deg) for number, place in enumerate(STOPS, 1))
    day.take(ManifestArrived(manifest=a_manifest(stops)))
    day.live(lambda _: Seen(DEPOT, 0.0, 0.0), 30)
    for number, (way, going) in enumerate(_legs(day), 1):
        day.live(going.at, int(LEG_S) + 5, way)
        day.live(going.at, HANDOVER_S, way)
        stop = day.run.find(f"s{number}")
        assert stop is not None
        if stop.phase is not StopPhase.COMPLETED:
            day.take(DeliveredTapped(stop_id=f"s{number}"))
        if number in tale.taken_back:
            day.live(going.at, 4, way)
            day.take(UndoTapped(stop_id=f"s{number}"))
            day.live(going.at, 6, way)
            day.take(FailedTapped(stop_id=f"s{number}", reason=FailReason.REFUSED, note="wrong colour"))
        day.live(going.at, 5, way)
    away = journey([STOPS[-1], a_place(north_m=2_900, east_m=1_100)], LEG_S, day.now)
    day.live(away.at, 90)
    return day


def _legs(day: Day) -> Iterator[tuple[Line, Journey]]:
    for (start, end), corners in zip(pairwise((DEPOT, *STOPS)), CORNERS, strict=True):
        line: list[Place] = [start, *corners, end]
        yield Line(line), journey(line, LEG_S, day.now)


def _in_a_tunnel(second: int, seen: Seen) -> Seen | None:
    """Blind for a minute on the way to the second stop, and from just before the third one until it stands there."""
    return None if 285 <= second < 345 or 580 <= second < 620 else seen


def _with_jumps(second: int, seen: Seen) -> Seen | None:
    """Two fixes 5 km off; 45 s at the first stop's door while the van still drives there; a place that stands still."""
    if second in (60, 61):
        return replace(seen, place=a_place(north_m=5_000))
    if 75 <= second < 120:
        return replace(seen, place=STOPS[0], speed_mps=0.0)
    if 300 <= second < 315:
        return replace(seen, place=a_place(north_m=900, east_m=250))
    return seen


DAYS: dict[str, Tale] = {
    "tunnel": Tale(_in_a_tunnel),
    "jump": Tale(_with_jumps),
    "undo": Tale(taken_back=frozenset({2})),
}
