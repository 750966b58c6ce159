"""The clock floor: a moment that has certainly passed, whatever our own clock says. Pure.

A Pi without a battery for its clock boots in 1970, finds every certificate "not yet valid", and could never connect to
learn the time. We may not set the system's clock, so TLS is told not to look at it (`agent/identity/tls.py`), and dates
are judged here instead:

- that a certificate has begun needs no proof: the authority signed it, and it signs nothing in advance;
- a certificate is over when its end lies before the floor. The floor rises with every server we meet, so a van that
  was online yesterday takes no certificate that ended the day before;
- our own clock raises the floor only as far as a certificate of the authority agrees with it. A clock that jumped
  twenty years ahead locks nothing out.

What time it is, is another question, and `agent/clock.py` answers it; its answer, GPS's where there is one, is the
clock meant here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from agent.gps.quality import EARLIEST


class ServerTooOldError(ValueError):
    """The server shows a certificate whose time is certainly over."""


@dataclass(frozen=True)
class Life:
    """When a certificate begins and ends."""

    begins_at: datetime
    ends_at: datetime

    def holds(self, now: datetime) -> bool:
        return self.begins_at <= now <= self.ends_at


def floor(kept: datetime | None, certificates: Iterable[Life]) -> datetime:
    """The latest moment we have proof of: the first release, what was kept, and when our own certificates began."""
    return max([EARLIEST, *([kept] if kept else []), *(life.begins_at for life in certificates)])


def judge(server: Life, floor_at: datetime) -> None:
    """Raises ServerTooOldError."""
    if server.ends_at < floor_at:
        raise ServerTooOldError(
            f"the server's certificate ended on {server.ends_at:%Y-%m-%d %H:%M} UTC, "
            f"and it is {floor_at:%Y-%m-%d %H:%M} at least"
        )


def risen(floor_at: datetime, server: Life, clock: datetime) -> datetime:
    """The floor after a server was met, or answered again, while our own clock showed `clock`."""
    return max(floor_at, server.begins_at, clock if server.holds(clock) else floor_at)


def is_renewal_due(own: Life, clock: datetime, floor_at: datetime) -> bool:
    """At two thirds of its life; a clock that runs ahead only renews early."""
    return max(clock, floor_at) >= own.begins_at + (own.ends_at - own.begins_at) * 2 / 3
