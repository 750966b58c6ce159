"""Bytes of a file to rows of cells: encoding, delimiter, header names and quotes. Of orders it knows only the columns.

A quote that is never closed costs its own row, not the rest of the file: each record is read by itself, and after a
broken one reading goes on at the next line.
"""

import csv
import io
import re

from cloud.orders.order import BadCell
from wire.model import Value

MAX_FILE_BYTES = 8_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 200
MAX_LINES_OF_A_RECORD = 50
DELIMITERS = ",;\t"

COLUMNS = (
    "order_ref",
    "day",
    "kind",
    "name",
    "phone",
    "number",
    "street",
    "postcode",
    "city",
    "lat_deg",
    "lon_deg",
    "is_kerbside",
    "opens",
    "closes",
    "is_hard",
    "service_s",
    "parcels",
    "weight_kg",
    "volume_l",
    "items",
    "instruction",
    "proof",
    "parcel_codes",
    "pin",
    "min_age",
    "cash_due",
    "reach_m",
    "on_failure",
    "pickup_point",
)
REQUIRED = ("order_ref", "lat_deg", "lon_deg")
_ALIASES = {
    "ref": "order_ref",
    "order": "order_ref",
    "orderid": "order_ref",
    "orderno": "order_ref",
    "date": "day",
    "type": "kind",
    "recipient": "name",
    "recipientname": "name",
    "recipientphone": "phone",
    "housenumber": "number",
    "postalcode": "postcode",
    "zip": "postcode",
    "town": "city",
    "lat": "lat_deg",
    "latitude": "lat_deg",
    "lon": "lon_deg",
    "lng": "lon_deg",
    "long": "lon_deg",
    "longitude": "lon_deg",
    "earliest": "opens",
    "earliesttime": "opens",
    "latest": "closes",
    "latesttime": "closes",
    "weight": "weight_kg",
    "volume": "volume_l",
    "quantity": "parcels",
    "packagecount": "parcels",
    "notes": "instruction",
    "note": "instruction",
    "instructions": "instruction",
    "sscc": "parcel_codes",
    "barcodes": "parcel_codes",
    "minimumage": "min_age",
    "cod": "cash_due",
    "cashondelivery": "cash_due",
}
_NAMES = {column.replace("_", ""): column for column in COLUMNS} | _ALIASES


class NotATable(Value):
    """The bytes are no table of orders at all; `why` says what to do."""

    why: str


class Cells(Value):
    """One row: the line it starts on and its trimmed cells by column."""

    row: int
    cells: dict[str, str]


class SheetRows(Value):
    delimiter: str
    rows: tuple[Cells, ...]
    problems: tuple[BadCell, ...]
    rows_seen: int
    """Rows with anything in them, good or bad."""


def read_table(data: bytes) -> SheetRows | NotATable:
    """The rows of a file; never raises, whatever the bytes."""
    text = _text(data)
    if isinstance(text, NotATable):
        return text
    lines = list(io.StringIO(text, newline=""))
    first = next((at for at, line in enumerate(lines) if line.strip() and not line.lower().startswith("sep=")), None)
    if first is None:
        return NotATable(why="the file is empty: its first line names the columns, each line after it is an order")
    found = _header(lines[first])
    if found is None:
        return NotATable(
            why="the first line names no column we know; it must name at least order_ref, lat_deg and lon_deg, "
            "separated by comma, semicolon or tab"
        )
    delimiter, names = found
    if len(names) > MAX_COLUMNS:
        return NotATable(
            why=f"the first line names {len(names)} columns, more than {MAX_COLUMNS}: leave out the others"
        )
    header = [_NAMES.get(_bare(name)) for name in names]
    problems = _header_problems(names, header)
    refused = any(problem.column in COLUMNS for problem in problems)
    rows: list[Cells] = []
    seen = 0
    at = first + 1
    while at < len(lines):
        values, used, why = _record(lines, at, delimiter)
        row = at + 1
        at += used
        if values is not None and not any(value.strip() for value in values):
            continue
        seen += 1
        if seen > MAX_ROWS:
            why = f"the file has more than {MAX_ROWS} rows: this row and those after it are not read; split the file"
            problems.append(BadCell(row=row, column="", problem=why))
            break
        if values is None:
            problems.append(BadCell(row=row, column="", problem=why))
        elif any(value.strip() for value in values[len(header) :]):
            extra = len(values) - len(header)
            why = f'{extra} more values than the header has columns: put text that holds "{delimiter}" in "..."'
            problems.append(BadCell(row=row, column="", problem=why.replace("\t", "a tab")))
        elif not refused:
            cells = {name: _clean(value) for name, value in zip(header, values, strict=False) if name}
            rows.append(Cells(row=row, cells=cells))
    return SheetRows(delimiter=delimiter, rows=tuple(rows), problems=tuple(problems), rows_seen=seen)


def _text(data: bytes) -> str | NotATable:
    if len(data) > MAX_FILE_BYTES:
        return NotATable(why=f"the file has {len(data)} bytes, more than {MAX_FILE_BYTES}: split it")
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return NotATable(why="this is a spreadsheet, not a CSV file: save it as CSV (UTF-8) and send that")
    text = None
    for encoding in ("utf-16",) if data[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "cp1252"):
        try:
            text = data.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or "\0" in text:
        return NotATable(why="this is not a text file: save the orders as CSV (UTF-8) and send that")
    return text


def _header(line: str) -> tuple[str, list[str]] | None:
    best: tuple[int, str, list[str]] | None = None
    for delimiter in DELIMITERS:
        try:
            names = next(csv.reader([line], delimiter=delimiter))
        except csv.Error:
            continue
        known = sum(_bare(name) in _NAMES for name in names)
        if known and (best is None or known > best[0]):
            best = (known, delimiter, names)
    return None if best is None else best[1:]


def _header_problems(names: list[str], header: list[str | None]) -> list[BadCell]:
    problems = []
    for at, (name, column) in enumerate(zip(names, header, strict=True)):
        if column is None and name.strip():
            why = "not a column we know: its values are not used"
            problems.append(BadCell(row=1, column=_clean(name)[:40], problem=why))
        elif column is not None and column in header[:at]:
            why = f"two columns mean {column} ({names[header.index(column)].strip()} and {name.strip()}): keep one"
            problems.append(BadCell(row=1, column=column, problem=why[:200]))
    for column in REQUIRED:
        if column not in header:
            why = f"the column {column} is missing: no row can be taken without it"
            if column != "order_ref":
                why += "; addresses alone are not looked up yet"
            problems.append(BadCell(row=1, column=column, problem=why))
    return problems


def _record(lines: list[str], at: int, delimiter: str) -> tuple[list[str] | None, int, str]:
    """The record starting at that line and how many lines it takes; None, and why, when it cannot be taken apart."""
    reader = csv.reader(lines[at : at + MAX_LINES_OF_A_RECORD], delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num, ""
    except csv.Error as error:
        if "field limit" in str(error):
            return None, 1, f"a value has more than {csv.field_size_limit()} characters: shorten it"
        why = 'the quotes do not match: put text that holds the separator in "...", and write a quote inside as ""'
        return None, 1, why


def _bare(name: str) -> str:
    return re.sub(r"[\s_.\-*]+", "", name).casefold()


def _clean(cell: str) -> str:
    """Trimmed, control characters as blanks, and without the apostrophe that `export` puts before a formula."""
    text = cell if cell.isprintable() else "".join(letter if letter.isprintable() else " " for letter in cell)
    text = text.strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@'" else text
