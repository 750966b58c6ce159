from hypothesis import given
from hypothesis import strategies as st

from roads import estimate
from wire.events import TimesSource
from wire.geo import Place, distance_m

places = st.builds(
    Place,
    lat_deg=st.floats(-89, 89, allow_nan=False),
    lon_deg=st.floats(-180, 180, allow_nan=False),
)


@given(st.lists(places, max_size=6))
def test_a_matrix_of_estimates_is_square_complete_and_never_shorter_than_the_straight_line(them: list[Place]) -> None:
    matrix = estimate.matrix(them)
    assert matrix.source is TimesSource.ESTIMATE
    assert len(matrix.travel_s) == len(matrix.travel_m) == len(them)
    for i, a in enumerate(them):
        for j, b in enumerate(them):
            seconds, metres = matrix.travel_s[i][j], matrix.travel_m[i][j]
            assert seconds is not None
            assert metres is not None
            assert metres >= distance_m(a, b)
            assert seconds >= 0
        assert matrix.travel_s[i][i] == 0


def test_a_kilometre_of_town_takes_about_four_minutes() -> None:
    a = Place(lat_deg=41.0, lon_deg=-8.0)
    b = Place(lat_deg=41.0 + 1 / 111.195, lon_deg=-8.0)
    leg = estimate.leg(a, b)
    assert round(leg.travel_m) == 1640
    assert 220 < leg.travel_s < 250


@given(st.lists(places, max_size=6))
def test_an_estimated_route_says_so_for_every_leg(them: list[Place]) -> None:
    route = estimate.route(them)
    assert route.source is TimesSource.ESTIMATE
    assert route.line == tuple((place.lon_deg, place.lat_deg) for place in them)
    assert route.estimated_legs == tuple(range(max(0, len(them) - 1)))
