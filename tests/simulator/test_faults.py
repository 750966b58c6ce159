from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from simulator.faults import Faults
from simulator.scenario import CoordinatorKilled, LinkCut, Process, ProcessKilled, RoadClosed, StopRefused, VanKilled
from wire.events import FailReason


class ToyWorld:
    """Writes down which switch was pulled; `time` is moved by the test."""

    def __init__(self) -> None:
        self.pulled: list[str] = []
        self.watching: list[Callable[[], None]] = []
        self.down: set[Process] = set()
        self.time = datetime(2026, 11, 23, 8, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def cut_link(self, van: str) -> None:
        self.pulled.append(f"cut {van}")

    def heal_link(self, van: str) -> None:
        self.pulled.append(f"heal {van}")

    def kill(self, process: Process, van: str) -> bool:
        if process in self.down:
            return False
        self.pulled.append(f"kill {process} {van}")
        return True

    def watch_receipts(self, van: str, seen: Callable[[], None]) -> None:
        self.watching.append(seen)

    def refuse_next(self, van: str, reason: FailReason) -> None:
        self.pulled.append(f"refuse {van} {reason}")

    async def close_bridge(self, bridge: int, duration: timedelta) -> None:
        self.pulled.append(f"close {bridge}")

    def say(self, text: str) -> None: ...


async def test_a_link_is_cut_once_and_healed_once_and_the_time_between_is_kept() -> None:
    world = ToyWorld()
    faults = Faults.of(world, (LinkCut(kind="link cut", van="van-2", from_share=0.3, until_share=0.7),))
    for closed in range(11):
        await faults.on_progress("van-2", closed, 10)
        world.time += timedelta(hours=1)
    assert world.pulled == ["cut van-2", "heal van-2"]
    assert faults.offline == {"van-2": timedelta(hours=4)}
    assert faults.fired() == {"link cut (van-2, fault 1)": True}


async def test_a_link_cut_after_a_slow_start_stays_cut_for_its_part_of_the_run() -> None:
    world = ToyWorld()
    faults = Faults.of(world, (LinkCut(kind="link cut", van="van-2", from_share=0.3, until_share=0.7),))
    begun = world.time
    for closed, hours in enumerate((0, 2, 4, 6, 7, 8, 9, 10, 11, 12, 13)):
        world.time = begun + timedelta(hours=hours)
        await faults.on_progress("van-2", closed, 10)
    assert faults.offline["van-2"] * 3 >= timedelta(hours=13)


async def test_a_link_that_never_heals_has_not_fired() -> None:
    faults = Faults.of(ToyWorld(), (LinkCut(kind="link cut", van="van-2", from_share=0.3, until_share=1),))
    await faults.on_progress("van-2", 5, 10)
    assert faults.fired() == {"link cut (van-2, fault 1)": False}


async def test_faults_happen_once_and_only_for_their_van() -> None:
    world = ToyWorld()
    faults = Faults.of(
        world,
        (
            StopRefused(kind="stop refused", van="van-1", at_share=0.5),
            ProcessKilled(kind="process killed", process=Process.BROKER, van="van-1", at_share=0.5),
            RoadClosed(kind="road closed", van="van-1", at_share=0.5, bridge=1),
        ),
    )
    await faults.on_progress("van-2", 9, 10)
    assert world.pulled == []
    for closed in (5, 6, 7):
        await faults.on_progress("van-1", closed, 10)
    assert world.pulled == ["refuse van-1 refused", "kill mosquitto van-1", "close 1"]


async def test_an_agent_is_killed_only_while_the_named_evidence_is_being_saved() -> None:
    world = ToyWorld()
    faults = Faults.of(world, (VanKilled(kind="van killed", van="van-1", at_share=0.5, while_saving="photo"),))
    faults.on_saving("van-1", "s1", "photo")
    await faults.on_progress("van-1", 5, 10)
    faults.on_saving("van-1", "s1", "signature")
    faults.on_saving("van-2", "s1", "photo")
    assert world.pulled == []
    faults.on_saving("van-1", "s1", "photo")
    faults.on_saving("van-1", "s1", "photo")
    assert world.pulled == ["kill agent van-1"]


async def test_the_coordinator_dies_at_each_receipt_as_often_as_asked() -> None:
    world = ToyWorld()
    faults = Faults.of(world, (CoordinatorKilled(kind="coordinator killed", van="van-2", at_share=0.7, times=2),))
    await faults.on_progress("van-2", 8, 10)
    await faults.on_progress("van-2", 9, 10)
    assert len(world.watching) == 1
    world.watching[0]()
    assert faults.fired() == {"coordinator killed (van-2, fault 1)": False}
    world.down.add(Process.COORDINATOR)
    world.watching[1]()  # a receipt that was still on its way: nobody is there to be killed
    assert faults.fired() == {"coordinator killed (van-2, fault 1)": False}
    world.down.clear()
    world.watching[2]()
    assert world.pulled == ["kill cloud van-2"] * 2
    assert faults.fired() == {"coordinator killed (van-2, fault 1)": True}
