"""What became of a stop, as a fold of what the vans said about it.

The state is the set of facts heard, each under its identity (van, epoch, seq) and kept in that order; everything the
console shows is read from that set. So folding is adding to a set: a fact folded twice changes nothing, and any order
of arrival, gaps and batch boundaries included, gives the same state. Order of meaning is by seq within a lane; between
lanes (another van, or the same van with a new store) there is none, and the van's own clock decides what to show first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cloud.fleet.view import StopStatus
from wire.checks import CheckDone, Dropped, ItemOutcome, ParcelScanned, StopReopened, Waiver
from wire.events import (
    ArrivedBy,
    EventKind,
    FailReason,
    Outcome,
    ProofCaptured,
    StopAmended,
    StopArrived,
    StopCompleted,
    StopDeparted,
    StopFailed,
    StopSkipped,
)
from wire.handover import Cash, NextStep
from wire.manifest import EvidenceKind
from wire.model import Instant, Latitude, Longitude, Message, Metres, Sha256, StopId
from wire.transfer import GoodsHanded, StopKept, StopReleased


@dataclass(frozen=True, slots=True)
class Origin:
    """Which record a fact comes from, when it was captured (None: that van had no idea of the time) and received."""

    van: str
    epoch: str
    seq: int
    captured_at: Instant | None
    received_at: Instant

    @property
    def lane(self) -> tuple[str, str]:
        return (self.van, self.epoch)

    @property
    def identity(self) -> tuple[str, str, int]:
        return (self.van, self.epoch, self.seq)


@dataclass(frozen=True, slots=True)
class Arrival:
    origin: Origin
    lat_deg: Latitude | None
    lon_deg: Longitude | None
    distance_m: Metres | None
    by: ArrivedBy = ArrivedBy.TAP


@dataclass(frozen=True, slots=True)
class Departure:
    """The van drove off with the stop still open. What the driver said stands; an arrival the van saw by itself ends:
    it may have been a red light.
    """

    origin: Origin


@dataclass(frozen=True, slots=True)
class PutOff:
    """Not now: `reason` where an attempt failed and the van comes again."""

    origin: Origin
    reason: FailReason | None = None


@dataclass(frozen=True, slots=True)
class Reopening:
    """The driver took back what the van had said last of this stop's end."""

    origin: Origin


@dataclass(frozen=True, slots=True)
class Amendment:
    """A correction of a closing by the same van; None leaves a thing as it was."""

    origin: Origin
    outcome: Outcome | None
    reason: FailReason | None
    received_by: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked at the door beside pictures: a code, the PIN, the age, a note, money."""

    origin: Origin
    said: ParcelScanned | CheckDone


@dataclass(frozen=True, slots=True)
class Passing:
    """What a van said of the stop's way to another van."""

    origin: Origin
    said: StopReleased | StopKept | GoodsHanded | Dropped


