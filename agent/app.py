"""Builds the van's parts, hands each what it needs of the others, and ends them in order. Nothing is decided here."""

import asyncio
import logging
import secrets
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from agent.clock import VanClock
from agent.config import Settings
from agent.courier import Courier
from agent.errors import EnrolmentError, StoreError, StoreErrorKind
from agent.gps.gpsd import GpsdReceiver
from agent.gps.gpsd_py3 import GpsdPy3Receiver
from agent.gps.observer import Observer
from agent.identity.badge import Badge
from agent.identity.renewal import keep_renewed
from agent.identity.sealkey import SealKeys
from agent.identity.tls import Credentials, MachineTime
from agent.link.live import live
from agent.localroute.worker import Solver
from agent.planner import Planner
from agent.pod.labels import Spotted
from agent.runtime import Runtime
from agent.runtime.receiver import listen
from agent.runtime.saving import Saving
from agent.screen.messages import NotSaved, Saved
from agent.screen.offer import OfferRoute
from agent.screen.pages import Pages
from agent.screen.picture import Picture
from agent.screen.route import RouteAhead, Way
from agent.screen.server import CabServer
from agent.screen.taps import TapEntry, refused
from agent.screen.view import Disk, ManoeuvreView, MapView
from agent.spotting import spotted
from agent.store.blobs import NewBlob
from agent.store.chain import Sealing
from agent.store.inputs import TapMade
from agent.store.mount import worry
from agent.store.store import Store
from agent.trip.decide import decide
from agent.trip.eta import etas
from agent.trip.found import wants_spotting
from agent.trip.inputs import Alarmed, FixJudged, KeyReady, PlanNotFound, PlanSolved, TimeFound
from agent.trip.plans import pending_effects
from agent.trip.run import Run
from agent.trip.telling import told_anew
from host.child import ChildError, pid_path, write_pid_file
from host.loopback import claim_port
from roads import swap
from roads.errors import PackDamagedError, PackError, RoadsError
from roads.network import RoadNetwork
from roads.pack import MapPack, open_pack
from roads.tiles import Tiles
from wire.events import Alarm, Eta, KeyAnnounced, Live, ReplanReason
from wire.geo import Place
from wire.model import StopId
from wire.pin import is_right
from wire.seal import to_vouch
from wire.track import Breadcrumb

log = logging.getLogger(__name__)

HOUR_S = 3600.0
MINUTE_S = 60.0
PACK_LOOK_S = 30.0
BALLAST_BYTES = 14_000_000
"""8.5 MB to work in while the disk is full (`room.WORK_BYTES`) and 5.5 for some 50 photos with their sealed records."""
SWITCH_INTERVAL_S = 0.001
"""Between the threads of this process: a tap crosses from one to another and back while a plan is made on a third."""
_DISK = {Saving.WELL: Disk.WELL, Saving.SLOW: Disk.SLOW, Saving.FAILING: Disk.FAILING}


