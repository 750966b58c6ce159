"""The private broker, for real."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from cloud.broker import PrivateBroker, config_text, find_mosquitto
from cloud.errors import BrokerError
from host.loopback import claim_port, free_port
from wire.mqtt import Arrived, Connected, Disconnected, MqttLink


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[PrivateBroker]:
    broker = PrivateBroker(host="127.0.0.1", port=free_port(), data_dir=tmp_path)
    yield broker
    await broker.stop()


async def kept_message(broker: PrivateBroker, *, publish: bytes | None = None) -> bytes:
    """What the broker keeps under `a`, after publishing it when asked to."""
    link = MqttLink(host="127.0.0.1", port=broker._port, client_id="test", subscriptions=[("a", 1)])
    link.start()
    try:
        async with asyncio.timeout(5):
            async for event in link.events():
                if isinstance(event, Connected) and publish is not None:
                    link.publish("a", publish, qos=1, retain=True)
                if isinstance(event, Arrived):
                    event.ack()
                    return event.payload
    finally:
        await link.close()
    raise AssertionError("nothing arrived")


@pytest.mark.system
async def test_it_is_up_when_start_returns_and_keeps_what_is_retained_over_a_restart(broker: PrivateBroker) -> None:
    await broker.start()
    assert await kept_message(broker, publish=b"kept") == b"kept"

    await broker.stop()
    assert broker.pid is None
    await broker.start()

    assert await kept_message(broker) == b"kept"


@pytest.mark.system
async def test_a_restart_ends_every_session_and_keeps_what_was_kept(broker: PrivateBroker) -> None:
    await broker.start()
    first = broker.pid
    assert await kept_message(broker, publish=b"kept") == b"kept"
    link = MqttLink(host="127.0.0.1", port=broker._port, client_id="van", subscriptions=[("b", 1)])
    link.start()
    events = link.events()
    async with asyncio.timeout(10):
        assert isinstance(await anext(events), Connected)

        await broker.restart()

        assert isinstance(await anext(events), Disconnected)
        assert isinstance(await anext(events), Connected)
    await link.close()
    assert broker.pid not in (None, first)
    assert await kept_message(broker) == b"kept"


@pytest.mark.system
async def test_it_is_started_again_when_it_is_killed(broker: PrivateBroker, tmp_path: Path) -> None:
    await broker.start()
    first = broker.pid
    assert first is not None
    assert (tmp_path / "run" / "mosquitto.pid").read_text() == f"{first}\n"

    os.kill(first, signal.SIGKILL)

    assert await kept_message(broker, publish=b"again") == b"again"
    assert broker.pid not in (None, first)


@pytest.mark.system
async def test_what_it_cannot_read_of_its_own_is_put_aside(broker: PrivateBroker, tmp_path: Path) -> None:
    home = tmp_path / "broker"
    home.mkdir()
    (home / "mosquitto.db").write_bytes(b"no database " * 50)

    await broker.start()

    assert broker.pid is not None
    assert (home / "mosquitto.db.unreadable").exists()


@pytest.mark.system
async def test_a_port_that_is_taken_is_named_with_what_to_do(broker: PrivateBroker) -> None:
    with (
        claim_port("127.0.0.1", broker._port, "somebody else"),
        pytest.raises(BrokerError, match=rf"port {broker._port} .*already in use.*another port"),
    ):
        await broker.start()


def test_without_mosquitto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)

    with pytest.raises(BrokerError, match="apt-get install mosquitto"):
        find_mosquitto()


def test_it_listens_on_the_one_address_and_keeps_its_user_only_when_root() -> None:
    as_root = config_text(host="127.0.0.1", port=1884, home=Path("kept"), is_root=True)
    as_user = config_text(host="127.0.0.1", port=1884, home=Path("kept"), is_root=False)

    assert "listener 1884 127.0.0.1\n" in as_user
    assert "user root" in as_root
    assert "user root" not in as_user
