"""Where to charge, and how far, when the order of the stops is given: the charging stops that cost least, exactly.

A label is a van that leaves a charger (or its place) for a certain stop of the order, with a certain charge and what
was paid so far. One that reaches the end of the day with the reserve is not charged again: charging takes time, and no
time but a promise's is worth waiting for. Any other is taken from each place of the order to each charger it can reach,
and charged to each level that does not suffice for the rest of the day, and to the lowest that does. Of two labels for
the same stop at the same charger with the same charge, one is forgotten that is later and not cheaper by more than the
other would pay for waiting. Labels are looked at in the order of what they cost at best, so that the first one home is
the cheapest.

Where nothing keeps the reserve, the van charges to the full wherever it charges, and pays for what it is short of
(`problem.md`). The core does the same in C++ (`core/charging.cpp`) for each order it looks at, and for the
one that is given where it is built.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from math import hypot

from agent.localroute import engine
from agent.localroute.battery import Z_95, Charge, Charger, Energy
from agent.localroute.check import NO_ROAD_COST, NO_ROAD_S, driving_s, evaluate, service
from agent.localroute.ledger import HAIR_KWH, short_cost
from agent.localroute.problem import Answer, EngineName, Problem

MOST_LABELS = 10_000
"""More would take seconds; then the best that is known by then is taken."""


def appraised(problem: Problem, order: Sequence[str], engine: EngineName = "repair") -> Answer:
    """What `order` is worth, with the charging stops that cost least where the van's charge is looked at."""
    return evaluate(problem, order, engine, best_charges(problem, order))


def best_charges(problem: Problem, order: Sequence[str]) -> tuple[Charge, ...]:
    """None where the charge lasts for the day, or nobody looks at it."""
    if problem.energy is None:
        return ()
    return engine.charges(problem, order) if engine.is_built() else found_here(problem, problem.energy, order)


def found_here(problem: Problem, energy: Energy, order: Sequence[str]) -> tuple[Charge, ...]:
    """The same without the core: milliseconds where one stop at a charger is enough, seconds where it needs several."""
    search = _Search(problem, energy, order)
    best = search.run(may_be_short=False) or search.run(may_be_short=True)
    return best.charges if best else ()


@dataclass(frozen=True)
class _Label:
    """Leaves `here` at `clock_s` for the stop at `place`."""

    place: int
    here: int
    clock_s: float
    cost: float
    left_with_kwh: float
    sd_kwh: float
    used_kwh: float = 0.0
    squares: float = 0.0
    """Of the parts of `used_kwh`, whose errors are independent."""
    charges: tuple[Charge, ...] = ()


def _was_there(label: _Label, charger: Charger) -> bool:
    """On the same way from one stop to the next: nobody charges twice at one place without a stop in between."""
    return any(one.place == label.place and one.charger_id == charger.charger_id for one in label.charges)


@dataclass(frozen=True)
class _Rest:
    """What comes from a place of the order on, behind the leg to it."""

    target: int | None
    """The node that leg leads to; None when the day ends without a leg."""
    kg: float
    used_kwh: float = 0.0
    squares: float = 0.0
    price: float = 0.0
    """At least."""
    promises: float = 0.0


