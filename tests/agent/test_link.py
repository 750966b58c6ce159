"""The van and a coordinator that is nothing but a notebook, over a real broker."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from agent.errors import StoreError, StoreErrorKind
from agent.store.store import Step, Store
from tests.agent.conftest import Cab, StartCab, begin_day
from tests.agent.pictures import a_photo, a_signature
from tests.builders import a_command, a_manifest, a_run, a_stop, with_proof
from tests.conftest import Mosquitto
from wire import topics
from wire.codec import decode, encode, unpack_chunk
from wire.envelope import Batch, BlobReceipt, ChunkHeader, LaneReceipt, Receipts, Record
from wire.events import Live, Presence
from wire.manifest import CommandKind, EvidenceKind
from wire.model import Message
from wire.mqtt import Arrived, MqttLink

pytestmark = pytest.mark.system
UP = (topics.EVENTS, topics.TRACK, topics.BLOBS, topics.LIVE, topics.PRESENCE)


class Notebook:
    """Writes down what a van says, and answers with receipts while `is_answering`."""

    def __init__(self, port: int) -> None:
        self.events: dict[int, Record] = {}
        self.blobs: dict[str, dict[int, bytes]] = {}
        self.presence: list[Presence] = []
        self.order: list[str] = []
        self.is_answering = True
        self._totals: dict[str, int] = {}
        self._link = MqttLink(
            host="127.0.0.1",
            port=port,
            client_id="notebook",
            subscriptions=[(topic.of_every_van("town"), topic.qos) for topic in UP],
        )

    @property
    def is_up(self) -> bool:
        return self._link.is_up

    async def live(self) -> None:
        self._link.start()
        try:
            async for event in self._link.events():
                if isinstance(event, Arrived):
                    self._note(event)
                    event.ack()
        finally:
            await self._link.close()

    def say(self, topic: topics.Topic, message: Message) -> bool:
        return self._link.publish(topic.of("town", "van-1"), encode(message), qos=topic.qos, retain=topic.retained)

    def publish(self, topic: str, message: Message, *, retain: bool) -> bool:
        return self._link.publish(topic, encode(message), qos=1, retain=retain)

    def blob(self, content_hash: str) -> bytes:
        whole = bytearray()
        for offset, data in sorted(self.blobs.get(content_hash, {}).items()):
            if offset > len(whole):
                break
            whole[offset : offset + len(data)] = data  # pieces said again may be of another size
        return bytes(whole)

    def _note(self, event: Arrived) -> None:
        parsed = topics.parse(event.topic)
        assert parsed is not None
        topic = parsed[2]
        self.order.append(topic.name)
        if topic == topics.EVENTS:
            batch = decode(Batch, event.payload)
            self.events |= {batch.first_seq + place: record for place, record in enumerate(batch.records)}
            self._answer(batch.epoch, lane=True)
        elif topic == topics.BLOBS:
            header, data = unpack_chunk(event.payload)
            self._totals[header.sha256] = header.total_bytes
            pieces = self.blobs.setdefault(header.sha256, {})
            pieces[header.offset_bytes] = max(data, pieces.get(header.offset_bytes, b""), key=len)
            self._answer(header.epoch, chunk=header)
        elif topic == topics.LIVE:
            decode(Live, event.payload)
        elif topic == topics.PRESENCE:
            self.presence.append(decode(Presence, event.payload))

    def _answer(self, epoch: str, *, lane: bool = False, chunk: ChunkHeader | None = None) -> None:
        if not self.is_answering:
            return
        contiguous = 0
        while contiguous + 1 in self.events:
            contiguous += 1
        blobs = {}
        if chunk is not None:
            pieces = self.blobs[chunk.sha256]
            is_whole = sha256(self.blob(chunk.sha256)).hexdigest() == chunk.sha256
            held = tuple((offset, offset + len(data)) for offset, data in pieces.items())
            blobs[chunk.sha256] = BlobReceipt(held=held, is_whole=is_whole)
        lanes = {"events": LaneReceipt(contiguous_seq=contiguous)} if lane else {}
        self.say(topics.RECEIPTS, Receipts.model_validate({"epoch": epoch, "lanes": lanes, "blobs": blobs}))


@asynccontextmanager
async def reading(port: int) -> AsyncIterator[Notebook]:
    notebook = Notebook(port)
    life = asyncio.create_task(notebook.live())
    try:
        yield notebook
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


async def until(condition: Callable[[], bool], within_s: float = 10.0) -> None:
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110  (what is waited for happens in other programs)
            await asyncio.sleep(0.02)


async def waiting(cab: Cab) -> int:
    view = await cab.view()
    return int(view["link"]["waiting"])


async def all_receipted(cab: Cab) -> None:
    async with asyncio.timeout(25):
        while await waiting(cab):  # noqa: ASYNC110  (what is waited for happens in other programs)
            await asyncio.sleep(0.05)


async def deliver(cab: Cab) -> None:
    assert (await cab.evidence("s1", a_signature(), kind="signature", tap_id="tap-00001"))[0] == 200
    assert (await cab.evidence("s1", a_photo(), kind="photo", tap_id="tap-00002"))[0] == 200
    assert (await cab.tap(kind="delivered", tap_id="tap-00003", stop_id="s1"))[0] == 200


def a_day() -> tuple[object, ...]:
    return (a_stop(1, proof=with_proof(EvidenceKind.SIGNATURE, EvidenceKind.PHOTO)), a_stop(2))


async def test_a_delivery_without_a_broker_arrives_whole_when_there_is_one(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    mosquitto.kill()
    await begin_day(tmp_path / "van", a_run(a_day()))  # type: ignore[arg-type]
    async with start_cab(tmp_path / "van", mosquitto.port) as cab:
        await deliver(cab)
        assert not (await cab.view())["link"]["is_online"]
        assert await waiting(cab) == 7
        mosquitto.start()
        async with reading(mosquitto.port) as notebook:
            await all_receipted(cab)
            kinds = [notebook.events[seq].kind for seq in sorted(notebook.events)]
            assert kinds == ["key.announced", "proof.captured", "proof.captured", "stop.arrived", "stop.completed"]
            for record in list(notebook.events.values())[1:3]:
                content = notebook.blob(record.body["sha256"])
                assert sha256(content).hexdigest() == record.body["sha256"]
            assert (await cab.view())["link"]["is_online"]
            assert notebook.presence[-1].is_online


async def test_a_manifest_comes_down_and_a_nonsense_one_is_answered(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    async with reading(mosquitto.port) as notebook, start_cab(tmp_path / "van", mosquitto.port) as cab:
        await until(lambda: notebook.say(topics.MANIFEST, a_manifest([a_stop(1)])))
        await until(lambda: bool(notebook.events))
        await until(lambda: notebook.say(topics.MANIFEST, a_manifest(van="van-2", version=5)))
        await until(lambda: any(record.kind == "manifest.refused" for record in notebook.events.values()))
        assert [stop["stop_id"] for stop in (await cab.view())["stops"]] == ["s1"]


async def test_a_coordinator_that_never_answers_frees_nothing_and_counts_as_offline(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    await begin_day(tmp_path / "van", a_run(a_day()))  # type: ignore[arg-type]
    async with reading(mosquitto.port) as notebook:
        notebook.is_answering = False
        async with start_cab(tmp_path / "van", mosquitto.port) as cab:
            await deliver(cab)
            await until(lambda: notebook.order.count("up/events") >= 2)  # sent again after two seconds
            assert await waiting(cab) == 7
            assert not (await cab.view())["link"]["is_online"]
            notebook.is_answering = True
            await all_receipted(cab)
            assert (await cab.view())["link"]["is_online"]
        await until(lambda: not notebook.presence[-1].is_online)


async def test_the_broker_comes_back_and_nothing_is_missing(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    await begin_day(tmp_path / "van", a_run(a_day()))  # type: ignore[arg-type]
    async with reading(mosquitto.port) as notebook, start_cab(tmp_path / "van", mosquitto.port) as cab:
        await until(lambda: bool(notebook.presence))
        mosquitto.kill()
        await deliver(cab)
        mosquitto.start()
        await all_receipted(cab)
        assert sorted(notebook.events) == [1, 2, 3, 4, 5]  # the first announces the key


async def test_after_a_reconnect_the_newest_picture_goes_first(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab
) -> None:
    await begin_day(tmp_path / "van", a_run(a_day()))  # type: ignore[arg-type]
    async with start_cab(tmp_path / "van") as cab:
        await deliver(cab)
    async with reading(mosquitto.port) as notebook:
        await until(
            lambda: notebook.say(topics.COMMANDS, Presence(van="van-1", epoch="0" * 16, boot=1, is_online=True))
        )
        async with start_cab(tmp_path / "van", mosquitto.port):
            await until(lambda: "up/blobs" in notebook.order)
    names = list(dict.fromkeys(notebook.order))
    assert names.index("up/live") < names.index("up/events") < names.index("up/blobs")


async def test_a_list_and_a_command_that_the_disk_would_not_take_are_taken_on_the_same_connection(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, refused = Store.save, []
    is_full = True

    async def save_or_refuse(store: Store, step: Step) -> None:
        if is_full and step.entered is not None:
            refused.append(step.entered.kind)
            raise StoreError(StoreErrorKind.FULL, "as by a test")
        await save(store, step)

    monkeypatch.setattr(Store, "save", save_or_refuse)
    async with reading(mosquitto.port) as notebook, start_cab(tmp_path / "van", mosquitto.port) as cab:
        await until(lambda: bool(notebook.presence))
        notebook.say(topics.MANIFEST, a_manifest([a_stop(1)]))
        notebook.say(topics.COMMANDS, a_command(kind=CommandKind.SEND_LIVE))
        await until(lambda: {"manifest_arrived", "command_arrived"} <= set(refused))
        is_full = False
        await until(lambda: {"manifest.applied", "command.result"} <= {told.kind for told in notebook.events.values()})
        assert [stop["stop_id"] for stop in (await cab.view())["stops"]] == ["s1"]
        assert [told.kind for told in notebook.events.values()].count("manifest.applied") == 1


async def test_a_disk_that_fails_while_the_link_comes_up_costs_one_look_and_not_the_agent(
    tmp_path: Path, mosquitto: Mosquitto, start_cab: StartCab, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0

    async def fail(store: Store) -> tuple[str, ...]:
        nonlocal looks
        looks += 1
        raise StoreError(StoreErrorKind.IO, "as by a test")

    monkeypatch.setattr(Store, "kept_epochs", fail)
    async with reading(mosquitto.port) as notebook, start_cab(tmp_path / "van", mosquitto.port) as cab:
        await until(lambda: bool(notebook.presence) and notebook.presence[-1].is_online)
        assert looks == 1
        assert (await cab.view())["stops"] == []
