"""What an order is worth and whether it keeps the rules. Written apart from every engine: no engine's figures are
believed, and an answer that fails here is never shown. `problem.md` tells every term and every rule.

Service begins at the earliest moment, after arrival and setup, that falls in one of the visit's windows. Past the last
window it begins at once and is late by the distance from that window's end.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from agent.localroute.battery import Charge
from agent.localroute.ledger import Ledger, charge_faults, shortages
from agent.localroute.problem import Amount, Answer, ChargeTiming, EngineName, Problem, Terms, Timing, Visit

NO_ROAD_S = 3600.0
"""How long a leg without a road is taken to last: such a time is a guess, and `faults` names the leg."""
NO_ROAD_COST = 10_000_000.0
"""More than any lateness of a day, so that an order with a road always wins over one without."""
OVERLOAD_COST = 1_000_000.0
"""For each stop, and each of weight, volume and number, that the van leaves with more than it takes."""
SPLIT_COST = 1_000_000.0
"""For each time a group of stops is begun again."""
HAIR = 1e-9
"""Sums of loads are rounded: so much too much is not."""


def evaluate(
    problem: Problem, order: Sequence[str], engine: EngineName = "repair", charges: Sequence[Charge] = ()
) -> Answer:
    """The timings and the cost of driving `order` with these charging stops, whatever rules it breaks; `faults` tells.

    Raises ValueError when `order` names a stop, or `charges` a charger or a place, that the problem does not have.
    """
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1)}
    unknown = [stop_id for stop_id in order if stop_id not in node_of]
    if unknown:
        raise ValueError(f"stops that are not in the problem: {', '.join(unknown)}")
    strange = charge_faults(problem, order, charges)
    if strange:
        raise ValueError(strange[0])
    terms: defaultdict[str, float] = defaultdict(float)
    clock_s, here = 0.0, 0
    ledger = Ledger(problem) if problem.energy is not None else None
    timings: list[Timing] = []
    charged: list[ChargeTiming] = []

    def at_chargers(place: int, here: int, clock_s: float) -> tuple[float, int]:
        """When the van goes on to the stop at `place`, and from where."""
        for charge in charges:
            if charge.place == place and ledger is not None and problem.energy is not None:
                timing, here, cost, term = _charged(problem, ledger, charge, here, clock_s)
                terms[term] += cost
                terms["charging"] += problem.energy.charge_cost_per_s * (timing.leave_s - timing.arrive_s)
                charged.append(timing)
                clock_s = timing.leave_s
        return clock_s, here

    for place, stop_id in enumerate(order):
        clock_s, here = at_chargers(place, here, clock_s)
        node = node_of[stop_id]
        visit = problem.visits[node - 1]
        travel_s = travel_m = 0.0
        if not visit.is_anywhere:
            travel_s, travel_m, cost, term = _leg(problem, here, node, clock_s)
            terms[term] += cost
            if ledger is not None:
                ledger.drive(here, node)
            here = node
        arrive_s = clock_s + travel_s
        ready_s = arrive_s + visit.setup_s
        start_s, lateness_s, rate = service(problem, visit, ready_s)
        terms["waiting"] += problem.wait_cost_per_s * (start_s - ready_s)
        terms["lateness"] += rate * lateness_s
        if visit.promise is not None and not visit.promise[0] <= start_s <= visit.promise[1]:
            terms["moved_promises"] += visit.priority * problem.moved_promise_cost_s
        clock_s = start_s + visit.service_s
        timings.append(
            Timing(
                stop_id=stop_id,
                travel_s=travel_s,
                travel_m=travel_m,
                arrive_s=arrive_s,
                start_s=start_s,
                leave_s=clock_s,
                lateness_s=lateness_s,
                charge_kwh=ledger.charge_kwh if ledger else None,
                least_kwh=ledger.least_kwh if ledger else None,
            )
        )
        if ledger is not None:
            ledger.serve(node)
    clock_s, here = at_chargers(len(order), here, clock_s)
    home_s = home_m = 0.0
    if not problem.ends_anywhere:
        home_s, home_m, cost, term = _leg(problem, here, len(problem.visits) + 1, clock_s)
        terms[term] += cost
        if ledger is not None:
            ledger.drive(here, len(problem.visits) + 1)
    if ledger is not None:
        ledger.end()
        terms["short_of_charge"] += ledger.short_cost
    end_s = clock_s + home_s
    if problem.shift_end_s is not None:
        terms["overtime"] += problem.late_cost_per_s * max(0.0, end_s - problem.shift_end_s)
    moved = _moved_visits(problem, order)
    skipped = [visit for visit in problem.visits if visit.skip_cost_s is not None and visit.stop_id not in set(order)]
    terms["moved_stops"] += problem.moved_stop_cost_s * len(moved)
    terms["skipped"] += sum(visit.priority * (visit.skip_cost_s or 0.0) for visit in skipped)
    terms["overload"] += OVERLOAD_COST * len(overloads(problem, order))
    terms["split_groups"] += SPLIT_COST * len(split_groups(problem, order))
    told = Terms(**terms)
    return Answer(
        order=tuple(order),
        timings=tuple(timings),
        home_travel_s=home_s,
        home_travel_m=home_m,
        end_s=end_s,
        cost=told.total,
        terms=told,
        moved_stops=moved,
        skipped=tuple(visit.stop_id for visit in skipped),
        charges=tuple(charged),
        end_kwh=ledger.charge_kwh if ledger else None,
        end_least_kwh=ledger.least_kwh if ledger else None,
        engine=engine,
    )


def faults(problem: Problem, order: Sequence[str], charges: Sequence[Charge] = ()) -> tuple[str, ...]:
    """Everything wrong with `order`, in words: broken rules first, then what could not be avoided at any price."""
    broken = broken_rules(problem, order, charges)
    return (
        broken
        + legs_without_road(problem, order)
        + overloads(problem, order)
        + split_groups(problem, order)
        + (() if broken else shortages(problem, evaluate(problem, order, charges=charges)))
    )


def broken_rules(problem: Problem, order: Sequence[str], charges: Sequence[Charge] = ()) -> tuple[str, ...]:
    """The rules that `order` breaks; an order that breaks none may be driven."""
    found: list[str] = list(charge_faults(problem, order, charges))
    known = {visit.stop_id: visit for visit in problem.visits}
    counts = Counter(order)
    found += [f"{stop_id} is not in the problem" for stop_id in counts if stop_id not in known]
    found += [f"{stop_id} stands {count} times in the order" for stop_id, count in counts.items() if count > 1]
    found += [
        f"{visit.stop_id} is missing from the order"
        for visit in problem.visits
        if visit.stop_id not in counts and visit.skip_cost_s is None
    ]
    if problem.first is not None and order and order[0] != problem.first:
        found.append(f"{problem.first} is being driven to and must stay first")
    for place, stop_id in enumerate(problem.frozen):
        if place >= len(order) or order[place] != stop_id:
            found.append(f"{stop_id} is frozen at place {place} and does not stand there")
    place_of = {stop_id: place for place, stop_id in enumerate(order)}
    was_put_off: str | None = None
    for place, stop_id in enumerate(order):
        visit = known.get(stop_id)
        if visit is None:
            continue
        if visit.locked_at is not None and visit.locked_at != place:
            found.append(f"{stop_id} is locked at place {visit.locked_at} and stands at {place}")
        if visit.is_last:
            was_put_off = stop_id
        elif was_put_off is not None:
            found.append(f"{was_put_off} was put off to the end and stands before {stop_id}")
        if visit.pickup is not None and visit.pickup in place_of and place_of[visit.pickup] > place:
            found.append(f"{stop_id} is dropped off before it is collected at {visit.pickup}")
    for visit in problem.visits:
        if visit.pickup is not None and (visit.pickup in counts) != (visit.stop_id in counts):
            left_out, kept = sorted((visit.pickup, visit.stop_id), key=lambda stop_id: stop_id in counts)
            found.append(f"{left_out} is left out and the other of its pair, {kept}, is not")
    return tuple(found)


def legs_without_road(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """The legs of `order` for which the matrix has no time; stops that are not in the problem are passed over."""
    node_of = {visit.stop_id: node for node, visit in enumerate(problem.visits, start=1) if not visit.is_anywhere}
    names = ["the van's place", *(visit.stop_id for visit in problem.visits), "the end of the day"]
    nodes = [0, *(node_of[stop_id] for stop_id in order if stop_id in node_of)]
    if not problem.ends_anywhere:
        nodes.append(len(problem.visits) + 1)
    return tuple(
        f"no road leads from {names[here]} to {names[there]}"
        for here, there in pairwise(nodes)
        if problem.travel_s[here][there] is None
    )


def overloads(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """The stops of `order` that the van leaves with more than it takes, once for each of weight, volume and number."""
    visit_of = {visit.stop_id: visit for visit in problem.visits}
    found = []
    for unit in Amount.model_fields:
        capacity, load = getattr(problem.capacity, unit), getattr(problem.aboard, unit)
        for stop_id in order:
            load += getattr(visit_of[stop_id].load, unit) if stop_id in visit_of else 0.0
            if capacity is not None and load > capacity + HAIR:
                found.append(f"after {stop_id} the van carries {load:g} {unit} of {capacity:g}")
    return tuple(found)


def split_groups(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """The stops of `order` at which a group is begun again; a break between two stops splits nothing."""
    visit_of = {visit.stop_id: visit for visit in problem.visits if not visit.is_anywhere}
    found: list[str] = []
    begun: set[str] = set()
    before: str | None = None
    for stop_id in order:
        if stop_id not in visit_of:
            continue
        group = visit_of[stop_id].group
        if group is not None and group != before:
            if group in begun:
                found.append(f"{stop_id} begins the group {group} again")
            begun.add(group)
        before = group
    return tuple(found)


def moved_stops(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """The stops of `after` with another neighbour before them than in `before`.

    Only stops in both orders are looked at: a stop that is new or gone between two others moves neither.
    """
    is_in_both = set(before) & set(after)
    old = [stop_id for stop_id in before if stop_id in is_in_both]
    new = [stop_id for stop_id in after if stop_id in is_in_both]
    neighbour: dict[str, str | None] = dict(zip(old, [None, *old], strict=False))
    return tuple(stop_id for stop_id, ahead in zip(new, [None, *new], strict=False) if neighbour[stop_id] != ahead)


def service(problem: Problem, visit: Visit, ready_s: float) -> tuple[float, float, float]:
    """When service begins for a driver at the door at `ready_s`, how late that is, and the price of a late second."""
    if not visit.windows:
        return ready_s, 0.0, 0.0
    still_open = [max(ready_s, window.opens_s) for window in visit.windows if window.closes_s >= ready_s]
    if still_open:
        return min(still_open), 0.0, 0.0
    last = max(visit.windows, key=lambda window: (window.closes_s, window.is_hard))
    rate = problem.hard_late_cost_per_s if last.is_hard else problem.late_cost_per_s
    return ready_s, ready_s - last.closes_s, rate * visit.priority


def driving_s(problem: Problem, usual_s: float, leave_s: float) -> float:
    """How long a leg of usually `usual_s` takes when begun at `leave_s`: each slot slows its own part of it."""
    bounds_s = [float("-inf"), *(slot.from_s for slot in problem.slots), float("inf")]
    factors = [1.0, *(slot.factor for slot in problem.slots)]
    clock_s, left_s = leave_s, usual_s
    for factor, begins_s, ends_s in zip(factors, bounds_s, bounds_s[1:], strict=False):
        if not begins_s <= clock_s < ends_s:
            continue
        if clock_s + left_s * factor <= ends_s:
            return clock_s + left_s * factor - leave_s
        left_s -= (ends_s - clock_s) / factor
        clock_s = ends_s
    return clock_s - leave_s


def _charged(
    problem: Problem, ledger: Ledger, charge: Charge, here: int, leave_s: float
) -> tuple[ChargeTiming, int, float, str]:
    """Drives to a charger and charges: when, its node, the cost of the leg, and the term that the cost belongs to."""
    node = ledger.node_of(charge.charger_id)
    travel_s, travel_m, cost, term = _leg(problem, here, node, leave_s)
    ledger.drive(here, node)
    arrive_kwh, least_kwh = ledger.charge_kwh, ledger.least_kwh
    timing = ChargeTiming(
        place=charge.place,
        charger_id=charge.charger_id,
        travel_s=travel_s,
        travel_m=travel_m,
        arrive_s=leave_s + travel_s,
        leave_s=leave_s + travel_s + ledger.charge(charge),
        arrive_kwh=arrive_kwh,
        least_kwh=least_kwh,
        to_kwh=charge.to_kwh,
    )
    return timing, node, cost, term


def _moved_visits(problem: Problem, order: Sequence[str]) -> tuple[str, ...]:
    """The moved stops, breaks apart: nobody waits for a break at a door."""
    breaks = {visit.stop_id for visit in problem.visits if visit.is_anywhere}
    return moved_stops(
        [stop_id for stop_id in problem.warm_order if stop_id not in breaks],
        [stop_id for stop_id in order if stop_id not in breaks],
    )


def _leg(problem: Problem, here: int, there: int, leave_s: float) -> tuple[float, float, float, str]:
    """Seconds, metres and cost of one leg, and the term that the cost belongs to."""
    usual_s = problem.travel_s[here][there]
    travel_m = problem.travel_m[here][there] or 0.0
    if usual_s is None:
        return NO_ROAD_S, travel_m, NO_ROAD_COST, "no_road"
    travel_s = driving_s(problem, usual_s, leave_s) if problem.slots else usual_s
    return travel_s, travel_m, travel_s, "driving"
