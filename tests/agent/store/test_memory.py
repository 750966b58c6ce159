"""What days taught, on the van's disk: there after a restart, gone when it is erased."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from random import Random

import zstandard

from agent.learn.conformal import MOST_SCORES
from agent.learn.keys import address_key
from agent.learn.known import Known
from agent.learn.lessons import DayLearned, Lesson, Lessons
from agent.learn.level import Level
from agent.store import memory
from agent.store.salvage import suspect
from agent.store.store import Step, Store
from agent.trip.inputs import ForgetTapped, ManifestArrived, Recalled
from tests.builders import a_manifest, a_run, a_stop, at

AT_MS = round(at(0).timestamp() * 1000)
MANIFEST = a_manifest(2)
DAY = MANIFEST.day.toordinal()
HERE, ELSEWHERE = address_key(a_stop(1)), address_key(a_stop(9))


def taught(day: int = DAY, **values: float) -> DayLearned:
    lessons = [Lesson("visit/van", 2.0), *(Lesson(f"visit/address/{key}", 3.0) for key in (HERE, ELSEWHERE))]
    return DayLearned(day=day, lessons=Lessons().plus(lessons).plus_score(2, values.get("score", 1.5)))


def contents(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def a_day_over(learned: DayLearned) -> Step:
    return Step(at_ms=AT_MS, run=a_run(), entered=ManifestArrived(manifest=MANIFEST), learned=learned)


async def test_what_a_day_taught_is_there_after_a_restart_and_adds_up(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_day_over(taught()))
    await store.save(a_day_over(taught()))
    await store.close()
    store = await Store.open(tmp_path)
    known = await store.recall(MANIFEST)
    assert known.day == DAY
    assert known.levels["visit/van"] == Level(weight=2.0, mean=2.0, day=DAY)
    assert known.ranges[2].scores == 2
    await store.close()


async def test_only_the_addresses_of_the_day_are_read(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_day_over(taught()))
    known = await store.recall(MANIFEST)
    assert f"visit/address/{HERE}" in known.levels
    assert ELSEWHERE not in known.model_dump_json()
    await store.close()


async def test_what_was_learned_about_an_address_is_erased_to_the_last_byte(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_day_over(taught()))
    await store.close()
    store = await Store.open(tmp_path)  # the next step writes the run whole, and later ones tell it from that
    known = await store.recall(MANIFEST)
    run = a_run(known=known)
    await store.save(Step(at_ms=AT_MS, run=run, entered=Recalled(known=known)))
    erased = a_run(known=known.without(HERE))
    await store.save(Step(at_ms=AT_MS, run=erased, entered=ForgetTapped(stop_id="s1"), erased=HERE))
    after = await store.recall(MANIFEST)
    assert set(known.levels) - set(after.levels) == {f"visit/address/{HERE}"}
    assert await store.load_run() == erased
    await store.close()

    store = await Store.open(tmp_path)
    await store.close()
    assert not [name for name in ("van.sqlite", "van.sqlite-wal") if HERE.encode() in contents(tmp_path / name)]
    with closing(sqlite3.connect(tmp_path / "van.sqlite")) as database:
        ((base,),) = database.execute("SELECT json_zstd FROM run_base").fetchall()
        assert HERE.encode() not in zstandard.ZstdDecompressor().decompress(base)
        ((body,),) = database.execute("SELECT body FROM inputs WHERE kind = 'recalled'").fetchall()
    assert Recalled.model_validate_json(body).known == known.without(HERE)


async def test_of_errors_only_the_newest_are_kept(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    lessons = Lessons()
    for number in range(MOST_SCORES + 50):
        lessons = lessons.plus_score(0, number / 1000)
    await store.save(a_day_over(DayLearned(day=DAY, lessons=lessons)))
    await store.close()
    with closing(sqlite3.connect(tmp_path / "van.sqlite")) as database:
        ((count, least),) = database.execute("SELECT count(*), min(value) FROM arrival_errors").fetchall()
    assert (count, least) == (MOST_SCORES, 0.05)


async def test_what_nobody_was_at_for_years_is_forgotten(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_day_over(taught()))
    later = taught(DAY + memory.FORGET_AFTER_DAYS + 1).lessons.without(HERE)
    await store.save(a_day_over(DayLearned(day=DAY + memory.FORGET_AFTER_DAYS + 1, lessons=later)))
    assert f"visit/address/{HERE}" not in (await store.recall(MANIFEST)).levels
    await store.close()


async def test_a_salvaged_store_still_knows_what_it_learned(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    await store.save(a_day_over(taught()))
    before = await store.recall(MANIFEST)
    await store.close()
    suspect(tmp_path)
    store = await Store.open(tmp_path)
    assert await store.recall(MANIFEST) == before
    await store.close()


async def test_a_year_of_addresses_is_read_in_no_time_and_enters_a_day_small(tmp_path: Path) -> None:
    dice = Random(1)
    keys = [f"visit/address/{dice.randbytes(10).hex()}" for _ in range(5_000)]
    store = await Store.open(tmp_path)
    lessons = Lessons(sums=dict.fromkeys(keys, (1, 1.0)))
    await store.save(a_day_over(DayLearned(day=DAY, lessons=lessons)))
    known: Known = await store.recall(a_manifest(150, day=MANIFEST.day + timedelta(days=1)))
    assert len(known.levels) == 0
    await store.close()
