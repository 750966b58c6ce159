"""What the weather ahead does to driving and to the work at a stop, by the hour. Pure.

It lies beneath what is learned: a leg that takes as much longer as the rain explains teaches nothing about the leg.
"""

from datetime import datetime, timedelta

from agent.trip.run import Run
from wire.manifest import WeatherHour

HOUR = timedelta(hours=1)


def travel_factor(run: Run, at: datetime) -> float:
    """How many times as long as in dry weather a leg takes that is begun then; 1 where nothing is known."""
    hour = _hour_at(run, at)
    return 1.0 if hour is None else hour.travel


def service_factor(run: Run, at: datetime) -> float:
    """The same of setup and service."""
    hour = _hour_at(run, at)
    return 1.0 if hour is None else hour.service


def _hour_at(run: Run, at: datetime) -> WeatherHour | None:
    hours = run.conditions.weather if run.conditions else ()
    return next((hour for hour in hours if hour.begins <= at < hour.begins + HOUR), None)
