"""Rules against each other: whether any order can keep them all, and one that does.

`check.py` tells which rules a given order breaks; nothing here knows what an order costs.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # problem.py asks us whether a problem may be
    from agent.localroute.problem import Problem, Visit


def contradicted(problem: "Problem") -> str:
    """What no order can satisfy at once, in words; "" when there is an order that keeps every rule."""
    visit_of = {visit.stop_id: visit for visit in problem.visits}
    count = len(problem.visits)
    last_from = count - sum(visit.is_last for visit in problem.visits)
    prefix = problem.prefix
    if problem.first is not None and problem.first not in visit_of:
        return f"the first stop {problem.first} is not among the visits"
    if problem.first is not None and prefix[0] != problem.first:
        return f"{problem.first} cannot be first: the frozen stops begin with {prefix[0]}"
    for stop_id in prefix:
        if stop_id not in visit_of:
            return f"the frozen stop {stop_id} is not among the visits"
    if len(set(prefix)) < len(prefix):
        return "a stop stands twice among the frozen ones"
    places: dict[int, str] = {}
    for visit in problem.visits:
        if visit.stop_id in prefix and visit.is_last and prefix.index(visit.stop_id) < last_from:
            return f"{visit.stop_id} cannot be {_at_head(prefix, visit.stop_id)} and put off to the end"
        if visit.locked_at is None:
            continue
        allowed = range(last_from, count) if visit.is_last else range(last_from)
        if visit.locked_at not in allowed:
            return f"{visit.stop_id} cannot be locked at place {visit.locked_at} of {count}"
        if visit.locked_at in places:
            other = places[visit.locked_at]
            return f"{other} and {visit.stop_id} are locked at the same place {visit.locked_at}"
        if visit.skip_cost_s is not None:
            return f"{visit.stop_id} is locked and cannot be left out"
        places[visit.locked_at] = visit.stop_id
    if places and any(visit.skip_cost_s is not None for visit in problem.visits):
        first_optional = min(visit.stop_id for visit in problem.visits if visit.skip_cost_s is not None)
        return f"{first_optional} may be left out, which would move the locked stops"
    for place, stop_id in enumerate(prefix):
        if places.get(place, stop_id) != stop_id or visit_of[stop_id].locked_at not in (None, place):
            return f"{stop_id} cannot be {_at_head(prefix, stop_id)}: a lock says otherwise"
        if visit_of[stop_id].skip_cost_s is not None:
            return f"{stop_id} is {_at_head(prefix, stop_id)} and cannot be left out"
        places[place] = stop_id
    return _pairs_contradicted(problem, visit_of, places)


def _pairs_contradicted(problem: "Problem", visit_of: Mapping[str, "Visit"], places: dict[int, str]) -> str:
    drop_of: dict[str, str] = {}
    place_of = {stop_id: place for place, stop_id in places.items()}
    for drop in problem.visits:
        if drop.pickup is None:
            continue
        pickup = visit_of.get(drop.pickup)
        if pickup is None or pickup is drop:
            return f"the pickup {drop.pickup} of {drop.stop_id} is not among the visits"
        if pickup.pickup is not None:
            return f"{pickup.stop_id} cannot be both a drop-off and the pickup of {drop.stop_id}"
        if drop.pickup in drop_of:
            return f"{drop_of[drop.pickup]} and {drop.stop_id} have the same pickup {drop.pickup}"
        if (pickup.skip_cost_s is None) != (drop.skip_cost_s is None):
            return f"{drop.pickup} and {drop.stop_id} can only be left out together"
        if pickup.is_last and not drop.is_last:
            return f"{drop.pickup} is put off to the end and its drop-off {drop.stop_id} is not"
        drop_of[drop.pickup] = drop.stop_id
    if drop_of and places and scheduled(problem, place_of, [visit.stop_id for visit in problem.visits]) is None:
        return "the locked places leave no place for a pickup before its drop-off"
    return ""


def scheduled(problem: "Problem", place_of: dict[str, int], wish: Sequence[str]) -> tuple[str, ...] | None:
    """An order of the visits in `wish` with those of `place_of` at their places, each pickup before its drop-off and
    stops that were put off at the end; else as in `wish`. None when there is none.

    Each visit has a first and a last place where it may stand; whoever must stand earliest goes first as soon as
    waiting any longer would leave one behind its last place (earliest deadline first, which finds an order if any).
    """
    visits = {visit.stop_id: visit for visit in problem.visits if visit.stop_id in set(wish)}
    count = len(wish)
    last_from = count - sum(visits[stop_id].is_last for stop_id in wish)
    deadline = {s: count - 1 if visits[s].is_last else last_from - 1 for s in wish if s not in place_of}
    earliest = {s: last_from if visits[s].is_last else 0 for s in deadline}
    for s in wish:
        pickup = visits[s].pickup
        if pickup is None or pickup not in visits:
            continue
        if pickup in deadline:
            deadline[pickup] = min(deadline[pickup], (place_of[s] if s in place_of else deadline[s]) - 1)
        elif s in earliest:
            earliest[s] = max(earliest[s], place_of[pickup] + 1)
        elif place_of[pickup] > place_of[s]:
            return None
    taken = {place: stop_id for stop_id, place in place_of.items()}
    free_places = [place for place in range(count) if place not in taken]
    order: list[str] = []
    waiting = [s for s in wish if s not in place_of]
    done: set[str] = set()
    for place in range(count):
        if place in taken:
            order.append(taken[place])
            done.add(taken[place])
            continue
        ready = [s for s in waiting if earliest[s] <= place and _is_after_its_pickup(visits[s], visits, done)]
        chosen = next((s for s in ready if _leaves_room(s, waiting, deadline, free_places, place)), None)
        if chosen is None or deadline[chosen] < place:
            return None
        order.append(chosen)
        done.add(chosen)
        waiting.remove(chosen)
    return tuple(order)


def _is_after_its_pickup(visit: "Visit", visits: Mapping[str, "Visit"], done: set[str]) -> bool:
    return visit.pickup is None or visit.pickup not in visits or visit.pickup in done


def _leaves_room(
    stop_id: str, waiting: Sequence[str], deadline: dict[str, int], free_places: Sequence[int], place: int
) -> bool:
    """Whether all others still fit before their last places when this one stands at `place`."""
    later = [free for free in free_places if free > place]
    urgent = sorted(deadline[other] for other in waiting if other != stop_id)
    return all(bisect_right(later, last) > ahead for ahead, last in enumerate(urgent))


def _at_head(prefix: tuple[str, ...], stop_id: str) -> str:
    return "first" if stop_id == prefix[0] else "frozen"
