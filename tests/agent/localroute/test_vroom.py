"""VROOM's JSON: a day comes in whole, goes out as VROOM would say it, and what is not understood is refused by name."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import DayError
from agent.localroute.check import broken_rules, evaluate
from agent.localroute.problem import Amount
from agent.localroute.repair import repaired
from agent.localroute.vroom import VroomDay


def a_day(**changes: Any) -> dict[str, Any]:
    """A van at place 0 with two deliveries, a return, a shipment from 4 to 1, and a break."""
    durations = [[abs(here - there) * 100 for there in range(5)] for here in range(5)]
    return {
        "vehicles": [
            {
                "id": 7,
                "start_index": 0,
                "end_index": 0,
                "capacity": [10, 100],
                "time_window": [28_800, 36_000],
                "breaks": [{"id": 1, "time_windows": [[30_000, 31_000]], "service": 600}],
            }
        ],
        "jobs": [
            {"id": 1, "location_index": 1, "service": 60, "delivery": [3, 5], "time_windows": [[28_800, 29_000]]},
            {"id": 2, "location_index": 2, "setup": 30, "service": 60, "delivery": [2, 5], "priority": 100},
            {"id": 3, "location_index": 3, "service": 60, "pickup": [4]},
        ],
        "shipments": [
            {
                "pickup": {"id": 9, "location_index": 4},
                "delivery": {"id": 9, "location_index": 1, "description": "to the back door"},
                "amount": [1],
            }
        ],
        "matrices": {"car": {"durations": durations}},
        **changes,
    }


def read(day: dict[str, Any]) -> VroomDay:
    return VroomDay(json.dumps(day))


def test_every_part_of_a_day_comes_in() -> None:
    problem = read(a_day()).problem
    first, second, back, collected, dropped, pause = problem.visits
    assert [visit.stop_id for visit in problem.visits] == [
        "job-1",
        "job-2",
        "job-3",
        "pickup-9",
        "delivery-9",
        "break-1",
    ]
    assert (first.windows[0].opens_s, first.windows[0].closes_s, first.windows[0].is_hard) == (0, 200, True)
    assert (second.setup_s, second.service_s, second.priority) == (30, 60, 11)
    assert (first.load, back.load) == (Amount(kg=-3, litres=-5), Amount(kg=4))
    assert (collected.load.kg, dropped.load.kg, dropped.pickup) == (1, -1, "pickup-9")
    assert (pause.is_anywhere, pause.service_s, pause.windows[0].opens_s) == (True, 600, 1200)
    assert problem.aboard == Amount(kg=5, litres=10)
    assert (problem.capacity.kg, problem.capacity.litres, problem.capacity.parcels) == (10, 100, None)
    assert (problem.shift_end_s, problem.ends_anywhere) == (7200, False)
    assert problem.travel_s[3][4] == 100  # place 3 to place 4
    assert problem.travel_s[0][6] == 0


def test_the_answer_tells_times_loads_and_places_as_vroom_does() -> None:
    day = read(a_day())
    order = ("job-1", "job-2", "job-3", "pickup-9", "break-1", "delivery-9")
    told = day.told(evaluate(day.problem, order))
    (route,) = told["routes"]
    steps = route["steps"]
    assert [(step["type"], step.get("id")) for step in steps] == [
        ("start", None),
        ("job", 1),
        ("job", 2),
        ("job", 3),
        ("pickup", 9),
        ("break", 1),
        ("delivery", 9),
        ("end", None),
    ]
    assert [step["arrival"] for step in steps] == [28_800, 28_900, 29_060, 29_250, 29_410, 29_410, 30_900, 31_000]
    assert [step["load"][0] for step in steps] == [5, 2, 0, 4, 5, 5, 4, 4]
    assert [step["duration"] for step in steps] == [0, 100, 200, 300, 400, 400, 700, 800]
    assert steps[5]["waiting_time"] == 590
    assert (steps[6]["description"], steps[6]["location_index"]) == ("to the back door", 1)
    assert told["summary"]["duration"] == 800
    assert told["summary"]["violations"] == []
    assert told["unassigned"] == []


def test_what_cannot_be_kept_is_a_violation_of_its_step() -> None:
    day = a_day()
    day["vehicles"][0]["capacity"] = [5]
    day["jobs"][2]["pickup"] = [9]
    read_day = read(day)
    order = ("job-3", "job-2", "job-1", "pickup-9", "delivery-9", "break-1")
    steps = read_day.told(evaluate(read_day.problem, order))["routes"][0]["steps"]
    assert steps[0]["violations"] == []  # it sets out with 5, as much as it takes
    assert {"cause": "load"} in steps[1]["violations"]
    assert {"cause": "delay", "duration": 450} in steps[3]["violations"]  # at 29,450, and its window closes at 29,000


def test_a_van_that_sets_out_with_too_much_is_told_at_its_start() -> None:
    day = a_day()
    day["vehicles"][0]["capacity"] = [4]
    read_day = read(day)
    told = read_day.told(evaluate(read_day.problem, repaired(read_day.problem)))
    assert told["routes"][0]["steps"][0]["violations"] == [{"cause": "load"}]


def test_without_an_end_the_day_ends_with_the_last_task() -> None:
    day = a_day()
    del day["vehicles"][0]["end_index"]
    read_day = read(day)
    assert read_day.problem.ends_anywhere
    told = read_day.told(evaluate(read_day.problem, repaired(read_day.problem)))
    assert told["routes"][0]["steps"][-1]["type"] != "end"


def test_the_drivers_order_comes_in_as_steps() -> None:
    day = a_day()
    day["vehicles"][0]["steps"] = [{"type": "start"}, {"type": "job", "id": 3}, {"type": "job", "id": 1}]
    assert read(day).problem.warm_order == ("job-3", "job-1")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda day: day["vehicles"].append(day["vehicles"][0]), "vehicles"),
        (lambda day: day["vehicles"][0].update(skills=[1]), "vehicles.0.skills: is not something this engine knows"),
        (lambda day: day["jobs"][0].update(location_index=5), "job-1 needs an index into the matrix, 0 to 4"),
        (lambda day: day["jobs"][0].pop("location_index"), "job-1 needs an index"),
        (lambda day: day["jobs"].append(day["jobs"][0]), "job-1 stands twice"),
        (lambda day: day["jobs"][0].update(time_windows=[[9, 3]]), "closes before"),
        (lambda day: day["vehicles"][0].update(time_window=[100, 5]), "closes at 5, before it opens at 100"),
        (lambda day: day["jobs"][0].update(service=-1), "jobs.0.service"),
        (lambda day: day.update(matrices={}), "there is no matrices.car"),
        (lambda day: day["matrices"]["car"]["durations"].pop(), "as many columns as rows"),
        (lambda day: day["vehicles"][0].update(steps=[{"type": "job", "id": 8}]), "job-8, which is not in the day"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(spoil: Any, words: str) -> None:
    day = a_day()
    spoil(day)
    with pytest.raises(DayError, match=words):
        read(day)


@settings(deadline=None, max_examples=40)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_no_day_is_refused(text: bytes) -> None:
    with pytest.raises(DayError):
        VroomDay(text)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(0, 12))
def test_times_told_are_those_of_the_judge(seed: int, count: int) -> None:
    dice = Random(seed)
    size = count + 1
    durations = [[dice.randint(0, 900) if here != there else 0 for there in range(size)] for here in range(size)]
    jobs = [{"id": n, "location_index": n, "service": dice.randint(0, 300)} for n in range(1, size)]
    day = read(
        {
            "vehicles": [{"id": 1, "start_index": 0, "end_index": 0}],
            "jobs": jobs,
            "matrices": {"car": {"durations": durations}},
        }
    )
    order = repaired(day.problem)
    assert broken_rules(day.problem, order) == ()
    answer = evaluate(day.problem, order)
    steps = day.told(answer)["routes"][0]["steps"]
    assert [step["arrival"] for step in steps[1:-1]] == [timing.arrive_s for timing in answer.timings]
    assert steps[-1]["arrival"] == answer.end_s


@pytest.mark.system
def test_a_day_in_a_file_is_sequenced_and_nonsense_is_told_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "day.json"
    file.write_text(json.dumps(a_day()))
    done = _agent("sequence", str(file), "0.5")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["code"] == 0
    assert told["summary"]["violations"] == []
    for arguments in ((str(file), "nan"), (str(file), "0"), (str(tmp_path / "none.json"), "1")):
        refused = _agent("sequence", *arguments)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)


def _agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments], capture_output=True, text=True, check=False, timeout=60
    )
