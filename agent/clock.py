"""What time it is in a van without a battery-backed clock: which source says so, and how sure that is.

    gps      three fixes agreed; from then on time runs by the monotonic clock, and no jump of the system's is followed
    system   no fix yet, and the system's clock can be true. Its jumps while we run are not followed and count as error
    none     the system's clock cannot be true (1970): time is guessed from the last known one, and what is said gets
             its date later, through the monotonic clock, when the time is known

`age_ms` is for retention and for how long something has waited: it never jumps and goes on over restarts. Time in which
the unit was off is added only when GPS has told both its ends, so it may be too little and is never too much.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from agent.gps.quality import EARLIEST, ROLLOVER
from host.clock import Clock, ClockMark, ClockSettings, Reading

TOLERANCE_MS = 2_000
"""Real milliseconds by which an honest system clock and GPS may differ: a fix takes its time to reach us."""
GPS_ERR_MS = 1_000
DRIFT = 1e-4
AGREEING_FIXES = 3
AGREEING_TO_MOVE = 30
"""To be believed against what earlier fixes said."""
_EARLIEST_MS = round(EARLIEST.timestamp() * 1000)
_LATEST_MS = round((EARLIEST + ROLLOVER).timestamp() * 1000)


@dataclass(frozen=True)
class Anchor:
    """The time at a moment of this boot, found out after other times had been given for it."""

    mono_ms: int
    wall_ms: int
    err_ms: int
    source: Literal["gps", "system"]


@dataclass(frozen=True)
class _Base:
    wall_ms: int
    mono_ms: int
    source: Literal["gps", "system"]

    def at(self, mono_ms: int) -> int:
        return self.wall_ms + mono_ms - self.mono_ms


def boot_time_s() -> float:
    """Seconds that go on while the unit sleeps, and never jump."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class VanClock(Clock):
    """Tell it what the store remembers (`begin`) and each believed fix (`heard_gps`)."""

    def __init__(
        self,
        settings: ClockSettings,
        system: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = boot_time_s,
    ) -> None:
        super().__init__(settings, system, monotonic)
        self._tolerance_ms = round(TOLERANCE_MS * self.rate)
        self._mark = ClockMark()
        self._gap_ms = 0
        self._base: _Base | None = None
        self._agreeing: list[int] = []
        self._has_guessed = False
        self._anchor: Anchor | None = None

    def begin(self, mark: ClockMark) -> None:
        """What an earlier life knew; call once, before the first reading."""
        self._mark = mark

    def now(self) -> datetime:
        return self.read().at

    def read(self) -> Reading:
        mono_ms, system_ms = self.mono_ms(), self._system_ms()
        base = self._base
        if base is None:
            return self._first_reading(mono_ms, system_ms)
        expected_ms = base.at(mono_ms)
        off_ms = abs(system_ms - expected_ms)
        if base.source == "gps":
            err_ms = round(GPS_ERR_MS * self.rate + DRIFT * (mono_ms - base.mono_ms))
            if off_ms <= self._tolerance_ms + err_ms:
                return _reading(system_ms, "gps", off_ms + err_ms)
            return _reading(expected_ms, "gps", err_ms)
        if off_ms <= self._tolerance_ms:
            self._base = _Base(system_ms, mono_ms, "system")  # follows a clock that is slewed, not one that jumps
            return _reading(system_ms, "system", None)
        return _reading(expected_ms, "system", off_ms)

    def heard_gps(self, fixed_at: datetime) -> None:
        """A believed fix came now. Fixes must agree with each other before the clock is set by them."""
        mono_ms = self.mono_ms()
        offset_ms = _ms(fixed_at) - mono_ms
        if self._agreeing and abs(offset_ms - self._agreeing[-1]) > self._tolerance_ms:
            self._agreeing.clear()
        self._agreeing = [*self._agreeing[1 - AGREEING_TO_MOVE :], offset_ms]
        base = self._base
        is_gps = base is not None and base.source == "gps"
        is_same = base is not None and abs(base.wall_ms - base.mono_ms - offset_ms) <= self._tolerance_ms
        if len(self._agreeing) < (AGREEING_TO_MOVE if is_gps and not is_same else AGREEING_FIXES):
            return
        # A fix is late by what it took to reach us, never early: of those that agree the latest is the nearest.
        wall_ms = mono_ms + max(self._agreeing[-AGREEING_FIXES:])
        if not is_same or self._has_guessed:
            self._found_out(Anchor(mono_ms, wall_ms, round(GPS_ERR_MS * self.rate), "gps"))
        self._base = _Base(wall_ms, mono_ms, "gps")
        if not is_gps and self._mark.sure_ms is not None:
            was_off_ms = wall_ms - self._mark.sure_ms - (self._mark.age_ms - self._mark.sure_age_ms) - mono_ms
            self._gap_ms = max(0, was_off_ms)

    def take_anchor(self) -> Anchor | None:
        """What was found out since the last call, once."""
        anchor, self._anchor = self._anchor, None
        return anchor

    def age_ms(self) -> int:
        return self._mark.age_ms + self._gap_ms + self.mono_ms()

    def mark(self) -> ClockMark:
        """For the store to remember."""
        age_ms, base = self.age_ms(), self._base
        if base is None or base.source != "gps":
            return replace(self._mark, age_ms=age_ms)
        return ClockMark(age_ms=age_ms, sure_ms=base.at(self.mono_ms()), sure_age_ms=age_ms)

    def _first_reading(self, mono_ms: int, system_ms: int) -> Reading:
        floor_ms = max(_EARLIEST_MS, self._mark.sure_ms or 0)
        if floor_ms - self._tolerance_ms <= system_ms < _LATEST_MS:
            self._base = _Base(system_ms, mono_ms, "system")
            if self._has_guessed:
                self._found_out(Anchor(mono_ms, system_ms, self._tolerance_ms, "system"))
            return _reading(system_ms, "system", None)
        self._has_guessed = True
        return _reading(floor_ms + mono_ms, "none", None)

    def _found_out(self, anchor: Anchor) -> None:
        self._anchor, self._has_guessed = anchor, False

    def _system_ms(self) -> int:
        return _ms(super().now())


def _reading(wall_ms: int, source: Literal["gps", "system", "none"], err_ms: int | None) -> Reading:
    return Reading(datetime.fromtimestamp(wall_ms / 1000, UTC), source, err_ms)


def _ms(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
