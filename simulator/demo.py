"""One run from the first process to the verdict."""

import asyncio
import json
import time as system_time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from host.clock import Clock
from roads.network import RoadNetwork
from roads.pack import open_pack
from simulator import fleet, ground, stage, verdict
from simulator.dispatcher import Dispatcher
from simulator.driver import Driver, Hooks
from simulator.faults import Faults
from simulator.morning import hand_out
from simulator.ordersfile import OrdersFile
from simulator.report import Report
from simulator.roadtrip import OpenRoads
from simulator.scenario import LinkCut, Scenario
from simulator.world import StagedWorld
from wire.geo import Place

SETTLE_S = 60.0
"""How long nothing more may reach the coordinator after the last driver is home, in real seconds."""


@dataclass(frozen=True)
class Wish:
    """What was asked for on the command line."""

    scenario_name: str
    scenario: Scenario
    seed: int
    map_file: Path | None = None
    centre: Place | None = None
    """Where the made-up town is put; None: at home."""
    orders_file: Path | None = None
    is_plain: bool = False
    """The console without TLS, for a browser that shall not be asked to trust the run's own authority."""
    first_port: int | None = None
    """The console's port, the cab pages follow; None takes any that are free."""


@dataclass
class Day:
    """What is noted while a run goes on."""

    begun: dict[str, datetime]
    ended: dict[str, datetime]


async def run(
    wish: Wish, say: Callable[[str], None], on_ready: Callable[[stage.Stage], None], *, stays_open: bool
) -> Report:
    """Drives the scenario to its end and compares. With `stays_open` the pages stay up until the task is cancelled."""
    if wish.first_port is not None:
        stage.require_free(wish.first_port, wish.scenario.vans)
    started = system_time.monotonic()
    here = ground.extract(wish.map_file, say) if wish.map_file else ground.town(wish.centre)
    scenario = _possible(wish.scenario, here, say)
    orders = _orders(wish, here)
    say(f"map pack of {here.name}")
    pack_dir = await asyncio.to_thread(stage.map_pack, here.pbf, here.name, lambda step: say(f"  {step}"))
    set_up = stage.stage(
        stage.run_folder(datetime.now(UTC)),
        pack_dir=pack_dir,
        depot=here.depot,
        timezone=here.timezone,
        starts_at=datetime.combine(orders.day, scenario.starts, ZoneInfo(here.timezone)),
        rate=scenario.rate,
        vans=scenario.vans,
        first_port=wish.first_port,
        is_plain=wish.is_plain,
    )
    (set_up.folder / "orders.csv").write_bytes(orders.data)
    async with AsyncExitStack() as parts:
        network = await RoadNetwork.open(
            open_pack(pack_dir),
            run_dir=set_up.folder / "roads" / "run",
            work_dir=set_up.folder / "roads" / "work",
            log_dir=set_up.folder / "roads",
        )
        parts.push_async_callback(network.close)
        roads = OpenRoads(network)
        say("broker and coordinator")
        _, dispatcher = await fleet.coordinator_up(set_up, parts, scenario.coordinator_commit_ms)
        work = await hand_out(dispatcher, orders, say)
        world = StagedWorld(
            clock=Clock(set_up.clock),
            cloud_run_dir=set_up.cloud_dir / "run",
            van_run_dirs={van.name: van.data_dir / "run" for van in set_up.vans},
            links={},
            drivers={},
            dispatcher=dispatcher,
            roads=roads,
            bridges=here.bridges,
            say=lambda text: say(f"{Clock(set_up.clock).now().astimezone(ZoneInfo(here.timezone)):%H:%M}  {text}"),
        )
        faults = Faults.of(world, scenario.faults)
        day = Day({}, {})
        hooks = Hooks(on_progress=_noting(day, world, faults), on_saving=faults.on_saving)
        say(f"{len(set_up.vans)} vans")
        vans = await fleet.vans_up(set_up, parts, seed=wish.seed, roads=roads, service_s=work.service_s, hooks=hooks)
        world.links.update({van.stage.name: van.link for van in vans})
        world.drivers.update({van.stage.name: van.driver for van in vans})
        on_ready(set_up)
        async with asyncio.TaskGroup() as driving:
            for van in vans:
                if van.stage.name not in work.vans:
                    say(f"{van.stage.name} has nothing to deliver")
                    continue
                driving.create_task(van.driver.run(), name=f"driver of {van.stage.name}")
        report = await _report(
            wish, set_up, dispatcher, faults, day=day, drivers=[van.driver for van in vans], started=started
        )
        if stays_open:
            _print_end(report, say)
            await asyncio.Event().wait()
        return report


