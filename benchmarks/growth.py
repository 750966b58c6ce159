"""How the wait grows with the stops: seconds to within 1 % of what 30 s find, on made late days."""

import argparse
import json
import sys
from pathlib import Path

from agent.localroute import engine
from agent.localroute.check import evaluate
from agent.localroute.repair import repaired
from benchmarks.days import a_day
from benchmarks.engines import limits
from benchmarks.machine import machine

STOPS = (20, 50, 100, 150, 200, 300, 400)
STEPS_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
LATE_S = 45 * 60.0
NEAR = 1.01


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints a line a size and writes the report. 2 where the core is not built."""
    parser = argparse.ArgumentParser(prog="scripts/bench growth", description=__doc__)
    parser.add_argument("--stops", type=_sizes, default=list(STOPS), help="such as 20,150,400")
    parser.add_argument("--days", type=int, default=3, help="days of each size")
    parser.add_argument("--limit", type=float, default=30.0, help="seconds of the longest search")
    parser.add_argument("--steps", type=limits, default=list(STEPS_S), help="limits tried before it, in seconds")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    if not engine.is_built():
        print("the core is not built: run scripts/setup on a machine with a C++ compiler", file=sys.stderr)
        return 2
    at_start = machine(["scripts/bench", "growth", *argv], [])
    rows = []
    for stops in arguments.stops:
        for seed in range(1, arguments.days + 1):
            problem = a_day(stops, seed, LATE_S)
            start = repaired(problem)

            def cost_within(limit_s: float, problem=problem, start=start) -> float:  # type: ignore[no-untyped-def]
                return evaluate(problem, engine.searched(problem, start, limit_s=limit_s)[0]).cost

            final = cost_within(arguments.limit)
            near_s = next((step for step in arguments.steps if cost_within(step) <= NEAR * final), arguments.limit)
            rows.append(
                {"instance": f"n{stops}s{seed} late", "n": stops, "engine": "core", "seconds": near_s, "cost": final}
            )
        near = [row["seconds"] for row in rows if row["n"] == stops]
        print(
            f"{stops:4} stops: within 1 % after {sorted(near)[len(near) // 2]:g} s"
            f" (median of {len(near)}, worst {max(near):g} s)"
        )
    print(f"on {at_start['cpu']}, {at_start['cores']} cores, load {at_start['load_1_min']}")
    if arguments.report:
        arguments.report.write_text(json.dumps({"rows": rows, "summary": [], "machine": at_start}, indent=1) + "\n")
    return 0


def _sizes(text: str) -> list[int]:
    return [int(word) for word in text.split(",")]