class _Search:
    def __init__(self, problem: Problem, energy: Energy, order: Sequence[str]) -> None:
        self._problem, self._energy = problem, energy
        node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
        self._nodes = [node_of[stop_id] for stop_id in order]
        self._chargers = list(enumerate(energy.chargers, start=len(problem.visits) + 2))
        self._lead_price = max(1.0, problem.wait_cost_per_s) if problem.slots else problem.wait_cost_per_s
        self._kg = [problem.aboard.kg]
        for node in self._nodes:
            self._kg.append(self._kg[-1] + problem.visits[node - 1].load.kg)
        self._rest = [_Rest(None if problem.ends_anywhere else len(problem.visits) + 1, self._kg[-1])]
        for place in reversed(range(len(self._nodes))):
            self._rest.append(self._behind(place, self._rest[-1]))
        self._rest.reverse()

    def _behind(self, place: int, later: _Rest) -> _Rest:
        """What comes from `place` on, when `later` comes from the next place on."""
        node = self._nodes[place]
        visit = self._problem.visits[node - 1]
        stands = self._energy.standing_kwh[node - 1] if self._energy.standing_kwh else 0.0
        used, squares, price = later.used_kwh + stands, later.squares + stands**2, later.price
        promises = later.promises + (visit.priority * self._problem.moved_promise_cost_s if visit.promise else 0.0)
        if visit.is_anywhere:
            return replace(later, used_kwh=used, squares=squares, promises=promises)
        if later.target is not None:
            use = self._use(node, later.target, later.kg)
            used, squares = used + use, squares + use**2
            price += 0.0 if self._problem.slots else self._leg(node, later.target, 0.0)[1]
        return _Rest(node, self._kg[place], used, squares, price, promises)

    def run(self, *, may_be_short: bool) -> _Label | None:
        """The cheapest way home; None when none keeps the reserve and none may be short."""
        energy = self._energy
        ticket = count()
        start = _Label(0, 0, 0.0, 0.0, energy.charge_kwh, energy.charge_sd_kwh)
        queue: list[tuple[float, int, bool, _Label]] = [(0.0, next(ticket), False, start)]
        known: dict[tuple[int, int, float], list[_Label]] = {}
        best: _Label | None = None
        for _ in range(MOST_LABELS):
            if not queue:
                break
            _, _, is_home, label = heapq.heappop(queue)
            if is_home:
                return label
            *ways, home = self._driven(label)
            short_kwh = energy.reserve_kwh - self._least(home)
            if short_kwh <= HAIR_KWH or may_be_short:
                home = replace(home, cost=home.cost + short_cost(short_kwh))
                if best is None or home.cost < best.cost:
                    best = home
                heapq.heappush(queue, (home.cost, next(ticket), True, home))
            if short_kwh <= HAIR_KWH:
                continue
            for way in ways:
                for charged in self._charged(way, may_be_short=may_be_short):
                    if self._is_news(charged, known):
                        heapq.heappush(queue, (self._at_best(charged), next(ticket), False, charged))
        return best

    def _is_news(self, label: _Label, known: dict[tuple[int, int, float], list[_Label]]) -> bool:
        others = known.setdefault((label.place, label.here, label.left_with_kwh), [])
        promises = self._promises(label.place)
        for other in others:
            lead_s = label.clock_s - other.clock_s
            if lead_s >= 0 and other.cost + promises + self._lead_price * lead_s <= label.cost:
                return False
        others.append(label)
        return True

    def _driven(self, label: _Label) -> Iterator[_Label]:
        """The label at each further place of the order, about to go on; and last at the end of the day."""
        problem = self._problem
        yield label
        for place in range(label.place, len(self._nodes)):
            node = self._nodes[place]
            visit = problem.visits[node - 1]
            if not visit.is_anywhere:
                label = self._moved(label, node, self._kg[place])
            ready_s = label.clock_s + visit.setup_s
            start_s, late_s, rate = service(problem, visit, ready_s)
            cost = label.cost + problem.wait_cost_per_s * (start_s - ready_s) + rate * late_s
            if visit.promise is not None and not visit.promise[0] <= start_s <= visit.promise[1]:
                cost += visit.priority * problem.moved_promise_cost_s
            stands = self._energy.standing_kwh[node - 1] if self._energy.standing_kwh else 0.0
            label = replace(
                label,
                place=place + 1,
                clock_s=start_s + visit.service_s,
                cost=cost,
                used_kwh=label.used_kwh + stands,
                squares=label.squares + stands**2,
            )
            yield label
        if not problem.ends_anywhere:
            label = self._moved(label, len(problem.visits) + 1, self._kg[-1])
        if problem.shift_end_s is not None:
            late_s = max(0.0, label.clock_s - problem.shift_end_s)
            label = replace(label, cost=label.cost + problem.late_cost_per_s * late_s)
        yield label

    def _charged(self, way: _Label, *, may_be_short: bool) -> Iterator[_Label]:
        """The label at each charger it can reach from where it is, charged to each level that is worth it."""
        energy, problem = self._energy, self._problem
        if way.place < len(problem.prefix):
            return
        for node, charger in self._chargers:
            if problem.travel_s[way.here][node] is None or _was_there(way, charger):
                continue
            there = self._moved(way, node, self._kg[way.place])
            short_kwh = energy.reserve_kwh - self._least(there)
            if short_kwh > HAIR_KWH and not may_be_short:
                continue
            there = replace(there, cost=there.cost + short_cost(short_kwh))
            arrives_kwh = there.left_with_kwh - there.used_kwh
            for level in energy.levels_kwh[-1:] if may_be_short else energy.levels_kwh:
                if level > arrives_kwh + HAIR_KWH:
                    charged = self._at_level(there, charger, arrives_kwh, level)
                    yield charged
                    if self._suffices(charged):
                        break

    def _at_level(self, there: _Label, charger: Charger, arrives_kwh: float, level: float) -> _Label:
        stands_s = charger.setup_s + charger.curve.seconds(arrives_kwh, level)
        return _Label(
            place=there.place,
            here=there.here,
            clock_s=there.clock_s + stands_s,
            cost=there.cost + self._energy.charge_cost_per_s * stands_s,
            left_with_kwh=level,
            sd_kwh=0.0,
            charges=(*there.charges, Charge(place=there.place, charger_id=charger.charger_id, to_kwh=level)),
        )

    def _suffices(self, label: _Label) -> bool:
        """Whether a label that has just been charged gets to the end of the day."""
        rest = self._rest[label.place]
        use = self._use(label.here, rest.target, rest.kg) if rest.target is not None else 0.0
        home = replace(label, used_kwh=rest.used_kwh + use, squares=rest.squares + use**2)
        return self._least(home) >= self._energy.reserve_kwh - HAIR_KWH

    def _at_best(self, label: _Label) -> float:
        rest = self._rest[label.place]
        if rest.target is None or self._problem.slots:
            return label.cost + rest.price
        return label.cost + self._leg(label.here, rest.target, 0.0)[1] + rest.price

    def _promises(self, place: int) -> float:
        return self._rest[place].promises

    def _moved(self, label: _Label, there: int, kg: float) -> _Label:
        seconds, price = self._leg(label.here, there, label.clock_s)
        use = self._use(label.here, there, kg)
        return replace(
            label,
            here=there,
            clock_s=label.clock_s + seconds,
            cost=label.cost + price,
            used_kwh=label.used_kwh + use,
            squares=label.squares + use**2,
        )

    def _leg(self, here: int, there: int, leave_s: float) -> tuple[float, float]:
        usual_s = self._problem.travel_s[here][there]
        if usual_s is None:
            return NO_ROAD_S, NO_ROAD_COST
        seconds = driving_s(self._problem, usual_s, leave_s) if self._problem.slots else usual_s
        return seconds, seconds

    def _use(self, here: int, there: int, kg: float) -> float:
        if self._problem.travel_s[here][there] is None:
            return 0.0
        per_kg = self._energy.use_kwh_per_kg
        return self._energy.use_kwh[here][there] + (per_kg[here][there] * kg if per_kg else 0.0)

    def _least(self, label: _Label) -> float:
        """What 95 of 100 vans have at least."""
        energy = self._energy
        off = hypot(label.sd_kwh, energy.common_sd_share * label.used_kwh, energy.leg_sd_share * label.squares**0.5)
        return label.left_with_kwh - label.used_kwh - Z_95 * off
