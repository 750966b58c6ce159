"""What became of each stop: a fold of the records that name it, made whenever somebody reads it.

Nothing is kept beside the records. Whatever a commit would have to keep up to date with them takes time of the receipt
that waits for it, and whatever is erased or dated anew would have to be so in two places.
"""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, select

from cloud.fleet.fold import FACTS, Origin, StopState, fold
from cloud.store.instants import from_ms
from cloud.store.parts import Among
from cloud.store.tables import records
from wire.codec import WireError, loads
from wire.envelope import Record
from wire.model import Message, StopId

_SAID = Among(
    select(
        records.c.stop_id,
        records.c.van,
        records.c.epoch,
        records.c.seq,
        records.c.captured_ms,
        records.c.anchored_ms,
        records.c.received_ms,
        records.c.kind,
        records.c.record,
    ).where(records.c.problem.is_(None)),
    records.c.stop_id,
)


def states_of(connection: Connection, stop_ids: Iterable[StopId]) -> dict[StopId, StopState]:
    """What the vans made of these stops; one nobody said anything about has an empty state."""
    told: dict[StopId, list[tuple[Origin, Message]]] = {stop_id: [] for stop_id in stop_ids}
    for row in _SAID.rows(connection, told):
        fact = _fact(row) if row.kind in FACTS else None
        if fact is not None:
            told[row.stop_id].append(fact)
    return {stop_id: fold(stop_id, facts) for stop_id, facts in told.items()}


def record_from(text: str) -> Record | None:
    """A record as it is stored. None for one that goes so deep that not every reader follows: nothing of ours does."""
    try:
        return Record.model_validate(loads(text.encode()))
    except WireError:
        return None


def _fact(row: Row[Any]) -> tuple[Origin, Message] | None:
    """None for a body that was what its kind said, and by today's model is not; or goes too deep, as above."""
    try:
        said = loads(row.record.encode())
        body = FACTS[row.kind].model_validate(said["body"])
    except (WireError, ValidationError):
        return None
    captured_ms = None if said["wall_source"] == "none" else row.captured_ms
    captured_ms = captured_ms if row.anchored_ms is None else row.anchored_ms
    origin = Origin(
        van=row.van,
        epoch=row.epoch,
        seq=row.seq,
        captured_at=None if captured_ms is None else from_ms(captured_ms),
        received_at=from_ms(row.received_ms),
    )
    return origin, body
