"""A damaged database: what could be read of it goes on, what could not is counted, and nothing unproven is a proof."""

import hashlib
import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.store import outbox
from agent.store import salvage as salvaging
from agent.store.blobs import NewBlob
from agent.store.database import Database
from agent.store.migrations import migrate, take_step
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped
from tests.builders import a_run, at
from wire.envelope import LaneReceipt, Receipts, Record
from wire.events import Alarm
from wire.manifest import EvidenceKind
from wire.track import Breadcrumb

AT_MS = round(at(0).timestamp() * 1000)
EVENTS, CRUMBS, PHOTOS = 60, 400, 4
RUNS = 80


def photo(number: int) -> bytes:
    return random.Random(number).randbytes(20_000)


async def fill(folder: Path) -> str:
    """A store with rows, breadcrumbs and photos, the first ten events receipted; its epoch."""
    store = await Store.open(folder)
    for number in range(EVENTS):
        record = Record(
            kind="stop.arrived", wall_ms=number, wall_source="gps", mono_ms=number, body={"stop_id": f"s{number}"}
        )
        crumbs = tuple(
            Breadcrumb(wall_ms=number * 1000 + part, lat_deg=41.0, lon_deg=-8.0) for part in range(CRUMBS // EVENTS)
        )
        data = photo(number)
        sha256 = hashlib.sha256(data).hexdigest()
        blob = NewBlob(sha256, EvidenceKind.PHOTO, "image/jpeg", data) if number < PHOTOS else None
        entered = ArrivedTapped(stop_id="s1")
        await store.save(Step(at_ms=AT_MS, run=a_run(), entered=entered, records=(record,), crumbs=crumbs, blob=blob))
    epoch = store.identity.epoch
    await store.apply_receipts(Receipts(epoch=epoch, lanes={"events": LaneReceipt(contiguous_seq=10)}), AT_MS)
    await store.close()
    return epoch


Rows = dict[tuple[str, str, int], str]
Spans = dict[int, tuple[str, int, int, int, bytes]]
_NEXT_OF_EPOCH = "receipted_ms IS NULL AND epoch_id = (SELECT min(epoch_id) FROM epochs NOT INDEXED WHERE epoch = ?)"


def answers(database: sqlite3.Connection, sql: str, values: tuple[object, ...]) -> list[tuple[object, ...]]:
    try:
        return database.execute(sql, values).fetchall()
    except (sqlite3.Error, UnicodeDecodeError):
        return []


def readable(path: Path, rows: Rows, spans: Spans) -> Rows:
    """Of `rows`, those that SQLite still finds as they were, asked for one by one; the track by its spans."""
    found: Rows = {}
    with closing(sqlite3.connect(path)) as database:
        for (epoch, lane, seq), text in rows.items():
            sql = f"SELECT record FROM outbox NOT INDEXED WHERE {_NEXT_OF_EPOCH} AND lane = ? AND seq = ?"
            if lane == "events" and answers(database, sql, (epoch, lane, seq)) == [(text,)]:
                found[epoch, lane, seq] = text
        for number, (epoch, first, last, *others) in spans.items():
            sql = f"SELECT {_SPAN} FROM trail NOT INDEXED WHERE {_NEXT_OF_EPOCH} AND trail_id = ?"
            if answers(database, sql, (epoch, number)) == [(first, last, *others)]:
                found |= {key: rows[key] for key in rows if key[1] == "track" and first <= key[2] <= last}
    return found


_SPAN = "first_seq, last_seq, created_ms, crumbs_zstd"


def waiting_spans(path: Path) -> Spans:
    with closing(sqlite3.connect(path)) as database:
        sql = f"SELECT trail_id, epoch, {_SPAN} FROM trail JOIN epochs USING (epoch_id) WHERE receipted_ms IS NULL"
        return {row[0]: row[1:] for row in database.execute(sql)}


def waiting_rows(path: Path) -> Rows:
    with closing(Database(path)) as database:
        return {
            (row.epoch, row.lane, row.seq): row.record_json
            for lane in ("events", "track")
            for row in outbox.next_unreceipted(database, lane, 1_000_000)
        }


def evidence(path: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(path)) as database:
        return dict(database.execute("SELECT sha256, bytes FROM blobs JOIN blob_bytes USING (sha256)"))


def as_an_older_agent_left_it(path: Path) -> None:
    """Pages of 4 kB, and a row in the outbox for each breadcrumb."""
    new = path.with_name("newer.sqlite")
    path.rename(new)
    tables = ("meta", "epochs", "inputs", "taps", "run", "run_base", "lanes", "outbox", "blobs", "blob_bytes")
    with closing(Database(new)) as source, closing(Database(path, 4096)) as old, old.transaction():
        for number in range(3):
            take_step(old, number)
        old.execute("PRAGMA user_version = 3")
        for table in tables:
            names = ", ".join(str(name) for (name,) in old.execute("SELECT name FROM pragma_table_info(?)", (table,)))
            for row in source.execute(f"SELECT {names} FROM {table}"):
                old.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' for _ in row)})", row)
        for crumb in outbox.next_unreceipted(source, "track", 1_000_000):
            old.execute("INSERT INTO outbox VALUES (1, 'track', ?, ?, 1, NULL)", (crumb.seq, crumb.record_json))
    for leftover in new.parent.glob(f"{new.name}*"):
        leftover.unlink()


def spoil_all_but_the_first_pages(path: Path) -> None:
    with path.open("r+b") as file:
        size_bytes = file.seek(0, 2)
        file.seek(20 * 4096)
        file.write(bytes(size_bytes - 20 * 4096))


def asides(folder: Path) -> list[Path]:
    return sorted(folder.glob("damaged-*"))


def damage(path: Path, dice: random.Random) -> None:
    """One bit, some bytes, a sector of zeros, a page of another place, or the end cut off."""
    content = bytearray(path.read_bytes())
    place = dice.choice([dice.randrange(100), dice.randrange(len(content)), dice.randrange(len(content))])
    match dice.randrange(5):
        case 0:
            content[place] ^= 1 << dice.randrange(8)
        case 1:
            content[place : place + 8] = dice.randbytes(8)
        case 2:
            start = place // 512 * 512
            content[start : start + 512] = bytes(512)
        case 3:
            here, there = place // 4096 * 4096, dice.randrange(len(content)) // 4096 * 4096
            content[here : here + 4096] = content[there : there + 4096]
        case _:
            del content[max(8192, place) :]
    path.write_bytes(content)


async def test_whatever_bytes_are_spoiled_every_row_that_can_be_read_goes_on(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    await fill(whole)
    rows, photos = waiting_rows(whole / "van.sqlite"), evidence(whole / "van.sqlite")
    spans = waiting_spans(whole / "van.sqlite")
    assert len(rows) == EVENTS - 10 + CRUMBS // EVENTS * EVENTS
    salvaged = 0
    for seed in range(RUNS):
        dice = random.Random(seed)
        van = tmp_path / f"van-{seed}"
        shutil.copytree(whole, van)
        damage(van / "van.sqlite", dice)
        shutil.copy2(van / "van.sqlite", tmp_path / "damaged.sqlite")
        expected = readable(tmp_path / "damaged.sqlite", rows, spans)
        # As production does it; and, where a first look finds nothing wrong, as after a failure in use.
        salvaging.suspect(van)
        store = await Store.open(van)
        await store.save(Step(at_ms=AT_MS, run=await store.load_run(), entered=ArrivedTapped(stop_id="s1")))
        await store.close()
        (aside,) = asides(van)
        assert (aside / "van.sqlite").read_bytes() == (tmp_path / "damaged.sqlite").read_bytes(), seed
        after = waiting_rows(van / "van.sqlite")
        assert {key: after.get(key) for key in expected} == expected, seed
        assert all(after[key] == expected[key] for key in after if key in expected), seed
        for sha256, data in evidence(van / "van.sqlite").items():
            assert hashlib.sha256(data).hexdigest() == sha256, seed
            assert photos[sha256] == data, seed
        (alarm,) = [key for key, text in after.items() if "alarm.raised" in text]
        assert alarm[0] not in {key[0] for key in rows}, seed  # under an epoch of its own
        salvaged += len(expected)
        shutil.rmtree(van)
    assert salvaged > RUNS * len(rows) / 3  # else the damage proves nothing


@pytest.mark.parametrize("is_older", [False, True], ids=["small pages", "an older agent's"])
@pytest.mark.parametrize("spoiled", [b"", bytes(100), bytes(1024), bytes(4096), b"\xff" * 4096])
async def test_a_spoiled_first_page_costs_nothing(tmp_path: Path, spoiled: bytes, *, is_older: bool) -> None:
    await fill(tmp_path)
    rows, photos = waiting_rows(tmp_path / "van.sqlite"), evidence(tmp_path / "van.sqlite")
    if is_older:
        as_an_older_agent_left_it(tmp_path / "van.sqlite")
    with (tmp_path / "van.sqlite").open("r+b") as file:
        file.write(spoiled or b"X")
    await (await Store.open(tmp_path)).close()
    assert waiting_rows(tmp_path / "van.sqlite").items() >= rows.items()
    assert evidence(tmp_path / "van.sqlite") == photos


@pytest.mark.parametrize("has_log", [True, False], ids=["some of it in the log", "no log"])
async def test_the_list_of_tables_is_put_back_wherever_it_was(tmp_path: Path, *, has_log: bool) -> None:
    """With small pages it has pages of its own; a store that grew before it got a new table has them elsewhere."""
    record = Record(kind="k", wall_ms=1, wall_source="gps", mono_ms=0, body={}).model_dump_json(by_alias=True)
    with closing(Database(tmp_path / "van.sqlite")) as database:
        with database.transaction():
            for number in range(3):
                take_step(database, number)
            database.execute("INSERT INTO epochs (epoch) VALUES ('00000000000000aa')")
            rows = [(seq, record) for seq in range(1, 1001)]
            database.execute_many("INSERT INTO outbox VALUES (1, 'events', ?, ?, 1, NULL)", rows)
            database.execute("PRAGMA user_version = 3")
        migrate(database)
        database.checkpoint()
        database.execute_many("INSERT INTO outbox VALUES (1, 'events', ?, ?, 1, NULL)", [(1001, record)])
        if not has_log:
            database.checkpoint()
        shutil.copytree(tmp_path, tmp_path / "cut")
    path = tmp_path / "cut" / "van.sqlite"
    assert (path.with_name("van.sqlite-wal").stat().st_size > 0) == has_log
    content = bytearray(path.read_bytes())
    for place in range(0, len(content), 1024):
        if place == 0 or b"CREATE TABLE" in content[place : place + 1024]:
            content[place : place + 1024] = bytes(1024)
    path.write_bytes(content)
    salvaging.suspect(tmp_path / "cut")  # else a first look would move the log
    await (await Store.open(tmp_path / "cut")).close()
    assert len([key for key in waiting_rows(path) if key[0] == "00000000000000aa"]) == 1001


async def test_a_damaged_file_is_set_aside_and_the_van_goes_on(tmp_path: Path) -> None:
    (tmp_path / "van.sqlite").write_bytes(b"this is no database" * 500)
    store = await Store.open(tmp_path)
    assert (await store.load_run()).alarms == (Alarm.STORE_DAMAGED,)
    (row,) = await store.next_unreceipted("events", 10)
    assert "set aside as damaged-" in row.record_json
    assert row.epoch == store.identity.epoch
    await store.close()
    (aside,) = asides(tmp_path)
    assert (aside / "van.sqlite").read_bytes() == b"this is no database" * 500

    store = await Store.open(tmp_path)
    assert len(await store.next_unreceipted("events", 10)) == 1  # once, and not with every start
    await store.close()
    assert len(asides(tmp_path)) == 1


async def test_the_driver_s_day_goes_on_where_it_was(tmp_path: Path) -> None:
    epoch = await fill(tmp_path)
    salvaging.suspect(tmp_path)
    store = await Store.open(tmp_path)
    run = await store.load_run()
    assert run.model_copy(update={"alarms": ()}) == a_run()
    assert store.identity.epoch != epoch
    assert store.waiting.events == EVENTS - 10 + 1
    assert store.waiting.blobs == PHOTOS
    assert (await store.kept_epochs()) == (epoch,)
    await store.save(
        Step(at_ms=AT_MS, run=run, records=(Record(kind="x", wall_ms=1, wall_source="gps", mono_ms=1, body={}),))
    )
    rows = await store.next_unreceipted("events", 1000)
    assert [row.seq for row in rows if row.epoch == epoch] == list(range(11, EVENTS + 1))
    assert [row.seq for row in rows if row.epoch != epoch] == [1, 2]
    await store.close()


@pytest.mark.parametrize("step", ["_set_aside", "_rebuild", "_take_place"])
async def test_a_power_cut_in_the_middle_is_finished_by_the_next_start(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tmp_path)
    rows = waiting_rows(tmp_path / "van.sqlite")
    salvaging.suspect(tmp_path)
    with monkeypatch.context() as patch:

        def cut(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(salvaging, step, cut)
        with pytest.raises(KeyboardInterrupt):
            await Store.open(tmp_path)
    store = await Store.open(tmp_path)
    await store.close()
    assert waiting_rows(tmp_path / "van.sqlite").items() >= rows.items()


async def test_rows_that_only_the_log_held_are_saved_too(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "van")
    for number in range(20):
        record = Record(kind="k", wall_ms=number, wall_source="gps", mono_ms=0, body={})
        await store.save(Step(at_ms=AT_MS, run=a_run(), records=(record,)))
    shutil.copytree(tmp_path / "van", tmp_path / "cut")  # as after a power cut: nothing was moved into the file
    await store.close()
    assert (tmp_path / "cut" / "van.sqlite-wal").stat().st_size > 0
    salvaging.suspect(tmp_path / "cut")
    store = await Store.open(tmp_path / "cut")
    assert store.waiting.events == 20 + 1
    await store.close()
    (aside,) = asides(tmp_path / "cut")
    assert (aside / "van.sqlite-wal").stat().st_size > 0


async def test_a_log_that_lost_its_database_is_set_aside_and_never_read_into_a_new_one(tmp_path: Path) -> None:
    store = await Store.open(tmp_path / "van")
    epoch = store.identity.epoch
    await store.save(Step(at_ms=AT_MS, run=a_run(), entered=ArrivedTapped(stop_id="s1")))
    shutil.copytree(tmp_path / "van", tmp_path / "cut")
    await store.close()
    lost = (tmp_path / "cut" / "van.sqlite-wal").read_bytes()
    (tmp_path / "cut" / "van.sqlite").unlink()

    store = await Store.open(tmp_path / "cut")
    assert store.identity.epoch != epoch
    assert store.identity.was_restored  # the boot counter beside it knows better
    assert (await store.load_run()).manifest is None
    await store.close()
    (aside,) = asides(tmp_path / "cut")
    assert (aside / "van.sqlite-wal").read_bytes() == lost


async def test_damage_found_while_at_work_is_salvaged_by_the_next_start(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    for number in range(20):  # more than SQLite remembers
        data = random.Random(number).randbytes(200_000)
        blob = NewBlob(hashlib.sha256(data).hexdigest(), EvidenceKind.PHOTO, "image/jpeg", data)
        await store.save(Step(at_ms=AT_MS, run=a_run(), entered=ArrivedTapped(stop_id="s1"), blob=blob))
    await store.close()
    store = await Store.open(tmp_path)
    spoil_all_but_the_first_pages(tmp_path / "van.sqlite")
    with pytest.raises(StoreError, match="salvaged at the next start"):  # noqa: PT012  (whichever is met first)
        for waiting in await store.waiting_blobs():
            await store.is_blob_intact(waiting.sha256)
    assert store.damaged.is_set()
    await store.close()
    store = await Store.open(tmp_path)
    assert Alarm.STORE_DAMAGED in (await store.load_run()).alarms
    await store.close()
