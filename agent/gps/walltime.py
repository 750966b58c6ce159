"""How far the time of our records may be trusted: satellites know the time, a van's computer may have forgotten it.

The computer's clock stays what it is; each record says what it was checked against and how far off it was. Pure.
"""

from datetime import datetime
from typing import Literal, NamedTuple

from agent.gps.position import Position
from agent.gps.quality import EARLIEST

AGREES_WITHIN_S = 2.0
"""A fix is that long on its way from the receiver to us, at most; in a simulation, times its rate."""


class WallTime(NamedTuple):
    """`source`: gps when a fix confirmed the clock, none when it was plainly never set, else system."""

    source: Literal["gps", "system", "none"] = "system"
    err_ms: int | None = None
    """How far from the newest fix the clock was; None before the first one."""


def measured_off_s(position: Position | None, now: datetime) -> float | None:
    """Seconds by which our clock differs from a fresh fix; None without one."""
    if position is None or not position.quality.is_fresh:
        return None
    return abs((now - position.fixed_at).total_seconds())


def wall_time(now: datetime, off_s: float | None, rate: float = 1.0) -> WallTime:
    """What to say of `now`, when the newest fix was `off_s` seconds away from it as it came."""
    err_ms = None if off_s is None else round(off_s * 1000)
    if off_s is not None and off_s <= AGREES_WITHIN_S * rate:
        return WallTime("gps", err_ms)
    return WallTime("none" if now < EARLIEST else "system", err_ms)
