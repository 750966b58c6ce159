"""When the van counts as having left its line."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from agent.gps.offroute import FIXES, FIXES_FAR, OFF_M, Departure
from agent.gps.position import Position
from wire.events import FixQuality, TimesSource
from wire.geo import Place, moved

START = Place(lat_deg=41.15, lon_deg=-8.61)
EAST_1_KM = [START, moved(START, north_m=0, east_m=1_000)]
T0 = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def at(
    second: float,
    *,
    north_m: float,
    east_m: float = 300.0,
    heading_deg: float | None = 90.0,
    speed_mps: float | None = 10.0,
    error_m: float | None = 5.0,
) -> Position:
    place = moved(START, north_m=north_m, east_m=east_m)
    return Position(
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        fixed_at=T0 + timedelta(seconds=second),
        quality=FixQuality.FIX_3D,
        error_m=error_m,
        speed_mps=speed_mps,
        heading_deg=heading_deg,
    )


def watched(times: TimesSource = TimesSource.ROADS) -> Departure:
    return Departure(EAST_1_KM, times, START)


def test_one_jumping_fix_is_no_departure() -> None:
    departure = watched()
    assert not departure.is_off_at(at(1, north_m=90))
    assert not departure.is_off_at(at(2, north_m=2))
    assert not departure.is_off_at(at(3, north_m=90))


def test_three_fixes_beyond_the_line_are_a_departure() -> None:
    departure = watched()
    said = [departure.is_off_at(at(second, north_m=60)) for second in range(1, FIXES + 1)]
    assert said == [False] * (FIXES - 1) + [True]


def test_far_away_two_fixes_are_enough() -> None:
    departure = watched()
    said = [departure.is_off_at(at(second, north_m=200)) for second in range(1, FIXES_FAR + 1)]
    assert said == [False] * (FIXES_FAR - 1) + [True]


def test_the_same_fix_shown_again_counts_once() -> None:
    departure = watched()
    assert not any(departure.is_off_at(at(1, north_m=60)) for _ in range(10))


def test_a_turn_into_a_side_street_is_seen_before_the_distance_tells() -> None:
    departure = watched()
    said = [departure.is_off_at(at(n, north_m=10.0 * n, heading_deg=0.0)) for n in (2, 3, 4)]
    assert said[-1]


def test_a_way_out_and_back_on_one_street_is_driven_both_ways() -> None:
    there_and_back = Departure([*EAST_1_KM, START], TimesSource.ROADS, START)
    for n in range(1, 20):
        assert not there_and_back.is_off_at(at(n, north_m=20, heading_deg=90.0 if n < 10 else 270.0))


def test_an_imprecise_receiver_leaves_later() -> None:
    departure = watched()
    assert not any(departure.is_off_at(at(n, north_m=60, error_m=40.0)) for n in range(1, 10))


def test_a_van_that_stands_in_a_yard_is_not_shown_new_ways_for_ever() -> None:
    departure = Departure(EAST_1_KM, TimesSource.ROADS, moved(START, north_m=80, east_m=300))
    assert not any(departure.is_off_at(at(n, north_m=80, speed_mps=0.0, heading_deg=None)) for n in range(10))
    assert not any(departure.is_off_at(at(n, north_m=70, speed_mps=4.0)) for n in range(10, 20))


def test_a_van_that_stands_far_from_its_line_is_off_it() -> None:
    departure = watched()
    assert any(departure.is_off_at(at(n, north_m=300, speed_mps=0.0, heading_deg=None)) for n in range(1, 4))


def test_an_estimate_is_left_much_later() -> None:
    departure = watched(TimesSource.ESTIMATE)
    assert not any(departure.is_off_at(at(n, north_m=200, heading_deg=0.0)) for n in range(1, 10))
    assert any(departure.is_off_at(at(n, north_m=400)) for n in range(10, 14))


def test_no_line_no_departure() -> None:
    assert not Departure([], TimesSource.ROADS, START).is_off_at(at(0, north_m=500))


@given(st.lists(st.floats(-OFF_M[TimesSource.ROADS] + 6, OFF_M[TimesSource.ROADS] - 6), min_size=1, max_size=50))
def test_noise_within_the_bound_never_departs(noise_m: list[float]) -> None:
    departure = Departure(EAST_1_KM, TimesSource.ROADS, START)
    assert not any(departure.is_off_at(at(n, north_m=m, east_m=20.0 * n % 1_000)) for n, m in enumerate(noise_m))
