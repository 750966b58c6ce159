"""What stands in for `wire.mqtt.MqttLink` in virtual time: the same doors, and behind them the rig's broker."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from tests.rig.broker import Broker, Connection, Sent, may_be_lost
from wire.codec import TooBigError
from wire.mqtt import FIRST_PAUSE_S, LONGEST_PAUSE_S, Arrived, Connected, Disconnected, LinkEvent, Will
from wire.topics import MAX_PACKET_BYTES

CONNECT_S = 5.0


class SimLink:
    """`is_dead` says whether the machine we run on has lost its power: from then on nothing leaves it."""

    def __init__(
        self,
        broker: Broker,
        dice: random.Random,
        is_dead: Callable[[], bool],
        *,
        client_id: str,
        will: Will | None = None,
        subscriptions: Sequence[tuple[str, int]] = (),
        keepalive_s: int = 20,
        clean_start: bool = True,
        receive_maximum: int = 20,
        on_publish: Callable[[str, bytes], None] | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._broker, self._dice, self._is_dead = broker, dice, is_dead
        self._client_id, self._will = client_id, will
        self._subscriptions = tuple(subscriptions)
        self._keepalive_s, self._clean_start, self._receive_maximum = keepalive_s, clean_start, receive_maximum
        self._on_publish, self._note = on_publish, note
        self._events: asyncio.Queue[LinkEvent | None] = asyncio.Queue()
        self._hurry = asyncio.Event()
        self._life: _Life | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._is_closing = False
        self._has_told_down = False

    @property
    def is_up(self) -> bool:
        return self._life is not None and self._life.is_up

    def start(self) -> None:
        self._keeper = asyncio.create_task(self._keep_connected())

    async def events(self) -> AsyncIterator[LinkEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        if len(payload) > MAX_PACKET_BYTES:
            raise TooBigError(f"a packet of {len(payload)} bytes is over the limit of {MAX_PACKET_BYTES}")
        if self._life is None or not self._life.is_up or self._is_dead():
            return False
        if self._on_publish is not None:
            self._on_publish(topic, payload)
        assert self._life.connection is not None
        self._life.connection.publish(Sent(topic, payload, qos, is_retained=retain), may_be_lost=may_be_lost(topic))
        return True

    def reconnect(self) -> None:
        self._hurry.set()
        if self._life is not None:
            self._life.drop("made anew")

    async def close(self) -> None:
        """Only a link whose machine still runs says goodbye."""
        self._is_closing = True
        if self._keeper is not None:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        if self._life is not None and not self._is_dead():
            self._life.drop("closed")
        self._events.put_nowait(None)

    # The rig's doors ------------------------------------------------------------------------------------------------

    def killed(self, *, has_power: bool) -> None:
        """Our process is gone; the kernel tells the broker, if it still runs."""
        if self._life is not None and self._life.connection is not None:
            if has_power:
                self._life.connection.hang_up(is_orderly=False)
            else:
                self._life.connection.vanish()
        self._life = None

    # ------------------------------------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._is_closing:
            self._hurry.clear()
            if self._broker.is_reachable(self._client_id):
                await asyncio.sleep(self._dice.uniform(0.01, 0.2))
            else:
                await asyncio.sleep(CONNECT_S if self._broker.is_up else 0.05)
            if self._broker.is_reachable(self._client_id) and not self._is_dead():
                life = self._life = _Life(self)
                life.connection = self._broker.connect(
                    self._client_id,
                    life,
                    filters=self._subscriptions,
                    will=self._will,
                    is_kept=not self._clean_start,
                    window=self._receive_maximum,
                    keepalive_s=self._keepalive_s,
                )
                reason, was_up = await life.lived(self._keepalive_s)
                self._life = None
                if was_up:
                    pause_s = FIRST_PAUSE_S
            else:
                reason = "no broker"
            if not self._has_told_down:
                self._has_told_down = True
                self._events.put_nowait(Disconnected(reason))
                self._say(f"is offline: {reason}")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), pause_s * self._dice.uniform(0.5, 1.0))
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    def came_up(self) -> None:
        self._has_told_down = False
        self._events.put_nowait(Connected())
        self._say("is online")

    def _say(self, text: str) -> None:
        if self._note is not None:
            self._note(f"{self._client_id} {text}")

    def arrived(self, life: "_Life", mid: int, sent: Sent) -> None:
        def ack() -> None:
            if life is self._life and life.connection is not None and sent.qos and not self._is_dead():
                life.connection.ack(mid)

        if life is self._life:
            self._events.put_nowait(Arrived(sent.topic, sent.payload, ack, is_retained=sent.is_retained))


class _Life:
    """One connection, seen from the client."""

    def __init__(self, link: SimLink) -> None:
        self.connection: Connection | None = None
        self.is_up = False
        self._was_up = False
        self._link = link
        self._early: list[tuple[int, Sent]] = []
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._has_pong = True

    async def lived(self, keepalive_s: float) -> tuple[str, bool]:
        """Until the end: why, and whether it ever was up."""
        while True:
            done, _ = await asyncio.wait({self._ended}, timeout=keepalive_s)
            if done:
                return self._ended.result(), self._was_up
            if not self._has_pong or not self.is_up:
                self.drop("keepalive")
            elif self.connection is not None:
                self._has_pong = False
                self.connection.ping()

    def drop(self, reason: str) -> None:
        if self.connection is not None:
            self.connection.hang_up(is_orderly=False)
        self.ended(reason)

    def accepted(self) -> None:
        self.is_up = self._was_up = True
        self._link.came_up()
        for mid, sent in self._early:
            self._link.arrived(self, mid, sent)

    def got(self, mid: int, sent: Sent) -> None:
        if self.is_up:
            self._link.arrived(self, mid, sent)
        else:
            self._early.append((mid, sent))

    def answered_ping(self) -> None:
        self._has_pong = True

    def ended(self, reason: str) -> None:
        self.is_up = False
        if not self._ended.done():
            self._ended.set_result(reason)
