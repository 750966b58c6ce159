"""Closed roads and the weather ahead, and the conditions made of them: one numbered list for every van."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection, delete, insert, select, update

from cloud.store.instants import to_ms
from cloud.store.tables import closures, versions, weather
from wire.codec import canonical, to_json
from wire.manifest import Closure, Conditions, WeatherHour
from wire.model import StopId

CONDITIONS = "conditions"
_hours: TypeAdapter[tuple[WeatherHour, ...]] = TypeAdapter(tuple[WeatherHour, ...])


def standing_closures(conn: Connection, now: datetime) -> tuple[Closure, ...]:
    """Neither lifted nor over; those that begin later are among them."""
    rows = conn.execute(
        select(closures.c.document).where(closures.c.lifted_ms.is_(None)).order_by(closures.c.closure_id)
    )
    found = (Closure.model_validate_json(document) for document in rows.scalars())
    return tuple(closure for closure in found if closure.valid_until > now)


def save_closure(conn: Connection, closure: Closure, now: datetime) -> bool:
    """Adds a closure; True when it is new. The same one again changes nothing.

    Raises ValueError when its id was used for another closure.
    """
    text = canonical(to_json(closure)).decode()
    before = conn.execute(select(closures).where(closures.c.closure_id == closure.closure_id)).one_or_none()
    if before is not None:
        if before.document == text and before.lifted_ms is None:
            return False
        raise ValueError(f"the id {closure.closure_id} was used for another closure: choose a new one")
    conn.execute(insert(closures).values(closure_id=closure.closure_id, document=text, made_ms=to_ms(now)))
    _count_up(conn)
    return True


def lift_closure(conn: Connection, closure_id: StopId, now: datetime) -> bool:
    """False when there is no such closure, or it was lifted before."""
    done = conn.execute(
        update(closures)
        .where(closures.c.closure_id == closure_id, closures.c.lifted_ms.is_(None))
        .values(lifted_ms=to_ms(now))
    )
    if done.rowcount:
        _count_up(conn)
    return done.rowcount > 0


def replace_closures(conn: Connection, prefix: str, found: Sequence[Closure], now: datetime) -> bool:
    """Those whose ids begin with `prefix` are from now on these; True when that changes anything.

    An id stands for what the closure says: one that comes again is the one that was there.
    """
    wanted = {closure.closure_id: closure for closure in found}
    of_feed = closures.c.closure_id.startswith(prefix, autoescape=True)
    rows = conn.execute(select(closures.c.closure_id, closures.c.lifted_ms).where(of_feed)).all()
    there = {row.closure_id: row.lifted_ms is None for row in rows}
    gone = [closure_id for closure_id, stands in there.items() if stands and closure_id not in wanted]
    back = [closure_id for closure_id in wanted if not there.get(closure_id, True)]
    new = [closure for closure_id, closure in wanted.items() if closure_id not in there]
    if gone:
        conn.execute(update(closures).where(closures.c.closure_id.in_(gone)).values(lifted_ms=to_ms(now)))
    if back:
        conn.execute(update(closures).where(closures.c.closure_id.in_(back)).values(lifted_ms=None))
    for closure in new:
        text = canonical(to_json(closure)).decode()
        conn.execute(insert(closures).values(closure_id=closure.closure_id, document=text, made_ms=to_ms(now)))
    if gone or back or new:
        _count_up(conn)
    return bool(gone or back or new)


def save_weather(conn: Connection, feed: str, hours: Sequence[WeatherHour]) -> bool:
    """What a feed says of the hours ahead, in place of what it said before; True when that changes anything."""
    text = canonical([to_json(hour) for hour in hours]).decode()
    before = conn.execute(select(weather.c.document).where(weather.c.feed == feed)).scalar()
    if text == (before or "[]"):
        return False
    conn.execute(delete(weather).where(weather.c.feed == feed))
    conn.execute(insert(weather).values(feed=feed, document=text))
    _count_up(conn)
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
    version = conn.execute(select(versions.c.version).where(versions.c.name == CONDITIONS)).scalar()
    if version is None:
        return None
    return Conditions(
        schema=1,
        version=version,
        issued_at=now,
        closures=standing_closures(conn, now),
        weather=weather_ahead(conn, now),
    )


def _count_up(conn: Connection) -> None:
    counted = conn.execute(update(versions).where(versions.c.name == CONDITIONS).values(version=versions.c.version + 1))
    if not counted.rowcount:
        conn.execute(insert(versions).values(name=CONDITIONS, version=1))
