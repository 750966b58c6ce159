"""The judge itself, on days small enough to reckon by hand."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.localroute.check import NO_ROAD_COST, broken_rules, evaluate, faults, legs_without_road, moved_stops
from agent.localroute.problem import Problem, TimeWindow, Visit
from tests.builders import a_problem

A_MINUTE = 60.0


def on_a_line(*visits: Visit, **changes: Any) -> Problem:
    """The van, these visits and the end, a minute and 500 m apart in this order."""
    nodes = range(len(visits) + 2)
    fields: dict[str, Any] = {
        "visits": visits,
        "travel_s": tuple(tuple(A_MINUTE * abs(a - b) for b in nodes) for a in nodes),
        "travel_m": tuple(tuple(500.0 * abs(a - b) for b in nodes) for a in nodes),
        "moved_stop_cost_s": 0.0,
    }
    return Problem(**{**fields, **changes})


def soft(opens_s: float, closes_s: float) -> TimeWindow:
    return TimeWindow(opens_s=opens_s, closes_s=closes_s)


def test_a_day_without_windows_costs_its_driving() -> None:
    problem = on_a_line(Visit(stop_id="a", setup_s=30, service_s=90), Visit(stop_id="b"))
    answer = evaluate(problem, ("a", "b"))
    assert [(t.arrive_s, t.start_s, t.leave_s) for t in answer.timings] == [(60, 90, 180), (240, 240, 240)]
    assert (answer.end_s, answer.cost, answer.home_travel_m) == (300, 180, 500)


def test_a_closed_door_is_waited_for_and_waiting_costs_less_than_driving() -> None:
    problem = on_a_line(Visit(stop_id="a", setup_s=30, windows=(soft(200, 400),)))
    answer = evaluate(problem, ("a",))
    assert (answer.timings[0].arrive_s, answer.timings[0].start_s, answer.timings[0].lateness_s) == (60, 200, 0)
    assert answer.cost == 120 + 0.5 * 110


@pytest.mark.parametrize(("is_hard", "rate"), [(False, 0.5), (True, 20.0)])
def test_a_missed_window_costs_by_its_kind(is_hard: bool, rate: float) -> None:
    window = TimeWindow(opens_s=-100, closes_s=-40, is_hard=is_hard)
    answer = evaluate(on_a_line(Visit(stop_id="a", windows=(window,))), ("a",))
    assert answer.timings[0].lateness_s == 100
    assert answer.cost == 120 + rate * 100


def test_between_two_windows_the_next_one_is_waited_for() -> None:
    problem = on_a_line(Visit(stop_id="a", windows=(soft(300, 400), soft(0, 50))), wait_cost_per_s=0)
    assert evaluate(problem, ("a",)).timings[0].start_s == 300


def test_of_overlapping_windows_the_open_one_serves() -> None:
    problem = on_a_line(Visit(stop_id="a", windows=(soft(100, 110), soft(0, 400))))
    assert evaluate(problem, ("a",)).timings[0].start_s == 60


def test_the_days_end_past_the_shift_costs_like_a_missed_soft_window() -> None:
    problem = on_a_line(Visit(stop_id="a"), shift_end_s=100)
    assert evaluate(problem, ("a",)).cost == 120 + 0.5 * 20


def test_a_leg_without_a_road_is_named_and_dearer_than_any_lateness() -> None:
    problem = on_a_line(Visit(stop_id="a"))
    cut = ((0.0, None, 60.0), *problem.travel_s[1:])
    problem = problem.model_copy(update={"travel_s": cut})
    assert faults(problem, ("a",)) == ("no road leads from the van's place to a",)
    assert broken_rules(problem, ("a",)) == ()
    assert evaluate(problem, ("a",)).cost > NO_ROAD_COST


def test_no_stop_at_all_is_the_way_home() -> None:
    answer = evaluate(on_a_line(), ())
    assert (answer.order, answer.end_s, answer.cost) == ((), 60, 60)


def test_a_stop_that_is_not_in_the_problem_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="ghost"):
        evaluate(on_a_line(Visit(stop_id="a")), ("ghost",))


def test_each_broken_rule_is_told() -> None:
    problem = on_a_line(
        Visit(stop_id="a"),
        Visit(stop_id="b", is_last=True),
        Visit(stop_id="c", locked_at=1),
        Visit(stop_id="d"),
        first="a",
    )
    assert broken_rules(problem, ("a", "c", "d", "b")) == ()
    told = " / ".join(broken_rules(problem, ("b", "a", "a", "ghost", "c")))
    for words in (
        "ghost is not in the problem",
        "a stands 2 times",
        "d is missing",
        "a is being driven to and must stay first",
        "c is locked at place 1 and stands at 4",
        "b was put off to the end and stands before",
    ):
        assert words in told


def test_a_new_stop_between_two_old_ones_moves_neither() -> None:
    assert moved_stops(("a", "b"), ("a", "new", "b")) == ()
    assert moved_stops(("a", "gone", "b"), ("a", "b")) == ()
    assert set(moved_stops(("a", "b", "c"), ("b", "a", "c"))) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"first": "ghost"}, "not among the visits"),
        ({"travel_s": ()}, "need a matrix"),
        ({"travel_s": ((float("nan"),) * 4,) * 4}, "finite number"),
        ({"travel_s": ((-1.0,) * 4,) * 4}, "negative"),
        ({"visits": (Visit(stop_id="a"), Visit(stop_id="a"))}, "stands twice"),
        ({"visits": (Visit(stop_id="a", locked_at=2), Visit(stop_id="b"))}, "cannot be locked at place 2 of 2"),
        ({"visits": (Visit(stop_id="a", locked_at=0), Visit(stop_id="b", locked_at=0))}, "same place 0"),
        ({"visits": (Visit(stop_id="a", locked_at=0, is_last=True), Visit(stop_id="b"))}, "cannot be locked"),
        ({"visits": (Visit(stop_id="a", locked_at=0), Visit(stop_id="b")), "first": "b"}, "a lock says otherwise"),
        ({"visits": (Visit(stop_id="a", is_last=True), Visit(stop_id="b")), "first": "a"}, "put off to the end"),
    ],
)
def test_nonsense_is_refused_with_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        on_a_line(*changes.pop("visits", (Visit(stop_id="a"), Visit(stop_id="b"))), **changes)


def test_a_window_that_closes_before_it_opens_is_refused() -> None:
    with pytest.raises(ValidationError, match="closes before"):
        TimeWindow(opens_s=10, closes_s=5)


@given(seed=st.integers(0, 10_000), count=st.integers(0, 5))
def test_cost_and_timings_hang_together(seed: int, count: int) -> None:
    problem = a_problem(count, seed=seed)
    visit_of = {visit.stop_id: visit for visit in problem.visits}
    for order in permutations(visit_of):
        answer = evaluate(problem, order)
        assert faults(problem, order) == legs_without_road(problem, order) == ()
        leave_s = 0.0
        for timing in answer.timings:
            visit = visit_of[timing.stop_id]
            assert timing.arrive_s == leave_s + timing.travel_s
            assert timing.start_s >= timing.arrive_s + visit.setup_s
            is_open = any(window.opens_s <= timing.start_s <= window.closes_s for window in visit.windows)
            assert is_open or not visit.windows or timing.lateness_s > 0
            leave_s = timing.leave_s
        driving_s = sum(timing.travel_s for timing in answer.timings) + answer.home_travel_s
        assert answer.cost >= driving_s - 1e-6
        assert answer.end_s >= driving_s + sum(v.setup_s + v.service_s for v in problem.visits) - 1e-6
