"""What a broker may do to us: drop what it has no room for, and hand out an old command."""

import asyncio
import re
from pathlib import Path

import pytest

from tests.agent.conftest import StartCab, begin_day
from tests.agent.test_link import Notebook, a_day, all_receipted, deliver, reading, until, waiting
from tests.builders import a_command, a_run
from tests.conftest import Mosquitto
from wire import topics
from wire.mqtt import MqttLink

pytestmark = pytest.mark.system


async def test_a_broker_that_drops_what_it_has_no_room_for_costs_nothing(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    config = tmp_path / "mosquitto" / "mosquitto.conf"
    config.write_text(re.sub(r"max_queued_messages \d+", "max_queued_messages 2", config.read_text()))
    mosquitto.stop()
    mosquitto.start()
    await begin_day(tmp_path / "van", a_run(a_day()))  # type: ignore[arg-type]
    await leave_a_session(mosquitto.port, "notebook")
    async with start_cab(tmp_path / "van", mosquitto.port) as cab:
        await deliver(cab)  # twenty packets and more, with those sent again
        await asyncio.sleep(6.0)
        assert await waiting(cab) >= 7  # the broker said yes to each of them
        async with reading(mosquitto.port) as notebook:
            await all_receipted(cab)
            assert sorted(notebook.events) == [1, 2, 3, 4, 5]  # the first announces the key
            for record in notebook.events.values():
                if record.kind == "proof.captured":
                    assert len(notebook.blob(record.body["sha256"])) == record.body["size_bytes"]


async def leave_a_session(port: int, client_id: str) -> None:
    """The coordinator was here, and the broker keeps its mail."""
    subscriptions = [(topic.of_every_van("town"), 1) for topic in (topics.EVENTS, topics.BLOBS, topics.TRACK)]
    link = MqttLink(host="127.0.0.1", port=port, client_id=client_id, clean_start=False, subscriptions=subscriptions)
    link.start()
    await until(lambda: link.is_up)
    await link.close()


async def test_a_command_that_the_broker_kept_is_not_done(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    await begin_day(tmp_path / "van", a_run(a_day()))  # type: ignore[arg-type]
    async with reading(mosquitto.port) as notebook:
        kept = topics.COMMANDS.of("town", "van-1")
        await until(lambda: notebook.is_up)
        assert notebook.publish(kept, a_command(command_id="kept"), retain=True)
        async with start_cab(tmp_path / "van", mosquitto.port):
            await until(lambda: bool(notebook.presence) and notebook.presence[-1].is_online)
            assert notebook.publish(kept, a_command(command_id="fresh"), retain=False)
            await until(lambda: "fresh" in results(notebook))
        assert results(notebook) == ["fresh"]


def results(notebook: Notebook) -> list[str]:
    said = [notebook.events[seq] for seq in sorted(notebook.events)]
    return [record.body["command_id"] for record in said if record.kind == "command.result"]
