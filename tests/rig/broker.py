"""A broker that remembers nothing when it dies: retained messages, sessions and all it had acknowledged.

As much of MQTT 5 as the project uses: QoS 0 and 1, retained messages, wills, sessions that outlive a connection, a
receive maximum, takeover of a client id, keepalive. A PUBACK is not modelled, because nothing may depend on one.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from tests.rig.weather import Pipe, Weather
from wire import topics
from wire.mqtt import Will


@dataclass(frozen=True)
class Sent:
    topic: str
    payload: bytes
    qos: int
    is_retained: bool = False


class Client(Protocol):
    """The other end of a connection."""

    def accepted(self) -> None: ...
    def got(self, mid: int, sent: Sent) -> None: ...
    def answered_ping(self) -> None: ...
    def ended(self, reason: str) -> None: ...


@dataclass
class _Session:
    filters: tuple[tuple[str, int], ...]
    window: int
    is_kept: bool
    connection: "Connection | None" = None
    waiting: deque[Sent] = field(default_factory=deque)
    under_way: dict[int, Sent] = field(default_factory=dict)


class Connection:
    """From a client's TCP connect to its end; both directions are pipes. A partition blocks pipes, not connections."""

    def __init__(
        self,
        broker: "Broker",
        client_id: str,
        client: Client,
        up: Pipe,
        down: Pipe,
        will: Will | None,
        patience_s: float,
    ) -> None:
        self.client_id, self.client, self.up, self.down, self.will = client_id, client, up, down, will
        self.is_alive = True
        self._broker = broker
        self._patience_s = patience_s
        self._heard_s = broker.loop.time()
        broker.loop.call_later(patience_s, self._still_there)

    # What the client does; it arrives later, or never.
    def publish(self, sent: Sent, *, may_be_lost: bool) -> None:
        self.up.send(lambda: self._broker.took(self, sent), may_be_lost=may_be_lost)

    def ack(self, mid: int) -> None:
        self.up.send(lambda: self._broker.acked(self, mid))

    def ping(self) -> None:
        self.up.send(lambda: self._broker.pinged(self))

    def hang_up(self, *, is_orderly: bool) -> None:
        """A goodbye with the will, or the kernel's end of a process that died."""
        self.up.send(lambda: self._broker.lost(self, "hung up"))
        if not is_orderly:
            self.down.close()

    def heard(self) -> None:
        self._heard_s = self._broker.loop.time()

    def vanish(self) -> None:
        """The client's machine is without power: nobody tells the broker."""
        self.up.close()
        self.down.close()

    def _still_there(self) -> None:
        if not self.is_alive:
            return
        silent_s = self._broker.loop.time() - self._heard_s
        if silent_s >= self._patience_s - 0.001:
            self._broker.lost(self, "keepalive")
        else:
            self._broker.loop.call_later(self._patience_s - silent_s, self._still_there)


