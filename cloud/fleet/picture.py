"""The day at this moment, in memory: facts are put in, views of what changed come out. No clock, no waiting, no SQL."""

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, timedelta

from cloud.fleet.build import Job, closure_view, looks_the_same, stop_row, van_view
from cloud.fleet.fold import StopState
from cloud.fleet.news import InForce, VanNews
from cloud.fleet.timing import freshness, minutes_past
from cloud.fleet.transfer import Transfer
from cloud.fleet.view import ClosureView, Ending, FleetPicture, Punctuality, StopRow, StopStatus, VanView
from wire.events import Eta
from wire.manifest import Closure, Depot
from wire.model import Sha256, StopId, Value

_AWAITED = (StopStatus.PLANNED, StopStatus.UNASSIGNED)
LOOK_FOR_LATE_EVERY = timedelta(seconds=5)
"""Minutes are shown; a look at each stop of a day, several times a second, would be most of what a picture costs."""


class StopFacts(Value):
    """Everything known of one stop."""

    state: StopState
    whole: frozenset[Sha256]
    transfer: Transfer | None = None


class VanFacts(Value):
    name: str
    driver: str
    news: VanNews = VanNews()
    in_force: InForce = InForce()


class Changes(Value):
    """What a viewer must be told."""

    vans: tuple[VanView, ...] = ()
    stops: tuple[StopRow, ...] = ()


