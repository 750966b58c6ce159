import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from cloud.publisher import Publisher
from cloud.store.database import Database, open_database
from cloud.store.drawn import CLOSURES, save
from cloud.store.manifests import save_manifest
from host.clock import Clock, ClockSettings
from tests.builders import MORNING, a_closure, a_manifest
from wire import topics
from wire.codec import decode
from wire.manifest import Conditions, Manifest

TODAY = MORNING.date()
TOPIC = topics.MANIFEST.of("town", "van-1")


@dataclass
class Link:
    """A broker that may be away."""

    is_up: bool = True
    sent: list[tuple[str, bytes, int, bool]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        if self.is_up:
            self.sent.append((topic, payload, qos, retain))
        return self.is_up

    @property
    def versions(self) -> list[int]:
        return [decode(Manifest, payload).version for topic, payload, _, _ in self.sent if topic == TOPIC]


@dataclass
class World:
    link: Link
    publisher: Publisher
    database: Database
    day: date = TODAY

    async def has(self, version: int, day: date = TODAY) -> None:
        manifest = a_manifest(version=version, day=day)
        await self.database.write(lambda conn: save_manifest(conn, manifest, MORNING))
        self.publisher.wake()

    async def settled(self) -> None:
        """Until nothing more is sent."""
        before = -1
        while before != len(self.link.sent):
            before = len(self.link.sent)
            await asyncio.sleep(0.1)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = open_database(tmp_path / "cloud.db")
    clock = Clock(ClockSettings(origin=MORNING, system_origin_s=0.0), system=lambda: 0.0)
    link = Link()
    world: World
    publisher = Publisher(
        link=link, database=database, clock=clock, today=lambda: world.day, fleet="town", vans=["van-1", "van-2"]
    )
    world = World(link, publisher, database)
    running = asyncio.create_task(publisher.run())
    yield world
    running.cancel()
    await asyncio.wait([running])
    database.close()


async def test_a_manifest_is_told_once_retained_and_surely(world: World) -> None:
    await world.has(1)
    await world.settled()
    world.publisher.wake()
    await world.settled()
    assert [(topic, qos, retain) for topic, _, qos, retain in world.link.sent] == [(TOPIC, 1, True)]


async def test_only_the_newest_version_is_told(world: World) -> None:
    world.link.is_up = False
    await world.has(1)
    await world.has(2)
    world.link.is_up = True
    world.publisher.connected()
    await world.settled()
    assert world.link.versions == [2]


async def test_a_broker_that_came_back_is_told_again(world: World) -> None:
    await world.has(1)
    await world.settled()
    world.publisher.connected()
    await world.settled()
    assert world.link.versions == [1, 1]


async def test_a_van_that_comes_online_with_an_older_manifest_is_told_again(world: World) -> None:
    await world.has(2)
    await world.settled()
    world.publisher.came_online("van-1", 2)
    await world.settled()
    assert world.link.versions == [2]
    world.publisher.came_online("van-1", 1)
    await world.settled()
    assert world.link.versions == [2, 2]


async def test_tomorrows_manifest_waits_for_tomorrow(world: World) -> None:
    tomorrow = TODAY + timedelta(days=1)
    await world.has(1)
    await world.has(2, tomorrow)
    await world.settled()
    assert world.link.versions == [1]
    world.day = tomorrow
    world.publisher.wake()
    await world.settled()
    assert world.link.versions == [1, 2]


async def test_conditions_go_to_every_van_and_each_is_numbered(world: World) -> None:
    for number in (1, 2):
        closure = a_closure(f"c{number}")
        await world.database.write(partial(save, kind=CLOSURES, one=closure, now=MORNING))
        world.publisher.wake()
        await world.settled()
    told = [(topic, decode(Conditions, payload)) for topic, payload, _, retain in world.link.sent if retain]
    assert [(topic.split("/")[3], conditions.version, len(conditions.closures)) for topic, conditions in told] == [
        ("van-1", 1, 1),
        ("van-2", 1, 1),
        ("van-1", 2, 2),
        ("van-2", 2, 2),
    ]
