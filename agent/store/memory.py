"""What was learned on days driven: the means by key, and the newest errors of arrivals. Kept across days and restarts.

Functions for use inside a transaction of the store. Written once a day, when it is over.
"""

from collections.abc import Iterable, Sequence

from agent.learn.conformal import MOST_SCORES, Score
from agent.learn.known import OF_PLACES, Known, keys_for, known_for
from agent.learn.lessons import DayLearned, Levels, keys_of, learned
from agent.learn.level import Level
from agent.store.database import Database, Row
from wire.manifest import Stop

_LEVELS = "SELECT key, weight, mean, day FROM learned"
_GLOBS = tuple(f"{prefix}*" for prefix in OF_PLACES)

FORGET_AFTER_DAYS = 730
"""A mean that nothing was added to for so long goes: by then an address counts a sixty-fourth of what it did."""

TABLES = (
    """CREATE TABLE learned (
        key    TEXT PRIMARY KEY,
        weight REAL NOT NULL,
        mean   REAL NOT NULL,
        day    INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE arrival_errors (
        error_id INTEGER PRIMARY KEY,
        band     INTEGER NOT NULL,
        day      INTEGER NOT NULL,
        value    REAL NOT NULL
    ) STRICT""",
)


def fold(database: Database, taught: DayLearned) -> None:
    """Adds what a day taught that is over."""
    _write(database, learned(_levels(database, taught.lessons.sums), taught))
    for band, values in taught.lessons.scores.items():
        database.execute_many(
            "INSERT INTO arrival_errors (band, day, value) VALUES (?, ?, ?)",
            [(band, taught.day, value) for value in values],
        )
        database.execute(
            "DELETE FROM arrival_errors WHERE band = ? AND error_id NOT IN "
            "(SELECT error_id FROM arrival_errors WHERE band = ? ORDER BY error_id DESC LIMIT ?)",
            (band, band, MOST_SCORES),
        )
    database.execute("DELETE FROM learned WHERE day < ?", (taught.day - FORGET_AFTER_DAYS,))


def recall(database: Database, stops: Sequence[Stop], day: int) -> Known:
    """What a day with these stops can use of all that was learned."""
    rows = database.execute(f"{_LEVELS} WHERE " + " AND ".join(["key NOT GLOB ?"] * len(OF_PLACES)), _GLOBS)
    levels = {str(row[0]): _level(row) for row in rows} | _levels(database, sorted(keys_for(stops)))
    return known_for(stops, day, levels, _scores(database))


def erase(database: Database, address: str) -> int:
    """Forgets what was learned about one address (`learn/keys.py`); how many means that were."""
    return sum(
        len(database.execute("DELETE FROM learned WHERE key = ? RETURNING 1", (key,)))
        for key in sorted(keys_of(address))
    )


def _write(database: Database, levels: Levels) -> None:
    database.execute_many(
        "INSERT INTO learned (key, weight, mean, day) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "weight = excluded.weight, mean = excluded.mean, day = excluded.day",
        [(key, level.weight, level.mean, level.day) for key, level in sorted(levels.items())],
    )


def _levels(database: Database, keys: Iterable[str]) -> dict[str, Level]:
    return {key: _level(row) for key in keys for row in database.execute(f"{_LEVELS} WHERE key = ?", (key,))}


def _level(row: Row) -> Level:
    _, weight, mean, day = row
    return Level.model_validate({"weight": weight, "mean": mean, "day": day})


def _scores(database: Database) -> dict[int, list[Score]]:
    found: dict[int, list[Score]] = {}
    for band, day, value in database.execute("SELECT band, day, value FROM arrival_errors ORDER BY error_id"):
        assert isinstance(band, int)
        found.setdefault(band, []).append(Score.model_validate({"day": day, "value": value}))
    return found
