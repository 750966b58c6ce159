"""Builds the coordinator's parts, hands each what it needs of the others, and ends them in order. Decides nothing."""

import asyncio
import gc
import logging
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from cloud.api.found import FoundStops
from cloud.api.parts import Parts
from cloud.api.server import make_app, serve
from cloud.api.transferring import Transferring
from cloud.broker import PrivateBroker
from cloud.config import CloudSettings
from cloud.dispatch.van import day_of
from cloud.doors import Doors, open_doors
from cloud.errors import ConfigError, StoreError
from cloud.feeds.poll import Poller
from cloud.fleet.picture import Picture, VanFacts
from cloud.identity.certificates import COORDINATOR
from cloud.identity.desk import machine_now
from cloud.identity.sealing import open_seal
from cloud.identity.seals import SealChecks
from cloud.ingest.ingest import Ingest, subscriptions
from cloud.live import LiveFleet
from cloud.proofwatch import ProofDesk, ProofWatch
from cloud.publisher import Publisher
from cloud.store.database import Database, open_database
from cloud.store.drawn import CLOSURES, SPEEDS, standing
from cloud.store.records import Changes
from cloud.transferwatch import TransferWatch
from host.child import write_pid_file
from host.clock import Clock
from host.folder import claim_folder
from host.loopback import claim_port
from roads.errors import PackError
from roads.network import RoadNetwork
from roads.pack import MapPack, open_pack
from roads.tiles import Tiles
from wire.manifest import Closure, SpeedChange
from wire.mqtt import Arrived, Connected, Disconnected, MqttLink

DATABASE_FILE = "cloud.db"
CLOSURES_EVERY_S = 2.0
OBJECTS_BEFORE_A_LOOK = 50_000
"""... for what refers to itself and is of no use any more; a group of 1,200 records makes 10,000."""
YOUNG_LOOKS, OLD_LOOKS = 10, 1_000
"""So many looks at what is new before one at what is older, and of those before one at everything: with 16,000 stops in
the picture that one takes half a second, in which nobody gets a receipt."""

log = logging.getLogger(__name__)

type Say = Callable[[str], None]


async def run(settings: CloudSettings, stopped: asyncio.Event, say: Say) -> None:
    """Works until `stopped` is set; `say` gets one line a fact, for the person who started us.

    Raises, before the vans are listened to: ConfigError, StoreError, BrokerError, PortTakenError, FolderError; and
    OSError when the disk is full.
    """
    clock = Clock(settings.clock)

    def today() -> date:
        return day_of(clock.now(), settings.zone, settings.vans)

    async with AsyncExitStack() as closing:
        http = settings.http
        sock = claim_port(http.host, http.port, "the console", is_secured=http.tls)
        closing.callback(sock.close)
        # Before anything of it is touched: a second coordinator would end the broker of the first, and write beside it.
        closing.callback(claim_folder(settings.data_dir, "the coordinator").close)
        doors = await open_doors(settings) if settings.broker.tls or http.tls else None
        if doors is not None:
            closing.callback(doors.desk.close)
        database = open_database(settings.data_dir / DATABASE_FILE)
        closing.callback(database.close)
        pid_file = write_pid_file(settings.run_dir, "cloud")
        closing.callback(partial(pid_file.unlink, missing_ok=True))
        say(f"store: {settings.data_dir / DATABASE_FILE}")
        broker = settings.broker
        lock = doors if broker.tls else None
        private = None
        if broker.is_private:
            private = PrivateBroker(
                host=broker.host,
                port=broker.port,
                data_dir=settings.data_dir,
                tls=lock.broker_tls if lock else None,
            )
            closing.push_async_callback(private.stop)
            await private.start()
        lock_word = "with a certificate for each van" if broker.tls else "open to this machine, without TLS"
        say(f"broker: {'private, on' if broker.is_private else 'at'} {broker.host}:{broker.port}, {lock_word}")
        network, tiles = await _open_roads(settings, closing, say)

        link = MqttLink(
            host=broker.host,
            port=broker.port,
            client_id=COORDINATOR if lock else f"cloud-{settings.fleet}",
            subscriptions=subscriptions(settings.fleet),
            clean_start=False,  # what the vans send while we restart waits at the broker
            receive_maximum=100,  # a group that waits for one sync should be a large one
            secure=lock.link if lock else None,
        )
        publisher = Publisher(
            link=link,
            database=database,
            clock=clock,
            today=today,
            fleet=settings.fleet,
            vans=[van.name for van in settings.vans],
        )
        picture = Picture(
            [VanFacts(name=van.name, driver=van.driver) for van in settings.vans],
            settings.depot,
            settings.timezone,
            clock.rate,
        )
        live = LiveFleet(picture, database, clock, today, publisher.came_online)
        await live.start()
        authority_file = settings.data_dir / "authority" / "authority.pem"
        proofs = ProofDesk(
            fleet=settings.fleet,
            timezone=settings.timezone,
            checks=SealChecks(),
            stater=await asyncio.to_thread(open_seal, settings.data_dir, settings.fleet, machine_now()),
            authority_pem=authority_file.read_text() if authority_file.exists() else "",
        )
        watch = ProofWatch(proofs, database, clock.now, live.note)
        transfers = TransferWatch()

        def applied(changes: Changes) -> None:
            live.note(changes)
            watch.note(changes)
            found.note(changes)
            transfers.note(changes)

        ingest = Ingest(
            fleet=settings.fleet,
            database=database,
            clock=clock,
            publish=lambda topic, payload, qos: link.publish(topic, payload, qos=qos),
            on_applied=applied,
        )
        parts = Parts(
            depot=settings.depot,
            zone=settings.zone,
            vans=settings.vans,
            clock=clock,
            database=database,
            live=live,
            proofs=proofs,
            outlet=publisher,
            is_broker_up=lambda: link.is_up,
            pages_dir=settings.http.pages_dir,
            network=network,
            tiles=tiles,
            desk=doors.desk if doors else None,
            is_secured=http.tls,
            hosts=frozenset(http.certificate_names),
        )
        transferring = Transferring(parts)

        found = FoundStops(parts, today)

        async def conditions_changed() -> None:
            publisher.wake()
            await live.closures_changed()

        place = settings.depot.place
        feeds = [
            Poller(feed, depot=place, database=database, now=clock.now, changed=conditions_changed)
            for feed in settings.feeds
        ]
        closing.push_async_callback(link.close)
        link.start()
        runner = await serve(make_app(parts), sock, doors.console() if doors and http.tls else None)
        closing.push_async_callback(runner.cleanup)
        await _say_console(settings, doors, say)
        say(f"fleet {settings.fleet}: {len(settings.vans)} vans, day {today().isoformat()}")
        _spare_the_collector()
        await _until(
            stopped,
            _listen(link, publisher, ingest),
            ingest.run(),
            publisher.run(),
            live.run(),
            watch.run(),
            found.run(),
            transfers.run(transferring.settle, transferring.unfinished),
            _keep_closed(network, database, clock),
            *(feed.run() for feed in feeds),
            *([doors.tend(private if lock else None, live.endings_are)] if doors else []),
        )
        say("stopping")


