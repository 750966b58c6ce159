"""Labels as readers send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.gs1 import GS, check_digit, has_good_check, is_sscc, parcel_code, read

SSCC = "106141411234567897"
"""The example of the General Specifications."""


@pytest.mark.parametrize(
    "scanned",
    [f"]C100{SSCC}", f"]d200{SSCC}", f"]Q300{SSCC}", f"00{SSCC}", f"{GS}00{SSCC}", f"(00){SSCC}", f" (00){SSCC}\r\n"],
)
def test_the_same_parcel_however_the_reader_sends_it(scanned: str) -> None:
    assert parcel_code(scanned) == SSCC
    label = read(scanned)
    assert label is not None
    assert label.sscc == SSCC


def test_eighteen_digits_alone_and_a_shippers_own_code_stay_as_they_are() -> None:
    assert parcel_code(SSCC) == SSCC
    assert parcel_code("RM-2026/77") == "RM-2026/77"
    assert read("RM-2026/77") is None


def test_elements_of_any_length_end_at_a_separator_and_the_others_need_none() -> None:
    label = read(f"]d200{SSCC}3102001750400ORDER 7{GS}4304Porto{GS}4307PT{GS}4")
    assert label is None  # an identifier cut short: nothing of the label is believed
    label = read(f"]d200{SSCC}3102001750400ORDER 7{GS}4304Porto{GS}4307PT")
    assert label is not None
    assert label.elements == {"00": SSCC, "3102": "001750", "400": "ORDER 7", "4304": "Porto", "4307": "PT"}


def test_the_check_digit_of_the_specification() -> None:
    assert has_good_check(SSCC)
    assert has_good_check("629104150021") is False
    assert has_good_check("6291041500213")  # the example of section 7.9


@given(st.text("0123456789", min_size=17, max_size=17), st.integers(0, 17), st.integers(1, 9))
def test_any_wrong_digit_is_noticed(digits: str, place: int, off: int) -> None:
    code = digits + str(check_digit(digits))
    wrong = code[:place] + str((int(code[place]) + off) % 10) + code[place + 1 :]
    assert is_sscc(code)
    assert has_good_check(code)
    assert not has_good_check(wrong)


@given(st.text(max_size=120))
def test_no_code_is_too_strange_to_be_read(scanned: str) -> None:
    read(scanned)
    assert len(parcel_code(scanned)) <= 90
