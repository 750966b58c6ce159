"""What a van says and hears, carried by hand on a USB stick: for a place with no network at all.

The agent must be stopped: its store belongs to one process. A bundle holds the very packets of the link. Exporting
frees nothing; receipts come back by the next bundle or over the link. Importing the same bundle again changes nothing.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path

from agent.clock import VanClock
from agent.config import Settings
from agent.errors import CarryError
from agent.identity.sealkey import SealKeys
from agent.link import inbound, outbound
from agent.link.outbound import Parcel, Sender, UnsendableError
from agent.runtime import Runtime
from agent.store.chain import Sealing
from agent.store.outbox import LaneName, OutboxRow, SeqRange
from agent.store.store import Store
from agent.trip.decide import decide
from agent.trip.inputs import PlanNotFound, PlanSolved
from agent.trip.run import Run
from host.clock import Clock
from wire import topics
from wire.bundle import BundleError, read_bundle, write_bundle
from wire.envelope import MAX_CHUNK_BYTES, Receipts
from wire.events import ReplanReason
from wire.topics import Topic, Way


async def export(settings: Settings, target: Path) -> str:
    """Everything unreceipted to one file; what was done, in words. Raises StoreError, CarryError."""
    store = await Store.open(settings.data_dir)
    try:
        messages = await _outbox(store, Sender(settings.van, store.identity.boot))
        now = Clock(settings.clock).now()
        write_bundle(target, fleet=settings.fleet, van=settings.van, way=Way.UP, made_at=now, messages=messages)
    except OSError as error:
        raise CarryError(f"{target} could not be written: {error}") from error
    finally:
        await store.close()
    waiting = store.waiting
    return (
        f"{target}: {waiting.events} events, {waiting.track} breadcrumbs and {waiting.blobs} pieces of evidence; "
        "they are kept here until receipts come back"
    )


async def take(settings: Settings, source: Path) -> str:
    """Applies a bundle as if it had come over the link; what was taken, in words. Raises StoreError, CarryError."""
    try:
        _, carried = read_bundle(source, fleet=settings.fleet, way=Way.DOWN, van=settings.van)
    except BundleError as error:
        raise CarryError(str(error)) from error
    sealing = Sealing(settings.van, SealKeys(settings.data_dir).of_epoch, secrets.token_bytes)
    store = await Store.open(settings.data_dir, sealing=sealing)
    try:
        clock = VanClock(settings.clock)
        clock.begin(await store.clock_mark())
        runtime = Runtime(
            store=store,
            run=await store.load_run(),
            decide=decide,
            pending_effects=lambda _: (),
            ask_planner=_nobody_plans_here,
            clock=clock,
        )
        life = asyncio.create_task(runtime.live())
        try:
            for one in carried:
                topic = one.topic.of(settings.fleet, settings.van)
                meant = inbound.understand(topic, one.packet, fleet=settings.fleet, van=settings.van)
                match meant:
                    case Receipts():
                        await store.apply_receipts(meant, clock.age_ms())
                    case inbound.Ignored():
                        raise CarryError(f"{source}: {meant.why}")
                    case _:
                        await runtime.submit(meant)
        finally:
            life.cancel()
            await asyncio.gather(life, return_exceptions=True)
        await store.settle()
        manifest = runtime.run.manifest
    finally:
        await store.close()
    in_force = f"manifest {manifest.version} of {manifest.day} is in force" if manifest else "no manifest is in force"
    return f"{source}: {len(carried)} messages taken; {in_force}, {store.waiting.events} events still wait"


async def _outbox(store: Store, sender: Sender) -> list[tuple[Topic, bytes]]:
    messages = []
    lanes: tuple[tuple[LaneName, int, Callable[[Sender, list[OutboxRow]], Parcel]], ...] = (
        ("events", outbound.MAX_EVENTS, outbound.events_parcel),
        ("track", outbound.MAX_CRUMBS, outbound.track_parcel),
    )
    for lane, limit, parcel_of in lanes:
        taken: list[SeqRange] = []
        while rows := await store.next_unreceipted(lane, limit, taken):
            try:
                parcel = parcel_of(sender, rows)
            except UnsendableError as error:  # it stays in the outbox; what comes behind it goes on
                taken.append(SeqRange(error.row.epoch, lane, error.row.seq, error.row.seq))
                continue
            messages.append((parcel.topic, parcel.packet))
            taken = _joined(taken, SeqRange(parcel.epoch, lane, parcel.first, parcel.last))
    for blob in await store.waiting_blobs():
        for start in range(0, blob.size_bytes, MAX_CHUNK_BYTES):
            data = await store.blob_piece(blob.sha256, start, MAX_CHUNK_BYTES)
            epoch = store.identity.epoch
            total = blob.size_bytes
            packet = outbound.chunk_packet(
                sender, epoch, sha256=blob.sha256, total_bytes=total, offset_bytes=start, data=data
            )
            messages.append((topics.BLOBS, packet))
    return messages


def _joined(taken: list[SeqRange], more: SeqRange) -> list[SeqRange]:
    """The ranges with one more, which comes after them all."""
    if taken and taken[-1].epoch == more.epoch and taken[-1].last + 1 == more.first:
        return [*taken[:-1], SeqRange(more.epoch, more.lane, taken[-1].first, more.last)]
    return [*taken, more]


async def _nobody_plans_here(_run: Run, _reason: ReplanReason) -> PlanSolved | PlanNotFound:
    """The agent asks again when it starts: what was asked for is kept in the run."""
    asked: asyncio.Future[PlanSolved] = asyncio.get_running_loop().create_future()
    return await asked
