"""What a van may believe about the time before anybody told it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.identity.floor import Life, ServerTooOldError, floor, is_renewal_due, judge, risen
from agent.identity.tls import MachineTime

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BUILT_AT = datetime(2026, 11, 23, tzinfo=UTC)
YEAR = timedelta(days=365)
instants = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def life(begins_at: datetime, days: int = 365) -> Life:
    return Life(begins_at, begins_at + timedelta(days=days))


def test_a_clock_of_1970_keeps_no_server_out() -> None:
    at = floor(None, [])
    judge(life(BUILT_AT + 3 * YEAR), at)
    assert risen(at, life(BUILT_AT + 3 * YEAR), EPOCH) == BUILT_AT + 3 * YEAR


def test_a_server_whose_time_was_over_when_we_last_met_one_is_refused() -> None:
    with pytest.raises(ServerTooOldError, match="ended on 2027-11-23"):
        judge(life(BUILT_AT), floor(BUILT_AT + 2 * YEAR, []))


def test_a_clock_twenty_years_ahead_neither_locks_us_out_nor_raises_the_floor() -> None:
    ahead, server = BUILT_AT + 20 * YEAR, life(BUILT_AT)
    at = floor(BUILT_AT, [])
    judge(server, at)
    assert risen(at, server, ahead) == at


def test_a_right_clock_raises_the_floor() -> None:
    assert risen(BUILT_AT, life(BUILT_AT), BUILT_AT + timedelta(days=9)) == BUILT_AT + timedelta(days=9)


def test_our_own_certificate_says_that_its_beginning_has_passed() -> None:
    assert floor(BUILT_AT + YEAR, [life(BUILT_AT + 2 * YEAR, 30)]) == BUILT_AT + 2 * YEAR


@given(instants, instants, instants)
def test_the_floor_never_falls_and_never_passes_the_end_of_a_good_server(
    kept: datetime, begins_at: datetime, clock: datetime
) -> None:
    server = life(begins_at)
    at = floor(kept, [])
    after = risen(at, server, clock)
    assert after >= at
    if server.ends_at >= at:
        judge(server, after)


@pytest.mark.parametrize(("days", "is_due"), [(0, False), (19, False), (20, True), (40, True)])
def test_a_certificate_is_renewed_at_two_thirds_of_its_life(days: int, is_due: bool) -> None:
    own = life(BUILT_AT, 30)
    assert is_renewal_due(own, BUILT_AT + timedelta(days=days), BUILT_AT) == is_due
    assert is_renewal_due(own, EPOCH, BUILT_AT + timedelta(days=days)) == is_due


def test_the_time_by_gps_counts_where_the_system_clock_is_that_of_1970_and_a_simulations_never() -> None:
    by_gps = BUILT_AT + timedelta(days=20)
    real, simulated = (MachineTime(is_simulated=is_so, system=lambda: EPOCH) for is_so in (False, True))
    assert real() == EPOCH
    for time in (real, simulated):
        time.note(by_gps)
    assert is_renewal_due(life(BUILT_AT, 30), real(), BUILT_AT)
    assert not is_renewal_due(life(BUILT_AT, 30), simulated(), BUILT_AT)
