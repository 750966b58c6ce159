"""The benchmark of arrival ranges: fair to the fixed window, the same again for a seed, and its days are told apart."""

from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.promise import fixed_width_s, lived, picture_of, ratio, share_held, told
from benchmarks.promise_days import a_round, history_day, judged_day
from benchmarks.promise_van import Look
from scripts.promisepicture import band_of, svg


def a_look(came_s: float = 1_000.0, half_s: float = 100.0, planned_s: float = 1_000.0, day: int = 1) -> Look:
    return Look(
        day=day,
        stop_id="001",
        at_s=0.0,
        planned_s=planned_s,
        p10_s=planned_s - half_s,
        p50_s=planned_s,
        p90_s=planned_s + half_s,
        came_s=came_s,
    )


def test_a_look_holds_when_the_van_comes_within_the_range() -> None:
    assert share_held([a_look(1_000), a_look(1_100), a_look(1_101), a_look(899)]) == 50.0


@given(st.lists(st.floats(-5_000, 5_000), min_size=2, max_size=60), st.floats(1, 100))
def test_the_fixed_window_holds_as_often_as_asked_and_none_narrower_does(off_s: list[float], held_pct: float) -> None:
    looks = [a_look(1_000 + off) for off in off_s]
    width_s = fixed_width_s(looks, held_pct)

    def most_within(width: float) -> int:
        came = [look.came_s - look.planned_s for look in looks]
        return max(sum(early <= one <= early + width for one in came) for early in came)

    needed = held_pct / 100 * len(looks)
    assert most_within(width_s + 1e-6) >= needed - 1e-6
    if width_s > 1e-3:
        assert most_within(width_s - 1e-3) < needed


def test_the_fixed_window_knows_one_offset_and_loses_nothing_to_a_plan_that_is_always_late() -> None:
    looks = [a_look(1_600 + step, half_s=80) for step in range(-50, 51, 10)]
    assert fixed_width_s(looks, 100.0) == 100.0
    assert ratio([a_look(1_000 + step, half_s=50) for step in range(-50, 51, 10)]) == 1.0


def test_the_same_seed_gives_the_same_looks_and_the_figures_name_days_stops_coverage_and_width() -> None:
    looks = lived(7, "rehearsal", history_days=2)
    assert looks == lived(7, "rehearsal", history_days=2)
    figures = {figure.what: figure for figure in told(looks)}
    assert list(figures)[:4] == ["days", "stops", "coverage", "width_ratio"]
    assert figures["stops"].value == 70
    assert (figures["coverage"].at_least, figures["coverage"].at_most) == (75.0, 85.0)
    day = picture_of(looks)
    for stop in day["stops"].values():
        assert band_of(stop).count((stop["came"], stop["came"])) == 1
    drawing = ET.fromstring(svg(day))
    bands = [part for part in drawing.iter() if part.get("class") == "band" and part.tag.endswith("polygon")]
    assert len(bands) == len(day["stops"]) > 5


def test_no_day_of_learning_is_a_day_that_is_judged_and_the_laws_differ() -> None:
    world = a_round(3)
    learned, rehearsed, judged = (
        [happens.visit_s for happens in day.happens.values()]
        for day in (history_day(world, 0), judged_day(world, "rehearsal"), judged_day(world, "test"))
    )
    assert learned != judged != rehearsed
    assert judged == [happens.visit_s for happens in judged_day(a_round(3), "test").happens.values()]
