import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.topics import PREFIX, TOPICS, Offline, Topic, Way, parse

names = st.text("abcxyz0189-", min_size=1, max_size=32).filter(lambda name: not name.startswith("-"))


@given(st.sampled_from(TOPICS), names, names)
def test_a_topic_says_whose_it_is(row: Topic, fleet: str, van: str) -> None:
    assert parse(row.of(fleet, van)) == (fleet, van, row)
    assert re.fullmatch(row.of_every_van(fleet).replace("+", "[^/]+"), row.of(fleet, van))


@given(st.text(max_size=60))
def test_any_text_is_a_topic_of_ours_or_none(text: str) -> None:
    parsed = parse(text)
    assert parsed is None or parsed[2].of(parsed[0], parsed[1]) == text


@pytest.mark.parametrize("name", ["", "+", "#", "a/b", "../x", "VAN", "-a", "a" * 33, "a\n"])
def test_a_name_that_could_escape_its_level_makes_no_topic(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        TOPICS[0].of("town", name)
    with pytest.raises(ValueError, match="name"):
        TOPICS[0].of(name, "van-1")


@pytest.mark.parametrize("topic", [f"{PREFIX}/town/van-1\n/up/events", f"{PREFIX}/town/van-1/up/eventsx", "rm/1", ""])
def test_what_is_not_in_the_table_is_not_ours(topic: str) -> None:
    assert parse(topic) is None


@pytest.mark.parametrize("row", TOPICS, ids=lambda row: row.name)
def test_what_must_not_be_lost_is_acknowledged_and_only_the_newest_state_is_retained(row: Topic) -> None:
    assert row.qos == (0 if row.offline is Offline.DROP else 1)
    assert row.retained == (row.offline is Offline.RETAIN)
    assert (row.lane is not None) <= (row.way is Way.UP)
