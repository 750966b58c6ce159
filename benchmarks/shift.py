"""`python -m benchmarks.shift FOLDER HOURS`: a van's whole shift on a real disk, in as little time as the disk allows.

The van's own loop, decisions and store live through the shift in virtual time: a fix a second, a minute's beat, taps
with signatures, plans, and a receipt for what each of them sent, as the courier applies them. Prints what was written
as one line of JSON. `python -m benchmarks wear` runs it and counts.
"""

import asyncio
import hashlib
import json
import sys
from datetime import timedelta
from itertools import count
from pathlib import Path
from random import Random

from agent.gps.gpsd import RawFix
from agent.gps.observer import Observer
from agent.runtime import Runtime
from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.store.store import Store
from agent.trip.decide import decide
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    DeliveredTapped,
    EvidenceTaken,
    FixJudged,
    LinkChanged,
    ManifestArrived,
    MinutePassed,
    PlanSolved,
)
from agent.trip.plans import pending_effects
from agent.trip.run import Evidence, Plan, PlanLeg, Run
from benchmarks.made import manifest
from benchmarks.town_day import STARTS_AT
from host.clock import Clock, ClockSettings
from simulator.nmea import Wander
from simulator.vehicle import Journey, journey, standing
from wire.envelope import BlobReceipt, LaneReceipt, Receipts
from wire.events import ReplanReason, TimesSource
from wire.manifest import EvidenceKind, Stop

STOPS_AN_HOUR = 15
SIGNATURE_BYTES = (3_000, 9_000)
HOUR_S = 3_600
ONLINE_S = 2_700


async def main() -> None:
    folder, hours = Path(sys.argv[1]), float(sys.argv[2])
    store = await Store.open(folder)
    shift = Shift(store, round(hours * 3600))
    try:
        await shift.live()
    finally:
        await store.close()
    print(json.dumps({"taps": shift.taps, "stops": shift.stops_done, "plans": shift.plans, **written()}))


