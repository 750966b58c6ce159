"""`python -m scripts.figures`: docs/figures.md, the README's tables, the tables and pictures of docs/sequencing.md and
docs/arrival-times.md and the picture of docs/energy.md, written from the benchmarks' reports in docs/reports/, never by
hand.

With `--check` it says whether all are fresh, and writes nothing.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts import energypicture, headline, promisepicture, stabilitypicture, trackpicture

CHECKOUT = Path(__file__).resolve().parent.parent
REPORTS = CHECKOUT / "docs" / "reports"
PAGE = CHECKOUT / "docs" / "figures.md"
README = CHECKOUT / "README.md"
SEQUENCING = CHECKOUT / "docs" / "sequencing.md"
ARRIVALS = CHECKOUT / "docs" / "arrival-times.md"
RANGES = CHECKOUT / "docs" / "pictures" / "arrival-ranges.svg"
GPS = CHECKOUT / "docs" / "gps.md"
TRACKS = CHECKOUT / "docs" / "pictures" / "gps-tracks.svg"
PICTURE = CHECKOUT / "docs" / "pictures" / "stability.svg"
ENERGY_PICTURE = CHECKOUT / "docs" / "pictures" / "energy.svg"
HEAD = """# Figures

Written by `python -m scripts.figures` from the reports in `docs/reports/`. What each figure must be is decided in the
design; a figure marked preliminary was taken while the machine had other work, and is there for its direction.
"""


def page(reports: dict[str, dict[str, Any]]) -> str:
    """The text of the page; `reports` by the name of their file."""
    return "\n".join([HEAD, *(_section(name, report) for name, report in sorted(reports.items()))])


def main(argv: list[str]) -> int:
    reports = {path.stem: json.loads(path.read_text()) for path in REPORTS.glob("*.json")}
    fresh = {PAGE: page(reports), README: headline.put_in(README.read_text(), reports)}
    if "stability" in reports:
        told = reports["stability"]
        fresh[SEQUENCING] = headline.between_marks(SEQUENCING.read_text(), "\n".join(_table(told["summary"])))
        fresh[PICTURE] = stabilitypicture.svg(told["day"])
    if "promise" in reports:
        told = reports["promise"]
        fresh[ARRIVALS] = headline.between_marks(ARRIVALS.read_text(), "\n".join(_table(told["summary"])))
        fresh[RANGES] = promisepicture.svg(told["day"])
    if "energy" in reports:
        fresh[ENERGY_PICTURE] = energypicture.svg(reports["energy"]["day"])
    if "gps" in reports:
        told = reports["gps"]
        rows = "\n".join([*_table(told["rows"]), "", *_table(told["summary"])])
        fresh[GPS] = headline.between_marks(GPS.read_text(), rows)
        fresh[TRACKS] = trackpicture.svg(told["tracks"])
    stale = [path.name for path, text in fresh.items() if not path.exists() or path.read_text() != text]
    if argv == ["--check"]:
        if stale:
            print(f"{', '.join(stale)}: stale; run python -m scripts.figures", file=sys.stderr)
        return 1 if stale else 0
    for path, text in fresh.items():
        path.write_text(text)
    return 0


def _section(name: str, report: dict[str, Any]) -> str:
    at = report["machine"]
    is_busy = headline.was_busy(report)
    lines = [f"## {name}{' (preliminary)' if is_busy else ''}", "", f"`{_command(at['command'])}`", ""]
    lines.append(
        f"{at['cpu']}, {at['cores']} cores, load {at['load_1_min']} before"
        + (f" and {at['load_1_min_at_end']} after" if "load_1_min_at_end" in at else "")
        + f"; {at['system']}, Python {at['python']}"
        + "".join(f", {package} {version}" for package, version in at["packages"].items())
        + "."
    )
    lines += ["", *_table(report["summary"]), ""]
    lines += [f"- {note}" for note in report.get("notes", ())]
    return "\n".join(lines).rstrip() + "\n"


def _command(command: str) -> str:
    return command.split(" --report ", maxsplit=1)[0]


def _table(summary: list[dict[str, Any]]) -> list[str]:
    if summary and "what" in summary[0]:
        rows = [(row["what"], f"{row['value']:,g} {row['unit']}", _must(row)) for row in summary]
        return _as_table(("figure", "measured", "must"), rows)
    keys = tuple(summary[0]) if summary else ()
    return _as_table(keys, [tuple(str(row[key]) for key in keys) for row in summary])


def _must(row: dict[str, Any]) -> str:
    if row["is_met"] is None:
        return ""
    return f"{headline.bound(row)}: {'met' if row['is_met'] else '**missed**'}"


def _as_table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, tuple("---" for _ in head), *rows)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
