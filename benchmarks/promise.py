"""Promise: do the arrival ranges hold what they say, on days whose service times follow a law never seen before?

Each van lives its days of learning and then one more, of another law (`benchmarks/promise_days.py`), by its own
`decide` (`benchmarks/promise_van.py`). Each half hour of that last day somebody looks at every stop still to come and
reads the range from p10 to p90: a customer who waits and looks now and then. A look holds when the van comes within
the range.

Beside it stands the fixed window: the arrival of the morning's plan, made of the list's and the road's own times, with
one offset and one width for all stops and all looks, chosen afterwards, on these very days, as the narrowest that
holds as often as ours. No dispatcher could choose it so well beforehand. `width_ratio` is our mean width to its.

No figure here hangs on the machine: the same seeds give the same report.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from math import sqrt
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from agent.learn.conformal import band_of
from benchmarks.figure import Figure, conclude
from benchmarks.machine import machine
from benchmarks.promise_days import HISTORY_DAYS, STARTS_AT, Laws, a_round, history_day, judged_day
from benchmarks.promise_van import Look, Van
from benchmarks.stability import seeds

COVERAGE, WITHIN = 80.0, 5.0
MOST_RATIO = 0.8
BANDS = ("under 15 min", "15 to 30 min", "30 to 60 min", "1 to 2 h", "2 to 4 h", "over 4 h")


def main(argv: list[str]) -> int:
    """Lives the days, prints the figures and writes the report. 1 when a figure is missed."""
    parser = argparse.ArgumentParser(prog="scripts/bench promise", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default=range(1001, 1011), help="the vans, a judged day each: 1001-1100")
    parser.add_argument("--laws", choices=("test", "rehearsal"), default="test", help="of the judged days")
    parser.add_argument("--workers", type=int, default=1, help="processes; the figures are the same with any number")
    parser.add_argument("--report", type=Path, help="file for the report as JSON")
    arguments = parser.parse_args(argv)
    at_start = machine(["scripts/bench", "promise", *argv], [])
    looks: list[Look] = []
    # A fresh interpreter each: a fork of a process with threads may hang.
    with get_context("spawn").Pool(arguments.workers) as pool:
        for seen in pool.imap(_judged, [(seed, arguments.laws) for seed in arguments.seeds]):
            looks += seen
            print(f"van {seen[0].day}", file=sys.stderr)
    figures = told(looks)
    beside = {"is_timed": False, "day": picture_of(usual_day(looks))}
    conclude(figures, rows(looks), at_start, arguments.report, NOTES, beside=beside)
    return 0 if all(figure.is_met is not False for figure in figures) else 1


NOTES = (
    "A look: one stop still to come, at a full half hour of its day. Held: the van came between p10 and p90.",
    "The fixed window is the narrowest of one width and one offset to the morning's plan that holds as often on these "
    "very looks; where a row says otherwise, on the looks of that row.",
    "In the morning nobody knows the day's law yet; what is said then is told apart.",
)


def lived(seed: int, laws: Laws, history_days: int = HISTORY_DAYS) -> list[Look]:
    """What was said on the judged day of a van, after its days of learning."""
    world, van = a_round(seed), Van(seed)
    for number in range(history_days):
        van.live(history_day(world, number), is_looked_at=False)
    return van.live(judged_day(world, laws), is_looked_at=True)


def _judged(what: tuple[int, Laws]) -> list[Look]:
    return lived(*what)


def told(looks: Sequence[Look]) -> list[Figure]:
    """The figures of all looks together, and beside them those of parts."""
    days = _by(looks, lambda look: look.day)
    worst = min(days, key=lambda day: share_held(days[day]))
    width_min = _minutes(_width_s(looks))
    figures = [
        Figure("days", len(days), "days"),
        Figure("stops", len({(look.day, look.stop_id) for look in looks}), "stops"),
        Figure("coverage", share_held(looks), "%", at_least=COVERAGE - WITHIN, at_most=COVERAGE + WITHIN),
        Figure("width_ratio", ratio(looks), "of the fixed window", at_most=MOST_RATIO),
        Figure("coverage, 95 % interval over days", interval([share_held(day) for day in days.values()]), "± %"),
        Figure("mean width", width_min, "min"),
        Figure("the fixed window's width", _minutes(fixed_width_s(looks, share_held(looks))), "min"),
        Figure("came before p50", round(100 * fmean(look.came_s < look.p50_s for look in looks), 1), "%"),
    ]
    morning = [look for look in looks if look.at_s == 0]
    figures.append(Figure("said in the morning: coverage", share_held(morning), "%"))
    figures.append(Figure("said in the morning: width_ratio", ratio(morning), "of the fixed window"))
    for band, part in sorted(_by(looks, lambda look: band_of(look.p50_s - look.at_s)).items()):
        figures.append(Figure(f"expected in {BANDS[band]}: coverage", share_held(part), "%"))
        figures.append(Figure(f"expected in {BANDS[band]}: mean width", _minutes(_width_s(part)), "min"))
    figures.append(Figure(f"worst day, van {worst}: coverage", share_held(days[worst]), "%"))
    within = [share for part in days.values() if 65.0 <= (share := share_held(part)) <= 95.0]
    figures.append(Figure("days held 65 to 95 % of their looks", round(100 * len(within) / len(days), 1), "%"))
    return figures


def rows(looks: Sequence[Look]) -> list[dict[str, Any]]:
    """A row a day."""
    return [
        {
            "van": day,
            "looks": len(part),
            "coverage": share_held(part),
            "mean_width_min": _minutes(_width_s(part)),
            "came_before_p50": round(100 * fmean(look.came_s < look.p50_s for look in part), 1),
        }
        for day, part in sorted(_by(looks, lambda look: look.day).items())
    ]


def usual_day(looks: Sequence[Look]) -> list[Look]:
    """The day that held its looks most nearly as often as all days together."""
    days = _by(looks, lambda look: look.day)
    return min(days.values(), key=lambda day: (abs(share_held(day) - share_held(looks)), day[0].day))


def picture_of(looks: Sequence[Look]) -> dict[str, Any]:
    """A day for the picture: of each eighth stop what was said each half hour, in minutes after the begin."""
    stops = _by(looks, lambda look: look.stop_id)
    return {
        "van": looks[0].day,
        "begins": f"{STARTS_AT:%H:%M}",
        "stops": {
            stop_id: {
                "said": [[_minutes(s) for s in (look.at_s, look.p10_s, look.p50_s, look.p90_s)] for look in seen],
                "came": _minutes(seen[0].came_s),
            }
            for stop_id, seen in sorted(stops.items())[4::8]
        },
    }


def share_held(looks: Sequence[Look]) -> float:
    """In per cent."""
    return round(100 * fmean(look.holds for look in looks), 2)


def interval(shares: Sequence[float]) -> float:
    """Half the width of the 95 % interval of a mean over days: looks of one day hold or miss together."""
    return round(1.96 * stdev(shares) / sqrt(len(shares)), 2) if len(shares) > 1 else 100.0


def ratio(looks: Sequence[Look]) -> float:
    """Our mean width to that of the fixed window which holds as often on these looks."""
    return round(_width_s(looks) / fixed_width_s(looks, share_held(looks)), 3)


def fixed_width_s(looks: Sequence[Look], held_pct: float) -> float:
    """The narrowest window, at one offset from the morning's plan, that holds at least that share of the looks."""
    off_s = sorted(look.came_s - look.planned_s for look in looks)
    count = min(len(off_s), max(1, -int(-held_pct / 100 * len(off_s) // 1)))
    return min(late - early for early, late in zip(off_s, off_s[count - 1 :], strict=False))


def _width_s(looks: Sequence[Look]) -> float:
    return fmean(look.p90_s - look.p10_s for look in looks)


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 1)


def _by[K](looks: Sequence[Look], key: Callable[[Look], K]) -> dict[K, list[Look]]:
    parts: dict[K, list[Look]] = {}
    for look in looks:
        parts.setdefault(key(look), []).append(look)
    return parts
