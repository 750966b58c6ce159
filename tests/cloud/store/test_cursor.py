from hypothesis import given
from hypothesis import strategies as st

from cloud.store.cursor import Cursor, merge

ranges = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])))


@given(ranges)
def test_a_cursor_says_exactly_what_was_stored(stored: list[tuple[int, int]]) -> None:
    cursor = Cursor()
    for first, last in stored:
        cursor = cursor.with_range(first, last)

    said = set(range(1, cursor.contiguous_seq + 1))
    for first, last in cursor.beyond:
        said |= set(range(first, last + 1))
    assert said == {seq for first, last in stored for seq in range(first, last + 1)}
    assert cursor.contiguous_seq + 1 not in said
    edges = [cursor.contiguous_seq, *(edge for pair in cursor.beyond for edge in pair)]
    assert edges == sorted(edges)


@given(ranges, st.integers(1, 50), st.integers(0, 8))
def test_a_cursor_says_whether_it_meets_what_comes(stored: list[tuple[int, int]], first: int, more: int) -> None:
    cursor = Cursor()
    for one in stored:
        cursor = cursor.with_range(*one)
    said = {seq for a, b in stored for seq in range(a, b + 1)}

    assert cursor.meets(first, first + more) == bool(said & set(range(first, first + more + 1)))


@given(ranges, st.randoms())
def test_the_order_in_which_things_are_stored_does_not_show(stored: list[tuple[int, int]], dice: object) -> None:
    one, other = Cursor(), Cursor()
    for first, last in stored:
        one = one.with_range(first, last)
    for first, last in sorted(stored, key=lambda pair: hash((pair, str(dice)))):
        other = other.with_range(first, last).with_range(first, last)

    assert one == other


def test_a_gap_holds_the_cursor_until_it_is_filled() -> None:
    gap = Cursor().with_range(1, 3).with_range(7, 9)

    assert gap == Cursor(3, ((7, 9),))
    assert gap.with_range(4, 6) == Cursor(9)


def test_touching_ranges_are_one() -> None:
    assert merge([(0, 5), (5, 9), (20, 21)]) == ((0, 9), (20, 21))
