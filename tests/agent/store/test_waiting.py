"""How much waits is counted along, and always what a count of every row would say."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store import outbox
from agent.store.outbox import LaneName
from agent.store.store import Step, Store
from agent.trip.run import Run
from wire.envelope import LaneReceipt, Receipts, Record
from wire.track import Breadcrumb

Saved = tuple[int, int]
Receipted = tuple[LaneName, int, bool]


def a_step(events: int, crumbs: int) -> Step:
    record = Record(kind="stop.arrived", wall_ms=1, wall_source="system", mono_ms=1, body={"stop_id": "s1"})
    crumb = Breadcrumb(wall_ms=1000, lat_deg=41.0, lon_deg=-8.0)
    return Step(at_ms=1, run=Run(), records=(record,) * events, crumbs=(crumb,) * crumbs)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.integers(0, 5), st.integers(0, 5)),
            st.tuples(st.sampled_from(["events", "track"]), st.integers(0, 12), st.booleans()),
        ),
        max_size=10,
    )
)
@settings(max_examples=25, deadline=None)
def test_what_waits_is_counted_along_saves_receipts_and_resumes(happened: list[Saved | Receipted]) -> None:
    asyncio.run(_live_through(happened))


async def _live_through(happened: list[Saved | Receipted]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(Path(folder))
        try:
            for what in happened:
                if len(what) == 2:
                    await store.save(a_step(*what))
                else:
                    lane, contiguous_seq, is_resume = what
                    receipts = Receipts(
                        epoch=store.identity.epoch, lanes={lane: LaneReceipt(contiguous_seq=contiguous_seq)}
                    )
                    await store.apply_receipts(receipts, 2, is_resume=is_resume)
                counted = await store._do(
                    lambda: tuple(outbox.count(store._database, lane) for lane in ("events", "track"))
                )
                assert (store.waiting.events, store.waiting.track) == counted
        finally:
            await store.close()
