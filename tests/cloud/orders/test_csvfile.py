from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.orders.csvfile import OrdersFile, read_orders
from cloud.orders.export import write_orders
from cloud.orders.order import BadCell, Known, Order, ReadRow, plan_import, stop_id_of
from cloud.orders.table import DELIMITERS, MAX_ROWS, NotATable
from wire.geo import Place
from wire.manifest import EvidenceKind, EvidenceRule, StopKind

DAY = date(2026, 7, 6)
LISBON = ZoneInfo("Europe/Lisbon")
DEPOT = Place(lat_deg=41.15, lon_deg=-8.61)
HEADER = (
    "order_ref,day,kind,name,phone,number,street,postcode,city,lat_deg,lon_deg,opens,closes,is_hard,service_s,"
    "parcels,weight_kg,volume_l,items,instruction,proof"
)


def read(text: str | bytes) -> OrdersFile:
    data = text.encode() if isinstance(text, str) else text
    found = read_orders(data, default_day=DAY, zone=LISBON, depot=DEPOT)
    assert isinstance(found, OrdersFile), found
    return found


def read_row(**cells: str) -> OrdersFile:
    full = {"order_ref": "A-1", "lat_deg": "41.16", "lon_deg": "-8.62"} | cells
    return read(f"{','.join(full)}\n{','.join(full.values())}\n")


def only_good(file: OrdersFile) -> ReadRow:
    assert file.problems == ()
    (row,) = file.good
    return row


def only_problem(file: OrdersFile) -> BadCell:
    assert file.good == ()
    (problem,) = file.problems
    return problem


def test_a_full_row_becomes_a_stop_on_its_day() -> None:
    text = (
        f"{HEADER}\nA-17,2026-07-07,pickup,Inês Duarte,+351 912 000 111,14 A,Rua do Sol,4000-001,Porto,41.15,-8.61,"
        '09:00,10:30,yes,180,3,12.5,40,red box|blue box,"blue door, do not ring",signature|photo?\n'
    )
    row = only_good(read(text))
    stop = row.stop
    assert (row.row, row.day, stop.stop_id) == (2, date(2026, 7, 7), "20260707-A-17")
    assert (stop.kind, stop.recipient.name, stop.address.number) == (StopKind.PICKUP, "Inês Duarte", "14 A")
    assert stop.windows[0].opens_at == datetime(2026, 7, 7, 8, 0, tzinfo=UTC)  # Lisbon is an hour ahead in summer
    assert stop.windows[0].closes_at == datetime(2026, 7, 7, 9, 30, tzinfo=UTC)
    assert stop.windows[0].is_hard
    assert (stop.service_s, stop.amount.parcels, stop.amount.weight_kg, stop.amount.volume_l) == (180, 3, 12.5, 40)
    assert stop.items == ("red box", "blue box")
    assert stop.instruction == "blue door, do not ring"
    assert stop.proof == {EvidenceKind.SIGNATURE: EvidenceRule.REQUIRED, EvidenceKind.PHOTO: EvidenceRule.OPTIONAL}


def test_a_stop_on_its_own_side_of_the_road_is_read_and_written_again() -> None:
    row = only_good(read_row(is_kerbside="yes"))
    assert row.stop.is_kerbside
    assert not only_good(read_row(is_kerbside="")).stop.is_kerbside
    order = Order(stop_id=row.stop.stop_id, day=row.day, stop=row.stop)
    assert only_good(read(write_orders([order]))).stop == row.stop


def test_three_columns_are_enough_and_the_day_is_the_one_asked_for() -> None:
    row = only_good(read("order_ref,lat_deg,lon_deg\nA,41.1,-8.6\n"))
    assert row.day == DAY
    assert row.stop.windows == ()
    assert row.stop.amount.parcels == 1


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_any_usual_separator_and_encoding_is_read(delimiter: str, encoding: str) -> None:
    text = delimiter.join(("Order Ref", "LATITUDE", "lng", "Recipient_Name"))
    text += "\r\n" + delimiter.join(("A", "41.1", "-8.6", "São João")) + "\r\n"
    assert only_good(read(text.encode(encoding))).stop.recipient.name == "São João"


