"""Whatever order receipts come in, and however often: a row is free exactly when some receipt covered it."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store import outbox
from agent.store.database import Database
from agent.store.meta import begin_boot
from agent.store.migrations import migrate
from wire.envelope import LaneReceipt
from wire.track import Breadcrumb

ROWS = 30


@st.composite
def receipts(draw: st.DrawFn) -> LaneReceipt:
    contiguous = draw(st.integers(0, ROWS))
    ends = draw(st.lists(st.tuples(st.integers(1, ROWS), st.integers(0, 5)), max_size=3))
    return LaneReceipt(
        contiguous_seq=contiguous, ranges=tuple((first, min(ROWS, first + more)) for first, more in ends)
    )


@settings(max_examples=25, deadline=None)
@given(
    st.lists(receipts(), max_size=6).flatmap(
        lambda some: st.permutations(some + some[:2]).map(lambda all_: (some, all_))
    )
)
def test_receipts_in_any_order_and_twice_free_what_they_cover(
    case: tuple[list[LaneReceipt], list[LaneReceipt]],
) -> None:
    made, arriving = case
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "van.sqlite")
        migrate(database)
        identity = begin_boot(database, Path(folder) / "boot")
        crumbs = [Breadcrumb(wall_ms=number, lat_deg=0, lon_deg=0) for number in range(ROWS)]
        with database.transaction():
            outbox.append(database, identity.epoch_id, "track", crumbs, 0)
        for receipt in arriving:
            outbox.apply_receipt(database, identity.epoch, "track", receipt, 1)
        waiting = {row.seq for row in outbox.next_unreceipted(database, "track", ROWS)}
        depth = outbox.count(database, "track")
        database.close()
    covered = {
        seq
        for receipt in made
        for first, last in ((1, receipt.contiguous_seq), *receipt.ranges)
        for seq in range(first, last + 1)
    }
    assert waiting == set(range(1, ROWS + 1)) - covered
    assert depth == len(waiting)
