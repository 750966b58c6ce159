from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.gps.position import Motion
from agent.trip.decide import decide
from agent.trip.eta import ends_at, etas
from agent.trip.inputs import ArrivedTapped, DeliveredTapped, ManifestArrived
from agent.trip.progress import distance_to_next_m, is_within_reach, remaining_travel_s
from agent.trip.punctuality import Punctuality, lateness_s, minutes_off, punctuality, window_at
from agent.trip.run import PlanCharge, Run
from tests.builders import (
    LEG_S,
    a_manifest,
    a_place,
    a_plan,
    a_position,
    a_run,
    a_stop,
    a_window,
    at,
)
from wire.events import Eta, FixQuality, TimesSource

SECOND = timedelta(seconds=1)
# The builders' legs take 2 minutes over 500 m, a stop 1 minute of setup and 2 of service.


def test_expected_times_are_the_legs_and_services_one_after_another() -> None:
    times = etas(a_run(), at(0))
    assert {stop_id: eta.p50 for stop_id, eta in times.items()} == {"s1": at(2), "s2": at(7), "s3": at(12)}


def test_without_a_plan_there_is_no_expected_time() -> None:
    assert etas(a_run(has_plan=False), at(0)) == {}
    assert etas(Run(), at(0)) == {}
    assert ends_at(a_run(has_plan=False), at(0)) is None


def test_a_stop_in_no_plan_has_no_expected_time_and_the_day_no_end() -> None:
    run = decide(a_run(1), ManifestArrived(manifest=a_manifest(2, version=2)), at(0)).run
    assert list(etas(run, at(0))) == ["s1"]
    assert ends_at(run, at(0)) is None


def test_half_way_by_distance_half_of_the_leg_is_left() -> None:
    run = a_run(position=a_position(a_place(north_m=250), fixed_at=at(5)))
    assert abs(etas(run, at(5))["s1"].p50 - at(6)) < SECOND


def test_a_van_on_a_detour_has_at_most_the_whole_leg_left() -> None:
    run = a_run(position=a_position(a_place(north_m=-900), fixed_at=at(5)))
    assert remaining_travel_s(run, at(5)) == LEG_S


def test_without_a_position_the_leg_runs_by_time_and_never_into_the_past() -> None:
    assert etas(a_run(), at(1))["s1"].p50 == at(2)
    assert etas(a_run(), at(9))["s1"].p50 == at(9)


def test_a_leg_begins_where_the_last_stop_was_closed() -> None:
    run = decide(a_run(), DeliveredTapped(stop_id="s1"), at(6)).run
    assert etas(run, at(7))["s2"].p50 == at(8)
    half = run.model_copy(update={"position": a_position(a_place(north_m=750), fixed_at=at(7))})
    assert remaining_travel_s(half, at(7)) == pytest.approx(LEG_S / 2, abs=0.5)


def test_a_stop_stood_at_has_the_time_of_its_arrival_and_its_service_is_ahead() -> None:
    run = decide(a_run(), ArrivedTapped(stop_id="s1"), at(2)).run
    times = etas(run, at(3))
    assert (times["s1"].p10, times["s1"].p50, times["s1"].p90) == (at(2), at(2), at(2))
    assert times["s2"].p50 == at(7)


def test_a_service_that_takes_too_long_pushes_the_rest() -> None:
    run = decide(a_run(), ArrivedTapped(stop_id="s1"), at(2)).run
    assert etas(run, at(20))["s2"].p50 == at(22)


def test_a_stop_arrived_at_out_of_order_comes_before_the_others() -> None:
    run = decide(a_run(), ArrivedTapped(stop_id="s3"), at(2)).run
    times = etas(run, at(2))
    assert (times["s3"].p50, times["s1"].p50) == (at(2), at(7))


def test_a_van_waits_for_a_window_to_open() -> None:
    run = a_run([a_stop(1, windows=(a_window(30, 60),)), a_stop(2)])
    times = etas(run, at(0))
    assert (times["s1"].p50, times["s2"].p50) == (at(2), at(34))


def test_the_range_grows_with_each_leg_and_waiting_uses_it_up() -> None:
    def width(eta: Eta) -> timedelta:
        return eta.p90 - eta.p50

    free = etas(a_run(3), at(0))
    waiting = etas(a_run([a_stop(1), a_stop(2, windows=(a_window(60, 90),)), a_stop(3)]), at(0))
    assert width(free["s1"]) < width(free["s2"]) < width(free["s3"])
    assert width(waiting["s3"]) < width(free["s3"])


def test_an_estimate_is_called_one_and_is_less_sure() -> None:
    roads, guess = (
        etas(a_run(plan=a_plan(a_manifest(3).stops, times=times)), at(0))["s3"]
        for times in (TimesSource.ROADS, TimesSource.ESTIMATE)
    )
    assert guess.times is TimesSource.ESTIMATE
    assert guess.p90 > roads.p90


