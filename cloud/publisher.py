"""What the vans must know goes to the broker and stays there: each van's manifest, the conditions on the road, and
what is on the lists of the others.

It compares what is so with what this connection was told, and tells the difference. So a new manifest, a broker that
came back without its memory, the turn of the day and a van that missed something are all the same case. A van is told
the manifest of its day only: it would not go back from tomorrow's to today's.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import date
from typing import Protocol

from sqlalchemy import Connection

from cloud.elsewhere import ElsewhereDesk
from cloud.errors import StoreError
from cloud.store.conditions import conditions_now
from cloud.store.database import Database
from cloud.store.manifests import newest_manifest
from host.clock import Clock
from wire import topics
from wire.codec import TooBigError, encode
from wire.manifest import Conditions, Manifest

LOOK_EVERY_S = 2.0
"""Real seconds; a change is told at once, this is for the turn of the day and for what could not be handed over."""

log = logging.getLogger(__name__)


class Link(Protocol):
    """As much of the link as is needed here; `False` when there is none."""

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> bool: ...


class Publisher:
    """Keep `run` running; say `connected` whenever the broker took us."""

    def __init__(
        self,
        *,
        link: Link,
        database: Database,
        clock: Clock,
        today: Callable[[], date],
        fleet: str,
        vans: Sequence[str],
        elsewhere: ElsewhereDesk | None = None,
    ) -> None:
        self._link = link
        self._database = database
        self._clock = clock
        self._today = today
        self._fleet = fleet
        self._vans = tuple(vans)
        self._told: dict[str, int] = {}
        """Topic -> version handed to this connection."""
        self._elsewhere = elsewhere or ElsewhereDesk()
        self._woken = asyncio.Event()
        self._connections = 0
        self._is_due = True
        self._day: date | None = None

    def connected(self) -> None:
        """A new connection: perhaps to a broker that lost what it had kept."""
        self._told.clear()
        self._connections += 1
        self.wake()

    def came_online(self, van: str, applied_version: int) -> None:
        """Tells the van again when it holds an older manifest than it was told of."""
        topic = topics.MANIFEST.of(self._fleet, van)
        if applied_version < self._told.get(topic, 0):
            self._told.pop(topic)
            self.wake()

    def wake(self) -> None:
        """Manifests or conditions changed."""
        self._woken.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._woken.wait()
            except TimeoutError:
                pass
            is_due = self._is_due or self._elsewhere.is_due()
            if not (self._woken.is_set() or is_due or self._today() != self._day):
                continue
            self._woken.clear()
            try:
                self._is_due = True  # until all of it was handed over
                await self._tell()
            except StoreError as error:
                log.warning("the vans cannot be told what is new: %s", error)

    async def _tell(self) -> None:
        today, now, connection = self._today(), self._clock.now(), self._connections

        def read(conn: Connection) -> tuple[list[Manifest], Conditions | None]:
            found = (newest_manifest(conn, van, today) for van in self._vans)
            return [manifest for manifest in found if manifest is not None], conditions_now(conn, now)

        manifests, conditions = await self._database.read(read)
        elsewhere = await self._elsewhere.newest(manifests, today, now)
        if connection != self._connections:
            return  # the link was made anew while we read, and `connected` woke us again
        messages: list[tuple[str, Manifest | Conditions]] = [
            (topics.MANIFEST.of(self._fleet, manifest.van), manifest) for manifest in manifests
        ]
        if conditions is not None:
            messages += [(topics.CONDITIONS.of(self._fleet, van), conditions) for van in self._vans]
        told = [self._is_told(topic, message) for topic, message in messages]
        if elsewhere is not None and len(self._vans) > 1:
            packet = self._elsewhere.packet
            told += [
                self._is_handed_over(topics.ELSEWHERE.of(self._fleet, van), self._elsewhere.version, packet)
                for van in self._vans
            ]
        self._is_due = not all(told)
        self._day = today

    def _is_told(self, topic: str, message: Manifest | Conditions) -> bool:
        if self._told.get(topic) == message.version:
            return True
        try:
            packet = encode(message)
        except TooBigError as error:
            log.error("version %d of %s cannot be sent: %s", message.version, topic, error)
            self._told[topic] = message.version  # it will not fit the next time either
            return True
        return self._is_handed_over(topic, message.version, packet)

    def _is_handed_over(self, topic: str, version: int, packet: bytes) -> bool:
        if self._told.get(topic) == version:
            return True
        is_handed_over = self._link.publish(topic, packet, qos=topics.MANIFEST.qos, retain=True)
        if is_handed_over:
            self._told[topic] = version
        return is_handed_over
