"""The run: the manifest as the van lives it. One immutable value; everything the van knows of its day is in here."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from agent.gps.dwell import Dwell
from agent.gps.position import Motion, Position
from agent.learn.known import Known
from agent.learn.lessons import Lesson, Lessons
from agent.learn.today import DaySums
from agent.trip.hand import Hand, Load
from agent.trip.label import LabelSeen
from wire.changes import Miss, Move
from wire.elsewhere import Elsewhere
from wire.events import Alarm, ArrivedBy, FailReason, ManifestRefused, OffDutyWhy, Outcome, ReplanReason, TimesSource
from wire.geo import Place
from wire.manifest import Closure, Conditions, EvidenceKind, Manifest, SpeedChange, Stop
from wire.model import Instant, Metres, Seconds, Sha256, StopId, Value
from wire.places import Misplaced
from wire.transfer import Meeting, Side
from wire.transport import TransportLabel


class StopPhase(StrEnum):
    """What the van has done at a stop; which may follow which is the table in `lifecycle.py`."""

    OPEN = "open"
    ARRIVED = "arrived"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Evidence(Value):
    """One piece of proof, bound to its stop the moment it was taken. The bytes are in the store, by hash."""

    kind: EvidenceKind
    sha256: Sha256
    size_bytes: int
    media_type: str
    taken_at: Instant
    signed_by: str = ""


class Standing(Value):
    """How the van stands to a stop; kept from when it watches it until it has driven off."""

    stop_id: StopId
    place: Place
    """What the radii are drawn around: the address, or where the van stood when its driver said that it was there."""
    dwell: Dwell = Dwell()


class Before(Value):
    """A stop as it was before its newest closing, for as long as that can be taken back: until the next thing is done
    there, so that taking back never drops work.
    """

    at: Instant
    """When it was closed or put off."""
    phase: StopPhase
    arrived_at: Instant | None
    is_skipped: bool
    hand: Hand


class Passed(Value):
    """A stop that went to another van: released, or its goods given at a meeting."""

    transfer_id: StopId
    """The transfer's, or the meeting's."""
    to_van: str
    is_given: bool
    """Its goods were aboard."""
    at: Instant


class RunStop(Value):
    """A stop of the manifest and what became of it."""

    stop: Stop
    phase: StopPhase = StopPhase.OPEN
    arrived_at: Instant | None = None
    closed_at: Instant | None = None
    outcome: Outcome | None = None
    reason: FailReason | None = None
    note: str = ""
    received_by: str = ""
    evidence: tuple[Evidence, ...] = ()
    is_skipped: bool = False
    """The driver put it off; it stays open and is planned behind the others of its kind."""
    arrived_by: ArrivedBy | None = None
    departed_at: Instant | None = None
    """When the van was seen to drive off, after the newest arrival."""
    is_listed: bool = True
    """False once the coordinator took it off the manifest; a stop already closed keeps its outcome."""
    hand: Hand = Hand()
    before: Before | None = None
    is_found: bool = False
    """Made here of a parcel's label, and on no list of the coordinator yet."""
    labels: tuple[TransportLabel, ...] = ()
    """Those that gave `stop` what the list does not say."""
    listed_as: Stop | None = None
    """As the list has it, where a label added something."""
    passed: Passed | None = None
    """Then it is another van's."""
    kept_for: StopId | None = None
    """The transfer that was answered with a no."""
    taken_at: Instant | None = None
    """When its goods came aboard from another van."""
    meeting: Meeting | None = None
    """Of a stop of kind `handover`; kept when it is taken off the list: the two vans may have met all the same."""

    @property
    def stop_id(self) -> StopId:
        return self.stop.stop_id

    @property
    def is_open(self) -> bool:
        return self.phase in (StopPhase.OPEN, StopPhase.ARRIVED)

    @property
    def proofs(self) -> tuple[Evidence, ...]:
        """The evidence of the attempt that is on, or that closed the stop."""
        return self.evidence[self.hand.proofs_before :]

    def kept(self, now: datetime) -> Before:
        """What taking back a closing at `now` would bring back."""
        return Before(at=now, phase=self.phase, arrived_at=self.arrived_at, is_skipped=self.is_skipped, hand=self.hand)


class PlanCharge(Value):
    """A charging stop of a plan, on the way to one of its stops or home."""

    charger_id: StopId
    name: str
    place: Place
    arrive_at: Instant
    leave_at: Instant
    arrive_kwh: float
    to_kwh: float


class ChargeReading(Value):
    """What was in the battery at a moment, as its display showed it."""

    share: Annotated[float, Field(ge=0, le=1)]
    at: Instant
    place: Place | None
    """None: nobody knew where the van was."""


class Outlook(Value):
    """What the battery comes to with a plan. kWh."""

    battery_kwh: float
    charge_kwh: float
    """What is taken to be in it when the plan was made."""
    end_kwh: float
    """What is expected at the end of the day, and what 95 of 100 vans have at least."""
    end_least_kwh: float
    reserve_kwh: float
    short_kwh: Annotated[float, Field(ge=0)] = 0.0
    """By how much the reserve may be missed, at the worst place; 0: the day can be finished."""