def test_a_decimal_comma_is_a_decimal_point() -> None:
    assert only_good(read("order_ref;lat;lon\nA;41,1496;-8,611\n")).stop.lat_deg == 41.1496


def test_a_line_that_excel_puts_before_the_header_is_skipped() -> None:
    assert only_good(read("sep=;\norder_ref;lat;lon\nA;41.1;-8.6\n")).row == 3


@pytest.mark.parametrize(
    ("cells", "column", "words"),
    [
        ({"order_ref": ""}, "order_ref", "is empty"),
        ({"order_ref": "x" * 65}, "order_ref", "at most 64"),
        ({"day": "06/07/2026"}, "day", "write it as 2026-07-06"),
        ({"day": "1026-07-06"}, "day", "is not a day"),
        ({"kind": "teleport"}, "kind", "write delivery, pickup or return"),
        ({"lat_deg": ""}, "lat_deg", "addresses are not looked up"),
        ({"lat_deg": "nan"}, "lat_deg", "is not a number"),
        ({"lon_deg": "inf"}, "lon_deg", "is not a number"),
        ({"lon_deg": "8°36W"}, "lon_deg", "is not a number"),
        ({"lat_deg": "91"}, "lat_deg", "exchanged"),
        ({"lat_deg": "991"}, "lat_deg", "between -90 and 90"),
        ({"lon_deg": "-200"}, "lon_deg", "between -180 and 180"),
        ({"lat_deg": "-8.62", "lon_deg": "41.16"}, "lat_deg", "look exchanged"),
        ({"lat_deg": "0", "lon_deg": "0"}, "lat_deg", "in the sea"),
        ({"lon_deg": "8.62"}, "lat_deg", "lon_deg looks as if its sign is wrong"),
        ({"lat_deg": "-41.16"}, "lat_deg", "lat_deg looks as if its sign is wrong"),
        ({"lat_deg": "52.5", "lon_deg": "13.4"}, "lat_deg", "too far for a round"),
        ({"opens": "11:00", "closes": "09:00"}, "closes", "before it opens (11:00)"),
        ({"opens": "22:00", "closes": "01:00"}, "closes", "write closes as 2026-07-07T01:00+01:00"),
        ({"instruction": "x" * 140_000}, "", "more than 131072 characters"),
        ({"opens": "25:00"}, "opens", "is not a time"),
        ({"closes": "soon"}, "closes", "write 09:30"),
        ({"opens": "2026-07-06T09:00"}, "opens", "is not a time"),
        ({"opens": "2026-07-09T09:00Z", "closes": "2026-07-09T10:00Z"}, "opens", "does not touch 2026-07-06"),
        ({"is_hard": "maybe"}, "is_hard", "neither yes nor no"),
        ({"service_s": "-5"}, "service_s", "0 or more"),
        ({"service_s": "99999"}, "service_s", "more than 14400"),
        ({"parcels": "1.5"}, "parcels", "whole number"),
        ({"parcels": "1e9"}, "parcels", "0 or more"),
        ({"parcels": "10001"}, "parcels", "more than 10000"),
        ({"weight_kg": "999999"}, "weight_kg", "more than 50000"),
        ({"volume_l": "lots"}, "volume_l", "0 or more"),
        ({"items": "|".join("x" * 101)}, "items", "at most 100 items"),
        ({"proof": "foto"}, "proof", "write signature, photo"),
        ({"instruction": "x" * 1001}, "instruction", "at most 1000"),
    ],
)
def test_a_bad_cell_is_named_with_what_to_write(cells: dict[str, str], column: str, words: str) -> None:
    problem = only_problem(read_row(**cells))
    assert (problem.row, problem.column) == (2, column)
    assert words in problem.problem


