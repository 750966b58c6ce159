"""Records and evidence, applied once, by way of the packets they come in."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, delete, func, insert, select

from cloud.fleet.fold import StopState
from cloud.fleet.view import StopStatus
from cloud.ingest.apply import Applied, Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.store.blobs import blob_receipts, whole_blob
from cloud.store.cursor import Cursor
from cloud.store.database import Database, open_database
from cloud.store.records import Sender, apply_track, cursor_of
from cloud.store.stop_states import states_of
from cloud.store.tables import (
    blob_chunks,
    blobs,
    breadcrumbs,
    forks,
    metadata,
    parked,
    records,
    van_states,
    wanted_blobs,
)
from tests.builders import MORNING, at
from tests.cloud.said import (
    EPOCH,
    FLEET,
    MORNING_MS,
    OTHER_EPOCH,
    VAN,
    a_batch,
    a_record,
    arrived,
    batch_packet,
    chunk_packet,
    chunks_of,
    completed,
    on,
    proof_of,
)
from wire import topics
from wire.codec import encode
from wire.envelope import Record
from wire.events import FailReason, PlanAccepted, Presence, ReplanReason, StopFailed, TimesSource
from wire.topics import Lane
from wire.track import Breadcrumb, TrackBatch, to_columns

SENDER = Sender(VAN, EPOCH)
Packet = tuple[str, bytes]


def take(database: Database, *packets: Packet, is_retained: bool = False) -> Applied:
    """Apply packets in one transaction, as the ingest does."""
    group = []
    for topic, payload in packets:
        packet = unpack(FLEET, topic, payload)
        assert packet is not None
        group.append(Incoming(packet, is_retained))
    with database.transaction() as connection:
        return apply_group(connection, group, MORNING)


def count(database: Database, table: Any) -> int:
    with database.snapshot() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def cursor(database: Database, lane: Lane = Lane.EVENTS) -> Cursor:
    with database.snapshot() as connection:
        return cursor_of(connection, SENDER, lane)


def state(database: Database, stop_id: str = "s1") -> StopState:
    with database.snapshot() as connection:
        return states_of(connection, [stop_id])[stop_id]


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All that the vans' words made, in an order of its own."""
    with database.snapshot() as connection:
        rows = {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in (records, van_states, blobs, forks)
        }
        return {**rows, "states": sorted(states_of(connection, stop_ids_told(connection)).items())}


def stop_ids_told(connection: Connection) -> Sequence[str]:
    named = select(records.c.stop_id).where(records.c.stop_id.is_not(None)).distinct()
    return connection.execute(named).scalars().all()


def wipe(database: Database) -> None:
    with database.transaction() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))


def a_day(stops: int = 4) -> list[Record]:
    """Arrived, proof, delivered at each stop; the second is refused; a plan now and then."""
    said = []
    for number in range(1, stops + 1):
        stop_id = f"s{number}"
        minute = number * 60_000
        said.append(a_record(arrived(stop_id), after_ms=minute))
        said.append(a_record(proof_of(stop_id.encode(), stop_id), after_ms=minute + 10_000))
        if number == 2:
            refused = StopFailed(stop_id=stop_id, reason=FailReason.REFUSED)
            said.append(a_record(refused, after_ms=minute + 20_000))
        else:
            said.append(a_record(completed(stop_id), after_ms=minute + 20_000))
        said.append(a_record(a_plan(was_offline=number % 2 == 0), "plan.accepted", after_ms=minute + 21_000))
    said.append(a_record({"version": 3}, "manifest.applied", after_ms=1))
    said.append(a_record({"version": 2}, "manifest.applied", after_ms=2))
    said.append(a_record({"anything": [1, {"of": "a newer van"}]}, "battery.swapped"))
    return said


def a_plan(*, was_offline: bool) -> PlanAccepted:
    return PlanAccepted(
        plan_version=1,
        manifest_version=1,
        reason=ReplanReason.STOP_FAILED,
        stop_ids=(),
        moved_stops=0,
        gain_s=0,
        times=TimesSource.ROADS,
        was_offline=was_offline,
    )


