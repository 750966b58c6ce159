import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.learn.level import Level, Memory, believed, taught, weight_on

MEMORY = Memory(half_life_days=10, prior_weight=2, most_weight=100)
lessons = st.lists(st.tuples(st.floats(0.1, 5), st.integers(700_000, 700_400)), min_size=1, max_size=30)


def told(values: list[float], day: int = 1, memory: Memory = MEMORY) -> Level | None:
    level: Level | None = None
    for value in values:
        level = taught(level, 1, value, day, memory)
    return level


def test_what_was_never_learned_is_the_prior() -> None:
    assert believed(None, 1.25, 1, MEMORY) == 1.25


def test_one_lesson_is_believed_by_a_third_when_the_prior_weighs_two() -> None:
    assert believed(told([4.0]), 1.0, 1, MEMORY) == pytest.approx(2.0)


def test_many_lessons_outweigh_the_prior() -> None:
    assert believed(told([2.0] * 90), 1.0, 1, MEMORY) == pytest.approx(2.0, abs=0.03)


def test_a_lesson_counts_half_after_a_half_life() -> None:
    assert weight_on(told([2.0]), 11, MEMORY) == pytest.approx(0.5)
    assert believed(told([2.0]), 1.0, 1_000, MEMORY) == pytest.approx(1.0, abs=1e-6)


def test_what_is_told_often_still_gives_way_to_what_is_new() -> None:
    level = told([1.0] * 1_000)
    for _ in range(100):
        level = taught(level, 1, 3.0, 1, MEMORY)
    assert level is not None
    assert level.weight == 100
    assert level.mean > 2.0


@given(lessons, st.floats(0.1, 5), st.integers(0, 500))
def test_what_is_believed_lies_between_what_was_seen_and_the_prior(
    seen: list[tuple[float, int]], prior: float, later: int
) -> None:
    level: Level | None = None
    for value, day in seen:
        level = taught(level, 1, value, day, MEMORY)
    assert level is not None
    values = [value for value, _ in seen]
    assert min(values) - 1e-9 <= level.mean <= max(values) + 1e-9
    found = believed(level, prior, level.day + later, MEMORY)
    assert min(prior, *values) - 1e-9 <= found <= max(prior, *values) + 1e-9
    assert level.weight <= MEMORY.most_weight


def test_a_clock_set_back_makes_no_lesson_heavier() -> None:
    level = taught(told([2.0], day=50), 1, 2.0, 10, MEMORY)
    assert (level.day, level.weight) == (50, 2.0)
    assert weight_on(level, 10, MEMORY) == 2.0


@given(st.lists(st.floats(0.1, 5), min_size=1, max_size=40))
def test_a_day_at_once_teaches_what_its_lessons_one_by_one_do(values: list[float]) -> None:
    at_once = taught(told([1.5] * 3), len(values), sum(values), 1, MEMORY)
    one_by_one = told([1.5] * 3 + values)
    assert one_by_one is not None
    assert at_once.weight == pytest.approx(one_by_one.weight)
    assert at_once.mean == pytest.approx(one_by_one.mean)
