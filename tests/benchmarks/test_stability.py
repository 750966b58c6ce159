"""The day with and without stability: the same again for a seed, counted rightly, drawn from first plan to arrival."""

import asyncio
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from agent.localroute.engine import is_built
from benchmarks.stability import means, row, told
from benchmarks.stability_day import AS_THEY_ARE, NOTHING, STARTS_AT, Story, lived
from benchmarks.townroads import TownRoads
from roads.answers import Matrix
from scripts.headline import between_marks
from scripts.stabilitypicture import line_of, minute, svg
from simulator.town import make_town
from wire.manifest import Closure, NodePair

needs_core = pytest.mark.skipif(not is_built(), reason="the core is not built: no compiler when scripts/setup ran")
TOWN = make_town(1)


def a_story(**changes: object) -> Story:
    at = STARTS_AT
    story = Story(
        plans=3,
        moved_stops=2,
        moved_promises=1,
        windows=4,
        windows_kept=3,
        late_s=90.0,
        expected={
            "a": [(at, at + timedelta(hours=1)), (at + timedelta(minutes=20), at + timedelta(hours=1, seconds=20))],
            "b": [(at, at + timedelta(hours=2)), (at + timedelta(minutes=20), at + timedelta(hours=1, minutes=10))],
        },
        served={"a": at + timedelta(minutes=62), "b": at + timedelta(minutes=75)},
        told_again={"b": [at + timedelta(minutes=20)]},
        failed="a",
    )
    for name, value in changes.items():
        setattr(story, name, value)
    return story


@needs_core
def test_a_day_is_the_same_again_for_its_seed_and_another_for_another() -> None:
    def day(seed: int) -> Story:
        return asyncio.run(lived(seed, AS_THEY_ARE, stops=14, iterations=20))

    assert day(3) == day(3)
    assert day(3) != day(4)


@needs_core
def test_every_stop_is_visited_once_with_and_without_stability() -> None:
    days = [asyncio.run(lived(2, prices, stops=45, iterations=2)) for prices in (AS_THEY_ARE, NOTHING)]
    assert [len(day.served) for day in days] == [47, 47]
    assert days[0].served.keys() == days[1].served.keys()
    assert [day.failed for day in days] == [days[0].failed] * 2
    assert all(set(day.new) < day.served.keys() for day in days)


def test_a_closed_road_is_gone_round_and_no_way_is_shorter_for_it() -> None:
    roads = TownRoads(TOWN)
    bridge = TOWN.bridges[0]
    closure = Closure(
        closure_id="bridge",
        pairs=tuple(NodePair(from_node=a, to_node=b) for a, b in bridge.pairs),
        valid_from=STARTS_AT,
        valid_until=STARTS_AT + timedelta(hours=1),
    )

    async def across() -> tuple[Matrix, Matrix, Matrix]:
        ends = [bridge.line[0], bridge.line[-1]]
        before = await roads.matrix(ends)
        await roads.set_closures((closure,), STARTS_AT)
        during = await roads.matrix(ends)
        await roads.set_closures((closure,), STARTS_AT + timedelta(hours=1))
        return before, during, await roads.matrix(ends)

    before, during, after = asyncio.run(across())
    there, round_about = before.travel_s[0][1], during.travel_s[0][1]
    assert there is not None
    assert round_about is not None
    assert round_about > 2 * there
    assert after == before


def test_a_drive_takes_as_long_as_the_matrix_says_and_ends_at_the_door() -> None:
    roads = TownRoads(TOWN)
    door = TOWN.addresses[40].place
    drive = roads.drive(TOWN.depot, door)
    cell = asyncio.run(roads.matrix([TOWN.depot, door])).travel_s[0][1]
    assert cell == pytest.approx(drive.travel_s)
    assert drive.at(0.0) == TOWN.depot
    assert drive.at(drive.travel_s) == door


def test_means_are_taken_over_the_days_of_one_kind() -> None:
    rows = [
        {"stability": side, **row(a_story(plans=plans))}
        for side, plans in (("on", 2), ("on", 4), ("off", 9), ("off", 9))
    ]
    assert means(rows)[0] == {"mean of a day": "plans made", "on": "3.0", "off": "9.0", "difference": "-6.0 ± 2.0"}


def test_a_line_begins_with_the_first_plan_and_ends_where_the_van_came() -> None:
    stops = told(a_story())["stops"]
    assert stops["a"]["expected"] == "08:00>09:00"
    points = line_of(stops["b"])
    assert points[0] == (minute("08:00"), minute("10:00"))
    assert points[-1] == (minute("09:15"), minute("09:15"))
    assert (minute("08:20"), minute("09:10")) in points
    assert [at for at, _ in points] == sorted(at for at, _ in points)


def test_the_picture_has_each_stop_on_each_side_a_second_colour_from_where_told_and_says_in_words_what_it_shows() -> (
    None
):
    day = {"happened": [["09:40", "bridge"]], "on": told(a_story()), "off": told(a_story(moved_promises=5))}
    picture = ET.fromstring(svg(day))
    space = "{http://www.w3.org/2000/svg}"
    lines = [line.get("class") for line in picture.iter(f"{space}polyline")]
    assert sorted(lines, key=str) == ["calm", "calm", "calm", "calm", "told", "told"]
    said = picture.find(f"{space}desc")
    assert said is not None
    assert "stability off: stops moved: 2; another time told to a customer: 5" in (said.text or "")
    assert "stability on: stops moved: 2; another time told to a customer: 1" in (said.text or "")


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="no <!-- figures: begin -->"):
        between_marks("no marks", "figures")
