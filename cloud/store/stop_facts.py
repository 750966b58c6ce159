"""What was heard of each stop, kept together: one row holds all that its state is folded from.

A fact is a line of JSON, [van, epoch, seq, captured_ms, received_ms, kind, body], with null for a van that had no idea
of the time. Lines are added as records come in, within the transaction that keeps the record, and stand in no order:
the fold makes a set of them. Reading what stands already, to write it again with one fact more, would cost several
times as much as all the rest that is done for a record.
"""

from collections.abc import Collection, Iterable

from pydantic import ValidationError
from sqlalchemy import Connection, delete, select, text

from cloud.fleet.fold import FACTS, Origin, StopState, fold
from cloud.store.database import execute_many
from cloud.store.instants import from_ms
from cloud.store.parts import Among
from cloud.store.tables import records, stop_facts
from wire.codec import WireError, canonical, loads
from wire.envelope import Record
from wire.model import Message, StopId

_ADD = text(
    "INSERT INTO stop_facts (stop_id, facts) VALUES (:stop_id, :facts) "
    "ON CONFLICT (stop_id) DO UPDATE SET facts = stop_facts.facts || excluded.facts"
)
_FACTS = Among(select(stop_facts.c.stop_id, stop_facts.c.facts), stop_facts.c.stop_id)

type Line = tuple[str, str, int, int | None, int, str, object]
"""A fact before it is written: van, epoch, seq, captured_ms, received_ms, kind, body."""


def add_facts(connection: Connection, told: Iterable[tuple[StopId, Line]]) -> None:
    """Keep what records say of stops; each record once."""
    lines: dict[StopId, list[bytes]] = {}
    for stop_id, line in told:
        # A body may hold what a newer van knows of, numbers and depths of any size: what was read must go in, and out.
        lines.setdefault(stop_id, []).append(canonical(line) + b"\n")
    rows = [{"stop_id": stop_id, "facts": b"".join(some).decode()} for stop_id, some in lines.items()]
    execute_many(connection, _ADD, rows)


def states_of(connection: Connection, stop_ids: Iterable[StopId]) -> dict[StopId, StopState]:
    """What the vans made of these stops; one nobody said anything about has an empty state."""
    states = {stop_id: StopState(stop_id=stop_id) for stop_id in stop_ids}
    for stop_id, lines in _FACTS.rows(connection, states):
        states[stop_id] = state_from(stop_id, lines)
    return states


def state_from(stop_id: StopId, lines: str) -> StopState:
    """The state as `stop_facts.facts` has it."""
    return fold(stop_id, filter(None, map(_read, lines.split("\n")[:-1])))


def rebuild_facts(connection: Connection, stop_ids: Collection[StopId] | None = None) -> None:
    """Take every fact of these stops, or of all, from the records again; what comes out is what was there, or the
    dates of records have changed since.
    """
    which = records.c.stop_id.is_not(None) if stop_ids is None else records.c.stop_id.in_(stop_ids)
    connection.execute(
        delete(stop_facts) if stop_ids is None else delete(stop_facts).where(stop_facts.c.stop_id.in_(stop_ids))
    )
    rows = connection.execute(select(records).where(which, records.c.problem.is_(None), records.c.kind.in_(FACTS)))
    told: list[tuple[StopId, Line]] = []
    for row in rows:
        record = record_from(row.record)
        if record is None:
            continue
        captured_ms = None if record.wall_source == "none" else row.captured_ms
        captured_ms = captured_ms if row.anchored_ms is None else row.anchored_ms
        told.append((row.stop_id, (row.van, row.epoch, row.seq, captured_ms, row.received_ms, row.kind, record.body)))
    add_facts(connection, told)


def record_from(text: str) -> Record | None:
    """A record as it is stored. None for one that goes so deep that not every reader follows: nothing of ours does."""
    try:
        return Record.model_validate(loads(text.encode()))
    except WireError:
        return None


def _read(line: str) -> tuple[Origin, Message] | None:
    """None for a body that was what its kind said, and by today's model is not; or goes too deep, as above."""
    try:
        van, epoch, seq, captured_ms, received_ms, kind, said = loads(line.encode())
        body = FACTS[kind].model_validate(said)
    except (WireError, ValidationError):
        return None
    captured_at = None if captured_ms is None else from_ms(captured_ms)
    return Origin(van=van, epoch=epoch, seq=seq, captured_at=captured_at, received_at=from_ms(received_ms)), body