def test_every_bad_cell_of_a_row_is_named_at_once() -> None:
    file = read_row(lat_deg="nan", opens="late", proof="blood")
    assert [problem.column for problem in file.problems] == ["lat_deg", "opens", "proof"]


def test_a_bad_row_costs_only_itself() -> None:
    file = read("order_ref,lat,lon\nA,41.1,-8.6\nB,,\nC,41.2,-8.6\n")
    assert [row.stop.order_ref for row in file.good] == ["A", "C"]
    assert {problem.row for problem in file.problems} == {3}
    assert file.rows == 3


def test_an_open_quote_costs_only_its_own_row() -> None:
    file = read('order_ref,lat,lon,name\nA,41.1,-8.6,"Ana\nB,41.1,-8.6,Bo\nC,41.1,-8.6,Cy\n')
    assert [row.stop.order_ref for row in file.good] == ["B", "C"]
    assert "quotes do not match" in file.problems[0].problem


def test_a_quoted_line_break_stays_in_its_cell() -> None:
    file = read('order_ref,lat,lon,notes\nA,41.1,-8.6,"blue door\nsecond floor"\nB,41.1,-8.6,\n')
    assert [(row.row, row.stop.instruction) for row in file.good] == [(2, "blue door second floor"), (4, "")]


def test_text_with_the_separator_outside_quotes_is_refused_rather_than_shifted() -> None:
    problem = only_problem(read("order_ref,lat,lon,street\nA,41.1,-8.6,Rua X, Porto\n"))
    assert "more values than the header" in problem.problem


def test_the_same_order_twice_on_a_day_names_the_first_row() -> None:
    file = read("order_ref,lat,lon,day\nA,41.1,-8.6,\nA,41.2,-8.6,\nA,41.1,-8.6,2026-07-08\n")
    assert [row.row for row in file.good] == [2, 4]
    assert "already stands in row 2" in file.problems[0].problem


def test_a_missing_required_column_is_said_once_and_no_row_is_taken() -> None:
    file = read("order_ref,street\nA,Rua X\nB,Rua Y\n")
    assert file.good == ()
    assert file.rows == 2
    assert [(problem.row, problem.column) for problem in file.problems] == [(1, "lat_deg"), (1, "lon_deg")]


def test_two_columns_of_one_meaning_are_refused() -> None:
    file = read("order_ref,lat,latitude,lon\nA,41.1,41.2,-8.6\n")
    assert file.good == ()
    assert "keep one" in file.problems[0].problem


def test_a_column_we_do_not_know_is_said_and_its_rows_are_taken() -> None:
    file = read("order_ref,lat,lon,e-mail\nA,41.1,-8.6,a@b.c\n")
    assert len(file.good) == 1
    assert file.problems[0].row == 1
    assert "not used" in file.problems[0].problem


def test_too_many_rows_are_said_and_the_first_ones_taken() -> None:
    file = read("order_ref,lat,lon\n" + "".join(f"A{n},41.1,-8.6\n" for n in range(MAX_ROWS + 2)))
    assert len(file.good) == MAX_ROWS
    assert "split the file" in file.problems[0].problem


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n\n",
        b"PK\x03\x04rest",
        b"\x00\x01\x02",
        b"hello world\n",
        b"a,b\n1,2\n",
        b"x" * 8_000_001,
        b"\xff\xfe\x00",
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(data: bytes) -> None:
    found = read_orders(data, default_day=DAY, zone=LISBON)
    assert isinstance(found, NotATable)
    assert found.why


@given(st.binary(max_size=400))
def test_no_bytes_ever_raise(data: bytes) -> None:
    read_orders(data, default_day=DAY, zone=LISBON, depot=DEPOT)
    read_orders(HEADER.encode() + b"\n" + data, default_day=DAY, zone=LISBON, depot=DEPOT)


cells_of_a_row = st.lists(
    st.one_of(
        st.sampled_from(["", "A", "41.1", "-8.6", "nan", "09:00", "24:00", "9999-12-31T23:59:59-12:00", '"']), st.text()
    ),
    min_size=21,
    max_size=21,
)


