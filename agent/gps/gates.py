"""Whether a van can have got from one place to another, by two signals that know nothing of each other. Pure.

A receiver works out the place from how far the satellites are and the speed from the Doppler shift of their signals:
what bends the one (a reflection, a wrong satellite) seldom bends the other the same way. So a step is believed only
when the speeds at both its ends explain it.

    farthest = JITTER_M + min(STEP_LIMIT_MPS * t, (v0 + v1) / 2 * t + ACCELERATION_MPS2 * t^2 / 4)

The second term is the way of a van that speeds up at the pace given until half-time and brakes at it from there on. It
grows with the time between the fixes, so a tunnel needs no exception. Where a speed is missing only the first holds.

A `Stretch` looks at the last seconds together: many steps, each small enough, that lead away faster than the van says
it drives; and a place that stands still while the speed says it drives.
"""

from dataclasses import dataclass, replace

from agent.gps.position import Position
from wire.geo import distance_m

STEP_LIMIT_MPS = 60.0
"""216 km/h: no van."""
JITTER_M = 30.0
"""How far two honest fixes of a standing van may lie apart."""
ACCELERATION_MPS2 = 4.0
"""Between what a loaded van speeds up at (about 3) and brakes at (about 8): up and down together they come to this."""

STRETCH_S = 10.0
SPEED_ERROR = 1.25
"""By how much a receiver's speed may fall short over a stretch."""
LONGEST_PAUSE_S = 3.0
"""Over a longer one nobody knows how fast the van went."""
DRIVES_MPS = 8 / 3.6
"""A slower speed may be noise, and is no claim to have moved."""
STILL_WITHIN_M = 3.0
CLAIMED_STILL_M = 40.0
"""So far by its speed, and still where it was: one of the two is wrong."""


def passed_s(before: Position, after: Position) -> float:
    """Seconds from one fix to the next, by their own times."""
    return (after.fixed_at - before.fixed_at).total_seconds()


def farthest_m(before: Position, after: Position) -> float:
    """How far apart the two may lie in the time between them; negative when there was none."""
    time_s = passed_s(before, after)
    if time_s <= 0:
        return -1.0
    limit_m = STEP_LIMIT_MPS * time_s
    if before.speed_mps is not None and after.speed_mps is not None:
        driven_m = (before.speed_mps + after.speed_mps) / 2 * time_s
        limit_m = min(limit_m, driven_m + ACCELERATION_MPS2 * time_s * time_s / 4)
    return JITTER_M + limit_m


def can_follow(before: Position, after: Position) -> bool:
    """Whether a van at the one place can be at the other when it says so."""
    return distance_m(before.place, after.place) <= farthest_m(before, after)


@dataclass(frozen=True)
class Stretch:
    """The last seconds of a track: where they began, and how far the van says it has come since."""

    began: Position
    newest: Position
    claimed_m: float = 0.0
    still: Position | None = None
    """Since when the place has not changed."""
    claimed_still_m: float = 0.0

    def moved_on(self, to: Position) -> "Stretch":
        """The stretch with one more fix."""
        time_s = passed_s(self.newest, to)
        speeds = (self.newest.speed_mps, to.speed_mps)
        if not 0 < time_s <= LONGEST_PAUSE_S or speeds[0] is None or speeds[1] is None:
            return Stretch(to, to, still=to)
        step_m = (speeds[0] + speeds[1]) / 2 * time_s
        still = self.still or self.began
        claimed_still_m = self.claimed_still_m + step_m
        if distance_m(still.place, to.place) > STILL_WITHIN_M or min(speeds[0], speeds[1]) < DRIVES_MPS:
            still, claimed_still_m = to, 0.0
        if passed_s(self.began, to) > STRETCH_S:
            return Stretch(to, to, 0.0, still, claimed_still_m)
        return replace(self, newest=to, claimed_m=self.claimed_m + step_m, still=still, claimed_still_m=claimed_still_m)

    @property
    def runs_away(self) -> bool:
        """It came farther than its speeds say."""
        apart_m = distance_m(self.began.place, self.newest.place)
        return apart_m > JITTER_M + SPEED_ERROR * self.claimed_m + ACCELERATION_MPS2

    @property
    def stands_still(self) -> bool:
        """It says that it drives, and is where it was."""
        return self.claimed_still_m > CLAIMED_STILL_M
