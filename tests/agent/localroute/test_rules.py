"""Rules against each other: what is refused cannot be kept, what is not refused can."""

from itertools import permutations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.localroute.check import broken_rules
from agent.localroute.problem import Problem, Visit
from agent.localroute.repair import repaired
from agent.localroute.rules import contradicted
from tests.builders import a_problem

SEEDS = st.integers(0, 1_000_000)


def unchecked(count: int, seed: int) -> Problem:
    """Visits with rules thrown on them at random, whether or not they agree."""
    dice = Random(seed)
    names = [f"s{number}" for number in range(1, count + 1)]
    visits = []
    for name in names:
        others = [other for other in names if other != name]
        visits.append(
            Visit(
                stop_id=name,
                is_last=dice.random() < 0.2,
                locked_at=dice.randrange(count) if dice.random() < 0.3 else None,
                pickup=dice.choice(others) if others and dice.random() < 0.3 else None,
            )
        )
    frozen = tuple(dice.sample(names, dice.randint(0, min(2, count)))) if dice.random() < 0.4 else ()
    problem = a_problem(count)
    return Problem.model_construct(**{**dict(problem), "visits": tuple(visits), "frozen": frozen, "warm_order": ()})


def odd_pairs(problem: Problem) -> bool:
    """Pairs that are refused for what they are, whatever order there might be."""
    pickups = [visit.pickup for visit in problem.visits if visit.pickup is not None]
    drops = {visit.stop_id for visit in problem.visits if visit.pickup is not None}
    return len(set(pickups)) < len(pickups) or bool(drops & set(pickups))


@settings(deadline=None)
@given(SEEDS, st.integers(0, 5))
def test_rules_are_refused_when_and_only_when_no_order_keeps_them(seed: int, count: int) -> None:
    problem = unchecked(count, seed)
    if odd_pairs(problem):
        return
    names = [visit.stop_id for visit in problem.visits]
    can_be_kept = any(not broken_rules(problem, order) for order in permutations(names))
    why = contradicted(problem)
    assert (why == "") == can_be_kept, why
    if can_be_kept:
        assert broken_rules(problem, repaired(problem)) == ()
