"""Charging: published days of one electric van at their published cost, and made days against every way there is.

Published: the one-vehicle instances of the E-VRPTW set and each route of the solution that comes with one, as a problem
of one van with the same customers; order and stations are ours. Made: days of at most twelve stops that cannot end
without charging, with partial charging along curves and an uncertain consumption, against an exact search written
apart (`energy_exact.py`). Every answer is what the van's worker gives within `--limit` seconds, judged by `check.py`.
"""

import argparse
import asyncio
import csv
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from agent.localroute.battery import Z_95, Charge
from agent.localroute.check import evaluate, faults
from agent.localroute.engine import is_built
from agent.localroute.problem import Answer, Problem
from agent.localroute.worker import Solver
from benchmarks import energy_exact
from benchmarks.energy_cases import made
from benchmarks.evrptw import as_problem, distance, driven, is_feasible, read, read_routes
from benchmarks.machine import machine

SIZES = {4: 36, 5: 36, 6: 36, 7: 36, 8: 32, 9: 18, 10: 4, 11: 1, 12: 1}
"""Made days by their number of stops: 200 together."""
DRAWN = 8, 3
"""Stops and seed of the day in the picture."""
ROUNDING = 0.005
"""The published one-vehicle costs have two decimals."""


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the summary and writes the report. 2 when what was asked for makes no sense."""
    parser = argparse.ArgumentParser(prog="scripts/bench energy", description=__doc__)
    parser.add_argument("--instances", type=Path, help="folder of E-VRPTW files with bks.csv; without it none of them")
    parser.add_argument("--made", type=int, default=sum(SIZES.values()), help="how many made days")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds the van's worker may search")
    parser.add_argument("--seed", type=int, default=1, help="which made days")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    if not is_built():
        print("the core is not built: run scripts/setup on a machine with a C++ compiler", file=sys.stderr)
        return 2
    try:
        published = list(_published(arguments.instances)) if arguments.instances else []
    except (OSError, ValueError, KeyError) as error:
        print(f"the instances cannot be read: {error}", file=sys.stderr)
        return 2
    at_start = machine(["scripts/bench", "energy", *argv], [])
    rows = asyncio.run(_measured(published, arguments))
    ours = [row for row in rows if row["day"] == "published"]
    generated = [row for row in rows if row["day"] == "made"]
    summary = {
        "instances": len(ours),
        "matched_or_better": sum(row["is_met"] for row in ours),
        "generated": len(generated),
        "equal_to_exact": sum(row["is_met"] for row in generated),
    }
    print(", ".join(f"{name} {value}" for name, value in summary.items()))
    print(f"on {at_start['cpu']}, {at_start['cores']} cores, load {at_start['load_1_min']}")
    if arguments.report:
        charged = sum(row["charges"] > 0 for row in generated)
        more = sum(row["charges"] > 1 for row in generated)
        never = sum(row["best"] is None and "why" not in row for row in generated)
        notes = [
            "Published routes are matched to a millionth, one-vehicle instances to the two decimals they have.",
            f"Of the made days {charged} have a charging stop and {more} more than one; {never} cannot keep the reserve"
            ", and are told so.",
        ]
        day = asyncio.run(_drawn(arguments.limit, arguments.seed))
        report = {"rows": rows, "summary": [summary], "day": day, "notes": notes, "machine": at_start}
        arguments.report.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _published(folder: Path) -> Iterator[tuple[str, Problem, float, float]]:
    """Name, problem, published cost, and how much above it still counts as met."""
    with (folder / "bks.csv").open(newline="") as file:
        known = {row["instance"]: row for row in csv.DictReader(file)}
    for name, row in sorted(known.items()):
        if row["vehicles"] == "1":
            instance = read(folder / f"{name}.txt")
            customers = [node.name for node in instance.customers]
            yield name, as_problem(instance, customers), float(row["distance"]), ROUNDING
    for path in sorted(folder.glob("*.solution-*.txt")):
        instance = read(folder / f"{path.name.split('.')[0]}.txt")
        stations = {node.name for node in instance.stations}
        for number, route in enumerate(read_routes(path), start=1):
            # By name, so that nothing of the published order is told.
            problem = as_problem(instance, sorted(name for name in route if name not in stations))
            theirs = driven(problem, route)
            if not is_feasible(problem, theirs):
                raise ValueError(f"route {number} of {path.name} cannot be driven")
            yield f"{instance.name} route {number}", problem, distance(theirs), 1e-6


async def _measured(
    published: list[tuple[str, Problem, float, float]], arguments: argparse.Namespace
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    solver = Solver(engine="core", seed=arguments.seed)
    try:
        for name, problem, best, tolerance in published:
            answer, row = await _asked(solver, problem, arguments.limit)
            cost = distance(answer)
            is_met = is_feasible(problem, answer) and cost <= best + tolerance
            rows.append({"day": "published", "name": name, **row, "cost": cost, "best": best, "is_met": is_met})
            print(f"{name}: {cost:.3f}, published {best:.3f}", file=sys.stderr)
        for number, (stops, seed) in enumerate(_days(arguments.made, arguments.seed), start=1):
            problem = made(stops, seed)
            answer, row = await _asked(solver, problem, arguments.limit)
            rows.append({"day": "made", "name": f"{stops} stops, seed {seed}", **row, **_against_all(problem, answer)})
            if number % 10 == 0 or not rows[-1]["is_met"]:
                print(f"{number}/{arguments.made} {rows[-1]}", file=sys.stderr)
    finally:
        await solver.close()
    return rows


async def _drawn(limit_s: float, seed: int) -> dict[str, Any]:
    """A day with one charging stop, moment by moment, for the picture in docs/energy.md."""
    problem = made(*DRAWN)
    solver = Solver(engine="core", seed=seed)
    try:
        answer, _ = await _asked(solver, problem, limit_s)
    finally:
        await solver.close()
    return told(problem, answer)


def told(problem: Problem, answer: Answer) -> dict[str, Any]:
    """`line`: seconds, kWh expected, and what 95 of 100 vans have at least; straight in between."""
    energy = problem.energy
    assert energy is not None
    least_kwh = energy.charge_kwh - Z_95 * energy.charge_sd_kwh
    line: list[tuple[float, float, float]] = [(0.0, energy.charge_kwh, least_kwh)]
    chargers = {charger.charger_id: charger for charger in energy.chargers}
    for place in range(len(answer.order) + 1):
        for stop in answer.charges:
            if stop.place == place:
                line.append((stop.arrive_s, stop.arrive_kwh, stop.least_kwh))
                plugged_s = stop.arrive_s + chargers[stop.charger_id].setup_s
                line.append((plugged_s, stop.arrive_kwh, stop.arrive_kwh))
                line += [
                    (plugged_s + chargers[stop.charger_id].curve.seconds(stop.arrive_kwh, kwh), kwh, kwh)
                    for kwh, _ in chargers[stop.charger_id].curve.points
                    if stop.arrive_kwh < kwh < stop.to_kwh
                ]
                line.append((stop.leave_s, stop.to_kwh, stop.to_kwh))
        if place < len(answer.order):
            timing = answer.timings[place]
            node = [visit.stop_id for visit in problem.visits].index(timing.stop_id)
            stands = energy.standing_kwh[node]
            assert timing.charge_kwh is not None
            assert timing.least_kwh is not None
            line.append((timing.arrive_s, timing.charge_kwh, timing.least_kwh))
            line.append((timing.leave_s, timing.charge_kwh - stands, timing.least_kwh - stands))
    assert answer.end_kwh is not None
    assert answer.end_least_kwh is not None
    line.append((answer.end_s, answer.end_kwh, answer.end_least_kwh))
    return {
        "stops": [round(timing.arrive_s) for timing in answer.timings],
        "charges": [[round(stop.arrive_s), round(stop.leave_s)] for stop in answer.charges],
        "battery_kwh": energy.levels_kwh[-1],
        "reserve_kwh": round(energy.reserve_kwh, 2),
        "line": [[round(at_s), round(kwh, 2), round(least_kwh, 2)] for at_s, kwh, least_kwh in line],
    }


def _days(count: int, seed: int) -> Iterator[tuple[int, int]]:
    """Small and large ones by turns, so that the first few are a fair sample."""
    left, number = dict(SIZES), 0
    while number < count:
        for stops in [stops for stops, days in left.items() if days > 0] or SIZES:
            if number < count:
                left[stops] -= 1
                number += 1
                yield stops, 1000 * seed + number


async def _asked(solver: Solver, problem: Problem, limit_s: float) -> tuple[Answer, dict[str, Any]]:
    await solver.start()
    started_s = time.perf_counter()
    answer, why = await solver.solve(problem, limit_s)
    seconds = time.perf_counter() - started_s
    if why:
        print(f"  {why}", file=sys.stderr)
    return answer, {"stops": len(problem.visits), "charges": len(answer.charges), "seconds": round(seconds, 3)}


def _against_all(problem: Problem, answer: Answer) -> dict[str, Any]:
    """Equal: to the thousandth of a second, judged by `check.py`; and where nothing keeps the reserve, ours says so."""
    charges = [Charge(place=one.place, charger_id=one.charger_id, to_kwh=one.to_kwh) for one in answer.charges]
    is_right = not faults(problem, answer.order, charges)
    try:
        best = energy_exact.cheapest(problem)
    except TimeoutError as error:
        return {"cost": answer.cost, "best": None, "ways": None, "is_met": False, "why": str(error)}
    if best is None:
        return {"cost": answer.cost, "best": None, "ways": None, "is_met": not is_right}
    judged = evaluate(problem, best.order, charges=best.charges)
    if abs(judged.cost - best.cost) > 1e-6:
        raise AssertionError("the exact search and the judge do not agree")
    is_met = is_right and abs(answer.cost - best.cost) < 1e-3
    return {"cost": round(answer.cost, 3), "best": round(best.cost, 3), "ways": best.looked_at, "is_met": is_met}
