"""The simulator's dispatcher against the real coordinator's HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from simulator.dispatcher import Dispatcher, RefusedError
from simulator.morning import PROBLEMS_SAID, Work, hand_out
from simulator.ordersfile import OrdersFile
from tests.builders import MORNING
from tests.cloud.api.world import a_world

HEADER = "order_ref,day,lat_deg,lon_deg,service_s,parcels,colour"
DAY = MORNING.date()


@asynccontextmanager
async def a_dispatcher(folder: Path) -> AsyncIterator[Dispatcher]:
    async with a_world(folder) as world:
        dispatcher = Dispatcher(str(world.client.make_url("")).rstrip("/"))
        try:
            yield dispatcher
        finally:
            await dispatcher.close()


async def handed_out(folder: Path, *rows: str) -> tuple[Work, list[str]]:
    said: list[str] = []
    async with a_dispatcher(folder) as dispatcher:
        file = OrdersFile("\n".join((HEADER, *rows)).encode(), DAY)
        return await hand_out(dispatcher, file, said.append), said


async def test_a_bad_row_and_a_column_more_are_named_and_the_rest_is_driven(tmp_path: Path) -> None:
    work, said = await handed_out(tmp_path, "A,,41.151,-8.61,90,1,red", "B,,nowhere,-8.61,90,1,blue")
    assert work == Work(frozenset({"van-1"}), {"A": 90.0})
    assert said[0] == "orders, row 1, colour: not a column we know: its values are not used"
    assert said[1].startswith('orders, row 3, lat_deg: "nowhere" is not a number')


async def test_a_van_without_stops_is_not_among_those_that_drive(tmp_path: Path) -> None:
    work, _ = await handed_out(tmp_path, "A,,41.151,-8.61,90,1,")
    assert work.vans == {"van-1"}


async def test_orders_for_another_day_and_what_no_van_takes_are_said(tmp_path: Path) -> None:
    _, said = await handed_out(
        tmp_path, "A,,41.151,-8.61,90,1,", "B,2030-01-01,41.151,-8.61,90,1,", "C,,41.151,-8.61,90,999,"
    )
    assert f"orders: 1 are for other days than {DAY.isoformat()} and are not driven" in said
    assert "orders: 1 given to no van: 999 parcels are more than any van takes (van-1 takes 20)" in said


async def test_of_many_bad_rows_the_first_few_are_said(tmp_path: Path) -> None:
    _, said = await handed_out(tmp_path, "A,,41.151,-8.61,90,1,", *["B,,x,y,90,1,"] * 200)
    assert len(said) == PROBLEMS_SAID + 1
    assert said[-1] == "orders: and 191 more problems"  # 200 rows and the column


@pytest.mark.parametrize("file", [b"", b"PK\x03\x04", b"order_ref,lat_deg,lon_deg\nA,x,y\n"])
async def test_a_file_of_which_nothing_can_be_driven_ends_the_run_with_words(tmp_path: Path, file: bytes) -> None:
    async with a_dispatcher(tmp_path) as dispatcher:
        with pytest.raises(RefusedError, match=r"save it as CSV|the file is empty|of 1 rows no order"):
            await hand_out(dispatcher, OrdersFile(file, DAY), lambda _: None)
