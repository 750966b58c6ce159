"""What is aboard, and what comes back."""

from agent.trip.custody import parcels_expected, to_bring_back
from agent.trip.decide import decide
from agent.trip.inputs import (
    AnyInput,
    CodeScanned,
    DeliveredTapped,
    FailedTapped,
    GoodsReturned,
    LoadConfirmed,
    LoadScanned,
    ParcelMarked,
)
from agent.trip.run import Run
from tests.agent.pod.test_scans import sscc, with_parcels
from tests.builders import a_run, a_stop, at
from wire.checks import LoadChecked, ParcelState, Returned, ScanVerdict
from wire.events import EventKind, FailReason
from wire.manifest import Amount, StopKind


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
