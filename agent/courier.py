"""The link's shell: lets the outbox drain upwards, brings what comes down to the runtime, and says whether the link
lives.

Everything here runs on the event loop's own time. A packet from above is acknowledged after what it carried was
committed and on nothing else.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Protocol

from agent.drain import Drain
from agent.errors import StoreError
from agent.link import inbound
from agent.link.backoff import Backoff
from agent.link.live import says_the_same
from agent.link.namesake import Namesake
from agent.link.outbound import Sender
from agent.link.unsaved import Unsaved
from agent.store.store import Store
from agent.trip.inputs import Alarmed, AnyInput, CommandArrived, LinkChanged, ManifestArrived, ManifestUnreadable
from host.clock import Clock
from wire import codec, topics
from wire.codec import TooBigError
from wire.envelope import Receipts
from wire.events import Alarm, Live, Presence
from wire.model import Message
from wire.mqtt import Arrived, Connected, Disconnected, MqttLink, Secure, Will
from wire.topics import Topic

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
        self._drain = Drain(store, Sender(van, store.identity.boot), self._publish, self._tell_of_spoiled)
        self._namesake = Namesake()
        self._unsaved = Unsaved()
        self._is_online = is_online
        self._nudged = asyncio.Event()
        self._kept_epochs: tuple[str, ...] = ()
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
                    self._drain.end()
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

    async def _tell_of_spoiled(self, sha256: str) -> None:
        detail = f"evidence {sha256} no longer has its own content"
        await self._submit(Alarmed(alarm=Alarm.STORE_DAMAGED, detail=detail))

    def _begin(self) -> None:
        """A new connection: the newest picture goes first."""
        self._drain.begin()
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
        self._drain.receipted(receipts)
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
                    self._send_lossy()
                    await self._drain.send(lambda: self._link.is_up)
                await self._judge_link()
                said = ""
            except StoreError as error:
                if str(error) != said:  # once, and not each second for as long as the disk is full
                    log.error("the outbox waits for the disk: %s", error)
                said = str(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause_s()):
                    await self._nudged.wait()

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
        if self._link.is_up and self._drain.pulse.silent_s(now_s) > self._stuck_after_s:
            log.warning("no receipt for %.0f s: the connection is made anew", self._drain.pulse.silent_s(now_s))
            self._be_patient(times_stuck=self._times_stuck + 1)
            self._drain.pulse.connected()
            self._link.reconnect()
        is_online = self._link.is_up and self._drain.pulse.is_beating(
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
            self._drain.next_due_s(),
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
