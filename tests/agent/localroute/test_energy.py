"""What a leg takes: the published example of the model, and what must be so whatever the numbers are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.localroute.energy import VanEnergy, leg_use, reserve_kwh, standing_use, usual_stops_per_km

KM = st.floats(0.1, 100)
SPEED_KMH = st.floats(10, 110)
DEGREES = st.floats(-25, 45)


@pytest.mark.parametrize(
    ("load_kg", "aux_kw", "kmh", "stops_per_km", "kwh_per_km"),
    [
        (0, 0.5, 20, 0, 0.122),
        (0, 0.5, 50, 0, 0.159),
        (0, 0.5, 100, 0, 0.342),
        (0, 3.0, 20, 0, 0.247),
        (0, 3.0, 80, 0, 0.285),
        (1040, 0.5, 30, 0, 0.163),
        (1040, 3.0, 100, 0, 0.404),
        (0, 0.5, 30, 3, 0.173),
        (1040, 3.0, 30, 3, 0.313),
    ],
)
def test_the_model_gives_the_large_van_of_the_example(
    load_kg: float, aux_kw: float, kmh: float, stops_per_km: float, kwh_per_km: float
) -> None:
    van = VanEnergy(mass_kg=2460, aux_kw=aux_kw)
    use = leg_use(van, 1000.0, 3600 / kmh, 20.0, stops_per_km)
    assert use.with_load(load_kg) == pytest.approx(kwh_per_km, abs=0.003)


@given(KM, SPEED_KMH, DEGREES)
def test_more_load_more_kilometres_and_more_heating_never_take_less(km: float, kmh: float, degrees: float) -> None:
    van = VanEnergy()
    here = leg_use(van, 1000 * km, 3600 * km / kmh, degrees)
    assert here.kwh > 0
    assert here.kwh_per_kg > 0
    assert leg_use(van, 2000 * km, 7200 * km / kmh, degrees).kwh > here.kwh
    if degrees < 20:
        assert leg_use(van, 1000 * km, 3600 * km / kmh, degrees - 5).kwh > here.kwh


def test_a_cold_day_in_town_takes_more_by_time_than_by_distance() -> None:
    van = VanEnergy()
    mild, cold = (leg_use(van, 10_000, 1800, degrees).kwh for degrees in (20.0, -10.0))
    assert 1.5 < cold / mild < 2.5
    fast = [leg_use(van, 10_000, 450, degrees).kwh for degrees in (20.0, -10.0)]
    assert fast[1] / fast[0] < 1.4


def test_a_van_at_a_door_takes_little_and_one_that_does_not_move_nothing() -> None:
    assert standing_use(VanEnergy(), 3600, 20.0) == pytest.approx(0.25)
    assert leg_use(VanEnergy(), 0.0, 60.0).kwh == 0.0


@given(st.floats(0, 200), st.floats(0, 200))
def test_who_drives_faster_stops_less_often(one: float, other: float) -> None:
    slow, fast = sorted((one / 3.6, other / 3.6))
    assert usual_stops_per_km(slow) >= usual_stops_per_km(fast) >= 0


def test_the_reserve_is_a_tenth_of_the_battery_or_ten_kilometres() -> None:
    assert reserve_kwh(60, 0.2) == 6
    assert reserve_kwh(20, 0.3) == 3
