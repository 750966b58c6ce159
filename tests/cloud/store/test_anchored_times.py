"""Records of a van that had no idea of the time get their dates when it has, whatever the order they come in."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.store.database import Database
from cloud.store.stop_states import states_of
from cloud.store.tables import forks, records
from tests.builders import MORNING
from tests.cloud.said import FLEET, MORNING_MS, a_record, arrived, batch_packet, completed
from wire.envelope import Record
from wire.events import ClockAnchored, EventKind


def unsure(record: Record, mono_ms: int, boot: int = 1) -> Record:
    """As a van says it whose clock shows 1970."""
    return record.model_copy(update={"wall_ms": 5, "wall_source": "none", "mono_ms": mono_ms, "boot": boot})


def anchor(mono_ms: int, boot: int = 1) -> Record:
    body = ClockAnchored(boot=boot, mono_ms=mono_ms, wall_ms=MORNING_MS, wall_err_ms=1000, source="gps")
    return a_record(body.model_dump(mode="json"), EventKind.CLOCK_ANCHORED)


DAY = [
    unsure(a_record(arrived("s1")), 10_000),
    unsure(a_record(completed("s1")), 20_000),
    unsure(a_record(arrived("s2")), 1_000, boot=2),
    anchor(60_000),
    a_record(completed("s2"), after_ms=90_000, boot=2),
]


def take(database: Database, *seqs: int) -> None:
    for seq in seqs:
        packet = unpack(FLEET, *batch_packet([DAY[seq - 1]], first_seq=seq))
        assert packet is not None
        with database.transaction() as connection:
            apply_group(connection, [Incoming(packet)], MORNING)


@pytest.mark.parametrize("order", [(1, 2, 3, 4, 5), (4, 2, 1, 3, 5), (5, 4, 3, 2, 1), (1, 4, 4, 2, 1, 5, 3)])
def test_earlier_records_of_that_boot_are_dated_and_of_no_other(database: Database, order: tuple[int, ...]) -> None:
    take(database, *order)
    with database.snapshot() as connection:
        states = states_of(connection, ["s1", "s2"])
        rows = connection.execute(select(records.c.anchored_ms).order_by(records.c.seq)).scalars().all()
        assert connection.execute(select(forks)).all() == []
    closing, arrival = states["s1"].closing, states["s1"].arrival
    assert closing is not None
    assert arrival is not None
    assert closing.origin.captured_at == MORNING - timedelta(seconds=40)
    assert arrival.origin.captured_at == MORNING - timedelta(seconds=50)
    other = states["s2"].arrival
    assert other is not None
    assert other.origin.captured_at is None  # of another boot: still unknown, and said so
    assert rows == [MORNING_MS - 50_000, MORNING_MS - 40_000, None, None, None]
