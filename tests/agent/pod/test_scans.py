"""Four verdicts, and a code that was read wrongly."""

import pytest

from agent.pod.scans import judged, judged_aboard
from tests.builders import a_stop
from wire.checks import ScanVerdict
from wire.gs1 import check_digit
from wire.handover import Handover, Parcel
from wire.manifest import Stop


def sscc(number: int) -> str:
    digits = f"1061414112345{number:04d}"
    return digits + str(check_digit(digits))


def with_parcels(stop_number: int, *numbers: int) -> Stop:
    return a_stop(stop_number, handover=Handover(parcels=tuple(Parcel(code=sscc(one)) for one in numbers)))


HERE, OTHER, GONE = with_parcels(1, 1, 2), with_parcels(2, 3), with_parcels(3, 4)


@pytest.mark.parametrize(
    ("scanned", "verdict", "belongs_to"),
    [
        (f"]C100{sscc(1)}", ScanVerdict.RIGHT, "s1"),
        (sscc(2), ScanVerdict.RIGHT, "s1"),
        (f"(00){sscc(3)}", ScanVerdict.NOT_THIS_STOP, "s2"),
        (f"00{sscc(4)}", ScanVerdict.NOT_THIS_VAN, "s3"),
        (sscc(9), ScanVerdict.UNKNOWN, None),
        (sscc(9)[:-1] + str((int(sscc(9)[-1]) + 1) % 10), ScanVerdict.MISREAD, None),
        ("https://example.com/ad", ScanVerdict.UNKNOWN, None),
    ],
)
def test_a_code_is_right_not_this_stop_not_this_van_unknown_or_misread(
    scanned: str, verdict: ScanVerdict, belongs_to: str | None
) -> None:
    found = judged(scanned, HERE, [HERE, OTHER], [GONE])
    assert (found.verdict, found.belongs_to) == (verdict, belongs_to)


def test_at_the_depot_every_stop_of_the_van_is_the_right_one() -> None:
    assert judged_aboard(sscc(3), [HERE, OTHER], [GONE]).verdict is ScanVerdict.RIGHT
    assert judged_aboard(sscc(4), [HERE, OTHER], [GONE]).verdict is ScanVerdict.NOT_THIS_VAN
