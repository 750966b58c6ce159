from datetime import timedelta

from agent.gps.line import Foot
from agent.gps.matching import Matcher
from agent.gps.offroute import FIXES, FIXES_FAR
from tests.builders import MORNING, a_place, a_position
from wire.events import FixQuality, TimesSource

EAST = [a_place(), a_place(east_m=1_000)]


def matcher(times: TimesSource = TimesSource.ROADS) -> Matcher:
    return Matcher(EAST, times, EAST[0])


def feet(one: Matcher, offsets_m: list[float], first: int = 0) -> list[Foot | None]:
    """The points for fixes at 10 m/s east, so many metres north of the line."""
    return [
        one.seen(
            a_position(
                a_place(north_m=off_m, east_m=10.0 * second),
                fixed_at=MORNING + timedelta(seconds=second),
                speed_mps=10.0,
                heading_deg=90.0,
            )
        )
        for second, off_m in enumerate(offsets_m, first)
    ]


def test_a_fix_beside_the_road_is_drawn_on_it() -> None:
    for second, foot in enumerate(feet(matcher(), [8, -12, 5, 20])):
        assert foot is not None
        assert abs(foot.along_m - 10.0 * second) < 1
        assert round(foot.heading_deg) == 90


def test_the_road_is_left_only_after_several_fixes() -> None:
    drawn = feet(matcher(), [0, 60, 60, 60, 60])
    assert [foot is not None for foot in drawn] == [True] * FIXES + [False] * 2
    drawn = feet(matcher(), [0, 300, 300, 300])
    assert [foot is not None for foot in drawn] == [True] * FIXES_FAR + [False] * 2


def test_one_wild_fix_does_not_leave_it() -> None:
    assert None not in feet(matcher(), [0, 500, 0, 0, 500, 0])


def test_the_road_is_taken_again_only_after_several_fixes() -> None:
    one = matcher()
    feet(one, [60] * 5)
    assert [foot is not None for foot in feet(one, [0] * 5, first=5)] == [False] * (FIXES - 1) + [True] * 3


def test_a_way_out_and_back_is_not_mixed_up() -> None:
    line = [a_place(), a_place(east_m=500), a_place(east_m=500, north_m=6), a_place(north_m=6)]
    one = Matcher(line, TimesSource.ROADS, line[0])
    along = []
    for second in range(100):
        east_m = 10.0 * second if second < 50 else 1_000 - 10.0 * second
        there = a_place(east_m=east_m, north_m=6 if second % 2 else 0)  # the noise of a fix is as wide as the road
        foot = one.seen(a_position(there, fixed_at=MORNING + timedelta(seconds=second), speed_mps=10.0))
        assert foot is not None
        along.append(foot.along_m)
    assert along[30] < 320
    assert along[70] > 650


def test_a_straight_line_that_is_no_road_draws_nothing() -> None:
    assert feet(matcher(TimesSource.ESTIMATE), [0, 0]) == [None, None]


def test_what_is_not_fresh_draws_nothing() -> None:
    assert matcher().seen(a_position(quality=FixQuality.STALE)) is None


def test_a_fix_counts_once_however_often_it_is_shown() -> None:
    one = matcher()
    far = a_position(a_place(north_m=60), fixed_at=MORNING, speed_mps=10.0, heading_deg=90.0)
    assert None not in [one.seen(far) for _ in range(10)]
