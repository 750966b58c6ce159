"""The benchmark of charging: the public format, the exact search against every order, a report that can be read."""

import json
from itertools import permutations
from pathlib import Path

import pytest

from agent.localroute.charging import appraised
from agent.localroute.engine import is_built
from benchmarks.__main__ import main
from benchmarks.energy_cases import made
from benchmarks.energy_exact import cheapest
from benchmarks.evrptw import as_problem, distance, driven, is_feasible, read, read_routes
from tests.builders import a_whole_problem, electrified

INSTANCE = """StringID   Type       x          y          demand     ReadyTime  DueDate    ServiceTime
D0         d          0.0        0.0        0.0        0.0        1000.0     0.0
S1         f          10.0       0.0        0.0        0.0        1000.0     0.0
C1         c          20.0       0.0        10.0       0.0        500.0      5.0
C2         c          30.0       0.0        10.0       0.0        500.0      5.0

Q Vehicle fuel tank capacity /55.0/
C Vehicle load capacity /20.0/
r fuel consumption rate /1.0/
g inverse refueling rate /2.0/
v average Velocity /1.0/
"""


def written(folder: Path) -> Path:
    (folder / "tiny.txt").write_text(INSTANCE)
    (folder / "tiny.solution-60.txt").write_text("# a comment\n60\nD0, S1, C1, C2, D0, D0")
    (folder / "bks.csv").write_text("instance,vehicles,distance,status\ntiny,1,60.0,optimal\n")
    return folder / "tiny.txt"


def test_a_published_route_is_driven_and_charged_as_it_is_written(tmp_path: Path) -> None:
    instance = read(written(tmp_path))
    (route,) = read_routes(tmp_path / "tiny.solution-60.txt")
    problem = as_problem(instance, ["C1", "C2"])
    answer = driven(problem, route)
    assert (distance(answer), is_feasible(problem, answer), answer.end_kwh) == (60.0, True, 5.0)
    # It arrives at the station with 45 of 55 and is charged to the full.
    assert answer.charges[0].leave_s - answer.charges[0].arrive_s == 2.0 * 10
    never = driven(problem, ["C1", "C2"])
    assert (distance(never), is_feasible(problem, never)) == (60.0, False)


def test_a_file_in_another_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "bad.txt"
    for text in ("", "hello", INSTANCE.replace("1000.0", "soon"), INSTANCE.replace("D0         d", "D0         x")):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"bad\.txt is no E-VRPTW instance"):
            read(path)


@pytest.mark.parametrize("seed", range(4))
def test_the_exact_search_finds_what_every_order_in_turn_comes_to(seed: int) -> None:
    problem = made(4, seed)
    best = cheapest(problem)
    assert best is not None
    orders = permutations(visit.stop_id for visit in problem.visits)
    assert best.cost == pytest.approx(min(appraised(problem, order).cost for order in orders))


def test_the_exact_search_refuses_a_problem_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="more in it"):
        cheapest(electrified(a_whole_problem(6, 3), 3))


@pytest.mark.skipif(not is_built(), reason="the core is not built")
def test_the_report_counts_what_was_met_and_names_the_machine(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "tiny.solution-60.txt").write_text("60\nD0, C1, C2, S1, D0")
    report = tmp_path / "report.json"
    argv = ["--instances", str(tmp_path), "--made", "2", "--limit", "0.3", "--report", str(report)]
    assert main(["energy", *argv]) == 0
    told = json.loads(report.read_text())
    assert told["summary"] == [{"instances": 2, "matched_or_better": 2, "generated": 2, "equal_to_exact": 2}]
    assert str(tmp_path) not in report.read_text()
