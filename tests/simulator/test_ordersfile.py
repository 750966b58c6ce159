from datetime import date
from pathlib import Path

import pytest

from simulator.ordersfile import OrdersFile, OrdersFileError, service_times

TODAY = date(2026, 11, 23)
HEADER = "order_ref;day;name"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_the_day_is_the_one_most_rows_name_in_any_encoding(encoding: str) -> None:
    text = f"{HEADER}\nA;2026-07-07;José\nB;2026-07-08;Inês\nC;2026-07-08;João\n"
    assert OrdersFile.of(text.encode(encoding), TODAY).day == date(2026, 7, 8)


def test_of_two_days_with_as_many_rows_the_earlier_is_driven() -> None:
    assert OrdersFile.of(b"order_ref,day\nA,2026-07-09\nB,2026-07-08\n", TODAY).day == date(2026, 7, 8)


@pytest.mark.parametrize("data", [b"", b"order_ref\nA\n", b"A,2026-99-99\n", b"\xff\xfe\x00", bytes(range(256))])
def test_a_file_that_names_no_day_is_for_today(data: bytes) -> None:
    assert OrdersFile.of(data, TODAY).day == TODAY


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OrdersFileError, match=r"nothing\.csv cannot be read: No such file"):
        OrdersFile.read(tmp_path / "nothing.csv", TODAY)


def test_service_times_come_by_order_ref() -> None:
    assert service_times("order_ref,service_s\r\nA-1,90\r\n") == {"A-1": 90.0}
