"""A recorded drive through the same judge as a live one: what was believed, what was not and why. Pure: the same log
gives the same report, byte for byte.

A step is the straight line from one believed fix to the next. Where the van was believed to be elsewhere without having
driven there (`Belief.leaps`), a track ends and another begins: that line is told apart and is no step.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from agent.gps.dwell import COME_AFTER, Dwell, seen
from agent.gps.gpsd import RawFix
from agent.gps.nmea import Epoch
from agent.gps.observer import Observer
from agent.gps.position import Motion, Position
from agent.gps.quality import EARLIEST, GPS_BEGAN, Refused
from wire.geo import distance_m

TICK_S = 1.0
"""How often a live receiver says that it hears nothing."""
LONGEST_TICKING_S = 600.0
"""After so long nothing more changes."""


@dataclass(frozen=True)
class Judged:
    """What became of one epoch."""

    line: int
    fix: RawFix | None
    position: Position | None
    """Where the van was believed to be, if this fix was believed."""
    why: Refused | None
    is_leap: bool = False


@dataclass(frozen=True)
class Halt:
    """The van came to a place and stood there."""

    position: Position
    came_at: datetime
    left_at: datetime | None


@dataclass(frozen=True)
class Step:
    """From one believed fix to the next."""

    metres: float
    seconds: float
    line: int
    """Where it ends."""


@dataclass
class Drive:
    """A whole log, judged."""

    judged: list[Judged] = field(default_factory=list)
    halts: list[Halt] = field(default_factory=list)

    @property
    def accepted(self) -> list[Judged]:
        return [one for one in self.judged if one.position is not None]

    @property
    def refused(self) -> dict[Refused, int]:
        counts: dict[Refused, int] = {}
        for one in self.judged:
            if one.why is not None:
                counts[one.why] = counts.get(one.why, 0) + 1
        return counts

    def steps(self) -> Iterator[Step]:
        """Those that were driven."""
        for before, after in pairwise(self.accepted):
            if not after.is_leap:
                yield _step(before, after)

    def leaps(self) -> Iterator[Step]:
        """Where a track ended and another began."""
        for before, after in pairwise(self.accepted):
            if after.is_leap:
                yield _step(before, after)

    def longest_refusal_s(self) -> float:
        """The longest time in which the receiver had places to tell and none was believed, by the fixes' own times."""
        longest_s, since = 0.0, None
        for one in self.judged:
            if one.fix is None or one.why in (Refused.NO_FIX, Refused.AGAIN):
                continue
            if one.why is None:
                longest_s = max(longest_s, (one.fix.time - since).total_seconds() if since else 0.0)
                since = None
            else:
                since = since or one.fix.time
                longest_s = max(longest_s, (one.fix.time - since).total_seconds())
        return longest_s


def replayed(epochs: Sequence[Epoch], come_after: timedelta = COME_AFTER) -> Drive:
    """The drive in a log. Seconds of silence pass as the fixes' own times say, as they would for a live receiver.

    A log is as old as it is: one that begins before our first release is not moved on by 1024 weeks.
    """
    began = next((epoch.fix.time for epoch in epochs if epoch.fix is not None), EARLIEST)
    earliest = min(EARLIEST, began - timedelta(days=1)) if began > GPS_BEGAN else EARLIEST
    observer, drive, standing = Observer(earliest), Drive(), _Standing(come_after)
    mono_s, before = 0.0, None
    for epoch in epochs:
        fix = epoch.fix
        pause_s = 0.0 if fix is None or before is None else max(0.0, (fix.time - before).total_seconds())
        _wait(observer, mono_s, pause_s)
        mono_s += pause_s
        before = before if fix is None else fix.time
        leaps, good = observer.belief.leaps, observer.belief.good
        motion = observer.observe(fix, mono_s).motion
        belief = observer.belief
        why = Refused.NO_FIX if fix is None else belief.verdict
        position = belief.good if why is None else None
        is_leap = good is not None and belief.leaps > leaps
        drive.judged.append(Judged(epoch.line, fix, position, why, is_leap))
        standing.hear(position, motion)
    drive.halts = standing.ended()
    return drive


def lines(drive: Drive, damaged: int) -> Iterator[str]:
    """The report: what was refused and where, the halts, and the sums on the last line."""
    for why, count in sorted(drive.refused.items()):
        where = [one.line for one in drive.judged if one.why is why]
        told = ", ".join(map(str, where[:5])) + (", ..." if len(where) > 5 else "")
        yield f"refused {count}: {why} (line {told})"
    if damaged:
        yield f"damaged sentences: {damaged}"
    for leap in drive.leaps():
        yield f"begun anew at line {leap.line}: {leap.metres:.1f} m away after {leap.seconds:.1f} s, not driven"
    for halt in drive.halts:
        place = halt.position
        left = f"left {halt.left_at:%H:%M:%S}" if halt.left_at else "still there at the end"
        yield f"arrived {halt.came_at:%Y-%m-%d %H:%M:%S} at {place.lat_deg:.5f},{place.lon_deg:.5f}, {left}"
    steps = list(drive.steps())
    largest = max(steps, key=lambda step: step.metres, default=None)
    fastest = max(steps, key=lambda step: step.metres / step.seconds, default=None)
    if largest is not None and fastest is not None:
        yield f"largest step: {largest.metres:.1f} m in {largest.seconds:.1f} s (line {largest.line})"
        metres, seconds = fastest.metres, fastest.seconds
        yield f"fastest step: {metres / seconds:.1f} m/s, {metres:.1f} m in {seconds:.1f} s (line {fastest.line})"
    yield f"longest time with places and none believed: {drive.longest_refusal_s():.1f} s"
    yield f"arrivals: {len(drive.halts)}"
    fixes, accepted = len(drive.judged), len(drive.accepted)
    distance = sum(step.metres for step in steps)
    yield (
        f"fixes={fixes} accepted={accepted} refused={fixes - accepted} "
        f"distance_m={distance:.1f} largest_step_m={largest.metres if largest else 0.0:.1f}"
    )


class _Standing:
    """Finds the places where the van stood, without knowing of any."""

    def __init__(self, come_after: timedelta) -> None:
        self._come_after = come_after
        self._at: Position | None = None
        self._dwell = Dwell()
        self._halts: list[Halt] = []

    def hear(self, position: Position | None, motion: Motion) -> None:
        if position is None:
            return
        if self._at is None:
            if motion in (Motion.HALTED, Motion.PARKED):
                self._at, self._dwell = position, Dwell()
            else:
                return
        self._dwell = seen(self._dwell, self._at.place, position, motion, self._come_after)
        if self._dwell.has_gone:
            self._note()
            self._at = None
        elif not self._dwell.has_come and motion is Motion.MOVING:
            self._at = None

    def ended(self) -> list[Halt]:
        if self._at is not None and self._dwell.has_come:
            self._note()
        return self._halts

    def _note(self) -> None:
        assert self._at is not None
        assert self._dwell.since is not None
        self._halts.append(Halt(self._at, self._dwell.since, self._dwell.gone_at))


def _wait(observer: Observer, from_s: float, pause_s: float) -> None:
    """Silence of the receiver, told once a second, between one epoch and the next."""
    waited_s = TICK_S
    while waited_s < min(pause_s, LONGEST_TICKING_S):
        observer.observe(None, from_s + waited_s)
        waited_s += TICK_S


def _step(before: Judged, after: Judged) -> Step:
    assert before.position is not None
    assert after.position is not None
    metres = distance_m(before.position.place, after.position.place)
    seconds = (after.position.fixed_at - before.position.fixed_at).total_seconds()
    return Step(metres, seconds, after.line)
