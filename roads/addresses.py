"""Streets and house numbers of a map pack: "Rua das Flores 12" -> where that is, without a network.

streets    each street once: streets of one name are one while less than CLUSTER_M lies between their pieces
words      each word of its name, folded; a query's word finds it by its beginning
doors      house numbers, each with its street
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

from roads.errors import PackDamagedError
from roads.words import folded, house_numbers, split_ways, value_of
from wire.geo import Place, distance_m

MOST_STREETS = 40
"""How many streets of a query are looked at for the number."""
_SCHEMA = """
CREATE TABLE streets (street_id INTEGER PRIMARY KEY, name TEXT, folded TEXT, city TEXT, lat REAL, lon REAL) STRICT;
CREATE TABLE words (word TEXT, street_id INTEGER, PRIMARY KEY (word, street_id)) STRICT, WITHOUT ROWID;
CREATE TABLE doors (street_id INTEGER, number TEXT, value INTEGER, postcode TEXT, lat REAL, lon REAL) STRICT;
CREATE INDEX doors_of_street ON doors (street_id, value);
"""


class Precision(StrEnum):
    """How well a place is known."""

    DOOR = "door"
    BETWEEN = "between"
    """Between two numbers of the street, or beside the nearest one."""
    STREET = "street"
    """The middle of the street; it has no numbers, or none was asked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """One answer to a query."""

    street: str
    number: str
    postcode: str
    city: str
    place: Place
    precision: Precision


@dataclass(frozen=True, slots=True)
class Door:
    """A house number as the map has it."""

    number: str
    postcode: str
    place: Place


@dataclass(frozen=True, slots=True)
class Street:
    """A street with its numbers; `place` is in the middle of it, on it."""

    name: str
    city: str
    place: Place
    doors: tuple[Door, ...]
    other_cities: tuple[str, ...] = ()
    """That its numbers name too: a long road goes through several."""


def write_index(path: Path, streets: Iterable[Street]) -> None:
    """A new index file; the same streets give the same bytes."""
    with closing(sqlite3.connect(path)) as database, database:
        database.executescript(_SCHEMA)
        for street_id, street in enumerate(streets, start=1):
            name = folded(street.name)
            at = (street.place.lat_deg, street.place.lon_deg)
            database.execute(
                "INSERT INTO streets VALUES (?, ?, ?, ?, ?, ?)", (street_id, street.name, name, street.city, *at)
            )
            words = {*name.split(), *folded(" ".join((street.city, *street.other_cities))).split()}
            database.executemany("INSERT INTO words VALUES (?, ?)", [(word, street_id) for word in sorted(words)])
            database.executemany(
                "INSERT INTO doors VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (street_id, number, value_of(number), door.postcode, door.place.lat_deg, door.place.lon_deg)
                    for door in street.doors
                    for number in house_numbers(door.number)
                ],
            )


class Addresses:
    """An open index. Use it from the thread that opened it; an answer takes some milliseconds."""

    def __init__(self, path: Path) -> None:
        """Raises PackDamagedError when the file is no index."""
        self._path = path
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as error:
            raise self._damaged(error) from error
        try:
            self._database.execute("SELECT street_id FROM streets LIMIT 1").fetchall()
        except sqlite3.Error as error:
            self._database.close()
            raise self._damaged(error) from error

    def search(self, query: str, limit: int = 10, near: Place | None = None) -> list[Found]:
        """Best answers first: whole words before beginnings, a door before a guess beside it, then by nearness.

        Empty when none fits. Raises PackDamagedError.
        """
        try:
            meant: list[Found] = []
            for words, number in split_ways(query):
                answers = self._answers(self._streets(words), words, number, near)[:limit]
                if answers and answers[0].precision is Precision.DOOR:
                    return answers
                if answers and (not meant or not number):  # a street of that whole name rather than a guess at a number
                    meant = answers
            return meant
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _streets(self, words: Sequence[str]) -> list[tuple[int, str, str, str, float, float]]:
        """The streets of whose name, or city, each word is the beginning of a word."""
        found: set[int] | None = None
        for word in words:
            beginning = (word, word + "\U0010ffff")
            answer = self._database.execute("SELECT street_id FROM words WHERE word >= ? AND word < ?", beginning)
            ids = {int(row[0]) for row in answer}
            found = ids if found is None else found & ids
            if not found:
                return []
        rows: list[tuple[int, str, str, str, float, float]] = []
        for street_id in sorted(found or ()):
            rows += self._database.execute("SELECT * FROM streets WHERE street_id = ?", (street_id,))
        rows.sort(key=lambda row: (_unasked(row[2], words), len(row[2]), row[1], row[0]))
        return rows[:MOST_STREETS]

    def _answers(
        self,
        streets: Sequence[tuple[int, str, str, str, float, float]],
        words: Sequence[str],
        number: str,
        near: Place | None,
    ) -> list[Found]:
        order = list(Precision)
        found = [(_unasked(street[2], words), self._in_street(street, number)) for street in streets]
        found.sort(
            key=lambda one: (
                one[0],
                order.index(one[1].precision),
                0.0 if near is None else distance_m(near, one[1].place),
            )
        )
        return [answer for _, answer in found]

    def _in_street(self, street: tuple[int, str, str, str, float, float], number: str) -> Found:
        street_id, name, _, city, lat_deg, lon_deg = street
        doors = list(self._doors(street_id)) if number else []
        exact = next((door for door in doors if door[0] == number), None)
        if exact is not None:
            return Found(name, number, exact[2], city, Place(lat_deg=exact[3], lon_deg=exact[4]), Precision.DOOR)
        wanted = value_of(number)
        valued = [(value, lat, lon) for _, value, _, lat, lon in doors if value is not None]
        if wanted is None or not valued:
            return Found(name, number, "", city, Place(lat_deg=lat_deg, lon_deg=lon_deg), Precision.STREET)
        return Found(name, number, "", city, _between(wanted, valued), Precision.BETWEEN)

    def _doors(self, street_id: int) -> Iterator[tuple[str, int | None, str, float, float]]:
        yield from self._database.execute(
            "SELECT number, value, postcode, lat, lon FROM doors WHERE street_id = ? ORDER BY value, number",
            (street_id,),
        )

    def _damaged(self, error: Exception) -> PackDamagedError:
        return PackDamagedError(f"{self._path} is no readable index of addresses ({error}): build the map pack again")


def _unasked(name: str, words: Sequence[str]) -> int:
    """How many words of a street's name nobody asked for; half-written ones count as asked."""
    return sum(not any(own.startswith(word) for word in words) for own in name.split()) + sum(
        word not in name.split() for word in words
    )


def _between(wanted: int, doors: Sequence[tuple[int, float, float]]) -> Place:
    """By the two nearest numbers of the same side of the street, even or odd; at the nearest one beyond the last."""
    side = [door for door in doors if door[0] % 2 == wanted % 2] or list(doors)
    below = max((door for door in side if door[0] <= wanted), default=None)
    above = min((door for door in side if door[0] >= wanted), default=None)
    if below is None or above is None or below[0] == above[0]:
        _, lat_deg, lon_deg = below or above or doors[0]
        return Place(lat_deg=lat_deg, lon_deg=lon_deg)
    share = (wanted - below[0]) / (above[0] - below[0])
    return Place(lat_deg=below[1] + (above[1] - below[1]) * share, lon_deg=below[2] + (above[2] - below[2]) * share)
