"""The link against a real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from host.loopback import claim_port
from tests.conftest import Mosquitto
from wire.codec import TooBigError
from wire.mqtt import Arrived, Connected, Disconnected, LinkEvent, MqttLink, Will
from wire.topics import MAX_PACKET_BYTES

pytestmark = pytest.mark.system

MakeLink = Callable[..., MqttLink]


@pytest.fixture
async def link_to(mosquitto: Mosquitto) -> AsyncIterator[MakeLink]:
    """Makes started links to the broker and closes them at the end."""
    links: list[MqttLink] = []

    def make(client_id: str, **settings: Any) -> MqttLink:
        link = MqttLink(host=mosquitto.host, port=mosquitto.port, client_id=client_id, **settings)
        links.append(link)
        link.start()
        return link

    yield make
    for link in links:
        await link.close()


async def next_of[E: LinkEvent](link: MqttLink, kind: type[E], within_s: float = 8.0) -> E:
    """The next event of a kind; others before it are passed over."""
    async with asyncio.timeout(within_s):
        async for event in link.events():
            if isinstance(event, kind):
                return event
    raise AssertionError(f"the link ended before any {kind.__name__}")


async def test_a_message_goes_from_one_link_to_another(link_to: MakeLink) -> None:
    reader, writer = link_to("reader", subscriptions=[("a/#", 1)]), link_to("writer")
    await next_of(reader, Connected)
    await next_of(writer, Connected)

    assert writer.publish("a/b", b"hello", qos=1)

    arrived = await next_of(reader, Arrived)
    assert (arrived.topic, arrived.payload, arrived.is_retained) == ("a/b", b"hello", False)


async def test_the_largest_packet_passes_and_one_byte_more_is_refused_before_it_is_sent(link_to: MakeLink) -> None:
    link = link_to("both", subscriptions=[("a", 1)])
    await next_of(link, Connected)

    assert link.publish("a", bytes(MAX_PACKET_BYTES), qos=1)
    assert len((await next_of(link, Arrived)).payload) == MAX_PACKET_BYTES
    with pytest.raises(TooBigError):
        link.publish("a", bytes(MAX_PACKET_BYTES + 1), qos=1)


async def test_a_kept_message_says_that_it_was_kept(link_to: MakeLink) -> None:
    writer = link_to("writer")
    await next_of(writer, Connected)
    writer.publish("a", b"from before", qos=1, retain=True)
    await asyncio.sleep(0.2)

    reader = link_to("reader", subscriptions=[("a", 1)])

    arrived = await next_of(reader, Arrived)
    assert arrived.is_retained
    assert arrived.payload == b"from before"


async def test_while_the_broker_is_gone_nothing_is_taken_and_the_link_comes_back_by_itself(
    mosquitto: Mosquitto, link_to: MakeLink
) -> None:
    link = link_to("both", subscriptions=[("a", 1)])
    await next_of(link, Connected)

    mosquitto.kill()
    await next_of(link, Disconnected)
    assert not link.publish("a", b"lost", qos=1)
    mosquitto.start()
    await next_of(link, Connected)
    assert link.publish("a", b"not lost", qos=1)

    assert (await next_of(link, Arrived)).payload == b"not lost"


async def test_being_down_is_told_once_however_often_it_is_tried(mosquitto: Mosquitto, link_to: MakeLink) -> None:
    mosquitto.kill()
    link = link_to("alone")
    await next_of(link, Disconnected)

    with pytest.raises(TimeoutError):
        await next_of(link, Disconnected, within_s=1.5)


async def test_a_frozen_broker_is_left_by_reconnect(mosquitto: Mosquitto, link_to: MakeLink) -> None:
    link = link_to("alone")
    await next_of(link, Connected)
    mosquitto.freeze()
    assert link.is_up  # nobody can know yet

    link.reconnect()

    await next_of(link, Disconnected)
    mosquitto.thaw()
    await next_of(link, Connected)


async def test_a_link_to_a_frozen_broker_can_be_closed(mosquitto: Mosquitto, link_to: MakeLink) -> None:
    link = link_to("alone", will=Will("gone", b""))
    await next_of(link, Connected)
    mosquitto.freeze()

    async with asyncio.timeout(4):
        await link.close()

    assert [event async for event in link.events()] == []


async def test_a_reader_that_fails_does_not_end_the_link(link_to: MakeLink) -> None:
    link = link_to("both", subscriptions=[("a", 1)])
    await next_of(link, Connected)
    link.publish("a", b"bad", qos=1)

    async def reads_badly() -> None:
        async for _ in link.events():
            raise ValueError("a reader's mistake")

    with pytest.raises(ValueError, match="mistake"):
        await reads_badly()
    link.publish("a", b"good", qos=1)

    assert (await next_of(link, Arrived)).payload == b"good"


async def test_an_exception_on_paho_s_thread_ends_one_connection_and_not_the_link(link_to: MakeLink) -> None:
    link = link_to("both", subscriptions=[("a", 1)])
    await next_of(link, Connected)
    assert link._client is not None

    def explode(*_: object) -> None:
        raise RuntimeError("in a callback")

    link._client.on_message = explode
    link.publish("a", b"boom", qos=1)

    assert "in a callback" in (await next_of(link, Disconnected)).reason
    await next_of(link, Connected)
    assert link.publish("a", b"alive", qos=1)
    assert (await next_of(link, Arrived)).payload == b"alive"


async def test_what_was_not_acknowledged_comes_again_after_a_reconnect_and_what_was_does_not(
    link_to: MakeLink,
) -> None:
    reader = link_to("reader", subscriptions=[("a", 1)], clean_start=False)
    writer = link_to("writer")
    await next_of(reader, Connected)
    await next_of(writer, Connected)
    writer.publish("a", b"done with", qos=1)
    writer.publish("a", b"not done with", qos=1)
    (await next_of(reader, Arrived)).ack()
    await next_of(reader, Arrived)
    await asyncio.sleep(0.1)

    reader.reconnect()

    await next_of(reader, Connected)
    again = await next_of(reader, Arrived)
    assert again.payload == b"not done with"
    again.ack()


async def test_an_acknowledgement_of_a_connection_that_is_over_is_ignored(link_to: MakeLink) -> None:
    link = link_to("both", subscriptions=[("a", 1)], clean_start=False)
    await next_of(link, Connected)
    link.publish("a", b"x", qos=1)
    old = await next_of(link, Arrived)
    link.reconnect()
    await next_of(link, Connected)

    old.ack()

    (await next_of(link, Arrived)).ack()


@pytest.mark.parametrize("is_orderly", [True, False], ids=["closed", "cut"])
async def test_the_will_is_said_however_the_link_ends(link_to: MakeLink, is_orderly: bool) -> None:
    watcher = link_to("watcher", subscriptions=[("presence", 1)])
    van = link_to("van", will=Will("presence", b"offline", qos=1, retain=True))
    await next_of(watcher, Connected)
    await next_of(van, Connected)

    if is_orderly:
        await van.close()
    else:
        van.reconnect()

    assert (await next_of(watcher, Arrived)).payload == b"offline"


async def test_a_server_that_takes_the_connection_and_says_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wire.mqtt.UP_WITHIN_S", 0.2)
    with claim_port("127.0.0.1", 0, "a server") as silent:  # the kernel takes the connection, and nobody answers
        link = MqttLink(host="127.0.0.1", port=silent.getsockname()[1], client_id="alone")
        link.start()

        assert "no answer" in (await next_of(link, Disconnected)).reason
        await link.close()


async def test_the_round_trip_waits_for_no_delayed_ack(link_to: MakeLink) -> None:
    link = link_to("both", subscriptions=[("a", 1)])
    await next_of(link, Connected)
    loop = asyncio.get_running_loop()
    took_s = []
    for _ in range(20):
        began_s = loop.time()
        link.publish("a", b"x", qos=1)
        (await next_of(link, Arrived)).ack()
        took_s.append(loop.time() - began_s)

    assert sorted(took_s)[10] < 0.03  # with Nagle on it is 0.04 to 0.09, on any machine
