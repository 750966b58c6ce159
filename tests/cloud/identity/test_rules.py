"""The rules about tokens, names and guesses."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.identity import passwords
from cloud.identity.rules import TokenRow, TokenVerdict, Tries, judge_token, name_problem, password_problem
from wire.enrolment import TokenError, new_token, parse_token

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FRESH = TokenRow(van="van-1", expires_at=NOW + timedelta(minutes=15), used_by=None)
USED = TokenRow(van="van-1", expires_at=NOW + timedelta(minutes=15), used_by="device")


@pytest.mark.parametrize(
    ("row", "van", "device", "after", "verdict"),
    [
        (FRESH, "van-1", "device", timedelta(), TokenVerdict.GOOD),
        (USED, "van-1", "device", timedelta(minutes=14), TokenVerdict.AGAIN),
        (USED, "van-1", "another", timedelta(), TokenVerdict.USED),
        (FRESH, "van-1", "device", timedelta(minutes=15), TokenVerdict.EXPIRED),
        (USED, "van-1", "device", timedelta(minutes=15), TokenVerdict.EXPIRED),
        (None, "van-1", "device", timedelta(), TokenVerdict.UNKNOWN),
        (FRESH, "van-2", "device", timedelta(), TokenVerdict.UNKNOWN),
    ],
)
def test_a_token_is_good_once_for_one_device_and_a_while(
    row: TokenRow | None, van: str, device: str, after: timedelta, verdict: TokenVerdict
) -> None:
    assert judge_token(row, van, device, NOW + after) is verdict


@given(st.from_regex(r"[a-z0-9][a-z0-9-]{0,31}", fullmatch=True), st.binary(min_size=32, max_size=32))
def test_a_token_that_was_printed_is_read_back_and_is_fresh_every_time(van: str, fingerprint: bytes) -> None:
    token = new_token(van, fingerprint)
    assert parse_token(f" {token.text()}\n") == token
    assert new_token(van, fingerprint).secret != token.secret


@pytest.mark.parametrize(
    "text", ["", "van-1", "a.b.c", "Van.AAAA.BBBB", "van-1.ä.ö", "van-1.AAAAAAAAAAAAAAAAAAAAAA.AAAA"]
)
def test_what_is_no_token_is_said_to_be_none(text: str) -> None:
    with pytest.raises(TokenError, match="python -m cloud enrol"):
        parse_token(text)


@given(st.text(max_size=120))
def test_whatever_is_typed_is_a_token_or_is_refused(text: str) -> None:
    with suppress(TokenError):
        parse_token(text)


def test_a_source_that_guesses_must_wait_and_others_need_not() -> None:
    tries = Tries(limit=3, within_s=60)
    for now_s in (0.0, 1.0, 2.0):
        assert tries.wait_s("guesser", now_s) == 0
        tries.failed("guesser", now_s)
    assert tries.wait_s("guesser", 3.0) == 57.0
    assert tries.wait_s("other", 3.0) == 0
    assert tries.wait_s("guesser", 60.5) == 0


def test_a_million_sources_do_not_fill_the_memory() -> None:
    tries = Tries(limit=3, within_s=60, sources=10)
    for source in range(1000):
        tries.failed(str(source), 0.0)
    assert len(tries._failed) <= 10


def test_a_password_is_stored_as_a_slow_hash_and_told_from_another() -> None:
    stored = passwords.hashed("correct horse battery")
    assert "horse" not in stored
    assert stored != passwords.hashed("correct horse battery")
    assert passwords.is_right("correct horse battery", stored)
    assert not passwords.is_right("correct horse batterz", stored)


@pytest.mark.parametrize("name", ["", " ana", "a" * 65, "a\nb", "a\x00b"])
def test_a_name_that_would_read_badly_in_the_audit_is_refused(name: str) -> None:
    assert name_problem(name) is not None
    assert name_problem("Inês Duarte") is None


def test_a_short_password_is_refused_with_the_length_it_needs() -> None:
    assert "10" in (password_problem("short") or "")
    assert password_problem("long enough") is None
