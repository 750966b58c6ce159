"""Which seqs of a lane are stored: all up to one number, and ranges beyond the gap. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

Ranges = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Cursor:
    """`beyond` are inclusive (first, last) pairs, ascending, none touching another or the contiguous part."""

    contiguous_seq: int = 0
    beyond: Ranges = ()

    def meets(self, first: int, last: int) -> bool:
        """Whether any of first..last (inclusive) is stored."""
        return first <= self.contiguous_seq or any(a <= last and first <= b for a, b in self.beyond)

    def with_range(self, first: int, last: int) -> "Cursor":
        """The cursor once first..last (inclusive) are stored as well."""
        merged = merge([(1, self.contiguous_seq + 1), *((a, b + 1) for a, b in self.beyond), (first, last + 1)])
        (_, end), *rest = merged
        return Cursor(end - 1, tuple((a, b - 1) for a, b in rest))


def merge(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Half-open ranges (start, end) as the fewest that cover the same; ascending. Empty ones are left out, but (1, 1)
    stays as the place where a lane begins.
    """
    merged: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)
