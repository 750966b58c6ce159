"""What is written stays small, and says the same."""

from pathlib import Path

import zstandard

from agent.store import runs
from agent.store.database import Database
from agent.store.migrations import migrate
from agent.store.store import Step, Store
from agent.trip.inputs import FixJudged
from agent.trip.run import StopPhase
from tests.builders import a_position, a_run, at


async def test_one_stop_closed_among_150_writes_a_few_hundred_bytes_of_the_run(tmp_path: Path) -> None:
    run = a_run(150)
    base = runs.pack(run, None).base
    closed = run.stops[70].model_copy(update={"phase": StopPhase.COMPLETED, "closed_at": at(5)})
    later = run.model_copy(update={"stops": (*run.stops[:70], closed, *run.stops[71:]), "position": a_position()})
    packed = runs.pack(later, base)
    assert not packed.is_new
    assert len(packed.difference) < 500


async def test_a_minute_of_fixes_is_kept_packed(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    soft = tuple((second * 1000, FixJudged(position=a_position())) for second in range(60))
    await store.save(Step(at_ms=1, run=a_run(), soft=soft))
    ((body, packed),) = await store._do(lambda: store._database.execute("SELECT body, body_zstd FROM inputs"))
    assert body == ""
    assert isinstance(packed, bytes)
    assert len(packed) < 2_000
    await store.close()


async def test_a_run_that_an_older_agent_wrote_is_read(tmp_path: Path) -> None:
    database = Database(tmp_path / "van.sqlite")
    migrate(database)
    whole = zstandard.ZstdCompressor().compress(a_run(3).model_dump_json(by_alias=True).encode())
    database.execute("INSERT INTO run (id, json_zstd) VALUES (1, ?)", (whole,))
    assert runs.load(database) == a_run(3)
    database.close()


async def test_runs_of_every_size_come_back_after_a_restart(tmp_path: Path) -> None:
    for turn, size in enumerate([1, 150, 149, 3, 150]):
        store = await Store.open(tmp_path)
        assert turn == 0 or (await store.load_run()).version == turn - 1
        run = a_run(size, version=turn)
        await store.save(Step(at_ms=1, run=run))
        await store.save(Step(at_ms=2, run=run.model_copy(update={"position": a_position()})))
        assert await store.load_run() == run.model_copy(update={"position": a_position()})
        await store.close()
