"""Orders back to a file that a spreadsheet opens safely and `read_orders` reads to the same stops."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC

from cloud.orders.cells import RULE_SIGNS
from cloud.orders.handover import minor_digits
from cloud.orders.order import Order
from cloud.orders.table import COLUMNS
from wire.handover import Cash, Handover, NextStep, Reach
from wire.manifest import EvidenceRule, Stop, StopKind

_SIGNS = {EvidenceRule.REQUIRED: ""} | {rule: sign for sign, rule in RULE_SIGNS.items()}


def write_orders(orders: Iterable[Order]) -> str:
    """The generic dialect, comma-separated; windows as UTC instants, so that the file means the same everywhere.

    A stop with several windows gets its first: the dialect has room for one.
    """
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    # Where two vans meet nobody ordered anything.
    for order in (one for one in orders if one.stop.kind is not StopKind.HANDOVER):
        writer.writerow({"day": order.day.isoformat(), **_cells(order.stop)})
    return out.getvalue()


def export_cell(text: str) -> str:
    """A text no spreadsheet takes for a formula: an apostrophe goes before it, and reading takes it off again."""
    is_formula = text[:1] in ("=", "+", "-", "@")
    is_escaped = text[:1] == "'" and text[1:2] in ("=", "+", "-", "@", "'")
    return f"'{text}" if text and (is_formula or is_escaped) else text


def _cells(stop: Stop) -> dict[str, str]:
    window = stop.windows[0] if stop.windows else None
    handover = stop.handover
    texts = {
        "order_ref": stop.order_ref,
        "name": stop.recipient.name,
        "phone": stop.recipient.phone,
        "number": stop.address.number,
        "street": stop.address.street,
        "postcode": stop.address.postcode,
        "city": stop.address.city,
        "items": "|".join(stop.items),
        "instruction": stop.instruction,
        "parcel_codes": "|".join(f"{one.code}={one.what}" if one.what else one.code for one in handover.parcels),
        "pickup_point": handover.pickup_point,
    }
    plain = {
        "kind": stop.kind.value,
        "lat_deg": _digits(stop.lat_deg),
        "lon_deg": _digits(stop.lon_deg),
        "is_kerbside": "yes" if stop.is_kerbside else "",
        "opens": window.opens_at.astimezone(UTC).isoformat() if window else "",
        "closes": window.closes_at.astimezone(UTC).isoformat() if window else "",
        "is_hard": "yes" if window and window.is_hard else "",
        "service_s": _digits(stop.service_s),
        "parcels": str(stop.amount.parcels),
        "weight_kg": _digits(stop.amount.weight_kg),
        "volume_l": _digits(stop.amount.volume_l),
        "proof": "|".join(kind.value + _SIGNS[rule] for kind, rule in stop.proof.items()),
        "pin": handover.pin_hash,
        "min_age": "" if handover.min_age is None else str(handover.min_age),
        "cash_due": "" if handover.cash is None else _money(handover.cash),
        "reach_m": ""
        if handover.reach == Reach()
        else f"{_digits(handover.reach.inner_m)}/{_digits(handover.reach.outer_m)}",
        "on_failure": _on_failure(handover),
    }
    return {column: export_cell(text) for column, text in texts.items()} | plain


def _money(cash: Cash) -> str:
    digits = minor_digits(cash.currency)
    whole = str(cash.amount_minor).rjust(digits + 1, "0")
    return f"{whole[:-digits]}.{whole[-digits:]} {cash.currency}" if digits else f"{whole} {cash.currency}"


def _on_failure(handover: Handover) -> str:
    usual = Handover()
    if (handover.on_failure, handover.attempts) == (usual.on_failure, usual.attempts):
        return ""
    is_again = handover.on_failure is NextStep.LATER_TODAY
    return f"{handover.on_failure.value} x{handover.attempts}" if is_again else handover.on_failure.value


def _digits(value: float) -> str:
    return f"{value:.9f}".rstrip("0").rstrip(".")
