"""Stops that change vans, as the van on either side lives it. Pure.

Not aboard: the coordinator asks on the list, and the van answers by itself, once: it releases the stop, or keeps it and
says why. Only where nobody but the driver knows whether the goods are aboard, the driver is asked.

Aboard: two vans meet. The one that gives has the stops until its driver says that they are given; the one that takes
has them from when its driver says that they are taken. Each needs nothing of the other but what was planned: no
network, and no order of the two taps.
"""

from datetime import datetime

from agent.trip.effects import Decision, Effect, Outgoing, Refusal, Replan, Trouble
from agent.trip.goods import Custody, custody_of, left_with
from agent.trip.inputs import HandedOver, ReleaseAnswered, TransferTap
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.plans import asking, changed
from agent.trip.progress import proving_distance_m, proving_position
from agent.trip.run import Passed, Run, RunStop, StopPhase
from wire.checks import ParcelState
from wire.codec import content_hash, to_json
from wire.events import EventKind, Outcome, ReplanReason, StopArrived, StopCompleted
from wire.model import Message, StopId
from wire.transfer import GoodsHanded, KeptWhy, Meeting, ReleaseAsked, Side, StopKept, StopReleased


def settled(before: Run, decision: Decision, now: datetime) -> Decision:
    """What follows of every input: what has left the depot, and an answer to each release that can be answered."""
    run = decision.run
    if decision.refusal is not None or run.manifest is None:
        return decision
    if run.version != before.version:
        run = left_with(run)
        decision = decision if run is decision.run else decision.model_copy(update={"run": run})
    for asked in waiting(run):
        stop = run.find(asked.stop_id)
        if stop is not None:
            decision = _answered(decision, asked, stop, custody_of(decision.run, stop, now), now)
    return decision


def waiting(run: Run) -> tuple[ReleaseAsked, ...]:
    """The releases that are asked for and were not answered yet."""
    if run.manifest is None or not run.manifest.releases:
        return ()
    return tuple(
        asked
        for asked in run.manifest.releases
        if (stop := run.find(asked.stop_id)) is not None and stop.passed is None and stop.kept_for != asked.transfer_id
    )


def asks_driver(run: Run, now: datetime) -> tuple[ReleaseAsked, ...]:
    """Those that only the driver can answer."""
    return tuple(
        asked
        for asked in waiting(run)
        if (stop := run.find(asked.stop_id)) is not None and custody_of(run, stop, now) is Custody.UNKNOWN
    )


def transferred(run: Run, tap: TransferTap, now: datetime) -> Decision:
    """The run after a tap at a meeting or the driver's word on a release, or the refusal with which nothing changes."""
    stop = run.find(tap.stop_id)
    if stop is None:
        return _refused(run, Trouble.UNKNOWN_STOP if run.manifest else Trouble.NO_MANIFEST, tap.stop_id)
    match tap:
        case ReleaseAnswered():
            asked = next((one for one in waiting(run) if one.stop_id == stop.stop_id), None)
            if asked is None:
                return _refused(run, Trouble.NOT_ASKED_FOR, stop.stop_id)
            said = Custody.ABOARD if tap.is_aboard else Custody.DEPOT
            return _answered(Decision(run=run), asked, stop, said, now)
        case HandedOver():
            return handed_over(run, stop, tap.stop_ids, now)


def trouble_with(run: Run, stop: RunStop) -> Trouble | None:
    """Why a stop cannot be worked at: another van has its goods. None where it can."""
    if stop.passed is not None and stop.passed.is_given:
        return Trouble.PASSED_ON
    return Trouble.NOT_TAKEN if stop.stop_id in run.to_take else None


def at_meeting(run: Run, meeting: Meeting) -> tuple[RunStop, ...]:
    """The stops whose goods can change vans there now."""
    found = (run.find(stop_id) for stop_id in meeting.stop_ids)
    can = (stop for stop in found if stop is not None and next_phase(stop.phase, StopEvent.PASSED_ON) is not None)
    if meeting.side is Side.TAKES:
        return tuple(stop for stop in can if stop.taken_at is None)
    return tuple(stop for stop in can if stop.passed is None or not stop.passed.is_given)


