"""Rows of docs/merge.md that no other test holds."""

import json

from sqlalchemy import select

from agent.link.outbound import Sender, events_parcel
from agent.store.outbox import OutboxRow
from cloud.fleet.view import StopStatus
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.store.database import Database
from cloud.store.manifests import next_version, save_manifest
from cloud.store.stop_states import states_of
from cloud.store.tables import forks, records
from tests.builders import MORNING, a_manifest
from tests.cloud.said import EPOCH, FLEET, VAN, a_record, arrived, batch_packet, completed, on
from wire import topics


def take(database: Database, topic: str, packet: bytes) -> None:
    unpacked = unpack(FLEET, topic, packet)
    assert unpacked is not None
    with database.transaction() as connection:
        apply_group(connection, [Incoming(unpacked)], MORNING)


def test_an_outcome_for_a_stop_nobody_ordered_is_kept_until_somebody_does(database: Database) -> None:
    take(database, *batch_packet([a_record(arrived("nobody-s")), a_record(completed("nobody-s"))]))
    with database.snapshot() as connection:
        assert states_of(connection, ["nobody-s"])["nobody-s"].status is StopStatus.COMPLETED


def test_a_manifest_after_a_restore_is_newer_than_what_the_van_applied(database: Database) -> None:
    with database.transaction() as connection:
        save_manifest(connection, a_manifest(version=3), MORNING)
        assert next_version(connection, VAN) == 4
    take(database, *batch_packet([a_record({"version": 5, "sha256": "a" * 64}, "manifest.applied")]))
    with database.snapshot() as connection:
        assert next_version(connection, VAN) == 6


def test_a_record_said_again_is_sent_word_for_word(database: Database) -> None:
    """Saved by an older agent that knew fewer fields, and by one that knew more."""
    record = a_record(arrived("s1")).model_dump(mode="json")
    del record["boot"]
    record["of_tomorrow"] = {"a": None}
    rows = [OutboxRow(EPOCH, "events", 1, json.dumps(record))]
    for boot in (1, 2):
        take(database, on(topics.EVENTS), events_parcel(Sender(VAN, boot), rows).packet)
    with database.snapshot() as connection:
        assert connection.execute(select(forks)).all() == []
        (stored,) = connection.execute(select(records.c.record)).scalars().all()
    assert json.loads(stored) == record
