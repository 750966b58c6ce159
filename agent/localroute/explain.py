"""Why an order is as it is: for each stop that moved what moved it, for each that cannot be kept what binds. Pure.

Both questions are answered by trying the opposite and asking `check.py` what it costs. A moved stop is put back where
it was: the term of the cost that grows most is why it moved. A late stop is put where it would be in time: the term
that grows most is what binds. Nothing here knows how the order was found.
"""

from bisect import bisect_left
from collections.abc import Sequence

from agent.localroute.check import broken_rules, driving_s, evaluate
from agent.localroute.problem import Answer, Problem, Timing, Visit
from wire.changes import Miss, MissWhy, Move, MoveWhy

MOST_TRIED = 24
"""Stops of an order whose opposite is tried: one takes about as long as one look at the whole order, and nobody reads
more reasons than these."""
HAIR_S = 1.0
"""A difference under a second explains nothing."""
MOVED_BY = {
    "driving": MoveWhy.NEARER,
    "waiting": MoveWhy.WAITING,
    "overtime": MoveWhy.SHIFT_END,
    "moved_promises": MoveWhy.PROMISE,
    "overload": MoveWhy.LOAD,
    "split_groups": MoveWhy.GROUP,
    "no_road": MoveWhy.NO_ROAD,
}
BOUND_BY = {
    "driving": MissWhy.DETOUR,
    "waiting": MissWhy.DETOUR,
    "no_road": MissWhy.DETOUR,
    "overtime": MissWhy.SHIFT,
    "overload": MissWhy.LOAD,
    "split_groups": MissWhy.GROUP,
    "moved_promises": MissWhy.OTHER_WINDOW,
}