def handed_over(run: Run, place: RunStop, stop_ids: tuple[StopId, ...] | None, now: datetime) -> Decision:
    """Closes a meeting: the goods of `stop_ids` changed vans, those of the others did not."""
    meeting = place.meeting
    if meeting is None:
        return _refused(run, Trouble.NO_MEETING, place.stop_id)
    phase = next_phase(place.phase, StopEvent.DELIVERED)
    if phase is None:
        return _refused(run, Trouble.ALREADY_CLOSED, place.stop_id)
    there = at_meeting(run, meeting)
    handed = {stop.stop_id for stop in there if stop_ids is None or stop.stop_id in stop_ids}
    if not handed:
        return _refused(run, Trouble.NOTHING_HANDED_OVER, place.stop_id)
    told: list[Outgoing] = (
        [] if place.arrived_at else [_said(EventKind.STOP_ARRIVED, StopArrived(stop_id=place.stop_id))]
    )
    after = {stop.stop_id: stop for stop in run.stops}
    for stop in there:
        is_handed = stop.stop_id in handed
        told.append(_word(place, meeting, stop, is_handed=is_handed))
        if is_handed:
            after[stop.stop_id] = _given(stop, meeting, now) if meeting.side is Side.GIVES else _taken(stop, now)
    after[place.stop_id] = place.model_copy(
        update={
            "phase": phase,
            "arrived_at": place.arrived_at or now,
            "closed_at": now,
            "outcome": Outcome.HANDED_OVER,
            "before": place.kept(now),
        }
    )
    position = proving_position(run, now)
    completed = StopCompleted(
        stop_id=place.stop_id,
        outcome=Outcome.HANDED_OVER,
        lat_deg=position.lat_deg if position else None,
        lon_deg=position.lon_deg if position else None,
        distance_m=proving_distance_m(place.stop.place, run, now),
        listed=content_hash(place.listed_as or place.stop),
        note=place.hand.note,
    )
    told.append(_said(EventKind.STOP_COMPLETED, completed))
    moved, effects = asking(changed(_with(run, after)), ReplanReason.MANIFEST, now)
    return Decision(run=moved, outgoing=tuple(told), effects=effects)


def nothing_handed(run: Run, place: RunStop, decision: Decision) -> Decision:
    """A meeting that failed: nothing changed vans there, which is said of each stop."""
    meeting = place.meeting
    if meeting is None or decision.refusal is not None:
        return decision
    words = tuple(_word(place, meeting, stop, is_handed=False) for stop in at_meeting(run, meeting))
    return decision.model_copy(update={"outgoing": (*words, *decision.outgoing)})


def taken_back(run: Run, place: RunStop, decision: Decision) -> Decision:
    """The closing of a meeting was taken back: its goods are where they were before."""
    meeting = place.meeting
    if meeting is None or decision.refusal is not None:
        return decision
    after = {stop.stop_id: stop for stop in decision.run.stops}
    words = []
    for stop in run.stops:
        if stop.stop_id not in meeting.stop_ids:
            continue
        if meeting.side is Side.GIVES and stop.passed is not None and stop.passed.transfer_id == meeting.meeting_id:
            phase = (next_phase(stop.phase, StopEvent.LISTED) if stop.is_listed else None) or stop.phase
            after[stop.stop_id] = stop.model_copy(update={"passed": None, "phase": phase})
        elif (
            meeting.side is Side.TAKES
            and stop.taken_at is not None
            and stop.taken_at == place.closed_at
            and stop.is_open
        ):
            after[stop.stop_id] = stop.model_copy(
                update={"taken_at": None, "phase": StopPhase.OPEN, "arrived_at": None}
            )
        else:
            continue
        words.append(_word(place, meeting, stop, is_handed=False))
    run = changed(_with(decision.run, after))
    return decision.model_copy(update={"run": run, "outgoing": (*words, *decision.outgoing)})


