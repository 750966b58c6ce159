"""A van's link, a real broker, the ingest and a real database: what is sent is receipted, whatever comes between."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cloud.ingest.ingest import Ingest, subscriptions
from cloud.store.database import Database
from cloud.store.tables import records
from host.clock import Clock, ClockSettings
from tests.cloud.said import EPOCH, FLEET, VAN, a_record, arrived, batch_packet, on
from tests.conftest import Mosquitto
from wire import topics
from wire.codec import decode, encode
from wire.envelope import Receipts
from wire.events import Presence
from wire.mqtt import Arrived, Connected, MqttLink

pytestmark = pytest.mark.system


@contextlib.asynccontextmanager
async def coordinator(mosquitto: Mosquitto, database: Database) -> AsyncIterator[MqttLink]:
    """Listens and answers for as long as the block lasts."""
    link = MqttLink(
        host=mosquitto.host,
        port=mosquitto.port,
        client_id="cloud",
        subscriptions=subscriptions(FLEET),
        clean_start=False,
    )
    ingest = Ingest(
        fleet=FLEET,
        database=database,
        clock=Clock(ClockSettings()),
        publish=lambda topic, payload, qos: link.publish(topic, payload, qos=qos),
        on_applied=lambda _: None,
    )

    async def listen() -> None:
        async for event in link.events():
            if isinstance(event, Arrived):
                ingest.take(event)

    link.start()
    tasks = [asyncio.create_task(listen()), asyncio.create_task(ingest.run())]
    yield link
    await link.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def send_until_receipted(link: MqttLink, count: int) -> Receipts:
    """The smallest courier: sends again what is not receipted, until all of it is."""
    packets = [batch_packet([a_record(arrived(f"s{seq}"))], first_seq=seq) for seq in range(1, count + 1)]
    told = 0
    while True:
        for topic, payload in packets[told : told + 5]:
            link.publish(topic, payload, qos=1)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                async for event in link.events():
                    if isinstance(event, Arrived):
                        event.ack()
                        receipts = decode(Receipts, event.payload)
                        told = receipts.lanes["events"].contiguous_seq
                        if told == count:
                            return receipts
                        break


@pytest.fixture
async def van(mosquitto: Mosquitto) -> AsyncIterator[MqttLink]:
    link = MqttLink(
        host=mosquitto.host,
        port=mosquitto.port,
        client_id=VAN,
        subscriptions=[(on(topics.RECEIPTS), 1)],
    )
    link.start()
    yield link
    await link.close()


def count(database: Database) -> int:
    with database.snapshot() as connection:
        return connection.execute(select(func.count()).select_from(records)).scalar_one()


async def test_each_record_is_receipted_and_stored_once_while_the_broker_is_killed_twice(
    mosquitto: Mosquitto, database: Database, van: MqttLink
) -> None:
    async with asyncio.timeout(30), coordinator(mosquitto, database):
        sending = asyncio.create_task(send_until_receipted(van, 60))
        for _ in range(2):
            await asyncio.sleep(0.3)
            mosquitto.kill()
            await asyncio.sleep(0.2)
            mosquitto.start()
        await sending

    assert count(database) == 60


async def test_what_a_van_sends_while_the_coordinator_is_away_is_receipted_when_it_is_back(
    mosquitto: Mosquitto, database: Database, van: MqttLink
) -> None:
    async with asyncio.timeout(30):
        async with coordinator(mosquitto, database):
            await send_until_receipted(van, 3)
        sending = asyncio.create_task(send_until_receipted(van, 12))
        await asyncio.sleep(0.3)
        async with coordinator(mosquitto, database):
            await sending

    assert count(database) == 12


async def test_a_van_that_comes_online_hears_how_it_stands(
    mosquitto: Mosquitto, database: Database, van: MqttLink, tmp_path: Path
) -> None:
    async with asyncio.timeout(20), coordinator(mosquitto, database):
        await send_until_receipted(van, 4)
        van.reconnect()
        async for event in van.events():
            match event:
                case Connected():
                    hello = Presence(van=VAN, epoch=EPOCH, boot=1, is_online=True)
                    van.publish(on(topics.PRESENCE), encode(hello), qos=1, retain=True)
                case Arrived():
                    receipts = decode(Receipts, event.payload)
                    if "track" in receipts.lanes:  # only the full answer tells of every lane
                        assert receipts.lanes["events"].contiguous_seq == 4
                        return