@given(st.lists(cells_of_a_row, max_size=4))
def test_no_cells_ever_raise_and_a_row_is_good_or_has_a_problem(rows: list[list[str]]) -> None:
    text = "\n".join([HEADER, *(",".join(row) for row in rows)])
    found = read_orders(text.encode(errors="replace"), default_day=DAY, zone=LISBON, depot=DEPOT)
    if isinstance(found, OrdersFile):
        assert len(found.good) + len({problem.row for problem in found.problems}) >= found.rows


plain_text = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), max_size=20)
formula = st.builds("{}{}".format, st.sampled_from(["=", "+", "-", "@", "'", "'=", "''"]), plain_text)


@given(
    st.lists(st.one_of(plain_text.filter(bool), formula), min_size=1, max_size=5, unique=True),
    st.one_of(plain_text, formula),
    st.floats(-89, 89).map(lambda value: round(value, 6)),
)
def test_exported_orders_read_back_the_same_and_no_cell_is_a_formula(
    refs: list[str], note: str, lat_deg: float
) -> None:
    first = only_good(read("order_ref,lat,lon,opens,closes,proof,items\nA,41.1,-8.6,09:00,10:30,photo?,a|b\n"))
    orders = [
        Order(
            stop_id=stop_id_of(DAY, ref),
            day=DAY,
            stop=first.stop.model_copy(
                update={"stop_id": stop_id_of(DAY, ref), "order_ref": ref, "instruction": note, "lat_deg": lat_deg}
            ),
        )
        for ref in refs
    ]
    text = write_orders(orders)
    found = read_orders(text.encode(), default_day=date(2000, 1, 1), zone=UTC)
    assert isinstance(found, OrdersFile)
    assert found.problems == ()
    assert [row.stop for row in found.good] == [order.stop for order in orders]
    for line in text.splitlines()[1:]:
        assert line[0] not in "=+@-"


@given(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64))
def test_stop_ids_are_safe_and_differ_when_the_references_do(one: str, other: str) -> None:
    first, second = stop_id_of(DAY, one), stop_id_of(DAY, other)
    assert (first == second) == (one == other)
    assert len(first) <= 64
    only_good(read_row()).stop.model_copy(update={"stop_id": first}).model_validate(
        {"stop_id": first, "order_ref": one, "lat_deg": 1, "lon_deg": 1}
    )


def test_a_plain_reference_that_looks_like_a_hashed_one_is_hashed_itself() -> None:
    hashed = stop_id_of(DAY, "a b")
    assert stop_id_of(DAY, hashed.removeprefix("20260706-")) != hashed


def known(row: ReadRow, **facts: bool) -> dict[str, Known]:
    state = {"is_cancelled": False, "is_closed": False} | facts
    return {row.stop.stop_id: Known(stop=row.stop, **state)}


def test_the_same_row_again_changes_nothing() -> None:
    row = only_good(read_row())
    plan = plan_import([row], known(row, is_closed=True))
    assert (plan.added, plan.updated, plan.unchanged, plan.problems) == ((), (), 1, ())


def test_a_changed_row_updates_its_stop() -> None:
    row, changed = only_good(read_row()), only_good(read_row(name="Ana"))
    assert plan_import([changed], known(row)).updated == (changed,)


@pytest.mark.parametrize("fact", ["is_closed", "is_cancelled"])
def test_a_stop_that_is_done_or_cancelled_is_not_changed(fact: str) -> None:
    row, changed = only_good(read_row()), only_good(read_row(name="Ana"))
    plan = plan_import([changed], known(row, **{fact: True}))
    assert plan.updated == ()
    assert plan.problems[0].row == 2


def test_a_header_that_never_ends_is_no_table() -> None:
    found = read_orders(b"order_ref,lat_deg,lon_deg" + b",a" * 200_000, default_day=DAY, zone=LISBON)
    assert isinstance(found, NotATable)
    assert "200003 columns" in found.why
