"""Where the van would be by now, when its receiver is silent: on along its way at the speed it had. Pure.

Only for a van that drove along a way that is known; the farther it is reckoned the less it is worth, and at some point
nothing. The answer has the quality `estimated`: for the eye, never the ground for an arrival nor a proof's place.
"""

from datetime import timedelta

from agent.gps.line import Line
from agent.gps.motion import MOVING_FROM_MPS
from agent.gps.offroute import OFF_M
from agent.gps.position import Position
from wire.events import FixQuality, TimesSource

LONGEST_S = 180.0
SPEED_SPREAD = 0.85
"""Of the metres reckoned with the last speed, how many the van may really be away: 95 % of the windows of 60 s cut out
of the recorded drives lay within (`docs/gps.md`)."""
ODOMETER_SPREAD = 0.03
FIRST_ERROR_M = 10.0
"""Of a fix that did not say how good it is."""
WORST_ERROR_M = 500.0
"""A position worse than that is none."""


def reckoned(good: Position, way: Line | None, passed_s: float, driven_m: float | None = None) -> Position | None:
    """The estimate `passed_s` after the last believed fix; None when nothing can be said.

    `driven_m`: what the odometer says since then, when there is one.
    """
    if way is None or passed_s > LONGEST_S or good.speed_mps is None or not good.quality.is_fresh:
        return None
    if good.speed_mps < MOVING_FROM_MPS:
        return None  # it stood; where it went since, nobody knows
    foot = way.nearest(good.place, heading_deg=good.heading_deg)
    if foot is None or foot.off_m > OFF_M[TimesSource.ROADS]:
        return None
    metres, spread = (good.speed_mps * passed_s, SPEED_SPREAD) if driven_m is None else (driven_m, ODOMETER_SPREAD)
    error_m = (FIRST_ERROR_M if good.error_m is None else good.error_m) + foot.off_m + spread * metres
    if error_m > WORST_ERROR_M:
        return None
    now = way.at(foot.along_m + metres)
    return good.model_copy(
        update={
            "lat_deg": now.place.lat_deg,
            "lon_deg": now.place.lon_deg,
            "fixed_at": good.fixed_at + timedelta(seconds=passed_s),
            "quality": FixQuality.ESTIMATED,
            "error_m": error_m,
            "speed_mps": None,
            "heading_deg": now.heading_deg,
            "is_settled": False,
            "estimated_from": good.fixed_at,
        }
    )