class Picture:
    """Put facts in, then `refresh`: it answers what looks different since the last time."""

    def __init__(self, vans: Iterable[VanFacts], depot: Depot | None, timezone: str, clock_rate: float) -> None:
        self.day: date | None = None
        self.closures: tuple[ClosureView, ...] = ()
        self.endings: tuple[Ending, ...] = ()
        self._depot = depot
        self._timezone = timezone
        self._clock_rate = clock_rate
        self._vans = {van.name: van for van in vans}
        self._jobs: dict[StopId, Job] = {}
        self._facts: dict[StopId, StopFacts] = {}
        self._rows: dict[StopId, StopRow] = {}
        self._views: dict[str, VanView] = {}
        self._stops_of: dict[str, set[StopId]] = {}
        self._stale: set[StopId] = set()
        self._stale_vans: set[str] = set()
        self._looked_for_late_at: datetime | None = None

    def start_day(self, day: date) -> None:
        """Empties the day's stops."""
        self.day = day
        for kept in (self._jobs, self._facts, self._rows, self._stops_of, self._stale):
            kept.clear()
        self._looked_for_late_at = None
        self._stale_vans = set(self._vans)

    def put_stop(self, job: Job, facts: StopFacts) -> None:
        stop_id = job.stop.stop_id
        before = self._jobs.get(stop_id)
        if before is not None and before.van is not None:
            self._stops_of[before.van].discard(stop_id)
            self._stale_vans.add(before.van)
        if job.van is not None:
            self._stops_of.setdefault(job.van, set()).add(stop_id)
            self._stale_vans.add(job.van)
        self._jobs[stop_id] = job
        self.put_facts(stop_id, facts)

    def put_facts(self, stop_id: StopId, facts: StopFacts) -> None:
        """Of a stop that was put before."""
        self._facts[stop_id] = facts
        self._stale.add(stop_id)

    def of_the_day(self, stop_ids: Collection[StopId]) -> set[StopId]:
        """Those among these that were put."""
        return {stop_id for stop_id in stop_ids if stop_id in self._jobs}

    def put_van(self, name: str, news: VanNews, in_force: InForce) -> None:
        """Nothing for a van that is not in the fleet."""
        before = self._vans.get(name)
        if before is None:
            return
        self._vans[name] = before.model_copy(update={"news": news, "in_force": in_force})
        self._stale_vans.add(name)
        told, tells = before.news.etas, news.etas
        moved = {stop_id for stop_id in {*told, *tells} if told.get(stop_id) != tells.get(stop_id)}
        self._stale |= moved & self._stops_of.get(name, set())

    def put_closures(self, closures: Iterable[Closure]) -> None:
        self.closures = tuple(closure_view(closure) for closure in closures)

    def drop_old_closures(self, now: datetime) -> bool:
        """True when one is over and went."""
        before = len(self.closures)
        self.closures = tuple(closure for closure in self.closures if closure.valid_until > now)
        return len(self.closures) < before

    @property
    def van_names(self) -> tuple[str, ...]:
        return tuple(self._vans)

    def stops_with(self, sha256s: Collection[Sha256]) -> set[StopId]:
        """The stops that this evidence belongs to."""
        if not sha256s:
            return set()
        return {
            stop_id
            for stop_id, facts in self._facts.items()
            if any(piece.sha256 in sha256s for piece in facts.state.evidence)
        }

    def van(self, name: str) -> VanView | None:
        return self._views.get(name)

    def is_online(self, name: str) -> bool:
        """As it was put in; a view says it as of the last refresh."""
        return name in self._vans and self._vans[name].news.is_online

    def row(self, stop_id: StopId) -> StopRow | None:
        return self._rows.get(stop_id)

    def refresh(self, now: datetime) -> Changes:
        """Brings every view up to `now`; time alone makes a van silent and a stop late."""
        stops = []
        stale = self._stale | self._overdue(now)
        concerned = {self._jobs[stop_id].van for stop_id in stale}
        etas = {name: van.news.etas for name, van in self._vans.items() if name in concerned}
        for stop_id in stale:
            row = self._built(stop_id, etas, now)
            before = self._rows.get(stop_id)
            if before is None or not looks_the_same(before, row):
                self._rows[stop_id] = row
                stops.append(row)
                if row.van is not None:
                    self._stale_vans.add(row.van)
        self._stale.clear()
        vans = []
        for name, van in self._vans.items():
            shown = self._views.get(name)
            looks_as_old = shown is not None and shown.freshness is freshness(van.news.heard_at, now)
            if looks_as_old and name not in self._stale_vans:
                continue
            rows = sorted(
                (self._rows[stop_id] for stop_id in self._stops_of.get(name, ())),
                key=lambda row: (self._jobs[row.stop_id].position or 0, row.stop_id),
            )
            view = van_view(name, van.news, rows, driver=van.driver, in_force=van.in_force, now=now)
            if view != shown:
                self._views[name] = view
                vans.append(view)
        self._stale_vans.clear()
        return Changes(vans=tuple(vans), stops=tuple(sorted(stops, key=lambda row: row.stop_id)))

    def whole(self, now: datetime) -> FleetPicture:
        """Everything, as of the last refresh. Only after a first `start_day`."""
        assert self.day is not None
        return FleetPicture(
            now=now,
            clock_rate=self._clock_rate,
            timezone=self._timezone,
            day=self.day,
            depot=self._depot,
            vans=tuple(self._views[name] for name in self._vans if name in self._views),
            stops=tuple(self._rows[stop_id] for stop_id in sorted(self._rows)),
            closures=self.closures,
            endings=self.endings,
        )

    def _built(self, stop_id: StopId, etas: Mapping[str, Mapping[StopId, Eta]], now: datetime) -> StopRow:
        job, facts = self._jobs[stop_id], self._facts[stop_id]
        return stop_row(
            job, facts.state, etas.get(job.van or "", {}).get(stop_id), facts.whole, now, transfer=facts.transfer
        )

    def _overdue(self, now: datetime) -> set[StopId]:
        """Open stops whose window has closed and that show too few minutes: those grow without any news."""
        last = self._looked_for_late_at
        if last is not None and last <= now < last + LOOK_FOR_LATE_EVERY:
            return set()
        self._looked_for_late_at = now
        return {
            stop_id
            for stop_id, row in self._rows.items()
            if row.status in _AWAITED
            and row.window is not None
            and now > row.window.closes_at
            and (row.punctuality is not Punctuality.LATE or minutes_past(now, row.window) > (row.minutes_off or 0))
        }
