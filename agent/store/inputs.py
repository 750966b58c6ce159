"""The log of what entered, and the answers given to taps. Functions for use inside a transaction of the store."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import zstandard

from agent.store.database import Database
from agent.trip.inputs import AnyInput, Recalled

KEEP_MS = 7 * 24 * 3600 * 1000
"""Long enough to look into what happened; places and names are not kept for ever."""


@dataclass(frozen=True)
class TapMade:
    """Which tap an input came from; `request_hash` tells the same tap sent again from another under the same id."""

    tap_id: str
    request_hash: str


@dataclass(frozen=True)
class TapAnswered:
    """A tap that was saved before, and what it led to."""

    request_hash: str
    saved_at: datetime
    input_json: str


def append(database: Database, entered: AnyInput, at_ms: int, age_ms: int, tap: TapMade | None) -> None:
    """Logs one durable input, entered at `at_ms` by the clock on the wall.

    Raises StoreError (constraint) for a tap id that is stored already.
    """
    ((input_id,),) = database.execute(
        "INSERT INTO inputs (at_ms, age_ms, kind, body) VALUES (?, ?, ?, ?) RETURNING input_id",
        (at_ms, age_ms, entered.kind, entered.model_dump_json(by_alias=True)),
    )
    if tap is not None:
        database.execute(
            "INSERT INTO taps (tap_id, request_hash, saved_ms, input_id) VALUES (?, ?, ?, ?)",
            (tap.tap_id, tap.request_hash, at_ms, input_id),
        )


def append_soft(database: Database, entries: Sequence[tuple[int, AnyInput]], age_ms: int) -> None:
    """Logs buffered inputs (fixes, passing minutes) as one row, in the order they came."""
    if not entries:
        return
    body = json.dumps([[at_ms, entered.model_dump(mode="json")] for at_ms, entered in entries], separators=(",", ":"))
    packed = zstandard.ZstdCompressor(level=3).compress(body.encode())
    database.execute(
        "INSERT INTO inputs (at_ms, age_ms, kind, body, body_zstd) VALUES (?, ?, 'fixes', '', ?)",
        (entries[0][0], age_ms, packed),
    )


def erase(database: Database, address: str) -> None:
    """Takes what was known of an address out of the days that are logged; all else of them stays as it entered."""
    for input_id, body in database.execute("SELECT input_id, body FROM inputs WHERE kind = 'recalled'"):
        if address in str(body):
            recalled = Recalled.model_validate_json(str(body))
            recalled = recalled.model_copy(update={"known": recalled.known.without(address)})
            database.execute(
                "UPDATE inputs SET body = ? WHERE input_id = ?", (recalled.model_dump_json(by_alias=True), input_id)
            )


def purge(database: Database, age_ms: int, limit: int) -> int:
    """Forgets what entered more than a week ago, as ages tell (`Clock.age_ms`), the oldest first and `limit` at most;
    how many.

    Never by the clock on the wall: when GPS moves it from 1970 to today, all of this morning's taps would go, and one
    that is sent again would be done again. Rows of before ages were kept go with the first that is old and has one.
    """
    # Never from the newest end: that would look at each row of the week, and a tap waits for whoever looks.
    oldest = database.execute("SELECT age_ms FROM inputs WHERE age_ms IS NOT NULL ORDER BY input_id LIMIT 1")
    if not any(isinstance(entered_ms, int) and entered_ms < age_ms - KEEP_MS for (entered_ms,) in oldest):
        return 0
    ((last,),) = database.execute(
        "SELECT max(input_id) FROM (SELECT input_id, age_ms FROM inputs ORDER BY input_id LIMIT ?) "
        "WHERE age_ms IS NULL OR age_ms < ?",
        (limit, age_ms - KEEP_MS),
    )
    database.execute("DELETE FROM taps WHERE input_id <= ?", (last,))
    return len(database.execute("DELETE FROM inputs WHERE input_id <= ? RETURNING 1", (last,)))


def find_tap(database: Database, tap_id: str) -> TapAnswered | None:
    rows = database.execute(
        "SELECT request_hash, saved_ms, body FROM taps JOIN inputs USING (input_id) WHERE tap_id = ?", (tap_id,)
    )
    if not rows:
        return None
    request_hash, saved_ms, body = rows[0]
    assert isinstance(saved_ms, int)
    return TapAnswered(str(request_hash), datetime.fromtimestamp(saved_ms / 1000, UTC), str(body))
