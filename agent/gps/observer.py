"""The whole way from a raw fix to what the van believes, for the shell to call: one object, no I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime

from agent.gps.gpsd import RawFix
from agent.gps.line import Line
from agent.gps.motion import Movement, moved_on, with_heading
from agent.gps.position import Motion, Position
from agent.gps.quality import EARLIEST, STALE_AFTER_S, Belief, judged
from agent.gps.reckoning import reckoned
from agent.gps.track import next_breadcrumb
from agent.gps.vehicle import VehicleSaid
from wire.track import Breadcrumb


@dataclass(frozen=True)
class Observed:
    """What is believed after one fix or one moment of silence."""

    position: Position | None
    motion: Motion
    breadcrumb: Breadcrumb | None
    """To be kept, one a domain second; None when this second has one already or nothing fresh is known."""


class Observer:
    """Remembers what is needed from one fix to the next. A restarted van starts with a new one.

    `rate`: how many seconds of the day pass in a real one.
    """

    def __init__(self, earliest: datetime = EARLIEST, rate: float = 1.0) -> None:
        self.belief = Belief()
        self._rate = rate
        self._odometer_m: float | None = None
        """At the last believed fix."""
        self._movement = Movement()
        self._last_crumb: Breadcrumb | None = None
        self._earliest = earliest

    def observe(
        self, fix: RawFix | None, mono_s: float, way: Line | None = None, vehicle: VehicleSaid | None = None
    ) -> Observed:
        """What is believed after `fix`, or after silence (None); `mono_s` are real seconds that never jump.

        `way`: what the van drives along, where it is known; `vehicle`: what its wheels say now.
        """
        before = self.belief.good
        self.belief = judged(self.belief, fix, mono_s, self._earliest, vehicle)
        if self.belief.good is not before:
            self._odometer_m = vehicle.odometer_m if vehicle else None
        position = self._estimate(mono_s, way, vehicle) or self.belief.position
        self._movement = moved_on(self._movement, position)
        if position is not None:
            position = with_heading(position, self._movement)
        crumb = next_breadcrumb(self._last_crumb, position)
        self._last_crumb = crumb or self._last_crumb
        return Observed(position, self._movement.motion, crumb)

    def _estimate(self, mono_s: float, way: Line | None, vehicle: VehicleSaid | None) -> Position | None:
        """Where the van would be, when the last fix is no longer fresh; None while it is."""
        belief = self.belief
        silent_s = mono_s - belief.heard_at_s
        if belief.good is None or silent_s <= STALE_AFTER_S:
            return None
        driven_m = None
        if vehicle is not None and vehicle.odometer_m is not None and self._odometer_m is not None:
            driven_m = max(0.0, vehicle.odometer_m - self._odometer_m)
        return reckoned(belief.good, way, silent_s * self._rate, driven_m)
