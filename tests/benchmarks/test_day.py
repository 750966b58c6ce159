"""The day lived three ways: the same again for a seed, every stop once, and the figures counted rightly."""

import asyncio

import pytest

from agent.localroute.engine import is_built
from benchmarks.day import told
from benchmarks.outage_day import NOT_AT_HOME, Way, lived

needs_core = pytest.mark.skipif(not is_built(), reason="the core is not built: no compiler when scripts/setup ran")


@needs_core
@pytest.mark.parametrize("way", Way)
def test_every_stop_is_visited_once_and_the_same_seed_is_the_same_day(way: Way) -> None:
    first, again = (asyncio.run(lived(4, way, stops=14, iterations=5)) for _ in range(2))
    assert first == again
    assert len(first.served) == 14 > NOT_AT_HOME


@needs_core
def test_the_fixed_order_never_changes_and_the_others_may() -> None:
    days = {way: asyncio.run(lived(1, way, stops=30, iterations=10)) for way in Way}
    assert days[Way.FIXED].moved_stops == 0
    assert len({frozenset(day.served) for day in days.values()}) == 1


def test_the_gap_is_what_knowing_everything_would_keep_more() -> None:
    def row(fixed: int, van: int, oracle: int) -> dict[str, float]:
        rest = {f"{what}_{way}": 1.0 for what in ("km", "late_min") for way in Way}
        return {"windows": 10, "kept_fixed": fixed, "kept_van": van, "kept_oracle": oracle, **rest}

    def closed(*rows: dict[str, float]) -> float:
        return next(figure.value for figure in told(rows) if figure.what == "gap_closed")

    assert closed(row(5, 8, 10), row(7, 8, 9)) == round(4 / 7, 3)
    assert closed(row(5, 4, 10)) == -0.2
    assert closed(row(10, 10, 10)) == 1.0
