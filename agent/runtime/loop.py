"""The loop: input -> `decide` -> one transaction -> the answer -> effects. Nothing else changes the run.

tap, message, plan, link     ->  a step: saved with all it changed, then answered
fix, minute passing quietly  ->  moves the run in memory; saved with the next step, or when a minute passes
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count

from agent.errors import StoreError, StoreErrorKind
from agent.gps.walltime import WallTime, measured_off_s, wall_time
from agent.runtime.bell import Bell
from agent.runtime.fixes import FixBuffer, in_milliseconds, milliseconds
from agent.runtime.replanning import AskPlanner, Replanning
from agent.runtime.saving import Saving, SavingWatch
from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.effects import Decision, Effect, Outgoing, Recall, Refusal, Replan, SendLive
from agent.trip.inputs import INPUT, AnyInput, EvidenceTaken, FixJudged, MinutePassed, Recalled
from agent.trip.run import Run
from host.clock import Clock, Reading
from wire.envelope import Record
from wire.track import Breadcrumb

log = logging.getLogger(__name__)

Decide = Callable[[Run, AnyInput, datetime], Decision]
MINUTE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """What became of an input: saved at `saved_at` (after the synced commit), or refused and nothing changed."""

    saved_at: datetime
    refusal: Refusal | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class _Entry:
    entered: AnyInput
    tap: TapMade | None = None
    blob: NewBlob | None = None
    crumb: Breadcrumb | None = None
    answer: asyncio.Future[Answer] | None = None


class Runtime:
    """Owns the run. `changed` rings when a screen would look different, `saved` when the outbox may have grown,
    `live_wanted` when the coordinator should hear of us now.
    """

    def __init__(
        self,
        *,
        store: Store,
        run: Run,
        decide: Decide,
        pending_effects: Callable[[Run], Sequence[Effect]],
        ask_planner: AskPlanner,
        clock: Clock,
    ) -> None:
        self.run = run
        self.changed = Bell()
        self._recall_wanted = asyncio.Event()
        self.saved = Bell()
        self.live_wanted = Bell()
        self._store = store
        self._decide = decide
        self._pending_effects = pending_effects
        self._clock = clock
        self._queue: asyncio.PriorityQueue[tuple[bool, int, _Entry]] = asyncio.PriorityQueue()
        self._numbers = count()
        self._fixes = FixBuffer()
        self._clock_off_s: float | None = None
        """How far our clock was from the newest fix."""
        self._saving = SavingWatch(self.changed.ring)
        self._replanning = Replanning(ask_planner, lambda: self.run, self.tell)

    @property
    def saving(self) -> Saving:
        """How it goes now, for the driver."""
        return self._saving.state

    async def submit(self, entered: AnyInput, *, tap: TapMade | None = None, blob: NewBlob | None = None) -> Answer:
        """Answers after the step is durable; the same tap again gets the same answer and is not done again.

        Raises StoreError when it could not be saved (constraint: the tap id was used for another tap), and whatever
        `decide` raised; the run is as before then.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue_up(_Entry(entered, tap, blob, answer=answer))
        return await answer

    def tell(self, entered: AnyInput, *, crumb: Breadcrumb | None = None) -> None:
        """Queues an input that nobody waits for; a fix with the breadcrumb of its second."""
        self._queue_up(_Entry(entered, crumb=crumb))

    def _queue_up(self, entry: _Entry) -> None:
        """A tap goes first: somebody stands before the screen until it is saved."""
        self._queue.put_nowait((entry.tap is None, next(self._numbers), entry))

    async def live(self) -> None:
        """Takes inputs, plans and minutes until cancelled; what is buffered is saved on the way out."""
        self._carry_out(self._pending_effects(self.run))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._take_inputs())
                tasks.create_task(self._replanning.run())
                tasks.create_task(self._count_minutes())
                tasks.create_task(self._recall())
        finally:
            await self._save_what_is_buffered()

    async def _save_what_is_buffered(self) -> None:
        if self._fixes.is_empty:
            return
        try:
            await self._save(Step(at_ms=milliseconds(self._clock.now()), run=self.run))
        except StoreError as error:
            log.error("the last fixes could not be saved: %s", error)

    async def _count_minutes(self) -> None:
        while True:
            await asyncio.sleep(self._clock.real_s(MINUTE_S))
            self.tell(MinutePassed())

    async def _recall(self) -> None:
        """Reads what was learned, whenever a list came; without an answer the day goes on by list and road alone."""
        while True:
            await self._recall_wanted.wait()
            self._recall_wanted.clear()
            manifest = self.run.manifest
            if manifest is None:
                continue
            try:
                self.tell(Recalled(known=await self._store.recall(manifest)))
            except StoreError as error:
                log.error("what was learned could not be read: %s", error)

    async def _take_inputs(self) -> None:
        while True:
            _, _, entry = await self._queue.get()
            try:
                answer = await self._take(entry)
            except Exception as error:
                # One input that cannot be taken must not stop those behind it. Whoever sent it is told.
                if entry.answer is None:
                    log.error("%s could not be saved: %s", entry.entered.kind, error, exc_info=not _is_disk(error))
                elif not entry.answer.done():
                    entry.answer.set_exception(error)
            else:
                if entry.answer is not None and not entry.answer.done():
                    entry.answer.set_result(answer)

    async def _take(self, entry: _Entry) -> Answer:
        if entry.tap is not None and (before := await self._answered_before(entry.tap)) is not None:
            return before
        reading = self._clock.read()
        now = in_milliseconds(reading.at)  # as it is stored, so that a tap sent again gets the same answer
        if isinstance(entry.entered, FixJudged):
            off_s = measured_off_s(entry.entered.position, now)
            self._clock_off_s = self._clock_off_s if off_s is None else off_s
            if not self.run.is_on_duty:
                return Answer(now)  # nothing of it is kept, told or shown
        decision = self._decide(self.run, entry.entered, now)
        if decision.refusal is not None:
            return Answer(now, refusal=decision.refusal)
        if entry.crumb is not None:
            self._fixes.leave(entry.crumb)
        if self._may_wait(entry, decision):
            self.run = decision.run
            if isinstance(entry.entered, FixJudged):
                self._fixes.add(milliseconds(now), entry.entered)
        else:
            await self._save(self._step(entry, decision, reading))
            self.run = decision.run
            self._carry_out(decision.effects)
        self.changed.ring()
        return Answer(now, sha256=_evidence_of(entry.entered))

    async def _answered_before(self, tap: TapMade) -> Answer | None:
        before = await self._store.find_tap(tap.tap_id)
        if before is None:
            return None
        if before.request_hash != tap.request_hash:
            raise StoreError(StoreErrorKind.CONSTRAINT, f"tap {tap.tap_id} was used before, for another tap")
        return Answer(before.saved_at, sha256=_evidence_of(INPUT.validate_json(before.input_json)))

    def _may_wait(self, entry: _Entry, decision: Decision) -> bool:
        if decision.outgoing or decision.effects:
            return False
        # A minute is the beat on which the buffer goes to disk; one with nothing to save leaves no trace.
        return isinstance(entry.entered, FixJudged) or (
            isinstance(entry.entered, MinutePassed) and self._fixes.is_empty and decision.run == self.run
        )

    def _step(self, entry: _Entry, decision: Decision, reading: Reading) -> Step:
        now = in_milliseconds(reading.at)
        return Step(
            at_ms=milliseconds(now),
            run=decision.run,
            entered=entry.entered,
            tap=entry.tap,
            blob=entry.blob,
            learned=decision.learned,
            erased=decision.erased,
            records=tuple(self._record(outgoing, decision.run, reading) for outgoing in decision.outgoing),
        )

    def _record(self, outgoing: Outgoing, run: Run, reading: Reading) -> Record:
        now = in_milliseconds(reading.at)
        wall = WallTime(reading.source, reading.err_ms)
        if wall == WallTime():  # the clock knows no more than that it is the system's: the newest fix may
            wall = wall_time(now, self._clock_off_s, self._clock.rate)
        return Record(
            kind=outgoing.kind,
            wall_ms=milliseconds(now),
            wall_source=wall.source,
            wall_err_ms=wall.err_ms,
            mono_ms=self._clock.mono_ms(),
            boot=self._store.identity.boot,
            manifest_version=run.manifest.version if run.manifest else 0,
            body=outgoing.body,
        )

    async def _save(self, step: Step) -> None:
        """The step with what is buffered; on a full disk without it, since breadcrumbs may wait and a proof may not."""
        soft, crumbs = self._fixes.contents()
        step = replace(step, clock=self._clock.mark())
        whole = replace(step, soft=soft, crumbs=crumbs, given_up=self._fixes.given_up)
        with self._saving.watching():
            try:
                await self._store.save(whole)
            except StoreError as error:
                if error.kind is not StoreErrorKind.FULL or self._fixes.is_empty or step.entered is None:
                    raise
                await self._store.save(step)
            else:
                self._fixes.clear()
        self.saved.ring()

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Replan():
                    self._replanning.want(effect)
                case SendLive():
                    self.live_wanted.ring()
                case Recall():
                    self._recall_wanted.set()


def _is_disk(error: Exception) -> bool:
    return isinstance(error, StoreError)


def _evidence_of(entered: AnyInput) -> str | None:
    return entered.evidence.sha256 if isinstance(entered, EvidenceTaken) else None