def _possible(scenario: Scenario, here: ground.Ground, say: Callable[[str], None]) -> Scenario:
    """Without the faults that this ground cannot have."""
    faults = tuple(fault for fault in scenario.faults if fault.kind != "road closed" or here.bridges)
    if len(faults) < len(scenario.faults):
        say(f"no bridge of {here.name} is known, so no road is closed")
    return scenario.model_copy(update={"faults": faults})


def _orders(wish: Wish, here: ground.Ground) -> OrdersFile:
    today = datetime.now(ZoneInfo(here.timezone)).date()
    if wish.orders_file is not None:
        return OrdersFile.read(wish.orders_file, today)
    text = here.orders_csv(
        seed=wish.seed,
        day=today,
        vans=wish.scenario.vans,
        stops_per_van=wish.scenario.stops_per_van,
        starts=wish.scenario.starts,
    )
    return OrdersFile(text.encode(), today)


def _noting(day: Day, world: StagedWorld, faults: Faults) -> Callable[[str, int, int], Awaitable[None]]:
    async def on_progress(van: str, closed: int, total: int) -> None:
        day.begun.setdefault(van, world.now())
        day.ended[van] = world.now()
        world.say(f"{van}: {closed} of {total} stops")
        await faults.on_progress(van, closed, total)

    return on_progress


async def _report(
    wish: Wish,
    set_up: stage.Stage,
    dispatcher: Dispatcher,
    faults: Faults,
    *,
    day: Day,
    drivers: Sequence[Driver],
    started: float,
) -> Report:
    notebooks = set_up.folder / "drivers"
    await verdict.settled(dispatcher, verdict.notebooks(notebooks), SETTLE_S)
    found = await verdict.judge(dispatcher, notebooks)
    cut = next((fault.van for fault in wish.scenario.faults if isinstance(fault, LinkCut)), None)
    return Report(
        scenario=wish.scenario_name,
        seed=wish.seed,
        vans=len(set_up.vans),
        stops=found.stops,
        saved_seen=found.comparison.saved_seen,
        outcomes_cloud=found.comparison.outcomes_cloud,
        proofs_seen=found.comparison.proofs_seen,
        proofs_cloud=found.comparison.proofs_cloud,
        lost=found.comparison.lost,
        doubled=found.comparison.doubled,
        blob_mismatches=found.comparison.blob_mismatches,
        offline_s=faults.offline[cut].total_seconds() if cut in faults.offline else 0.0,
        run_s_of_cut_van=(day.ended[cut] - day.begun[cut]).total_seconds() if cut in day.ended else 0.0,
        replans_offline=found.replans_offline,
        offers_accepted=sum(driver.suggestions[True] for driver in drivers),
        offers_kept=sum(driver.suggestions[False] for driver in drivers),
        faults_fired=faults.fired(),
        windows_kept=found.windows_kept,
        windows_total=found.windows_total,
        wall_s=round(system_time.monotonic() - started, 1),
        complaints=found.comparison.complaints,
    )


def _print_end(report: Report, say: Callable[[str], None]) -> None:
    say(
        f"the round is done: {report.saved_seen} times saved, {report.lost} lost, {report.doubled} doubled, "
        f"{report.windows_kept} of {report.windows_total} windows kept. The pages stay up; Ctrl-C ends."
    )


def write(report: Report, file: Path) -> None:
    file.write_text(json.dumps(report.to_json(), indent=2, ensure_ascii=False) + "\n")
