"""The database's log goes into the file when nobody taps; a tap that met that would wait for four syncs more."""

import asyncio
import time
from pathlib import Path

import pytest

from agent.store import wal
from agent.store.blobs import NewBlob
from agent.store.database import Database
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped
from tests.builders import a_run
from wire.manifest import EvidenceKind

LULL_S = 0.2


@pytest.fixture
def emptied(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When, in monotonic seconds."""
    times: list[float] = []
    whole = Database.empty_log

    def noted(database: Database) -> None:
        times.append(time.monotonic())
        whole(database)

    monkeypatch.setattr(Database, "empty_log", noted)
    monkeypatch.setattr(wal, "LULL_S", LULL_S)
    return times


def a_photo(number: int) -> Step:
    taken = NewBlob(
        sha256=f"{number:064x}", kind=EvidenceKind.PHOTO, media_type="image/jpeg", data=bytes([number]) * 400_000
    )
    return Step(
        at_ms=1, run=a_run(), entered=ArrivedTapped(stop_id="s1"), tap=TapMade(f"tap-{number:04}", "hash"), blob=taken
    )


async def test_a_long_log_waits_until_nobody_taps(tmp_path: Path, emptied: list[float]) -> None:
    store = await Store.open(tmp_path)
    for number in range(5):
        await store.save(a_photo(number))
    tapped_at_s = time.monotonic()
    assert not emptied
    await asyncio.sleep(2 * LULL_S)
    await store.close()
    assert len(emptied) == 1
    assert emptied[0] >= tapped_at_s + 0.9 * LULL_S


async def test_a_full_log_waits_for_nobody(
    tmp_path: Path, emptied: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wal, "LULL_S", 60.0)
    monkeypatch.setattr(wal, "IS_FULL_BYTES", 1_300_000)
    monkeypatch.setattr(wal, "LOOK_EVERY_S", 0.05)
    store = await Store.open(tmp_path)
    for number in range(4):
        await store.save(a_photo(number))
    await asyncio.sleep(3 * wal.LOOK_EVERY_S)
    await store.close()
    assert emptied


async def test_a_store_that_is_closed_does_not_wait_for_the_lull(tmp_path: Path, emptied: list[float]) -> None:
    store = await Store.open(tmp_path)
    for number in range(5):
        await store.save(a_photo(number))
    async with asyncio.timeout(LULL_S):
        await store.close()
    assert not emptied
