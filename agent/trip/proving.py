"""Which evidence a stop of the run has, and what its rules still ask for. Pure; the rules are `pod/rules.py`."""

from collections.abc import Sequence
from datetime import datetime

from agent.pod.rules import Judged, PlaceVerdict, judged, place_verdict
from agent.trip.effects import Trouble
from agent.trip.progress import door_distance_m
from agent.trip.run import Run, RunStop
from wire.checks import ItemOutcome, ParcelState
from wire.events import OffDutyWhy, Outcome
from wire.handover import Cash, NextStep
from wire.manifest import EvidenceKind, StopKind


def taken(stop: RunStop) -> frozenset[EvidenceKind]:
    """The kinds of evidence that are there. Too young is no passed check; less money than was due is taken all the
    same, and told: whether it is enough is between two people at a door.
    """
    hand, kinds = stop.hand, {evidence.kind for evidence in stop.proofs}
    if hand.pin_passed_at is not None:
        kinds.add(EvidenceKind.PIN)
    if hand.is_old_enough:
        kinds.add(EvidenceKind.AGE)
    if hand.note:
        kinds.add(EvidenceKind.NOTE)
    if hand.cash_minor is not None:
        kinds.add(EvidenceKind.CASH)
    found = [hand.state_of(parcel.code) for parcel in stop.stop.handover.parcels]
    # Handed over is scanned; what was not handed over need not be there to be scanned.
    if found and all(one is not None and (one.is_scanned or one.state is not ParcelState.DELIVERED) for one in found):
        kinds.add(EvidenceKind.SCAN)
    return frozenset(kinds)


def way_of(stop: RunStop) -> Outcome:
    """To whom the goods go, as far as the driver has said."""
    if stop.hand.way is not None:
        return stop.hand.way
    return Outcome.PICKED_UP if stop.stop.kind is StopKind.PICKUP else Outcome.TO_RECIPIENT


def place_of(run: Run, stop: RunStop, now: datetime) -> PlaceVerdict:
    if run.off_duty is not None and run.off_duty.why is OffDutyWhy.PAUSED:
        return PlaceVerdict.PAUSED
    return place_verdict(door_distance_m(stop.stop, run, now), stop.stop.handover.reach)


def judged_now(run: Run, stop: RunStop, outcome: Outcome, received_by: str, now: datetime) -> Judged:
    """What stands between the stop and that outcome; a neighbour's door that was named before counts."""
    who = received_by or stop.hand.way_name
    return judged(stop.stop, outcome, taken=taken(stop), place=place_of(run, stop, now), received_by=who)


def trouble_of(run: Run, stop: RunStop, missing: Sequence[EvidenceKind], now: datetime) -> Trouble | None:
    """What the driver is told of what is missing; None where nothing is."""
    if not missing:
        return None
    if tuple(missing) != (EvidenceKind.PLACE,):
        return Trouble.PROOF_MISSING
    return Trouble.PAUSED if place_of(run, stop, now) is PlaceVerdict.PAUSED else Trouble.TOO_FAR


def closed_as(stop: RunStop, outcome: Outcome) -> Outcome:
    """The outcome that the parcels show: some handed over and some not is `partial`."""
    listed = {parcel.code for parcel in stop.stop.handover.parcels}
    states = [parcel.state for parcel in stop.hand.parcels if parcel.code in listed]
    some_not = any(state is not ParcelState.DELIVERED for state in states)
    return Outcome.PARTIAL if some_not and ParcelState.DELIVERED in states else outcome


def is_nothing_handed_over(stop: RunStop) -> bool:
    """Every parcel is accounted for, and none of them was handed over: that is a failure, not a delivery."""
    parcels = stop.stop.handover.parcels
    states = [stop.hand.state_of(parcel.code) for parcel in parcels]
    return bool(parcels) and all(one is not None and one.state is not ParcelState.DELIVERED for one in states)


def items_of(stop: RunStop) -> tuple[ItemOutcome, ...]:
    """Each parcel of the closing, in the manifest's order; one that nobody touched went with the others."""
    handed = ParcelState.DELIVERED
    found = [(parcel.code, stop.hand.state_of(parcel.code)) for parcel in stop.stop.handover.parcels]
    return tuple(
        ItemOutcome(code=code, state=one.state if one else handed, is_scanned=one is not None and one.is_scanned)
        for code, one in found
    )


def cash_of(stop: RunStop) -> Cash | None:
    """The money taken, in the stop's currency."""
    due = stop.stop.handover.cash
    if due is None or stop.hand.cash_minor is None:
        return None
    return Cash(amount_minor=stop.hand.cash_minor, currency=due.currency)


def step_after_failure(stop: RunStop) -> NextStep | None:
    """What becomes of the goods when this attempt fails: later today only while attempts are left. None where there is
    nothing aboard to be taken anywhere.
    """
    handover = stop.stop.handover
    step = handover.on_failure
    if step is NextStep.LATER_TODAY and (not stop.is_open or stop.hand.attempts + 1 >= handover.attempts):
        step = NextStep.DEPOT
    has_none = stop.stop.kind is StopKind.PICKUP or stop.meeting is not None
    return None if has_none and step is not NextStep.LATER_TODAY else step
