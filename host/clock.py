"""Two kinds of time. Domain time is what the day is lived in and may run fast in a simulation; timers of links,
solvers and TLS use the event loop's own time and never pass through here.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, Self

from pydantic import Field, model_validator

from wire.model import Instant, Value


class ClockSettings(Value):
    """Where domain time starts and how fast it runs.

    Without `origin` domain time is the system's. With it, domain time is `origin` when the system clock shows
    `system_origin_s` (Unix seconds), and runs at `rate` from there: every process given the same settings agrees,
    also one that is restarted.
    """

    origin: Instant | None = None
    system_origin_s: float | None = None
    rate: float = Field(default=1.0, gt=0, le=120)

    @model_validator(mode="after")
    def origins_together(self) -> Self:
        if (self.origin is None) != (self.system_origin_s is None):
            raise ValueError("origin and system_origin_s go together")
        if self.origin is None and self.rate != 1.0:
            raise ValueError("a rate other than 1 needs an origin")
        return self


@dataclass(frozen=True)
class Reading:
    """A time, where it comes from, and by how much it may be wrong (None: nobody knows)."""

    at: datetime
    source: Literal["gps", "system", "none"]
    err_ms: int | None = None

    @property
    def is_trusted(self) -> bool:
        """Good enough to let something expire by it."""
        return self.source == "gps" or (self.source == "system" and self.err_ms is None)


@dataclass(frozen=True)
class ClockMark:
    """What a store remembers of time from step to step."""

    age_ms: int = 0
    sure_ms: int | None = None
    """The time by GPS (Unix ms), when it was last known ..."""
    sure_age_ms: int = 0
    """... and the age then."""


class Clock:
    """Domain time for the shells; core rooms get `now` as an argument."""

    def __init__(
        self,
        settings: ClockSettings,
        system: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate = settings.rate
        self._settings = settings
        self._system = system
        self._monotonic = monotonic
        self._started = monotonic()

    def now(self) -> datetime:
        """Domain time, aware, in UTC."""
        if self._settings.origin is None or self._settings.system_origin_s is None:
            return datetime.fromtimestamp(self._system(), UTC)
        lived_s = (self._system() - self._settings.system_origin_s) * self.rate
        return self._settings.origin.astimezone(UTC) + timedelta(seconds=lived_s)

    def mono_ms(self) -> int:
        """Domain milliseconds since this clock was made; never jumps."""
        return int((self._monotonic() - self._started) * self.rate * 1000)

    def read(self) -> Reading:
        """Domain time, and how far to trust it."""
        return Reading(self.now(), "system")

    def age_ms(self) -> int:
        """Domain milliseconds for ages and retention; never jumps, and grows over restarts where that is known."""
        return self.mono_ms()

    def mark(self) -> ClockMark:
        """For a store to remember."""
        return ClockMark(age_ms=self.age_ms())

    def real_s(self, domain_s: float) -> float:
        """How long to sleep for that many seconds of domain time to pass."""
        return domain_s / self.rate
