"""What a van learns of its own consumption."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.localroute.experience import LEAST_SD, PRIOR_SD, Experience, band_name

TOWN, ROAD = band_name(25, 5), band_name(85, 5)


def driven(days: int, taken_share: float, band: str = TOWN, *, noise: float = 0.0, seed: int = 1) -> Experience:
    """After so many days of ten stretches, each computed as 3 kWh."""
    dice, experience = Random(seed), Experience()
    for _ in range(10 * days):
        experience = experience.with_stretch({band: 3.0}, 3.0 * taken_share * (1 + dice.gauss(0, noise)))
    return experience


def test_a_new_van_takes_what_was_computed_and_is_not_sure() -> None:
    assert Experience().factor(25, 5) == 1.0
    assert Experience().common_sd_share == pytest.approx(PRIOR_SD)


def test_one_stretch_moves_the_factor_a_little_and_a_week_nearly_all_the_way() -> None:
    once = Experience().with_stretch({TOWN: 3.0}, 3.0 * 1.4)
    assert 1.0 < once.factor(25, 5) < 1.2
    assert driven(5, 1.4, noise=0.2).factor(25, 5) == pytest.approx(1.4, abs=0.06)


def test_a_speed_it_never_drove_leans_on_the_van_as_a_whole() -> None:
    known = driven(5, 1.4)
    assert 1.25 < known.factor(85, 5) < known.factor(25, 5)


def test_bands_keep_apart_what_is_apart() -> None:
    known = driven(5, 1.4)
    for _ in range(50):
        known = known.with_stretch({ROAD: 3.0}, 3.0 * 0.9)
    assert known.factor(85, 5) < 1.05
    assert known.factor(25, 5) > 1.25


def test_new_tyres_are_believed_after_some_weeks() -> None:
    experience = driven(20, 1.4)
    for _ in range(200):
        experience = experience.with_stretch({TOWN: 3.0}, 3.0)
    assert experience.factor(25, 5) == pytest.approx(1.0, abs=0.08)


def test_what_was_seen_makes_surer_and_never_quite_sure() -> None:
    sures = [driven(days, 1.2).common_sd_share for days in (0, 1, 5, 20)]
    assert sures == sorted(sures, reverse=True)
    assert sures[-1] >= LEAST_SD


@given(st.floats(-50, 500))
def test_a_reading_that_cannot_be_teaches_nothing(taken_kwh: float) -> None:
    known = driven(2, 1.2)
    taught = known.with_stretch({TOWN: 3.0}, taken_kwh)
    assert (taught == known) == (not 0.3 < taken_kwh / 3.0 < 3.0)


def test_a_stretch_too_short_for_the_display_teaches_nothing() -> None:
    assert Experience().with_stretch({TOWN: 0.5}, 1.0) == Experience()


@given(st.lists(st.tuples(st.floats(1, 30), st.floats(0.4, 2.9)), max_size=30))
def test_factors_stay_within_what_was_seen_and_survive_being_stored(samples: list[tuple[float, float]]) -> None:
    experience = Experience()
    for computed_kwh, share in samples:
        experience = experience.with_stretch({TOWN: computed_kwh}, computed_kwh * share)
    shares = [1.0, *(share for _, share in samples)]
    assert min(shares) - 1e-6 <= experience.factor(25, 5) <= max(shares) + 1e-6
    assert Experience.model_validate_json(experience.model_dump_json()) == experience
