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
from agent.trip.hand import LastScan, LoadState
from agent.trip.inputs import GoodsReturned, LoadConfirmed, LoadScanned, LoadTap
from agent.trip.run import Run, RunStop, StopPhase
from wire.checks import LoadChecked, ParcelState, Returned, ScanVerdict
from wire.codec import to_json
from wire.events import EventKind
from wire.manifest import StopKind


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
        if stop.stop.kind is not StopKind.PICKUP and parcels_back(stop) > 0 and stop.stop_id not in run.load.returned
    )


def parcels_back(stop: RunStop) -> int:
    """How many parcels of a stop come back to the depot."""
    count = max(stop.stop.amount.parcels, len(stop.stop.handover.parcels))
    if stop.phase in (StopPhase.FAILED, StopPhase.CANCELLED):
        return count - sum(parcel.state is ParcelState.MISSING for parcel in stop.hand.parcels)
    if stop.phase is StopPhase.COMPLETED:
        return sum(parcel.state in (ParcelState.REFUSED, ParcelState.DAMAGED) for parcel in stop.hand.parcels)
    return 0


def _returned(run: Run) -> Decision:
    back = to_bring_back(run)
    if not back:
        return Decision(run=run)
    stop_ids = tuple(stop.stop_id for stop in back)
    load = run.load.model_copy(update={"returned": (*run.load.returned, *stop_ids)})
    told = Returned(stop_ids=stop_ids, parcels=sum(parcels_back(stop) for stop in back))
    outgoing = Outgoing(kind=EventKind.GOODS_RETURNED, body=to_json(told))
    return Decision(run=run.model_copy(update={"load": load}), outgoing=(outgoing,))


def _from_depot(run: Run) -> list[RunStop]:
    kinds = (StopKind.DELIVERY, StopKind.HANDOVER)
    return [stop for stop in run.stops if stop.is_listed and stop.stop.kind in kinds]


def _scanned(run: Run, tap: LoadScanned, now: datetime) -> Decision:
    filled = completed(run, tap.code, None, now)
    run = filled.run
    found = scans.judged_aboard(
        tap.code,
        [stop.stop for stop in run.stops if stop.is_listed],
        [stop.stop for stop in run.stops if not stop.is_listed],
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
    done = load.model_copy(update={"state": LoadState.DONE, "counted": tap.counted, "checked_at": now})
    outgoing = Outgoing(kind=EventKind.LOAD_CHECKED, body=to_json(checked))
    return Decision(run=run.model_copy(update={"load": done}), outgoing=(outgoing,))
