"""Ids in few questions."""

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, Integer, MetaData, String, Table, create_engine, insert, select

from cloud.store.parts import AT_ONCE, Among, parts


@given(st.integers(0, 3 * AT_ONCE))
def test_every_id_is_asked_for_and_no_other_in_questions_of_few_sizes(count: int) -> None:
    ids = [f"s{number}" for number in range(count)]

    asked = list(parts(ids))

    assert {one for part in asked for one in part} == set(ids)
    assert sum(len(set(part)) for part in asked) == count
    assert {len(part) for part in asked} <= {2**size for size in range(10)}


def test_what_is_found_among_many_ids_is_found_once_each_whatever_their_number() -> None:
    things = Table("things", MetaData(), Column("name", String(8), primary_key=True), Column("is_here", Integer))
    here = Among(select(things.c.name).where(things.c.is_here), things.c.name)
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        things.create(connection)
        connection.execute(insert(things), [{"name": f"s{one}", "is_here": one % 2} for one in range(2 * AT_ONCE)])

        for count in (0, 1, 2, 3, AT_ONCE, AT_ONCE + 1, 2 * AT_ONCE + 5):
            found = [row.name for row in here.rows(connection, [f"s{one}" for one in range(count)])]
            assert sorted(found) == sorted(f"s{one}" for one in range(min(count, 2 * AT_ONCE)) if one % 2)
    engine.dispose()
