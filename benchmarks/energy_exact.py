"""The cheapest day of an electric van, proven: every order of the stops, every choice of chargers and levels.

Written apart from the engine, for few stops. Ways are looked at in the order of what they cost at best (A*), so that
the first that is home is the cheapest. At best: the rest of the round driven as quickly as any order of it can be
(dynamic programming over sets of stops, without windows, by a charger where that is nearer), what must at least be
charged, at the best power there is, and how late that makes the van at each stop alone and at home. A way is forgotten
only when another stands at the same charger with the same charge after the same stops, no later, and cheaper even when
it then waits for the first.

It knows what `benchmarks/energy_cases.py` makes: windows, loads, end of shift; no promises, breaks, pairs, groups,
slots, or stops that may be left out. Raises ValueError for a problem with more.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from math import inf, sqrt

from agent.localroute.battery import Z_95, Charge, Energy
from agent.localroute.problem import Problem, TimeWindow

HAIR_KWH = 1e-6


@dataclass(frozen=True)
class Best:
    order: tuple[str, ...]
    charges: tuple[Charge, ...]
    cost: float
    looked_at: int


@dataclass(frozen=True, slots=True)
class _Way:
    done: int
    here: int
    clock_s: float
    cost: float
    kg: float
    left_with: float
    sd: float
    used: float
    squares: float
    order: tuple[int, ...]
    charges: tuple[tuple[int, int, float], ...]


def cheapest(problem: Problem, most: int = 5_000_000) -> Best | None:
    """None when no day keeps the reserve. Raises TimeoutError after so many ways."""
    energy = problem.energy
    if energy is None or not _is_simple(problem):
        raise ValueError("this problem has more in it than the exact search knows")
    ahead = _Ahead(problem, energy)
    ticket = count()
    everything = (1 << len(problem.visits)) - 1
    start = _Way(0, 0, 0.0, 0.0, problem.aboard.kg, energy.charge_kwh, energy.charge_sd_kwh, 0.0, 0.0, (), ())
    queue = [(ahead.at_best(start), next(ticket), start)]
    known: dict[tuple[int, int, float], list[tuple[float, float]]] = {}
    looked_at = 0
    while queue:
        cost, _, way = heapq.heappop(queue)
        looked_at += 1
        if looked_at > most:
            raise TimeoutError(f"not proven after {most} ways")
        if way.here == len(problem.visits) + 1:
            return _told(problem, way, cost, looked_at)
        ways = [_home(problem, way)] if way.done == everything else list(_served(problem, way))
        ways += _charged(problem, energy, way, known)
        for further in ways:
            if _least(energy, further) >= energy.reserve_kwh - HAIR_KWH:
                bound = ahead.at_best(further)
                if bound < inf:
                    heapq.heappush(queue, (bound, next(ticket), further))
    return None


class _Ahead:
    """What is at best still to come, by the stops that are done and the place."""

    def __init__(self, problem: Problem, energy: Energy) -> None:
        self._problem, self._energy, self._count = problem, energy, len(problem.visits)
        self._end = self._count + 1
        no_road = inf
        travel = [[no_road if leg is None else leg for leg in row] for row in problem.travel_s]
        use = [list(row) for row in energy.use_kwh]
        self._nearest_s = _over_chargers(travel, self._end, may_pass_stops=True)
        shortest = _over_chargers(travel, self._end)
        self._drive_s = self._rounds(shortest)
        self._drive_by_s = [
            self._rounds(shortest, by=self._end + 1 + number, after=self._drive_s)
            for number in range(len(energy.chargers))
        ]
        self._use_kwh = self._rounds(_over_chargers(use, self._end))
        self._stands = self._left(energy.standing_kwh or [0.0] * self._count)
        self._work_s = self._left([visit.setup_s + visit.service_s for visit in problem.visits])
        self._shift_end_s = inf if problem.shift_end_s is None else problem.shift_end_s
        self._closing = [
            (stop, window.closes_s - visit.setup_s, visit.priority * _rate(problem, window))
            for stop, visit in enumerate(problem.visits)
            for window in visit.windows
        ]
        self._rates = [
            max((b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(one.curve.points)) for one in energy.chargers
        ]

    def at_best(self, way: _Way) -> float:
        if way.here == self._end:
            return way.cost
        energy = self._energy
        rest = self._use_kwh[way.done][way.here] + self._stands[way.done]
        missing = rest + energy.reserve_kwh - (way.left_with - way.used)
        if _least_of(energy, way.left_with, way.sd, way.used + rest, way.squares) >= energy.reserve_kwh - HAIR_KWH:
            onward = self._driven_home(way, self._drive_s[way.done][way.here], 0.0)
        else:
            # The fastest charger it comes to is driven by, and nothing is charged faster than there.
            onward = min(
                (
                    self._driven_home(way, drive_s[way.done][way.here], charger.setup_s + max(0.0, missing) / rate)
                    for drive_s, charger, rate in zip(self._drive_by_s, energy.chargers, self._rates, strict=True)
                ),
                default=inf,
            )
        late = 0.0
        for stop, closes_s, price in self._closing:
            if not way.done >> stop & 1:
                late += price * max(0.0, way.clock_s + self._nearest_s[way.here][stop + 1] - closes_s)
        return way.cost + onward + late

    def _driven_home(self, way: _Way, drive_s: float, charging_s: float) -> float:
        home_s = way.clock_s + drive_s + self._work_s[way.done] + charging_s
        late_s = max(0.0, home_s - self._shift_end_s)
        return drive_s + self._energy.charge_cost_per_s * charging_s + self._problem.late_cost_per_s * late_s

    def _left(self, values: Sequence[float]) -> list[float]:
        """The sum over all stops that are not done."""
        every = range(1 << self._count)
        return [sum(value for stop, value in enumerate(values) if not done >> stop & 1) for done in every]

    def _rounds(
        self, legs: list[list[float]], by: int | None = None, after: list[list[float]] | None = None
    ) -> list[list[float]]:
        """The least sum of legs from a node through all stops that are not done, and home.

        Or driving by the charger `by` as well, when `after` are the rounds without.
        """
        everything = (1 << self._count) - 1
        rounds: list[list[float]] = [[] for _ in range(everything + 1)]
        rounds[everything] = [row[self._end] for row in legs]
        if by is not None and after is not None:
            rounds[everything] = [row[by] + legs[by][self._end] for row in legs]
        for done in range(everything - 1, -1, -1):
            onward = [
                (stop + 1, rounds[done | 1 << stop][stop + 1]) for stop in range(self._count) if not done >> stop & 1
            ]
            if by is not None and after is not None:
                onward.append((by, after[done][by]))
            rounds[done] = [min(row[node] + rest for node, rest in onward) for row in legs]
        return rounds


def _over_chargers(legs: list[list[float]], end: int, *, may_pass_stops: bool = False) -> list[list[float]]:
    """The shortest ways (Floyd and Warshall) by chargers, and by other stops where they may be passed."""
    least = [list(row) for row in legs]
    for via in range(1 if may_pass_stops else end + 1, len(legs)):
        for row in least:
            for there, leg in enumerate(least[via]):
                row[there] = min(row[there], row[via] + leg)
    return least


def _is_simple(problem: Problem) -> bool:
    return not (
        problem.slots
        or problem.prefix
        or problem.warm_order
        or problem.ends_anywhere
        or problem.capacity.model_dump(exclude_none=True)
        or any(
            visit.promise or visit.is_anywhere or visit.pickup or visit.group or visit.is_last or len(visit.windows) > 1
            for visit in problem.visits
        )
        or any(visit.skip_cost_s is not None or visit.locked_at is not None for visit in problem.visits)
    )


def _drive(problem: Problem, way: _Way, there: int) -> tuple[float, float] | None:
    assert problem.energy is not None
    leg_s = problem.travel_s[way.here][there]
    if leg_s is None:
        return None
    per_kg = problem.energy.use_kwh_per_kg
    return leg_s, problem.energy.use_kwh[way.here][there] + (per_kg[way.here][there] * way.kg if per_kg else 0.0)


def _rate(problem: Problem, window: TimeWindow) -> float:
    return problem.hard_late_cost_per_s if window.is_hard else problem.late_cost_per_s


def _served(problem: Problem, way: _Way) -> Iterator[_Way]:
    assert problem.energy is not None
    for stop, visit in enumerate(problem.visits):
        driven = None if way.done >> stop & 1 else _drive(problem, way, stop + 1)
        if driven is None:
            continue
        leg_s, kwh = driven
        ready_s = way.clock_s + leg_s + visit.setup_s
        start_s, cost = ready_s, way.cost + leg_s
        for window in visit.windows:
            start_s = max(ready_s, window.opens_s)
            cost += problem.wait_cost_per_s * (start_s - ready_s)
            cost += _rate(problem, window) * visit.priority * max(0.0, ready_s - window.closes_s)
        stands = problem.energy.standing_kwh[stop] if problem.energy.standing_kwh else 0.0
        yield _Way(
            way.done | 1 << stop,
            stop + 1,
            start_s + visit.service_s,
            cost,
            way.kg + visit.load.kg,
            way.left_with,
            way.sd,
            way.used + kwh + stands,
            way.squares + kwh**2 + stands**2,
            (*way.order, stop),
            way.charges,
        )


def _home(problem: Problem, way: _Way) -> _Way:
    end = len(problem.visits) + 1
    driven = _drive(problem, way, end)
    leg_s, kwh = (inf, inf) if driven is None else driven
    late_s = 0.0 if problem.shift_end_s is None else max(0.0, way.clock_s + leg_s - problem.shift_end_s)
    cost = way.cost + leg_s + problem.late_cost_per_s * late_s
    used, squares = way.used + kwh, way.squares + kwh**2
    return _Way(
        way.done, end, way.clock_s + leg_s, cost, way.kg, way.left_with, way.sd, used, squares, way.order, way.charges
    )


def _charged(
    problem: Problem, energy: Energy, way: _Way, known: dict[tuple[int, int, float], list[tuple[float, float]]]
) -> Iterator[_Way]:
    for number, charger in enumerate(energy.chargers):
        node = len(problem.visits) + 2 + number
        driven = None if node == way.here else _drive(problem, way, node)
        if driven is None:
            continue
        leg_s, kwh = driven
        arrives = way.left_with - way.used - kwh
        if (
            _least_of(energy, way.left_with, way.sd, way.used + kwh, way.squares + kwh**2)
            < energy.reserve_kwh - HAIR_KWH
        ):
            continue
        for level in energy.levels_kwh:
            if level <= arrives + HAIR_KWH:
                continue
            stands_s = charger.setup_s + charger.curve.seconds(arrives, level)
            clock_s = way.clock_s + leg_s + stands_s
            cost = way.cost + leg_s + energy.charge_cost_per_s * stands_s
            others = known.setdefault((way.done, node, level), [])
            if any(
                at_s <= clock_s and paid + problem.wait_cost_per_s * (clock_s - at_s) <= cost for at_s, paid in others
            ):
                continue
            others.append((clock_s, cost))
            charges = (*way.charges, (len(way.order), number, level))
            yield _Way(way.done, node, clock_s, cost, way.kg, level, 0.0, 0.0, 0.0, way.order, charges)


def _least(energy: Energy, way: _Way) -> float:
    return _least_of(energy, way.left_with, way.sd, way.used, way.squares)


def _least_of(energy: Energy, left_with: float, sd: float, used: float, squares: float) -> float:
    variance = sd**2 + (energy.common_sd_share * used) ** 2 + energy.leg_sd_share**2 * squares
    return left_with - used - Z_95 * sqrt(variance)


def _told(problem: Problem, way: _Way, cost: float, looked_at: int) -> Best:
    assert problem.energy is not None
    chargers = problem.energy.chargers
    return Best(
        order=tuple(problem.visits[stop].stop_id for stop in way.order),
        charges=tuple(
            Charge(place=place, charger_id=chargers[number].charger_id, to_kwh=level)
            for place, number, level in way.charges
        ),
        cost=cost,
        looked_at=looked_at,
    )
