import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.errors import StoreError
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped
from tests.builders import MORNING, a_run
from tests.cloud.said import a_record, arrived, completed
from tests.sealing import a_sealing
from wire.envelope import LaneReceipt, Receipts
from wire.seal import Place, begin, digest_of, link

NOW_MS = round(MORNING.timestamp() * 1000)
VAN = "van-1"


async def say(store: Store, *bodies: Any, tap: str = "") -> None:
    made = TapMade(tap, "hash") if tap else None
    entered = ArrivedTapped(stop_id="s1")
    await store.save(
        Step(at_ms=NOW_MS, run=a_run(2), entered=entered, tap=made, records=tuple(a_record(body) for body in bodies))
    )


def rows(folder: Path) -> list[tuple[str, int, dict[str, Any]]]:
    with closing(sqlite3.connect(folder / "van.sqlite")) as database:
        found = database.execute("SELECT epoch, seq, record FROM outbox JOIN epochs USING (epoch_id) ORDER BY 1, 2")
        return [(epoch, seq, json.loads(record)) for epoch, seq, record in found]


def breaks(folder: Path) -> list[int]:
    """The seqs whose record does not name the link of the one before it."""
    found: list[int] = []
    prev: dict[str, str] = {}
    for epoch, seq, record in rows(folder):
        if record["seal"]["prev"] != prev.get(epoch, begin(VAN, epoch)):
            found.append(seq)
        prev[epoch] = link(Place(VAN, epoch, seq), record["seal"]["prev"], digest_of(record))
    return found


async def test_the_chain_goes_on_through_steps_and_starts(tmp_path: Path) -> None:
    for life in range(3):
        store = await Store.open(tmp_path, sealing=a_sealing(VAN, life))
        await say(store, arrived("s1"), arrived("s2"))
        await say(store, completed("s1"))
        await store.close()
    assert len(rows(tmp_path)) == 9
    assert breaks(tmp_path) == []


async def test_each_record_names_the_one_before_it_about_its_stop(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, sealing=a_sealing(VAN))
    await say(store, arrived("s1"), arrived("s2"))
    await store.close()
    store = await Store.open(tmp_path, sealing=a_sealing(VAN))
    await say(store, completed("s1"))
    await store.close()
    assert [record["seal"]["before"] for _, _, record in rows(tmp_path)] == [0, 0, 1]


async def test_a_step_that_was_not_saved_leaves_no_link(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, sealing=a_sealing(VAN))
    await say(store, arrived("s1"), tap="tap-00001")
    with pytest.raises(StoreError):
        await say(store, arrived("s2"), arrived("s1"), tap="tap-00001")
    await say(store, completed("s1"))
    await store.close()
    assert breaks(tmp_path) == []
    assert [record["seal"]["before"] for _, _, record in rows(tmp_path)] == [0, 1]


async def test_a_store_of_an_older_agent_begins_its_chain_where_it_stands(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await say(store, arrived("s1"))
    await store.close()
    store = await Store.open(tmp_path, sealing=a_sealing(VAN))
    epoch = store.identity.epoch
    await say(store, completed("s1"))
    await store.close()
    (_, _, old), (_, seq, new) = rows(tmp_path)
    assert old["seal"] is None
    assert (seq, new["seal"]["prev"], new["seal"]["before"]) == (2, begin(VAN, epoch), 1)


async def test_what_is_said_again_under_a_new_epoch_is_sealed_there(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, sealing=a_sealing(VAN))
    first = store.identity.epoch
    await say(store, arrived("s1"), completed("s1"))
    # The coordinator knows of more than we ever said: another life of this store said it.
    await store.apply_receipts(Receipts(epoch=first, lanes={"events": LaneReceipt(contiguous_seq=9)}), NOW_MS)
    assert store.identity.epoch != first
    await say(store, arrived("s2"))
    await store.close()
    assert {epoch for epoch, _, _ in rows(tmp_path)} == {store.identity.epoch}
    assert breaks(tmp_path) == []
