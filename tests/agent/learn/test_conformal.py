from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.learn.conformal import (
    BANDS_S,
    MISS,
    MOST_SCORES,
    Z_P90,
    Quantiles,
    Score,
    band_of,
    calibrated,
    moved,
    score,
)


def scores(values: list[float], day: int | None = None) -> list[Score]:
    """Two a day, the last of them on day 10; all on `day` where one is given."""
    return [
        Score(day=10 - (len(values) - 1 - place) // 2 if day is None else day, value=value)
        for place, value in enumerate(values)
    ]


def test_without_history_a_range_is_that_of_a_normal_distribution() -> None:
    found = calibrated([], 10)
    assert found.scores == 0
    assert found.low == pytest.approx(-Z_P90, abs=0.4)
    assert found.high == pytest.approx(Z_P90, abs=0.4)


def test_a_few_errors_do_not_turn_it_round() -> None:
    assert calibrated(scores([0.0] * 5), 10).high > 1.0


@given(st.integers(0, 10_000), st.sampled_from(["normal", "skewed", "narrow", "two humps"]))
def test_eight_in_ten_of_the_errors_to_come_lie_within_whatever_their_shape(seed: int, shape: str) -> None:
    dice = Random(seed)
    draw: Callable[[], float] = {
        "normal": lambda: dice.gauss(0.2, 1.5),
        "skewed": lambda: dice.expovariate(1) - 1,
        "narrow": lambda: dice.uniform(-0.4, 0.4),
        "two humps": lambda: dice.choice((-1, 2)) + dice.gauss(0, 0.2),
    }[shape]
    held = 0
    for _ in range(40):
        found = calibrated(scores([draw() for _ in range(MOST_SCORES)]), 10)
        held += sum(found.low <= draw() <= found.high for _ in range(100))
    assert held / 4_000 >= 1 - 2 * MISS - 0.05  # less than in full, as the few that stand in are narrower than some
    if shape != "narrow":  # the few that stand in are wider than these errors are
        assert held / 4_000 <= 1 - 2 * MISS + 0.1


@given(st.lists(st.floats(-6, 6), max_size=60), st.integers(0, 60))
def test_a_range_always_holds_what_is_expected(values: list[float], age: int) -> None:
    found = calibrated(scores(values), 10 + age)
    assert found.low <= 0 <= found.high


def test_old_errors_give_way_to_new_ones() -> None:
    old = [Score(day=day, value=5.0) for day in range(40)]
    new = [Score(day=200 + day, value=1.0) for day in range(40)]
    assert calibrated([*old, *new], 240).high < 2.0 < calibrated([*new, *old], 40).high


def test_one_bad_morning_does_not_widen_every_morning_to_come() -> None:
    calm = scores([0.5] * 80)
    assert calibrated([*calm, *scores([4.0] * 80, day=10)], 10).high < 2.0


def test_more_of_them_far_off_make_it_wider() -> None:
    assert calibrated(scores([0.5] * 80 + [3.0] * 20), 10).high >= 3.0 > calibrated(scores([0.5] * 99), 10).high


def test_within_a_day_a_missed_bound_moves_out_and_a_met_one_slowly_in() -> None:
    late = moved((0.0, 0.0), Quantiles(), 9.0)
    assert late[1] > 0 < late[0]
    early = moved((0.0, 0.0), Quantiles(), -9.0)
    assert early[0] < 0 > early[1]
    shift = (0.0, 0.0)
    for place in range(100):
        shift = moved(shift, Quantiles(), 9.0 if place % 10 == 0 else (-9.0 if place % 10 == 5 else 0.0))
    assert shift[0] == pytest.approx(0.0, abs=0.25)
    assert shift[1] == pytest.approx(0.0, abs=0.25)


def test_an_error_counts_in_standard_deviations_and_no_further_than_six() -> None:
    assert score(60, 30) == 2.0
    assert score(-3_600, 30) == -6.0
    assert score(1, 0) == 1.0


def test_each_horizon_has_its_band() -> None:
    assert [band_of(horizon) for horizon in (-5, 0, 899, 900, 3_600, 1e6)] == [0, 0, 0, 1, 3, len(BANDS_S)]
