"""The link to an MQTT 5 broker, and the only file that knows paho.

One connection is one life: a fresh paho client on a thread of its own, from the TCP connect to the end. Whatever ends
it (the network, the broker, an exception that kills paho's loop) ends the thread, and the thread's end is what we
watch; `is_connected()` of a dead paho thread stays True for ever. The next life starts after a jittered pause and
knows nothing of the last: no packet of an old connection is sent again by the client behind the outbox's back.

paho's callbacks do one thing: they post to the event loop, where all state lives. Messages are acknowledged by hand.
"""

import asyncio
import logging
import random
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, MQTTv5, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from wire.codec import TooBigError
from wire.topics import MAX_PACKET_BYTES

PACKET_HEADROOM_BYTES = 1024
"""What MQTT adds to a payload: header, topic, properties. A broker's packet limit is the payload's plus this."""

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
CONNECT_TIMEOUT_S = 5.0
UP_WITHIN_S = 10.0
FAREWELL_S = 2.0
SESSION_EXPIRY_S = 3600
_DISCONNECT, _DISCONNECT_WITH_WILL = 0x00, 0x04

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Will:
    """What the broker says for us when the link ends."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True)
class Connected:
    """The broker took us, and all our subscriptions."""


@dataclass(frozen=True)
class Disconnected:
    """The link is down; told once, not for each attempt that fails after it."""

    reason: str


@dataclass(frozen=True)
class Arrived:
    """A message. `ack` tells the broker we are done with it: without it, a session gets it again after a reconnect."""

    topic: str
    payload: bytes
    ack: Callable[[], None]
    is_retained: bool = False
    """The broker kept it from before we subscribed: it says what was, not that anyone is there now."""


LinkEvent = Connected | Disconnected | Arrived


@dataclass(frozen=True)
class Secure:
    """How to be sure of the server. `judge` gets its certificate (DER), which `context` has verified already, before
    anything is said to it; what it raises refuses the server.
    """

    context: ssl.SSLContext
    judge: Callable[[bytes], None] = lambda _certificate: None


class MqttLink:
    """A connection to one broker that is made again whenever it ends. Make and use it on one event loop.

    `subscriptions` are (filter, QoS). With `clean_start=False` the broker keeps a session for an hour and sends again
    what was not acknowledged. `receive_maximum` is how many unacknowledged messages the broker may have under way.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        client_id: str,
        will: Will | None = None,
        subscriptions: Sequence[tuple[str, int]] = (),
        keepalive_s: int = 20,
        clean_start: bool = True,
        receive_maximum: int = 20,
        secure: Callable[[], Secure] | None = None,
    ) -> None:
        """`secure` makes TLS of the link; asked anew for each connection (a certificate may have been renewed), on a
        thread of its own. What it raises is why there is no link this time.
        """
        self._host = host
        self._port = port
        self._client_id = client_id
        self._will = will
        self._subscriptions = tuple(subscriptions)
        self._keepalive_s = keepalive_s
        self._clean_start = clean_start
        self._receive_maximum = receive_maximum
        self._secure = secure
        self._events: asyncio.Queue[LinkEvent | None] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._is_closing = False
        self._has_told_down = False
        self._window = 20
        # Of the present life:
        self._client: Client | None = None
        self._is_up = False
        self._max_packet_bytes = MAX_PACKET_BYTES + PACKET_HEADROOM_BYTES
        self._early: list[Arrived] = []

    @property
    def is_up(self) -> bool:
        """Whether the broker answered and nothing has said otherwise since; a silent link looks up for a while."""
        return self._is_up

    def start(self) -> None:
        """Begin to connect; what happens comes out of `events()`."""
        if self._keeper is not None:
            raise RuntimeError("this link was started before")
        self._loop = asyncio.get_running_loop()
        self._keeper = asyncio.create_task(self._keep_connected(), name=f"mqtt {self._client_id}")

    async def events(self) -> AsyncIterator[LinkEvent]:
        """What happens on the link, in order, until it is closed. For one reader at a time; a new one goes on."""
        while (event := await self._events.get()) is not None:
            yield event
        self._events.put_nowait(None)  # a later reader ends as well

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool:
        """Hand a message to the connection; False when there is none, and nothing is kept for later.

        True promises nothing about delivery: only a receipt does. Raises TooBigError for a packet the broker would
        drop the link for.
        """
        if len(payload) > MAX_PACKET_BYTES:
            raise TooBigError(f"a packet of {len(payload)} bytes is over the limit of {MAX_PACKET_BYTES}")
        if self._client is None or not self._is_up:
            return False
        on_air_bytes = len(payload) + len(topic.encode()) + 10  # headers, length, id, empty properties
        if on_air_bytes > self._max_packet_bytes:
            raise TooBigError(
                f"a packet of {on_air_bytes} bytes is over the broker's limit of {self._max_packet_bytes}"
            )
        return self._client.publish(topic, payload, qos=qos, retain=retain).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def reconnect(self) -> None:
        """Drop the connection as it is and make a new one at once; for a link that looks up but makes no progress."""
        self._hurry.set()
        if self._client is not None:
            _cut(self._client)

    async def close(self) -> None:
        """Say goodbye (the will is sent, so the last state is the true one), and end. Safe to call twice."""
        self._is_closing = True
        self._hurry.set()
        if self._keeper is not None:
            if self._client is not None:
                how = _DISCONNECT_WITH_WILL if self._will else _DISCONNECT
                self._client.disconnect(ReasonCode(PacketTypes.DISCONNECT, identifier=how))
            done, _ = await asyncio.wait({self._keeper}, timeout=FAREWELL_S)
            if not done:  # a frozen broker: no goodbye is possible
                if self._client is not None:
                    _cut(self._client)
                self._keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await self._keeper
            self._client = None
            self._is_up = False
        self._events.put_nowait(None)

    # One life after another ---------------------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        pause_s = FIRST_PAUSE_S
        while not self._is_closing:
            self._hurry.clear()
            reason, was_up = await self._live()
            if was_up:
                pause_s = FIRST_PAUSE_S
            if not self._is_closing:
                self._tell_down(reason)
                # Jittered, so that a fleet does not come back in one instant after the broker's restart.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), pause_s * random.uniform(0.5, 1.0))  # noqa: S311
                pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    async def _live(self) -> tuple[str, bool]:
        """One connection from its start to its end: why it ended, and whether it ever was up."""
        assert self._loop is not None
        client = self._new_client()
        ended: asyncio.Future[str] = self._loop.create_future()
        self._client = client
        self._early = []
        threading.Thread(
            target=self._live_on_thread, args=(client, ended), name=f"mqtt {self._client_id}", daemon=True
        ).start()
        deadline = self._loop.call_later(UP_WITHIN_S, self._too_late, client)
        try:
            reason = await ended
            return reason, self._is_up
        finally:
            deadline.cancel()
            self._client = None
            self._is_up = False

    def _live_on_thread(self, client: Client, ended: asyncio.Future[str]) -> None:
        try:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.ReceiveMaximum = self._receive_maximum
            properties.MaximumPacketSize = MAX_PACKET_BYTES + PACKET_HEADROOM_BYTES
            if not self._clean_start:
                properties.SessionExpiryInterval = SESSION_EXPIRY_S
            if self._secure is not None:
                client.tls_set_context(_judging(self._secure()))
            client.connect_timeout = CONNECT_TIMEOUT_S
            client.connect(self._host, self._port, self._keepalive_s, "", 0, self._clean_start, properties)
            if self._is_closing:
                _cut(client)
            code = MQTTErrorCode.MQTT_ERR_SUCCESS
            while code == MQTTErrorCode.MQTT_ERR_SUCCESS:
                # Not loop_forever(): without paho's own thread, only loop() lets publish() wake it.
                code = client.loop()
            reason = client.user_data_get() or error_string(code)
        except Exception as error:  # whatever ends this thread ends the connection, and is told
            reason = f"{type(error).__name__}: {error}"
        self._post(_settle, ended, reason)

    def _tell_down(self, reason: str) -> None:
        if not self._has_told_down:
            self._has_told_down = True
            log.warning("no link to %s:%d: %s", self._host, self._port, reason)
            self._events.put_nowait(Disconnected(reason))

    # paho's callbacks, on its thread: they post and do nothing else -----------------------------------------------

    def _new_client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTv5,
            manual_ack=True,
            reconnect_on_failure=False,
        )
        client.max_inflight_messages_set(self._window)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, self._will.qos, self._will.retain)
        client.on_socket_open = lambda _client, _data, sock: _send_at_once(sock)
        # With this set, publish() wakes paho's thread instead of writing to the socket from ours.
        client.on_socket_register_write = lambda _client, _data, _sock: None
        client.on_connect = self._on_connect
        # Called for the broker's farewell, and again for the end of the connection after it: the first word stays.
        client.on_disconnect = lambda client, said, flags, why, _props: client.user_data_set(
            f"the broker said: {why}" if flags.is_disconnect_packet_from_server else said
        )
        client.on_subscribe = lambda client, _data, _mid, codes, _props: self._post(self._subscribed, client, codes)
        client.on_message = lambda client, _data, message: self._post(self._arrived, client, message)
        client.on_publish = lambda client, _data, _mid, code, _props: self._post(_published, code)
        return client

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, code: ReasonCode, properties: Properties | None
    ) -> None:
        self._post(self._answered, client, code, properties)

    def _post(self, act: Callable[..., None], *arguments: Any) -> None:
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop was closed at shutdown: nobody is left to be told
            self._loop.call_soon_threadsafe(act, *arguments)

    # And what they posted, on the event loop ----------------------------------------------------------------------

    def _too_late(self, client: Client) -> None:
        if client is self._client and not self._is_up:
            self._tell_down(f"no answer within {UP_WITHIN_S:g} s")
            _cut(client)

    def _answered(self, client: Client, code: ReasonCode, properties: Properties | None) -> None:
        if client is not self._client:
            return
        if code.is_failure:
            self._tell_down(f"the broker refused us: {code}")
            return  # the broker closes the connection
        self._max_packet_bytes = getattr(properties, "MaximumPacketSize", MAX_PACKET_BYTES + PACKET_HEADROOM_BYTES)
        window = getattr(properties, "ReceiveMaximum", self._window)
        if window < self._window:  # paho neither keeps to it nor takes it while connected
            self._window = window
            _cut(client)
            return
        if self._subscriptions:
            client.subscribe([(topic, SubscribeOptions(qos=qos)) for topic, qos in self._subscriptions])
        else:
            self._came_up()

    def _subscribed(self, client: Client, codes: list[ReasonCode]) -> None:
        if client is not self._client:
            return
        refused = [topic for (topic, _), code in zip(self._subscriptions, codes, strict=False) if code.is_failure]
        if refused:
            self._tell_down(f"the broker refused the subscription to {', '.join(refused)}")
            _cut(client)
        else:
            self._came_up()

    def _came_up(self) -> None:
        self._is_up = True
        self._has_told_down = False
        log.info("link to %s:%d is up", self._host, self._port)
        self._events.put_nowait(Connected())
        for event in self._early:
            self._events.put_nowait(event)
        self._early = []

    def _arrived(self, client: Client, message: MQTTMessage) -> None:
        if client is not self._client:
            return  # of a life that is over: the session sends it again
        mid, qos = message.mid, message.qos

        def ack() -> None:
            if client is self._client and qos > 0:
                client.ack(mid, qos)

        event = Arrived(message.topic, bytes(message.payload), ack, is_retained=message.retain)
        # A session's messages may come before the answer to our subscriptions; readers see Connected first.
        if self._is_up:
            self._events.put_nowait(event)
        else:
            self._early.append(event)


def _published(code: ReasonCode) -> None:
    if code.is_failure:
        log.error("the broker refused a message: %s", code)


def _settle(ended: asyncio.Future[str], reason: str) -> None:
    if not ended.done():
        ended.set_result(reason)


def _cut(client: Client) -> None:
    """End a connection without a goodbye; its thread notices at once."""
    sock = client.socket()
    if isinstance(sock, socket.socket):
        with suppress(OSError):
            # Not SSLSocket's own: that takes the encryption off first, while paho's thread may be writing.
            socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _judging(secure: Secure) -> ssl.SSLContext:
    """The context, whose sockets judge the server as the handshake's last step, and close when they refuse it: paho
    would leave them open.
    """

    class JudgingSocket(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            try:
                super().do_handshake(block)
                secure.judge(self.getpeercert(binary_form=True) or b"")
            except BaseException:
                self.close()
                raise

    secure.context.sslsocket_class = JudgingSocket
    return secure.context


def _send_at_once(sock: object) -> None:
    # Without this, Nagle and delayed ACKs make an event's round trip 88 ms instead of 1.
    if isinstance(sock, socket.socket):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
