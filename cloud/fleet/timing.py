"""How old news is, and how a stop stands against its window. Domain time, given as `now`."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from cloud.fleet.view import Freshness, Punctuality
from wire.events import Eta
from wire.manifest import Stop, Window

FRESH_FOR = timedelta(seconds=60)
FADING_FOR = timedelta(minutes=5)
_WORST_FIRST = (Punctuality.LATE, Punctuality.TIGHT, Punctuality.EARLY, Punctuality.ON_TIME)


def freshness(heard_at: datetime | None, now: datetime) -> Freshness:
    if heard_at is None:
        return Freshness.NEVER
    age = now - heard_at
    if age < FRESH_FOR:
        return Freshness.FRESH
    return Freshness.FADING if age < FADING_FOR else Freshness.SILENT


def window_at(stop: Stop, at: datetime) -> Window | None:
    """The window that counts for an arrival at that moment: the first still open then, else the last of the day."""
    windows = sorted(stop.windows, key=lambda window: window.closes_at)
    return next((window for window in windows if window.closes_at >= at), windows[-1] if windows else None)


def expected(window: Window | None, eta: Eta | None, now: datetime) -> tuple[Punctuality, int | None]:
    """How an open stop will stand: the word, and the minutes that go with it.

    Late: minutes past the window's end, at least 1; a window that has closed by now is late whatever was expected.
    Otherwise minutes to the window's end, negative. None when there is nothing to measure against.
    """
    if window is not None and now > window.closes_at:
        arrives_at = now if eta is None else max(now, eta.p50)
        return Punctuality.LATE, minutes_past(arrives_at, window)
    if eta is None:
        return Punctuality.UNKNOWN, None
    if window is None:
        return Punctuality.ON_TIME, None
    if eta.p50 > window.closes_at:
        return Punctuality.LATE, minutes_past(eta.p50, window)
    word = Punctuality.TIGHT if eta.p90 > window.closes_at else Punctuality.ON_TIME
    return word, minutes_past(eta.p50, window)


def lived(window: Window | None, arrived_at: datetime | None) -> tuple[Punctuality, int | None]:
    """How a visited stop stood: its arrival against its window."""
    if window is None or arrived_at is None:
        return (Punctuality.UNKNOWN if arrived_at is None else Punctuality.ON_TIME), None
    word = Punctuality.LATE if arrived_at > window.closes_at else Punctuality.ON_TIME
    return word, minutes_past(arrived_at, window)


def worst(words: Iterable[Punctuality]) -> Punctuality:
    """The one that needs a dispatcher most; unknown when nothing is known."""
    found = set(words)
    return next((word for word in _WORST_FIRST if word in found), Punctuality.UNKNOWN)


def minutes_past(at: datetime, window: Window) -> int:
    """Whole minutes from the window's end, away from zero after it; negative before it."""
    minutes = (at - window.closes_at).total_seconds() / 60
    return math.ceil(minutes) if minutes > 0 else -math.floor(-minutes)