class Broker:
    """One for all, in one weather."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, dice: random.Random, weather_now: Callable[[], Weather]
    ) -> None:
        self.loop = loop
        self.is_up = True
        self._dice, self._weather_now = dice, weather_now
        self._blocked: dict[str, tuple[bool, bool]] = {}
        self._mids = count(1)
        self._retained: dict[str, bytes] = {}
        self._sessions: dict[str, _Session] = {}

    # The world's doing ----------------------------------------------------------------------------------------------

    def crash(self) -> None:
        self.is_up = False
        for session in self._sessions.values():
            if session.connection is not None:
                self._reset(session.connection, "the broker is gone")
        self._sessions.clear()
        self._retained.clear()

    def restart(self) -> None:
        self.is_up = True

    def block(self, client_id: str, *, up: bool = True, down: bool = True) -> None:
        """A partition, of both directions or of one."""
        self._blocked[client_id] = (up, down)
        connection = self._connection(client_id)
        if connection is not None:
            for pipe, is_blocked in ((connection.up, up), (connection.down, down)):
                if is_blocked:
                    pipe.block()

    def unblock(self, client_id: str) -> None:
        self._blocked.pop(client_id, None)
        connection = self._connection(client_id)
        if connection is not None:
            connection.up.unblock()
            connection.down.unblock()

    def reset(self, client_id: str) -> None:
        """A TCP reset in the middle of whatever is under way."""
        connection = self._connection(client_id)
        if connection is not None:
            self.lost(connection, "reset by peer")

    def is_reachable(self, client_id: str) -> bool:
        return self.is_up and client_id not in self._blocked

    # Clients --------------------------------------------------------------------------------------------------------

    def connect(
        self,
        client_id: str,
        client: Client,
        *,
        filters: tuple[tuple[str, int], ...],
        will: Will | None,
        is_kept: bool,
        window: int,
        keepalive_s: float,
    ) -> Connection:
        """A connection that was accepted; the client hears so with the next delay."""
        up, down = (Pipe(self.loop, self._dice, self._weather_now) for _ in range(2))
        old = self._sessions.get(client_id)
        if old is not None and old.connection is not None:
            self.lost(old.connection, "taken over")
            old = self._sessions.get(client_id)
        connection = Connection(self, client_id, client, up, down, will, 1.5 * keepalive_s)
        session = old if old is not None and is_kept else _Session(filters, window, is_kept)
        session.connection = connection
        self._sessions[client_id] = session
        down.send(client.accepted)
        for sent in reversed(session.under_way.values()):
            session.waiting.appendleft(sent)  # sent again, before anything new
        session.under_way.clear()
        for topic, payload in list(self._retained.items()):
            if any(_matches(pattern, topic) for pattern, _ in filters):
                session.waiting.append(Sent(topic, payload, 1, is_retained=True))
        self._pump(session)
        return connection

    def took(self, connection: Connection, sent: Sent) -> None:
        if not connection.is_alive:
            return
        connection.heard()
        self._spread(sent)

    def acked(self, connection: Connection, mid: int) -> None:
        connection.heard()
        session = self._sessions.get(connection.client_id)
        if connection.is_alive and session is not None:
            session.under_way.pop(mid, None)
            self._pump(session)

    def pinged(self, connection: Connection) -> None:
        if connection.is_alive:
            connection.heard()
            connection.down.send(connection.client.answered_ping)

    def lost(self, connection: Connection, reason: str) -> None:
        """The broker's side of a connection has ended; the will is published."""
        if not connection.is_alive:
            return
        self._reset(connection, reason)
        session = self._sessions.get(connection.client_id)
        if session is not None and session.connection is connection:
            session.connection = None
            if not session.is_kept:
                del self._sessions[connection.client_id]
        if connection.will is not None:
            will = connection.will
            self._spread(Sent(will.topic, will.payload, will.qos, is_retained=will.retain))

    def _reset(self, connection: Connection, reason: str) -> None:
        connection.is_alive = False
        connection.up.close()
        connection.down.send(lambda: connection.client.ended(reason))

    def _connection(self, client_id: str) -> Connection | None:
        session = self._sessions.get(client_id)
        return session.connection if session is not None else None

    # Messages -------------------------------------------------------------------------------------------------------

    def _spread(self, sent: Sent) -> None:
        if sent.is_retained:
            if sent.payload:
                self._retained[sent.topic] = sent.payload
            else:
                self._retained.pop(sent.topic, None)
        for session in self._sessions.values():
            granted = [qos for pattern, qos in session.filters if _matches(pattern, sent.topic)]
            if granted and (session.connection is not None or (session.is_kept and sent.qos)):
                session.waiting.append(Sent(sent.topic, sent.payload, min(sent.qos, max(granted))))
                self._pump(session)

    def _pump(self, session: _Session) -> None:
        connection = session.connection
        while connection is not None and session.waiting and len(session.under_way) < session.window:
            sent = session.waiting.popleft()
            mid = next(self._mids)
            if self._deliver(connection, mid, sent) and sent.qos:  # what is lost must not fill the window for ever
                session.under_way[mid] = sent

    @staticmethod
    def _deliver(connection: Connection, mid: int, sent: Sent) -> bool:
        return connection.down.send(
            lambda: connection.client.got(mid, sent), may_be_lost=may_be_lost(sent.topic) and not sent.is_retained
        )


def may_be_lost(topic: str) -> bool:
    """What the protocol repeats by itself until it is answered."""
    parsed = topics.parse(topic)
    return parsed is not None and parsed[2] in (
        topics.EVENTS,
        topics.TRACK,
        topics.BLOBS,
        topics.LIVE,
        topics.RECEIPTS,
    )


def _matches(pattern: str, topic: str) -> bool:
    want, have = pattern.split("/"), topic.split("/")
    return len(want) == len(have) and all(a in ("+", b) for a, b in zip(want, have, strict=True))
