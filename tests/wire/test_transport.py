"""What a Scan4Transport label says, and that no nonsense on it is more than nothing."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.labels import DAY, SSCC, a_label
from wire.geo import Place
from wire.gs1 import GS
from wire.transport import LabelMoment, TransportLabel, opening, read_transport

LISBON, BERLIN = ZoneInfo("Europe/Lisbon"), ZoneInfo("Europe/Berlin")
NAMES = ("420", "421", *(str(name) for name in range(4300, 4327)))


def label(**elements: str) -> TransportLabel:
    found = read_transport(a_label(**elements), DAY)
    assert found is not None
    return found


def test_a_whole_label_says_where_when_and_how_it_may_be_left() -> None:
    found = label()
    assert found.sscc == SSCC
    to = found.ship_to
    assert (to.company, to.contact, to.lines) == (
        "Loja das Flores",
        "Maria José",
        ("Rua das Flores 12", "2.º esquerdo"),
    )
    assert (to.locality, to.country, to.postcode, to.phone) == ("Porto", "PT", "4050-262", "+351220000000")
    assert found.place == Place(lat_deg=41.1496123, lon_deg=35.13891)
    assert (found.is_dangerous, found.may_leave, found.wants_signature) == (False, True, True)
    assert opening(found, LISBON) == (datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 23, 11, 30, tzinfo=UTC))
    assert opening(found, BERLIN) == (datetime(2026, 11, 23, 8, tzinfo=UTC), datetime(2026, 11, 23, 10, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("digits", "place"),
    [
        ("13114961233513891000", Place(lat_deg=41.1496123, lon_deg=-8.6109)),
        ("0" * 20, Place(lat_deg=-90.0, lon_deg=0.0)),
        ("18000000003600000000", Place(lat_deg=90.0, lon_deg=0.0)),
        ("09000000001800000000", Place(lat_deg=0.0, lon_deg=180.0)),
        ("18000000010000000000", None),  # north of the pole
        ("09000000003600000001", None),  # round the world
        ("1311496123351389100", None),
        ("1311496123351389100x", None),
    ],
)
def test_a_place_is_degrees_from_the_south_pole_and_east_of_greenwich(digits: str, place: Place | None) -> None:
    assert label(_4309=digits).place == place


@pytest.mark.parametrize(
    ("before", "after", "local"),
    [
        ("2611239999", "2611239999", ("23T00:00", "24T00:00")),
        ("2611230900", "", ("23T09:00", "24T00:00")),
        ("", "2611231130", ("23T00:00", "23T11:30")),
        ("2611221500", "2611241130", ("22T15:00", "24T11:30")),
        ("2611231130", "2611230900", None),  # it closes before it opens
        ("2611232460", "2613011200", None),  # neither is a time
        ("", "", None),
    ],
)
def test_a_window_may_have_one_end_or_no_hour(before: str, after: str, local: tuple[str, str] | None) -> None:
    found = opening(label(_4324=before, _4325=after), LISBON)
    said = None if found is None else tuple(f"{one.astimezone(LISBON):%dT%H:%M}" for one in found)
    assert said == local


def test_the_century_is_the_one_that_is_near() -> None:
    near = read_transport(a_label(_4326="991231"), date(2098, 1, 1))
    assert near is not None
    assert near.released_on == date(2099, 12, 31)
    over = read_transport(a_label(_4326="010101"), date(2099, 12, 31))
    assert over is not None
    assert over.released_on == date(2101, 1, 1)
    back = label(_4326="990101")
    assert back.released_on == date(1999, 1, 1)


def test_one_element_of_nonsense_says_nothing_of_the_others() -> None:
    found = label(_4322="7", _4323="yes", _4309="here", _4324="26112399", _4307="Portugal", _4308="\x00")
    assert (found.may_leave, found.wants_signature, found.place, found.not_before) == (None, None, None, None)
    assert (found.ship_to.country, found.ship_to.phone) == ("", "")
    assert found.not_after == LabelMoment(day=DAY, at=time(11, 30))
    assert found.ship_to.locality == "Porto"


def test_bytes_that_are_no_letters_are_shown_as_such() -> None:
    assert label(_4302="Rua%FF%00%0A+12%").ship_to.lines[0] == "Rua\ufffd 12%"


@pytest.mark.parametrize(
    "scanned", [f"]C100{SSCC}", f"]d200{SSCC[:-1]}0420{'4050'}", "RM-2026/77", f"]d24204050{GS}4305Porto"]
)
def test_a_code_without_a_good_parcel_or_without_a_way_is_no_transport_label(scanned: str) -> None:
    assert read_transport(scanned, DAY) is None


@given(st.text(max_size=400), st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_no_code_is_too_strange_to_be_read(scanned: str, today: date) -> None:
    read_transport(scanned, today)


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text(st.characters(codec="ascii"), max_size=30)),
    st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    st.sampled_from([LISBON, BERLIN, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("UTC")]),
)
def test_nonsense_in_any_element_is_answered_and_never_raised(
    elements: dict[str, str], today: date, zone: ZoneInfo
) -> None:
    found = read_transport(f"]d200{SSCC}" + GS.join(f"{name}{value}" for name, value in elements.items()), today)
    if found is not None:
        when = opening(found, zone)
        assert when is None or when[0] < when[1]
        assert TransportLabel.model_validate_json(found.model_dump_json()) == found


@given(st.text("0123456789", min_size=6, max_size=12), st.text("0123456789", min_size=6, max_size=12))
def test_any_digits_for_a_window_are_a_window_or_none(before: str, after: str) -> None:
    when = opening(label(_4324=before, _4325=after), LISBON)
    assert when is None or when[0] < when[1]


@given(st.integers(-900_000_000, 900_000_000), st.integers(-1_799_999_999, 1_800_000_000))
def test_a_place_comes_back_as_it_was_written(lat: int, lon: int) -> None:
    digits = f"{lat + 900_000_000:010d}{lon % 3_600_000_000:010d}"
    assert label(_4309=digits).place == Place(lat_deg=lat / 1e7, lon_deg=lon / 1e7)
