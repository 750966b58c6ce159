"""Hard windows: how close each engine comes to the best known tour of public TSPTW instances.

Engines start cold and never see the best-known tour. `check.py` judges all of them. `seconds` is what the van would
wait. Engines that throw dice are run once for each of `--seeds`; all others once.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

from agent.localroute.problem import Problem
from benchmarks.engines import PACKAGES, THROWS_DICE, Engines, engines_named, limits
from benchmarks.machine import machine
from benchmarks.tsptw import Instance, as_problem, best_known, judged, made, read

MADE_SIZES = (20, 50, 100)


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the summary and writes the report. 2 when what was asked for makes no sense."""
    arguments = _arguments(argv)
    try:
        known = best_known(arguments.bks) if arguments.bks else {}
        instances = _chosen(arguments, known)
    except (OSError, ValueError, KeyError, TypeError) as error:
        print(f"the instances cannot be read: {error}", file=sys.stderr)
        return 2
    packages = sorted({PACKAGES[name] for name in arguments.engines if name in PACKAGES})
    at_start = machine(["scripts/bench", "resequence", *argv], packages)
    rows = asyncio.run(_measured(instances, known, arguments))
    summary = _summary(rows)
    for line in summary:
        print(
            f"{line['engine']:10} {line['limit_s']:5g} s: {line['feasible']}/{line['runs']} feasible,"
            f" gap mean {_percent(line['mean_gap_pct'])} max {_percent(line['max_gap_pct'])},"
            f" slowest {line['worst_seconds']:.2f} s"
        )
    print(f"on {at_start['cpu']}, {at_start['cores']} cores, load {at_start['load_1_min']}")
    if arguments.report:
        report = {"rows": rows, "summary": summary, "machine": at_start}
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench resequence", description=__doc__)
    parser.add_argument("--instances", type=Path, help="folder of TSPTW files; without it, instances of our own")
    parser.add_argument("--bks", type=Path, help="best-known costs as JSON; without it there are no gaps")
    parser.add_argument("--sample", type=int, help="take only that many instances")
    parser.add_argument("--seed", type=int, default=0, help="which sample, and which instances of our own")
    parser.add_argument("--limits", type=limits, default=[0.2, 1.0], help="seconds, such as 0.2,1")
    parser.add_argument("--engines", type=engines_named, default=["core", "ortools"], help="such as core,pyvrp")
    parser.add_argument("--seeds", type=int, default=1, help="so many runs of each engine that throws dice")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    return parser.parse_args(argv)


def _chosen(arguments: argparse.Namespace, known: dict[str, float]) -> list[Instance]:
    dice = Random(arguments.seed)  # noqa: S311  (the same sample again, not a secret)
    if arguments.instances is None:
        count = arguments.sample or 2 * len(MADE_SIZES)
        return [made(MADE_SIZES[i % len(MADE_SIZES)], dice.randrange(1_000_000)) for i in range(count)]
    if not arguments.instances.is_dir():
        raise ValueError(f"{arguments.instances} is not a folder")
    paths = sorted(path for path in arguments.instances.glob("*/*") if path.is_file())
    if known:
        paths = [path for path in paths if f"{path.parent.name}/{path.name}" in known]
    if not paths:
        raise ValueError(f"no FAMILY/INSTANCE file in {arguments.instances}" + (" that --bks names" if known else ""))
    if arguments.sample is not None and arguments.sample < len(paths):
        paths = sorted(dice.sample(paths, arguments.sample))
    return [read(path) for path in paths]


async def _measured(
    instances: list[Instance], known: dict[str, float], arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    seeds = range(1, arguments.seeds + 1)
    rows = []
    async with Engines(arguments.engines, seeds) as engines:
        for number, instance in enumerate(instances, start=1):
            problem = as_problem(instance)
            for limit_s in arguments.limits:
                for name in arguments.engines:
                    for seed in seeds if name in THROWS_DICE else seeds[:1]:
                        run = await engines.run(name, problem, limit_s, seed)
                        row = _row(instance, problem, run.order, known.get(instance.name))
                        told = {"engine": name, "seed": seed, "limit_s": limit_s, "seconds": round(run.seconds, 3)}
                        rows.append({**row, **told})
            print(f"{number}/{len(instances)} {instance.name}", file=sys.stderr)
    return rows


def _row(instance: Instance, problem: Problem, order: Sequence[str], best: float | None) -> dict[str, Any]:
    tour = judged(problem, order)
    return {
        "instance": instance.name,
        "n": instance.customers,
        "feasible": tour.is_feasible,
        "cost": round(tour.cost, 4),
        "best_known": best,
        "gap_pct": round(100 * (tour.cost - best) / best, 4) if best and tour.is_feasible else None,
        "moved_stops": None,  # engines start cold: there is no order to move away from
    }


def _summary(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for engine, limit_s in dict.fromkeys((row["engine"], row["limit_s"]) for row in rows):
        group = [row for row in rows if (row["engine"], row["limit_s"]) == (engine, limit_s)]
        gaps = [row["gap_pct"] for row in group if row["gap_pct"] is not None]
        lines.append(
            {
                "engine": engine,
                "limit_s": limit_s,
                "runs": len(group),
                "feasible": sum(row["feasible"] for row in group),
                "mean_gap_pct": round(sum(gaps) / len(gaps), 4) if gaps else None,
                "max_gap_pct": max(gaps, default=None),
                "worst_seconds": max(row["seconds"] for row in group),
            }
        )
    return lines


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} %"
