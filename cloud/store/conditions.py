"""The weather ahead, and what every van is told of its roads: one numbered document."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select

from cloud.store.drawn import CLOSURES, SPEEDS, standing
from cloud.store.edition import CONDITIONS, count_up, edition
from cloud.store.tables import weather
from wire.codec import canonical, to_json
from wire.manifest import Conditions, WeatherHour

_hours: TypeAdapter[tuple[WeatherHour, ...]] = TypeAdapter(tuple[WeatherHour, ...])


def save_weather(conn: Connection, feed: str, hours: Sequence[WeatherHour]) -> bool:
    """What a feed says of the hours ahead, in place of what it said before; True when that changes anything."""
    text = canonical([to_json(hour) for hour in hours]).decode()
    before = conn.execute(select(weather.c.document).where(weather.c.feed == feed)).scalar()
    if text == (before or "[]"):
        return False
    conn.execute(delete(weather).where(weather.c.feed == feed))
    conn.execute(insert(weather).values(feed=feed, document=text))
    count_up(conn, CONDITIONS)
    return True


def weather_ahead(conn: Connection, now: datetime) -> tuple[WeatherHour, ...]:
    """The hours that are not over, in order; where feeds differ the worse is believed."""
    worst: dict[datetime, WeatherHour] = {}
    for document in conn.execute(select(weather.c.document).order_by(weather.c.feed)).scalars():
        for hour in _hours.validate_json(document):
            known = worst.get(hour.begins)
            if hour.begins + timedelta(hours=1) > now and (known is None or hour.travel > known.travel):
                worst[hour.begins] = hour
    return tuple(worst[begins] for begins in sorted(worst))


def conditions_now(conn: Connection, now: datetime) -> Conditions | None:
    """What every van should know of its roads; None until there was anything to know."""
    version = edition(conn, CONDITIONS)
    if version is None:
        return None
    return Conditions(
        schema=1,
        version=version,
        issued_at=now,
        closures=standing(conn, CLOSURES, now),
        weather=weather_ahead(conn, now),
        speeds=standing(conn, SPEEDS, now),
    )
