"""Day: how many windows a van keeps that re-plans by itself, through an outage, a closed bridge and people not at home.

Beside it the same days in the morning's order, whatever happens, and with a re-plan that knows everything
(`benchmarks/outage_day.py` tells the days and the three ways). The gap is what knowing everything would keep more than
the fixed order does; `gap_closed` is the share of it that the van gets, of all days together.

No figure here hangs on the machine: the same seeds give the same report.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from multiprocessing import get_context
from pathlib import Path
from statistics import fmean
from typing import Any

from agent.localroute.engine import is_built
from benchmarks.figure import Figure, conclude
from benchmarks.machine import machine
from benchmarks.outage_day import STOPS, Way, lived
from benchmarks.stability import seeds

ITERATIONS = 60
LEAST_GAP_CLOSED = 0.5
NOTES = (
    "Windows kept: the van stood at the stop before its window closed, as both screens count it.",
    f"Each search had {ITERATIONS} iterations, a fraction of what the van takes in its second.",
)


def main(argv: list[str]) -> int:
    """Lives the days, prints the figures and writes the report. 1 when a figure is missed, 2 for nonsense."""
    parser = argparse.ArgumentParser(prog="scripts/bench day", description=__doc__)
    parser.add_argument("--seeds", type=seeds, default=range(201, 206), help="the days, such as 201-220")
    parser.add_argument("--stops", type=int, default=STOPS)
    parser.add_argument("--iterations", type=int, default=ITERATIONS, help="of each search")
    parser.add_argument("--workers", type=int, default=1, help="processes; the figures are the same with any number")
    parser.add_argument("--report", type=Path, help="file for the report as JSON")
    arguments = parser.parse_args(argv)
    if not is_built():
        print("the core is not built: run scripts/setup on a machine with a C++ compiler", file=sys.stderr)
        return 2
    at_start = machine(["scripts/bench", "day", *argv], [])
    rows: list[dict[str, Any]] = []
    # A fresh interpreter each: a fork of a process with threads may hang.
    with get_context("spawn").Pool(arguments.workers) as pool:
        for row in pool.imap(_row, [(seed, arguments.stops, arguments.iterations) for seed in arguments.seeds]):
            rows.append(row)
            print(f"day {row['seed']}", file=sys.stderr)
    figures = told(rows)
    conclude(figures, rows, at_start, arguments.report, NOTES, beside={"is_timed": False})
    return 0 if all(figure.is_met is not False for figure in figures) else 1


def told(rows: Sequence[dict[str, Any]]) -> list[Figure]:
    """The figures of all days together."""
    fixed, van, oracle = (sum(row[f"kept_{way}"] for row in rows) for way in Way)
    closed = 1.0 if oracle <= fixed else (van - fixed) / (oracle - fixed)
    figures = [
        Figure("days", len(rows), "days"),
        Figure("windows", sum(row["windows"] for row in rows), "windows"),
        Figure("windows_kept_fixed", fixed, "windows"),
        Figure("windows_kept", van, "windows"),
        Figure("windows_kept_oracle", oracle, "windows"),
        Figure("gap_closed", round(closed, 3), "of the gap", at_least=LEAST_GAP_CLOSED),
    ]
    for name, way in (("km_fixed", Way.FIXED), ("km", Way.VAN), ("km_oracle", Way.ORACLE)):
        figures.append(Figure(name, round(fmean(row[f"km_{way}"] for row in rows), 1), "km a day"))
    for way in Way:
        figures.append(
            Figure(f"minutes late, {way}", round(fmean(row[f"late_min_{way}"] for row in rows), 1), "min a day")
        )
    return figures


def _row(what: tuple[int, int, int]) -> dict[str, Any]:
    seed, stops, iterations = what
    row: dict[str, Any] = {"seed": seed}
    for way in Way:
        story = asyncio.run(lived(seed, way, stops=stops, iterations=iterations))
        row |= {
            "windows": story.windows,
            f"kept_{way}": story.windows_kept,
            f"km_{way}": round(story.driven_m / 1000, 2),
            f"late_min_{way}": round(story.late_s / 60, 1),
            f"plans_{way}": story.plans,
        }
    return row
