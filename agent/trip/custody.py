"""Whose hands the goods are in: the load check before leaving, and what must come back to the depot. Pure.

The goods of a stop are aboard from the load check on, until they are handed over; a stop that failed for good leaves
them aboard until they are given back at the depot.
"""

from datetime import datetime
from functools import partial

from agent.pod import scans
from agent.trip.effects import Decision, Outgoing, Refusal, Trouble
from agent.trip.elsewhere import whose
from agent.trip.found import after_filling, completed, offered
from agent.trip.goods import leaves_with, taken_now
from agent.trip.hand import LastScan, LoadState
from agent.trip.inputs import BackScanned, DroppedTapped, GoodsReturned, LoadConfirmed, LoadScanned, LoadTap
from agent.trip.run import Run, RunStop, StopPhase
from wire.checks import Dropped, LoadChecked, ParcelState, Returned, ScanVerdict
from wire.codec import to_json
from wire.events import EventKind
from wire.handover import NextStep
from wire.manifest import Stop, StopKind


def loaded(run: Run, tap: LoadTap, now: datetime) -> Decision:
    """The run after a code at the depot, or after the driver's word that the load is as it is."""
    if run.manifest is None:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.NO_MANIFEST))
    match tap:
        case LoadScanned():
            return _scanned(run, tap, now)
        case LoadConfirmed():
            return _confirmed(run, tap, now)
        case GoodsReturned():
            return _returned(run)
        case BackScanned():
            return _scanned_back(run, tap, now)
        case DroppedTapped():
            return _dropped(run, tap)


def codes_expected(run: Run) -> tuple[str, ...]:
    """The codes of everything that leaves the depot with this van."""
    return tuple(parcel.code for stop in _from_depot(run) for parcel in stop.stop.handover.parcels)


def parcels_expected(run: Run) -> int:
    """How many parcels leave the depot, coded or not."""
    return sum(max(stop.stop.amount.parcels, len(stop.stop.handover.parcels)) for stop in _from_depot(run))


def to_bring_back(run: Run) -> tuple[RunStop, ...]:
    """Stops whose goods, or some of them, are still aboard though nobody will get them today."""
    return tuple(
        stop
        for stop in run.stops
        if stop.stop.kind is not StopKind.PICKUP
        and parcels_back(stop) > 0
        and stop.stop_id not in run.load.returned
        and _may_be_aboard(run, stop)
        and not goes_to_point(run, stop)
    )


def goes_to_point(run: Run, stop: RunStop) -> bool:
    """Whether its goods are aboard and on their way to a pickup point."""
    is_sent = stop.phase is StopPhase.FAILED and stop.stop.handover.on_failure is NextStep.PICKUP_POINT
    is_over = stop.stop_id in (*run.load.dropped, *run.load.not_dropped, *run.load.returned)
    return is_sent and not is_over and stop.stop.kind is not StopKind.PICKUP and _may_be_aboard(run, stop)


def to_drop(run: Run) -> dict[str, tuple[RunStop, ...]]:
    """By pickup point, the stops whose goods are to be left there."""
    found: dict[str, tuple[RunStop, ...]] = {}
    for stop in run.stops:
        if goes_to_point(run, stop):
            point = stop.stop.handover.pickup_point
            found[point] = (*found.get(point, ()), stop)
    return found


def parcels_back(stop: RunStop) -> int:
    """How many parcels of a stop come back to the depot."""
    count = max(stop.stop.amount.parcels, len(stop.stop.handover.parcels))
    if stop.phase in (StopPhase.FAILED, StopPhase.CANCELLED):
        return count - sum(parcel.state is ParcelState.MISSING for parcel in stop.hand.parcels)
    if stop.phase is StopPhase.COMPLETED:
        return sum(parcel.state in (ParcelState.REFUSED, ParcelState.DAMAGED) for parcel in stop.hand.parcels)
    return 0


def _is_elsewhere(run: Run, stop: RunStop) -> bool:
    """Whether another van has the goods, or is to hand them over."""
    return stop.passed is not None or stop.meeting is not None or stop.stop_id in run.to_take


def _may_be_aboard(run: Run, stop: RunStop) -> bool:
    """What another van has, or never left the depot, does not come back with this one."""
    if stop.stop_id in run.load.dropped:
        return False
    waits = any(one.is_open and one.meeting is not None and stop.stop_id in one.meeting.stop_ids for one in run.stops)
    never_left = run.load.taken is not None and stop.taken_at is None and stop.stop_id not in run.load.taken
    return not (_is_elsewhere(run, stop) or waits or never_left)


def _returned(run: Run) -> Decision:
    back = to_bring_back(run)
    if not back:
        return Decision(run=run)
    stop_ids = tuple(stop.stop_id for stop in back)
    scanned = run.load.back_scanned
    load = run.load.model_copy(update={"returned": (*run.load.returned, *stop_ids), "back_scanned": ()})
    told = Returned(stop_ids=stop_ids, parcels=sum(parcels_back(stop) for stop in back), scanned=scanned)
    outgoing = Outgoing(kind=EventKind.GOODS_RETURNED, body=to_json(told))
    return Decision(run=run.model_copy(update={"load": load}), outgoing=(outgoing,))


