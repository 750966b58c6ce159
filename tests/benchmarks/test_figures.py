"""Figures say whether they are met, thinning keeps its word, and the page is what the reports say."""

import itertools
import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figure import Figure, conclude, percentile
from benchmarks.machine import machine
from benchmarks.thinning import thinned
from benchmarks.tracks import Track
from benchmarks.uplink import measured, on_air_bytes
from scripts import headline
from scripts.figures import page
from wire.geo import Place, distance_m
from wire.track import Breadcrumb

AT_MS = 1_795_420_800_000


def a_crumb(second: int, north_m: float) -> Breadcrumb:
    return Breadcrumb(wall_ms=AT_MS + 1000 * second, lat_deg=41.15 + north_m / 111_195, lon_deg=-8.61)


def place_at(kept: list[Breadcrumb], wall_ms: int) -> Place:
    """Where a reader of the thinned track takes the van to be."""
    after = next(place for place, crumb in enumerate(kept) if crumb.wall_ms >= wall_ms)
    a, b = kept[max(0, after - 1)], kept[after]
    part = (wall_ms - a.wall_ms) / max(1, b.wall_ms - a.wall_ms)
    return Place(lat_deg=a.lat_deg + (b.lat_deg - a.lat_deg) * part, lon_deg=a.lon_deg)


@given(st.lists(st.floats(-200, 200), min_size=1, max_size=200))
def test_no_crumb_is_further_than_the_tolerance_from_the_thinned_track(north_m: list[float]) -> None:
    crumbs = [a_crumb(second, metres) for second, metres in enumerate(north_m)]
    kept = thinned(crumbs, 5.0)
    assert (kept[0], kept[-1]) == (crumbs[0], crumbs[-1])
    for crumb in crumbs:
        there = Place(lat_deg=crumb.lat_deg, lon_deg=crumb.lon_deg)
        assert distance_m(there, place_at(kept, crumb.wall_ms)) <= 5.05


def test_a_standing_van_leaves_a_crumb_a_minute() -> None:
    kept = thinned([a_crumb(second, 0.0) for second in range(600)], 5.0)
    gaps = [(b.wall_ms - a.wall_ms) / 1000 for a, b in itertools.pairwise(kept)]
    assert max(gaps) <= 60
    assert len(kept) < 25


def test_longer_batches_cost_less_and_the_air_always_more_than_the_payload() -> None:
    rows = measured(Track("line", tuple(a_crumb(second, 8.0 * second) for second in range(1200))))
    short, long = rows[0], rows[1]
    assert (short["batch_s"], long["batch_s"]) == (60, 300)
    assert long["payload_mb_day"] < short["payload_mb_day"]
    assert all(row["on_air_mb_day"] > row["payload_mb_day"] for row in rows)
    assert on_air_bytes(b"x" * 1000) > 1400


def test_a_figure_says_whether_it_is_met_and_one_without_a_must_says_nothing() -> None:
    assert Figure("a", 4, "s", at_most=5).is_met is True
    assert Figure("a", 6, "s", at_most=5).is_met is False
    assert Figure("a", 6, "records/s", at_least=7).is_met is False
    assert Figure("a", 6, "s").is_met is None
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0


def test_the_page_holds_each_figure_with_command_machine_and_load(tmp_path: Path) -> None:
    report = tmp_path / "wear.json"
    at_start = machine(["scripts/bench", "wear", "--report", "x.json"], ["pydantic"])
    conclude([Figure("written", 41.5, "MB", at_most=40)], [], at_start, report, ["one note"])
    text = page({"wear": json.loads(report.read_text())})
    assert "| written | 41.5 MB | at most 40: **missed** |" in text
    assert "`scripts/bench wear`" in text
    assert "load" in text
    assert "- one note" in text


def a_report(summary: list[dict[str, Any]], load: float = 0.2) -> dict[str, Any]:
    return {"summary": summary, "machine": {"load_1_min": load, "cpu": "A chip", "cores": 2}}


def test_the_readme_sets_each_engine_beside_ours_and_says_what_was_missed_or_busy() -> None:
    line = {"runs": 4, "feasible": 4, "limit_s": 0.2, "mean_gap_pct": 0.041, "day": "late", "mean_cost": 1234.0}
    line["mean_cost_95_pct"] = 100.0
    engines = [{**line, "engine": "core"}, {**line, "engine": "pyvrp", "feasible": 3, "mean_gap_pct": 0.5}]
    rate = {"what": "idle: record to receipt, p50", "value": 16.0, "unit": "ms", "at_least": None, "at_most": 15.0}
    reports = {
        "resequence": a_report(engines),
        "late_van": a_report(engines),
        "sync": a_report([{**rate, "is_met": False}], load=3.0),
    }
    text = headline.put_in(f"above\n{headline.BEGIN}\nold\n{headline.END}\nbelow\n", reports)
    assert text.startswith("above\n")
    assert text.endswith("\nbelow\n")
    assert "| 0.2 s | 0.04 % | 0.50 %, 3 of 4 feasible |" in text
    assert "| late | 0.2 s | 1.2 ± 0.1 | 1.2 ± 0.1 |" in text
    assert "| sync | idle: record to receipt, p50 | 16 ms | at most 15, **missed** |" in text
    assert "other work: sync." in text
    assert "old" not in text


def test_the_readme_tells_the_slowest_closure_for_each_limit() -> None:
    runs = [{"limit": "full", "repaired_s": 0.3, "exact_s": exact_s} for exact_s in (2.4, 3.4)]
    quarter = {"limit": "quarter", "repaired_s": 0.7, "exact_s": 9.2}
    text = headline.tables({"closure": a_report([*runs, quarter])})
    assert "| road closed to the order by road, 150 stops: slowest of 2 | 3.4 s | at most 3, **missed** |" in text
    assert (
        "| road closed to the order by road, 150 stops, a quarter of a core: slowest of 1 | 9.2 s | at most 12 |"
        in text
    )