@given(
    minute=st.floats(0, 600),
    count=st.integers(1, 12),
    north_m=st.none() | st.floats(-3000, 9000),
    opens=st.lists(st.floats(-60, 400), max_size=12),
)
def test_a_range_is_in_order_not_in_the_past_and_later_stops_are_later(
    minute: float, count: int, north_m: float | None, opens: list[float]
) -> None:
    stops = [
        a_stop(number + 1, windows=(a_window(opens[number], opens[number] + 30),) if number < len(opens) else ())
        for number in range(count)
    ]
    position = None if north_m is None else a_position(a_place(north_m=north_m), fixed_at=at(minute))
    now = at(minute)
    times = list(etas(a_run(stops, position=position), now).values())
    assert len(times) == count
    for eta in times:
        assert now <= eta.p10 <= eta.p50 <= eta.p90
    assert all(before.p50 < after.p50 for before, after in pairwise(times))


def test_the_end_of_the_day_is_the_last_service_and_the_way_home() -> None:
    assert ends_at(a_run(), at(0)) == at(17)


def test_arrived_is_offered_within_sixty_metres_when_the_van_stands() -> None:
    def run(north_m: float, motion: Motion, quality: FixQuality = FixQuality.FIX_3D) -> Run:
        return a_run(motion=motion, position=a_position(a_place(north_m=north_m), fixed_at=at(5), quality=quality))

    assert is_within_reach(run(445, Motion.HALTED), at(5))
    assert is_within_reach(run(555, Motion.PARKED), at(5))
    assert not is_within_reach(run(435, Motion.HALTED), at(5))
    assert not is_within_reach(run(500, Motion.MOVING), at(5))
    assert not is_within_reach(run(500, Motion.UNKNOWN), at(5))
    assert not is_within_reach(run(500, Motion.PARKED, FixQuality.STALE), at(5))
    assert not is_within_reach(a_run(motion=Motion.PARKED), at(5))
    assert distance_to_next_m(run(445, Motion.HALTED), at(5)) == pytest.approx(55, abs=0.5)
    assert distance_to_next_m(a_run(), at(5)) is None


def eta(p50: float, half: float = 3) -> Eta:
    return Eta(p10=at(p50 - half), p50=at(p50), p90=at(p50 + half), times=TimesSource.ROADS, as_of=at(0))


@pytest.mark.parametrize(
    ("expected", "planned", "word", "minutes"),
    [
        (eta(20), 20, Punctuality.ON_TIME, -10),
        (eta(28), 28, Punctuality.TIGHT, -2),
        (eta(30), 30, Punctuality.TIGHT, 0),
        (eta(30.1), 20, Punctuality.LATE, 1),
        (eta(33), 20, Punctuality.LATE, 3),
        (eta(16), 20, Punctuality.EARLY, -4),
        (eta(18.5), 20, Punctuality.ON_TIME, -11),
        (None, 20, Punctuality.UNKNOWN, None),
    ],
)
def test_the_word_and_the_minutes_against_a_window_that_ends_at_half_past(
    expected: Eta | None, planned: float, word: Punctuality, minutes: int | None
) -> None:
    window = a_window(0, 30)
    assert punctuality(window, expected, at(planned)) is word
    assert minutes_off(window, expected, at(planned)) == minutes


def test_a_stop_without_a_window_can_be_early_and_never_late() -> None:
    assert punctuality(None, eta(90), at(20)) is Punctuality.ON_TIME
    assert minutes_off(None, eta(90), at(20)) is None
    assert punctuality(None, eta(10), at(20)) is Punctuality.EARLY


def test_of_several_windows_the_first_one_still_open_counts() -> None:
    morning, noon = a_window(0, 30), a_window(240, 300)
    stop = a_stop(1, windows=(noon, morning))
    assert [window_at(stop, at(minute)) for minute in (10, 31, 290, 400)] == [morning, noon, noon, noon]
    assert [lateness_s(stop, at(minute)) for minute in (10, 31, 301)] == [0, 0, 60]
    assert window_at(a_stop(1), at(0)) is None


def test_time_at_a_charger_comes_before_the_stop_behind_it_and_runs_off_as_planned() -> None:
    run = a_run()
    assert run.plan is not None
    charge = PlanCharge(
        charger_id="mill", name="", place=a_place(), arrive_at=at(6), leave_at=at(26), arrive_kwh=2.0, to_kwh=9.0
    )
    first, second, third = run.plan.legs
    legs = (first, second.model_copy(update={"charges": (charge,)}), third)
    run = run.model_copy(update={"plan": run.plan.model_copy(update={"legs": legs})})
    assert {stop_id: eta.p50 for stop_id, eta in etas(run, at(0)).items()} == {"s1": at(2), "s2": at(27), "s3": at(32)}
    assert run.plan is not None
    home = run.model_copy(update={"plan": run.plan.model_copy(update={"legs": legs[:1], "home_charges": (charge,)})})
    home = home.model_copy(update={"stops": home.stops[:1]})
    assert ends_at(home, at(0)) == at(2 + 3 + 20 + 2)
