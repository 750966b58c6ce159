"""Ids in few questions."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.store.parts import AT_ONCE, parts


@given(st.integers(0, 3 * AT_ONCE))
def test_every_id_is_asked_for_and_no_other_in_questions_of_few_sizes(count: int) -> None:
    ids = [f"s{number}" for number in range(count)]

    asked = list(parts(ids))

    assert {one for part in asked for one in part} == set(ids)
    assert sum(len(set(part)) for part in asked) == count
    assert {len(part) for part in asked} <= {2**size for size in range(10)}
