"""The cells of an orders file about the hand-over: codes, PIN, age, money, how near, what next. Pure."""

import re
from functools import lru_cache

from cloud.orders.cells import BadCellError, Row, read_number
from wire.gs1 import has_good_check, is_sscc, parcel_code
from wire.handover import Cash, Handover, NextStep, Parcel, Reach
from wire.manifest import EvidenceKind, EvidenceRule
from wire.model import StopId
from wire.pin import PIN, hashed, is_hash

MAX_PARCEL_CODES = 100
MAX_REACH_M = 20_000.0
_ATTEMPTS = re.compile(r"^later_today(?:\s*x\s*([1-9]))?$", re.ASCII)
_MONEY = re.compile(r"^([0-9]{1,12})(?:[.,]([0-9]{1,3}))?\s*([A-Za-z]{3})$", re.ASCII)
_NO_MINOR = frozenset({"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
                       "XAF", "XOF", "XPF"})  # fmt: skip
_THREE_MINOR = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""ISO 4217, list one: how many digits the smallest unit of a currency has, where it is not two."""


def read_handover(row: Row, stop_id: StopId, proof: dict[EvidenceKind, EvidenceRule]) -> Handover:
    """What the door asks for. `proof`: the rules of the row; one that could never be met is refused here and not at the
    door.
    """
    on_failure, attempts = _on_failure(row)
    handover = Handover(
        parcels=_parcels(row),
        pin_hash=_pin_hash(row, stop_id),
        min_age=_min_age(row),
        cash=_cash(row),
        reach=_reach(row),
        on_failure=on_failure,
        attempts=attempts,
        pickup_point=row.get("pickup_point", "")[:200],
    )
    needs = (
        (EvidenceKind.SCAN, bool(handover.parcels), "parcel_codes"),
        (EvidenceKind.PIN, bool(handover.pin_hash), "pin"),
        (EvidenceKind.CASH, handover.cash is not None, "cash_due"),
    )
    for kind, is_there, column in needs:
        if proof.get(kind) in (EvidenceRule.REQUIRED, EvidenceRule.WARN) and not is_there:
            why = f"asks for {kind.value}, and the row says nothing to check it by: fill {column}"
            raise BadCellError("proof", why)
    if on_failure is NextStep.PICKUP_POINT and not handover.pickup_point:
        raise BadCellError("pickup_point", "is empty: write where the goods can be fetched")
    return handover


def _parcels(row: Row) -> tuple[Parcel, ...]:
    """`(00)340123450000000017=red box|...`: a code each, with what it is after `=`."""
    parcels: list[Parcel] = []
    for word in (word.strip() for word in row.get("parcel_codes", "").split("|")):
        if not word:
            continue
        text, _, what = word.partition("=")
        code = parcel_code(text)
        if is_sscc(code) and not has_good_check(code):
            raise BadCellError("parcel_codes", f"{code} is no SSCC: its last digit does not fit the others")
        if not code or len(code) > 90 or len(what) > 200:
            raise BadCellError("parcel_codes", "write codes of at most 90 characters, with | between them")
        if any(parcel.code == code for parcel in parcels):
            raise BadCellError("parcel_codes", f"{code} stands there twice: each parcel has a code of its own")
        parcels.append(Parcel(code=code, what=what.strip()))
    if len(parcels) > MAX_PARCEL_CODES:
        why = f"{len(parcels)} codes are too many for one stop: at most {MAX_PARCEL_CODES}"
        raise BadCellError("parcel_codes", why)
    return tuple(parcels)


def _pin_hash(row: Row, stop_id: StopId) -> str:
    text = row.get("pin", "")
    if not text or is_hash(text):  # as an export has it
        return text
    if not PIN.match(text):
        raise BadCellError("pin", "is no PIN: write 4 to 8 digits")
    return _hashed(text, stop_id)


@lru_cache(maxsize=30_000)
def _hashed(pin: str, stop_id: StopId) -> str:
    """A file is looked at before it is taken: hashed once."""
    return hashed(pin, stop_id)


def _min_age(row: Row) -> int | None:
    text = row.get("min_age", "").removesuffix("+")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:4]) <= 120:
        raise BadCellError("min_age", "is no age: write years, such as 18")
    return int(text)


def _cash(row: Row) -> Cash | None:
    """`24.50 EUR`."""
    text = row.get("cash_due", "")
    if not text:
        return None
    found = _MONEY.match(text)
    if found is None:
        raise BadCellError("cash_due", "is no amount: write it as 24.50 EUR")
    whole, part, currency = found[1], found[2] or "", found[3].upper()
    digits = 0 if currency in _NO_MINOR else 3 if currency in _THREE_MINOR else 2
    if len(part) > digits:
        raise BadCellError("cash_due", f"{currency} has {digits} digits after the point, not {len(part)}")
    return Cash(amount_minor=int(whole + part.ljust(digits, "0")), currency=currency)


def minor_digits(currency: str) -> int:
    """How many digits after the point."""
    return 0 if currency in _NO_MINOR else 3 if currency in _THREE_MINOR else 2


def _reach(row: Row) -> Reach:
    """`100/500`: passes within the first, wants a reason within the second, beyond it is not taken."""
    text = row.get("reach_m", "")
    if not text:
        return Reach()
    inner, _, outer = text.partition("/")
    usual = Reach()
    inner_m = read_number({"reach_m": inner.strip()}, "reach_m", usual.inner_m, MAX_REACH_M)
    outer_m = read_number({"reach_m": outer.strip()}, "reach_m", max(usual.outer_m, inner_m), MAX_REACH_M)
    if inner_m > outer_m:
        raise BadCellError("reach_m", f"{text[:40]} has the larger radius first: write it as 100/500")
    return Reach(inner_m=inner_m, outer_m=outer_m)


def _on_failure(row: Row) -> tuple[NextStep, int]:
    """`later_today`, `later_today x3` (three attempts in all), `depot` or `pickup_point`."""
    text = re.sub(r"[\s-]+", "_", row.get("on_failure", "").strip().casefold())
    usual = Handover()
    if not text:
        return usual.on_failure, usual.attempts
    again = _ATTEMPTS.match(text.replace("_x", " x").replace("x_", "x"))
    if again:
        return NextStep.LATER_TODAY, int(again[1] or usual.attempts)
    if text not in (NextStep.DEPOT, NextStep.PICKUP_POINT):
        raise BadCellError("on_failure", "is no next step: write later_today, depot or pickup_point")
    return NextStep(text), usual.attempts
