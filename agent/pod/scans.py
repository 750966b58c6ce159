"""What a scanned code is, seen from the stop the van stands at. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from wire.checks import ScanVerdict
from wire.gs1 import has_good_check, is_sscc, parcel_code
from wire.manifest import Stop
from wire.model import Name, StopId

type Whose = Callable[[str], Name | None]
"""The other van that has a code on its list; asked only for what is on none of this van's."""


def _nobody(_: str) -> None:
    return None


@dataclass(frozen=True)
class Scanned:
    code: str
    verdict: ScanVerdict
    belongs_to: StopId | None = None
    of_van: Name | None = None


def judged(
    scanned: str, here: Stop, listed: Iterable[Stop], taken_off: Iterable[Stop], whose: Whose = _nobody
) -> Scanned:
    """`listed`: the stops of this van today; `taken_off`: those that were and are no longer (another van's, or
    nobody's).
    """
    code = parcel_code(scanned)
    if _has(here, code):
        return Scanned(code, ScanVerdict.RIGHT, here.stop_id)
    other = next((stop for stop in listed if _has(stop, code)), None)
    if other is not None:
        return Scanned(code, ScanVerdict.NOT_THIS_STOP, other.stop_id)
    return _unlisted(code, taken_off, whose)


def judged_aboard(scanned: str, listed: Iterable[Stop], taken_off: Iterable[Stop], whose: Whose = _nobody) -> Scanned:
    """The same at the depot, where every stop of the van is the right one."""
    code = parcel_code(scanned)
    mine = next((stop for stop in listed if _has(stop, code)), None)
    if mine is not None:
        return Scanned(code, ScanVerdict.RIGHT, mine.stop_id)
    return _unlisted(code, taken_off, whose)


def _unlisted(code: str, taken_off: Iterable[Stop], whose: Whose) -> Scanned:
    """Not on this van's list. One that does not add up and is on nobody's was read wrongly, and says nothing about any
    parcel.
    """
    gone = next((stop for stop in taken_off if _has(stop, code)), None)
    van = whose(code)
    if gone is not None or van is not None:
        return Scanned(code, ScanVerdict.NOT_THIS_VAN, gone.stop_id if gone is not None else None, van)
    is_misread = is_sscc(code) and not has_good_check(code)
    return Scanned(code, ScanVerdict.MISREAD if is_misread else ScanVerdict.UNKNOWN)


def _has(stop: Stop, code: str) -> bool:
    return any(parcel.code == code for parcel in stop.handover.parcels)
