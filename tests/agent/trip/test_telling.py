from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.trip.telling import told_anew
from tests.builders import a_run, a_stop, a_window, at
from wire.events import Eta, EtaBasis, TimesSource

RUN = a_run([a_stop(1, windows=(a_window(0, 70),)), a_stop(2)])


def eta(p50: float, low: float = 5, high: float = 8, now: float = 0, basis: EtaBasis = EtaBasis.ROADS) -> Eta:
    return Eta(p10=at(p50 - low), p50=at(p50), p90=at(p50 + high), times=TimesSource.ROADS, as_of=at(now), basis=basis)


def is_told(before: Eta, fresh: Eta, stop_id: str = "s2") -> bool:
    return told_anew({stop_id: before}, {stop_id: fresh}, RUN)[stop_id] == fresh


def test_what_was_never_told_is_news() -> None:
    assert told_anew({}, {"s2": eta(10)}, RUN) == {"s2": eta(10)}


def test_some_seconds_are_no_news() -> None:
    assert not is_told(eta(10), eta(10.5, now=1))


def test_a_minute_is_news_of_a_stop_soon_to_come_and_none_of_one_in_an_hour() -> None:
    assert is_told(eta(10), eta(11, now=1))
    assert not is_told(eta(60), eta(61, now=1))
    assert is_told(eta(60), eta(64, now=1))


def test_a_range_that_widens_or_narrows_is_news() -> None:
    assert is_told(eta(10), eta(10, high=11))
    assert is_told(eta(10, low=9), eta(10, low=5))
    assert not is_told(eta(60), eta(60, high=11))


def test_another_word_against_the_window_is_news_however_little_moved() -> None:
    assert not is_told(eta(61.9, high=8), eta(61.8, high=8), "s1")
    assert is_told(eta(61.9, high=8), eta(62.1, high=8), "s1")


def test_that_the_van_has_learned_is_news_and_that_it_has_come() -> None:
    assert is_told(eta(10), eta(10, basis=EtaBasis.LEARNED))
    assert is_told(eta(10), eta(10, low=0, high=0))


def test_a_stop_that_is_gone_is_told_no_more() -> None:
    assert told_anew({"s1": eta(10), "s2": eta(20)}, {"s2": eta(20)}, RUN) == {"s2": eta(20)}


@given(st.lists(st.floats(-0.4, 0.4), max_size=200), st.floats(5, 200))
def test_what_is_told_is_never_further_off_than_the_rule_allows(steps: list[float], first: float) -> None:
    told, p50, count = {"s2": eta(first)}, first, 0
    for step in steps:
        p50 += step
        fresh = eta(p50)
        after = told_anew(told, {"s2": fresh}, RUN)
        count += after != told
        told = after
        allowed = max(timedelta(minutes=1), 0.05 * abs(fresh.p50 - fresh.as_of))
        assert abs(told["s2"].p50 - fresh.p50) < allowed
    assert count <= sum(abs(step) for step in steps) + 1
