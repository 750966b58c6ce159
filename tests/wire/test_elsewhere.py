"""What is told of the other vans' parcels: whose a code is, in one packet, and nothing that was not said."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from wire.codec import decode, encode
from wire.elsewhere import MARK_BYTES, MOST_CODES, Elsewhere, elsewhere_of, mark_of

DAY = date(2026, 11, 23)
NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
codes = st.text("0123456789AZ", min_size=1, max_size=20)
fleets = st.dictionaries(st.sampled_from(["van-1", "van-2", "van-3"]), st.frozensets(codes, max_size=8), max_size=3)


@given(fleets, codes, st.sampled_from(["van-1", "van-2", "van-9"]))
def test_a_code_is_the_first_other_vans_that_lists_it_and_of_nobody_else(
    fleet: dict[str, frozenset[str]], code: str, own: str
) -> None:
    told = elsewhere_of(fleet, DAY, NOW)
    assert told.whose(code, besides=own) == min(
        (van for van in fleet if van != own and code in fleet[van]), default=None
    )


@given(fleets)
def test_it_is_the_same_whatever_order_the_lists_and_codes_are_in(fleet: dict[str, frozenset[str]]) -> None:
    turned = {van: sorted(fleet[van], reverse=True) for van in sorted(fleet, reverse=True)}
    assert encode(elsewhere_of(fleet, DAY, NOW)) == encode(elsewhere_of(turned, DAY, NOW))


def test_the_largest_fits_a_packet_and_says_how_many_codes_found_no_room() -> None:
    fleet = {f"van-{van}": [f"{van:03}-{number:015}" for number in range(120)] for van in range(100)}
    told = decode(Elsewhere, encode(elsewhere_of(fleet, DAY, NOW), 3))
    assert told.left_out == 12_000 - MOST_CODES
    known = {van: sum(told.whose(code, besides="van-x") == van for code in listed) for van, listed in fleet.items()}
    assert sum(known.values()) == MOST_CODES
    assert min(known.values()) > 50  # of 120: no van is left out for another


def test_no_code_and_no_mark_of_another_day_is_in_it() -> None:
    assert b"PARCEL-1" not in encode(elsewhere_of({"van-2": ["PARCEL-1"]}, DAY, NOW))
    assert mark_of(DAY, "PARCEL-1") != mark_of(DAY + timedelta(days=1), "PARCEL-1")
    assert len(mark_of(DAY, "PARCEL-1")) == MARK_BYTES


def test_what_is_no_base64_or_ends_within_a_mark_says_nothing() -> None:
    told = elsewhere_of({"van-2": ["A"]}, DAY, NOW)
    assert told.model_copy(update={"lists": {"van-2": "no base64 !"}}).whose("A", besides="van-1") is None
    assert told.model_copy(update={"lists": {"van-2": told.lists["van-2"][:4]}}).whose("A", besides="van-1") is None
