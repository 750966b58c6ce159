"""Many ids in few questions."""

from collections.abc import Iterable, Iterator

AT_ONCE = 512
"""Ids in one question: SQLite takes 32,766 at most."""


def parts(ids: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """The ids, ascending, for `IN`: AT_ONCE at most, the last of them repeated up to a power of two.

    So there are ten statements and not one for each number of ids: the driver keeps those that it has parsed.
    """
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), AT_ONCE):
        part = ordered[start : start + AT_ONCE]
        size = 1 << (len(part) - 1).bit_length()
        yield (*part, *part[-1:] * (size - len(part)))