def _answered(decision: Decision, asked: ReleaseAsked, stop: RunStop, custody: Custody, now: datetime) -> Decision:
    """With the answer to one release; without one where only the driver knows it."""
    run = decision.run
    why: KeptWhy | None = None
    if not stop.is_open and stop.phase is not StopPhase.CANCELLED:
        why = KeptWhy.CLOSED
    elif stop.phase is StopPhase.ARRIVED:
        why = KeptWhy.AT_THE_DOOR
    elif custody is Custody.UNKNOWN:
        return decision
    elif custody not in (Custody.DEPOT, Custody.SENDER):
        why = KeptWhy.ABOARD
    if why is not None:
        kept = StopKept(stop_id=stop.stop_id, transfer_id=asked.transfer_id, why=why)
        after = _with(run, {stop.stop_id: stop.model_copy(update={"kept_for": asked.transfer_id})})
        told = _said(EventKind.STOP_KEPT, kept)
        return decision.model_copy(update={"run": after, "outgoing": (*decision.outgoing, told)})
    passed = Passed(transfer_id=asked.transfer_id, to_van=asked.to_van, is_given=False, at=now)
    phase = next_phase(stop.phase, StopEvent.PASSED_ON) or stop.phase
    gone = stop.model_copy(update={"passed": passed, "phase": phase, "arrived_at": None})
    after, effects = asking(changed(_with(run, {stop.stop_id: gone})), ReplanReason.MANIFEST, now)
    released = StopReleased(stop_id=stop.stop_id, transfer_id=asked.transfer_id, to_van=asked.to_van)
    told = _said(EventKind.STOP_RELEASED, released)
    # A plan that was asked for already is asked for as the run is now.
    every: tuple[Effect, ...] = (*(one for one in decision.effects if not isinstance(one, Replan)), *effects)
    return decision.model_copy(update={"run": after, "outgoing": (*decision.outgoing, told), "effects": every})


def _given(stop: RunStop, meeting: Meeting, now: datetime) -> RunStop:
    passed = Passed(transfer_id=meeting.meeting_id, to_van=meeting.other_van, is_given=True, at=now)
    phase = next_phase(stop.phase, StopEvent.PASSED_ON) or stop.phase
    return stop.model_copy(update={"passed": passed, "phase": phase, "arrived_at": None, "before": None})


def _taken(stop: RunStop, now: datetime) -> RunStop:
    return stop.model_copy(update={"taken_at": now, "passed": None})


def _word(place: RunStop, meeting: Meeting, stop: RunStop, *, is_handed: bool) -> Outgoing:
    """What this side says of the goods of one stop; parcels that were marked at the meeting are named."""
    parcels = stop.stop.handover.parcels
    marked = [place.hand.state_of(parcel.code) for parcel in parcels]
    missing = tuple(one.code for one in marked if one is not None and one.state is not ParcelState.DELIVERED)
    body = GoodsHanded(
        stop_id=stop.stop_id,
        meeting_id=meeting.meeting_id,
        side=meeting.side,
        other_van=meeting.other_van,
        is_handed=is_handed,
        parcels=max(stop.stop.amount.parcels, len(parcels)) - len(missing) if is_handed else 0,
        missing=missing,
    )
    return _said(EventKind.GOODS_HANDED, body)


def _with(run: Run, after: dict[StopId, RunStop]) -> Run:
    return run.model_copy(update={"stops": tuple(after.get(stop.stop_id, stop) for stop in run.stops)})


def _refused(run: Run, trouble: Trouble, stop_id: str) -> Decision:
    return Decision(run=run, refusal=Refusal(trouble=trouble, stop_id=stop_id))


def _said(kind: EventKind, body: Message) -> Outgoing:
    return Outgoing(kind=kind, body=to_json(body))
