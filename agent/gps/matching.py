"""Where on its way the van is, for the eye: the fix laid onto the line it follows, with hysteresis.

The van stays on its line until `offroute.py` says that it has left, which takes several fixes, and is on it again
only after as many that lie on it. Between two pieces that lie side by side the one that goes on from where the van was
wins, so that a way out and back is not mixed up. What is kept, sent and proven is the fix itself, never the point on
the line.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from agent.gps.line import Foot, Line
from agent.gps.motion import HEADING_FROM_MPS
from agent.gps.offroute import FIXES, OFF_M, Departure
from agent.gps.position import Position
from wire.events import TimesSource
from wire.geo import Place

BACK_M = 30.0
"""How far back along the line a fix may lie: its own noise."""
AHEAD_M = 60.0
"""How much farther on than its speed says."""


@dataclass
class Matcher:
    """Follows one line."""

    line: Sequence[Place]
    times: TimesSource
    asked_from: Place
    _is_on: bool = field(default=True, init=False)
    _fixes_near: int = field(default=0, init=False)
    _newest: datetime | None = field(default=None, init=False)
    _foot: Foot | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.departure = Departure(self.line, self.times, self.asked_from)
        self.way = Line(self.line) if self.times is TimesSource.ROADS and len(set(self.line)) > 1 else None

    def seen(self, position: Position) -> Foot | None:
        """The point of the line for this fix; None off it, and where the line is no road. A fix counts once."""
        if self.way is None or not position.quality.is_fresh:
            return None
        if position.fixed_at != self._newest:
            self._count(self.way, position)
        return self._foot if self._is_on else None

    def _count(self, way: Line, position: Position) -> None:
        before, self._newest = self._newest, position.fixed_at
        is_near = self.departure.is_near(position)
        if self.departure.is_off_at(position):
            self._is_on, self._fixes_near, self._foot = False, 0, None
            return
        self._fixes_near = self._fixes_near + 1 if is_near else 0
        self._is_on = self._is_on or self._fixes_near >= FIXES
        self._foot = _foot(way, position, self._foot, before)


def _foot(way: Line, position: Position, last: Foot | None, before: datetime | None) -> Foot | None:
    has_heading = position.speed_mps is not None and position.speed_mps >= HEADING_FROM_MPS
    heading_deg = position.heading_deg if has_heading else None
    if last is not None and before is not None:
        passed_s = max(0.0, (position.fixed_at - before).total_seconds())
        farthest_m = last.along_m + (position.speed_mps or 0.0) * passed_s + AHEAD_M
        onward = way.nearest(position.place, between_m=(last.along_m - BACK_M, farthest_m))
        if onward is not None and onward.off_m <= OFF_M[TimesSource.ROADS]:
            return onward
    return way.nearest(position.place, heading_deg=heading_deg) or way.nearest(position.place)
