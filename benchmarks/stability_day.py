"""One made day of one van in the made-up town, driven in virtual time by the van's own `decide` and planner.

The same seed gives the same day, to the last digit: the engine has a budget of iterations, not of seconds. What goes
wrong is the same whatever order is driven: it hangs on the time of day or on the stop, never on the order.

- From 09:00 to 11:00 driving takes 1.3 times as long as planned, after that 1.1 times; each leg and each service
  has a factor of its own besides.
- At 09:40 a bridge closes for the day. At 10:10 and at 11:20 an order comes in. At one stop nobody is at home.
- The policy is `free` and the driver takes every suggestion at once, or at the next halt where the van would turn.
- A customer is told an hour, half of it before the service that the first plan expects; whenever a later plan falls
  outside, the customer is told another one.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from random import Random

from agent.gps.position import Motion, Position
from agent.localroute.check import evaluate
from agent.localroute.engine import searched
from agent.localroute.explain import lifted_stops
from agent.localroute.problem import Answer, Problem
from agent.localroute.repair import repaired
from agent.planner import Planner
from agent.trip.decide import decide
from agent.trip.effects import Replan
from agent.trip.inputs import (
    AcceptTapped,
    AnyInput,
    ArrivedTapped,
    ConditionsArrived,
    DeliveredTapped,
    FailedTapped,
    FixJudged,
    ManifestArrived,
    MinutePassed,
)
from agent.trip.offers import standing
from agent.trip.punctuality import lateness_s, window_at
from agent.trip.run import Plan, Run, RunStop, StopPhase
from benchmarks.townroads import TownRoads
from simulator.ground import TOWN_SEED
from simulator.orders import Order, make_orders
from simulator.town import Town, make_town
from wire.events import FailReason, FixQuality
from wire.geo import Place
from wire.manifest import Closure, Conditions, Depot, Manifest, NodePair, SequencePolicy, Stop, Window

DAY = date(2026, 11, 23)
STARTS_AT = datetime.combine(DAY, time(8, 0), UTC)
SHIFT = timedelta(hours=6)
STOPS = 60
LATE_ORDERS = (timedelta(hours=2, minutes=10), timedelta(hours=3, minutes=20))
CLOSES_AT = STARTS_AT + timedelta(hours=1, minutes=40)
TRAFFIC = ((timedelta(0), 1.0), (timedelta(hours=1), 1.3), (timedelta(hours=3), 1.1))
WITHOUT_WINDOW = 0.5
TOLD = timedelta(minutes=30)
"""Before and after the expected service: a customer is told an hour."""
MINUTE = timedelta(minutes=1)
ITERATIONS = 400
"""About what a second of search comes to on one core, for as many stops."""


@dataclass(frozen=True)
class Prices:
    """What a moved stop and a moved promise cost, in seconds."""

    moved_stop_s: float
    moved_promise_s: float


AS_THEY_ARE = Prices(
    float(Problem.model_fields["moved_stop_cost_s"].default),
    float(Problem.model_fields["moved_promise_cost_s"].default),
)
NOTHING = Prices(0.0, 0.0)


@dataclass
class Story:
    """What a day came to."""

    plans: int = 0
    changes: int = 0
    """Plans that gave the driver another order than before."""
    moved_stops: int = 0
    moved_promises: int = 0
    windows: int = 0
    windows_kept: int = 0
    late_s: float = 0.0
    driven_s: float = 0.0
    driven_m: float = 0.0
    cost: float = 0.0
    """Driving, waiting, lateness and overtime as they happened, in seconds as `problem.md` counts them."""
    ends_at: datetime = STARTS_AT
    expected: dict[str, list[tuple[datetime, datetime]]] = field(default_factory=dict)
    """For each stop, from when on the van expected to be there at which time."""
    served: dict[str, datetime] = field(default_factory=dict)
    told_again: dict[str, list[datetime]] = field(default_factory=dict)
    failed: str = ""
    new: tuple[str, ...] = ()


@cache
def made_town() -> Town:
    return make_town(TOWN_SEED)


class MadeVan:
    """The shell in place of the van's own: a clock that is set, a planner that answers at once, a driver who obeys."""

    def __init__(self, seed: int, prices: Prices, stops: int, iterations: int) -> None:
        self._seed, self._prices, self._iterations = seed, prices, iterations
        self._dice = Random(f"stability/{seed}")  # noqa: S311 - a day, not a key
        self._roads = TownRoads(made_town())
        self._world = TownRoads(made_town())
        self._planner = Planner(self._roads, self, self, limit_s=1.0, priced=self._priced)
        self._now = STARTS_AT
        self._place = made_town().depot
        self._run = Run()
        self._told: dict[str, tuple[datetime, datetime]] = {}
        self._stops = _stops(seed, stops + len(LATE_ORDERS), self._dice)
        late = sorted(self._stops, key=lambda stop: (_opens(stop), stop.stop_id))[-len(self._stops) // 2 :]
        self._late = tuple(self._dice.sample(late, len(LATE_ORDERS)))
        refuses = self._dice.choice([stop for stop in self._stops if stop not in self._late]).stop_id
        self._refusing = frozenset({refuses})
        self._to_come = self._disturbances()
        self.story = Story(failed=refuses, new=tuple(stop.stop_id for stop in self._late))

    # What the planner asks for --------------------------------------------------------------------------------------

    def now(self) -> datetime:
        return self._now

    def warm(self) -> None: ...

    async def solve(self, problem: Problem, limit_s: float) -> tuple[Answer, str]:
        order, _ = searched(problem, repaired(problem), limit_s=60 * limit_s, iterations=self._iterations)
        return evaluate(problem, order), ""

    def _priced(self, problem: Problem, now: datetime) -> Problem:
        def told(stop_id: str) -> tuple[float, float] | None:
            hour = self._told.get(stop_id)
            return None if hour is None else ((hour[0] - now).total_seconds(), (hour[1] - now).total_seconds())

        return problem.model_copy(
            update={
                "visits": tuple(visit.model_copy(update={"promise": told(visit.stop_id)}) for visit in problem.visits),
                "moved_stop_cost_s": self._prices.moved_stop_s,
                "moved_promise_cost_s": self._prices.moved_promise_s,
            }
        )

    # The day --------------------------------------------------------------------------------------------------------

    async def drive(self) -> Story:
        listed = [stop for stop in self._stops if stop not in self._late]
        await self._enter(FixJudged(position=self._position(), motion=Motion.PARKED))
        await self._enter(ManifestArrived(manifest=made_manifest(1, listed)))
        while (stop := self._run.next_stop) is not None:
            if await self._go_to(stop):
                await self._serve(stop)
        await self._go_home()
        self.story.ends_at = self._now
        shift_ends_at = STARTS_AT + SHIFT
        self.story.cost += 0.5 * max(0.0, (self._now - shift_ends_at).total_seconds())
        return self.story

    async def _enter(self, entered: AnyInput) -> None:
        """One input, and everything that follows from it."""
        before = self._run
        decision = decide(self._run, entered, self._now)
        self._run = decision.run
        if self._run.plan is not before.plan and self._run.plan is not None:
            self._note(before, self._run.plan)
        for effect in decision.effects:
            if isinstance(effect, Replan):
                self.story.plans += 1
                await self._enter(await self._planner.plan(self._run, effect.reason))
        offer = standing(self._run, self._now)
        if offer is not None and not isinstance(entered, AcceptTapped):
            await self._enter(AcceptTapped(offer=offer.number))

    def _note(self, before: Run, plan: Plan) -> None:
        """Counts what a new plan changed for the driver and for those who wait."""
        if before.plan is not None:
            left = [stop.stop_id for stop in before.open_stops if stop.stop_id in set(before.plan.stop_ids)]
            moved = lifted_stops(left, plan.stop_ids)
            self.story.moved_stops += len(moved)
            self.story.changes += bool(moved)
        for leg in plan.legs:
            stop = self._run.find(leg.stop_id)
            if stop is None or stop.phase is StopPhase.ARRIVED:
                continue
            self.story.expected.setdefault(leg.stop_id, []).append((self._now, leg.arrive_at))
            starts_at = _starts(stop, leg.arrive_at)
            told = self._told.get(leg.stop_id)
            if told is not None and told[0] <= starts_at <= told[1]:
                continue
            if told is not None:
                self.story.moved_promises += 1
                self.story.told_again.setdefault(leg.stop_id, []).append(self._now)
            self._told[leg.stop_id] = (starts_at - TOLD, starts_at + TOLD)

    async def _go_to(self, stop: RunStop) -> bool:
        """False when another stop is the next before the van is there."""
        drive = self._world.drive(self._place, stop.stop.place)
        factor = self._leg_factor(stop.stop_id)
        driven_s = 0.0
        while driven_s < drive.travel_s:
            slow = factor * _traffic(self._now)
            step_s = min(MINUTE.total_seconds(), (drive.travel_s - driven_s) * slow)
            driven_s = min(drive.travel_s, driven_s + step_s / slow + 1e-6)
            self._drove(step_s, drive.travel_m * (step_s / slow) / drive.travel_s)
            self._place = drive.at(driven_s)
            is_there = driven_s >= drive.travel_s
            closures = self._run.conditions
            await self._enter(FixJudged(position=self._position(), motion=Motion.HALTED if is_there else Motion.MOVING))
            await self._minute()
            if self._run.next_stop is None or self._run.next_stop.stop_id != stop.stop_id:
                return False
            if self._run.conditions is not closures and not is_there:
                return False  # the road ahead may be the one that was closed
        return True

    async def _serve(self, stop: RunStop) -> None:
        stop_id = stop.stop_id
        late_s = lateness_s(stop.stop, self._now)
        if stop.stop.windows:
            self.story.windows += 1
            self.story.windows_kept += late_s == 0
        self.story.late_s += late_s
        self.story.cost += (20.0 if any(window.is_hard for window in stop.stop.windows) else 0.5) * late_s
        self.story.served[stop_id] = self._now
        await self._enter(ArrivedTapped(stop_id=stop_id))
        ready_at = self._now + timedelta(seconds=stop.stop.setup_s)
        starts_at = _starts(stop, self._now)
        self.story.cost += 0.5 * (starts_at - ready_at).total_seconds()
        if stop_id in self._refusing:
            await self._wait_until(ready_at + MINUTE)
            await self._enter(FailedTapped(stop_id=stop_id, reason=FailReason.NOT_HOME))
            return
        takes = self._service_factor(stop_id)
        await self._wait_until(starts_at + timedelta(seconds=stop.stop.service_s * takes))
        await self._enter(DeliveredTapped(stop_id=stop_id))

    def _leg_factor(self, stop_id: str) -> float:
        """Of the way to that stop, wherever from."""
        return Random(f"{self._seed}/leg/{stop_id}").uniform(0.9, 1.15)  # noqa: S311 - a day, not a key

    def _service_factor(self, stop_id: str) -> float:
        return Random(f"{self._seed}/service/{stop_id}").uniform(0.85, 1.35)  # noqa: S311 - a day, not a key

    async def _wait_until(self, moment: datetime) -> None:
        while self._now < moment:
            self._now = min(moment, self._now + MINUTE)
            await self._enter(FixJudged(position=self._position(), motion=Motion.PARKED))
            await self._minute()

    async def _go_home(self) -> None:
        drive = self._world.drive(self._place, made_town().depot)
        self._drove(drive.travel_s * _traffic(self._now), drive.travel_m)

    def _drove(self, seconds: float, metres: float) -> None:
        self._now += timedelta(seconds=seconds)
        self.story.driven_s += seconds
        self.story.driven_m += metres
        self.story.cost += seconds

    async def _minute(self) -> None:
        while self._to_come and self._to_come[0][0] <= self._now:
            _, happened = self._to_come.pop(0)
            if isinstance(happened, ConditionsArrived):
                for roads in (self._roads, self._world):
                    await roads.set_closures(happened.conditions.closures, self._now)
            await self._enter(happened)
        await self._enter(MinutePassed())

    def _disturbances(self) -> list[tuple[datetime, AnyInput]]:
        bridge = self._dice.choice(made_town().bridges)
        closure = Closure(
            closure_id="bridge",
            pairs=tuple(NodePair(from_node=a, to_node=b) for a, b in bridge.pairs),
            valid_from=CLOSES_AT,
            valid_until=STARTS_AT + timedelta(hours=24),
        )
        conditions = Conditions(version=1, issued_at=CLOSES_AT, closures=(closure,))
        listed = [stop for stop in self._stops if stop not in self._late]
        found: list[tuple[datetime, AnyInput]] = [(CLOSES_AT, ConditionsArrived(conditions=conditions))]
        for number, after in enumerate(LATE_ORDERS, start=1):
            manifest = made_manifest(1 + number, [*listed, *self._late[:number]])
            found.append((STARTS_AT + after, ManifestArrived(manifest=manifest)))
        return sorted(found, key=lambda one: one[0])

    def _position(self) -> Position:
        return Position(
            lat_deg=self._place.lat_deg,
            lon_deg=self._place.lon_deg,
            fixed_at=self._now,
            quality=FixQuality.FIX_3D,
            error_m=4.0,
        )


async def lived(seed: int, prices: Prices, *, stops: int = STOPS, iterations: int = ITERATIONS) -> Story:
    """The day of that seed under those prices."""
    return await MadeVan(seed, prices, stops, iterations).drive()


def _traffic(now: datetime) -> float:
    return [factor for after, factor in TRAFFIC if STARTS_AT + after <= now][-1]


def _starts(stop: RunStop, arrive_at: datetime) -> datetime:
    """When service begins, of an arrival at that moment."""
    ready_at = arrive_at + timedelta(seconds=stop.stop.setup_s)
    window = window_at(stop.stop, ready_at)
    return ready_at if window is None else max(ready_at, window.opens_at)


def _opens(stop: Stop) -> datetime:
    return stop.windows[0].opens_at if stop.windows else STARTS_AT


def made_manifest(version: int, stops: list[Stop]) -> Manifest:
    depot = Depot(lat_deg=made_town().depot.lat_deg, lon_deg=made_town().depot.lon_deg)
    return Manifest(
        van="van-1",
        day=DAY,
        version=version,
        policy=SequencePolicy.FREE,
        start=depot,
        end=depot,
        shift_starts_at=STARTS_AT,
        shift_ends_at=STARTS_AT + SHIFT,
        stops=tuple(stops),
    )


def _stops(seed: int, count: int, dice: Random) -> list[Stop]:
    orders = make_orders(made_town().addresses, made_town().depot, seed=seed, day=DAY, vans=1, stops_per_van=count)
    return list(_made(orders, dice))


def _made(orders: tuple[Order, ...], dice: Random) -> Iterator[Stop]:
    for order in orders:
        opens, closes = (
            datetime.combine(DAY, time.fromisoformat(moment), UTC) for moment in (order.opens, order.closes)
        )
        window = Window(opens_at=opens, closes_at=closes, is_hard=order.is_hard == "yes")
        place = Place(lat_deg=order.lat_deg, lon_deg=order.lon_deg)
        yield Stop(
            stop_id=order.order_ref.rpartition("-")[2],
            order_ref=order.order_ref,
            lat_deg=place.lat_deg,
            lon_deg=place.lon_deg,
            windows=() if dice.random() < WITHOUT_WINDOW else (window,),
            service_s=float(order.service_s),
        )
