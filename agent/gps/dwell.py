"""Coming to a place, standing there and leaving it, each counted once however the fixes jitter. Pure; domain time.

Two radii: a van has come when it stands within the inner one for a while, and has gone when it drove beyond the outer
one. In between nothing changes, so that a fix that hops over one line tells nothing.
"""

from datetime import timedelta

from agent.gps.position import Motion, Position
from wire.geo import Place, distance_m
from wire.model import Instant, Value

INNER_M = 60.0
"""A van parks where it can, not at the door: half a block."""
OUTER_M = 120.0
"""Twice the inner one: wider than a fix is off between tall houses, nearer than the next street but one."""
COME_AFTER = timedelta(seconds=20)
"""Of standing; what `motion.py` calls parked. A queue at a crossing is mostly shorter."""
GONE_AFTER = timedelta(seconds=5)
"""Beyond the outer radius: one fix that leaps out and back is not a departure."""
WORST_ERROR_M = 60.0
"""A fix that may be farther off than the inner radius says nothing about it."""


class Dwell(Value):
    """How the van stands to one place."""

    since: Instant | None = None
    """Since when it stands within the inner radius; stays while it is between the two."""
    has_come: bool = False
    beyond_since: Instant | None = None
    has_gone: bool = False
    """After it had come."""
    gone_at: Instant | None = None
    """When it was first seen to move away."""


def seen(
    dwell: Dwell, place: Place, position: Position | None, motion: Motion, come_after: timedelta = COME_AFTER
) -> Dwell:
    """The dwell after one more position; what is stale, estimated, unsettled or too vague changes nothing."""
    if dwell.has_gone or position is None or not tells(position):
        return dwell
    away_m, now = distance_m(position.place, place), position.fixed_at
    if away_m > OUTER_M and dwell.since is None:
        return Dwell()  # on its way
    if away_m > OUTER_M:
        beyond_since = dwell.beyond_since or now
        if now - beyond_since < GONE_AFTER and beyond_since <= now:
            return dwell.model_copy(update={"beyond_since": beyond_since})
        if dwell.has_come:
            return dwell.model_copy(update={"beyond_since": beyond_since, "has_gone": True, "gone_at": beyond_since})
        return Dwell()
    back = dwell if dwell.beyond_since is None else dwell.model_copy(update={"beyond_since": None})
    if back.has_come or away_m > INNER_M:
        return back
    if motion not in (Motion.HALTED, Motion.PARKED):
        # Creeping to a better place within the radius begins the wait anew; the speed says so, not the place.
        return back.model_copy(update={"since": None}) if motion is Motion.MOVING and back.since else back
    since = back.since if back.since is not None and back.since <= now else now
    return back.model_copy(update={"since": since, "has_come": now - since >= come_after})


def tells(position: Position) -> bool:
    """Whether anything may be done by itself because of this position."""
    return (
        position.quality.is_fresh
        and position.is_settled
        and (position.error_m is None or position.error_m <= WORST_ERROR_M)
    )