def _scanned_back(run: Run, tap: BackScanned, now: datetime) -> Decision:
    """A code is right where its parcel is one that comes back."""
    back = [_of_back(stop) for stop in to_bring_back(run)]
    found = scans.judged_aboard(tap.code, back, [stop.stop for stop in run.stops])
    is_other = found.verdict is ScanVerdict.NOT_THIS_VAN
    verdict = ScanVerdict.NOT_THIS_STOP if is_other else found.verdict
    seen = LastScan(code=found.code, verdict=verdict, belongs_to=found.belongs_to, at=now)
    load = run.load.model_copy(update={"last_scan": seen})
    if found.verdict is ScanVerdict.RIGHT and found.code not in load.back_scanned:
        load = load.model_copy(update={"back_scanned": (*load.back_scanned, found.code)})
    return Decision(run=run.model_copy(update={"load": load}))


def codes_back(run: Run) -> tuple[str, ...]:
    """The codes of the parcels that come back."""
    return tuple(parcel.code for stop in to_bring_back(run) for parcel in _of_back(stop).handover.parcels)


def _of_back(stop: RunStop) -> Stop:
    """The stop with those of its parcels that come back."""
    gone = (
        (ParcelState.MISSING,)
        if stop.phase is not StopPhase.COMPLETED
        else (ParcelState.MISSING, ParcelState.DELIVERED)
    )
    states = {parcel.code: parcel.state for parcel in stop.hand.parcels}
    handed = ParcelState.DELIVERED if stop.phase is StopPhase.COMPLETED else None
    parcels = tuple(one for one in stop.stop.handover.parcels if states.get(one.code, handed) not in gone)
    return stop.stop.model_copy(update={"handover": stop.stop.handover.model_copy(update={"parcels": parcels})})


def _dropped(run: Run, tap: DroppedTapped) -> Decision:
    stops = to_drop(run).get(tap.pickup_point, ())
    if not stops:
        return Decision(run=run)
    name = "dropped" if tap.is_dropped else "not_dropped"
    before: tuple[str, ...] = run.load.dropped if tap.is_dropped else run.load.not_dropped
    load = run.load.model_copy(update={name: (*before, *(stop.stop_id for stop in stops))})
    told = tuple(
        Outgoing(
            kind=EventKind.GOODS_DROPPED,
            body=to_json(
                Dropped(
                    stop_id=stop.stop_id,
                    pickup_point=tap.pickup_point,
                    is_dropped=tap.is_dropped,
                    parcels=parcels_back(stop),
                )
            ),
        )
        for stop in stops
    )
    return Decision(run=run.model_copy(update={"load": load}), outgoing=told)


def _from_depot(run: Run) -> list[RunStop]:
    return [stop for stop in run.stops if leaves_with(run, stop)]


def _scanned(run: Run, tap: LoadScanned, now: datetime) -> Decision:
    filled = completed(run, tap.code, None, now)
    run = filled.run
    found = scans.judged_aboard(
        tap.code,
        [stop.stop for stop in run.stops if stop.is_listed and not _is_elsewhere(run, stop)],
        [stop.stop for stop in run.stops if not stop.is_listed or stop.passed is not None],
        partial(whose, run),
    )
    seen = LastScan(code=found.code, verdict=found.verdict, belongs_to=found.belongs_to, at=now, of_van=found.of_van)
    run = offered(run, tap.code, seen, tap.spotted)
    load = run.load.model_copy(update={"last_scan": seen})
    if found.verdict is ScanVerdict.RIGHT and found.code not in load.scanned:
        load = load.model_copy(update={"scanned": (*load.scanned, found.code)})
    wrong = (ScanVerdict.NOT_THIS_VAN, ScanVerdict.UNKNOWN)
    if found.verdict in wrong and found.code not in load.unlisted:
        load = load.model_copy(update={"unlisted": (*load.unlisted, found.code)[-200:]})
    return after_filling(filled, Decision(run=run.model_copy(update={"load": load})))


def _confirmed(run: Run, tap: LoadConfirmed, now: datetime) -> Decision:
    load, codes = run.load, codes_expected(run)
    missing = tuple(code for code in codes if code not in load.scanned) if tap.counted is None else ()
    checked = LoadChecked(
        expected=parcels_expected(run) if tap.counted is not None else len(codes),
        aboard=tap.counted if tap.counted is not None else len(codes) - len(missing),
        missing=missing[:500],
        unlisted=load.unlisted,
    )
    done = load.model_copy(
        update={"state": LoadState.DONE, "counted": tap.counted, "checked_at": now, "taken": taken_now(run)}
    )
    outgoing = Outgoing(kind=EventKind.LOAD_CHECKED, body=to_json(checked))
    return Decision(run=run.model_copy(update={"load": done}), outgoing=(outgoing,))