@dataclass(frozen=True, slots=True)
class Closing:
    """How a van closed the stop: with an outcome, or with a reason why not."""

    origin: Origin
    outcome: Outcome | None = None
    reason: FailReason | None = None
    received_by: str = ""
    note: str = ""
    proofs: tuple[Sha256, ...] = ()
    lat_deg: Latitude | None = None
    lon_deg: Longitude | None = None
    distance_m: Metres | None = None
    items: tuple[ItemOutcome, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    cash: Cash | None = None
    next_step: NextStep | None = None
    is_amended: bool = False

    @property
    def is_completed(self) -> bool:
        return self.outcome is not None


@dataclass(frozen=True, slots=True)
class AnnouncedEvidence:
    """A piece of proof as the van described it; its bytes come on their own, by hash."""

    origin: Origin
    kind: EvidenceKind
    sha256: Sha256
    size_bytes: int
    media_type: str
    signed_by: str


Fact = Arrival | Departure | PutOff | Closing | AnnouncedEvidence | Reopening | Amendment | Check | Passing

FACTS: Mapping[str, type[Message]] = {
    EventKind.STOP_ARRIVED: StopArrived,
    EventKind.STOP_DEPARTED: StopDeparted,
    EventKind.STOP_SKIPPED: StopSkipped,
    EventKind.STOP_COMPLETED: StopCompleted,
    EventKind.STOP_FAILED: StopFailed,
    EventKind.PROOF_CAPTURED: ProofCaptured,
    EventKind.STOP_REOPENED: StopReopened,
    EventKind.STOP_AMENDED: StopAmended,
    EventKind.PARCEL_SCANNED: ParcelScanned,
    EventKind.CHECK_DONE: CheckDone,
    EventKind.STOP_RELEASED: StopReleased,
    EventKind.STOP_KEPT: StopKept,
    EventKind.GOODS_HANDED: GoodsHanded,
    EventKind.GOODS_DROPPED: Dropped,
}
"""The kinds of records that say something of a stop, and the models of their bodies."""


@dataclass(frozen=True, slots=True)
class StopState:
    """Everything heard about one stop."""

    stop_id: StopId
    arrivals: tuple[Arrival, ...] = ()
    departures: tuple[Departure, ...] = ()
    put_offs: tuple[PutOff, ...] = ()
    closings: tuple[Closing, ...] = ()
    """Each lane's last word with its corrections; what was taken back is not here."""
    announced: tuple[AnnouncedEvidence, ...] = ()
    checks: tuple[Check, ...] = ()
    passings: tuple[Passing, ...] = ()

    @property
    def closing(self) -> Closing | None:
        """The closing to show: each lane's last word; among those a delivery before a failure, because goods that were
        handed over are; among deliveries the earliest captured, among failures the latest. None while it is open.
        """
        completed = [word for word in self.closings if word.is_completed]
        if completed:
            return min(completed, key=lambda word: _when(word.origin))
        return max(self.closings, key=lambda word: _when(word.origin), default=None)

    @property
    def arrival(self) -> Arrival | None:
        """The arrival to show: the last one of the van that closed the stop, else the latest of any."""
        closing = self.closing
        before = [
            arrival
            for arrival in self.arrivals
            if closing is None
            or (arrival.origin.lane == closing.origin.lane and arrival.origin.seq < closing.origin.seq)
        ]
        return max(before or self.arrivals, key=lambda arrival: _when(arrival.origin), default=None)

    @property
    def status(self) -> StopStatus:
        """PLANNED, ARRIVED, COMPLETED or FAILED: what the vans made of it, whatever the coordinator decided since."""
        closing = self.closing
        if closing is not None:
            return StopStatus.COMPLETED if closing.is_completed else StopStatus.FAILED
        is_there = any(not self._is_over(arrival) for arrival in self.arrivals)
        return StopStatus.ARRIVED if is_there else StopStatus.PLANNED

    @property
    def evidence(self) -> tuple[AnnouncedEvidence, ...]:
        """Each piece once, as it was first announced."""
        pieces: dict[Sha256, AnnouncedEvidence] = {}
        for piece in self.announced:
            pieces.setdefault(piece.sha256, piece)
        return tuple(pieces.values())

    @property
    def completed_by(self) -> tuple[str, ...]:
        """The vans that say they delivered it; more than one needs a person to look."""
        return tuple(sorted({word.origin.van for word in self.closings if word.is_completed}))

    @property
    def attempts(self) -> int:
        """How often a van tried and will come again, or tried and gave up."""
        again = sum(put_off.reason is not None for put_off in self.put_offs)
        return again + sum(not word.is_completed for word in self.closings)

    def is_delivered_after(self, cancelled_at: Instant | None) -> bool:
        """Whether goods were handed over though the coordinator had cancelled the stop; the fact stands either way."""
        return cancelled_at is not None and bool(self.completed_by)

    def _is_over(self, arrival: Arrival) -> bool:
        """Put off since; or, for one that the van saw by itself, left since."""
        ends: tuple[PutOff | Departure, ...] = self.put_offs
        if arrival.by is ArrivedBy.GEOFENCE:
            ends += self.departures
        return any(end.origin.lane == arrival.origin.lane and end.origin.seq > arrival.origin.seq for end in ends)


def fold(stop_id: StopId, told: Iterable[tuple[Origin, Message]]) -> StopState:
    """The state that these records' bodies come to, in whatever order and however often each is here; one that says
    nothing about this stop changes nothing.
    """
    facts: dict[tuple[str, str, int], Fact] = {}
    for origin, body in told:
        fact = _fact(origin, body) if getattr(body, "stop_id", None) == stop_id else None
        if fact is not None:
            facts[origin.identity] = fact
    ordered = [facts[identity] for identity in sorted(facts)]
    put_offs, closings = _ends(ordered)
    return StopState(
        stop_id=stop_id,
        arrivals=tuple(fact for fact in ordered if isinstance(fact, Arrival)),
        departures=tuple(fact for fact in ordered if isinstance(fact, Departure)),
        put_offs=put_offs,
        closings=closings,
        announced=tuple(fact for fact in ordered if isinstance(fact, AnnouncedEvidence)),
        checks=tuple(fact for fact in ordered if isinstance(fact, Check)),
        passings=tuple(fact for fact in ordered if isinstance(fact, Passing)),
    )


def _ends(ordered: Iterable[Fact]) -> tuple[tuple[PutOff, ...], tuple[Closing, ...]]:
    """What stands of the ends of a stop, lane by lane in the order of their seqs: a later word takes the place of an
    earlier closing, taking back takes the newest word, a correction changes the closing and not its time.
    """
    lanes: dict[tuple[str, str], list[PutOff | Closing]] = {}
    for fact in ordered:
        said = lanes.setdefault(fact.origin.lane, [])
        match fact:
            case PutOff() | Closing():
                said.append(fact)
            case Reopening() if said:
                said.pop()
            case Amendment() if said and isinstance(said[-1], Closing):
                said[-1] = _amended(said[-1], fact)
            case _:
                pass
    every = [word for said in lanes.values() for word in said]
    # Of closings a lane's last one counts; an attempt is no closing and is counted with all the others.
    last = [next((one for one in reversed(said) if isinstance(one, Closing)), None) for said in lanes.values()]
    return tuple(one for one in every if isinstance(one, PutOff)), tuple(one for one in last if one is not None)


def _amended(closing: Closing, by: Amendment) -> Closing:
    """The closing as it is after a correction; it keeps the time of the delivery."""
    after = replace(closing, is_amended=True)
    if by.outcome is not None or by.reason is not None:
        after = replace(after, outcome=by.outcome, reason=None if by.outcome is not None else by.reason)
    if by.received_by is not None:
        after = replace(after, received_by=by.received_by)
    return after if by.note is None else replace(after, note=by.note)


def _fact(origin: Origin, body: Message) -> Fact | None:
    match body:
        case StopArrived():
            return Arrival(
                origin=origin, lat_deg=body.lat_deg, lon_deg=body.lon_deg, distance_m=body.distance_m, by=body.by
            )
        case StopDeparted():
            return None if body.is_closed else Departure(origin=origin)
        case StopSkipped():
            return PutOff(origin=origin)
        case StopCompleted():
            return Closing(
                origin=origin,
                outcome=body.outcome,
                received_by=body.received_by,
                proofs=body.proofs,
                lat_deg=body.lat_deg,
                lon_deg=body.lon_deg,
                distance_m=body.distance_m,
                note=body.note,
                items=body.items,
                waivers=body.waivers,
                cash=body.cash,
            )
        case StopFailed(next_step=NextStep.LATER_TODAY):
            return PutOff(origin=origin, reason=body.reason)
        case StopFailed():
            return Closing(origin=origin, reason=body.reason, note=body.note, next_step=body.next_step)
        case StopReopened():
            return Reopening(origin=origin)
        case StopAmended():
            return Amendment(
                origin=origin,
                outcome=body.outcome,
                reason=body.reason,
                received_by=body.received_by,
                note=body.note,
            )
        case ParcelScanned() | CheckDone():
            return Check(origin=origin, said=body)
        case StopReleased() | StopKept() | GoodsHanded() | Dropped():
            return Passing(origin=origin, said=body)
        case ProofCaptured():
            return AnnouncedEvidence(
                origin=origin,
                kind=body.evidence_kind,
                sha256=body.sha256,
                size_bytes=body.size_bytes,
                media_type=body.media_type,
                signed_by=body.signed_by,
            )
    return None


def _when(origin: Origin) -> tuple[bool, float, tuple[str, str, int]]:
    # A van without an idea of the time comes after all that had one; identity makes the choice the same every time.
    captured_at = origin.captured_at
    return (captured_at is None, captured_at.timestamp() if captured_at else 0.0, origin.identity)
