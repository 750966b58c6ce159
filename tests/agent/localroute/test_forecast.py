"""From settings to what the engine is told of a battery."""

import pytest
from pydantic import ValidationError

from agent.localroute.experience import Experience, band_name
from agent.localroute.forecast import MOST_CHARGERS, ChargerPlace, ElectricVan, charge_left, forecast
from agent.localroute.problem import Visit
from tests.builders import DEPOT, a_place

VAN = ElectricVan(battery_kwh=60.0)


def a_charger(number: int, north_m: float) -> ChargerPlace:
    place = a_place(north_m=north_m)
    return ChargerPlace(charger_id=f"c{number}", lat_deg=place.lat_deg, lon_deg=place.lon_deg, power_kw=22)


def test_levels_are_twentieths_and_end_with_a_full_battery() -> None:
    assert VAN.levels_kwh[:2] == (3.0, 6.0)
    assert (len(VAN.levels_kwh), VAN.levels_kwh[-1]) == (20, 60.0)
    assert ElectricVan(battery_kwh=60, level_share=0.3).levels_kwh == pytest.approx((18, 36, 54, 60))


def test_a_charger_gives_its_power_to_80_percent_and_less_from_there() -> None:
    curve = VAN.curve(24.0)
    assert curve.seconds(0, 48) == pytest.approx(2 * 3600)
    assert curve.seconds(48, 55.2) == pytest.approx(0.6 * 3600)
    assert curve.seconds(55.2, 60) == pytest.approx(3600)


@pytest.mark.parametrize("slows_at", [((0.8, 1.0),), ((1.0, 0.0),), ((0.9, 1.0), (0.8, 1.0), (1.0, 0.5)), ()])
def test_a_curve_that_cannot_be_is_refused(slows_at: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(ValidationError, match="slows_at"):
        ElectricVan(battery_kwh=60.0, slows_at=slows_at)


def test_only_the_nearest_chargers_are_looked_at() -> None:
    van = ElectricVan(
        battery_kwh=60.0, chargers=tuple(a_charger(number, 500.0 * number) for number in range(30, 0, -1))
    )
    near = van.near([DEPOT, a_place(north_m=1000)])
    assert len(near) == MOST_CHARGERS
    assert {charger.charger_id for charger in near} == {f"c{number}" for number in range(1, MOST_CHARGERS + 1)}
    assert van.near([DEPOT])[0].charger_id == "c1"


def test_the_charge_falls_with_what_was_driven_and_becomes_less_sure() -> None:
    full, sure = charge_left(VAN, 60.0, [DEPOT, DEPOT], 0.0)
    left, off = charge_left(VAN, 60.0, [DEPOT, a_place(north_m=10_000), DEPOT], 3600.0)
    assert full == 60.0
    assert 50 < left < 57
    assert off > sure
    assert charge_left(VAN, 1.0, [DEPOT, a_place(north_m=90_000)], 0.0)[0] == 0.0


def test_what_was_learned_goes_into_each_leg() -> None:
    legs_m, legs_s = ((0.0, 5000.0, None), (5000.0, 0.0, None), (None, None, 0.0)), ((0.0, 600.0, None),) * 3
    known = Experience()
    for _ in range(60):
        known = known.with_stretch({band_name(30, 15): 3.0}, 3.0 * 1.5)
    told = [
        forecast(
            VAN, experience, charge=(30.0, 1.0), visits=(Visit(stop_id="s1", service_s=360),), chargers=(),
            travel_s=legs_s, travel_m=legs_m,
        )
        for experience in (Experience(), known)
    ]  # fmt: skip
    assert told[1].use_kwh[0][1] > 1.3 * told[0].use_kwh[0][1] > 0
    assert told[0].use_kwh[0][2] == 0.0
    assert told[1].common_sd_share < told[0].common_sd_share
    assert told[0].reserve_kwh == 6.0
