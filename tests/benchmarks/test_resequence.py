"""The benchmark measures what it says: the format, the judge, and a report that can be read."""

import json
from pathlib import Path

import pytest

from agent.localroute.repair import repaired
from benchmarks.__main__ import main
from benchmarks.tsptw import as_problem, judged, made, read

THREE_NODES = "3\n0 10 20\n11 5 12\n21 13 0\n0 100\n15 40\n0 50\n# a comment\n"


def written(folder: Path, text: str = THREE_NODES) -> Path:
    (folder / "Tiny").mkdir()
    path = folder / "Tiny" / "tiny.txt"
    path.write_text(text)
    return path


def test_a_tour_costs_its_travel_and_waiting_is_free(tmp_path: Path) -> None:
    problem = as_problem(read(written(tmp_path)))
    tour = judged(problem, ("0001", "0002"))
    assert (tour.cost, tour.is_feasible) == (10 + 12 + 21, True)


def test_a_tour_that_is_late_anywhere_is_not_feasible(tmp_path: Path) -> None:
    late_home = as_problem(read(written(tmp_path, THREE_NODES.replace("0 100", "0 47"))))
    assert not judged(late_home, ("0001", "0002")).is_feasible
    assert not judged(late_home, ("0001",)).is_feasible


def test_a_file_in_another_format_is_refused_by_name(tmp_path: Path) -> None:
    for text in ("", "3\n0 1\n", "hello", "3 nan"):
        path = tmp_path / "bad.txt"
        path.write_text(text)
        with pytest.raises(ValueError, match=r"bad\.txt is no TSPTW instance"):
            read(path)


def test_the_instances_we_make_can_be_kept() -> None:
    for seed in range(5):
        problem = as_problem(made(12, seed))
        assert len(repaired(problem)) == 12


def test_a_report_has_a_row_for_each_run_and_names_the_machine(tmp_path: Path) -> None:
    written(tmp_path)
    bks = tmp_path / "bks.json"
    bks.write_text(json.dumps([{"family": "Tiny", "name": "tiny.txt", "cost": 43.0}]))
    report = tmp_path / "report.json"
    argv = ["--instances", str(tmp_path), "--bks", str(bks), "--limits", "0.1", "--report", str(report)]
    assert main(["resequence", *argv, "--engines", "ortools,repair"]) == 0
    told = json.loads(report.read_text())
    assert [(row["engine"], row["feasible"], row["gap_pct"]) for row in told["rows"]] == [
        ("ortools", True, 0.0),
        ("repair", True, 0.0),
    ]
    assert [line["feasible"] for line in told["summary"]] == [1, 1]
    assert told["machine"]["cpu"]


def test_alone_it_lists_the_benchmarks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "resequence" in capsys.readouterr().out


def test_what_makes_no_sense_is_refused_with_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["speed"]) == 2
    assert main(["resequence", "--instances", str(tmp_path)]) == 2
    assert "no FAMILY/INSTANCE file" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["resequence", "--limits", "-1"])
    with pytest.raises(SystemExit):
        main(["resequence", "--engines", "magic"])
