from hypothesis import given
from hypothesis import strategies as st

from roads.answers import Cells
from roads.known import KnownTimes, Table
from wire.geo import Place

EVERY = [Place(lat_deg=41.0 + number / 100, lon_deg=-8.0) for number in range(12)]


def asked(places: list[Place], sources: list[Place], destinations: list[Place]) -> Table:
    """What an engine would answer, different for each pair and each way."""

    def cells(factor: float) -> Cells:
        return tuple(tuple(factor * (100 * EVERY.index(a) + EVERY.index(b)) for b in destinations) for a in sources)

    assert set(sources + destinations) <= set(places)
    return cells(1.0), cells(0.5)


@given(st.lists(st.sampled_from(EVERY), max_size=12), st.lists(st.sampled_from(EVERY), max_size=12))
def test_a_table_filled_with_new_rows_and_columns_is_the_table_asked_for_whole(
    before: list[Place], now: list[Place]
) -> None:
    known = KnownTimes(tuple(before), asked(before, before, before))
    new = [now[number] for number in known.new_among(now)]
    filled = known.filled(now, asked(now, new, now), asked(now, now, new))
    assert filled == KnownTimes(tuple(now), asked(now, now, now))


def test_a_van_that_moved_asks_for_its_own_row_and_column_and_another_town_for_all() -> None:
    known = KnownTimes(tuple(EVERY[:8]), asked(EVERY, EVERY[:8], EVERY[:8]))
    moved_on = [EVERY[8], *EVERY[1:8]]
    assert known.new_among(moved_on) == (0,)
    assert known.is_worth_filling(moved_on)
    assert not known.is_worth_filling(EVERY[6:])
    assert not KnownTimes().is_worth_filling(EVERY[:1])
