"""However breadcrumbs are packed and divided: each seq is there once, waits or does not, and says what it said."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.store import migrations, outbox, trail
from agent.store.database import Database
from agent.store.meta import Identity, begin_boot
from agent.store.migrations import migrate
from agent.store.outbox import SeqRange
from agent.store.store import Store
from agent.store.trail import Crumb
from wire.envelope import LaneReceipt, Receipts
from wire.track import Breadcrumb, GivenUp

WHY = GivenUp(why="disk full")


@contextmanager
def opened() -> Iterator[tuple[Database, Identity]]:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "van.sqlite")
        migrate(database)
        yield database, begin_boot(database, Path(folder) / "boot")
        database.close()


def crumbs(first: int, count: int) -> list[Breadcrumb]:
    return [Breadcrumb(wall_ms=1000 * seq, lat_deg=seq / 1e6, lon_deg=-8.5) for seq in range(first, first + count)]


def leave(database: Database, epoch_id: int, sizes: list[int]) -> int:
    """Steps with that many breadcrumbs each; how many there are."""
    last = 0
    for size in sizes:
        with database.transaction():
            outbox.append(database, epoch_id, "track", crumbs(last + 1, size), last)
        last += size
    return last


sizes = st.lists(st.integers(1, 9), min_size=1, max_size=6)
ranges = st.lists(
    st.tuples(st.integers(1, 40), st.integers(0, 12)).map(lambda one: (one[0], one[0] + one[1])), max_size=3
)
receipts = st.builds(
    lambda contiguous, some: LaneReceipt(contiguous_seq=contiguous, ranges=tuple(some)), st.integers(0, 40), ranges
)


def covered(receipt: LaneReceipt) -> set[int]:
    both = ((1, receipt.contiguous_seq), *receipt.ranges)
    return {seq for first, last in both for seq in range(first, last + 1)}


@given(sizes, st.lists(st.tuples(receipts, st.booleans()), max_size=4))
@settings(max_examples=60, deadline=None)
def test_receipts_and_resumes_move_single_seqs_whatever_the_rows(
    steps: list[int], heard: list[tuple[LaneReceipt, bool]]
) -> None:
    with opened() as (database, identity):
        last = leave(database, identity.epoch_id, steps)
        everything = set(range(1, last + 1))
        waits = set(everything)
        for receipt, is_resume in heard:
            if is_resume:
                again = everything - waits - covered(receipt)
                assert outbox.reopen(database, identity.epoch, "track", receipt) == len(again)
                waits |= again
            freed = waits & covered(receipt)
            assert outbox.apply_receipt(database, identity.epoch, "track", receipt, 5) == len(freed)
            waits -= freed
            rows = outbox.next_unreceipted(database, "track", 100)
            assert [row.seq for row in rows] == sorted(waits)
            assert outbox.count(database, "track") == len(waits)
            assert all(Breadcrumb.model_validate_json(row.record_json) == crumbs(row.seq, 1)[0] for row in rows)


@given(sizes, ranges, st.integers(1, 12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_next_ones_are_the_oldest_or_newest_that_are_not_under_way(
    steps: list[int], under_way: list[tuple[int, int]], limit: int, newest: bool
) -> None:
    with opened() as (database, identity):
        last = leave(database, identity.epoch_id, steps)
        besides = [SeqRange(identity.epoch, "track", first, end) for first, end in under_way]
        left = [seq for seq in range(1, last + 1) if not any(first <= seq <= end for first, end in under_way)]
        rows = outbox.next_unreceipted(database, "track", limit, besides, newest=newest)
        assert [row.seq for row in rows] == (left[-limit:] if newest else left[:limit])


@given(sizes, st.integers(0, 20), st.integers(1, 20), st.integers(1, 4))
@settings(max_examples=60, deadline=None)
def test_thinning_gives_up_old_crumbs_and_no_seq(steps: list[int], spared: int, at_once: int, turns: int) -> None:
    with opened() as (database, identity):
        last = leave(database, identity.epoch_id, steps)
        told = sum(trail.thin(database, spared, at_once, WHY) for _ in range(turns))
        rows = outbox.next_unreceipted(database, "track", 100)
        assert [row.seq for row in rows] == list(range(1, last + 1))
        gone = {row.seq for row in rows if row.record_json == WHY.model_dump_json()}
        assert told == len(gone)
        assert all(seq <= last - spared for seq in gone)
        kept = [row for row in rows if row.seq not in gone]
        assert all(Breadcrumb.model_validate_json(row.record_json) == crumbs(row.seq, 1)[0] for row in kept)


def test_thinning_thins_evenly_before_it_thins_again() -> None:
    with opened() as (database, identity):
        leave(database, identity.epoch_id, [60] * 20)
        while trail.thin(database, 600, 100, WHY):
            rows = outbox.next_unreceipted(database, "track", 600)
            kept = [
                sum("wall_ms" in row.record_json for row in rows[start : start + 60]) for start in range(0, 600, 60)
            ]
            assert max(kept) <= 2 * min(kept) + 2  # odd numbers round
            if max(kept) <= 15:
                return
        raise AssertionError("it stopped")


def test_a_day_of_track_takes_little_room() -> None:
    with opened() as (database, identity):
        leave(database, identity.epoch_id, [60] * 600)
        ((packed,),) = database.execute("SELECT sum(length(crumbs_zstd)) FROM trail")
        assert isinstance(packed, int)
        assert packed < 600 * 800


def an_older_store(folder: Path, rows: list[tuple[int, Crumb, int | None]]) -> None:
    """As the agent before left it: a row for each breadcrumb, and an event among them."""
    with closing(sqlite3.connect(folder / "van.sqlite")) as database:
        for number, step in enumerate(migrations.STEPS[:3], 1):
            for statement in step:
                assert isinstance(statement, str)
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")
        database.execute("INSERT INTO meta VALUES ('boot', 1)")
        database.execute("INSERT INTO epochs VALUES (1, '0123456789abcdef')")
        database.execute("INSERT INTO lanes VALUES (1, 'track', ?), (1, 'events', 2)", (rows[-1][0] + 1,))
        database.execute("INSERT INTO outbox VALUES (1, 'events', 1, '{}', 7, NULL)")
        database.executemany(
            "INSERT INTO outbox VALUES (1, 'track', ?, ?, 7, ?)",
            [(seq, crumb.model_dump_json(), receipted_ms) for seq, crumb, receipted_ms in rows],
        )
        database.commit()
    (folder / "boot").write_text("1\n")


async def test_the_track_of_an_older_agent_is_taken_over_seq_by_seq(tmp_path: Path) -> None:
    rows: list[tuple[int, Crumb, int | None]] = [
        (seq, WHY if seq % 7 == 0 else crumbs(seq, 1)[0], 5 if seq < 400 and seq != 90 else None)
        for seq in range(1, 1500)
        if seq not in (50, 51, 700)
    ]
    an_older_store(tmp_path, rows)
    store = await Store.open(tmp_path)
    waits = [seq for seq, _, receipted_ms in rows if receipted_ms is None]
    held = await store.next_unreceipted("track", 5_000)
    assert [row.seq for row in held] == waits
    assert store.waiting.track == len(waits)
    assert store.waiting.events == 1
    said = {seq: crumb.model_dump_json() for seq, crumb, _ in rows}
    assert all(row.record_json == said[row.seq] for row in held)
    nothing_held = Receipts(epoch=store.identity.epoch, lanes={"track": LaneReceipt(contiguous_seq=0)})
    await store.apply_receipts(nothing_held, 9, is_resume=True)
    assert [row.seq for row in await store.next_unreceipted("track", 5_000)] == [seq for seq, _, _ in rows]
    assert (await store._do(lambda: store._database.execute("SELECT count(*) FROM outbox"))) == [(1,)]
    await store.close()
