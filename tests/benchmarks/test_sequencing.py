"""The sequencing benchmarks: days that stay the same, peers that answer, reports that can be read."""

import hashlib
import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from agent.localroute.check import broken_rules, evaluate
from agent.localroute.engine import is_built
from benchmarks import pyvrp_peer, vroom_peer
from benchmarks.__main__ import main
from benchmarks.days import a_day
from benchmarks.engines import interval
from tests.builders import a_problem


def test_the_made_days_are_frozen() -> None:
    day = a_day(30, seed=1, late_s=60.0)
    visits = [(visit.setup_s, visit.service_s, [dict(window) for window in visit.windows]) for visit in day.visits]
    text = repr((visits, day.travel_s, day.warm_order, day.shift_end_s))
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == "f09931f987007a35"


def test_a_late_day_is_the_same_day_with_the_clock_further_on() -> None:
    on_time, late = a_day(20, seed=2), a_day(20, seed=2, late_s=600.0)
    assert late.travel_s == on_time.travel_s
    assert late.warm_order == on_time.warm_order
    for was, now in zip(on_time.visits, late.visits, strict=True):
        assert [w.closes_s - 600.0 for w in was.windows] == pytest.approx([w.closes_s for w in now.windows])


def test_five_stops_came_in_since_and_stand_behind_the_plan() -> None:
    assert a_day(40, seed=3).warm_order[-5:] == ("s036", "s037", "s038", "s039", "s040")


@pytest.mark.parametrize("are_soft_hard", [True, False])
@pytest.mark.skipif(find_spec("pyvrp") is None, reason="the bench extra is not installed")
def test_pyvrp_serves_every_stop_and_is_never_worse_than_the_plan(are_soft_hard: bool) -> None:
    problem = a_day(20, seed=1, late_s=600.0)
    order = pyvrp_peer.solved(problem, 0.2, 1, are_soft_hard=are_soft_hard)
    assert broken_rules(problem, order) == ()
    assert evaluate(problem, order).cost <= evaluate(problem, problem.warm_order).cost


@pytest.mark.skipif(find_spec("vroom") is None, reason="the bench extra is not installed")
def test_what_vroom_leaves_out_is_appended() -> None:
    problem = a_day(20, seed=1, late_s=600.0)
    assert broken_rules(problem, vroom_peer.solved(problem, 0.2, 1)) == ()


def test_the_peers_quick_cost_is_the_judges() -> None:
    problem = a_problem(12, seed=4, moved_stop_cost_s=0.0, shift_end_s=1500.0)
    order = list(range(12))
    cost = pyvrp_peer._true_cost(problem)(order)
    assert cost == pytest.approx(evaluate(problem, [problem.visits[node].stop_id for node in order]).cost)


@pytest.mark.skipif(not is_built(), reason="the core is not built")
def test_the_late_van_reports_both_days_and_how_much_dearer_the_others_are(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    asked = ["--stops", "12", "--seeds", "1-2", "--limits", "0.2", "--engines", "core,plan", "--report", str(report)]
    assert main(["late_van", *asked]) == 0
    told = json.loads(report.read_text())
    assert {(row["day"], row["engine"]) for row in told["rows"]} == {
        (day, engine) for day in ("on time", "late") for engine in ("core", "plan")
    }
    assert all(row["gap_pct"] == 0 for row in told["rows"] if row["engine"] == "core")
    assert all(line["dearer_than_core"] >= 0 for line in told["summary"] if line["engine"] == "plan")


@pytest.mark.skipif(not is_built(), reason="the core is not built")
def test_growth_reports_a_row_for_each_day(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    asked = ["--stops", "8", "--days", "2", "--limit", "0.2", "--steps", "0.1", "--report", str(report)]
    assert main(["growth", *asked]) == 0
    assert [row["n"] for row in json.loads(report.read_text())["rows"]] == [8, 8]


def test_an_interval_is_students() -> None:
    mean, half = interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
    assert mean == 5.5
    assert half == pytest.approx(2.262 * 3.02765 / 10**0.5, rel=1e-3)
