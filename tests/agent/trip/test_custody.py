"""What is aboard, and what comes back."""

from agent.trip.custody import codes_back, parcels_expected, to_bring_back, to_drop
from agent.trip.decide import decide
from agent.trip.goods import Custody, custody_of
from agent.trip.inputs import (
    AnyInput,
    BackScanned,
    CodeScanned,
    DeliveredTapped,
    DroppedTapped,
    FailedTapped,
    GoodsReturned,
    LoadConfirmed,
    LoadScanned,
    ParcelMarked,
)
from agent.trip.run import Run
from tests.agent.pod.test_scans import sscc, with_parcels
from tests.builders import a_run, a_stop, at
from wire.checks import Dropped, LoadChecked, ParcelState, Returned, ScanVerdict
from wire.events import EventKind, FailReason
from wire.handover import Handover, NextStep
from wire.manifest import Amount, Stop, StopKind


def lived(run: Run, *inputs: AnyInput) -> Run:
    for one in inputs:
        run = decide(run, one, at(1)).run
    return run


def test_what_is_missing_and_what_does_not_belong_here_is_told_before_leaving() -> None:
    run = lived(a_run([with_parcels(1, 1, 2), a_stop(2)]), LoadScanned(code=sscc(1)), LoadScanned(code=sscc(8)))
    assert run.load.last_scan is not None
    assert run.load.last_scan.verdict is ScanVerdict.UNKNOWN
    decision = decide(run, LoadConfirmed(), at(2))
    assert [said.kind for said in decision.outgoing] == [EventKind.LOAD_CHECKED]
    told = LoadChecked.model_validate(decision.outgoing[0].body)
    assert (told.expected, told.aboard, told.missing, told.unlisted) == (2, 1, (sscc(2),), (sscc(8),))
    assert decision.run.load.checked_at == at(2)


def test_parcels_without_codes_are_counted() -> None:
    run = a_run([a_stop(1, amount=Amount(parcels=3)), a_stop(2), a_stop(3, kind=StopKind.PICKUP)])
    assert parcels_expected(run) == 4
    told = LoadChecked.model_validate(decide(run, LoadConfirmed(counted=3), at(1)).outgoing[0].body)
    assert (told.expected, told.aboard) == (4, 3)


def test_what_was_not_handed_over_comes_back() -> None:
    run = lived(
        a_run([with_parcels(1, 1, 2), a_stop(2, amount=Amount(parcels=3)), a_stop(3)]),
        CodeScanned(stop_id="s1", code=sscc(1)),
        ParcelMarked(stop_id="s1", code=sscc(2), state=ParcelState.REFUSED),
        DeliveredTapped(stop_id="s1"),
        FailedTapped(stop_id="s2", reason=FailReason.NOT_HOME),
        DeliveredTapped(stop_id="s3"),
    )
    assert [stop.stop_id for stop in to_bring_back(run)] == ["s1", "s2"]

    given_back = decide(run, GoodsReturned(), at(9))
    told = Returned.model_validate(given_back.outgoing[0].body)
    assert (told.stop_ids, told.parcels) == (("s1", "s2"), 4)
    assert to_bring_back(given_back.run) == ()
    assert decide(given_back.run, GoodsReturned(), at(9)).outgoing == ()  # told once


def to_kiosk(number: int) -> Stop:
    point = Handover(on_failure=NextStep.PICKUP_POINT, pickup_point="Kiosk Lima")
    return a_stop(number, handover=point, amount=Amount(parcels=2))


def test_goods_for_a_pickup_point_are_aboard_until_they_are_left_there_and_do_not_come_back() -> None:
    run = lived(a_run([to_kiosk(1), a_stop(2)]), FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME))
    assert to_bring_back(run) == ()
    assert {point: [stop.stop_id for stop in stops] for point, stops in to_drop(run).items()} == {"Kiosk Lima": ["s1"]}
    stop = run.find("s1")
    assert stop is not None
    assert custody_of(run, stop, at(2)) is Custody.ABOARD

    left = decide(run, DroppedTapped(pickup_point="Kiosk Lima", is_dropped=True), at(9))
    assert [Dropped.model_validate(said.body) for said in left.outgoing] == [
        Dropped(stop_id="s1", pickup_point="Kiosk Lima", is_dropped=True, parcels=2)
    ]
    assert (to_drop(left.run), to_bring_back(left.run)) == ({}, ())
    assert custody_of(left.run, stop, at(9)) is Custody.PICKUP_POINT
    again = decide(left.run, DroppedTapped(pickup_point="Kiosk Lima", is_dropped=True), at(9))
    assert again.outgoing == ()  # told once


def test_what_cannot_be_left_at_its_pickup_point_comes_back_to_the_depot() -> None:
    run = lived(
        a_run([to_kiosk(1), a_stop(2)]),
        FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME),
        DroppedTapped(pickup_point="Kiosk Lima", is_dropped=False),
    )
    assert (to_drop(run), [stop.stop_id for stop in to_bring_back(run)]) == ({}, ["s1"])


def test_what_comes_back_is_scanned_at_the_depot_and_told_with_the_hand_back() -> None:
    run = lived(
        a_run([with_parcels(1, 1, 2), with_parcels(2, 3)]),
        CodeScanned(stop_id="s1", code=sscc(1)),
        ParcelMarked(stop_id="s1", code=sscc(2), state=ParcelState.REFUSED),
        DeliveredTapped(stop_id="s1"),
        FailedTapped(stop_id="s2", reason=FailReason.NOT_HOME),
    )
    assert codes_back(run) == (sscc(2), sscc(3))
    run = lived(run, BackScanned(code=sscc(2)), BackScanned(code=sscc(2)), BackScanned(code=sscc(1)))
    assert run.load.last_scan is not None
    assert run.load.last_scan.verdict is ScanVerdict.NOT_THIS_STOP  # that one was handed over
    told = Returned.model_validate(decide(run, GoodsReturned(), at(9)).outgoing[0].body)
    assert (told.parcels, told.scanned) == (2, (sscc(2),))
