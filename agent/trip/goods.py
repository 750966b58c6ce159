"""Where the goods of a stop are, as far as this van can know. Pure.

A van knows what it loaded, what it handed over and what it took over. Before it has left, that nothing is aboard is
known only while it stands at the depot or nobody has begun to work; a driver who leaves without a load check is asked.
"""

from datetime import datetime
from enum import StrEnum

from agent.trip.hand import LoadState
from agent.trip.progress import distance_to_m
from agent.trip.run import Run, RunStop, StopPhase
from wire.events import OffDutyWhy
from wire.manifest import StopKind

DEPOT_M = 300.0
"""A yard and the street before it."""
FROM_DEPOT = (StopKind.DELIVERY, StopKind.HANDOVER)


class Custody(StrEnum):
    """Whose hands the goods of a stop are in."""

    NONE = "none"
    """It has no goods: a charge, a break, a meeting."""
    SENDER = "sender"
    DEPOT = "depot"
    ABOARD = "aboard"
    OTHER_VAN = "other_van"
    RECIPIENT = "recipient"
    PICKUP_POINT = "pickup_point"
    UNKNOWN = "unknown"


def leaves_with(run: Run, stop: RunStop) -> bool:
    """Whether the goods of a stop of the list leave the depot with this van."""
    is_met = stop.meeting is not None or stop.taken_at is not None or stop.stop_id in run.to_take
    return stop.is_listed and stop.passed is None and stop.stop.kind in FROM_DEPOT and not is_met


def is_aboard(run: Run, stop: RunStop) -> bool:
    """Whether they are known to be in this van now, or were until it closed the stop."""
    if stop.passed is not None or stop.meeting is not None or stop.stop_id in (*run.load.returned, *run.load.dropped):
        return False
    if stop.taken_at is not None:
        return True
    if stop.stop.kind not in FROM_DEPOT:
        return stop.phase is StopPhase.COMPLETED  # fetched
    if stop.stop_id in run.to_take:
        return False
    load = run.load
    if load.taken is None:  # a run of an earlier version says only that it was checked
        return load.state is LoadState.DONE
    codes = {parcel.code for parcel in stop.stop.handover.parcels}
    was_found = (
        not codes or load.counted is not None or load.state is LoadState.OPEN or not codes.isdisjoint(load.scanned)
    )
    return stop.stop_id in load.taken and was_found


def custody_of(run: Run, stop: RunStop, now: datetime) -> Custody:
    """Where they are; UNKNOWN where only the driver can say whether they are aboard."""
    kind = stop.stop.kind
    if stop.meeting is not None or kind in (StopKind.CHARGE, StopKind.BREAK, StopKind.DEPOT):
        return Custody.NONE
    if (stop.passed is not None and stop.passed.is_given) or stop.stop_id in run.to_take:
        return Custody.OTHER_VAN
    at_first = Custody.DEPOT if kind in FROM_DEPOT else Custody.SENDER
    if stop.stop_id in run.load.returned:
        return Custody.DEPOT
    if stop.stop_id in run.load.dropped:
        return Custody.PICKUP_POINT
    if kind in FROM_DEPOT and stop.phase is StopPhase.COMPLETED:
        return Custody.RECIPIENT
    if is_aboard(run, stop):
        return Custody.ABOARD
    if at_first is Custody.SENDER or run.load.taken is not None or stop.passed is not None:
        return at_first
    return Custody.DEPOT if is_at_depot(run, now) else Custody.UNKNOWN


def is_at_depot(run: Run, now: datetime) -> bool:
    """The van is seen to stand there, or nobody has begun to work."""
    if run.off_duty is not None and run.off_duty.why is OffDutyWhy.NOT_BEGUN:
        return True
    away_m = distance_to_m(run.manifest.start.place, run, now) if run.manifest else None
    return away_m is not None and away_m <= DEPOT_M


def left_with(run: Run) -> Run:
    """The run with what has left the depot, once the van was at a stop: nobody drives out to deliver nothing."""
    if run.load.taken is not None or not any(_was_at(stop) for stop in run.stops):
        return run
    return run.model_copy(update={"load": run.load.model_copy(update={"taken": taken_now(run)})})


def taken_now(run: Run) -> tuple[str, ...]:
    """The stops whose goods leave, or have left, with this van."""
    before = run.load.taken or ()
    gone = {stop.stop_id for stop in run.stops if stop.phase in (StopPhase.COMPLETED, StopPhase.FAILED)}
    now = [stop.stop_id for stop in run.stops if leaves_with(run, stop) and (not before or stop.stop_id not in gone)]
    return tuple(dict.fromkeys((*before, *now)))


def _was_at(stop: RunStop) -> bool:
    return stop.phase in (StopPhase.ARRIVED, StopPhase.COMPLETED, StopPhase.FAILED) and stop.stop.kind in FROM_DEPOT
