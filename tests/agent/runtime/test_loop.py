"""The loop: nothing is told before it is saved, nothing is done twice, and fixes cost no transaction each."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from agent.errors import StoreError, StoreErrorKind
from agent.learn.known import Known
from agent.learn.lessons import Lessons
from agent.runtime import Runtime
from agent.runtime.fixes import LIMIT, FixBuffer
from agent.runtime.replanning import Replanning
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.decide import decide
from agent.trip.effects import Decision, Replan
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    DeliveredTapped,
    DutyTapped,
    FailedTapped,
    FixJudged,
    ManifestArrived,
    MinutePassed,
    PlanNotFound,
    PlanSolved,
    Recalled,
)
from agent.trip.plans import pending_effects
from agent.trip.run import Run, StopPhase, Today
from host.clock import Clock, ClockSettings
from tests.builders import a_manifest, a_plan, a_position, a_run, at
from wire.envelope import Record
from wire.events import FailReason, ReplanReason
from wire.manifest import Manifest
from wire.track import Breadcrumb

TAP = TapMade("tap-00001", "hash")


async def no_plan(run: Run, reason: ReplanReason) -> PlanSolved | PlanNotFound:
    return PlanNotFound(run_version=run.version, why="nobody plans here")


def a_runtime(
    store: Store, run: Run, ask: Callable[[Run, ReplanReason], Awaitable[PlanSolved | PlanNotFound]] = no_plan
) -> Runtime:
    return Runtime(
        store=store,
        run=run,
        decide=decide,
        pending_effects=pending_effects,
        ask_planner=ask,
        clock=Clock(ClockSettings(origin=at(0), system_origin_s=0.0), system=lambda: 0.0),
    )


@asynccontextmanager
async def living(runtime: Runtime) -> AsyncIterator[None]:
    life = asyncio.create_task(runtime.live())
    try:
        yield
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path)
    yield opened
    await opened.close()


async def test_an_answer_comes_after_the_commit(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        answer = await runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        assert (await store.load_run()).stops[0].phase is StopPhase.ARRIVED
        assert runtime.run == await store.load_run()
        assert answer.saved_at == at(0)


async def test_a_record_says_whether_a_fix_confirmed_its_time(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        await runtime.submit(ArrivedTapped(stop_id="s1"))
        await runtime.submit(FixJudged(position=a_position(fixed_at=at(0))))
        await runtime.submit(ArrivedTapped(stop_id="s2"))
        await runtime.submit(FixJudged(position=a_position(fixed_at=at(60))))
        await runtime.submit(ArrivedTapped(stop_id="s3"))
    rows = await store.next_unreceipted("events", 10)
    said = [Record.model_validate_json(row.record_json) for row in rows]
    assert [(record.wall_source, record.wall_err_ms) for record in said] == [
        ("system", None),
        ("gps", 0),
        ("system", 3_600_000),
    ]


async def test_a_refused_tap_changes_and_saves_nothing(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        answer = await runtime.submit(DeliveredTapped(stop_id="nobody"), tap=TAP)
        assert answer.refusal is not None
        assert await store.find_tap(TAP.tap_id) is None


class DiesAfterCommit(Store):
    """A power cut between the commit and the answer."""

    async def save(self, step: Step) -> None:
        await super().save(step)
        await asyncio.Event().wait()


async def test_a_crash_between_commit_and_answer_gives_the_same_answer_again(tmp_path: Path) -> None:
    dying = await DiesAfterCommit.open(tmp_path)
    runtime = a_runtime(dying, a_run())
    async with living(runtime):
        waiting = asyncio.create_task(runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP))
        while await dying.find_tap(TAP.tap_id) is None:  # noqa: ASYNC110  (a database rings no bell)
            await asyncio.sleep(0.001)
        assert not waiting.done()
        waiting.cancel()
    await dying.close()

    store = await Store.open(tmp_path)
    restarted = a_runtime(store, await store.load_run())
    async with living(restarted):
        events = store.waiting.events
        first = await restarted.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        again = await restarted.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        assert first == again
        assert first.saved_at == at(0)
        assert store.waiting.events == events == 1
    await store.close()


async def test_a_driver_who_hangs_up_is_saved_all_the_same(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        impatient = asyncio.create_task(runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP))
        await asyncio.sleep(0)
        impatient.cancel()
        await runtime.submit(MinutePassed())
        assert await store.find_tap(TAP.tap_id) is not None


async def test_a_tap_goes_before_what_nobody_waits_for(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    for _ in range(3):
        runtime.tell(PlanNotFound(run_version=0, why="nobody plans here"))
    tapping = asyncio.create_task(runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP))
    await asyncio.sleep(0)
    saved: list[str] = []
    runtime.saved.then(lambda: saved.append(str(runtime.run.stops[0].phase)))
    async with living(runtime):
        await tapping
    assert len(saved) == 1
    assert runtime.run.stops[0].phase is StopPhase.ARRIVED


async def test_fixes_go_to_disk_with_the_next_step_and_not_before(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        for second in range(5):
            crumb = Breadcrumb(wall_ms=second * 1000, lat_deg=41.0, lon_deg=-8.0)
            runtime.tell(FixJudged(position=a_position(fixed_at=at(second / 60))), crumb=crumb)
        while runtime.changed.count < 5:
            await runtime.changed.after(runtime.changed.count)
        assert runtime.run.position == a_position(fixed_at=at(4 / 60))
        assert store.waiting.track == 0
        await runtime.submit(MinutePassed())
        assert store.waiting.track == 5
        assert (await store.load_run()).position == runtime.run.position


async def test_fixes_are_saved_at_an_orderly_end(store: Store) -> None:
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        runtime.tell(FixJudged(position=a_position()), crumb=Breadcrumb(wall_ms=0, lat_deg=41.0, lon_deg=-8.0))
        await runtime.changed.after(0)
    assert store.waiting.track == 1


async def test_nobody_is_followed_without_a_manifest(store: Store) -> None:
    runtime = a_runtime(store, Run())
    async with living(runtime):
        runtime.tell(FixJudged(position=a_position()), crumb=Breadcrumb(wall_ms=0, lat_deg=41.0, lon_deg=-8.0))
        await runtime.submit(MinutePassed())
    assert store.waiting.track == 0


async def test_after_a_pause_nothing_of_a_place_is_on_the_disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Step] = []
    save = store.save

    async def noted(step: Step) -> None:
        if not isinstance(step.entered, Recalled):
            steps.append(step)
        await save(step)

    monkeypatch.setattr(store, "save", noted)
    runtime = a_runtime(store, a_run())

    def tell(second: int) -> None:
        crumb = Breadcrumb(wall_ms=second * 1000, lat_deg=41.0, lon_deg=-8.0)
        runtime.tell(FixJudged(position=a_position(fixed_at=at(second / 60))), crumb=crumb)

    async with living(runtime):
        await runtime.submit(DutyTapped(is_on_duty=False), tap=TAP)
        for second in range(5):
            tell(second)
        await runtime.submit(DutyTapped(is_on_duty=True))
        tell(9)
        await runtime.submit(MinutePassed())
    assert [len(step.crumbs) for step in steps] == [0, 0, 1]
    assert [len(step.soft) for step in steps] == [0, 0, 1]
    assert [step.run.position is None for step in steps] == [True, True, False]


async def test_a_minute_in_which_nothing_happened_leaves_no_trace(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    saves: list[Step] = []

    async def save(step: Step) -> None:
        saves.append(step)

    monkeypatch.setattr(store, "save", save)
    runtime = a_runtime(store, Run())
    async with living(runtime):
        await runtime.submit(MinutePassed())
    assert saves == []


async def test_on_a_full_disk_breadcrumbs_wait_and_the_tap_goes_first(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = store.save

    async def nearly_full(step: Step) -> None:
        if step.crumbs:
            raise StoreError(StoreErrorKind.FULL, "no room for that much")
        await save(step)

    monkeypatch.setattr(store, "save", nearly_full)
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        runtime.tell(FixJudged(position=a_position()), crumb=Breadcrumb(wall_ms=0, lat_deg=41.0, lon_deg=-8.0))
        await runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        assert (store.waiting.events, store.waiting.track) == (1, 0)
        monkeypatch.undo()
        await runtime.submit(FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME))
        assert store.waiting.track == 1


async def test_when_nothing_can_be_saved_the_run_stays_as_it_was(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(step: Step) -> None:
        raise StoreError(StoreErrorKind.FULL, "no room")

    runtime = a_runtime(store, a_run())
    async with living(runtime):
        monkeypatch.setattr(store, "save", full)
        with pytest.raises(StoreError):
            await runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        assert runtime.run == a_run()
        monkeypatch.undo()
        await runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        assert runtime.run.stops[0].phase is StopPhase.ARRIVED


async def test_an_input_that_breaks_the_rules_code_stops_nobody_else(store: Store) -> None:
    def brittle(run: Run, entered: AnyInput, now: object) -> Decision:
        if isinstance(entered, FailedTapped):
            raise RuntimeError("a mistake of ours")
        return decide(run, entered, at(0))

    runtime = a_runtime(store, a_run())
    runtime._decide = brittle
    async with living(runtime):
        with pytest.raises(RuntimeError, match="a mistake of ours"):
            await runtime.submit(FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME))
        await runtime.submit(ArrivedTapped(stop_id="s1"))
        assert runtime.run.stops[0].phase is StopPhase.ARRIVED


async def test_a_plan_that_was_asked_for_before_the_crash_is_asked_for_again(store: Store) -> None:
    asked: list[ReplanReason] = []

    async def answer(run: Run, reason: ReplanReason) -> PlanSolved | PlanNotFound:
        asked.append(reason)
        stops = [stop.stop for stop in run.open_stops]
        return PlanSolved(run_version=run.version, plan=a_plan(stops, reason=reason))

    runtime = a_runtime(store, a_run(), answer)
    failed = decide(a_run(), FailedTapped(stop_id="s3", reason=FailReason.NOT_HOME), at(0)).run
    runtime.run = failed
    async with living(runtime):
        await runtime.changed.after(0)
    assert asked == [ReplanReason.STOP_FAILED]
    assert runtime.run.plan is not None
    assert runtime.run.plan.stop_ids == ("s1", "s2")
    assert (await store.load_run()).plan == runtime.run.plan


async def test_of_the_plans_wanted_meanwhile_only_the_newest_is_asked_for() -> None:
    asked: list[ReplanReason] = []
    answers: list[object] = []
    go_on = asyncio.Event()

    async def slow(run: Run, reason: ReplanReason) -> PlanSolved | PlanNotFound:
        asked.append(reason)
        await go_on.wait()
        if reason is ReplanReason.COMMAND:
            raise RuntimeError("the planner broke")
        return PlanNotFound(run_version=run.version, why="")

    replanning = Replanning(slow, a_run, answers.append)
    life = asyncio.create_task(replanning.run())
    replanning.want(Replan(run_version=1, reason=ReplanReason.MANIFEST))
    await asyncio.sleep(0.01)
    for reason in (ReplanReason.LATENESS, ReplanReason.ROAD_CLOSED, ReplanReason.COMMAND):
        replanning.want(Replan(run_version=1, reason=reason))
    go_on.set()
    await asyncio.sleep(0.01)
    life.cancel()
    assert asked == [ReplanReason.MANIFEST, ReplanReason.COMMAND]
    assert [answer.why for answer in answers if isinstance(answer, PlanNotFound)] == [
        "",
        "RuntimeError: the planner broke",
    ]


def test_what_cannot_be_saved_for_hours_is_thinned_from_its_old_end() -> None:
    buffer = FixBuffer()
    for number in range(LIMIT + 1):
        buffer.leave(Breadcrumb(wall_ms=number, lat_deg=0, lon_deg=0))
    _, crumbs = buffer.contents()
    assert len(crumbs) == LIMIT // 2 + LIMIT // 4 + 1
    assert [crumb.wall_ms for crumb in crumbs[:3]] == [0, 2, 4]
    assert crumbs[-1].wall_ms == LIMIT


async def test_what_a_day_taught_is_known_on_the_next_one_after_a_restart(tmp_path: Path) -> None:
    store = await Store.open(tmp_path)
    today = Today(lessons=Lessons(sums={"visit/van": (40, 80.0)}))
    runtime = a_runtime(store, a_run(2, known=Known(day=a_manifest().day.toordinal()), today=today))
    tomorrow = a_manifest(2, version=2, day=a_manifest().day + timedelta(days=1))
    async with living(runtime):
        await runtime.submit(ManifestArrived(manifest=tomorrow))
    await store.close()

    store = await Store.open(tmp_path)
    runtime = a_runtime(store, (await store.load_run()).model_copy(update={"known": None}))
    async with living(runtime):
        async with asyncio.timeout(5):
            while runtime.run.known is None:  # other things change too
                await runtime.changed.after(runtime.changed.count)
        assert runtime.run.known.levels["visit/van"].mean == 2.0
        assert runtime.run.today == Today()
        logged = (await store.load_run()).known
        assert logged == runtime.run.known
    await store.close()


async def test_a_van_that_cannot_read_what_it_learned_goes_on_without(store: Store) -> None:
    async def fails(manifest: Manifest) -> Known:
        raise StoreError(StoreErrorKind.IO, "the disk does not answer")

    store.recall = fails  # type: ignore[method-assign]
    runtime = a_runtime(store, a_run())
    async with living(runtime):
        await runtime.submit(ManifestArrived(manifest=a_manifest(4, version=2)))
        answer = await runtime.submit(ArrivedTapped(stop_id="s1"), tap=TAP)
        assert answer.refusal is None
        assert runtime.run.known is None