def lifted_stops(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """The fewest stops which, lifted out of `before` and put down elsewhere, give the order of `after`.

    A stop put from first to last is one stop moved, though every other then stands one place earlier. New and gone
    stops do not count.
    """
    place = {stop_id: place for place, stop_id in enumerate(before)}
    shared = [stop_id for stop_id in after if stop_id in place]
    # The longest run of stops that kept their mutual order, by patience sorting; the others were lifted.
    tops: list[int] = []
    pile_of: dict[str, int] = {}
    for stop_id in shared:
        pile = bisect_left(tops, place[stop_id])
        tops[pile : pile + 1] = [place[stop_id]]
        pile_of[stop_id] = pile
    kept: set[str] = set()
    wanted, below = len(tops) - 1, len(before)
    for stop_id in reversed(shared):
        if pile_of[stop_id] == wanted and place[stop_id] < below:
            kept.add(stop_id)
            wanted, below = wanted - 1, place[stop_id]
    return tuple(stop_id for stop_id in shared if stop_id not in kept)


# What moved ---------------------------------------------------------------------------------------------------------


def explained_moves(
    problem: Problem, before: Sequence[str], after: Answer, *, is_road_closed: bool = False
) -> tuple[Move, ...]:
    """Why each stop moved that stands elsewhere in `after` than in `before`, in the order of `after`.

    `before` may hold stops that are gone and lack new ones; neither is moved. With `is_road_closed` a shorter way is
    said to be one because a road is closed.
    """
    lifted = set(lifted_stops(before, after.order))
    was = [stop_id for stop_id in before if stop_id in set(after.order)]
    now = [stop_id for stop_id in after.order if stop_id in set(was)]
    whole = evaluate(problem, [*was, *(stop_id for stop_id in after.order if stop_id not in set(was))])
    moves = []
    for tried, stop_id in enumerate(one for one in after.order if one in lifted):
        places = now.index(stop_id) - was.index(stop_id)
        why = _rule_moves(problem, was, after.order, stop_id)
        other, saves_s = None, 0.0
        if why is None and tried < MOST_TRIED:
            back = evaluate(problem, _put_back(was, after.order, stop_id, lifted))
            why, other, saves_s = _moved_by(problem, after, back, stop_id)
        if why is None:
            why, other, saves_s = _moved_by(problem, after, whole, stop_id)
            other, saves_s = (None if other == stop_id else other), 0.0
            if why in (MoveWhy.WINDOW, MoveWhy.ROOM) and tried < MOST_TRIED:
                why, other = MoveWhy.TOGETHER, None
        if why is MoveWhy.NEARER and is_road_closed:
            why = MoveWhy.ROAD_CLOSED
        moves.append(
            Move(stop_id=stop_id, places=places, why=why or MoveWhy.TOGETHER, other=other, saves_s=round(saves_s, 3))
        )
    return tuple(moves)


def _put_back(was: Sequence[str], order: Sequence[str], stop_id: str, lifted: set[str]) -> list[str]:
    """The order with one stop back behind the last one before it, in the old order, that has not moved."""
    rest = [one for one in order if one != stop_id]
    ahead = [one for one in was[: was.index(stop_id)] if one not in lifted]
    place = rest.index(ahead[-1]) + 1 if ahead else 0
    return [*rest[:place], stop_id, *rest[place:]]


def _rule_moves(problem: Problem, was: Sequence[str], order: Sequence[str], stop_id: str) -> MoveWhy | None:
    """The rule of its own that the stop would break where it was; None when it might have stayed."""
    visit = _visit(problem, stop_id)
    if stop_id in problem.prefix:
        return MoveWhy.DRIVEN_TO
    if visit.locked_at is not None and (visit.locked_at >= len(was) or was[visit.locked_at] != stop_id):
        return MoveWhy.LOCKED
    behind = was[was.index(stop_id) + 1 :]
    if visit.is_last and any(not _visit(problem, other).is_last for other in behind):
        return MoveWhy.PUT_OFF
    if visit.pickup in behind or any(_visit(problem, other).pickup == stop_id for other in was[: was.index(stop_id)]):
        return MoveWhy.PRECEDENCE
    return None


def _moved_by(problem: Problem, after: Answer, back: Answer, stop_id: str) -> tuple[MoveWhy | None, str | None, float]:
    """What is worse in `back` than in `after`; nothing when nothing is."""
    term, grows_s = _grows_most(after, back)
    if term == "lateness":
        late, more_s = _later(after, back)
        if late == stop_id:
            return MoveWhy.WINDOW, None, more_s
        return (MoveWhy.ROOM, late, more_s) if late else (None, None, 0.0)
    return (None, None, 0.0) if term not in MOVED_BY else (MOVED_BY[term], None, _in_seconds(problem, term, grows_s))


# What cannot be kept ------------------------------------------------------------------------------------------------


def explained_misses(problem: Problem, answer: Answer) -> tuple[Miss, ...]:
    """What binds for each stop that is late, left out or served after the shift, in the order of the day."""
    found = []
    tried = 0
    for place, timing in enumerate(answer.timings):
        if timing.lateness_s > HAIR_S:
            tried += 1
            why, other = _binds(problem, answer, place) if tried <= MOST_TRIED else (MissWhy.ORDER, None)
            found.append(Miss(stop_id=timing.stop_id, why=why, other=other, late_s=round(timing.lateness_s, 3)))
        elif problem.shift_end_s is not None and timing.start_s > problem.shift_end_s + HAIR_S:
            found.append(Miss(stop_id=timing.stop_id, why=MissWhy.SHIFT))
    for stop_id in answer.skipped[:MOST_TRIED]:
        found.append(Miss(stop_id=stop_id, why=_left_out_by(problem, answer, stop_id)))
    return tuple(found)


def _binds(problem: Problem, answer: Answer, place: int) -> tuple[MissWhy, str | None]:
    stop_id = answer.order[place]
    why, other = _binds_by_itself(problem, stop_id)
    if why is not None:
        return why, other
    visit = _visit(problem, stop_id)
    head = [one for one in problem.prefix if one != stop_id]
    if head and _late_s(problem, head, stop_id) > 0:
        return MissWhy.DRIVEN_TO, head[0]
    if visit.pickup is not None and visit.pickup in answer.order:
        way = [*head, *([] if visit.pickup in head else [visit.pickup])]
        if _late_s(problem, way, stop_id) > 0:
            return MissWhy.PRECEDENCE, visit.pickup
    in_time = _in_time(problem, answer, place)
    if in_time is None:
        return MissWhy.ORDER, None
    back = evaluate(problem, in_time)
    ruled = _ruled_out(problem, answer, back)
    if ruled is not None:
        return ruled
    term, _ = _grows_most(answer, back)
    if back.cost - back.terms.moved_stops < answer.cost - answer.terms.moved_stops - HAIR_S:
        return MissWhy.ORDER, None
    late, _ = _later(answer, back)
    if late is not None and term in ("lateness", ""):
        return MissWhy.OTHER_WINDOW, late
    return BOUND_BY.get(term, MissWhy.ORDER), None


def _binds_by_itself(problem: Problem, stop_id: str) -> tuple[MissWhy | None, str | None]:
    """What binds whatever the rest of the order is."""
    visit = _visit(problem, stop_id)
    if _late_s(problem, [], stop_id) > 0:
        return MissWhy.WINDOW, None
    if stop_id in problem.prefix:
        first = problem.prefix[0]
        return MissWhy.DRIVEN_TO, None if first == stop_id else first
    if visit.is_last:
        return MissWhy.PUT_OFF, None
    if visit.locked_at is not None:
        return MissWhy.LOCKED, None
    return None, None


def _in_time(problem: Problem, answer: Answer, place: int) -> list[str] | None:
    """The order with that stop as late as it may come without being late; None when it is late everywhere."""
    stop_id = answer.order[place]
    node, visit = _node(problem, stop_id), _visit(problem, stop_id)
    for ahead in range(place - 2, len(problem.prefix) - 2, -1):
        timing = answer.timings[ahead] if ahead >= 0 else None
        if timing is not None and _visit(problem, timing.stop_id).is_anywhere:
            continue
        here = _node(problem, timing.stop_id) if timing else 0
        leave_s = timing.leave_s if timing else 0.0
        if _lateness_s(problem, visit, _ready_s(problem, here, node, leave_s)) == 0:
            rest = [one for one in answer.order if one != stop_id]
            return [*rest[: ahead + 1], stop_id, *rest[ahead + 1 :]]
    return None


def _ruled_out(problem: Problem, answer: Answer, back: Answer) -> tuple[MissWhy, str | None] | None:
    """The rule of another stop that the order breaks, though `answer` keeps all."""
    if not broken_rules(problem, back.order) or broken_rules(problem, answer.order):
        return None
    place_of = {stop_id: place for place, stop_id in enumerate(back.order)}
    for visit in problem.visits:
        if visit.pickup in place_of and visit.stop_id in place_of and place_of[visit.pickup] > place_of[visit.stop_id]:
            return MissWhy.PRECEDENCE, visit.pickup
    for visit in problem.visits:
        if visit.locked_at is not None and place_of.get(visit.stop_id) != visit.locked_at:
            return MissWhy.LOCKED, visit.stop_id
    return MissWhy.ORDER, None


def _left_out_by(problem: Problem, answer: Answer, stop_id: str) -> MissWhy:
    """What taking it in where it costs least would cost most."""
    pickup = _visit(problem, stop_id).pickup
    if pickup is not None and pickup in answer.skipped:
        return MissWhy.PRECEDENCE
    best: Answer | None = None
    for place in range(len(problem.prefix), len(answer.order) + 1):
        order = [*answer.order[:place], stop_id, *answer.order[place:]]
        tried = evaluate(problem, order)
        if best is None or tried.cost < best.cost:
            best = tried
    if best is None:
        return MissWhy.ORDER
    term, _ = _grows_most(answer, best)
    return MissWhy.WINDOW if term == "lateness" else BOUND_BY.get(term, MissWhy.ORDER)


# Both ---------------------------------------------------------------------------------------------------------------


def _grows_most(one: Answer, other: Answer) -> tuple[str, float]:
    """The term that is most above that of `one` in `other`, the price of moving apart, and by how much; "" for none."""
    grown = {term: float(cost) - float(getattr(one.terms, term)) for term, cost in other.terms if term != "moved_stops"}
    term = max(grown, key=grown.__getitem__)
    return (term, grown[term]) if grown[term] > HAIR_S else ("", 0.0)


def _later(one: Answer, other: Answer) -> tuple[str | None, float]:
    """The stop that is late by most more in `other`, and by how many seconds."""
    late_s = {timing.stop_id: timing.lateness_s for timing in one.timings}
    more = [(timing.lateness_s - late_s.get(timing.stop_id, 0.0), timing.stop_id) for timing in other.timings]
    more_s, stop_id = max(more, default=(0.0, ""))
    return (stop_id, more_s) if more_s > HAIR_S else (None, 0.0)


def _in_seconds(problem: Problem, term: str, cost: float) -> float:
    """A cost as the seconds it stands for; 0 where it stands for none."""
    rates = {"driving": 1.0, "waiting": problem.wait_cost_per_s, "overtime": problem.late_cost_per_s}
    return cost / rates[term] if rates.get(term) else 0.0


def _late_s(problem: Problem, ahead: Sequence[str], stop_id: str) -> float:
    """How late a stop is when only `ahead` comes before it."""
    timing: Timing = evaluate(problem, [*ahead, stop_id]).timings[-1]
    return timing.lateness_s


def _ready_s(problem: Problem, here: int, there: int, leave_s: float) -> float:
    usual_s = problem.travel_s[here][there]
    if usual_s is None:
        return float("inf")
    return leave_s + driving_s(problem, usual_s, leave_s) + problem.visits[there - 1].setup_s


def _lateness_s(problem: Problem, visit: Visit, ready_s: float) -> float:
    closes_s = max((window.closes_s for window in visit.windows), default=float("inf"))
    return max(0.0, ready_s - closes_s)


def _node(problem: Problem, stop_id: str) -> int:
    return next(node for node, visit in enumerate(problem.visits, start=1) if visit.stop_id == stop_id)


def _visit(problem: Problem, stop_id: str) -> Visit:
    return problem.visits[_node(problem, stop_id) - 1]