class PlanLeg(Value):
    """One stop of a plan: how to get there from the one before, and when."""

    stop_id: StopId
    travel_s: Seconds
    travel_m: Metres
    arrive_at: Instant
    """Expected arrival when the plan was made."""
    leave_at: Instant
    lateness_s: Seconds
    """Past the window's end at `arrive_at`; 0 without a window."""
    road_s: Seconds | None = None
    """What the road says, before anything learned; None where `travel_s` is that."""
    charges: tuple[PlanCharge, ...] = ()
    """Charging stops on the way; the detour is in `travel_s`, the time at the charger is not."""


class Plan(Value):
    """An order of the remaining stops with leg times. `version` counts the plans of the day."""

    version: int
    made_at: Instant
    start: Place
    legs: tuple[PlanLeg, ...]
    home_travel_s: Seconds
    home_travel_m: Metres
    reason: ReplanReason
    times: TimesSource
    moved_stops: tuple[StopId, ...] = ()
    gain_s: float = 0.0
    was_offline: bool = False
    moves: tuple[Move, ...] = ()
    """Why each of `moved_stops` moved."""
    misses: tuple[Miss, ...] = ()
    """What this order cannot keep, and what binds."""
    misplaced: tuple[Misplaced, ...] = ()
    """The stops that no open road leads to."""
    home_charges: tuple[PlanCharge, ...] = ()
    """Charging stops behind the last stop."""
    charged: tuple[PlanCharge, ...] = ()
    """Those of earlier plans that are taken to be made, because the stop behind them was reached."""
    outlook: Outlook | None = None
    """None for a van whose charge is not looked at."""

    @property
    def stop_ids(self) -> tuple[StopId, ...]:
        return tuple(leg.stop_id for leg in self.legs)

    @property
    def late_stops(self) -> frozenset[StopId]:
        return frozenset(leg.stop_id for leg in self.legs if leg.lateness_s > 0)


class Proposal(Value):
    """A better order beside the one the driver has, as the planner found it; what becomes of it is `policy.py`."""

    plan: Plan
    worth_s: float
    """By how much it is better, in the seconds of `localroute/problem.md`, with the price of each move paid."""
    late_before: tuple[StopId, ...] = ()
    """The stops that miss their window in the driver's own order."""
    is_forced: bool = False
    """The driver's own order cannot be driven: no open road leads along it."""

    @property
    def saved(self) -> frozenset[StopId]:
        """The stops whose window only this order keeps."""
        return frozenset(self.late_before) - self.plan.late_stops

    @property
    def lost(self) -> frozenset[StopId]:
        return self.plan.late_stops - frozenset(self.late_before)


class Offer(Value):
    """A proposal that waits for the driver's answer. Whether it still may be answered is `offers.standing`."""

    number: Annotated[int, Field(ge=1)]
    """Counts the offers of this store; an answer names it, so that it cannot meet another offer."""
    made_at: Instant
    expires_at: Instant
    proposal: Proposal


class Kept(Value):
    """The offer that the driver answered with *keep mine*, for as long as it is remembered."""

    at: Instant
    worth_s: float
    order: tuple[StopId, ...]
    """What was offered and not taken."""
    late: tuple[StopId, ...]
    """The stops that were late in the driver's own order when it was kept: their windows are no news."""


class Answered(Value):
    """The newest offer that was answered, for the console and for a tap that comes twice."""

    number: int
    at: Instant
    is_accepted: bool
    moved_stops: int
    gain_s: float


class ReplanWanted(Value):
    """A plan that was asked for and has not come yet."""

    reason: ReplanReason
    run_version: int
    asked_at: Instant
    turned: Annotated[int, Field(ge=0)] = 0
    """How many answers were not taken because they would have turned a moving van."""


class Forecast(Value):
    """An expected arrival that is remembered until the van is there, to see how far off it was."""

    stop_id: StopId
    band: int
    """Of `learn/conformal.py`."""
    p50: Instant
    sd_s: float


class Taught(Value):
    """What one visit taught, for as long as its closing can be taken back."""

    stop_id: StopId
    at: Instant
    lessons: tuple[Lesson, ...]
    took_s: float
    usual_s: float
    square: float


class Today(Value):
    """What this day shows of itself, beside what was known before it."""

    visits: DaySums = DaySums()
    legs: DaySums = DaySums()
    forecasts: tuple[Forecast, ...] = ()
    forecasts_at: Instant | None = None
    """When forecasts were last taken."""
    lessons: Lessons = Lessons()
    """For the days to come."""
    shifts: Mapping[int, tuple[float, float]] = {}
    """By band, what is added to the bounds of ranges for the rest of the day."""
    taught: tuple[Taught, ...] = ()
    """By the visits of a moment ago."""


class OffDuty(Value):
    """While this is so the van keeps and tells no position."""

    why: OffDutyWhy
    since: Instant


