from collections.abc import Iterable

import pytest

from agent.learn import today
from agent.learn.conformal import Score
from agent.learn.expect import Expecting, Way, leg_keys, visit_keys
from agent.learn.keys import address_key
from agent.learn.known import known_for
from agent.learn.lessons import MEMORIES, DayLearned, Lesson, Lessons, learned, memory_of
from agent.learn.level import Level
from agent.learn.observe import leg_seen, visit_seen
from agent.learn.today import DaySums
from tests.builders import a_stop, at

HERE, THERE = a_stop(1), a_stop(2)


def after(levels: dict[str, Level], lessons: Iterable[Lesson], day: int = 10) -> dict[str, Level]:
    return levels | learned(levels, DayLearned(day=day, lessons=Lessons().plus(lessons)))


def levels_of(*stops: int) -> dict[str, Level]:
    keys = ["visit/van", "leg/hour/weekday-08", "spread/visit"]
    for number in stops:
        keys += [f"visit/address/{address_key(a_stop(number))}", f"setup/address/{address_key(a_stop(number))}"]
    return {key: Level(weight=3, mean=2.0, day=5) for key in keys}


def test_of_all_addresses_only_those_of_the_day_enter_it() -> None:
    known = known_for([HERE], 10, levels_of(1, 2, 3), {0: [Score(day=5, value=1.0)]})
    personal = {key for key in known.levels if "address" in key}
    assert personal == {f"visit/address/{address_key(HERE)}", f"setup/address/{address_key(HERE)}"}
    assert {"visit/van", "leg/hour/weekday-08", "spread/visit"} <= set(known.levels)
    assert known.ranges[0].scores == 1


def test_what_is_erased_of_an_address_is_gone_and_all_else_stays() -> None:
    known = known_for([HERE, THERE], 10, levels_of(1, 2), {})
    erased = known.without(address_key(HERE))
    assert address_key(HERE) not in erased.model_dump_json()
    assert len(known.levels) - len(erased.levels) == 2
    assert erased.factor(f"visit/address/{address_key(THERE)}") == known.factor(f"visit/address/{address_key(THERE)}")


def test_the_age_of_what_is_known_is_that_of_the_newest_lesson() -> None:
    known = known_for([HERE], 10, levels_of(1), {})
    assert known.newest(visit_keys(HERE)) == 5
    assert known.newest(["leg/van"]) is None


def test_a_visit_twice_as_long_makes_the_next_one_there_longer_and_others_a_little() -> None:
    known = known_for([HERE, THERE], 10, {}, {})
    expecting = Expecting(known, DaySums(), DaySums())
    seen = visit_seen(expecting, HERE, 360.0, None)
    assert seen is not None
    now = Expecting(known_for([HERE, THERE], 10, after({}, seen.lessons), {}), DaySums(), DaySums())
    assert now.visit(HERE).takes_s > now.visit(THERE).takes_s > expecting.visit(THERE).takes_s
    assert now.visit(HERE).takes_s < 360


def test_the_proof_taken_at_the_door_says_how_long_the_way_there_takes() -> None:
    expecting = Expecting(known_for([HERE], 10, {}, {}), DaySums(), DaySums())
    levels: dict[str, Level] = {}
    for _ in range(40):
        seen = visit_seen(expecting, HERE, 180.0, 120.0)
        assert seen is not None
        levels = after(levels, seen.lessons)
    now = Expecting(known_for([HERE], 10, levels, {}), DaySums(), DaySums()).visit(HERE)
    assert now.takes_s == pytest.approx(180, abs=2)
    assert now.setup_s == pytest.approx(120, abs=25)


def test_a_lunch_is_no_visit_and_no_leg() -> None:
    expecting = Expecting(known_for([HERE], 10, {}, {}), DaySums(), DaySums())
    way = Way(300.0, at(0), "UTC", HERE)
    assert visit_seen(expecting, HERE, 3_600.0, None) is None
    assert visit_seen(expecting, HERE, 2.0, None) is None
    assert leg_seen(expecting, way, 7_200.0) is None
    assert leg_seen(expecting, Way(300.0, at(0), "UTC", HERE, is_estimate=True), 300.0) is None


def test_an_unusual_leg_counts_no_more_than_four_times_the_usual() -> None:
    expecting = Expecting(known_for([HERE], 10, {}, {}), DaySums(), DaySums())
    way = Way(300.0, at(0), "UTC", HERE)
    seen = leg_seen(expecting, way, 2_400.0)
    assert seen is not None
    assert {lesson.value for lesson in seen.lessons if lesson.key in leg_keys(way)} == {4.0}


def test_a_slow_day_is_laid_to_the_van_and_not_to_its_addresses() -> None:
    slow = DaySums(count=60, took_s=60 * 360, expected_s=60 * 180, squares=60)
    expecting = Expecting(known_for([HERE], 10, {}, {}), slow, DaySums())
    seen = visit_seen(expecting, HERE, 180 * expecting.visits_factor, None)
    assert seen is not None
    values = {lesson.key: lesson.value for lesson in seen.lessons}
    van, _, address = visit_keys(HERE)
    assert values[van] == pytest.approx(expecting.visits_factor)
    assert values[address] == pytest.approx(1.0)


def test_days_far_off_make_the_next_morning_less_sure() -> None:
    calm = DaySums(count=60, took_s=60 * 180, expected_s=60 * 180, squares=60)
    wild = DaySums(count=60, took_s=60 * 360, expected_s=60 * 180, squares=60)
    doubts = []
    for day in (calm, wild):
        levels: dict[str, Level] = {}
        for number in range(10):
            levels = after(levels, today.lessons(known_for([], number, levels, {}), day, "visit"), number)
        doubts.append(today.doubt(known_for([], 10, levels, {}), DaySums(), "visit"))
    assert doubts[0] < doubts[1]


def test_a_day_of_few_stops_says_nothing_about_days() -> None:
    assert today.lessons(known_for([], 1, {}, {}), DaySums(count=9, took_s=900, expected_s=90), "visit") == ()


def test_every_kind_of_key_has_a_memory() -> None:
    for kind in MEMORIES:
        assert memory_of(f"{kind}/something" if kind.endswith(("kind", "address", "hour", "area")) else kind)
    with pytest.raises(KeyError):
        memory_of("colour/van")


def test_a_day_s_lessons_are_sums_and_forget_an_address() -> None:
    key = f"visit/address/{address_key(HERE)}"
    lessons = Lessons().plus([Lesson(key, 2.0), Lesson(key, 1.0), Lesson("visit/van", 1.5)]).plus_score(3, -0.5)
    assert lessons.sums[key] == (2, 3.0)
    assert lessons.scores == {3: (-0.5,)}
    assert lessons.without(address_key(HERE)).sums == {"visit/van": (1, 1.5)}
