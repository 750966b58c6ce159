from datetime import timedelta

import pytest

from agent.gps.gpsd import RawFix
from agent.gps.line import Line
from agent.gps.observer import Observer
from agent.gps.position import Motion
from agent.gps.reckoning import LONGEST_S, WORST_ERROR_M, reckoned
from agent.gps.vehicle import VehicleSaid
from tests.builders import MORNING, a_place, a_position
from wire.events import FixQuality
from wire.geo import distance_m

WAY = Line([a_place(), a_place(north_m=1_000), a_place(north_m=1_000, east_m=2_000)])
DRIVING = a_position(a_place(north_m=900, east_m=5), speed_mps=10.0, heading_deg=0.0)


def test_a_van_in_a_tunnel_goes_on_along_its_way_round_the_corner() -> None:
    estimate = reckoned(DRIVING, WAY, 20.0)
    assert estimate is not None
    assert distance_m(estimate.place, a_place(north_m=1_000, east_m=100)) < 1
    assert estimate.quality is FixQuality.ESTIMATED
    assert (estimate.fixed_at - MORNING, estimate.estimated_from) == (timedelta(seconds=20), MORNING)
    assert estimate.heading_deg == pytest.approx(90, abs=1)
    assert (estimate.speed_mps, estimate.is_settled) == (None, False)


def test_the_farther_it_is_reckoned_the_less_it_is_worth_and_at_last_nothing() -> None:
    errors = [one.error_m for second in range(0, 60, 5) if (one := reckoned(DRIVING, WAY, second)) is not None]
    told = [error for error in errors if error is not None]
    assert told == sorted(set(told))
    assert max(told) <= WORST_ERROR_M
    assert reckoned(DRIVING, WAY, LONGEST_S + 1) is None
    assert reckoned(DRIVING.model_copy(update={"speed_mps": 30.0}), WAY, 60.0) is None


def test_an_odometer_says_how_far_and_is_worth_more() -> None:
    by_speed, by_wheels = reckoned(DRIVING, WAY, 20.0), reckoned(DRIVING, WAY, 20.0, driven_m=50.0)
    assert by_speed is not None
    assert by_wheels is not None
    assert distance_m(by_wheels.place, a_place(north_m=950)) < 1
    assert (by_wheels.error_m or 0) < (by_speed.error_m or 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"speed_mps": 0.5},
        {"speed_mps": None},
        {"lat_deg": a_place(north_m=900, east_m=300).lat_deg, "lon_deg": a_place(north_m=900, east_m=300).lon_deg},
        {"heading_deg": 180.0},
        {"quality": FixQuality.STALE},
    ],
    ids=str,
)
def test_a_van_that_stood_or_was_not_on_its_way_is_not_guessed(changes: dict[str, object]) -> None:
    assert reckoned(DRIVING.model_copy(update=changes), WAY, 10.0) is None
    assert reckoned(DRIVING, None, 10.0) is None


def drive(observer: Observer, seconds: int, vehicle: VehicleSaid | None = None) -> None:
    for second in range(seconds):
        place = a_place(north_m=10.0 * second)
        time = MORNING + timedelta(seconds=second)
        observer.observe(RawFix(time, 3, place.lat_deg, place.lon_deg, 10.0, 0.0, 5.0), float(second), WAY, vehicle)


def test_the_observer_estimates_instead_of_calling_it_stale_and_keeps_no_breadcrumb_of_it() -> None:
    observer = Observer()
    drive(observer, 20)
    fresh = observer.observe(None, 19.0 + 3.0, WAY).position
    assert fresh is not None
    assert fresh.quality is FixQuality.FIX_3D
    seen = observer.observe(None, 19.0 + 30.0, WAY)
    assert seen.position is not None
    assert seen.position.quality is FixQuality.ESTIMATED
    assert distance_m(seen.position.place, a_place(north_m=490)) < 1
    assert (seen.motion, seen.breadcrumb) == (Motion.UNKNOWN, None)
    without = observer.observe(None, 19.0 + 30.0)
    assert without.position is None


def test_the_first_fix_after_a_tunnel_is_believed_at_once() -> None:
    observer = Observer()
    drive(observer, 20)
    observer.observe(None, 49.0, WAY)
    place, time = a_place(north_m=480), MORNING + timedelta(seconds=49)
    seen = observer.observe(RawFix(time, 3, place.lat_deg, place.lon_deg, 10.0, 0.0, 5.0), 50.0, WAY)
    assert seen.position is not None
    assert seen.position.quality is FixQuality.FIX_3D


def test_in_a_fast_simulation_the_way_is_as_long_as_the_days_seconds() -> None:
    observer = Observer(rate=30.0)
    place = a_place(north_m=100)
    observer.observe(RawFix(MORNING, 3, place.lat_deg, place.lon_deg, 5.0, 0.0, 5.0), 0.0, WAY)
    seen = observer.observe(None, 3.1, WAY)
    assert seen.position is not None
    assert distance_m(seen.position.place, a_place(north_m=100 + 5.0 * 3.1 * 30)) < 2


def test_an_odometer_joins_when_it_is_there() -> None:
    observer = Observer()
    drive(observer, 20, VehicleSaid(speed_mps=10.0, odometer_m=5_000.0))
    seen = observer.observe(None, 30.0, WAY, VehicleSaid(odometer_m=5_020.0))
    assert seen.position is not None
    assert distance_m(seen.position.place, a_place(north_m=210)) < 1


def test_the_wheels_speed_stands_for_the_receivers() -> None:
    place = a_place()
    fix = RawFix(MORNING, 3, place.lat_deg, place.lon_deg, None, 0.0, 5.0)
    seen = Observer().observe(fix, 0.0, vehicle=VehicleSaid(speed_mps=8.0))
    assert seen.position is not None
    assert (seen.position.speed_mps, seen.motion) == (8.0, Motion.MOVING)
