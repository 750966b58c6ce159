import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from wire.geo import Place, bearing_deg, distance_m, distance_to_segment_m, moved

cities = st.builds(Place, lat_deg=st.floats(-70, 70), lon_deg=st.floats(-180, 180))
anywhere = st.builds(Place, lat_deg=st.floats(-90, 90), lon_deg=st.floats(-180, 180))


def test_a_known_distance_is_known() -> None:
    lisbon, porto = Place(lat_deg=38.7223, lon_deg=-9.1393), Place(lat_deg=41.1579, lon_deg=-8.6291)

    assert distance_m(lisbon, porto) == pytest.approx(274_200, rel=0.005)


@given(anywhere, anywhere)
def test_the_way_there_is_as_long_as_the_way_back_and_never_longer_than_half_the_earth(a: Place, b: Place) -> None:
    assert distance_m(a, b) == pytest.approx(distance_m(b, a), abs=0.01)
    assert 0 <= distance_m(a, b) <= 20_015_200


@given(anywhere, anywhere, anywhere)
def test_a_detour_is_never_shorter(a: Place, b: Place, c: Place) -> None:
    assert distance_m(a, c) <= distance_m(a, b) + distance_m(b, c) + 0.01


@given(cities, st.floats(-3_000, 3_000), st.floats(-3_000, 3_000))
def test_a_place_moved_by_metres_is_that_far_away(place: Place, north_m: float, east_m: float) -> None:
    far_m = (north_m**2 + east_m**2) ** 0.5

    assert distance_m(place, moved(place, north_m=north_m, east_m=east_m)) == pytest.approx(far_m, rel=0.005, abs=0.01)


@given(cities)
def test_a_place_moved_east_over_the_date_line_is_still_on_earth_and_to_the_east(place: Place) -> None:
    east = moved(place, north_m=0, east_m=2_000)

    assert -180 <= east.lon_deg <= 180
    assert bearing_deg(place, east) == pytest.approx(90, abs=0.5)


@given(cities, st.floats(-500, 500), st.floats(10, 500), st.floats(0, 1))
def test_a_point_beside_a_road_is_as_far_from_it_as_it_is_beside_it(
    start: Place, aside_m: float, long_m: float, along: float
) -> None:
    end = moved(start, north_m=long_m, east_m=0)
    point = moved(start, north_m=long_m * along, east_m=aside_m)

    assert distance_to_segment_m(point, start, end) == pytest.approx(abs(aside_m), rel=0.01, abs=0.1)


@given(cities, cities)
def test_a_road_is_never_farther_than_its_nearer_end(point: Place, offset: Place) -> None:
    a = moved(point, north_m=offset.lat_deg * 10, east_m=offset.lon_deg)
    b = moved(point, north_m=offset.lon_deg, east_m=offset.lat_deg * 10)
    assume(distance_m(a, b) > 1)

    nearer_m = min(distance_m(point, a), distance_m(point, b))
    assert distance_to_segment_m(point, a, b) <= nearer_m * 1.01 + 0.1


@pytest.mark.parametrize(("lat_deg", "lon_deg"), [(91, 0), (0, 181), (float("nan"), 0), (0, float("inf"))])
def test_a_place_off_the_earth_is_none(lat_deg: float, lon_deg: float) -> None:
    with pytest.raises(ValueError, match=r"lat_deg|lon_deg"):
        Place(lat_deg=lat_deg, lon_deg=lon_deg)
