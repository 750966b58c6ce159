"""What every van is told of the other vans' parcels: made of the newest lists, anew when their codes changed."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime

from wire.codec import encode
from wire.elsewhere import Elsewhere, elsewhere_of
from wire.manifest import Manifest

PAUSE_S = 600.0
"""Real seconds between two changes of a day: it is 40 kB to each van of a large fleet, and little harm to be behind."""


class ElsewhereDesk:
    """Holds the newest message and its packet, which is the same for all vans."""

    def __init__(self, pause_s: float = PAUSE_S) -> None:
        self._pause_s = pause_s
        self._made: Elsewhere | None = None
        self._made_at_s = 0.0
        self._of: tuple[date, list[tuple[str, int]]] | None = None
        """The lists that were looked at last."""
        self.again_at_s: float | None = None
        """When to come again for a change that was held back; the event loop's time."""
        self.packet = b""
        self.version = 0
        """Counts the packets of this process."""

    async def newest(self, manifests: Sequence[Manifest], day: date, now: datetime) -> Elsewhere | None:
        """The message for the lists of `day`; the one before where no code changed, or a change came too soon after
        another; None until a list has codes.
        """
        of = day, [(one.van, one.version) for one in manifests]
        known, now_s = self._made, asyncio.get_running_loop().time()
        if of == self._of:
            return known
        is_same_day = known is not None and known.day == day
        if is_same_day and now_s < self._made_at_s + self._pause_s:
            self.again_at_s = self._made_at_s + self._pause_s
            return known
        made = await asyncio.to_thread(elsewhere_of_lists, manifests, day, now)
        self._of, self.again_at_s = of, None
        is_news = made.lists != known.lists if known is not None else bool(made.lists)
        if is_news or (known is not None and not is_same_day):
            self.packet = await asyncio.to_thread(encode, made, 3)
            self._made, self._made_at_s = made, now_s
            self.version += 1
        return self._made

    def is_due(self) -> bool:
        """Whether a change that was held back may be told now."""
        return self.again_at_s is not None and asyncio.get_running_loop().time() >= self.again_at_s


def elsewhere_of_lists(manifests: Sequence[Manifest], day: date, now: datetime) -> Elsewhere:
    """The message about the lists of that day."""
    codes = {
        one.van: [parcel.code for stop in one.stops for parcel in stop.handover.parcels]
        for one in manifests
        if one.day == day
    }
    return elsewhere_of(codes, day, now)
