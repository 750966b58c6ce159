"""The link's shell: drains the outbox upwards, brings what comes down to the runtime, and says whether the link lives.

Everything here runs on the event loop's own time. A row leaves the outbox on a receipt and on nothing else; a packet
from above is acknowledged after what it carried was committed and on nothing else.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Protocol

from agent.errors import StoreError
from agent.link import inbound, outbound
from agent.link.backoff import Backoff
from agent.link.live import says_the_same
from agent.link.namesake import Namesake
from agent.link.outbound import Parcel, Sender, UnsendableError
from agent.link.unsaved import Unsaved
from agent.link.window import ChunkWindow, Pulse, Window
from agent.store.blobs import WaitingBlob
from agent.store.outbox import LaneName, SeqRange
from agent.store.store import Store
from agent.trip.inputs import Alarmed, AnyInput, CommandArrived, LinkChanged, ManifestArrived, ManifestUnreadable
from host.clock import Clock
from wire import codec, topics
from wire.codec import TooBigError
from wire.envelope import Receipts
from wire.events import Alarm, Live, Presence
from wire.manifest import EvidenceKind
from wire.model import Message
from wire.mqtt import Arrived, Connected, Disconnected, MqttLink, Secure, Will
from wire.topics import Lane, Topic

log = logging.getLogger(__name__)

AGENT_VERSION = "0.1.0"
LIVE_EVERY_S = 2.0
PRESENCE_EVERY_S = 30.0
PATIENCE_S = 5.0
"""Unanswered for this long, the link counts as down."""
STUCK = Backoff(first_s=20.0, longest_s=120.0)
"""Unanswered for this long, the connection is made anew."""


class Submit(Protocol):
    """Returns after the input is durable; raises StoreError when it is not."""

    async def __call__(self, entered: AnyInput, /) -> object: ...


class Courier:
    """`nudge` when the outbox may have grown, `send_live` when the coordinator should hear of us now."""

    def __init__(
        self,
        *,
        address: tuple[str, int],
        fleet: str,
        van: str,
        store: Store,
        submit: Submit,
        live: Callable[[], Live],
        receipted: Callable[[], None],
        clock: Clock,
        is_online: bool,
        secure: Callable[[], Secure] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._fleet, self._van = fleet, van
        self._store = store
        self._submit = submit
        self._live = live
        self._receipted = receipted
        self._clock = clock
        self._chance = chance
        self._sender = Sender(van, store.identity.boot)
        self._window = Window()
        self._chunks = ChunkWindow()
        self._pulse = Pulse()
        self._namesake = Namesake()
        self._unsaved = Unsaved()
        self._is_online = is_online
        self._nudged = asyncio.Event()
        self._newest_crumb_sent: tuple[str, int] = ("", 0)
        self._kept_epochs: tuple[str, ...] = ()
        self._unsendable: list[SeqRange] = []
        self._intact: set[str] = set()
        self._spoiled: set[str] = set()
        """Of the evidence that waits: what was found to have its own hash, and what was not."""
        self._times_stuck = 0
        self._stuck_after_s = STUCK.wait_s(0, chance())
        self._live_sent: Live | None = None
        self._live_due_s = 0.0
        self._presence_due_s = 0.0
        self._rows_told = 0
        self._link = MqttLink(
            host=address[0],
            port=address[1],
            client_id=van,
            will=Will(self._full(topics.PRESENCE), codec.encode(self._presence(is_online=False)), 1, retain=True),
            subscriptions=[(self._full(topic), topic.qos) for topic in inbound.SUBSCRIBED],
            secure=secure,
        )

    def nudge(self) -> None:
        self._nudged.set()

    def send_live(self) -> None:
        self._live_sent = None
        self._live_due_s = 0.0
        self._nudged.set()

    async def run(self) -> None:
        """Works until cancelled; then says goodbye."""
        self._link.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._listen())
                tasks.create_task(self._speak())
        finally:
            await self._link.close()

    # Down ---------------------------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        async for event in self._link.events():
            match event:
                case Connected():
                    await self._look_for_earlier_lives()
                    self._begin()
                case Disconnected(reason=reason):
                    self._window.clear()
                    self._chunks.clear()
                    if self._namesake.disconnected(reason, self._loop_s()):
                        # A cloned card. It goes on with longer waits (see `wire.mqtt`): somebody has to look.
                        await self._tell_of_namesake(reason)
                case Arrived():
                    await self._take(event)
            self._nudged.set()

    async def _look_for_earlier_lives(self) -> None:
        """Where the disk does not answer, those known before are told of again."""
        try:
            self._kept_epochs = await self._store.kept_epochs()
        except StoreError as error:
            log.error("what earlier lives left waits for another connection: %s", error)

    async def _tell_of_namesake(self, reason: str) -> None:
        try:
            await self._take_input(Alarmed(alarm=Alarm.NAME_TAKEN, detail=reason))
        except StoreError as error:
            log.error("another van uses our name (%s), and nobody can be told: %s", reason, error)

    def _begin(self) -> None:
        """A new connection: the newest picture goes first, then everything unreceipted is chosen anew."""
        self._window.clear()
        self._chunks.clear()
        self._pulse.connected()
        self._newest_crumb_sent = ("", 0)
        self.send_live()
        self._presence_due_s = 0.0

    async def _take(self, event: Arrived) -> None:
        meant = inbound.understand(event.topic, event.payload, fleet=self._fleet, van=self._van)
        try:
            match meant:
                case Receipts():
                    await self._take_receipts(meant)
                case inbound.Ignored():
                    log.warning("ignored: %s", meant.why)
                case CommandArrived() if event.is_retained:
                    # Kept by the broker from nobody knows when: commands are never retained, so nobody of ours sent it.
                    log.warning("ignored: a retained command %s", meant.command.command_id)
                case CommandArrived():
                    is_trusted = self._clock.read().is_trusted
                    await self._take_input(meant.model_copy(update={"is_time_trusted": is_trusted}))
                case _:
                    await self._take_input(meant)
        except StoreError as error:
            # Not acknowledged, and taken again from here: nobody says it again on this connection.
            if self._unsaved.keep(event, self._loop_s()):
                log.error("%s could not be saved: %s", event.topic, error)
            return
        self._unsaved.saved(event)
        event.ack()

    async def _take_receipts(self, receipts: Receipts) -> None:
        is_news = bool(receipts.lanes) or any(held.is_whole or not held.held for held in receipts.blobs.values())
        if is_news:
            await self._store.apply_receipts(receipts, self._clock.age_ms())
            self._receipted()
        for lane, receipt in receipts.lanes.items():
            self._window.receipted(receipts.epoch, lane, receipt)
        for sha256, held in receipts.blobs.items():
            self._chunks.receipted(sha256, held, self._loop_s())
        is_more_waiting = bool(self._window.parcels()) or not self._chunks.is_empty
        self._pulse.receipted(self._loop_s(), is_more_waiting=is_more_waiting)
        self._be_patient(times_stuck=0)

    async def _take_input(self, entered: AnyInput) -> None:
        try:
            await self._submit(entered)
        except StoreError:
            raise
        except Exception:
            # Our own mistake in taking it must not stop the link, nor come back with each connection.
            log.exception("%s could not be taken", entered.kind)
            if isinstance(entered, ManifestArrived):
                why = "this agent failed on it; its log says where"
                await self._submit(ManifestUnreadable(version=entered.manifest.version, why=why))

    # Up -----------------------------------------------------------------------------------------------------------

    async def _speak(self) -> None:
        said = ""
        while True:
            self._nudged.clear()
            for event in self._unsaved.due(self._loop_s()):
                await self._take(event)
            try:
                if self._link.is_up:
                    await self._send_what_is_due()
                await self._judge_link()
                said = ""
            except StoreError as error:
                if str(error) != said:  # once, and not each second for as long as the disk is full
                    log.error("the outbox waits for the disk: %s", error)
                said = str(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._nudged.wait()

    async def _send_what_is_due(self) -> None:
        self._send_lossy()
        for parcel in self._window.due(self._loop_s()):
            self._publish(parcel.topic, parcel.packet)
        while self._link.is_up and await self._send_next():
            pass

    async def _send_next(self) -> bool:
        """The most pressing thing there is room for; False when there is none."""
        blob = await self._next_blob()
        return (
            await self._send_events()
            or (blob is not None and blob.kind is EvidenceKind.SIGNATURE and await self._send_chunk(blob))
            or await self._send_track(fresh=True)
            or (blob is not None and await self._send_chunk(blob))
            or await self._send_track(fresh=False)
        )

    async def _send_events(self) -> bool:
        if not self._window.has_room(Lane.EVENTS):
            return False
        at_once = outbound.MAX_EVENTS * self._window.room
        rows = await self._store.next_unreceipted("events", at_once, self._under_way("events"))
        is_done = False
        while rows and self._window.has_room(Lane.EVENTS):
            try:
                parcel = outbound.events_parcel(self._sender, rows)
            except UnsendableError as error:
                log.error("%s; what comes behind it goes on", error)
                self._unsendable.append(SeqRange(error.row.epoch, "events", error.row.seq, error.row.seq))
                rows, is_done = rows[1:], True
                continue
            if not self._send(parcel):
                break
            is_done = True
            rows = rows[parcel.last - parcel.first + 1 :]
        return is_done

    async def _send_track(self, *, fresh: bool) -> bool:
        """The crumbs newer than any sent on this connection; or else the oldest that wait."""
        if not self._window.has_room(Lane.TRACK):
            return False
        rows = await self._store.next_unreceipted("track", outbound.MAX_CRUMBS, self._under_way("track"), newest=fresh)
        if fresh:
            epoch, seq = self._newest_crumb_sent
            rows = [row for row in rows if row.epoch != epoch or row.seq > seq]
        if not rows:
            return False
        parcel = outbound.track_parcel(self._sender, rows, newest=fresh)
        if fresh:
            self._newest_crumb_sent = (parcel.epoch, parcel.last)
        return self._send(parcel)

    async def _next_blob(self) -> WaitingBlob | None:
        if self._store.waiting.blobs == 0 or not self._chunks.is_free(self._loop_s()):
            return None
        for blob in await self._store.waiting_blobs():
            if blob.sha256 in self._intact:
                return blob
            if blob.sha256 in self._spoiled:
                continue
            if await self._store.is_blob_intact(blob.sha256):
                self._intact.add(blob.sha256)
                return blob
            self._spoiled.add(blob.sha256)  # it could never become whole; what is behind it goes on
            log.error("evidence %s is damaged on our disk", blob.sha256)
            spoiled = f"evidence {blob.sha256} no longer has its own content"
            await self._submit(Alarmed(alarm=Alarm.STORE_DAMAGED, detail=spoiled))
        return None

    async def _send_chunk(self, blob: WaitingBlob) -> bool:
        piece = self._chunks.next_piece(blob.sha256, blob.size_bytes, self._loop_s())
        if piece is None:
            return False
        start, length = piece
        data = await self._store.blob_piece(blob.sha256, start, length)
        packet = outbound.chunk_packet(
            self._sender,
            self._store.identity.epoch,
            sha256=blob.sha256,
            total_bytes=blob.size_bytes,
            offset_bytes=start,
            data=data,
        )
        if not self._publish(topics.BLOBS, packet):
            return False
        self._chunks.sent(blob.sha256, start, length, self._loop_s())
        self._pulse.sent(self._loop_s())
        return True

    def _send(self, parcel: Parcel) -> bool:
        if not self._publish(parcel.topic, parcel.packet):
            return False
        self._window.add(parcel, self._loop_s())
        self._pulse.sent(self._loop_s())
        return True

    def _under_way(self, lane: LaneName) -> list[SeqRange]:
        sent = [parcel for parcel in self._window.parcels() if parcel.topic.lane == lane]
        return [*self._unsendable, *(SeqRange(parcel.epoch, lane, parcel.first, parcel.last) for parcel in sent)]

    def _send_lossy(self) -> None:
        now_s = self._loop_s()
        if now_s >= self._live_due_s:
            self._live_due_s = now_s + LIVE_EVERY_S
            live = self._live()
            if self._live_sent is None or not says_the_same(self._live_sent, live):
                self._live_sent = live
                self._publish_lossy(topics.LIVE, live)
        presence = self._presence(is_online=True)
        has_drained = presence.outbox_rows == 0 and self._rows_told > 0
        if now_s >= self._presence_due_s or has_drained:
            self._presence_due_s = now_s + PRESENCE_EVERY_S
            self._rows_told = presence.outbox_rows
            self._publish_lossy(topics.PRESENCE, presence)

    def _publish_lossy(self, topic: Topic, message: Message) -> None:
        try:
            self._publish(topic, codec.encode(message))
        except TooBigError as error:
            log.error("%s was not sent: %s", topic.name, error)

    def _publish(self, topic: Topic, packet: bytes) -> bool:
        return self._link.publish(self._full(topic), packet, qos=topic.qos, retain=topic.retained)

    # The link's health ----------------------------------------------------------------------------------------------

    async def _judge_link(self) -> None:
        now_s, waiting = self._loop_s(), self._store.waiting
        if self._link.is_up and self._pulse.silent_s(now_s) > self._stuck_after_s:
            log.warning("no receipt for %.0f s: the connection is made anew", self._pulse.silent_s(now_s))
            self._be_patient(times_stuck=self._times_stuck + 1)
            self._pulse.connected()
            self._link.reconnect()
        is_online = self._link.is_up and self._pulse.is_beating(
            now_s,
            is_anything_waiting=waiting.events + waiting.track + waiting.blobs > 0,
            patience_s=PATIENCE_S,
        )
        if is_online != self._is_online:
            await self._submit(LinkChanged(is_online=is_online))
            self._is_online = is_online

    def _be_patient(self, *, times_stuck: int) -> None:
        if times_stuck or self._times_stuck:
            self._stuck_after_s = STUCK.wait_s(times_stuck, self._chance())
        self._times_stuck = times_stuck

    def _pause_s(self) -> float:
        """Until the next thing is due; the link is looked at once a second."""
        due = [
            self._loop_s() + 1.0,
            self._live_due_s if self._link.is_up else None,
            self._window.next_due_s(),
            self._chunks.next_due_s(),
        ]
        return max(0.01, min(moment for moment in due if moment is not None) - self._loop_s())

    def _presence(self, *, is_online: bool) -> Presence:
        identity, waiting = self._store.identity, self._store.waiting
        age_s = None if waiting.oldest_ms is None else max(0.0, (self._clock.age_ms() - waiting.oldest_ms) / 1000)
        return Presence(
            van=self._van,
            epoch=identity.epoch,
            boot=identity.boot,
            is_online=is_online,
            agent_version=AGENT_VERSION,
            outbox_rows=waiting.events + waiting.track + waiting.blobs,
            oldest_row_age_s=age_s,
            kept_epochs=self._kept_epochs,
        )

    def _full(self, topic: Topic) -> str:
        return topic.of(self._fleet, self._van)

    def _loop_s(self) -> float:
        return asyncio.get_running_loop().time()
