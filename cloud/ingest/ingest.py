"""The shell of the ingest: takes what arrives, commits it in groups, and answers after the commit, never before."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from cloud.errors import StoreError
from cloud.ingest.apply import Applied, Incoming, apply_group
from cloud.ingest.receipts import receipts_for
from cloud.ingest.unpack import SUBSCRIBED, Packet, spoken_by, unpack
from cloud.store.database import Database
from cloud.store.records import Changes
from cloud.store.vans import Unreadable
from host.clock import Clock
from wire import topics
from wire.codec import encode
from wire.mqtt import Arrived

MAX_GROUP = 500
"""Packets in one transaction: enough for one fsync to serve a fleet, few enough that the first of them never waits."""

MAX_WAITING = 5_000
"""Beyond this the lossy messages are dropped at the door; the others are held back by the broker's receive maximum."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0

log = logging.getLogger(__name__)

Publish = Callable[[str, bytes, int], bool]
"""Topic, payload, QoS; False when there is no link."""


def subscriptions(fleet: str) -> tuple[tuple[str, int], ...]:
    """What the coordinator's link subscribes to."""
    return tuple((topic.of_every_van(fleet), topic.qos) for topic in SUBSCRIBED)


class _Waiting:
    """A message from a van, read when its turn comes and then no more."""

    def __init__(self, fleet: str, arrived: Arrived) -> None:
        self.arrived = arrived
        self._fleet = fleet
        self._read: Incoming | None = None

    def read(self) -> Incoming:
        if self._read is None:
            packet = unpack(self._fleet, self.arrived.topic, self.arrived.payload)
            assert packet is not None  # or it would not wait
            if isinstance(packet.content, Unreadable):
                log.warning("%s sent what nobody can read on %s: %s", packet.van, packet.topic, packet.content.why)
            self._read = Incoming(packet, self.arrived.is_retained)
        return self._read

    def park(self) -> bool:
        """Takes it as one that nobody can read; False when it is one already."""
        if self._read is not None and isinstance(self._read.packet.content, Unreadable):
            return False
        speaker = spoken_by(self._fleet, self.arrived.topic)
        assert speaker is not None
        van, topic = speaker
        payload, why = self.arrived.payload, "it could not be applied; the coordinator's log says more"
        self._read = Incoming(Packet(van, topic.name, payload, Unreadable(topic.name, payload, why)))
        return True


class Ingest:
    """Applies what the vans send. `on_applied` is called on the event loop after each commit that changed something."""

    def __init__(
        self,
        *,
        fleet: str,
        database: Database,
        clock: Clock,
        publish: Publish,
        on_applied: Callable[[Changes], None],
    ) -> None:
        self._fleet = fleet
        self._database = database
        self._clock = clock
        self._publish = publish
        self._on_applied = on_applied
        self._waiting: asyncio.Queue[_Waiting] = asyncio.Queue()

    def take(self, arrived: Arrived) -> None:
        """Put a message in the queue; `run` does the rest. Never waits and never raises for what is in the message."""
        speaker = spoken_by(self._fleet, arrived.topic)
        if speaker is None:
            log.warning("a message on %s, where no van of this fleet speaks, is ignored", arrived.topic)
            arrived.ack()
        elif speaker[1] is topics.LIVE and self._waiting.qsize() >= MAX_WAITING:
            arrived.ack()
        else:
            self._waiting.put_nowait(_Waiting(self._fleet, arrived))

    async def run(self) -> None:
        """Apply what is waiting, group after group, until cancelled."""
        while True:
            group = [await self._waiting.get()]
            while len(group) < MAX_GROUP and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            await self._serve(group)

    async def _serve(self, group: Sequence[_Waiting]) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                await self._commit_then_answer(group)
                return
            except StoreError as error:
                # The disk is full, or gone. Nothing was answered, so the vans keep everything; we keep the group.
                log.error("nothing can be stored, and so no receipts are sent: %s", error)
                await asyncio.sleep(pause_s)
                pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
            except Exception:
                log.exception("a group of %d messages could not be applied", len(group))
                await self._serve_one_by_one(group)
                return

    async def _serve_one_by_one(self, group: Sequence[_Waiting]) -> None:
        # A mistake of ours that one message brings to light. Only its own sender may suffer from it.
        if len(group) > 1:
            for one in group:
                await self._serve([one])
        elif group[0].park():
            await self._serve(group)
        else:
            group[0].arrived.ack()

    async def _commit_then_answer(self, group: Sequence[_Waiting]) -> None:
        """The one order that loses nothing: commit, and only when it is on disk the receipt, and then the MQTT ack.

        A van deletes what is receipted. A receipt before the commit would make a power cut here the end of the only
        copy; whatever stops us after the commit makes the van send again what we then know already.
        """
        now = self._clock.now()
        # Read there too: two threads at work would only take turns, and each turn is a long one.
        applied = await self._database.write(
            lambda connection: apply_group(connection, [one.read() for one in group], now)
        )
        self._send_receipts(applied)
        for one in group:
            one.arrived.ack()
        try:
            self._on_applied(applied.changes)
        except Exception:
            log.exception("the live picture could not take what was applied")

    def _send_receipts(self, applied: Applied) -> None:
        for van, standing in applied.standings:
            # False when the link is down: the van sends again, and is told then.
            self._publish(
                topics.RECEIPTS.of(self._fleet, van), encode(receipts_for(standing), level=3), topics.RECEIPTS.qos
            )
