"""The columns of an orders file about the hand-over."""

from datetime import UTC, date

import pytest

from cloud.orders.csvfile import OrdersFile, read_orders
from cloud.orders.export import write_orders
from cloud.orders.order import Order
from wire.handover import Cash, NextStep, Reach
from wire.manifest import EvidenceKind, EvidenceRule
from wire.pin import is_right

DAY = date(2026, 11, 23)
SSCC = "106141411234567897"


def read(**cells: str) -> OrdersFile:
    full = {"order_ref": "A-1", "lat_deg": "41.16", "lon_deg": "-8.62"} | cells
    text = ";".join(full) + "\n" + ";".join(full.values()) + "\n"
    file = read_orders(text.encode(), default_day=DAY, zone=UTC)
    assert isinstance(file, OrdersFile)
    return file


FULL = {
    "proof": "scan|pin|cash|photo!|signature?|note-|place",
    "parcel_codes": f"(00){SSCC}=red box|RM-7",
    "pin": "4071",
    "min_age": "18+",
    "cash_due": "24,50 eur",
    "reach_m": "80/300",
    "on_failure": "later today x3",
    "pickup_point": "Kiosk, Rua Nova 1",
}


def test_a_row_with_every_column() -> None:
    file = read(**FULL)
    assert file.problems == ()
    stop = file.good[0].stop
    handover = stop.handover
    assert [(parcel.code, parcel.what) for parcel in handover.parcels] == [(SSCC, "red box"), ("RM-7", "")]
    assert is_right(handover.pin_hash, "4071")
    assert "4071" not in stop.model_dump_json()
    assert (handover.min_age, handover.cash) == (18, Cash(amount_minor=2450, currency="EUR"))
    assert handover.reach == Reach(inner_m=80, outer_m=300)
    assert (handover.on_failure, handover.attempts) == (NextStep.LATER_TODAY, 3)
    assert stop.proof[EvidenceKind.PHOTO] is EvidenceRule.WARN
    assert stop.proof[EvidenceKind.SIGNATURE] is EvidenceRule.OPTIONAL
    assert stop.proof[EvidenceKind.NOTE] is EvidenceRule.OFF
    assert stop.proof[EvidenceKind.PLACE] is EvidenceRule.REQUIRED


def test_what_is_exported_is_read_to_the_same_stop_and_the_same_file_twice_changes_nothing() -> None:
    stop = read(**FULL).good[0].stop
    assert read(**FULL).good[0].stop == stop
    text = write_orders([Order(stop_id=stop.stop_id, day=DAY, stop=stop)])
    again = read_orders(text.encode(), default_day=DAY, zone=UTC)
    assert isinstance(again, OrdersFile)
    assert again.problems == ()
    assert again.good[0].stop == stop


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"parcel_codes": SSCC[:-1] + "8"}, "parcel_codes", "last digit"),
        ({"parcel_codes": "A|A"}, "parcel_codes", "twice"),
        ({"pin": "12"}, "pin", "4 to 8 digits"),
        ({"min_age": "old"}, "min_age", "years"),
        ({"cash_due": "24.50"}, "cash_due", "24.50 EUR"),
        ({"cash_due": "24.50 JPY"}, "cash_due", "0 digits"),
        ({"reach_m": "500/100"}, "reach_m", "larger radius first"),
        ({"on_failure": "tomorrow"}, "on_failure", "depot"),
        ({"on_failure": "pickup_point"}, "pickup_point", "empty"),
        ({"proof": "pin"}, "proof", "fill pin"),
        ({"proof": "scan!"}, "proof", "fill parcel_codes"),
    ],
)
def test_a_cell_that_no_door_could_meet_is_refused_with_what_to_write(
    cells: dict[str, str], column: str, words: str
) -> None:
    problems = read(**cells).problems
    assert [problem.column for problem in problems] == [column]
    assert words in problems[0].problem
