from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cloud.promise.window import Promised, PromiseRules, told_now, window_of
from tests.builders import at
from wire.events import Eta, TimesSource

RULES = PromiseRules()


def eta(p50: float, low: float = 20, high: float = 30) -> Eta:
    return Eta(p10=at(p50 - low), p50=at(p50), p90=at(p50 + high), times=TimesSource.ROADS, as_of=at(0))


def told(opens: float, closes: float, count: int = 1) -> Promised:
    return Promised(opens_at=at(opens), closes_at=at(closes), told_at=at(0), told=count)


def test_a_window_reaches_from_p10_to_p90_in_steps_of_a_clock() -> None:
    first = told_now(None, eta(122, low=20, high=31), at(0))
    assert first == told(100, 155)


def test_no_window_is_narrower_than_a_quarter_of_an_hour() -> None:
    opens_at, closes_at = window_of(eta(62, low=1, high=1), RULES)
    assert closes_at - opens_at >= RULES.least
    assert opens_at <= at(61) < at(63) <= closes_at


def test_what_still_holds_is_not_told_again() -> None:
    assert told_now(told(100, 150), eta(130), at(0)) is None


def test_a_van_expected_outside_is_told_at_once() -> None:
    again = told_now(told(100, 150), eta(152), at(10))
    assert again is not None
    assert (again.told, again.told_at) == (2, at(10))
    assert again.opens_at <= at(152) <= again.closes_at


def test_a_range_that_has_left_by_a_third_is_told() -> None:
    assert told_now(told(100, 150), eta(140, high=25), at(0)) is None
    assert told_now(told(100, 150), eta(140, high=30), at(0)) is not None


def test_a_window_half_as_wide_is_good_news_of_a_stop_that_is_near() -> None:
    assert told_now(told(100, 200), eta(150, low=10, high=12), at(10)) is None
    assert told_now(told(100, 200), eta(150, low=10, high=12), at(80)) is not None


def test_the_last_message_is_kept_for_a_window_that_is_missed() -> None:
    assert told_now(told(100, 200, count=3), eta(150, low=10, high=12), at(80)) is None
    assert told_now(told(100, 200, count=3), eta(210), at(80)) is not None
    assert told_now(told(100, 200, count=4), eta(210), at(80)) is None


def test_nobody_is_told_of_a_van_that_is_at_the_door() -> None:
    assert told_now(told(100, 150), eta(160), at(157)) is None


@given(
    st.lists(st.tuples(st.floats(0, 600), st.floats(0, 120), st.floats(0, 120), st.floats(0, 30)), max_size=60),
)
def test_whatever_happens_few_messages_are_sent_and_each_holds_what_was_expected(
    days: list[tuple[float, float, float, float]],
) -> None:
    before, now, sent = None, 0.0, 0
    for p50, low, high, later in days:
        now += later
        one = eta(p50, low, high)
        after = told_now(before, one, at(now))
        if after is not None:
            sent += 1
            assert after.opens_at <= one.p10 <= one.p90 <= after.closes_at
            assert after.width >= RULES.least
            assert after.width - (one.p90 - one.p10) <= RULES.least + 4 * RULES.step
            assert (after.opens_at - at(0)) % timedelta(minutes=5) == timedelta(0)
            before = after
    assert sent <= RULES.most_told
