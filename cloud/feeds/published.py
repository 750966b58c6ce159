"""What every reader of a publication answers with, and what it shares with the others."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import JsonValue, ValidationError

from wire.codec import canonical, first_problem
from wire.manifest import Closure

MAX_BYTES = 20_000_000
"""Of one publication; a country's whole DATEX II has about 10 MB."""
MAX_PLACES = 500
UNKNOWN_END = timedelta(days=1)
"""A closure without an end holds to the end of the next day, and longer while it is published."""


class FeedError(Exception):
    """What came is not the publication that was configured; the text says what it is instead."""


@dataclass(frozen=True)
class Publication:
    """The closures that stand or will, and for each that is published and cannot be used, why."""

    closures: tuple[Closure, ...]
    left_out: tuple[str, ...] = ()


def closed_line(
    *,
    feed: str,
    its_id: str,
    note: str,
    line: Sequence[tuple[float, float]],
    is_both_ways: bool,
    begins: datetime | None,
    ends: datetime | None,
    now: datetime,
) -> Closure | str:
    """One closure; its id follows from what it says, so that a changed one is another. Else why there is none.

    `line` as (lat, lon). Without a beginning it has begun.
    """
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    begins = begins or today
    ends = ends or today + timedelta(days=1) + UNKNOWN_END
    if ends <= now:
        return f"{its_id}: over"
    if ends <= begins:
        return f"{its_id}: it ends before it begins"
    line = _thinned(line)
    if len(line) < 2:
        return f"{its_id}: a point, and no line of road"
    said: dict[str, JsonValue] = {"id": its_id, "note": note, "line": [list(at) for at in line], "both": is_both_ways}
    said |= {"begins": begins.isoformat(), "ends": ends.isoformat()}
    try:
        return Closure(
            closure_id=f"{feed}-{hashlib.sha256(canonical(said)).hexdigest()[:16]}",
            note=note[:200],
            line=tuple(line),
            both_ways=is_both_ways,
            valid_from=begins,
            valid_until=ends,
        )
    except ValidationError as error:
        return f"{its_id}: {first_problem(error)}"


def _thinned(line: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    if len(line) <= MAX_PLACES:
        return list(line)
    step = (len(line) - 1) / (MAX_PLACES - 1)
    return [line[round(step * number)] for number in range(MAX_PLACES)]


def instant(text: object) -> datetime | None:
    """An ISO 8601 instant with its offset; None for nothing. Raises ValueError."""
    if text in (None, ""):
        return None
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no time")
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no offset from UTC")
    return at
