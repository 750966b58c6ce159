import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gps.gpsd import RawFix
from agent.gps.position import Position
from agent.gps.quality import EARLIEST, ROLLOVER, Belief, Refused, judged, unrolled
from tests.builders import MORNING, a_place
from wire.events import FixQuality
from wire.geo import distance_m


def a_fix(second: float = 0, north_m: float = 0, **changes: object) -> RawFix:
    """A 3D fix that many seconds into the morning and metres north of the depot."""
    place = a_place(north_m=north_m)
    fields: dict[str, object] = {
        "time": MORNING + timedelta(seconds=second),
        "mode": 3,
        "lat_deg": place.lat_deg,
        "lon_deg": place.lon_deg,
        "speed_mps": 10.0,
        "track_deg": 90.0,
        "eph_m": 4.0,
    }
    return RawFix(**{**fields, **changes})  # type: ignore[arg-type]


def hear(fixes: Iterable[RawFix | None], belief: Belief | None = None, first_s: float = 0) -> Belief:
    """Belief after fixes that come one a real second."""
    belief = belief or Belief()
    for second, fix in enumerate(fixes):
        belief = judged(belief, fix, first_s + second)
    return belief


def believed(belief: Belief) -> Position:
    assert belief.position is not None
    return belief.position


def north_m(position: Position) -> float:
    return distance_m(a_place(), position.place)


def test_a_good_fix_is_a_position_with_what_the_receiver_gave() -> None:
    position = believed(hear([a_fix()]))
    assert position.fixed_at == MORNING
    assert position.quality is FixQuality.FIX_3D
    assert (position.error_m, position.speed_mps, position.heading_deg) == (4.0, 10.0, 90.0)


def test_what_the_receiver_did_not_give_stays_unknown() -> None:
    position = believed(hear([a_fix(mode=2, speed_mps=None, track_deg=math.nan, eph_m=-1.0)]))
    assert position.quality is FixQuality.FIX_2D
    assert (position.error_m, position.speed_mps, position.heading_deg) == (None, None, None)


@pytest.mark.parametrize(
    ("fix", "why"),
    [
        (a_fix(mode=1), Refused.NO_FIX),
        (a_fix(mode=0), Refused.NO_FIX),
        (a_fix(lat_deg=None), Refused.NO_PLACE),
        (a_fix(lon_deg=None), Refused.NO_PLACE),
        (a_fix(lat_deg=math.nan), Refused.NOT_FINITE),
        (a_fix(lon_deg=math.inf), Refused.NOT_FINITE),
        (a_fix(lat_deg=90.1), Refused.OUT_OF_RANGE),
        (a_fix(lon_deg=-180.1), Refused.OUT_OF_RANGE),
        (a_fix(lat_deg=0.0, lon_deg=0.0), Refused.NULL_ISLAND),
        (a_fix(time=datetime(2045, 1, 1, tzinfo=UTC)), Refused.BAD_TIME),
        (a_fix(time=datetime(1, 1, 1, tzinfo=UTC)), Refused.BAD_TIME),
    ],
    ids=lambda value: value.name if isinstance(value, Refused) else "",
)
def test_a_fix_that_cannot_be_is_refused_and_counted(fix: RawFix, why: Refused) -> None:
    belief = hear([fix, fix])
    assert belief.position is None
    assert belief.refused == {why: 2}


def test_a_position_is_stale_after_three_seconds_of_silence_and_lost_after_ten() -> None:
    belief = judged(Belief(), a_fix(), 100.0)
    assert believed(judged(belief, None, 103.0)).quality is FixQuality.FIX_3D
    assert believed(judged(belief, None, 103.1)).quality is FixQuality.STALE
    assert believed(judged(belief, None, 110.0)).quality is FixQuality.STALE
    assert judged(belief, None, 110.1).position is None


def test_a_receiver_that_repeats_its_last_fix_is_silent() -> None:
    assert hear([a_fix()] * 5).position == believed(hear([a_fix()])).model_copy(update={"quality": FixQuality.STALE})
    assert hear([a_fix()] * 12).position is None


