"""Whether the van has left the line it was given: decided by several fixes, never by one.

A receiver between tall houses is off by 15 m and more, and then half of its fixes lie nearer to another street than to
the one driven. So a fix counts as off only where it is farther from the line than its own error explains, or where the
van clearly drives another way than the line does; and the van is off once fixes in a row said so. Far off, two are
enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from agent.gps.position import Position
from wire.events import TimesSource
from wire.geo import Place, bearing_deg, distance_to_segment_m

OFF_M = {TimesSource.ROADS: 40.0, TimesSource.ESTIMATE: 250.0}
"""A van is never on a straight line: an estimate is left more seldom."""
FAR_M = {TimesSource.ROADS: 120.0, TimesSource.ESTIMATE: 750.0}
ASIDE_M = 12.0
"""Nearer than this the heading says nothing: the other lane, a forecourt, the noise of a fix."""
ASTRAY_DEG = 60.0
DRIVES_MPS = 3.0
"""Below this a receiver's heading is a guess."""
FIXES, FIXES_FAR = 3, 2
"""How many fixes in a row say off before the van is off, and how many when all of those are far."""


@dataclass
class Departure:
    """Watches one line. A line that begins away from the van (it stands in a yard) is left that much farther away."""

    line: Sequence[Place]
    times: TimesSource
    asked_from: Place
    """Where the van was when the line was asked for."""
    _fixes_off: int = field(default=0, init=False)
    _fixes_far: int = field(default=0, init=False)
    _newest: datetime | None = field(default=None, init=False)

    def is_off_at(self, position: Position) -> bool:
        """True once the van has left the line. A fix counts once, however often it is shown."""
        if len(self.line) < 2:
            return False
        if position.fixed_at != self._newest:
            self._newest = position.fixed_at
            self._count(position)
        return self._fixes_off >= FIXES or self._fixes_far >= FIXES_FAR

    def is_near(self, position: Position) -> bool:
        """Whether this one fix lies on the line, as far as it can tell."""
        away_m = min((away_m for away_m, _, _ in self._pieces(position.place)), default=float("inf"))
        return away_m <= OFF_M[self.times]

    def _count(self, position: Position) -> None:
        pieces = self._pieces(position.place)
        distance_m = min(away_m for away_m, _, _ in pieces)
        began_off_m = min(away_m for away_m, _, _ in self._pieces(self.asked_from))
        beyond_m = distance_m - began_off_m - (position.error_m or 0.0)
        near = [(a, b) for away_m, a, b in pieces if away_m <= distance_m + ASIDE_M]  # out and back is two ways
        is_astray = (
            self.times is TimesSource.ROADS
            and distance_m > ASIDE_M
            and not any(_goes_along(position, a, b) for a, b in near)
        )
        self._fixes_off = self._fixes_off + 1 if is_astray or beyond_m > OFF_M[self.times] else 0
        self._fixes_far = self._fixes_far + 1 if beyond_m > FAR_M[self.times] else 0

    def _pieces(self, here: Place) -> list[tuple[float, Place, Place]]:
        return [(distance_to_segment_m(here, a, b), a, b) for a, b in pairwise(self.line)]


def _goes_along(position: Position, a: Place, b: Place) -> bool:
    """True as well where nobody knows: standing, without a heading, on a piece without a length."""
    if position.heading_deg is None or (position.speed_mps or 0.0) < DRIVES_MPS or a == b:
        return True
    apart_deg = abs(position.heading_deg - bearing_deg(a, b)) % 360
    return min(apart_deg, 360 - apart_deg) <= ASTRAY_DEG
