"""The van's own engine: a problem laid out for the core (`core/README.md`) and back. The one file that knows the core.

Stops enter by name, so that the same stops in another order are the same question and get the same answer.
"""

import json
import time
from array import array
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

from agent.localroute.battery import Z_95, Charge, Energy
from agent.localroute.check import NO_ROAD_COST, NO_ROAD_S, OVERLOAD_COST, SPLIT_COST
from agent.localroute.ledger import SHORT_COST, SHORT_COST_PER_KWH
from agent.localroute.problem import Amount, Problem, TimeWindow, Visit

try:
    from agent.localroute.core import _core as core
except ImportError:  # compiled by scripts/setup where there is a compiler
    core = None  # type: ignore[assignment]

NAME = "core"
SEARCH_S_PER_STOP = 2.0
"""No limit in practice: a dozen stops end by themselves, with the best order there is."""
LAST_WORD_S = 0.01
"""Of the limit, kept for handing the answer over."""


def is_built() -> bool:
    return core is not None


def load() -> None:
    """Nothing is left to load. Raises ImportError where the core is not built."""
    if core is None:
        raise ImportError("the core is not built: run scripts/setup on a machine with a C++ compiler")


def question(problem: Problem, order: Sequence[str], ends_at: float, seed: int) -> bytes:
    """What the worker is asked: a line of JSON and the matrix, row by row."""
    told, matrix = laid_out(problem, order)
    return json.dumps({**told, "ends_at": ends_at, "seed": seed}).encode() + b"\n" + matrix


def improve(asked: bytes, say: Callable[[Sequence[str]], None]) -> str:
    """Searches until the question's end and says better orders. Returns "" or what failed."""
    line, matrix = asked.split(b"\n", 1)
    told = json.loads(line)
    names = told["names"]
    limit_s = max(0.0, told["ends_at"] - LAST_WORD_S - time.monotonic())

    def told_better(order: list[int], _: float) -> None:
        say([names[node] for node in order])

    found = day(told, matrix).improve(told["start"], limit_s=limit_s, seed=told["seed"], on_better=told_better)
    say([names[node] for node in found.order])
    return ""


def searched(
    problem: Problem,
    order: Sequence[str],
    *,
    limit_s: float = 3600.0,
    iterations: int = 0,
    seed: int = 1,
    may_be_exact: bool = True,
) -> tuple[tuple[str, ...], Any]:
    """The order found in this process, and the core's own account of the search. For tests and benchmarks.

    Raises ValueError when `order` does not keep the rules.
    """
    told, matrix = laid_out(problem, order)
    found = day(told, matrix).improve(
        told["start"], limit_s=limit_s, iterations=iterations, seed=seed, may_be_exact=may_be_exact
    )
    return tuple(told["names"][node] for node in found.order), found


def charges(problem: Problem, order: Sequence[str]) -> tuple[Charge, ...]:
    """The charging stops that cost least for an order that keeps the rules."""
    assert problem.energy is not None
    told, matrix = laid_out(problem, order)
    return tuple(
        Charge(
            place=place,
            charger_id=problem.energy.chargers[charger].charger_id,
            to_kwh=problem.energy.levels_kwh[level],
        )
        for place, charger, level in day(told, matrix).charges(told["start"])
    )


