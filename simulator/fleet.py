"""Puts a run's programs on their feet: the coordinator; for each van its link, receiver, agent and driver."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from host.clock import Clock
from simulator.cab import Cab
from simulator.dispatcher import Account, Dispatcher
from simulator.driver import Driver, Hooks
from simulator.gpsd import Receiver
from simulator.keys import dispatcher_let_in, van_let_in
from simulator.link import Link
from simulator.processes import Service
from simulator.roadtrip import OpenRoads
from simulator.seenlog import SeenLog
from simulator.stage import DISPATCHER, LOOPBACK, Stage, VanStage

UP_WITHIN_S = 40.0


class NotUpError(RuntimeError):
    """A program did not come up; the text says which one and holds the end of its log."""


@dataclass(frozen=True)
class Van:
    stage: VanStage
    link: Link
    service: Service
    driver: Driver


async def coordinator_up(stage: Stage, parts: AsyncExitStack, commit_ms: int = 0) -> tuple[Service, Dispatcher]:
    """The coordinator with its broker, answering, on a disk as slow as asked. Raises NotUpError."""
    await dispatcher_let_in(stage)
    service = Service("cloud", "cloud", stage.cloud_file, stage.cloud_dir, commit_ms)
    parts.push_async_callback(service.stop)
    await service.start()
    account = None if stage.is_plain else Account(DISPATCHER, stage.password, stage.authority_file)
    dispatcher = Dispatcher(stage.console_url, account)
    parts.push_async_callback(dispatcher.close)
    await until_up(service, dispatcher.is_up)
    return service, dispatcher


async def vans_up(
    stage: Stage,
    parts: AsyncExitStack,
    *,
    seed: int,
    roads: OpenRoads,
    service_s: Mapping[str, float],
    hooks: Hooks,
) -> list[Van]:
    """All vans at once, each with habits of its own. Raises NotUpError, in a group."""
    async with asyncio.TaskGroup() as starting:
        tasks = [
            starting.create_task(
                van_up(stage, van, parts, seed=seed + number, roads=roads, service_s=service_s, hooks=hooks)
            )
            for number, van in enumerate(stage.vans)
        ]
    return [task.result() for task in tasks]


async def van_up(
    stage: Stage,
    van: VanStage,
    parts: AsyncExitStack,
    *,
    seed: int,
    roads: OpenRoads,
    service_s: Mapping[str, float],
    hooks: Hooks,
) -> Van:
    """One van, its page answering, its driver seated and not yet driving. Raises NotUpError."""
    clock = Clock(stage.clock)
    await van_let_in(stage, van)
    link = await _link(stage, van, parts)
    log = parts.enter_context(SeenLog(stage.folder / "drivers", van.name))
    cab = Cab(van.page_url)
    parts.push_async_callback(cab.close)
    driver = Driver(
        van=van.name,
        cab=cab,
        roads=roads,
        clock=clock,
        log=log,
        depot=stage.depot,
        seed=seed,
        service_s=service_s,
        hooks=hooks,
    )
    receiver = Receiver(van.gpsd_port, driver.where, clock, seed=seed, data_dir=van.data_dir)
    parts.push_async_callback(receiver.stop)
    await receiver.start()
    service = await _agent(van, parts)
    await until_up(service, cab.answers)
    return Van(van, link, service, driver)


async def van_back(stage: Stage, van: VanStage, parts: AsyncExitStack) -> None:
    """An agent of an earlier run on the disk it left, with its link and nobody in the van. Raises NotUpError."""
    await van_let_in(stage, van)
    await _link(stage, van, parts)
    service = await _agent(van, parts)
    cab = Cab(van.page_url)
    parts.push_async_callback(cab.close)
    await until_up(service, cab.answers)


async def _link(stage: Stage, van: VanStage, parts: AsyncExitStack) -> Link:
    link = Link(LOOPBACK, stage.broker_port)
    await link.open(LOOPBACK, van.link_port)
    parts.push_async_callback(link.close)
    return link


async def _agent(van: VanStage, parts: AsyncExitStack) -> Service:
    service = Service(van.name, "agent", van.settings_file, van.data_dir)
    parts.push_async_callback(service.stop)
    await service.start()
    return service


async def until_up(service: Service, is_up: Callable[[], Awaitable[bool]]) -> None:
    """Returns when it answers. Raises NotUpError after a while, or when the program ended meanwhile."""
    loop = asyncio.get_running_loop()
    give_up_at, starts = loop.time() + UP_WITHIN_S, service.starts
    while loop.time() < give_up_at and service.starts == starts:
        if await is_up():
            return
        await asyncio.sleep(0.1)
    raise NotUpError(f"{service.name} did not come up. The end of its log:\n{service.log_tail()}")
