"""A van as the coordinator sees it, and no more: one TLS connection, packets of the van's own making, receipts read.

Hundreds of them live on one event loop, without stores and without threads. A message is said once: the van itself
would say it again, and hide that it was lost.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from agent.link.outbound import Sender, events_parcel
from benchmarks.stand import FLEET
from wire import topics
from wire.codec import decode, encode
from wire.envelope import Receipts, Record
from wire.events import Presence
from wire.mqtt import Secure

EPOCH = "00000000000000aa"
BOOT = 1
KEEPALIVE_S = 60


@dataclass(frozen=True)
class _Row:
    epoch: str
    seq: int
    record_json: str


class LightVan:
    """`connect` on a thread, then `begin` and everything else on the event loop."""

    def __init__(self, name: str, on_receipt: Callable[[float], None]) -> None:
        """`on_receipt` gets the seconds from the moment a message was due to its receipt, once for each message."""
        self.is_ready = asyncio.Event()
        self.lost_because = ""
        self._name = name
        self._on_receipt = on_receipt
        self._seq = 0
        self._due_s: dict[int, float] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTv5, reconnect_on_failure=False)
        self._client.on_connect = self._connected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._arrived
        self._client.on_disconnect = self._disconnected

    @property
    def unreceipted(self) -> int:
        return len(self._due_s)

    def connect(self, host: str, port: int, secure: Secure) -> None:
        """Blocks until TLS stands and the broker was asked to take us."""
        self._client.tls_set_context(secure.context)
        self._client.connect(host, port, KEEPALIVE_S)

    def begin(self) -> None:
        """The event loop watches the socket from here on."""
        loop: Any = asyncio.get_running_loop()  # paho's sockets have types of its own
        sock: Any = self._client.socket()

        def closes(_client: Client, _data: Any, closing: Any) -> None:
            loop.remove_reader(closing)
            loop.remove_writer(closing)

        def wants_to_write(_client: Client, _data: Any, to: Any) -> None:
            loop.add_writer(to, self._client.loop_write)

        def has_written(_client: Client, _data: Any, to: Any) -> None:
            loop.remove_writer(to)

        self._client.on_socket_close = closes
        self._client.on_socket_register_write = wants_to_write
        self._client.on_socket_unregister_write = has_written
        loop.add_reader(sock, self._read, sock)

    def say(self, record: Record, due_s: float) -> None:
        """One message with one record, due at that moment of `time.monotonic`."""
        self._seq += 1
        self._due_s[self._seq] = due_s
        row = _Row(EPOCH, self._seq, record.model_dump_json(by_alias=True))
        self._publish(topics.EVENTS, events_parcel(Sender(self._name, BOOT), [row]).packet)

    def close(self) -> None:
        self._client.disconnect()

    def _publish(self, topic: topics.Topic, packet: bytes) -> None:
        self._client.publish(topic.of(FLEET, self._name), packet, topic.qos, topic.retained)

    def _read(self, sock: Any) -> None:
        """... also what is decrypted already and waits behind a silent socket."""
        is_more = True
        while is_more:
            self._client.loop_read()
            is_more = self._client.socket() == sock and sock.pending() > 0

    def _connected(self, client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        if not code.is_failure:
            client.subscribe(topics.RECEIPTS.of(FLEET, self._name), topics.RECEIPTS.qos)

    def _subscribed(self, *_: Any) -> None:
        self._publish(topics.PRESENCE, encode(Presence(van=self._name, epoch=EPOCH, boot=BOOT, is_online=True)))
        self.is_ready.set()

    def _arrived(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        now_s = time.monotonic()
        receipt = decode(Receipts, bytes(message.payload)).lanes.get("events")
        if receipt is not None:
            for seq in [seq for seq in self._due_s if seq <= receipt.contiguous_seq]:
                self._on_receipt(now_s - self._due_s.pop(seq))

    def _disconnected(self, _client: Client, _data: Any, _flags: Any, code: Any, _properties: Any) -> None:
        self.lost_because = str(code)
