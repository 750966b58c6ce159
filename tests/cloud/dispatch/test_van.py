from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from cloud.dispatch.van import Van, day_of

DAY, NEXT_DAY = date(2026, 11, 23), date(2026, 11, 24)
LISBON = ZoneInfo("Europe/Lisbon")


def van(starts: int, ends: int) -> Van:
    return Van(name=f"van-{starts}", shift_starts=time(starts), shift_ends=time(ends))


BY_DAY, BY_NIGHT, EARLY = van(8, 17), van(22, 6), van(5, 13)


@pytest.mark.parametrize(
    ("fleet", "hour", "day"),
    [
        ([BY_DAY], 0, NEXT_DAY),
        ([], 0, NEXT_DAY),
        ([van(16, 0)], 0, NEXT_DAY),
        ([BY_NIGHT], 0, DAY),
        ([BY_NIGHT], 7, DAY),  # a late van is still out
        ([BY_NIGHT], 14, NEXT_DAY),
        ([BY_NIGHT, BY_DAY], 6, DAY),
        ([BY_NIGHT, BY_DAY], 7, NEXT_DAY),
        ([BY_NIGHT, EARLY], 4, DAY),
        ([BY_NIGHT, EARLY], 5, NEXT_DAY),  # whoever starts has their manifest
    ],
)
def test_the_day_turns_when_the_night_shift_is_home(fleet: list[Van], hour: int, day: date) -> None:
    assert day_of(datetime(2026, 11, 24, hour, tzinfo=UTC), LISBON, fleet) == day


def test_it_is_the_depots_day_whatever_day_it_is_in_utc() -> None:
    assert day_of(datetime(2026, 11, 23, 11, tzinfo=UTC), ZoneInfo("Pacific/Auckland"), [BY_DAY]) == NEXT_DAY


@pytest.mark.parametrize("day", [date(2026, 3, 28), date(2026, 10, 24)])
def test_a_night_shift_over_the_change_of_clocks_starts_and_ends_by_the_wall_clock(day: date) -> None:
    starts_at, ends_at = BY_NIGHT.shift_on(day, LISBON)
    assert (starts_at.astimezone(LISBON).time(), ends_at.astimezone(LISBON).time()) == (time(22), time(6))
    hours = (ends_at - starts_at).total_seconds() / 3600
    assert hours == (7 if day.month == 3 else 9)
