"""The weather ahead makes driving and the work at a stop take longer, hour by hour, and teaches nothing."""

from datetime import timedelta

import pytest

from agent.trip.eta import etas
from agent.trip.expected import ExpectedTimes
from agent.trip.run import Run
from agent.trip.weather import service_factor, travel_factor
from tests.builders import MORNING, a_run, a_stop
from wire.events import TimesSource
from wire.manifest import Conditions, Weather, WeatherHour

RAIN = WeatherHour(begins=MORNING + timedelta(hours=1), weather=Weather.RAIN, travel=1.5, service=1.2)


def under(run: Run, *hours: WeatherHour) -> Run:
    return run.model_copy(update={"conditions": Conditions(version=1, issued_at=MORNING, weather=hours)})


def test_an_hour_counts_from_its_beginning_to_its_end_and_no_longer() -> None:
    run = under(a_run([a_stop(1)]), RAIN)
    minutes = (59, 60, 119, 120)
    assert [travel_factor(run, MORNING + timedelta(minutes=at)) for at in minutes] == [1.0, 1.5, 1.5, 1.0]
    assert [service_factor(run, MORNING + timedelta(minutes=at)) for at in minutes] == [1.0, 1.2, 1.2, 1.0]
    assert travel_factor(a_run([a_stop(1)]), MORNING) == 1.0


def test_an_hour_of_rain_is_a_slot_of_the_problem_with_and_without_anything_learned() -> None:
    dry = a_run([a_stop(1)])
    assert ExpectedTimes(dry, MORNING, TimesSource.ROADS).slots() == ()
    for source in TimesSource:
        expected = ExpectedTimes(under(dry, RAIN), MORNING, source)
        assert [(slot.from_s, slot.factor) for slot in expected.slots()] == [(0, 1.0), (3600, 1.5), (7200, 1.0)]
        assert expected.travel_s(((0.0, 60.0),), [dry.stops[0].stop.place] * 2) == ((0.0, 60.0),)


def test_rain_all_day_is_in_the_times_themselves() -> None:
    hours = [RAIN.model_copy(update={"begins": MORNING + timedelta(hours=n)}) for n in range(-1, 30)]
    run = under(a_run([a_stop(1)]), *hours)
    expected = ExpectedTimes(run, MORNING, TimesSource.ESTIMATE)
    assert expected.slots() == ()
    assert expected.travel_s(((0.0, 60.0),), [run.stops[0].stop.place] * 2) == ((0.0, 90.0),)
    setup_s, service_s = expected.visit(run.stops[0])
    listed = run.stops[0].stop
    assert setup_s + service_s == pytest.approx(1.2 * (listed.setup_s + listed.service_s))


def test_arrivals_come_later_in_the_rain() -> None:
    run = a_run([a_stop(1), a_stop(2)])
    dry, wet = etas(run, MORNING), etas(under(run, RAIN.model_copy(update={"begins": MORNING})), MORNING)
    drive = (dry["s1"].p50 - MORNING).total_seconds()
    assert (wet["s1"].p50 - MORNING).total_seconds() == pytest.approx(1.5 * drive)
    assert wet["s2"].p50 - dry["s2"].p50 > wet["s1"].p50 - dry["s1"].p50