def cut(said: Sequence[Record], sizes: Sequence[int]) -> list[Packet]:
    """The records as batches of those sizes."""
    packets, start = [], 0
    for size in sizes:
        if start < len(said):
            packets.append(batch_packet(said[start : start + size], first_seq=start + 1))
            start += size
    if start < len(said):
        packets.append(batch_packet(said[start:], first_seq=start + 1))
    return packets


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sizes=st.lists(st.integers(1, 6), max_size=8),
    other_sizes=st.lists(st.integers(1, 6), max_size=8),
    groups=st.integers(1, 5),
    seed=st.integers(0, 2**32),
)
def test_however_a_day_is_cut_shuffled_and_repeated_it_comes_to_the_same(
    database: Database, sizes: list[int], other_sizes: list[int], groups: int, seed: int
) -> None:
    said, dice = a_day(), Random(seed)
    wipe(database)
    take(database, *cut(said, []))
    in_order = everything(database)
    assert count(database, records) == len(said)

    wipe(database)
    packets = [*cut(said, sizes), *cut(said, other_sizes)]
    dice.shuffle(packets)
    packets += dice.sample(packets, len(packets) // 2)
    for start in range(0, len(packets), groups):
        take(database, *packets[start : start + groups])

    assert everything(database) == in_order
    assert cursor(database) == Cursor(len(said))
    assert count(database, forks) == 0


def test_an_older_database_s_states_are_what_its_records_say(database: Database, tmp_path: Path) -> None:
    take(database, *cut([*a_day(), a_record(arrived("s9"), wall_source="none", wall_ms=0)], [3, 3]))
    with database.snapshot() as connection:
        said = [dict(row) for row in connection.execute(select(records)).mappings()]
        wanted = [dict(row) for row in connection.execute(select(wanted_blobs)).mappings()]
    older = tmp_path / "older.db"
    with at_revision(older, "0002") as connection:
        connection.execute(insert(records), said)
        connection.execute(insert(wanted_blobs), wanted)

    newer = open_database(older)

    with newer.snapshot() as connection:
        assert [dict(row) for row in connection.execute(select(wanted_blobs)).mappings()] == wanted
    assert everything(newer)["states"] == everything(database)["states"]
    newer.close()


@contextmanager
def at_revision(path: Path, revision: str) -> Iterator[Connection]:
    """A database of that revision, within a transaction."""
    engine, config = create_engine(f"sqlite:///{path}"), Config()
    config.set_main_option("script_location", "cloud.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield connection
    engine.dispose()


def test_plans_are_counted_once_each_and_the_newest_manifest_stands(database: Database) -> None:
    take(database, *cut(a_day(), [5]), *cut(a_day(), [2, 9]))

    with database.snapshot() as connection:
        row = connection.execute(select(van_states)).one()
    assert (row.plans_made, row.plans_made_offline, row.applied_manifest_version) == (4, 2, 3)


def test_a_receipt_tells_of_the_gap_and_of_what_lies_beyond_it(database: Database) -> None:
    said = a_day()
    first = take(database, batch_packet(said[:2], first_seq=1))
    beyond = take(database, batch_packet(said[4:6], first_seq=5))

    assert first.standings[0][1].lanes == {Lane.EVENTS: Cursor(2)}
    assert beyond.standings[0][1].lanes == {Lane.EVENTS: Cursor(2, ((5, 6),))}


def test_the_same_identity_with_another_content_is_kept_as_a_fork_and_not_applied(database: Database) -> None:
    take(database, batch_packet([a_record(completed(received_by="the first"))]))

    clone = batch_packet([a_record(completed(received_by="a clone's"))])
    applied = take(database, clone)
    take(database, clone)

    assert count(database, records) == 1
    assert count(database, forks) == 1
    closing = state(database).closing
    assert closing is not None
    assert closing.received_by == "the first"
    assert applied.standings[0][1].lanes == {Lane.EVENTS: Cursor(1)}  # or the clone would send it for ever


def test_the_same_record_in_other_words_is_no_fork(database: Database) -> None:
    said = encode(a_batch([a_record(completed())]))
    take(database, (on(topics.EVENTS), said))

    take(database, (on(topics.EVENTS), json.dumps(json.loads(said), indent=1, sort_keys=True).encode()))

    assert (count(database, records), count(database, forks)) == (1, 0)


def test_a_copied_store_is_reported_in_one_line_a_packet(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    take(database, batch_packet([a_record(arrived()), a_record(completed(received_by="the first"))]))
    caplog.clear()
    clone = batch_packet([a_record(arrived(), after_ms=5), a_record(completed(received_by="a clone's"))])
    take(database, clone)
    take(database, clone)
    assert len(caplog.messages) == 1
    assert count(database, forks) == 2


def test_a_new_epoch_counts_from_one_again_and_both_are_kept(database: Database) -> None:
    take(database, batch_packet([a_record(arrived())]))
    take(database, batch_packet([a_record(completed())], epoch=OTHER_EPOCH))

    assert count(database, records) == 2
    assert state(database).status is StopStatus.COMPLETED


def test_a_record_that_is_not_what_its_kind_says_is_kept_marked_and_receipted(database: Database) -> None:
    odd = a_record({"stop_id": "s1", "outcome": "eaten by the dog"}, "stop.completed")
    applied = take(database, batch_packet([a_record(arrived()), odd, a_record(completed())]))

    with database.snapshot() as connection:
        problems = connection.execute(select(records.c.problem).order_by(records.c.seq)).scalars().all()
    assert [problem is None for problem in problems] == [True, False, True]
    assert "outcome" in str(problems[1])
    assert applied.standings[0][1].lanes == {Lane.EVENTS: Cursor(3)}
    assert state(database).status is StopStatus.COMPLETED


def test_an_outcome_comes_with_when_it_was_captured_and_when_it_was_received(database: Database) -> None:
    take(database, batch_packet([a_record(completed(), after_ms=600_000)]))

    closing = state(database).closing
    assert closing is not None
    assert (closing.origin.captured_at, closing.origin.received_at) == (at(10), MORNING)


# Breadcrumbs ---------------------------------------------------------------------------------------------------------


def track(first_seq: int, count_: int, **changes: Any) -> Packet:
    crumbs = [Breadcrumb(wall_ms=MORNING_MS + n, lat_deg=41.1, lon_deg=-8.6, speed_mps=8.0) for n in range(count_)]
    fields = {"van": VAN, "epoch": EPOCH, "boot": 1, "lane": "track", "first_seq": first_seq, **to_columns(crumbs)}
    return on(topics.TRACK), encode(TrackBatch.model_validate({**fields, **changes}))


def test_breadcrumbs_are_kept_once_however_their_batches_overlap(database: Database) -> None:
    take(database, track(1, 10), track(6, 10), track(1, 10))

    assert count(database, breadcrumbs) == 15
    assert cursor(database, Lane.TRACK) == Cursor(15)
    assert cursor(database) == Cursor(0)


def test_a_breadcrumb_that_was_given_up_takes_its_seq_and_leaves_the_others_theirs(database: Database) -> None:
    crumbs = [Breadcrumb(wall_ms=MORNING_MS + n, lat_deg=41.1, lon_deg=-8.6, speed_mps=8.0) for n in range(4)]
    with database.transaction() as connection:
        apply_track(connection, SENDER, 11, [crumbs[0], None, crumbs[2], crumbs[3]])
    with database.snapshot() as connection:
        kept = connection.execute(select(breadcrumbs.c.seq, breadcrumbs.c.wall_ms).order_by(breadcrumbs.c.seq)).all()
    assert [tuple(row) for row in kept] == [(11, MORNING_MS), (13, MORNING_MS + 2), (14, MORNING_MS + 3)]


def test_breadcrumbs_nobody_can_read_are_parked_and_do_not_block_their_lane(database: Database) -> None:
    take(database, track(1, 3, lat_udeg=(900_000_000, 0, 0)), track(4, 2))

    assert count(database, parked) == 1
    assert count(database, breadcrumbs) == 2
    assert cursor(database, Lane.TRACK) == Cursor(5)


# Evidence ------------------------------------------------------------------------------------------------------------

PHOTO = Random(1).randbytes(4_500)
PHOTO_SHA = hashlib.sha256(PHOTO).hexdigest()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(size=st.integers(300, 2_000), other=st.integers(300, 2_000), seed=st.integers(0, 2**32))
def test_a_photo_becomes_whole_whatever_the_order_and_cut_of_its_chunks(
    database: Database, size: int, other: int, seed: int
) -> None:
    wipe(database)
    pieces = [*chunks_of(PHOTO, size), *chunks_of(PHOTO, other)]
    Random(seed).shuffle(pieces)
    became_whole = [PHOTO_SHA in take(database, chunk_packet(header, data)).changes.blobs for header, data in pieces]

    with database.snapshot() as connection:
        assert whole_blob(connection, PHOTO_SHA) == PHOTO
        assert blob_receipts(connection, [PHOTO_SHA])[PHOTO_SHA].is_whole
    assert sum(became_whole) == 1
    assert count(database, blob_chunks) == 0


def test_an_unfinished_photo_tells_which_bytes_are_here_and_is_not_given_out(database: Database) -> None:
    first, second, *_, last = chunks_of(PHOTO)
    take(database, *(chunk_packet(*piece) for piece in (second, last, first)))

    with database.snapshot() as connection:
        receipt = blob_receipts(connection, [PHOTO_SHA])[PHOTO_SHA]
        assert whole_blob(connection, PHOTO_SHA) is None
    assert receipt.held == ((0, 2000), (4000, 4500))
    assert not receipt.is_whole


def test_a_photo_with_a_damaged_chunk_starts_anew_and_becomes_whole_after_all(database: Database) -> None:
    (header, data), *rest = chunks_of(PHOTO)
    applied = take(database, chunk_packet(header, b"\0" + data[1:]), *(chunk_packet(*piece) for piece in rest))

    assert not applied.standings[0][1].blobs[PHOTO_SHA].held
    assert not applied.changes.blobs
    take(database, *(chunk_packet(*piece) for piece in chunks_of(PHOTO)))
    with database.snapshot() as connection:
        assert whole_blob(connection, PHOTO_SHA) == PHOTO


def test_a_van_that_lies_about_a_photo_s_size_cannot_keep_another_s_from_becoming_whole(database: Database) -> None:
    (header, data), *_ = chunks_of(PHOTO, van="van-2")
    take(database, chunk_packet(header.model_copy(update={"total_bytes": 9_999}), data))

    take(database, *(chunk_packet(*piece) for piece in chunks_of(PHOTO)))

    with database.snapshot() as connection:
        assert whole_blob(connection, PHOTO_SHA) == PHOTO


# The van as a whole --------------------------------------------------------------------------------------------------


def presence(*, is_online: bool, van: str = VAN) -> Packet:
    return on(topics.PRESENCE, van), encode(Presence(van=van, epoch=EPOCH, boot=1, is_online=is_online))


def test_a_van_that_comes_online_is_told_all_that_stands(database: Database) -> None:
    take(database, *cut(a_day(), []), track(1, 5), chunk_packet(*chunks_of(PHOTO)[0]))

    (told,) = take(database, presence(is_online=True)).standings

    assert told[1].lanes == {Lane.EVENTS: Cursor(len(a_day())), Lane.TRACK: Cursor(5)}
    assert told[1].blobs[PHOTO_SHA].held == ((0, 1000),)


def test_a_van_nobody_knows_is_told_that_nothing_stands(database: Database) -> None:
    (told,) = take(database, presence(is_online=True)).standings

    assert told[1].lanes == {Lane.EVENTS: Cursor(0), Lane.TRACK: Cursor(0)}


def test_a_will_and_a_kept_word_are_no_sign_of_life(database: Database) -> None:
    take(database, presence(is_online=False))
    take(database, presence(is_online=True), is_retained=True)

    with database.snapshot() as connection:
        row = connection.execute(select(van_states)).one()
    assert row.heard_ms is None
    assert row.presence is not None


def test_an_unreadable_packet_is_parked_once_and_only_so_many_are_kept(database: Database) -> None:
    take(database, (on(topics.EVENTS), b"nonsense"), (on(topics.EVENTS), b"nonsense"))
    assert count(database, parked) == 1

    take(database, *((on(topics.EVENTS), b"nonsense %d" % n) for n in range(300)))
    assert count(database, parked) == 200


def _nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "extra", [2**70, -(2**70), _nested(300), _nested(900)], ids=["long", "long and negative", "deep", "deeper"]
)
def test_what_a_newer_van_says_beside_is_no_reason_to_refuse_what_stands_by_it(database: Database, extra: Any) -> None:
    strange, usual = (a_record(body).model_dump(mode="json") for body in (arrived("s1"), completed("s2")))
    strange["body"]["from_next_year"] = extra
    batch = {"schema": 1, "van": VAN, "epoch": EPOCH, "boot": 1, "lane": "events", "first_seq": 1}
    packet = json.dumps({**batch, "records": [strange, usual]}).encode()  # by hand: a model of ours would not hold it
    with database.transaction() as connection:
        read = unpack(FLEET, topics.EVENTS.of(FLEET, VAN), packet)
        assert read is not None
        apply_group(connection, [Incoming(read)], MORNING)
        assert cursor_of(connection, Sender(VAN, EPOCH), Lane.EVENTS) == Cursor(2)
        states = states_of(connection, ["s1", "s2"])
        assert [states[stop_id].status for stop_id in ("s1", "s2")] == [StopStatus.ARRIVED, StopStatus.COMPLETED]