def written() -> dict[str, int]:
    """What this process has caused to be written so far: bytes to the disk, and bytes handed to the kernel."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return {"write_bytes": int(lines["write_bytes"]), "wchar": int(lines["wchar"])}


class Shift:
    """One van from the manifest's arrival to the end of the day."""

    def __init__(self, store: Store, lasts_s: int) -> None:
        self.taps = self.stops_done = self.plans = 0
        self._store = store
        self._lasts_s = lasts_s
        self._stops = max(1, round(STOPS_AN_HOUR * lasts_s / HOUR_S))
        self._now_s = 0.0
        self._dice = Random(1)  # noqa: S311 - a day, not a key
        self._wander = Wander(1)
        self._observer = Observer()
        self._tap_ids = count(1)
        self._has_link = True
        clock = Clock(ClockSettings(origin=STARTS_AT, system_origin_s=0.0), lambda: self._now_s, lambda: self._now_s)
        self._runtime = Runtime(
            store=store,
            run=Run(),
            decide=decide,
            pending_effects=pending_effects,
            ask_planner=self._plan,
            clock=clock,
        )

    async def live(self) -> None:
        living = asyncio.create_task(self._runtime.live())
        await self._submit(ManifestArrived(manifest=manifest(self._stops, timedelta(seconds=self._lasts_s))))
        await self._submit(LinkChanged(is_online=True))
        await self._until_planned()
        pace_s = self._lasts_s / self._stops
        here = standing(self._runtime.run.stops[0].stop.place, STARTS_AT)
        for number, stop in enumerate([run_stop.stop for run_stop in self._runtime.run.open_stops]):
            start_at = STARTS_AT + timedelta(seconds=number * pace_s)
            here = journey((here.end, stop.place), 0.55 * pace_s, start_at)
            await self._drive(here, (number + 0.6) * pace_s)
            await self._deliver(stop)
            await self._drive(here, (number + 1) * pace_s)
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)

    async def _drive(self, way: Journey, until_s: float) -> None:
        """Seconds pass, each with a fix; minutes beat."""
        while self._now_s < until_s:
            self._now_s += 1.0
            at = STARTS_AT + timedelta(seconds=self._now_s)
            seen = self._wander.off(way.at(at))
            heading = round(seen.heading_deg, 4) if seen.speed_mps > 0.3 else None
            # As gpsd gives them: nine places of a degree.
            place = (round(seen.place.lat_deg, 9), round(seen.place.lon_deg, 9))
            fix = RawFix(at, 3, *place, round(seen.speed_mps, 3), heading, 17.86)
            observed = self._observer.observe(fix, self._now_s)
            self._runtime.tell(FixJudged(position=observed.position, motion=observed.motion), crumb=observed.breadcrumb)
            if self._now_s % 60 == 0:
                await self._submit(MinutePassed())
                await self._until_planned()
                await self._receive()
            if self._now_s % HOUR_S in (0, ONLINE_S):
                self._has_link = not self._has_link
                await self._submit(LinkChanged(is_online=self._has_link))

    async def _deliver(self, stop: Stop) -> None:
        data = self._dice.randbytes(self._dice.randint(*SIGNATURE_BYTES))  # a PNG does not compress either
        sha256 = hashlib.sha256(data).hexdigest()
        taken_at = STARTS_AT + timedelta(seconds=self._now_s)
        evidence = Evidence(
            kind=EvidenceKind.SIGNATURE,
            sha256=sha256,
            size_bytes=len(data),
            media_type="image/png",
            taken_at=taken_at,
            signed_by="Marta Pires",
        )
        blob = NewBlob(sha256, EvidenceKind.SIGNATURE, "image/png", data)
        await self._tap(ArrivedTapped(stop_id=stop.stop_id))
        await self._tap(EvidenceTaken(stop_id=stop.stop_id, evidence=evidence), blob)
        await self._tap(DeliveredTapped(stop_id=stop.stop_id))
        self.stops_done += 1
        if self._has_link:
            receipts = Receipts(epoch=self._store.identity.epoch, blobs={sha256: BlobReceipt(is_whole=True)})
            await self._store.apply_receipts(receipts, self._now_ms())

    async def _tap(self, entered: AnyInput, blob: NewBlob | None = None) -> None:
        tap_id = f"tap-{next(self._tap_ids):06d}"
        answer = await self._runtime.submit(
            entered, tap=TapMade(tap_id, hashlib.sha256(tap_id.encode()).hexdigest()), blob=blob
        )
        if answer.refusal is not None:
            raise RuntimeError(f"the van refused {entered.kind}: {answer.refusal}")
        self.taps += 1
        await self._until_planned()
        await self._receive()

    async def _receive(self) -> None:
        """What the courier does when the coordinator has everything: a receipt for each lane with news."""
        if not self._has_link:
            return
        for lane in ("events", "track"):
            rows = await self._store.next_unreceipted(lane, 1, newest=True)
            if rows:
                receipt = LaneReceipt(contiguous_seq=rows[-1].seq)
                await self._store.apply_receipts(Receipts(epoch=rows[-1].epoch, lanes={lane: receipt}), self._now_ms())

    async def _submit(self, entered: AnyInput) -> None:
        await self._runtime.submit(entered)

    async def _until_planned(self) -> None:
        while self._runtime.run.replan is not None:  # noqa: ASYNC110 - a plan that was dropped rings no bell
            await asyncio.sleep(0.001)

    async def _plan(self, run: Run, reason: ReplanReason) -> PlanSolved:
        self.plans += 1
        at = STARTS_AT + timedelta(seconds=self._now_s)
        legs = []
        for stop in run.open_stops:
            arrive_at, at = at + timedelta(seconds=120), at + timedelta(seconds=240)
            legs.append(
                PlanLeg(
                    stop_id=stop.stop_id,
                    travel_s=117.3,
                    travel_m=812.9,
                    arrive_at=arrive_at,
                    leave_at=at,
                    lateness_s=0.0,
                )
            )
        assert run.manifest is not None
        plan = Plan(
            version=1,
            made_at=STARTS_AT + timedelta(seconds=self._now_s),
            start=run.manifest.start.place,
            legs=tuple(legs),
            home_travel_s=400.0,
            home_travel_m=3000.0,
            reason=reason,
            times=TimesSource.ROADS,
        )
        return PlanSolved(run_version=run.version, plan=plan)

    def _now_ms(self) -> int:
        return round((STARTS_AT.timestamp() + self._now_s) * 1000)


if __name__ == "__main__":
    asyncio.run(main())