def test_a_receiver_without_a_fix_lets_the_last_position_go_stale() -> None:
    assert believed(hear([a_fix(), *[a_fix(second, mode=1) for second in range(1, 5)]])).quality is FixQuality.STALE


def test_a_fresh_fix_ends_staleness_at_once() -> None:
    belief = hear([a_fix(), None, None, None, None, a_fix(5, north_m=50)])
    assert believed(belief).quality is FixQuality.FIX_3D


def test_one_wild_fix_is_not_followed() -> None:
    belief = hear([a_fix(0), a_fix(1, 10), a_fix(2, 5_000), a_fix(3, 30)])
    assert north_m(believed(belief)) == pytest.approx(30, abs=0.1)
    assert belief.refused == {Refused.JUMP: 1}


def test_three_fixes_that_agree_are_believed_however_far() -> None:
    far = [a_fix(second, 5_000 + 10 * second) for second in range(2, 5)]
    assert north_m(believed(hear([a_fix(0), a_fix(1), *far[:2]]))) == pytest.approx(0, abs=0.1)
    assert north_m(believed(hear([a_fix(0), a_fix(1), *far]))) == pytest.approx(5_040, abs=0.1)


def test_wild_fixes_that_do_not_agree_are_never_believed() -> None:
    wild = [a_fix(second, 5_000 * (second % 3 + 1)) for second in range(1, 9)]
    belief = judged(hear([a_fix(0), *wild]), None, 9.0)
    assert north_m(believed(belief)) == 0
    assert belief.refused == {Refused.JUMP: 8}


def test_what_can_be_reached_grows_with_the_silence_before_it() -> None:
    tunnel = hear([a_fix(0), *[None] * 60])
    assert tunnel.position is None
    belief = judged(tunnel, a_fix(61, 1_500), 61.0)
    assert north_m(believed(belief)) == pytest.approx(1_500, abs=0.1)


def test_in_a_fast_simulation_speed_is_judged_by_the_fixes_own_times() -> None:
    belief = Belief()
    for second in range(60):  # 30 fixes a real second
        belief = judged(belief, a_fix(second, 25.0 * second, speed_mps=25.0), second / 30)
    assert belief.refused == {}
    assert north_m(believed(belief)) == pytest.approx(25 * 59, abs=0.1)


def test_a_receiver_whose_clock_is_set_back_is_believed_again_after_three_fixes() -> None:
    back = [a_fix(second - 3_600, second) for second in range(2, 5)]
    belief = hear([a_fix(0), a_fix(1), *back])
    assert believed(belief).fixed_at == MORNING + timedelta(seconds=4 - 3_600)
    assert belief.refused == {Refused.OLD_TIME: 2}


def test_a_date_before_the_first_release_is_a_week_counter_that_rolled_over() -> None:
    assert unrolled(MORNING) == MORNING
    assert unrolled(MORNING - ROLLOVER) == MORNING
    assert unrolled(MORNING - 2 * ROLLOVER) == MORNING
    assert believed(hear([a_fix(time=MORNING - ROLLOVER)])).fixed_at == MORNING


numbers = st.none() | st.floats() | st.floats(-200, 200)
raw_fixes = st.builds(
    RawFix,
    time=st.datetimes(timezones=st.just(UTC)),
    mode=st.integers(-1, 4),
    lat_deg=numbers,
    lon_deg=numbers,
    speed_mps=numbers,
    track_deg=numbers,
    eph_m=numbers,
)


@given(st.lists(st.tuples(st.none() | raw_fixes, st.floats(0, 20)), max_size=30))
def test_whatever_a_receiver_says_the_answer_is_a_valid_position_or_none(
    heard: list[tuple[RawFix | None, float]],
) -> None:
    belief, again, mono_s = Belief(), Belief(), 0.0
    for fix, pause_s in heard:
        mono_s += pause_s
        belief, again = judged(belief, fix, mono_s), judged(again, fix, mono_s)
        if belief.position is not None:
            Position.model_validate(belief.position.model_dump())
            assert EARLIEST <= belief.position.fixed_at < EARLIEST + ROLLOVER
    assert belief == again
