"""Soft windows: what a made day costs on time and 45 minutes late, by each engine, warm from the plan
(benchmarks/days.py).

One evaluator for all, `check.py`. The gap is to the cheapest order that any engine found for that day in this run, or
in the reports named by `--best`, such as one of 300 s. The summary holds mean costs with their 95 % intervals over
days, and, for each peer, the mean of the peer's cost less the core's on the same day.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.localroute.check import broken_rules, evaluate
from agent.localroute.problem import Problem
from benchmarks.days import a_day
from benchmarks.engines import PACKAGES, Engines, engines_named, interval, limits
from benchmarks.machine import machine

LATE_S = {"on time": 0.0, "late": 45 * 60.0}


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the summary and writes the report."""
    arguments = _arguments(argv)
    packages = sorted({PACKAGES[name] for name in arguments.engines if name in PACKAGES})
    at_start = machine(["scripts/bench", "late_van", *argv], packages)
    rows = asyncio.run(_measured(arguments))
    best = _best_known(rows, arguments.best)
    for row in rows:
        row["best_known"] = best[row["instance"]]
        row["gap_pct"] = (
            round(100 * (row["cost"] - row["best_known"]) / row["best_known"], 3) if row["feasible"] else None
        )
    summary = _summary(rows)
    for line in summary:
        print(_told(line))
    print(f"on {at_start['cpu']}, {at_start['cores']} cores, load {at_start['load_1_min']}")
    if arguments.report:
        report = {"rows": rows, "summary": summary, "machine": at_start}
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench late_van", description=__doc__)
    parser.add_argument("--stops", type=int, default=150)
    parser.add_argument("--seeds", type=_seeds, default=range(1, 21), help="days, such as 1-20")
    parser.add_argument("--limits", type=limits, default=[0.2, 1.0], help="seconds, such as 0.2,1,5,30")
    parser.add_argument("--engines", type=engines_named, default=["core", "ortools"], help="such as core,pyvrp")
    parser.add_argument("--days", choices=("both", *LATE_S), default="both")
    parser.add_argument(
        "--best", type=Path, action="append", default=[], help="earlier reports, for the best known costs"
    )
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    return parser.parse_args(argv)


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


async def _measured(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    rows = []
    async with Engines(arguments.engines) as engines:
        for seed in arguments.seeds:
            for day, late_s in LATE_S.items():
                if arguments.days not in ("both", day):
                    continue
                problem = a_day(arguments.stops, seed, late_s)
                for limit_s in arguments.limits:
                    for name in arguments.engines:
                        run = await engines.run(name, problem, limit_s)
                        row = _row(problem, run.order, f"n{arguments.stops}s{seed} {day}")
                        told = {"day": day, "engine": name, "limit_s": limit_s, "seconds": round(run.seconds, 3)}
                        rows.append({**row, **told})
            print(f"day {seed} of {arguments.seeds[0]}-{arguments.seeds[-1]}", file=sys.stderr)
    return rows


def _row(problem: Problem, order: Sequence[str], instance: str) -> dict[str, Any]:
    answer = evaluate(problem, order)
    return {
        "instance": instance,
        "n": len(problem.visits),
        "feasible": not broken_rules(problem, order),
        "cost": round(answer.cost, 2),
        "moved_stops": len(answer.moved_stops),
    }


def _best_known(rows: Sequence[dict[str, Any]], reports: Sequence[Path]) -> dict[str, float]:
    best: dict[str, float] = {}
    earlier = [row for path in reports for row in json.loads(path.read_text())["rows"]]
    for row in (*earlier, *rows):
        if row["feasible"]:
            best[row["instance"]] = min(row["cost"], best.get(row["instance"], float("inf")))
    return best


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for day, limit_s, engine in dict.fromkeys((row["day"], row["limit_s"], row["engine"]) for row in rows):
        group = [row for row in rows if (row["day"], row["limit_s"], row["engine"]) == (day, limit_s, engine)]
        core = {
            row["instance"]: row["cost"]
            for row in rows
            if (row["day"], row["limit_s"], row["engine"]) == (day, limit_s, "core")
        }
        mean, half = interval([row["cost"] for row in group])
        line = {
            "day": day,
            "limit_s": limit_s,
            "engine": engine,
            "runs": len(group),
            "feasible": sum(row["feasible"] for row in group),
            "mean_cost": round(mean, 1),
            "mean_cost_95_pct": round(half, 1),
            "mean_gap_pct": _mean([row["gap_pct"] for row in group if row["gap_pct"] is not None]),
            "max_gap_pct": max((row["gap_pct"] for row in group if row["gap_pct"] is not None), default=None),
            "mean_moved_stops": _mean([row["moved_stops"] for row in group]),
            "worst_seconds": max(row["seconds"] for row in group),
            "dearer_than_core": None,
            "dearer_than_core_95_pct": None,
        }
        if core and engine != "core":
            mean, half = interval([row["cost"] - core[row["instance"]] for row in group])
            line["dearer_than_core"], line["dearer_than_core_95_pct"] = round(mean, 1), round(half, 1)
        lines.append(line)
    return lines


def _mean(values: Sequence[float]) -> float | None:
    return round(sum(values) / len(values), 3) if values else None


def _told(line: dict[str, Any]) -> str:
    text = (
        f"{line['day']:7} {line['limit_s']:5g} s {line['engine']:10} cost {line['mean_cost']:9.0f}"
        f" +- {line['mean_cost_95_pct']:7.0f}, gap mean {line['mean_gap_pct']:.2f} % max {line['max_gap_pct']:.2f} %,"
        f" {line['mean_moved_stops']:.0f} stops moved, slowest {line['worst_seconds']:.2f} s"
    )
    if line["dearer_than_core"] is not None:
        text += f"; dearer than core by {line['dearer_than_core']:.0f} +- {line['dearer_than_core_95_pct']:.0f}"
    return text
