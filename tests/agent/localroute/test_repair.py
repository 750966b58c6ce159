"""An order at once: it keeps every rule there is, and the driver recognises it."""

import time
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from agent.localroute.check import broken_rules, evaluate
from agent.localroute.problem import Problem
from agent.localroute.repair import repaired
from tests.builders import a_problem, shuffled, with_rules


def test_stops_that_are_gone_leave_the_others_as_they_were() -> None:
    problem = a_problem(4, warm_order=("s3", "gone", "s1", "s4", "s2"))
    assert repaired(problem) == ("s3", "s1", "s4", "s2")


def test_stops_put_off_go_behind_the_others_in_the_order_they_had() -> None:
    problem = a_problem(4, warm_order=("s1", "s2", "s3", "s4"))
    visits = tuple(visit.model_copy(update={"is_last": visit.stop_id in ("s1", "s2")}) for visit in problem.visits)
    assert repaired(problem.model_copy(update={"visits": visits})) == ("s3", "s4", "s1", "s2")


@given(st.integers(0, 10_000), st.integers(0, 6))
def test_one_new_stop_without_windows_goes_to_the_cheapest_place(seed: int, known: int) -> None:
    problem = a_problem(known + 1, seed=seed, warm=known)
    visits = tuple(visit.model_copy(update={"windows": ()}) for visit in problem.visits)
    problem = problem.model_copy(update={"visits": visits})
    new = f"s{known + 1}"
    costs = [
        evaluate(problem, (*problem.warm_order[:place], new, *problem.warm_order[place:])).cost
        for place in range(known + 1)
    ]
    assert abs(evaluate(problem, repaired(problem)).cost - min(costs)) < 1e-6


@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(0, 12))
def test_every_rule_is_kept_whatever_the_problem(seed: int, count: int, warm: int) -> None:
    problem = with_rules(a_problem(count, seed=seed, warm=warm), seed)
    assert broken_rules(problem, repaired(problem)) == ()


@given(st.integers(0, 10_000), st.integers(0, 8), st.integers(0, 8))
def test_the_order_in_which_stops_are_handed_over_changes_nothing(seed: int, count: int, warm: int) -> None:
    problem = with_rules(a_problem(count, seed=seed, warm=warm), seed)
    assert repaired(shuffled(problem, seed)) == repaired(problem)


def test_every_leg_without_a_road_still_gives_an_order() -> None:
    problem = a_problem(5, warm=2)
    cut = tuple(tuple(None for _ in row) for row in problem.travel_s)
    order = repaired(problem.model_copy(update={"travel_s": cut}))
    assert broken_rules(problem, order) == ()


def test_five_new_stops_among_150_take_milliseconds() -> None:
    problem = a_problem(150, warm=145)
    took_s = min(timed_s(problem) for _ in range(5))
    assert took_s < 0.1  # 4 ms on a quiet laptop; putting each stop in by trying every order takes seconds


def timed_s(problem: Problem) -> float:
    """In seconds of our own processor time: others on the machine do not count."""
    started_s = time.process_time()
    repaired(problem)
    return time.process_time() - started_s


def test_the_shuffle_of_these_tests_keeps_the_problem() -> None:
    problem = a_problem(3)
    for order in permutations(("s1", "s2", "s3")):
        assert evaluate(shuffled(problem, 7), order) == evaluate(problem, order)
