"""When an expected arrival is news. Pure.

Times are worked out anew with each fix, and mostly they wander by seconds. Whoever waits is told again only when

- the expected arrival moved by a minute and by a twentieth of the time until then,
- an end of the range moved by two minutes and by a tenth of the time until then,
- the expected arrival lies outside the range that was told, or against its window the stop is another word than before
  (on time, tight, late),
- what the times rest on is something else, or the van stands at the stop.

Until then what was told stands, as of when it was told.
"""

from collections.abc import Mapping
from datetime import timedelta

from agent.trip.punctuality import punctuality, window_at
from agent.trip.run import Run
from wire.events import Eta
from wire.model import StopId

MIDDLE_MOVED, MIDDLE_SHARE = timedelta(minutes=1), 0.05
END_MOVED, END_SHARE = timedelta(minutes=2), 0.1


def told_anew(told: Mapping[StopId, Eta], fresh: Mapping[StopId, Eta], run: Run) -> dict[StopId, Eta]:
    """What is told from now on: of each stop the fresh times where they are news, else those that were told."""
    return {
        stop_id: eta if (before := told.get(stop_id)) is None or _is_news(before, eta, run, stop_id) else before
        for stop_id, eta in fresh.items()
    }


def _is_news(told: Eta, fresh: Eta, run: Run, stop_id: StopId) -> bool:
    ahead = abs(fresh.p50 - fresh.as_of)
    middle = max(MIDDLE_MOVED, MIDDLE_SHARE * ahead)
    end = max(END_MOVED, END_SHARE * ahead)
    if abs(fresh.p50 - told.p50) >= middle or not told.p10 <= fresh.p50 <= told.p90:
        return True
    if abs(fresh.p10 - told.p10) >= end or abs(fresh.p90 - told.p90) >= end:
        return True
    if (told.times, told.basis, told.p10 == told.p90) != (fresh.times, fresh.basis, fresh.p10 == fresh.p90):
        return True
    stop = run.find(stop_id)
    window = None if stop is None else window_at(stop.stop, fresh.p50)
    return punctuality(window, told) is not punctuality(window, fresh)
