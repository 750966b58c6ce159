"""The whole way from a raw fix to what the van believes, for the shell to call: one object, no I/O, no clock."""

from dataclasses import dataclass
from datetime import datetime

from agent.gps.gpsd import RawFix
from agent.gps.motion import Movement, moved_on, with_heading
from agent.gps.position import Motion, Position
from agent.gps.quality import EARLIEST, Belief, judged
from agent.gps.track import next_breadcrumb
from wire.track import Breadcrumb


@dataclass(frozen=True)
class Observed:
    """What is believed after one fix or one moment of silence."""

    position: Position | None
    motion: Motion
    breadcrumb: Breadcrumb | None
    """To be kept, one a domain second; None when this second has one already or nothing fresh is known."""


class Observer:
    """Remembers what is needed from one fix to the next. A restarted van starts with a new one."""

    def __init__(self, earliest: datetime = EARLIEST) -> None:
        self.belief = Belief()
        self._movement = Movement()
        self._last_crumb: Breadcrumb | None = None
        self._earliest = earliest

    def observe(self, fix: RawFix | None, mono_s: float) -> Observed:
        """What is believed after `fix`, or after silence (None); `mono_s` are real seconds that never jump."""
        self.belief = judged(self.belief, fix, mono_s, self._earliest)
        position = self.belief.position
        self._movement = moved_on(self._movement, position)
        if position is not None:
            position = with_heading(position, self._movement)
        crumb = next_breadcrumb(self._last_crumb, position)
        self._last_crumb = crumb or self._last_crumb
        return Observed(position, self._movement.motion, crumb)
