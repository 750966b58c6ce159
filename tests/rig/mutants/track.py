"""Faults of the track: breadcrumbs that go missing, change their seq, or are told of as what they are not."""

from dataclasses import replace
from typing import Any

import agent.link.outbound
import agent.store.trail
import cloud.ingest.apply
from agent.runtime import Runtime
from agent.store.database import Database as VanDatabase
from agent.store.store import Step, Store
from tests.rig.mutants.plant import planted, wrapped
from wire.track import Breadcrumb, GivenUp


@planted("breadcrumbs leave the memory when a save failed on a full disk")
def _() -> Any:
    def make(original: Any) -> Any:
        async def save(self: Runtime, step: Step) -> None:
            await original(self, step)  # without them, when there was no room for all
            self._fixes.clear()

        return save

    return wrapped(Runtime, "_save", make)


@planted("behind a breadcrumb that was given up, each travels under the seq before its own")
def _() -> Any:
    def make(original: Any) -> Any:
        def track_parcel(sender: Any, rows: Any, **how: Any) -> Any:
            said = [row.record_json for row in rows]
            if rows[-1].seq - rows[0].seq == len(rows) - 1:
                said.sort(key=lambda text: "why" in text)  # those given up come last
            return original(
                sender, [row._replace(record_json=text) for row, text in zip(rows, said, strict=True)], **how
            )

        return track_parcel

    return wrapped(agent.link.outbound, "track_parcel", make)


@planted("breadcrumbs that were given up in memory are not told of")
def _() -> Any:
    def make(original: Any) -> Any:
        def save(self: Store, step: Step) -> None:
            original(self, replace(step, given_up=0))

        return save

    return wrapped(Store, "_save", make)


@planted("a row that is thinned loses its breadcrumbs and not their number")
def _() -> Any:
    def make(original: Any) -> Any:
        def append(database: VanDatabase, epoch_id: int, first: int, crumbs: Any, at_ms: int, **more: Any) -> None:
            left = [crumb for crumb in crumbs if isinstance(crumb, Breadcrumb)]
            gone = [crumb for crumb in crumbs if isinstance(crumb, GivenUp)]
            original(database, epoch_id, first, [*left, *gone], at_ms, **more)

        return append

    return wrapped(agent.store.trail, "append", make)


@planted("a tombstone reaches one breadcrumb too far")
def _() -> Any:
    def make(original: Any) -> Any:
        def note(connection: Any, sender: Any, gaps: Any, now: Any) -> None:
            wider = [gap.model_copy(update={"last_seq": gap.last_seq + 1}) for gap in gaps]
            original(connection, sender, wider, now)

        return note

    return wrapped(cloud.ingest.apply, "note_track_gaps", make)


@planted("receipts that went with a failed write are not counted as waiting again")
def _() -> Any:
    def make(original: Any) -> Any:
        def roll_back(self: VanDatabase) -> None:
            original(self)
            self.has_lost_notes = False

        return roll_back

    return wrapped(VanDatabase, "_roll_back", make)