class App:
    """One van's agent. `run` works until `stopped` is set."""

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        """`say` gets one line a fact, for the person who started us."""
        self._settings = settings
        self._say = say
        self._clock = VanClock(settings.clock)
        self._network: asyncio.Task[RoadNetwork] | None = None
        self._feared: str | None = None
        """Of the file system under our data."""
        self._machine_time = MachineTime(is_simulated=settings.clock.origin is not None)
        self._seal_keys = SealKeys(settings.data_dir)
        self._sealing = Sealing(settings.van, self._seal_keys.of_epoch, secrets.token_bytes)
        self._credentials = Credentials(Badge(settings.data_dir), self._machine_time) if settings.broker.tls else None

    async def run(self, stopped: asyncio.Event) -> None:
        """Raises, before anything is started: PortTakenError, LoopbackOnlyError, StoreError."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        settings = self._settings
        async with AsyncExitStack() as closing:
            listening = claim_port(settings.screen.host, settings.screen.port, "the cab page")
            closing.callback(listening.close)
            store = await Store.open(settings.data_dir, ballast_bytes=BALLAST_BYTES, sealing=self._sealing)
            closing.push_async_callback(store.close)
            self._feared = await asyncio.to_thread(worry, settings.data_dir)
            self._clock.begin(await store.clock_mark())
            run = await store.load_run()
            self._note_our_pid(closing)
            pack = await asyncio.to_thread(self._open_pack)
            # In the background: a road engine that is slow to start must not keep the driver from tapping.
            self._network = asyncio.create_task(self._open_network(pack))
            closing.push_async_callback(self._close_network)
            solver = Solver(on_started=self._write_solver_pid)
            closing.push_async_callback(solver.close)
            closing.callback(pid_path(settings.run_dir, "solver").unlink, missing_ok=True)
            warming = asyncio.create_task(self._warm_up(solver))
            closing.callback(warming.cancel)
            solver.warm()
            runtime = Runtime(
                store=store,
                run=run,
                decide=decide,
                pending_effects=pending_effects,
                ask_planner=lambda asked, reason: self._plan(solver, asked, reason, runtime.tell),
                clock=self._clock,
            )
            await self._live(runtime, store, pack, listening, stopped)

    async def _live(
        self, runtime: Runtime, store: Store, pack: MapPack | None, listening: socket.socket, stopped: asyncio.Event
    ) -> None:
        courier = self._courier(store, runtime)
        runtime.saved.then(courier.nudge)
        runtime.live_wanted.then(courier.send_live)
        route = RouteAhead(self._find_way)
        server = self._server(store, runtime, pack, route)
        self._warn(runtime, store)
        gpsd = self._settings.gpsd
        receiver = (GpsdPy3Receiver if gpsd.source == "gpsd-py3" else GpsdReceiver)(gpsd.host, gpsd.port)
        working = [
            asyncio.create_task(work)
            for work in (
                runtime.live(),
                courier.run(),
                listen(receiver, Observer(rate=self._clock.rate), self._hear(runtime), lambda: route.line),
                self._date_what_was_said(runtime, store.identity.boot),
                self._keep_roads_closed(runtime),
                self._keep_pack_fresh(),
                self._end_when_damaged(store),
                self._say_when_copied(runtime, store),
                self._announce_key(runtime, store),
                self._forget_what_is_old(store),
                *([keep_renewed(self._credentials, self._settings.van)] if self._credentials else []),
            )
        ]
        stopping = asyncio.create_task(stopped.wait())
        try:
            await server.start(listening)
            self._say_what_runs(listening, store, pack)
            done, _ = await asyncio.wait({stopping, *working}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # a part that broke ends us loudly; whoever started us starts us again
        finally:
            await server.close()  # no more taps first, then what serves them
            for task in (stopping, *reversed(working)):
                task.cancel()
            await asyncio.gather(stopping, *working, return_exceptions=True)

    # What one part wants of another ---------------------------------------------------------------------------------

    def _courier(self, store: Store, runtime: Runtime) -> Courier:
        settings, credentials = self._settings, self._credentials

        told: dict[StopId, Eta] = {}

        def newest() -> Live:
            nonlocal told
            now = self._clock.now()
            told = told_anew(told, etas(runtime.run, now), runtime.run)
            picture = live(settings.van, runtime.run, told, now)
            # No event of the day but how this unit was set up: said as long as it is so.
            return picture.model_copy(update={"alarms": (*picture.alarms, *_standing(self._feared))})

        def receipted() -> None:
            runtime.changed.ring()
            if credentials is not None:
                credentials.answered()

        return Courier(
            address=(settings.broker.host, settings.broker.port),
            fleet=settings.fleet,
            van=settings.van,
            store=store,
            submit=runtime.submit,
            live=newest,
            receipted=receipted,
            clock=self._clock,
            is_online=runtime.run.is_online,
            secure=credentials.secure if credentials else None,
        )

    def _server(self, store: Store, runtime: Runtime, pack: MapPack | None, route: RouteAhead) -> CabServer:
        first_revision = round(time.time() * 1000)
        picture = Picture(
            van=self._settings.van,
            clock=self._clock,
            run=lambda: runtime.run,
            changes=lambda: runtime.changed.count,
            waiting=lambda: (store.waiting.events + store.waiting.blobs, self._since_ms(store.waiting.oldest_said_ms)),
            route=route,
            offer_route=OfferRoute(self._find_way),
            first_revision=first_revision,
            disk=lambda: _DISK[runtime.saving],
        )

        async def take_tap(entry: TapEntry) -> Saved | NotSaved:
            image = entry.image
            answer = await runtime.submit(
                entry.entered,
                tap=TapMade(entry.tap_id, entry.request_hash),
                blob=NewBlob(image.sha256, image.kind, image.media_type, image.data) if image else None,
            )
            if answer.refusal is not None:
                return refused(answer.refusal)
            return Saved(saved_at=answer.saved_at, tap_id=entry.tap_id, sha256=answer.sha256)

        async def find_evidence(sha256: str) -> tuple[str, bytes] | None:
            blob = await store.find_blob(sha256)
            return None if blob is None else (blob.media_type, blob.data)

        async def check_pin(stop_id: str, pin: str) -> bool:
            stop = runtime.run.find(stop_id)
            pin_hash = stop.stop.handover.pin_hash if stop is not None else ""
            return bool(pin_hash) and await asyncio.to_thread(is_right, pin_hash, pin)

        async def spot(code: str) -> Spotted | None:
            label, manifest = wants_spotting(runtime.run, code), runtime.run.manifest
            if label is None or manifest is None or pack is None or pack.places_path is None:
                return None
            near = runtime.run.position.place if runtime.run.position else manifest.start.place
            try:
                return await asyncio.to_thread(spotted, pack.places_path, label, near)
            except PackError as error:
                log.error("the address of a label could not be looked for: %s", error)
                return None

        async def changed(revision: int) -> int:
            return first_revision + await runtime.changed.after(revision - first_revision)

        return CabServer(
            picture=picture,
            pages=self._pages(pack),
            take_tap=take_tap,
            find_evidence=find_evidence,
            changed=changed,
            check_pin=check_pin,
            spot=spot,
        )

    async def _plan(
        self, solver: Solver, run: Run, reason: ReplanReason, tell: Callable[[PlanSolved], None]
    ) -> PlanSolved | PlanNotFound:
        planner = Planner(
            await self._roads(),
            solver,
            self._clock,
            self._settings.planner.limit_s,
            electric=self._settings.energy,
        )
        sketch = await planner.sketch(run, reason)
        if sketch is not None:
            tell(sketch)
        await planner.close_roads(run, self._clock.now())
        return await planner.plan(run, reason, tell)

    async def _find_way(self, places: Sequence[Place]) -> Way:
        route = await (await self._roads()).route(places)
        return Way(
            line=route.line,
            legs_begin=route.leg_starts,
            manoeuvres=tuple(
                ManoeuvreView(
                    type=turn.type,
                    modifier=turn.modifier,
                    street=turn.street,
                    ref=turn.ref,
                    destinations=turn.destinations,
                    exit=turn.exit,
                    roundabout=turn.roundabout,
                    keeps=turn.keeps,
                    lat_deg=turn.place.lat_deg,
                    lon_deg=turn.place.lon_deg,
                    distance_m=turn.distance_m,
                )
                for turn in route.manoeuvres
                if turn.leg == 0
            ),
            times=route.source,
        )

    def _hear(self, runtime: Runtime) -> Callable[..., None]:
        def tell(entered: FixJudged, *, crumb: Breadcrumb | None) -> None:
            if crumb is not None and entered.position is not None:  # a believed fix, at most one a second
                self._clock.heard_gps(entered.position.fixed_at)
            runtime.tell(entered, crumb=crumb)

        return tell

    async def _date_what_was_said(self, runtime: Runtime, boot: int) -> None:
        """Once the time is known, what was said without it gets its date."""
        while True:
            self._machine_time.note(self._clock.read().at)
            anchor = self._clock.take_anchor()
            if anchor is not None:
                runtime.tell(
                    TimeFound(
                        boot=boot,
                        mono_ms=anchor.mono_ms,
                        wall_ms=anchor.wall_ms,
                        err_ms=anchor.err_ms,
                        source=anchor.source,
                    )
                )
            await asyncio.sleep(1.0)

    def _since_ms(self, age_ms: int | None) -> int | None:
        """The time (Unix ms) at which the age was that."""
        now_ms = round(self._clock.now().timestamp() * 1000)
        return None if age_ms is None else now_ms - max(0, self._clock.age_ms() - age_ms)

    # Roads ----------------------------------------------------------------------------------------------------------

    def _open_pack(self) -> MapPack | None:
        """A pack that cannot be used costs exact times and the map's picture, never the round."""
        folder = self._settings.roads.pack_dir
        if folder is None:
            return None
        swap.recover(folder)
        try:
            return open_pack(folder)
        except PackError as error:
            log.error("%s", error)
        try:
            before = open_pack(swap.previous(folder))
        except PackError:
            log.error("Until then times are straight-line estimates.")
            return None
        log.error("Until then the map pack before it, of %s, is used.", f"{before.made_at:%Y-%m-%d}")
        return before

    async def _open_network(self, pack: MapPack | None) -> RoadNetwork:
        data_dir, run_dir = self._settings.data_dir, self._settings.run_dir
        places = {"run_dir": run_dir, "work_dir": data_dir / "roads", "log_dir": data_dir / "log"}
        try:
            network = await RoadNetwork.open(pack, **places)
        except (RoadsError, ChildError, OSError) as error:
            log.error("times are straight-line estimates: %s", error)
            return await RoadNetwork.open(None, **places)
        if network.problem and pack is not None:
            log.error("times are straight-line estimates: %s", network.problem)
        return network

    async def _keep_pack_fresh(self) -> None:
        """A new pack that is laid beside ours takes its place when it is whole and answers; else it is set aside."""
        folder = self._settings.roads.pack_dir
        network = await self._roads()
        while folder is not None:
            if await asyncio.to_thread(swap.has_incoming, folder):
                await self._take_pack(network, folder)
            await asyncio.sleep(PACK_LOOK_S)
        await asyncio.Event().wait()  # without a folder there is nothing to look at

    async def _take_pack(self, network: RoadNetwork, folder: Path) -> None:
        try:
            new = await asyncio.to_thread(open_pack, swap.incoming(folder))
            why = await network.swap(new, folder, lambda: swap.put_in_place(folder), self._clock.now())
            if why:
                await asyncio.to_thread(swap.set_aside, folder)
        except (PackError, OSError) as error:
            why = str(error)
            with suppress(OSError):
                await asyncio.to_thread(swap.set_aside, folder)
        if why:
            log.error("the new map pack is not used, the one before stays: %s", why)
        else:
            log.info("the roads are those of the new map pack; its picture of the map comes with the next start")

    async def _roads(self) -> RoadNetwork:
        assert self._network is not None
        return await asyncio.shield(self._network)

    async def _close_network(self) -> None:
        assert self._network is not None
        if not self._network.done():
            self._network.cancel()
        (network,) = await asyncio.gather(self._network, return_exceptions=True)
        if isinstance(network, RoadNetwork):
            await network.close()

    async def _keep_roads_closed(self, runtime: Runtime) -> None:
        """Closures begin, end, and are known again after a restart; the same ones again cost nothing."""
        network = await self._roads()
        said = ""
        while True:
            report = await network.set_closures(runtime.run.closures, self._clock.now(), runtime.run.speeds)
            if report.problem and report.problem != said:
                log.warning("%s", report.problem)
            said = report.problem
            await asyncio.sleep(self._clock.real_s(MINUTE_S))

    # Little things ----------------------------------------------------------------------------------------------------

    def _pages(self, pack: MapPack | None) -> Pages:
        tiles = Tiles(pack.tiles_path) if pack is not None and pack.tiles_path is not None else None
        base_map = MapView(
            has_tiles=tiles is not None,
            name=pack.name if pack else "",
            bounds=pack.bounds if pack else None,
            max_zoom=tiles.max_zoom if tiles else 0,
        )

        def find_tile(z: int, x: int, y: int) -> bytes | None:
            try:
                return tiles.tile(z, x, y) if tiles is not None else None
            except PackDamagedError as error:
                log.error("%s", error)
                return None

        return Pages(self._settings.screen.pages_dir, base_map, find_tile)

    async def _forget_what_is_old(self, store: Store) -> None:
        while True:
            await asyncio.sleep(max(1.0, self._clock.real_s(HOUR_S)))
            try:
                await store.purge(self._clock.age_ms())
            except StoreError as error:
                log.error("what is old could not be forgotten: %s", error)

    async def _say_when_copied(self, runtime: Runtime, store: Store) -> None:
        """A store that learns of its own past only from the coordinator (`store/copied.py`)."""
        epoch = store.identity.epoch
        while True:
            await runtime.changed.after(runtime.changed.count)
            if store.identity.epoch != epoch:
                epoch = store.identity.epoch
                detail = f"the coordinator knows more of our earlier epoch than we do; it goes on as {epoch}"
                runtime.tell(Alarmed(alarm=Alarm.STORE_RESTORED, detail=detail))

    async def _announce_key(self, runtime: Runtime, store: Store) -> None:
        """Whenever the epoch or our certificate became another, and until it is on the disk: what is signed by a key
        that nobody announced proves nothing. What was said already changes nothing.
        """
        told = ""
        while True:
            epoch = store.identity.epoch
            try:
                announced = await asyncio.to_thread(self._key_of, epoch)
            except OSError as error:
                log.error("the key that seals what is said cannot be used: %s", error)
            else:
                if (now_told := f"{epoch} {announced.public_key} {announced.certificate_pem}") != told:
                    try:
                        await runtime.submit(KeyReady(epoch=epoch, announced=announced))
                        told = now_told
                    except StoreError as error:
                        log.error("the key that seals what is said could not be announced yet: %s", error)
            await asyncio.sleep(MINUTE_S)

    def _key_of(self, epoch: str) -> KeyAnnounced:
        key = self._seal_keys.of_epoch(epoch).public_key
        if self._credentials is None:
            return KeyAnnounced(public_key=key)
        try:
            own_pem, vouched = self._credentials.badge.vouch(to_vouch(self._settings.van, epoch, key))
        except EnrolmentError:
            return KeyAnnounced(public_key=key)
        return KeyAnnounced(public_key=key, certificate_pem=own_pem, vouched=vouched)

    async def _end_when_damaged(self, store: Store) -> None:
        """A damaged database is no place to write to. Whoever started us starts us again, and the start salvages it."""
        await store.damaged.wait()
        raise StoreError(
            StoreErrorKind.CORRUPT, f"{self._settings.data_dir}: the database is damaged; the next start salvages it"
        )

    def _warn(self, runtime: Runtime, store: Store) -> None:
        if store.identity.was_restored:
            detail = f"start {store.identity.boot}; it goes on as epoch {store.identity.epoch}"
            runtime.tell(Alarmed(alarm=Alarm.STORE_RESTORED, detail=detail))

    async def _warm_up(self, solver: Solver) -> None:
        """Loading the engine takes longer than the first plan may."""
        try:
            await solver.start()
        except OSError as error:
            log.error("orders are repaired and not searched: %s", error)

    def _note_our_pid(self, closing: AsyncExitStack) -> None:
        try:
            pid_file = write_pid_file(self._settings.run_dir, "agent")
        except OSError as error:  # a full disk must not keep the van from starting
            log.error("our process id could not be written: %s", error)
        else:
            closing.callback(pid_file.unlink, missing_ok=True)

    def _how_secured(self) -> str:
        if self._credentials is None:
            return "without TLS"
        try:
            return f"certificate good until {self._credentials.badge.held().own.ends_at:%Y-%m-%d}"
        except EnrolmentError as error:
            return str(error)

    def _write_solver_pid(self, pid: int) -> None:
        try:
            pid_path(self._settings.run_dir, "solver").write_text(f"{pid}\n")
        except OSError as error:  # a full disk; the worker ends with us even when nobody can look up its number
            log.error("the solver's process id could not be written: %s", error)

    def _say_what_runs(self, listening: socket.socket, store: Store, pack: MapPack | None) -> None:
        host, port = listening.getsockname()[:2]
        waiting, settings = store.waiting, self._settings
        facts = [
            f"cab page on http://{f'[{host}]' if ':' in host else host}:{port}",
            f"data in {settings.data_dir}, start number {store.identity.boot}, "
            f"{waiting.events + waiting.blobs} things waiting for the coordinator",
            f"gpsd at {settings.gpsd.host}:{settings.gpsd.port}",
            f"broker at {settings.broker.host}:{settings.broker.port}, {self._how_secured()}",
            f"map pack {pack.name}" if pack else "no map pack: times are straight-line estimates",
        ]
        if store.identity.was_restored:
            facts.append("this store was restored from an older copy: it goes on under a new epoch")
        if self._feared is not None:
            facts.append(self._feared)
        for fact in facts:
            self._say(f"{settings.van}: {fact}")


def _standing(feared: str | None) -> tuple[Alarm, ...]:
    return (Alarm.UNSAFE_DISK,) if feared is not None else ()
