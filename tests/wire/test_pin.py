import pytest

from wire.pin import hashed, is_hash, is_right


def test_the_right_digits_and_no_others() -> None:
    pin_hash = hashed("4071", "s1")
    assert is_right(pin_hash, "4071")
    assert not is_right(pin_hash, "4072")
    assert not is_right(pin_hash, "4071 ")


def test_the_same_pin_looks_the_same_for_one_stop_and_another_for_the_next() -> None:
    assert hashed("4071", "s1") == hashed("4071", "s1") != hashed("4071", "s2")


def test_what_is_no_pin_is_not_hashed() -> None:
    for pin in ("123", "123456789", "12a4", ""):
        with pytest.raises(ValueError, match="4 to 8 digits"):
            hashed(pin, "s1")


@pytest.mark.parametrize(
    "text", ["", "4071", "$argon2id$v=19$m=4000000,t=2,p=1$aaaa$bbbb", "$argon2i$v=19$m=8192,t=2,p=1$aaaa$bbbb"]
)
def test_a_hash_that_would_cost_the_van_too_much_is_none(text: str) -> None:
    assert not is_hash(text)
    assert not is_right(text, "4071")
