"""From what a receiver says to a position we believe. Pure: the same fixes at the same seconds give the same answer.

Two clocks meet here and are kept apart. Whether the receiver still speaks is judged by real, monotonic seconds
(`mono_s`); whether the van could have got from one fix to the next is judged by the fixes' own times, which run fast in
a simulation.

The rules: a fix needs mode 2 or 3, finite coordinates in range, and not 0,0 (which means "no data"). It must be
reachable from the last believed one, and the last seconds together must agree with the speeds (`gates.py`). A place
that is not reachable is believed once three fixes in a row agree on it; the place that was left for it is not forgotten
at once, and two fixes that go on from there bring it back, so that a cluster of bad fixes does not keep what it caught.
For a while after such a leap, and at a start, the position is marked as not settled: nothing is done by itself for it.
The last position is called stale after 3 s without a new believed fix, and is given up after 10 s.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from agent.gps.gates import Stretch, can_follow, passed_s
from agent.gps.gpsd import RawFix
from agent.gps.position import Position
from agent.gps.vehicle import VehicleSaid
from wire.events import FixQuality

STALE_AFTER_S = 3.0
LOST_AFTER_S = 10.0
AGREEING_FIXES = 3
RETURNING_FIXES = 2
"""To go back to the place that was left."""
LEFT_FOR_S = 60.0
"""How long the place that was left is remembered, by the times of the fixes."""
SETTLED_AFTER_S = 10.0
SETTLED_AFTER_A_LEAP_S = 120.0
"""Longer than a reflection or a jammer at a crossing holds a receiver."""
BEGINS_ANEW_AFTER_S = 60.0
"""After a longer silence nearly every place can be reached: the first fix is one as at a start."""
FASTEST_MPS = 100.0
EARLIEST = datetime(2025, 1, 1, tzinfo=UTC)
"""Before the first release; a date before it is a receiver whose week counter rolled over."""
ROLLOVER = timedelta(weeks=1024)
GPS_BEGAN = datetime(1980, 1, 6, tzinfo=UTC)
"""Week 0: no counter that rolled over can say an earlier date."""


class Refused(StrEnum):
    """Why a fix was not believed."""

    NO_FIX = "the receiver has no fix"
    NO_PLACE = "latitude or longitude is missing"
    NOT_FINITE = "latitude or longitude is no number"
    OUT_OF_RANGE = "latitude or longitude is off the Earth"
    NULL_ISLAND = "0,0 means no data"
    BAD_TIME = "the date is decades ahead, or before there was GPS"
    OLD_TIME = "not newer than the fix before"
    JUMP = "too far from the fix before"
    RUNS_AWAY = "moves faster than its speed"
    STANDS_STILL = "drives by its speed, and stays where it was"
    AGAIN = "the fix before, said again"
    """Ages like silence, and is not counted."""


@dataclass(frozen=True)
class Belief:
    """What is believed now, and what is needed to judge the next fix."""

    position: Position | None = None
    """The last believed fix, marked stale when it is; None when there never was one or it is lost."""
    good: Position | None = None
    """The last believed fix, however long ago: the next one is measured against it."""
    heard_at_s: float = 0.0
    """Monotonic seconds at which `good` came."""
    doubtful: tuple[Position, ...] = ()
    """Unreachable fixes in a row which agree with each other."""
    stretch: Stretch | None = None
    left: Position | None = None
    """The last fix believed before the place was believed to be another."""
    settled_at: datetime | None = None
    """From when on a position is settled, if the fixes go on from each other until then."""
    leaps: int = 0
    """How often the place was believed to be another without the van having driven there."""
    verdict: Refused | None = None
    """On the last fix heard; None when it was believed."""
    refused: Mapping[Refused, int] = field(default_factory=dict)
    """How many fixes were not believed, by reason."""


def judged(
    belief: Belief,
    fix: RawFix | None,
    mono_s: float,
    earliest: datetime = EARLIEST,
    vehicle: VehicleSaid | None = None,
) -> Belief:
    """The belief after a fix, or after a moment of silence (None), at `mono_s` monotonic seconds.

    `vehicle`: what the wheels say at this moment; their speed stands for the receiver's.
    """
    if fix is not None:
        belief = _heard(belief, fix, mono_s, earliest, vehicle)
    return replace(belief, position=_aged(belief, mono_s))


def unrolled(time: datetime, earliest: datetime = EARLIEST) -> datetime:
    """The date a receiver means whose 10-bit week counter rolled over: moved on by 1024 weeks until it can be true."""
    while time < earliest:
        time += ROLLOVER
    return time


def _heard(belief: Belief, fix: RawFix, mono_s: float, earliest: datetime, vehicle: VehicleSaid | None) -> Belief:
    read = _position(fix, earliest, vehicle)
    if isinstance(read, Refused):
        return _refused(belief, read)
    if belief.good is None:
        return _believed_anew(belief, read, mono_s)
    if read.fixed_at == belief.good.fixed_at:
        return replace(belief, good=_filled(belief.good, read), verdict=Refused.AGAIN)
    why = _doubt(belief, belief.good, read)
    if why is None:
        return _believed(belief, read, mono_s)
    if why is Refused.STANDS_STILL:
        return replace(_refused(belief, why), stretch=_stretch(belief, read))  # more of the same proves nothing
    doubtful: tuple[Position, ...] = (read,)
    if belief.doubtful:
        if read.fixed_at == belief.doubtful[-1].fixed_at:
            return replace(belief, verdict=Refused.AGAIN)
        if can_follow(belief.doubtful[-1], read):
            doubtful = (*belief.doubtful, read)
    if len(doubtful) >= RETURNING_FIXES and belief.left is not None and _goes_on_from(belief.left, doubtful):
        return replace(_believed_anew(belief, read, mono_s), left=None, leaps=belief.leaps + 1)
    if len(doubtful) >= AGREEING_FIXES:
        left = belief.good if why is Refused.JUMP else None
        leapt = _believed_anew(belief, read, mono_s, SETTLED_AFTER_A_LEAP_S)
        return replace(leapt, left=left, leaps=belief.leaps + 1)
    return replace(_refused(belief, why), doubtful=doubtful)


def _filled(good: Position, again: Position) -> Position:
    """The fix with the speed or heading that only its second telling has: gpsd tells an epoch twice while it learns."""
    if again.place != good.place:
        return good
    speed_mps = again.speed_mps if good.speed_mps is None else good.speed_mps
    heading_deg = again.heading_deg if good.heading_deg is None else good.heading_deg
    if (speed_mps, heading_deg) == (good.speed_mps, good.heading_deg):
        return good
    return good.model_copy(update={"speed_mps": speed_mps, "heading_deg": heading_deg})


def _doubt(belief: Belief, good: Position, read: Position) -> Refused | None:
    """Why a fix does not go on from the ones before; None when it does."""
    if read.fixed_at < good.fixed_at:
        return Refused.OLD_TIME
    if not can_follow(good, read):
        return Refused.JUMP
    stretch = _stretch(belief, read)
    if stretch.stands_still:
        return Refused.STANDS_STILL
    return Refused.RUNS_AWAY if stretch.runs_away else None


def _stretch(belief: Belief, read: Position) -> Stretch:
    return Stretch(read, read) if belief.stretch is None else belief.stretch.moved_on(read)


def _goes_on_from(left: Position, doubtful: tuple[Position, ...]) -> bool:
    return passed_s(left, doubtful[-1]) <= LEFT_FOR_S and all(can_follow(left, one) for one in doubtful)


def _believed(belief: Belief, position: Position, mono_s: float) -> Belief:
    """Goes on from the fix before."""
    assert belief.good is not None
    settled_at = belief.settled_at or position.fixed_at
    if passed_s(belief.good, position) > BEGINS_ANEW_AFTER_S:
        settled_at = max(settled_at, position.fixed_at + timedelta(seconds=SETTLED_AFTER_S))
    is_settled = position.fixed_at >= settled_at
    return replace(
        belief,
        good=position if is_settled else position.model_copy(update={"is_settled": False}),
        heard_at_s=mono_s,
        doubtful=(),
        stretch=_stretch(belief, position),
        settled_at=settled_at,
        verdict=None,
    )


def _believed_anew(
    belief: Belief, position: Position, mono_s: float, settled_after_s: float = SETTLED_AFTER_S
) -> Belief:
    """Begins a track of its own."""
    return replace(
        belief,
        good=position.model_copy(update={"is_settled": False}),
        heard_at_s=mono_s,
        doubtful=(),
        stretch=Stretch(position, position),
        settled_at=position.fixed_at + timedelta(seconds=settled_after_s),
        verdict=None,
    )


def _refused(belief: Belief, why: Refused) -> Belief:
    counts = {**belief.refused, why: belief.refused.get(why, 0) + 1}
    return replace(belief, refused=counts, verdict=why)


def _aged(belief: Belief, mono_s: float) -> Position | None:
    if belief.good is None:
        return None
    silent_s = mono_s - belief.heard_at_s
    if silent_s > LOST_AFTER_S:
        return None
    return belief.good.model_copy(update={"quality": FixQuality.STALE}) if silent_s > STALE_AFTER_S else belief.good


def _position(fix: RawFix, earliest: datetime, vehicle: VehicleSaid | None) -> Position | Refused:
    """The fix as a position with everything doubtful left out, or why it is none."""
    if fix.mode < 2:
        return Refused.NO_FIX
    if fix.lat_deg is None or fix.lon_deg is None:
        return Refused.NO_PLACE
    if not (math.isfinite(fix.lat_deg) and math.isfinite(fix.lon_deg)):
        return Refused.NOT_FINITE
    if abs(fix.lat_deg) > 90 or abs(fix.lon_deg) > 180:
        return Refused.OUT_OF_RANGE
    if fix.lat_deg == 0 and fix.lon_deg == 0:
        return Refused.NULL_ISLAND
    fixed_at = unrolled(fix.time, earliest)
    if fix.time < GPS_BEGAN or fixed_at >= earliest + ROLLOVER:
        return Refused.BAD_TIME
    speed_mps = fix.speed_mps if vehicle is None or vehicle.speed_mps is None else vehicle.speed_mps
    return Position(
        lat_deg=fix.lat_deg,
        lon_deg=fix.lon_deg,
        fixed_at=fixed_at,
        quality=FixQuality.FIX_2D if fix.mode == 2 else FixQuality.FIX_3D,
        error_m=_within(fix.eph_m, math.inf),
        speed_mps=_within(speed_mps, FASTEST_MPS),
        heading_deg=_heading(fix.track_deg),
    )


def _within(value: float | None, highest: float) -> float | None:
    return value if value is not None and math.isfinite(value) and 0 <= value <= highest else None


def _heading(track_deg: float | None) -> float | None:
    if track_deg is None or not math.isfinite(track_deg):
        return None
    return track_deg % 360.0 % 360.0  # twice: -1e-15 % 360 is 360.0
