"""Faults on the van's disk: what is saved, when, and as what."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any
from unittest import mock

import agent.runtime.fixes
import agent.store.inputs
import agent.store.outbox
import agent.store.runs
from agent.runtime import Runtime
from agent.store.chain import Chain
from agent.store.database import Database as VanDatabase
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from tests.rig.mutants.plant import beside, ignoring, planted, wrapped


def _van_pragma(pragma: str, value: str, answer: Any) -> AbstractContextManager[Any]:
    def make(original: Any) -> Any:
        def set_(self: VanDatabase, name: str, wanted: str, expected: Any) -> None:
            original(self, name, *((value, answer) if name == pragma else (wanted, expected)))

        return set_

    return wrapped(VanDatabase, "_set", make)


@planted("the van commits without a sync (synchronous=NORMAL)")
def _() -> Any:
    return _van_pragma("synchronous", "NORMAL", 1)


@planted("the van's journal is in memory (journal_mode=MEMORY)")
def _() -> Any:
    return _van_pragma("journal_mode", "MEMORY", "memory")


@planted("the run is told as a difference from a base that was not written")
def _() -> Any:
    def make(original: Any) -> Any:
        def pack(run: Any, base: bytes | None) -> Any:
            packed = original(run, base)
            return replace(packed, is_new=packed.is_new and base is None)

        return pack

    return wrapped(agent.store.runs, "pack", make)


@planted("a tap is called saved before the commit")
def _() -> Any:
    def make(original: Any) -> Any:
        async def save(self: Store, step: Step) -> None:
            beside(ignoring(original(self, step)))

        return save

    return wrapped(Store, "save", make)


@planted("what entered is forgotten by the clock on the wall")
def _() -> Any:
    def make(original: Any) -> Any:
        def purge(database: VanDatabase, age_ms: int, limit: int) -> int:
            # As it was once: against the newest wall time there is, from the oldest row on.
            week = "(SELECT at_ms FROM inputs ORDER BY input_id DESC LIMIT 1) - 604800000"
            fresh = database.execute(f"SELECT input_id FROM inputs WHERE at_ms >= {week} ORDER BY input_id LIMIT 1")
            for (input_id,) in fresh:
                database.execute("DELETE FROM taps WHERE input_id < ?", (input_id,))
            rows: int = original(database, age_ms, limit)
            return rows

        return purge

    return wrapped(agent.store.inputs, "purge", make)


@planted("what the van says is written in a transaction of its own")
def _() -> Any:
    def make(original: Any) -> Any:
        def save(self: Store, step: Step) -> None:
            original(self, replace(step, records=()))
            original(self, Step(at_ms=step.at_ms, run=step.run, records=step.records))

        return save

    return wrapped(Store, "_save", make)


@planted("the run is saved one step late")
def _() -> Any:
    def make(original: Any) -> Any:
        last: dict[int, bytes] = {}

        def replace_run(database: VanDatabase, packed: bytes) -> None:
            original(database, last.get(id(database), packed))
            last[id(database)] = packed

        return replace_run

    return wrapped(agent.store.runs, "replace", make)


@planted("a tap sent again is done again")
def _() -> Any:
    def make(_original: Any) -> Any:
        async def answered_before(_self: Runtime, _tap: TapMade) -> None:
            return None

        return answered_before

    stack = ExitStack()
    stack.enter_context(wrapped(Runtime, "_answered_before", make))

    def without_tap(original: Any) -> Any:
        def append(database: VanDatabase, entered: Any, at_ms: int, age_ms: int, tap: TapMade | None) -> None:
            is_known = tap is not None and agent.store.inputs.find_tap(database, tap.tap_id) is not None
            original(database, entered, at_ms, age_ms, None if is_known else tap)

        return append

    stack.enter_context(wrapped(agent.store.inputs, "append", without_tap))
    return stack


@planted("seqs are counted from the rows that still wait, so that they are given again")
def _() -> Any:
    def make(original: Any) -> Any:
        def append(
            database: VanDatabase, epoch_id: int, lane: str, items: Sequence[Any], at_ms: int, *, chain: Any = None
        ) -> None:
            if lane == "track":
                original(database, epoch_id, lane, items, at_ms, chain=chain)
                return
            ((last,),) = database.execute(
                "SELECT coalesce(max(seq), 0) FROM outbox WHERE epoch_id = ? AND lane = ? AND receipted_ms IS NULL",
                (epoch_id, lane),
            )
            for place, item in enumerate(items, int(last or 0) + 1):
                database.execute(
                    "INSERT OR REPLACE INTO outbox (epoch_id, lane, seq, record, created_ms) VALUES (?, ?, ?, ?, ?)",
                    (epoch_id, lane, place, item.model_dump_json(by_alias=True), at_ms),
                )

        return append

    return wrapped(agent.store.outbox, "append", make)


@planted("breadcrumbs stay in the buffer after the commit")
def _() -> Any:
    return mock.patch.object(agent.runtime.fixes.FixBuffer, "clear")


@planted("old rows are forgotten, receipted or not")
def _() -> Any:
    def make(_original: Any) -> Any:
        def purge(database: VanDatabase, receipted_before_ms: int, _limit: int) -> int:
            too_old_ms = receipted_before_ms + agent.store.outbox.KEEP_RECEIPTED_MS - 1_000
            return len(database.execute("DELETE FROM outbox WHERE created_ms < ? RETURNING 1", (too_old_ms,)))

        return purge

    return wrapped(agent.store.outbox, "purge", make)


@planted("the head of the chain is remembered, and not read with what was saved")
def _() -> Any:
    def make(original: Any) -> Any:
        def seal(self: Chain, database: Any, epoch_id: int, first: int, head: str | None, records: Any) -> Any:
            heads = self.__dict__.setdefault("heads", {})
            texts = original(self, database, epoch_id, first, heads.get(epoch_id, head), records)
            heads[epoch_id] = self.head(database, epoch_id)  # also of a transaction that will fail
            return texts

        return seal

    return wrapped(Chain, "seal", make)


@planted("evidence is bound to the stop whose evidence was taken before")
def _() -> Any:
    before: list[str] = []

    def make(original: Any) -> Any:
        def seal(self: Chain, database: Any, epoch_id: int, first: int, head: str | None, records: Any) -> Any:
            bound = []
            for record in records:
                if record["kind"] == "proof.captured":
                    before.append(record["body"]["stop_id"])
                    record = {**record, "body": {**record["body"], "stop_id": before[-2:][0]}}  # noqa: PLW2901
                bound.append(record)
            return original(self, database, epoch_id, first, head, bound)

        return seal

    return wrapped(Chain, "seal", make)
