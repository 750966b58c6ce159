"""The process whose power goes in `powercut`: writes through the production store and says a number for each that is
durable; or, afterwards, looks whether all of them are there.
"""

import asyncio
import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.inputs import ArrivedTapped
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.store.database import open_database
from cloud.store.records import Sender, cursor_of
from cloud.store.tables import records
from tests.builders import MORNING, a_run
from tests.cloud.said import EPOCH, VAN, a_record, arrived, batch_packet
from wire.manifest import EvidenceKind
from wire.topics import Lane

NOW_MS = round(MORNING.timestamp() * 1000)


async def write_van(folder: Path, seed: int) -> None:
    """A tap, its saying and a little evidence in one step, again and again."""
    store = await Store.open(folder)
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        data = hashlib.sha512(f"{seed} {number}".encode()).digest() * (1 + number % 200)
        await store.save(
            Step(
                at_ms=NOW_MS,
                run=a_run(2),
                entered=ArrivedTapped(stop_id=f"s{number}"),
                tap=TapMade(f"tap-{number:06}", "hash"),
                blob=NewBlob(hashlib.sha256(data).hexdigest(), EvidenceKind.SIGNATURE, "image/png", data),
                records=(a_record(arrived(f"s{number}"), after_ms=number),),
            )
        )
        print(number, flush=True)


async def check_van(folder: Path, acked: int) -> int:
    """How many of the first `acked` are not there, whole."""
    store = await Store.open(folder)
    await store.load_run()
    lost = 0
    for number in range(1, acked + 1):
        lost += await store.find_tap(f"tap-{number:06}") is None
    await store.close()
    with closing(sqlite3.connect(folder / "van.sqlite")) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise SystemExit("the van's file is corrupt")
        halves = database.execute(
            "SELECT (SELECT count(*) FROM taps), (SELECT count(*) FROM outbox), (SELECT count(*) FROM blob_bytes)"
        ).fetchone()
        if len(set(halves)) != 1:
            raise SystemExit(f"half a step: {halves} taps, records and blobs")
        for sha256, data in database.execute("SELECT sha256, bytes FROM blob_bytes"):
            lost += hashlib.sha256(data).hexdigest() != sha256
    return lost


async def write_cloud(folder: Path) -> None:
    database = open_database(folder / "cloud.db")
    print("ready", flush=True)
    number = 0
    while True:
        number += 1
        packet = unpack("town", *batch_packet([a_record(arrived(f"s{number}"), after_ms=number)], first_seq=number))
        assert packet is not None
        group = [Incoming(packet)]
        await database.write(lambda connection, group=group: apply_group(connection, group, MORNING))  # type: ignore[misc]
        print(number, flush=True)


async def check_cloud(folder: Path, acked: int) -> int:
    database = open_database(folder / "cloud.db")
    with database.snapshot() as connection:
        if connection.exec_driver_sql("PRAGMA integrity_check").fetchall() != [("ok",)]:
            raise SystemExit("the coordinator's file is corrupt")
        stands = cursor_of(connection, Sender(VAN, EPOCH), Lane.EVENTS).contiguous_seq
        rows = len(connection.execute(records.select()).fetchall())
    database.close()
    if rows != stands:
        raise SystemExit(f"{rows} records, but the lane stands at {stands}")
    return max(0, acked - stands)


def write(who: str, folder: Path, seed: int) -> None:
    """Never returns: it is killed."""
    asyncio.run(write_van(folder, seed) if who == "van" else write_cloud(folder))


def check(who: str, folder: Path, acked: int) -> None:
    """Prints `lost=`, or what is corrupt."""
    look = check_van if who == "van" else check_cloud
    print(f"lost={asyncio.run(look(folder, acked))}", flush=True)
