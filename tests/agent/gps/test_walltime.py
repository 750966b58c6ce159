from datetime import UTC, datetime, timedelta

import pytest

from agent.gps.walltime import WallTime, measured_off_s, wall_time
from tests.builders import a_place, a_position, at
from wire.events import FixQuality


def test_a_clock_that_a_fix_confirmed_is_the_satellites_time() -> None:
    off_s = measured_off_s(a_position(a_place(), fixed_at=at(0)), at(0) + timedelta(seconds=0.4))
    assert wall_time(at(1), off_s) == WallTime("gps", 400)


def test_a_clock_that_is_wrong_says_by_how_much() -> None:
    off_s = measured_off_s(a_position(a_place(), fixed_at=at(0)), at(-60))
    assert wall_time(at(-60), off_s) == WallTime("system", 3_600_000)


def test_a_clock_nobody_checked_is_the_systems_and_one_never_set_is_none() -> None:
    assert wall_time(at(0), None) == WallTime("system", None)
    assert wall_time(datetime(1970, 1, 1, 0, 3, tzinfo=UTC), None) == WallTime("none", None)


def test_a_fix_on_its_way_takes_longer_in_a_clock_that_runs_fast() -> None:
    assert wall_time(at(0), 30.0, rate=30).source == "gps"
    assert wall_time(at(0), 30.0).source == "system"


@pytest.mark.parametrize("quality", [FixQuality.STALE, FixQuality.NONE])
def test_a_position_that_is_not_fresh_says_nothing_about_the_clock(quality: FixQuality) -> None:
    assert measured_off_s(a_position(a_place(), quality=quality), at(0)) is None
    assert measured_off_s(None, at(0)) is None
