"""The README's tables, from the benchmarks' reports: what the decided figures came to, and each engine beside ours.

`python -m scripts.figures` puts them between two marks in the README.
"""

from collections.abc import Mapping, Sequence
from typing import Any

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
BUSY_LOAD = 0.5
PEERS = {"core": "Roundsman", "pyvrp": "PyVRP", "ortools": "OR-Tools", "vroom": "VROOM"}
PROMISED = {
    "sync": ("4 vans, batches of 50: rate", "idle: record to receipt, p50"),
    "tap": ('tap to "saved", sync of 50 ms: p99',),
    "backlog": ("all stop events at the coordinator", "everything at the coordinator", "agent's PSS, highest"),
    "wear": ("10 h shift without photos: written",),
    "fleet": None,
    "guidance": None,
    "promise": ("coverage", "width_ratio"),
    "uplink": (
        "town-day, every crumb, batches of 300 s: payload",
        "town-day, thinned to 5 m, batches of 300 s: payload",
    ),
}
CLOSED_WITHIN_S = {"full": {"repaired_s": 2.0, "exact_s": 3.0}, "quarter": {"repaired_s": 5.0, "exact_s": 12.0}}
CLOSED = {"repaired_s": "road closed to the order with estimated times", "exact_s": "road closed to the order by road"}
CORES = {"full": "150 stops", "quarter": "150 stops, a quarter of a core"}

type Reports = Mapping[str, Mapping[str, Any]]
type Line = Mapping[str, Any]


def put_in(readme: str, reports: Reports) -> str:
    """The README with fresh tables. Raises ValueError when the marks are not there."""
    return between_marks(readme, tables(reports))


def between_marks(page: str, told: str) -> str:
    """The page with `told` between its two marks. Raises ValueError when they are not there."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n{told}\n{END}{after}"


def was_busy(report: Mapping[str, Any]) -> bool:
    """Whether the machine's other work may have spoilt the figures; those that hang on no clock are not spoilt."""
    return bool(report.get("is_timed", True)) and bool(report["machine"]["load_1_min"] > BUSY_LOAD)


def tables(reports: Reports) -> str:
    parts = []
    if "resequence" in reports:
        lines = reports["resequence"]["summary"]
        head = f"**Re-sequencing, hard windows** ({_runs(lines)} runs of public TSPTW days; gap to the best known tour)"
        parts += [head, "", *_engines(lines, ("limit_s",), _gap), ""]
    if "late_van" in reports:
        lines = reports["late_van"]["summary"]
        head = f"**A day of 150 stops, soft windows** ({_runs(lines)} made days; mean cost, 95 % interval, in 1,000 s)"
        parts += [head, "", *_engines(lines, ("day", "limit_s"), _cost), ""]
    kept = [
        line for name, wanted in PROMISED.items() if name in reports for line in _promised(name, reports[name], wanted)
    ]
    if "closure" in reports:
        kept += _closed(reports["closure"]["summary"])
    kept += _charging(reports)
    if kept:
        parts += ["**The rest**", "", "| | figure | measured | decided |", "| --- | --- | --- | --- |", *kept, ""]
    busy = sorted(name for name, report in reports.items() if was_busy(report))
    machines = sorted(
        {f"{report['machine']['cpu']}, {report['machine']['cores']} cores" for report in reports.values()}
    )
    parts.append(
        f"On {'; '.join(machines)}; commands, versions and loads in [docs/figures.md](docs/figures.md)."
        + (f" Taken while the machine had other work: {', '.join(busy)}." if busy else "")
    )
    return "\n".join(parts)


def _engines(lines: Sequence[Line], by: tuple[str, ...], told: Any) -> list[str]:
    engines = [engine for engine in PEERS if any(line["engine"] == engine for line in lines)]
    cells = {(tuple(line[key] for key in by), line["engine"]): told(line) for line in lines}
    rows = dict.fromkeys(tuple(line[key] for key in by) for line in lines)
    head = ["day" if key == "day" else "time" for key in by] + [PEERS[engine] for engine in engines]
    table = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    for row in rows:
        names = [f"{key:g} s" if isinstance(key, float | int) else str(key) for key in row]
        table.append(f"| {' | '.join([*names, *(cells.get((row, engine), '') for engine in engines)])} |")
    return table


def _gap(line: Line) -> str:
    share = "" if line["feasible"] == line["runs"] else f", {line['feasible']} of {line['runs']} feasible"
    return "none feasible" if line["mean_gap_pct"] is None else f"{line['mean_gap_pct']:.2f} %{share}"


def _cost(line: Line) -> str:
    return f"{line['mean_cost'] / 1000:,.1f} ± {line['mean_cost_95_pct'] / 1000:,.1f}"


def _runs(lines: Sequence[Line]) -> int:
    return max(int(line["runs"]) for line in lines)


def _closed(runs: Sequence[Line]) -> list[str]:
    told = []
    for limit, musts in CLOSED_WITHIN_S.items():
        for what, must_s in musts.items():
            taken = [float(run[what]) for run in runs if run["limit"] == limit]
            if taken:
                missed = "" if max(taken) <= must_s else ", **missed**"
                words = f"{CLOSED[what]}, {CORES[limit]}: slowest of {len(taken)}"
                told.append(f"| closure | {words} | {max(taken):.2g} s | at most {must_s:g}{missed} |")
    return told


def _charging(reports: Reports) -> list[str]:
    """Two counts of days, which are met when each of them is."""
    if "energy" not in reports:
        return []
    told = reports["energy"]["summary"][0]
    rows = (
        ("published E-VRPTW days of one van: at the published cost or better", "matched_or_better", "instances"),
        ("made days with charging, at most 12 stops: as cheap as an exact search", "equal_to_exact", "generated"),
    )
    return [
        f"| energy | {what} | {told[met]} of {told[of]} | all{'' if told[met] == told[of] else ', **missed**'} |"
        for what, met, of in rows
    ]


def _promised(name: str, report: Mapping[str, Any], wanted: tuple[str, ...] | None) -> list[str]:
    told = []
    for line in report["summary"]:
        if line["is_met"] is None or (wanted is not None and line["what"] not in wanted):
            continue
        missed = "" if line["is_met"] else ", **missed**"
        told.append(f"| {name} | {line['what']} | {line['value']:,g} {line['unit']} | {bound(line)}{missed} |")
    return told


def bound(line: Line) -> str:
    """What is asked of a figure: "at most 5", or two bounds."""
    sides = (("least", "at_least"), ("most", "at_most"))
    return " and ".join(f"at {side} {line[key]:,g}" for side, key in sides if line[key] is not None)
