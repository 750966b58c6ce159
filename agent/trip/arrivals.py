"""Arriving at a stop and driving off from it without a tap. Pure.

    watched       the stop being driven to, and every one the van has come to and not driven off from
    arrived       it stands within 60 m of the stop it drives to for 20 s
    departed      it was beyond 120 m of where it stood for 5 s

Each is told once: what lies between the radii changes nothing (`gps/dwell.py`). Only the stop being driven to is
arrived at by itself, since at a red light the van stands near others too; any other one needs the driver's tap. The
tap wins: a stop already arrived at is not arrived at again, one put off or failed is not until the van has been away,
and the radii are then drawn around where the van stood at the tap, because an address may be wrong. No fix, no arrival:
stale, estimated, unsettled and vague positions tell nothing. A stop arrived at by itself and left with nothing done
there is open again: it was a red light after all.
"""

from datetime import datetime, timedelta

from agent.gps.dwell import Dwell, seen, tells
from agent.gps.position import Motion, Position
from agent.trip.effects import Decision, Outgoing
from agent.trip.inputs import FixJudged
from agent.trip.learning import learned_at_stop
from agent.trip.lifecycle import StopEvent, next_phase
from agent.trip.plans import changed
from agent.trip.run import Run, RunStop, Standing, StopPhase
from wire.codec import to_json
from wire.events import ArrivedBy, EventKind, StopArrived, StopDeparted
from wire.geo import distance_m

TAP_PLACE_FOR = timedelta(seconds=60)
"""How long after a tap the van may still be believed to stand where it stood then."""


def position_judged(run: Run, judged: FixJudged, now: datetime) -> Decision:
    """The run with the newest position, and the arrivals and departures that it shows."""
    if not run.is_on_duty:
        return Decision(run=run)  # where the van is does not enter the run at all
    run = run.model_copy(update={"position": judged.position, "motion": judged.motion})
    position = judged.position
    if position is None or not tells(position):
        return Decision(run=run)
    decision = Decision(run=run)
    kept: list[Standing] = []
    for before in _watched(run, position, now):
        after = before.model_copy(update={"dwell": seen(before.dwell, before.place, position, judged.motion)})
        if after.dwell.has_come and not before.dwell.has_come:
            decision = _then(decision, _came(decision.run, after, position, now))
        elif after.dwell.has_gone:
            decision = _then(decision, _went(decision.run, after, position, now))
        if not after.dwell.has_gone and after.dwell != Dwell():
            kept.append(after)
    standings = tuple(kept)
    if standings != decision.run.standings:
        decision = decision.model_copy(update={"run": decision.run.model_copy(update={"standings": standings})})
    return decision


def _watched(run: Run, position: Position, now: datetime) -> list[Standing]:
    """The standings that still mean something, with those that begin."""
    going_to = run.next_stop
    watched = [
        one
        for one in run.standings
        if run.find(one.stop_id) is not None
        and (one.dwell.has_come or (going_to is not None and one.stop_id == going_to.stop_id))
    ]
    known = {one.stop_id for one in watched}
    for stop in run.stops:
        if stop.phase is StopPhase.ARRIVED and stop.arrived_at is not None:
            standing = next((one for one in watched if one.stop_id == stop.stop_id), None)
            if standing is not None and standing.dwell.has_come:
                continue
            if now - stop.arrived_at <= TAP_PLACE_FOR and run.motion in (Motion.HALTED, Motion.PARKED):
                # Said by the driver: counted from where the van stands, in the receiver's own time.
                since = position.fixed_at - (now - stop.arrived_at)
                watched = [one for one in watched if one.stop_id != stop.stop_id]
                dwell = Dwell(since=since, has_come=True)
                watched.append(Standing(stop_id=stop.stop_id, place=position.place, dwell=dwell))
                known.add(stop.stop_id)
    # One whose place nobody knows is arrived at by a tap alone.
    is_watched = going_to is not None and going_to.phase is StopPhase.OPEN and going_to.stop.is_placed
    if going_to is not None and is_watched and going_to.stop_id not in known:
        watched.append(Standing(stop_id=going_to.stop_id, place=going_to.stop.place))
    return watched


def _came(run: Run, standing: Standing, position: Position, now: datetime) -> Decision:
    stop = run.find(standing.stop_id)
    if stop is None or next_phase(stop.phase, StopEvent.ARRIVED) is None or stop.phase is not StopPhase.OPEN:
        return Decision(run=run)
    arrived_at = _in_our_time(standing.dwell.since, position, now)
    here = stop.model_copy(
        update={
            "phase": StopPhase.ARRIVED,
            "arrived_at": arrived_at,
            "arrived_by": ArrivedBy.GEOFENCE,
            "departed_at": None,
            "is_skipped": False,
            "before": None,
        }
    )
    said = StopArrived(
        stop_id=stop.stop_id,
        lat_deg=position.lat_deg,
        lon_deg=position.lon_deg,
        distance_m=distance_m(stop.stop.place, position.place),
        by=ArrivedBy.GEOFENCE,
        arrived_at=arrived_at,
    )
    outgoing = Outgoing(kind=EventKind.STOP_ARRIVED, body=to_json(said))
    decision = Decision(run=changed(_with(run, here)), outgoing=(outgoing,))
    return learned_at_stop(run, decision, stop.stop_id, arrived_at)


def _went(run: Run, standing: Standing, position: Position, now: datetime) -> Decision:
    stop, dwell = run.find(standing.stop_id), standing.dwell
    if stop is None or not dwell.has_come:
        return Decision(run=run)
    arrived_at = stop.arrived_at or _in_our_time(dwell.since, position, now)
    departed_at = max(arrived_at, _in_our_time(dwell.gone_at, position, now))
    left = stop.model_copy(update={"departed_at": departed_at})
    is_untouched = stop.hand.is_untouched and not stop.proofs
    if stop.phase is StopPhase.ARRIVED and stop.arrived_by is ArrivedBy.GEOFENCE and is_untouched:
        phase = next_phase(stop.phase, StopEvent.LEFT) or stop.phase
        left = left.model_copy(update={"phase": phase, "arrived_at": None, "arrived_by": None})
    said = StopDeparted(
        stop_id=stop.stop_id,
        arrived_at=arrived_at,
        departed_at=departed_at,
        stood_s=(departed_at - arrived_at).total_seconds(),
        is_closed=not stop.is_open,
    )
    after = _with(run, left)
    outgoing = Outgoing(kind=EventKind.STOP_DEPARTED, body=to_json(said))
    return Decision(run=after if left.phase is stop.phase else changed(after), outgoing=(outgoing,))


def _in_our_time(instant: datetime | None, position: Position, now: datetime) -> datetime:
    """A moment of the receiver's time by the van's own clock."""
    return now if instant is None else now - max(timedelta(), position.fixed_at - instant)


def _then(first: Decision, second: Decision) -> Decision:
    return second.model_copy(
        update={"outgoing": (*first.outgoing, *second.outgoing), "effects": (*first.effects, *second.effects)}
    )


def _with(run: Run, stop: RunStop) -> Run:
    stops = tuple(stop if other.stop_id == stop.stop_id else other for other in run.stops)
    return run.model_copy(update={"stops": stops})
