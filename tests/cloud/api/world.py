"""A coordinator without network: the real store, the real picture, the real web app; an outlet that only counts."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import Application, Request

from cloud.api.parts import Parts
from cloud.api.server import make_app
from cloud.dispatch.van import Van, day_of
from cloud.fleet.picture import Picture, VanFacts
from cloud.identity.seals import SealChecks
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.live import LiveFleet
from cloud.proofwatch import ProofDesk
from cloud.store.database import open_database
from host.clock import Clock, ClockSettings
from roads.network import RoadNetwork
from tests.builders import DEPOT, MORNING
from tests.sealing import a_stater
from wire import topics
from wire.codec import encode, pack_chunk, to_json
from wire.envelope import MAX_CHUNK_BYTES, Batch, ChunkHeader, Record
from wire.events import EventKind, Outcome, ProofCaptured, StopCompleted
from wire.manifest import Depot, EvidenceKind
from wire.model import Message

CHANGE = {"X-Roundsman": "1"}
ZONE = ZoneInfo("Europe/Lisbon")
EPOCH = "00000000000000aa"
HEADER = "order_ref,lat_deg,lon_deg,opens,closes,proof,parcels"


def csv_of(*rows: str) -> bytes:
    return "\n".join((HEADER, *rows, "")).encode()


def some_orders(count: int) -> bytes:
    """That many orders A1, A2 ... on both sides of the depot."""
    return csv_of(*(f"A{n},{41.15 + 0.002 * n:.4f},{-8.61 + 0.01 * (-1) ** n:.4f},,,,1" for n in range(1, count + 1)))


@dataclass
class Outlet:
    woken: int = 0

    def wake(self) -> None:
        self.woken += 1


@dataclass
class World:
    parts: Parts
    client: TestClient[Request, Application]
    outlet: Outlet

    async def get(self, path: str, status: int = 200) -> Any:
        async with self.client.get(path) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def post(self, path: str, body: bytes = b"", status: int = 200) -> Any:
        async with self.client.post(path, data=body, headers=CHANGE) as response:
            assert response.status == status, await response.text()
            return await response.json()

    async def said_by_van(self, van: str, *packets: tuple[topics.Topic, bytes]) -> None:
        """The van's packets, applied as the ingest does it."""
        found = [unpack("town", topic.of("town", van), payload) for topic, payload in packets]
        group = [Incoming(packet) for packet in found if packet is not None]
        now = self.parts.clock.now()
        applied = await self.parts.database.write(lambda conn: apply_group(conn, group, now))
        await self.parts.live.stops_changed(applied.changes.stops, applied.changes.vans)


def clock_at(now: datetime) -> Clock:
    return Clock(ClockSettings(origin=now, system_origin_s=0.0), system=lambda: 0.0, monotonic=lambda: 0.0)


@asynccontextmanager
async def a_world(
    folder: Path, now: datetime = MORNING, vans: Sequence[str] = ("van-1", "van-2")
) -> AsyncIterator[World]:
    clock = clock_at(now)
    database = open_database(folder / "cloud.db")
    depot = Depot(lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg)
    fleet = tuple(Van(name=name, driver=f"driver of {name}", capacity_parcels=20) for name in vans)
    picture = Picture([VanFacts(name=van.name, driver=van.driver) for van in fleet], depot, ZONE.key, clock.rate)
    live = LiveFleet(picture, database, clock, lambda: day_of(clock.now(), ZONE, fleet))
    await live.start()
    outlet = Outlet()
    network = await RoadNetwork.open(None, run_dir=folder / "run", work_dir=folder / "work", log_dir=folder / "log")
    parts = Parts(
        depot=depot,
        zone=ZONE,
        vans=fleet,
        clock=clock,
        database=database,
        live=live,
        proofs=ProofDesk(fleet="town", timezone=ZONE.key, checks=SealChecks(), stater=a_stater()),
        outlet=outlet,
        is_broker_up=lambda: True,
        pages_dir=folder / "pages",
        network=network,
    )
    async with TestClient(TestServer(make_app(parts), host="127.0.0.1")) as client:
        yield World(parts, client, outlet)
    await network.close()
    database.close()


def an_events_packet(van: str, first_seq: int, *bodies: tuple[EventKind, Message]) -> tuple[topics.Topic, bytes]:
    records = tuple(
        Record(
            kind=kind.value,
            wall_ms=int(MORNING.timestamp() * 1000) + 1000 * seq,
            wall_source="gps",
            mono_ms=1000 * seq,
            body=to_json(body),
        )
        for seq, (kind, body) in enumerate(bodies, first_seq)
    )
    batch = Batch(van=van, epoch=EPOCH, boot=1, lane="events", first_seq=first_seq, records=records)
    return topics.EVENTS, encode(batch)


def chunk_packets(van: str, data: bytes) -> list[tuple[topics.Topic, bytes]]:
    sha256 = hashlib.sha256(data).hexdigest()
    packets = []
    for offset in range(0, len(data), MAX_CHUNK_BYTES):
        header = ChunkHeader(van=van, epoch=EPOCH, sha256=sha256, offset_bytes=offset, total_bytes=len(data))
        packets.append((topics.BLOBS, pack_chunk(header, data[offset : offset + MAX_CHUNK_BYTES])))
    return packets


def completed(stop_id: str) -> tuple[EventKind, StopCompleted]:
    body = StopCompleted(stop_id=stop_id, outcome=Outcome.TO_RECIPIENT, received_by="Ana", distance_m=9)
    return EventKind.STOP_COMPLETED, body


def captured(stop_id: str, data: bytes) -> tuple[EventKind, ProofCaptured]:
    body = ProofCaptured(
        stop_id=stop_id,
        evidence_kind=EvidenceKind.PHOTO,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        media_type="image/jpeg",
    )
    return EventKind.PROOF_CAPTURED, body
