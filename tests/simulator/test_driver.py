"""A driver's day against a van that keeps its contract while connections are cut and requests fail."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from time import time as system_s

import pytest

from host.clock import Clock, ClockSettings
from roads.answers import ClosureReport
from simulator.cab import BrokenScreenError, Cab
from simulator.driver import Driver, DriverStuckError, Hooks
from simulator.roadtrip import NotClosedError, OpenRoads
from simulator.seenlog import SeenLog, read_evidence, read_seen
from tests.simulator.fakes import AT, FakeVan, StraightRoads
from wire.events import FailReason
from wire.geo import Place, distance_m, moved
from wire.manifest import Closure

DEPOT = Place(lat_deg=-33.92, lon_deg=18.42)


def _clock() -> Clock:
    return Clock(ClockSettings(origin=AT, system_origin_s=system_s(), rate=120))


def _places(count: int, pitch_m: float = 90.0) -> list[Place]:
    return [moved(DEPOT, north_m=pitch_m * k, east_m=20.0 * k) for k in range(1, count + 1)]


@dataclass
class Day:
    van: FakeVan
    driver: Driver
    folder: Path

    @property
    def notes(self) -> list[tuple[str, str]]:
        return [(seen.stop_id, seen.kind) for seen in read_seen(self.folder / "van-1.jsonl")]


@pytest.fixture
async def days(tmp_path: Path) -> AsyncIterator[list[Day]]:
    made: list[Day] = []
    yield made
    for day in made:
        await day.driver.cab.close()
        day.driver.log.close()
        await day.van.__aexit__()


async def _day(days: list[Day], folder: Path, van: FakeVan, hooks: Hooks = Hooks(), seed: int = 1) -> Day:  # noqa: B008
    await van.__aenter__()
    driver = Driver(
        van="van-1",
        cab=Cab(van.url),
        roads=OpenRoads(StraightRoads()),
        clock=_clock(),
        log=SeenLog(folder, "van-1"),
        depot=DEPOT,
        seed=seed,
        service_s={f"order-s{k}": 5.0 for k in range(1, 9)},
        hooks=hooks,
    )
    days.append(Day(van, driver, folder))
    return days[-1]


@pytest.mark.system
async def test_a_driver_answers_every_suggestion_once_and_goes_on(days: list[Day], tmp_path: Path) -> None:
    day = await _day(days, tmp_path, FakeVan(_places(2), offers=12, trouble=0.3))
    await asyncio.wait_for(day.driver.run(), 60)
    answered = {what: count for what, count in day.van.done.items() if what.startswith("offer-")}
    assert sorted(answered.values()) == [1] * 12
    assert day.driver.suggestions.total() == 12
    assert {what.split()[1] for what in answered} == {"accept", "keep"}
    assert day.van.done["s2 delivered"] == 1


@pytest.mark.system
async def test_an_ordinary_morning(days: list[Day], tmp_path: Path) -> None:
    progress: list[tuple[int, int]] = []

    async def on_progress(van: str, closed: int, total: int) -> None:
        progress.append((closed, total))

    day = await _day(days, tmp_path, FakeVan(_places(2)), Hooks(on_progress=on_progress))
    async with asyncio.timeout(20):
        await day.driver.run()
    kinds = ("arrived", "signature", "photo", "delivered")
    assert day.notes == [(stop_id, kind) for stop_id in ("s1", "s2") for kind in kinds]
    assert progress == [(0, 2), (1, 2), (2, 2)]
    assert distance_m(day.driver.where(_clock().now() + timedelta(days=1)).place, DEPOT) < 50


@pytest.mark.system
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_hard_morning_loses_and_doubles_nothing(days: list[Day], tmp_path: Path, seed: int) -> None:
    day = await _day(days, tmp_path, FakeVan(_places(2), trouble=0.5, seed=seed), seed=seed)
    async with asyncio.timeout(60):
        await day.driver.run()
    seen = read_seen(tmp_path / "van-1.jsonl")
    assert day.van.requests > len(seen)
    assert Counter(seen.tap_id for seen in seen).most_common(1)[0][1] == 1
    assert Counter(f"{stop_id} {kind}" for stop_id, kind in day.notes) == day.van.done
    assert set(day.van.done.values()) == {1}
    kept = read_evidence(tmp_path)
    assert {seen.sha256 for seen in seen if seen.sha256} >= set(kept)
    assert all(hashlib.sha256(evidence).hexdigest() == sha256 for sha256, evidence in kept.items())


@pytest.mark.system
async def test_a_door_that_refuses_is_failed_with_its_reason(days: list[Day], tmp_path: Path) -> None:
    day = await _day(days, tmp_path, FakeVan(_places(3)))
    day.driver.refusals["order-s2"] = FailReason.DAMAGED
    day.driver.refuse_next(FailReason.REFUSED)
    async with asyncio.timeout(20):
        await day.driver.run()
    results = [(seen.stop_id, seen.result) for seen in read_seen(tmp_path / "van-1.jsonl") if seen.result]
    assert results == [("s1", "refused"), ("s2", "damaged"), ("s3", "delivered_to_recipient")]


@pytest.mark.system
async def test_someone_is_told_while_evidence_is_on_its_way(days: list[Day], tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    hooks = Hooks(on_saving=lambda _van, stop_id, kind: told.append((stop_id, kind)))
    day = await _day(days, tmp_path, FakeVan(_places(1), proofs=("photo",)), hooks)
    async with asyncio.timeout(20):
        await day.driver.run()
    assert told == [("s1", "arrived"), ("s1", "photo"), ("s1", "delivered")]


@pytest.mark.system
async def test_a_van_that_takes_no_tap_is_said_so(days: list[Day], tmp_path: Path) -> None:
    day = await _day(days, tmp_path, FakeVan(_places(1), refuses=True))
    with pytest.raises(DriverStuckError, match="not on today's list"):
        async with asyncio.timeout(20):
            await day.driver.run()
    assert day.notes == []


async def test_a_screen_that_breaks_its_promise_is_not_taken_for_a_van_that_is_down(
    days: list[Day], tmp_path: Path
) -> None:
    day = await _day(days, tmp_path, FakeVan(_places(1), proofs=(None,)))  # type: ignore[arg-type]
    with pytest.raises(BrokenScreenError, match="kind"):
        async with asyncio.timeout(20):
            await day.driver.run()


@pytest.mark.system
async def test_a_road_that_closes_on_the_way_is_driven_round(days: list[Day], tmp_path: Path) -> None:
    day = await _day(days, tmp_path, FakeVan(_places(1, pitch_m=2_000.0), proofs=()))
    network = StraightRoads()
    day.driver.roads = OpenRoads(network)
    running = asyncio.create_task(day.driver.run())
    await asyncio.sleep(0.8)
    asked = network.asked
    closure = Closure(closure_id="bridge-1", valid_from=AT, valid_until=AT + timedelta(hours=9))
    await day.driver.roads.close(closure, AT)
    async with asyncio.timeout(20):
        await running
    assert network.closed == (closure,)
    assert network.asked >= asked + 2  # once more to the stop, once home
    assert day.van.phase("s1") == "completed"


async def test_a_closure_that_meets_no_road_is_an_error() -> None:
    class OtherTown(StraightRoads):
        async def set_closures(self, closures: tuple[Closure, ...], now: datetime) -> ClosureReport:
            return ClosureReport(unmatched=tuple(closure.closure_id for closure in closures))

    roads = OpenRoads(OtherTown())
    with pytest.raises(NotClosedError, match="bridge-1"):
        await roads.close(Closure(closure_id="bridge-1", valid_from=AT, valid_until=AT + timedelta(hours=1)), AT)
    assert roads.version == 0
