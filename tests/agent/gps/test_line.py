import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gps.line import Line, apart_deg
from tests.builders import a_place
from wire.geo import Place, distance_m

L_SHAPED = Line([a_place(), a_place(north_m=1_000), a_place(north_m=1_000, east_m=500)])


def test_the_point_so_far_along_is_round_the_corner() -> None:
    foot = L_SHAPED.at(1_200)
    assert distance_m(foot.place, a_place(north_m=1_000, east_m=200)) < 1
    assert foot.heading_deg == pytest.approx(90, abs=1)


@pytest.mark.parametrize(("along_m", "end"), [(-50, a_place()), (9_000, a_place(north_m=1_000, east_m=500))])
def test_beyond_the_ends_are_the_ends(along_m: float, end: Place) -> None:
    assert distance_m(L_SHAPED.at(along_m).place, end) < 0.01


@given(st.floats(0, 1_499), st.floats(-20, 20))
def test_a_place_beside_the_line_is_as_far_along_as_it_was_put(along_m: float, off_m: float) -> None:
    foot = L_SHAPED.at(along_m)
    is_north = foot.heading_deg < 45 or foot.heading_deg > 315
    beside = (
        a_place(north_m=along_m, east_m=off_m) if is_north else a_place(north_m=1_000 + off_m, east_m=along_m - 1_000)
    )
    found = L_SHAPED.nearest(beside)
    assert found is not None
    assert found.off_m <= abs(off_m) + 0.5
    if abs(along_m - 1_000) > 25:
        assert found.along_m == pytest.approx(along_m, abs=2)


def test_of_a_way_out_and_back_the_heading_says_which() -> None:
    back = Line([a_place(), a_place(north_m=1_000), a_place(north_m=1_000, east_m=5), a_place(east_m=5)])
    out, home = (
        back.nearest(a_place(north_m=300), heading_deg=0.0),
        back.nearest(a_place(north_m=300), heading_deg=180.0),
    )
    assert out is not None
    assert home is not None
    assert (round(out.along_m, -1), round(home.along_m, -1)) == (300, 1_700)
    assert back.nearest(a_place(north_m=300), heading_deg=90.0, between_m=(0, 500)) is None


@pytest.mark.parametrize("places", [[], [a_place()], [a_place(), a_place()]])
def test_a_line_needs_a_length(places: list[Place]) -> None:
    with pytest.raises(ValueError, match="two places"):
        Line(places)


def test_headings_are_apart_by_the_smaller_angle() -> None:
    assert apart_deg(350, 20) == pytest.approx(30)
