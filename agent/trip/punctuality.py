"""How a stop stands against its window, in the five words the screens use. Pure."""

import math
from datetime import datetime
from enum import StrEnum

from wire.events import Eta
from wire.manifest import Stop, Window

EARLY_FROM_MIN = 2
"""Less than this ahead of the plan is not worth a driver's look."""


class Punctuality(StrEnum):
    """How a stop stands against its window. Tight: the range passes the window's end, the expected time does not."""

    UNKNOWN = "unknown"
    EARLY = "early"
    ON_TIME = "on_time"
    TIGHT = "tight"
    LATE = "late"


def window_at(stop: Stop, instant: datetime) -> Window | None:
    """The window that counts for an arrival at `instant`: the first still open then, else the last one of the day."""
    windows = sorted(stop.windows, key=lambda window: window.closes_at)
    return next((window for window in windows if window.closes_at >= instant), windows[-1] if windows else None)


def lateness_s(stop: Stop, arrive_at: datetime) -> float:
    """Seconds past the end of the window that counts; 0 in time or without a window."""
    window = window_at(stop, arrive_at)
    return 0.0 if window is None else max(0.0, (arrive_at - window.closes_at).total_seconds())


def punctuality(window: Window | None, eta: Eta | None, planned_at: datetime | None = None) -> Punctuality:
    """The word for an expected arrival. `planned_at` is the plan's own arrival: early means ahead of it."""
    if eta is None:
        return Punctuality.UNKNOWN
    if window is not None and eta.p50 > window.closes_at:
        return Punctuality.LATE
    if window is not None and eta.p90 > window.closes_at:
        return Punctuality.TIGHT
    return Punctuality.EARLY if _ahead_min(eta, planned_at) >= EARLY_FROM_MIN else Punctuality.ON_TIME


def minutes_off(window: Window | None, eta: Eta | None, planned_at: datetime | None = None) -> int | None:
    """The number that goes with the word.

    Late: minutes past the window's end, at least 1. Early: minutes ahead of the plan, negative. Otherwise the minutes
    left to the window's end, negative. None when there is nothing to measure against.
    """
    word = punctuality(window, eta, planned_at)
    if eta is None or word is Punctuality.UNKNOWN:
        return None
    if word is Punctuality.EARLY:
        return -_ahead_min(eta, planned_at)
    if window is None:
        return None
    off_min = (eta.p50 - window.closes_at).total_seconds() / 60
    return math.ceil(off_min) if off_min > 0 else -math.floor(-off_min)


def _ahead_min(eta: Eta, planned_at: datetime | None) -> int:
    return 0 if planned_at is None else math.floor((planned_at - eta.p50).total_seconds() / 60)
