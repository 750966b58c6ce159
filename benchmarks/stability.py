"""Stability: the same day of a van with the prices of moved stops and moved promises, and without them.

The day is told in `benchmarks/stability_day.py`. No figure here hangs on the machine: the same seeds give the same
report. One day is kept whole, for the picture in docs/sequencing.md, which `python -m scripts.figures` draws.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Sequence
from datetime import datetime
from math import sqrt
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from agent.localroute.engine import is_built
from benchmarks.machine import machine
from benchmarks.stability_day import AS_THEY_ARE, CLOSES_AT, LATE_ORDERS, NOTHING, STARTS_AT, TRAFFIC, Story, lived

PRICES = {"on": AS_THEY_ARE, "off": NOTHING}
FIGURES: tuple[tuple[str, str, int], ...] = (
    ("plans", "plans made", 1),
    ("changes", "times the driver's order changed", 1),
    ("moved_stops", "stops moved in the driver's order", 1),
    ("moved_promises", "times a customer was told another time", 1),
    ("windows_kept_pct", "windows kept, %", 1),
    ("late_min", "minutes late, all stops together", 1),
    ("driven_min", "minutes driven", 1),
    ("driven_km", "kilometres driven", 1),
    ("cost", "cost of the day without the two prices, s", 0),
)


def main(argv: list[str]) -> int:
    """Lives the days, prints the means and writes the report. 2 when what was asked for makes no sense."""
    parser = argparse.ArgumentParser(prog="scripts/bench stability", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default=range(1, 11), help="the days, such as 1-10")
    parser.add_argument("--seed", type=int, help="the day that is kept whole; without it the first")
    parser.add_argument("--report", type=Path, help="file for the report as JSON")
    arguments = parser.parse_args(argv)
    if not is_built():
        print("the core is not built: run scripts/setup on a machine with a C++ compiler", file=sys.stderr)
        return 2
    kept = arguments.seeds[0] if arguments.seed is None else arguments.seed
    at_start = machine(["scripts/bench", "stability", *argv], [])
    rows: list[dict[str, Any]] = []
    day: dict[str, Any] = {}
    for seed in sorted({*arguments.seeds, kept}):
        for stability, prices in PRICES.items():
            story = asyncio.run(lived(seed, prices))
            if seed in arguments.seeds:
                rows.append({"seed": seed, "stability": stability, **row(story)})
            if seed == kept:
                day[stability] = told(story)
        print(f"day {seed}", file=sys.stderr)
    summary = means(rows)
    for line in summary:
        print(f"{line['mean of a day']}: {line['on']} with stability, {line['off']} without")
    if arguments.report:
        happened = [[f"{STARTS_AT + after:%H:%M}", "traffic"] for after, factor in TRAFFIC if factor > 1][:1]
        happened += [
            [f"{CLOSES_AT:%H:%M}", "bridge"],
            *([f"{STARTS_AT + after:%H:%M}", "order"] for after in LATE_ORDERS),
        ]
        report = {
            "rows": rows,
            "summary": summary,
            "day": {"seed": kept, "happened": happened, **day},
            "notes": [
                "On: a moved stop costs 30 s and a moved promise 600 s, as in `agent/localroute/problem.py`; "
                "off: both 0. All else is the same, the least gain of `agent/trip/policy.py` too.",
                "The van is told of promises by the benchmark; a manifest cannot carry any yet, only windows.",
            ],
            "is_timed": False,
            "machine": at_start,
        }
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def row(story: Story) -> dict[str, Any]:
    """The figures of one day."""
    return {
        "plans": story.plans,
        "changes": story.changes,
        "moved_stops": story.moved_stops,
        "moved_promises": story.moved_promises,
        "windows_kept_pct": round(100 * story.windows_kept / max(1, story.windows), 2),
        "late_min": round(story.late_s / 60, 2),
        "driven_min": round(story.driven_s / 60, 2),
        "driven_km": round(story.driven_m / 1000, 2),
        "cost": round(story.cost, 1),
    }


def means(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each figure its mean with and without, and the mean difference of the same day with its 95 % interval."""
    lines = []
    for key, what, digits in FIGURES:
        on, off = ([one[key] for one in rows if one["stability"] == stability] for stability in ("on", "off"))
        apart = [a - b for a, b in zip(on, off, strict=True)]
        spread = 1.96 * stdev(apart) / sqrt(len(apart)) if len(apart) > 1 else 0.0
        lines.append(
            {
                "mean of a day": what,
                "on": f"{fmean(on):,.{digits}f}",
                "off": f"{fmean(off):,.{digits}f}",
                "difference": f"{fmean(apart):+,.{digits}f} ± {spread:,.{digits}f}",
            }
        )
    return lines


def told(story: Story) -> dict[str, Any]:
    """A day for the picture: for each stop when which arrival began to be expected, when the van came, who was told."""
    return {
        "stops": {
            stop_id: {
                "expected": " ".join(f"{at:%H:%M}>{then:%H:%M}" for at, then in _changed(expected)),
                "came": f"{story.served[stop_id]:%H:%M}",
                "told_again": " ".join(f"{at:%H:%M}" for at in story.told_again.get(stop_id, ())),
            }
            for stop_id, expected in sorted(story.expected.items())
        },
        "failed": f"{story.served[story.failed]:%H:%M}",
        "figures": row(story),
    }


def _changed(expected: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Without what is the same to the minute."""
    kept: list[tuple[datetime, datetime]] = []
    for at, then in expected:
        if not kept or f"{kept[-1][1]:%H:%M}" != f"{then:%H:%M}":
            kept.append((at, then))
    return kept


def seeds(text: str) -> range:
    """The numbers of "A-B" or "A", for argparse."""
    found = re.fullmatch(r"(\d+)(?:-(\d+))?", text)
    if found is None or int(found[2] or found[1]) < int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no range such as 1-10")
    return range(int(found[1]), int(found[2] or found[1]) + 1)
