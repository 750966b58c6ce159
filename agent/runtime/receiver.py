"""From the receiver to the runtime: what is believed, whenever it differs from what was told before."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from agent.gps.gpsd import RawFix, Silence
from agent.gps.line import Line
from agent.gps.observer import Observer
from agent.trip.inputs import FixJudged
from wire.track import Breadcrumb


class Receiver(Protocol):
    """Fixes and silences without end."""

    def fixes(self) -> AsyncGenerator[RawFix | Silence]: ...


class Tell(Protocol):
    def __call__(self, entered: FixJudged, /, *, crumb: Breadcrumb | None) -> None: ...


def _no_way() -> Line | None:
    return None


async def listen(receiver: Receiver, observer: Observer, tell: Tell, way: Callable[[], Line | None] = _no_way) -> None:
    """Works until cancelled. Ages of fixes are measured in the event loop's time: they never run fast.

    `way`: what the van drives along at this moment, where that is known.
    """
    told: FixJudged | None = None
    async with contextlib.aclosing(receiver.fixes()) as fixes:
        async for heard in fixes:
            fix = heard if isinstance(heard, RawFix) else None
            observed = observer.observe(fix, asyncio.get_running_loop().time(), way())
            judged = FixJudged(position=observed.position, motion=observed.motion)
            if judged != told or observed.breadcrumb is not None:
                tell(judged, crumb=observed.breadcrumb)
                told = judged
