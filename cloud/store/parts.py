"""Many ids in few questions."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Connection, Row, Select, bindparam

from cloud.store.database import execute_one

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


class Among:
    """A question about some of many ids, put together once for each size that `parts` makes, and kept."""

    def __init__(self, question: Select[Any], column: ColumnElement[str]) -> None:
        """`question` has no parameters of its own; `column` is what the ids are looked for in."""
        self._question = question
        self._column = column
        self._of_size: dict[int, Select[Any]] = {}

    def rows(self, connection: Connection, ids: Iterable[str]) -> Iterator[Row[*tuple[Any, ...]]]:
        """What is found for any of the ids, each row once; columns as the driver gives them."""
        for part in parts(ids):
            # Two threads may make the same statement: one of the two is then forgotten.
            statement = self._of_size.get(len(part))
            if statement is None:
                places: list[BindParameter[str]] = [bindparam(f"id_{place}") for place in range(len(part))]
                statement = self._of_size[len(part)] = self._question.where(self._column.in_(places))
            values = {f"id_{place}": one for place, one in enumerate(part)}
            yield from execute_one(connection, statement, values)
