import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import pytest

from cloud.elsewhere import ElsewhereDesk
from cloud.publisher import LOOK_EVERY_S, Publisher
from cloud.store.database import Database, open_database
from cloud.store.drawn import CLOSURES, save
from cloud.store.manifests import save_manifest
from host.clock import Clock, ClockSettings
from tests.builders import MORNING, a_closure, a_manifest, a_stop
from wire import topics
from wire.codec import decode
from wire.elsewhere import Elsewhere
from wire.handover import Handover, Parcel
from wire.manifest import Conditions, Manifest

TODAY = MORNING.date()
PAUSE_S = 1.5
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

    async def lists(self, van: str, version: int, *codes: str, driver: str = "Ana") -> None:
        stop = a_stop(1, handover=Handover(parcels=tuple(Parcel(code=code) for code in codes)))
        manifest = a_manifest([stop], van=van, version=version, day=self.day, driver=driver)
        await self.database.write(lambda conn: save_manifest(conn, manifest, MORNING))
        self.publisher.wake()
        await self.settled()

    def elsewhere(self, van: str = "van-1") -> list[Elsewhere]:
        topic = topics.ELSEWHERE.of("town", van)
        return [decode(Elsewhere, payload) for told, payload, _, retain in self.link.sent if told == topic and retain]

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
        link=link,
        database=database,
        clock=clock,
        today=lambda: world.day,
        fleet="town",
        vans=["van-1", "van-2"],
        elsewhere=ElsewhereDesk(PAUSE_S),
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


async def test_each_van_is_told_whose_the_parcels_are_once(world: World) -> None:
    await world.lists("van-1", 1, "A")
    await asyncio.sleep(PAUSE_S)
    await world.lists("van-2", 1, "B")
    world.publisher.wake()
    await world.settled()
    newest = world.elsewhere()[-1]
    assert len(world.elsewhere()) == 2
    assert world.elsewhere("van-2") == world.elsewhere()
    assert (newest.whose("B", besides="van-1"), newest.whose("A", besides="van-2")) == ("van-2", "van-1")
    assert newest.whose("C", besides="van-1") is None


async def test_of_lists_without_codes_nothing_is_told(world: World) -> None:
    await world.lists("van-1", 1)
    assert world.elsewhere() == []
    assert world.link.versions == [1]


async def test_a_new_list_with_the_same_codes_is_told_and_the_codes_are_not(world: World) -> None:
    await world.lists("van-1", 1, "A")
    await asyncio.sleep(PAUSE_S)
    await world.lists("van-1", 2, "A", driver="Rui")
    assert world.link.versions == [1, 2]
    assert len(world.elsewhere()) == 1


async def test_changes_close_to_each_other_are_told_together_and_not_forgotten(world: World) -> None:
    await world.lists("van-1", 1, "A")
    await world.lists("van-2", 1, "B")
    await world.lists("van-2", 2, "B", "C")
    assert len(world.elsewhere()) == 1
    await asyncio.sleep(PAUSE_S + LOOK_EVERY_S)
    await world.settled()
    assert world.elsewhere()[-1].whose("C", besides="van-1") == "van-2"
    await world.settled()
    assert len(world.elsewhere()) == 2


async def test_a_broker_that_came_back_is_told_the_same_again(world: World) -> None:
    await world.lists("van-1", 1, "A")
    world.publisher.connected()
    await world.settled()
    first, again = world.elsewhere()
    assert first == again


async def test_at_the_days_turn_the_codes_of_the_day_are_taken_back_at_once(world: World) -> None:
    await world.lists("van-1", 1, "A")
    world.day = TODAY + timedelta(days=1)
    world.publisher.wake()
    await world.settled()
    assert [(told.day, told.lists != {}) for told in world.elsewhere()] == [(TODAY, True), (world.day, False)]