def laid_out(problem: Problem, order: Sequence[str]) -> tuple[dict[str, Any], bytes]:
    """The problem in the core's terms, and its matrix as doubles, NaN where no road leads; then what legs use."""
    nodes = sorted(range(1, len(problem.visits) + 1), key=lambda node: problem.visits[node - 1].stop_id)
    names = ["", *(problem.visits[node - 1].stop_id for node in nodes), ""]
    node_of = {name: node for node, name in enumerate(names) if name}
    drop_of = {visit.pickup: visit.stop_id for visit in problem.visits if visit.pickup is not None}
    groups = sorted({visit.group for visit in problem.visits if visit.group is not None})
    ranked = [visit.stop_id for visit in problem.visits if not visit.is_anywhere]
    known = set(ranked)
    rank_of = {
        stop_id: rank for rank, stop_id in enumerate(stop_id for stop_id in problem.warm_order if stop_id in known)
    }
    stops = []
    for node in nodes:
        visit = problem.visits[node - 1]
        windows, late_price = _windows(problem, visit)
        stops.append(
            {
                "setup_s": visit.setup_s,
                "service_s": visit.service_s,
                "windows": windows,
                "late_price": late_price,
                "is_anywhere": visit.is_anywhere,
                "group": groups.index(visit.group) if visit.group is not None and not visit.is_anywhere else -1,
                "rank": rank_of.get(visit.stop_id, -1),
                "promise": visit.promise,
                "promise_price": visit.priority * problem.moved_promise_cost_s,
                "load": list(_amounts(visit.load)),
                "pickup": node_of[visit.pickup] if visit.pickup is not None else -1,
                "drop": node_of[drop_of[visit.stop_id]] if visit.stop_id in drop_of else -1,
                "locked_at": visit.locked_at if visit.locked_at is not None else -1,
                "is_last": visit.is_last,
                "skip_price": visit.priority * visit.skip_cost_s if visit.skip_cost_s is not None else None,
            }
        )
    home: dict[str, Any] = {}
    if problem.shift_end_s is not None:
        home = {"windows": [(None, problem.shift_end_s)], "late_price": problem.late_cost_per_s}
    told = {
        "names": names,
        "start": [node_of[stop_id] for stop_id in order],
        "stops": [*stops, home],
        "frozen": len(problem.prefix),
        "prices": {
            "wait": problem.wait_cost_per_s,
            "moved": problem.moved_stop_cost_s,
            "overload": OVERLOAD_COST,
            "split": SPLIT_COST,
        },
        "slots": [(slot.from_s, slot.factor) for slot in problem.slots],
        "aboard": list(_amounts(problem.aboard)),
        "capacity": [getattr(problem.capacity, unit) for unit in Amount.model_fields],
        "energy": None,
    }
    end = len(nodes) + 1
    places = [0, *nodes, *range(end, len(problem.travel_s))]
    times = _matrix(problem.travel_s, places, end, is_home_free=problem.ends_anywhere)
    matrices = [times]
    if problem.energy is not None:
        told["energy"] = _energy(problem.energy, nodes)
        for legs in (problem.energy.use_kwh, problem.energy.use_kwh_per_kg):
            used = _matrix(legs, places, end, is_home_free=problem.ends_anywhere) if legs else array("d")
            matrices.append(array("d", (0.0 if isnan(leg) else kwh for leg, kwh in zip(times, used, strict=False))))
    return told, b"".join(matrix.tobytes() for matrix in matrices)


def _matrix(
    legs: Sequence[Sequence[float | None]], nodes: Sequence[int], end: int, *, is_home_free: bool
) -> array[float]:
    nowhere = float("nan")
    cells = array("d")
    for here in nodes:
        row = legs[here]
        cells.extend([nowhere if (leg := row[there]) is None else leg for there in nodes])
        if is_home_free:
            cells[end - len(nodes)] = 0.0
    return cells


def _energy(energy: Energy, nodes: Sequence[int]) -> dict[str, Any]:
    return {
        "charge": energy.charge_kwh,
        "charge_sd": energy.charge_sd_kwh,
        "reserve": energy.reserve_kwh,
        "common": energy.common_sd_share,
        "own": energy.leg_sd_share,
        "z": Z_95,
        "charge_price": energy.charge_cost_per_s,
        "short_price": SHORT_COST,
        "short_price_per_kwh": SHORT_COST_PER_KWH,
        "levels": energy.levels_kwh,
        "standing": [0.0, *(energy.standing_kwh[node - 1] if energy.standing_kwh else 0.0 for node in nodes), 0.0],
        "chargers": [{"setup_s": charger.setup_s, "curve": charger.curve.points} for charger in energy.chargers],
    }


def _windows(problem: Problem, visit: Visit) -> tuple[list[tuple[float, float]], float]:
    """The visit's windows, those that touch joined, and the price of a second past the last."""
    if not visit.windows:
        return [], 0.0
    joined: list[tuple[float, float]] = []
    for window in sorted(visit.windows, key=lambda window: window.opens_s):
        if joined and window.opens_s <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], window.closes_s))
        else:
            joined.append((window.opens_s, window.closes_s))

    def closing(window: TimeWindow) -> tuple[float, bool]:
        return window.closes_s, window.is_hard

    is_hard = max(visit.windows, key=closing).is_hard
    return joined, visit.priority * (problem.hard_late_cost_per_s if is_hard else problem.late_cost_per_s)


def _amounts(amount: Amount) -> tuple[float, float, float]:
    return amount.kg, amount.litres, amount.parcels


def day(told: dict[str, Any], matrix: bytes) -> Any:
    """The core's own copy of what `laid_out` says."""
    energy = told["energy"]
    cells = 8 * (len(told["names"]) + len(energy["chargers"] if energy else ())) ** 2
    made = core.Day(len(told["names"]), matrix[:cells], no_road_s=NO_ROAD_S, no_road_price=NO_ROAD_COST)
    if energy:
        for charger in energy["chargers"]:
            made.add_charger(**charger)
        rest = {key: value for key, value in energy.items() if key != "chargers"}
        made.set_energy(**rest, use=matrix[cells : 2 * cells], use_per_kg=matrix[2 * cells :])
    for stop in told["stops"]:
        windows = [(float("-inf") if opens is None else opens, closes) for opens, closes in stop.get("windows", ())]
        made.add_stop(**{**stop, "windows": windows})
    made.set_prices(**told["prices"])
    made.set_slots(told["slots"])
    made.set_load(told["aboard"], [float("inf") if most is None else most for most in told["capacity"]])
    made.set_frozen(told["frozen"])
    return made
