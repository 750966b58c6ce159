"""A van on its way: never jumps, takes the time the roads say, stops at the end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.vehicle import ACCELERATION_MPS2, BRAKING_MPS2, journey, standing
from wire.geo import Place, distance_m, moved

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOME = Place(lat_deg=-33.92, lon_deg=18.42)


def _line(steps: list[tuple[float, float]]) -> list[Place]:
    line = [HOME]
    for north_m, east_m in steps:
        line.append(moved(line[-1], north_m=north_m, east_m=east_m))
    return line


STEPS = st.lists(st.tuples(st.floats(-120, 120), st.floats(-120, 120)), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, pace_s=st.floats(0.05, 0.4))
def test_it_moves_without_jumps_and_ends_where_it_should(steps: list[tuple[float, float]], pace_s: float) -> None:
    line = _line(steps)
    length_m = sum(distance_m(a, b) for a, b in pairwise(line))
    way = journey(line, length_m * pace_s, START)
    assert distance_m(way.at(START - timedelta(hours=1)).place, line[0]) < 0.2
    assert distance_m(way.at(way.ends_at).place, line[-1]) < 0.2
    before = way.at(START)
    for second in range(1, int(way.takes_s) + 2):
        now = way.at(START + timedelta(seconds=second))
        assert distance_m(before.place, now.place) <= max(before.speed_mps, now.speed_mps) + 2.5
        assert now.speed_mps - before.speed_mps <= ACCELERATION_MPS2 + 0.01
        assert before.speed_mps - now.speed_mps <= max(BRAKING_MPS2, before.speed_mps) + 0.01
        before = now
    assert way.at(way.ends_at + timedelta(milliseconds=1)).speed_mps == 0.0


def test_it_takes_the_time_the_roads_say() -> None:
    line = _line([(300, 0), (0, 400), (-200, 100)])
    assert journey(line, 140.0, START).takes_s == pytest.approx(140.0, abs=1.0)


def test_no_van_is_faster_than_it_can_be() -> None:
    assert journey(_line([(1_000, 0)]), 5.0, START).takes_s > 30.0


def test_it_slows_down_for_a_corner() -> None:
    way = journey(_line([(300, 0), (0, 300)]), 60.0, START)
    at_corner = min(
        (way.at(START + timedelta(seconds=s / 2)) for s in range(20, 100)),
        key=lambda seen: distance_m(seen.place, way.line[1]),
    )
    assert at_corner.speed_mps < 6.0


def test_a_standing_van_stays() -> None:
    seen = standing(HOME, START).at(START + timedelta(hours=3))
    assert (seen.place, seen.speed_mps) == (HOME, 0.0)