async def _say_console(settings: CloudSettings, doors: Doors | None, say: Say) -> None:
    http = settings.http
    address = f"{'https' if http.tls else 'http'}://{http.host}:{http.port}"
    say(f"console: {address}/")
    if doors is not None and http.tls:
        say(f"console: browsers trust it once they know {settings.data_dir / 'authority' / 'authority.pem'}")
        token = await doors.desk.first_setup()
        if token is not None:
            say(f"console: the first administrator is made at {address}/setup with this one-time token: {token}")


def _spare_the_collector() -> None:
    """What was made by now stays to the end: looking through it again and again for what could go costs a tenth of all
    the time when a fleet comes back. So does looking at each group of records while it is at work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_BEFORE_A_LOOK, YOUNG_LOOKS, OLD_LOOKS)


async def _until(stopped: asyncio.Event, *works: Coroutine[Any, Any, None]) -> None:
    """Runs all of them until asked to stop. One that fails ends all: a coordinator that is half alive is worse."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        await stopped.wait()
        for task in tasks:
            task.cancel()


async def _listen(link: MqttLink, publisher: Publisher, ingest: Ingest) -> None:
    async for event in link.events():
        match event:
            case Arrived():
                ingest.take(event)
            case Connected():
                publisher.connected()
            case Disconnected():
                pass  # the link has said so, and connects again by itself


async def _open_roads(settings: CloudSettings, closing: AsyncExitStack, say: Say) -> tuple[RoadNetwork, Tiles | None]:
    pack = None if settings.roads.pack_dir is None else await asyncio.to_thread(_open_pack, settings.roads.pack_dir)
    network = await RoadNetwork.open(
        pack,
        run_dir=settings.run_dir,
        work_dir=settings.data_dir / "roads",
        log_dir=settings.data_dir / "log",
    )
    closing.push_async_callback(network.close)
    tiles = None
    if pack is not None and pack.tiles_path is not None:
        tiles = Tiles(pack.tiles_path)
        closing.callback(tiles.close)
    if pack is None:
        say("roads: no map pack, routes are straight lines")
    else:
        say(f"roads: {pack.name}" + (f", estimates for now: {network.problem}" if network.problem else ""))
    return network, tiles


def _open_pack(pack_dir: Path) -> MapPack:
    try:
        return open_pack(pack_dir)
    except PackError as error:
        raise ConfigError(str(error)) from error


async def _keep_closed(network: RoadNetwork, database: Database, clock: Clock) -> None:
    """Routes on the console keep off closed roads too; a closure begins and ends with time."""
    told = ""
    while network.pack is not None:
        try:
            now = clock.now()
            shut, slow = await database.read(partial(_standing, now=now))
            problem = (await network.set_closures(shut, now, slow)).problem
        except StoreError as error:
            problem = str(error)
        if problem and problem != told:
            log.warning("routes may lead over closed roads: %s", problem)
        told = problem
        await asyncio.sleep(CLOSURES_EVERY_S)


def _standing(conn: Connection, now: datetime) -> tuple[tuple[Closure, ...], tuple[SpeedChange, ...]]:
    return standing(conn, CLOSURES, now), standing(conn, SPEEDS, now)