class Run(Value):
    """The whole day. `version` grows with everything a plan rests on (stops, phases, closures), not with each fix.

    `stops` keeps the manifest's order; the driving order is `plan`.
    """

    version: int = 0
    manifest: Manifest | None = None
    manifest_hash: str = ""
    refused: ManifestRefused | None = None
    """The last list that was not taken, and why; the broker hands it out again with each connection."""
    stops: tuple[RunStop, ...] = ()
    plan: Plan | None = None
    replan: ReplanWanted | None = None
    conditions: Conditions | None = None
    blocked: tuple[Closure, ...] = ()
    """The roads that the driver found blocked."""
    position: Position | None = None
    motion: Motion = Motion.UNKNOWN
    standings: tuple[Standing, ...] = ()
    """The stops the van stands at or has not driven off from yet, and the one it drives to; see `arrivals.py`."""
    is_online: bool = False
    link_since: Instant | None = None
    """Since when the link is as `is_online` says."""
    commands_done: tuple[StopId, ...] = ()
    looked_again_at: Instant | None = None
    """When the van last asked for a plan of its own accord (lateness, a plan that is missing)."""
    offer: Offer | None = None
    offers: int = 0
    """How many offers there have been."""
    kept: Kept | None = None
    answered: Answered | None = None
    charge: ChargeReading | None = None
    """The newest of the day."""
    known: Known | None = None
    """What was learned on other days; None until it was read from the store: then nothing is learned either."""
    today: Today = Today()
    alarms: tuple[Alarm, ...] = ()
    """What is wrong with the van's own computer today, for driver and coordinator."""
    load: Load = Load()
    elsewhere: Elsewhere | None = None
    """The other vans' parcels; of the list's day or of one to come (`elsewhere.py`)."""
    label: LabelSeen | None = None
    """The code that was read last, and what it is good for."""
    key_announced: str = ""
    """Which sealing key the coordinator was told of, as a hash (`keys.py`)."""
    off_duty: OffDuty | None = None
    on_duty_until: Instant | None = None
    """The driver said that work goes on after the shift; until when that holds."""

    @property
    def is_on_duty(self) -> bool:
        """Whether the van may keep and tell where it is; see `duty.py`."""
        return self.manifest is not None and self.off_duty is None

    @property
    def closures(self) -> tuple[Closure, ...]:
        """All that is known: what the coordinator told, and what the driver found."""
        return (*(self.conditions.closures if self.conditions else ()), *self.blocked)

    @property
    def speeds(self) -> tuple[SpeedChange, ...]:
        return self.conditions.speeds if self.conditions else ()

    def blocked_until(self, now: datetime) -> datetime | None:
        """Until when a road stays closed that the driver found blocked; None when none is."""
        return max((one.valid_until for one in self.blocked if one.valid_until > now), default=None)

    def find(self, stop_id: str) -> RunStop | None:
        return next((stop for stop in self.stops if stop.stop_id == stop_id), None)

    def find_code(self, code: str) -> RunStop | None:
        """The stop of a parcel, listed or taken off; the place where it changes vans only if no other is known."""
        has = (stop for stop in self.stops if any(one.code == code for one in stop.stop.handover.parcels))
        return min(has, key=lambda stop: stop.meeting is not None, default=None)

    @property
    def to_give(self) -> frozenset[StopId]:
        """Stops whose goods are to be given to another van, while the meeting is still to come."""
        return self._met(Side.GIVES)

    @property
    def to_take(self) -> frozenset[StopId]:
        """Stops on the list whose goods another van still has."""
        return self._met(Side.TAKES)

    def _met(self, side: Side) -> frozenset[StopId]:
        found: set[StopId] = set()
        for meeting in self.manifest.meetings if self.manifest else ():
            if meeting.side is not side:
                continue
            place = self.find(meeting.stop_id)
            for stop_id in meeting.stop_ids:
                stop = self.find(stop_id)
                if stop is None or not stop.is_open:
                    continue
                if side is Side.TAKES and stop.taken_at is None:
                    found.add(stop_id)
                # Once the meeting is over, what was not given is delivered like any other.
                if side is Side.GIVES and place is not None and place.is_open and stop.phase is StopPhase.OPEN:
                    found.add(stop_id)
        return frozenset(found)

    @property
    def open_stops(self) -> tuple[RunStop, ...]:
        """Stops still to be done, in driving order: planned ones first, then the rest in the manifest's order.
        Those that wait for a meeting with another van are not driven to.
        """
        held = self.to_give | self.to_take if self.manifest and self.manifest.meetings else frozenset()
        waiting = {stop.stop_id: stop for stop in self.stops if stop.is_open and stop.is_listed}
        waiting = {stop_id: stop for stop_id, stop in waiting.items() if stop_id not in held}
        planned = [waiting.pop(stop_id) for stop_id in (self.plan.stop_ids if self.plan else ()) if stop_id in waiting]
        return (*planned, *waiting.values())

    @property
    def next_stop(self) -> RunStop | None:
        """The stop being driven to or stood at: an arrived one before any other."""
        stops = self.open_stops
        return next((stop for stop in stops if stop.phase is StopPhase.ARRIVED), stops[0] if stops else None)
