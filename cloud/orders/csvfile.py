"""A file of orders in the generic dialect: rows to stops, and each thing wrong in the words of a dispatcher.

A row is good as a whole or left out as a whole; a bad one costs nothing but itself.
"""

from collections.abc import Callable
from datetime import date, tzinfo

from cloud.orders.cells import (
    BadCellError,
    read_amount,
    read_coordinates,
    read_day,
    read_items,
    read_kind,
    read_number,
    read_order_ref,
    read_proof,
    read_text,
    read_windows,
    read_yes_or_no,
)
from cloud.orders.handover import read_handover
from cloud.orders.order import BadCell, ReadRow, stop_id_of
from cloud.orders.table import COLUMNS, Cells, NotATable, SheetRows, read_table
from wire.geo import Place
from wire.handover import Handover
from wire.manifest import Address, EvidenceKind, EvidenceRule, Recipient, Stop, Window
from wire.model import Value

MAX_SERVICE_S = 4 * 3600
DEFAULT_SERVICE_S = 120.0


class OrdersFile(Value):
    """What a file holds: good rows, and the problems of those left out. `rows` counts both."""

    rows: int
    good: tuple[ReadRow, ...]
    problems: tuple[BadCell, ...]


def read_orders(data: bytes, *, default_day: date, zone: tzinfo, depot: Place | None = None) -> OrdersFile | NotATable:
    """The orders in a file. Never raises, whatever the bytes.

    `default_day` is the service day of rows that name none; window times without an offset are in `zone`; `depot`
    helps to notice latitude and longitude in each other's place.
    """
    table = read_table(data)
    if isinstance(table, NotATable):
        return table
    return _read_rows(table, default_day, zone, depot)


def _read_rows(table: SheetRows, default_day: date, zone: tzinfo, depot: Place | None) -> OrdersFile:
    good: list[ReadRow] = []
    problems = list(table.problems)
    first_row_of: dict[str, int] = {}
    for cells in table.rows:
        row, bad = read_row(cells, default_day, zone, depot)
        if row is not None and (first := first_row_of.setdefault(row.stop.stop_id, row.row)) != row.row:
            why = f"{row.stop.order_ref} already stands in row {first} for {row.day}: keep one of the two"
            row, bad = None, [BadCell(row=cells.row, column="order_ref", problem=why)]
        if row is not None:
            good.append(row)
        problems += bad
    problems.sort(key=lambda problem: problem.row)
    return OrdersFile(rows=table.rows_seen, good=tuple(good), problems=tuple(problems))


def read_row(
    cells: Cells, default_day: date, zone: tzinfo, depot: Place | None
) -> tuple[ReadRow | None, list[BadCell]]:
    """The stop of one row, or everything that is wrong with it."""
    bad: list[BadCell] = []

    def take[T](read: Callable[[], T], otherwise: T) -> T:
        try:
            return read()
        except BadCellError as error:
            bad.append(BadCell(row=cells.row, column=error.column, problem=str(error)))
            return otherwise

    def text(column: str, longest: int) -> str:
        return take(lambda: read_text(cells.cells, column, longest), "")

    order_ref = take(lambda: read_order_ref(cells.cells), "")
    day = take(lambda: read_day(cells.cells, default_day), default_day)
    place = take(lambda: read_coordinates(cells.cells, depot), None)
    kind = take(lambda: read_kind(cells.cells), None)
    is_kerbside = take(lambda: read_yes_or_no(cells.cells, "is_kerbside"), False)
    no_windows: tuple[Window, ...] = ()
    windows = take(lambda: read_windows(cells.cells, day, zone), no_windows)
    service_s = take(lambda: read_number(cells.cells, "service_s", DEFAULT_SERVICE_S, MAX_SERVICE_S), DEFAULT_SERVICE_S)
    amount = take(lambda: read_amount(cells.cells), None)
    no_items: tuple[str, ...] = ()
    items = take(lambda: read_items(cells.cells), no_items)
    no_proof: dict[EvidenceKind, EvidenceRule] = {}
    proof = take(lambda: read_proof(cells.cells), no_proof)
    address = Address(
        number=text("number", 40), street=text("street", 200), postcode=text("postcode", 20), city=text("city", 100)
    )
    recipient = Recipient(name=text("name", 200), phone=text("phone", 40))
    instruction = text("instruction", 1000)
    handover = Handover()
    if not bad:  # the PIN is hashed for its stop, so that one must be known
        handover = take(lambda: read_handover(cells.cells, stop_id_of(day, order_ref), proof), handover)
    if bad or place is None or kind is None or amount is None:
        bad.sort(key=lambda problem: COLUMNS.index(problem.column))
        return None, bad
    stop = Stop(
        stop_id=stop_id_of(day, order_ref),
        order_ref=order_ref,
        kind=kind,
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        address=address,
        recipient=recipient,
        instruction=instruction,
        items=items,
        amount=amount,
        windows=windows,
        service_s=service_s,
        is_kerbside=is_kerbside,
        proof=proof,
        handover=handover,
    )
    return ReadRow(row=cells.row, day=day, stop=stop), []
