"""Whose a parcel is that is on no list of this van, with no network: seen through `decide`."""

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.screen.door import label_view
from agent.trip.decide import decide
from agent.trip.hand import LastScan
from agent.trip.inputs import AnyInput, CodeScanned, ElsewhereArrived, LabelRead, LoadScanned, ManifestArrived
from agent.trip.run import Run
from tests.agent.pod.test_scans import sscc, with_parcels
from tests.builders import a_manifest, a_run, at
from tests.labels import SSCC, a_label
from wire.checks import ScanVerdict
from wire.elsewhere import elsewhere_of

DAY = a_manifest().day
TOMORROW = DAY + timedelta(days=1)


def told(minute: int = 0, days: int = 0, **codes: list[str]) -> ElsewhereArrived:
    """`van_2=[...]`: the codes on van-2's list."""
    lists = {van.replace("_", "-"): listed for van, listed in codes.items()}
    return ElsewhereArrived(elsewhere=elsewhere_of(lists, DAY + timedelta(days=days), at(minute)))


def lived(run: Run, *inputs: AnyInput) -> Run:
    for one in inputs:
        run = decide(run, one, at(30)).run
    return run


def scanned(run: Run, code: str) -> LastScan:
    stop = lived(run, CodeScanned(stop_id="s1", code=code)).find("s1")
    assert stop is not None
    assert stop.hand.last_scan is not None
    return stop.hand.last_scan


RUN = a_run([with_parcels(1, 1, 2), with_parcels(2, 3)])


def test_a_parcel_of_another_van_is_named_at_a_door_at_the_depot_and_on_the_road() -> None:
    run = lived(RUN, told(van_2=[sscc(7)]))
    seen = scanned(run, f"]C100{sscc(7)}")
    assert (seen.verdict, seen.of_van, seen.belongs_to) == (ScanVerdict.NOT_THIS_VAN, "van-2", None)
    load = lived(run, LoadScanned(code=sscc(7))).load
    assert load.last_scan is not None
    assert (load.last_scan.verdict, load.last_scan.of_van) == (ScanVerdict.NOT_THIS_VAN, "van-2")
    assert load.unlisted == (sscc(7),)
    label = label_view(lived(run, LabelRead(code=sscc(7))))
    assert label is not None
    assert (label.scan.verdict, label.scan.of_van) == (ScanVerdict.NOT_THIS_VAN, "van-2")


def test_what_is_on_nobodys_list_stays_unknown_and_a_damaged_label_misread() -> None:
    run = lived(RUN, told(van_2=[sscc(7)]))
    assert scanned(run, sscc(8)).verdict is ScanVerdict.UNKNOWN
    damaged = sscc(8)[:-1] + str((int(sscc(8)[-1]) + 1) % 10)
    assert scanned(run, damaged).verdict is ScanVerdict.MISREAD


@given(st.lists(st.integers(1, 9), max_size=9), st.lists(st.integers(1, 9), max_size=9), st.integers(1, 9))
def test_the_vans_own_list_always_wins(others: list[int], as_own: list[int], number: int) -> None:
    run = lived(RUN, told(van_2=[sscc(one) for one in others], van_1=[sscc(one) for one in as_own]))
    seen = scanned(run, sscc(number))
    if number <= 3:
        assert seen.verdict is (ScanVerdict.RIGHT if number < 3 else ScanVerdict.NOT_THIS_STOP)
        assert seen.of_van is None
    elif number in others:
        assert (seen.verdict, seen.of_van) == (ScanVerdict.NOT_THIS_VAN, "van-2")
    else:
        assert seen.verdict is ScanVerdict.UNKNOWN


def test_no_stop_is_made_of_the_label_of_another_vans_parcel() -> None:
    before = lived(RUN, LabelRead(code=a_label()))
    assert before.label is not None
    assert before.label.stop is not None
    after = lived(RUN, told(van_2=[SSCC]), LabelRead(code=a_label()))
    assert after.label is not None
    assert after.label.stop is None


def test_a_parcel_that_was_taken_off_this_list_is_named_after_the_van_that_has_it_now() -> None:
    shorter = a_manifest([with_parcels(1, 1, 2)], version=2)
    run = lived(RUN, ManifestArrived(manifest=shorter), told(van_2=[sscc(3)]))
    seen = scanned(run, sscc(3))
    assert (seen.verdict, seen.of_van, seen.belongs_to) == (ScanVerdict.NOT_THIS_VAN, "van-2", "s2")


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_the_newest_of_the_day_stands_whatever_order_they_come_in(order: tuple[int, ...]) -> None:
    came: list[AnyInput] = [
        told(1, van_2=[sscc(7)]),
        told(9, van_3=[sscc(7)]),
        ManifestArrived(manifest=a_manifest([with_parcels(1, 1, 2)])),
        told(5, van_4=[sscc(7)]),
    ]
    assert scanned(lived(Run(), *(came[one] for one in order)), sscc(7)).of_van == "van-3"


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_it_is_forgotten_at_the_days_turn_and_tomorrows_waits_for_it(order: tuple[int, ...]) -> None:
    next_day = ManifestArrived(manifest=a_manifest([with_parcels(1, 1)], version=2, day=TOMORROW))
    came: list[AnyInput] = [told(1, van_2=[sscc(7)]), next_day, told(2, 1, van_3=[sscc(8)])]
    run = lived(RUN, *(came[one] for one in order))
    assert scanned(run, sscc(7)).verdict is ScanVerdict.UNKNOWN
    assert scanned(run, sscc(8)).of_van == "van-3"
    assert scanned(lived(RUN, came[2]), sscc(8)).verdict is ScanVerdict.UNKNOWN


def test_it_alone_of_a_day_that_is_over_is_not_kept() -> None:
    next_day = ManifestArrived(manifest=a_manifest([with_parcels(1, 1)], version=2, day=TOMORROW))
    assert lived(RUN, told(1, van_2=[sscc(7)]), next_day).elsewhere is None
    assert lived(RUN, next_day, told(1, van_2=[sscc(7)])).elsewhere is None
