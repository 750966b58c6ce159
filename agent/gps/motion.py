"""Whether the van moves, with hysteresis, and which way it points. Pure; times are the fixes' own (domain time).

    moving   from 8 km/h
    halted   after 3 s under 1 m/s
    parked   after 20 s under 1 m/s
    unknown  without a fresh position or without a speed; counts as moving wherever the driver's attention is at stake

Between the two speeds the van stays what it was, so that creeping in a queue does not flicker.
"""

from dataclasses import dataclass
from datetime import datetime

from agent.gps.position import Motion, Position

MOVING_FROM_MPS = 8 / 3.6
STANDING_BELOW_MPS = 1.0
HALTED_AFTER_S = 3.0
PARKED_AFTER_S = 20.0
HEADING_FROM_MPS = 1.5
"""Below this a receiver's heading is noise."""


@dataclass(frozen=True)
class Movement:
    """How the van moves now, and what is needed to judge the next position."""

    motion: Motion = Motion.UNKNOWN
    standing_since: datetime | None = None
    heading_deg: float | None = None
    """The last heading taken at speed."""


def moved_on(before: Movement, position: Position | None) -> Movement:
    """The movement after a position we believe, or after there is none."""
    if position is None or not position.quality.is_fresh or position.speed_mps is None:
        return Movement(heading_deg=before.heading_deg)
    heading_deg = before.heading_deg
    if position.speed_mps >= HEADING_FROM_MPS and position.heading_deg is not None:
        heading_deg = position.heading_deg
    if position.speed_mps >= MOVING_FROM_MPS:
        return Movement(Motion.MOVING, None, heading_deg)
    if position.speed_mps >= STANDING_BELOW_MPS:
        return Movement(before.motion, None, heading_deg)
    since = before.standing_since
    if since is None or since > position.fixed_at:  # the receiver's clock was set back
        since = position.fixed_at
    stood_s = (position.fixed_at - since).total_seconds()
    motion = before.motion
    if stood_s >= PARKED_AFTER_S:
        motion = Motion.PARKED
    elif stood_s >= HALTED_AFTER_S and motion is not Motion.PARKED:
        motion = Motion.HALTED
    return Movement(motion, since, heading_deg)


def with_heading(position: Position, movement: Movement) -> Position:
    """The position with the heading held while the van stands; None when none was ever taken at speed."""
    is_slow = position.speed_mps is not None and position.speed_mps < HEADING_FROM_MPS
    return position.model_copy(update={"heading_deg": movement.heading_deg}) if is_slow else position
