from hypothesis import given
from hypothesis import strategies as st

from roads import estimate, mixed
from roads.answers import Cells, Leg, Manoeuvre, Route
from wire.events import TimesSource
from wire.geo import Place

A, B, C, D = (Place(lat_deg=41.0 + number / 100, lon_deg=-8.0) for number in range(4))


def all_of(value: float | None, size: int) -> Cells:
    return tuple(tuple(0.0 if i == j else value for j in range(size)) for i in range(size))


def test_a_place_without_a_road_gets_estimates_and_leaves_the_others_alone() -> None:
    matrix = mixed.matrix([A, B, C], [0, 2], (all_of(77.0, 2), all_of(555.0, 2)))
    assert matrix.source is TimesSource.ROADS
    assert matrix.unlocated == (1,)
    assert matrix.travel_s[0][2] == 77.0
    assert matrix.travel_m[2][0] == 555.0
    assert (matrix.travel_s[0][1], matrix.travel_m[0][1]) == estimate.leg(A, B)
    assert matrix.travel_s[1][1] == 0.0
    assert matrix.cut_off == ()


def test_a_place_that_no_road_joins_to_the_others_is_listed() -> None:
    seconds: Cells = ((0.0, 5.0, None), (5.0, 0.0, None), (None, None, 0.0))
    assert mixed.matrix([A, B, C], [0, 1, 2], (seconds, seconds)).cut_off == (2,)


def test_a_place_reached_by_a_one_way_street_is_not_cut_off() -> None:
    seconds: Cells = ((0.0, 5.0, 9.0), (5.0, 0.0, None), (None, None, 0.0))
    assert mixed.matrix([A, B, C], [0, 1, 2], (seconds, seconds)).cut_off == ()


@given(st.lists(st.booleans(), min_size=2, max_size=12))
def test_runs_cover_every_leg_once_and_go_by_road_only_between_two_places_that_have_one(has_road: list[bool]) -> None:
    legs = [(index, is_road) for first, last, is_road in mixed.runs(has_road) for index in range(first, last)]
    expected = [(index, has_road[index] and has_road[index + 1]) for index in range(len(has_road) - 1)]
    assert legs == expected


def test_joined_parts_number_their_legs_and_lines_through() -> None:
    road = Route(
        line=((0.0, 0.0), (1.0, 0.0), (2.0, 0.0)),
        legs=(Leg(10, 100), Leg(20, 200)),
        manoeuvres=(Manoeuvre("depart", "", "A", A, 10.0, 0), Manoeuvre("turn", "left", "B", B, 10.0, 1)),
        source=TimesSource.ROADS,
        leg_starts=(0, 1),
    )
    route = mixed.joined([estimate.route([C, D]), road])
    assert len(route.legs) == 3
    assert route.estimated_legs == (0,)
    assert route.leg_starts == (0, 2, 3)
    assert [manoeuvre.leg for manoeuvre in route.manoeuvres] == [1, 2]
    assert route.source is TimesSource.ESTIMATE
    assert mixed.joined([road]) == road
