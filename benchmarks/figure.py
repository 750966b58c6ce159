"""What a benchmark comes to: figures, what DESIGN section 7 asks of them, and the report they are kept in."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figure:
    """One number, and what it must not exceed or fall below; neither when it stands beside for comparison."""

    what: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool | None:
        """None when nothing is asked of it."""
        if self.at_most is None and self.at_least is None:
            return None
        is_enough = self.at_least is None or self.value >= self.at_least
        return is_enough and (self.at_most is None or self.value <= self.at_most)

    def as_row(self) -> dict[str, Any]:
        return {**asdict(self), "is_met": self.is_met}

    def __str__(self) -> str:
        bounds = [
            f"at {side} {bound:g}"
            for side, bound in (("least", self.at_least), ("most", self.at_most))
            if bound is not None
        ]
        asked = f" (must be {' and '.join(bounds)}: {'met' if self.is_met else 'MISSED'})" if bounds else ""
        return f"{self.what}: {self.value:g} {self.unit}{asked}"


def conclude(
    figures: Sequence[Figure],
    rows: Sequence[dict[str, Any]],
    at_start: dict[str, Any],
    report: Path | None,
    notes: Sequence[str] = (),
    *,
    beside: Mapping[str, Any] | None = None,
) -> None:
    """Says the figures and writes the report, if one is wanted. `notes` say what the figures do not cover; `beside` is
    written as it is: `is_timed=False` says that no other work on this machine would change a figure.
    """
    for figure in figures:
        print(figure)
    for note in notes:
        print(f"  {note}")
    at_end = {**at_start, "load_1_min_at_end": round(os.getloadavg()[0], 2)}
    print(
        f"on {at_end['cpu']}, {at_end['cores']} cores, load {at_end['load_1_min']} before and "
        f"{at_end['load_1_min_at_end']} after"
    )
    if report is not None:
        document = {
            "rows": list(rows),
            "summary": [figure.as_row() for figure in figures],
            "notes": list(notes),
            **(beside or {}),
            "machine": at_end,
        }
        report.write_text(json.dumps(document, indent=1) + "\n")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that this share (0 to 1) of all values does not exceed; nan without values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")
