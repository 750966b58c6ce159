"""The coordinator in the rig: the production database, ingest and publisher, on a disk and a link of the rig's."""

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from cloud.errors import StoreError
from cloud.ingest.ingest import Ingest, subscriptions
from cloud.publisher import Publisher
from cloud.store.database import Database, open_database
from cloud.store.manifests import save_manifest
from host.clock import Clock
from tests.rig.broker import Broker
from tests.rig.disk import Disk
from tests.rig.van import FLEET, NotThereError
from tests.rig.vfs import the_vfs
from tests.rig.virtual_link import SimLink
from wire.manifest import Manifest
from wire.mqtt import Arrived, Connected

CLIENT_ID = f"cloud-{FLEET}"
DATABASE_FILE = "cloud.db"


class CloudNode:
    """Boots, is killed, boots again. `on_boot` sees each database before anything is done with it."""

    def __init__(
        self,
        folder: Path,
        *,
        disk: Disk,
        dice: random.Random,
        clock: Clock,
        broker: Broker,
        vans: Sequence[str],
        on_boot: Callable[[Database], None],
        on_cut: Callable[["CloudNode"], None],
        on_broken: Callable[["CloudNode", BaseException], None],
        on_publish: Callable[[str, bytes], None],
        note: Callable[[str], None],
    ) -> None:
        self.name = CLIENT_ID
        self.folder, self.disk = folder, disk
        self.link: SimLink | None = None
        self.database: Database | None = None
        self.boots = 0
        self._dice, self._clock, self._broker, self._vans = dice, clock, broker, tuple(vans)
        self._on_boot, self._on_cut, self._on_publish, self._note = on_boot, on_cut, on_publish, note
        self._on_broken = on_broken
        self._publisher: Publisher | None = None
        self._life: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        return self._life is not None

    def boot(self) -> None:
        the_vfs().mount(self.folder, self.disk)
        self.disk.on_cut = self._lose_power
        self.boots += 1
        self._life = asyncio.create_task(self._live(self.disk))
        self._life.add_done_callback(self._ended)

    def _lose_power(self) -> None:
        asyncio.get_running_loop().call_soon(self._on_cut, self)  # not from within SQLite

    def _ended(self, life: asyncio.Task[None]) -> None:
        error = None if life.cancelled() else life.exception()
        if life is self._life and error is not None:
            self._on_broken(self, error)

    def kill(self, *, has_power: bool) -> None:
        if self._life is None:
            return
        self.disk = self.disk.after_kill() if has_power else self.disk.after_power_cut()
        if self.link is not None:
            self.link.killed(has_power=has_power)
        self._life.cancel()
        self._life = self.link = self.database = self._publisher = None

    async def stop(self) -> None:
        life, self._life = self._life, None
        if life is not None:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)

    async def hand_out(self, manifest: Manifest) -> None:
        """As the dispatcher asks. Raises NotThereError when it may not have been saved."""
        database, disk = self.database, self.disk
        if database is None:
            raise NotThereError
        now = self._clock.now()
        try:
            await database.write(lambda connection: save_manifest(connection, manifest, now))
        except StoreError as error:
            raise NotThereError from error
        if disk.is_dead:
            raise NotThereError
        if self._publisher is not None:
            self._publisher.wake()

    async def _live(self, disk: Disk) -> None:
        try:
            database = open_database(self.folder / DATABASE_FILE)
        except StoreError:
            if disk.is_dead:
                await asyncio.Event().wait()  # until whoever cut the power has seen it
            raise
        try:
            self._on_boot(database)
            await self._work(database)
        finally:
            database.close()

    async def _work(self, database: Database) -> None:
        link = SimLink(
            self._broker,
            self._dice,
            lambda disk=self.disk: disk.is_dead,  # type: ignore[misc]
            client_id=CLIENT_ID,
            subscriptions=subscriptions(FLEET),
            clean_start=False,
            on_publish=self._on_publish,
            note=self._note,
        )
        publisher = Publisher(
            link=link, database=database, clock=self._clock, today=self._today, fleet=FLEET, vans=self._vans
        )
        ingest = Ingest(
            fleet=FLEET,
            database=database,
            clock=self._clock,
            publish=lambda topic, payload, qos: link.publish(topic, payload, qos=qos),
            on_applied=lambda _changes: None,
        )
        self.link, self.database, self._publisher = link, database, publisher

        async def listen() -> None:
            async for event in link.events():
                match event:
                    case Arrived():
                        ingest.take(event)
                    case Connected():
                        publisher.connected()

        link.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                for work in (listen(), ingest.run(), publisher.run()):
                    tasks.create_task(work)
        finally:
            with contextlib.suppress(Exception):
                await link.close()

    def _today(self) -> date:
        return self._clock.now().date()
