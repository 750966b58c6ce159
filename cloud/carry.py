"""Commands for a stopped coordinator: backup and restore, and bundles carried by hand.

A bundle is applied by the same code as what comes over the link, in the same groups; the receipts for it go back with
the next bundle or over the link. Backup alone works beside a running coordinator.
"""

import logging
from datetime import UTC, datetime
from itertools import batched
from pathlib import Path

from sqlalchemy import Connection, select

from cloud.app import DATABASE_FILE
from cloud.config import CloudSettings
from cloud.elsewhere import elsewhere_of_lists
from cloud.errors import CloudError, ConfigError
from cloud.ingest.apply import Incoming, apply_group, standing_of
from cloud.ingest.receipts import receipts_for
from cloud.ingest.unpack import unpack
from cloud.store.backup import back_up, require_stopped, restore
from cloud.store.conditions import conditions_now
from cloud.store.database import Database, open_database
from cloud.store.manifests import newest_manifest
from cloud.store.records import Sender, epochs_of
from cloud.store.tables import parked
from host.clock import Clock
from wire import topics
from wire.bundle import BundleError, read_bundle, write_bundle
from wire.codec import WireError, encode
from wire.topics import Topic, Way

GROUP = 200
log = logging.getLogger(__name__)


class CarryError(CloudError):
    """The bundle was not taken or not written; the text says why. Nothing was changed."""


def run_backup(settings: CloudSettings, target: Path) -> str:
    back_up(settings.data_dir / DATABASE_FILE, target)
    return f"backed up to {target}"


def run_restore(settings: CloudSettings, source: Path) -> str:
    kept = restore(source, settings.data_dir / DATABASE_FILE)
    before = f"; the database before it is kept as {kept}" if kept else ""
    return f"restored from {source}{before}. Each van sends again what it still keeps when it next connects"


def run_export(settings: CloudSettings, target: Path, van: str) -> str:
    """What `van` must know: its manifest of today, the conditions, what is on the other lists, and the receipts for
    what was imported.
    """
    if van not in {known.name for known in settings.vans}:
        raise ConfigError(f"{van} is no van of this fleet: {', '.join(known.name for known in settings.vans)}")
    require_stopped(settings.data_dir / DATABASE_FILE)
    database = open_database(settings.data_dir / DATABASE_FILE)
    try:
        now = Clock(settings.clock).now()
        with database.snapshot() as connection:
            messages = _down(connection, van, settings, now)
        write_bundle(target, fleet=settings.fleet, van=van, way=Way.DOWN, made_at=now, messages=messages)
    except OSError as error:
        raise CarryError(f"{target} could not be written: {error}") from error
    finally:
        database.close()
    return f"{target}: {len(messages)} messages for {van}"


def run_import(settings: CloudSettings, source: Path) -> str:
    """Apply what a van's bundle holds; again, it changes nothing."""
    try:
        index, carried = read_bundle(source, fleet=settings.fleet, way=Way.UP)
    except BundleError as error:
        raise CarryError(str(error)) from error
    require_stopped(settings.data_dir / DATABASE_FILE)
    database = open_database(settings.data_dir / DATABASE_FILE)
    try:
        clock = Clock(settings.clock)
        for group in batched(carried, GROUP):
            _apply(database, settings.fleet, index.van, [(one.topic, one.packet) for one in group], clock.now())
    finally:
        database.close()
    made = index.made_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"{source}: {len(carried)} messages of {index.van}, made {made}, are stored"


def _apply(database: Database, fleet: str, van: str, messages: list[tuple[Topic, bytes]], now: datetime) -> None:
    group = []
    for topic, packet in messages:
        unpacked = unpack(fleet, topic.of(fleet, van), packet)
        if unpacked is not None:
            # As if the broker had kept it: that the van was heard now would not be true.
            group.append(Incoming(unpacked, is_retained=True))
    with database.transaction() as connection:
        before = connection.execute(select(parked.c.parked_id)).all()
        apply_group(connection, group, now)
        strange = len(connection.execute(select(parked.c.parked_id)).all()) - len(before)
    if strange > 0:
        log.warning("%d messages could not be read and are parked", strange)


def _down(connection: Connection, van: str, settings: CloudSettings, now: datetime) -> list[tuple[Topic, bytes]]:
    messages: list[tuple[Topic, bytes]] = []
    today = now.astimezone(settings.zone).date()
    manifest, conditions = newest_manifest(connection, van, today), conditions_now(connection, now)
    lists = [newest_manifest(connection, one.name, today) for one in settings.vans]
    elsewhere = elsewhere_of_lists([one for one in lists if one is not None], today, now)
    try:
        if manifest is not None:
            messages.append((topics.MANIFEST, encode(manifest)))
        if conditions is not None:
            messages.append((topics.CONDITIONS, encode(conditions)))
        if elsewhere.lists:
            messages.append((topics.ELSEWHERE, encode(elsewhere)))
        for epoch in epochs_of(connection, van):
            # No resume: by the time it gets there it may be old, and must take nothing back.
            standing = standing_of(connection, Sender(van, epoch))
            messages.append((topics.RECEIPTS, encode(receipts_for(standing))))
    except WireError as error:
        raise CarryError(f"it does not fit a packet: {error}") from error
    return messages
