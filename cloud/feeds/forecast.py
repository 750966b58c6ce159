"""An hourly forecast of the weather as what it does to driving and to the work at a door.

Read is the reply of Open-Meteo's forecast (open-meteo.com/en/docs) to `hourly=temperature_2m,precipitation,snowfall,
visibility,weather_code`, in its own units.

By how much weather slows traffic is from the US Federal Highway Administration ("How Do Weather Events Impact
Roads?", ops.fhwa.dot.gov/weather/q1_roadimpact.htm): on roads with signals speed falls by 10 to 25 % on wet pavement
and by 30 to 40 % on snow or slush; on motorways by 10 to 12 % in low visibility. Rain takes the mild end, heavy rain
the middle, snow and ice the middle of theirs. What weather does to the work at a door is an ASSUMPTION.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from cloud.feeds.published import FeedError
from wire.codec import first_problem
from wire.manifest import Weather, WeatherHour

HOURLY = ("temperature_2m", "precipitation", "snowfall", "visibility", "weather_code")
MAX_HOURS = 48


class Effect(NamedTuple):
    """Times as long as in dry weather."""

    travel: float
    service: float


EFFECTS = {
    Weather.DRY: Effect(1.0, 1.0),
    Weather.RAIN: Effect(1.11, 1.03),
    Weather.HEAVY_RAIN: Effect(1.21, 1.08),
    Weather.FOG: Effect(1.12, 1.0),
    Weather.SNOW: Effect(1.54, 1.10),
    Weather.ICE: Effect(1.54, 1.10),
}
HEAVY_RAIN_MM = 4.0
"""In an hour; the limit of moderate rain (Met Office)."""
FOG_M = 1_000.0
FREEZING = frozenset({48, 56, 57, 66, 67})
SNOWING = frozenset({71, 73, 75, 77, 85, 86})
RAINING = frozenset({*range(51, 66), 80, 81, 82, 95, 96, 99})
"""WMO codes 4677, as Open-Meteo gives them."""


class _Hourly(BaseModel):
    time: list[str]
    temperature_2m: list[float | None]
    precipitation: list[float | None]
    snowfall: list[float | None]
    visibility: list[float | None] = []
    weather_code: list[int | None]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="ignore")

    utc_offset_seconds: int
    hourly: _Hourly


def read_forecast(body: bytes, now: datetime) -> tuple[WeatherHour, ...]:
    """The hours from now on in which the weather changes anything, at most two days of them. Raises FeedError."""
    try:
        document = json.loads(body)
        if isinstance(document, dict) and document.get("error"):
            raise FeedError(f"the forecast was refused: {document.get('reason', 'no reason given')}")
        reply = _Reply.model_validate(document)
    except ValidationError as error:
        raise FeedError(f"what came is no hourly forecast: {first_problem(error)}") from error
    except (ValueError, RecursionError) as error:
        raise FeedError(f"what came is no JSON: {error}") from error
    hourly = reply.hourly
    hours: list[WeatherHour] = []
    try:
        offset = timedelta(seconds=reply.utc_offset_seconds)
        rows = zip(
            hourly.time,
            hourly.temperature_2m,
            hourly.precipitation,
            hourly.snowfall,
            hourly.visibility or [None] * len(hourly.time),
            hourly.weather_code,
            strict=True,
        )
        for time, temperature, rain_mm, snow_cm, sight_m, code in rows:
            begins = datetime.fromisoformat(time).replace(tzinfo=UTC) - offset
            if begins + timedelta(hours=1) <= now or begins > now + timedelta(hours=MAX_HOURS):
                continue
            weather = weather_of(temperature, rain_mm or 0.0, snow_cm or 0.0, sight_m, code)
            if weather is not Weather.DRY:
                travel, service = EFFECTS[weather]
                hours.append(WeatherHour(begins=begins, weather=weather, travel=travel, service=service))
    except (ValueError, OverflowError) as error:
        raise FeedError(f"the forecast's hours do not fit together: {error}") from error
    return tuple(hours)


def weather_of(
    temperature_c: float | None, rain_mm: float, snow_cm: float, sight_m: float | None, code: int | None
) -> Weather:
    """The worst of what is said of an hour; what is not known makes nothing worse."""
    is_wet = rain_mm > 0.1 or code in RAINING
    if code in FREEZING - {48} or (is_wet and snow_cm <= 0 and temperature_c is not None and temperature_c <= 0.0):
        return Weather.ICE
    if snow_cm > 0.0 or code in SNOWING:
        return Weather.SNOW
    if rain_mm >= HEAVY_RAIN_MM:
        return Weather.HEAVY_RAIN
    if code in (45, 48) or (sight_m is not None and sight_m < FOG_M):
        return Weather.FOG
    return Weather.RAIN if is_wet else Weather.DRY
