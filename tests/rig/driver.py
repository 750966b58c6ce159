"""Whoever taps in the cab: does a day's stops one by one, believes "saved" alone, and taps again until it is said."""

import asyncio
import contextlib
import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from agent.errors import StoreError
from agent.pod.evidence import KeptImage
from agent.runtime import Answer
from agent.screen.messages import ArrivedTap, DeliveredTap, FailedTap, SkippedTap
from agent.screen.taps import TapEntry, evidence_entry, tap_entry
from agent.trip.effects import Trouble
from tests.rig.van import NotThereError, VanNode
from wire.events import FailReason
from wire.manifest import EvidenceKind

type Saying = tuple[str, str, str]
"""Kind of a record, stop, and the hash of the evidence or the way it ended: what tells one saying from all others."""


@dataclass(frozen=True)
class Act:
    """One tap and what the coordinator must hear of it, once."""

    entry: TapEntry
    said: tuple[Saying, ...]


def a_day(van: str, stop_ids: list[str], dice: random.Random, now: datetime) -> list[Act]:
    """A script: some stops are arrived at first, some put off and done later; evidence, then the end."""
    acts: list[Act] = []
    put_off: list[str] = []

    def next_id() -> str:
        return f"{van}-tap-{len(acts):04}"

    def arrive(stop_id: str) -> None:
        acts.append(Act(tap_entry(ArrivedTap(tap_id=next_id(), stop_id=stop_id)), (("stop.arrived", stop_id, ""),)))

    def finish(stop_id: str, *, has_arrived: bool) -> None:
        for number in range(dice.choice((0, 1, 1, 2))):
            kind = EvidenceKind.SIGNATURE if number == 0 else EvidenceKind.PHOTO
            size = (
                dice.choice((300, 2_000, 20_000))
                if kind is EvidenceKind.SIGNATURE
                else dice.choice((9_000, 9_000, 30_000))
            )
            data = dice.randbytes(size)
            digest = hashlib.sha256(data).hexdigest()
            image = KeptImage(kind, "image/png" if number == 0 else "image/jpeg", digest, data)
            entry = evidence_entry(next_id(), stop_id, image=image, received=data, signed_by="", taken_at=now)
            acts.append(Act(entry, (("proof.captured", stop_id, digest),)))
        if dice.random() < 0.2:
            tap = FailedTap(tap_id=next_id(), stop_id=stop_id, reason=FailReason.NOT_HOME)
            acts.append(Act(tap_entry(tap), (("stop.failed", stop_id, "not_home"),)))
            return
        arrival = () if has_arrived else (("stop.arrived", stop_id, ""),)
        delivered = DeliveredTap(tap_id=next_id(), stop_id=stop_id)
        acts.append(Act(tap_entry(delivered), (*arrival, ("stop.completed", stop_id, "delivered_to_recipient"))))

    for stop_id in stop_ids:
        has_arrived = dice.random() < 0.7
        if has_arrived:
            arrive(stop_id)
            if dice.random() < 0.15:
                skip = SkippedTap(tap_id=next_id(), stop_id=stop_id)
                acts.append(Act(tap_entry(skip), (("stop.skipped", stop_id, ""),)))
                put_off.append(stop_id)
                continue
        finish(stop_id, has_arrived=has_arrived)
    for stop_id in put_off:
        arrive(stop_id)
        finish(stop_id, has_arrived=True)
    return acts


class Driver:
    """`saved` are the acts that the page called saved, in order."""

    def __init__(
        self, van: VanNode, acts: list[Act], dice: random.Random, pace_s: float, note: Callable[[str], None]
    ) -> None:
        self.van, self.acts = van, acts
        self.saved: list[Act] = []
        self.troubles: list[str] = []
        self._dice, self._pace_s, self._note = dice, pace_s, note
        self._loose: set[asyncio.Future[None]] = set()

    @property
    def is_done(self) -> bool:
        return len(self.saved) == len(self.acts)

    async def work(self) -> None:
        for act in self.acts:
            await asyncio.sleep(self._dice.uniform(0.0, 2 * self._pace_s))
            answer = await self._until_saved(act)
            self.saved.append(act)
            self._note(f"{act.entry.tap_id} saved")
            if self._dice.random() < 0.1:
                again = await self._until_saved(act)
                if again.saved_at != answer.saved_at:
                    self.troubles.append(f"{act.entry.tap_id} sent again was saved again, at {again.saved_at}")

    async def _until_saved(self, act: Act) -> Answer:
        while True:
            try:
                is_double = self._dice.random() < 0.1
                if is_double:  # a nervous finger
                    self._tap_beside(act)
                answer = await self.van.tap(act.entry)
            except (NotThereError, StoreError):
                await asyncio.sleep(self._dice.uniform(0.1, 1.0))
                continue
            if answer.refusal is None:
                return answer
            if answer.refusal.trouble not in (Trouble.NO_MANIFEST, Trouble.UNKNOWN_STOP):
                self.troubles.append(f"{act.entry.tap_id} refused: {answer.refusal.trouble}")
                return answer
            await asyncio.sleep(self._dice.uniform(0.3, 1.0))

    def _tap_beside(self, act: Act) -> None:
        async def tap() -> None:
            with contextlib.suppress(NotThereError, StoreError):
                await self.van.tap(act.entry)

        task = asyncio.ensure_future(tap())
        self._loose.add(task)
        task.add_done_callback(self._loose.discard)
