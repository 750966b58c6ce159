"""A morning's orders: the same for the same seed, in the shipper's dialect, and possible."""

import csv
import io
from datetime import date, datetime, timedelta

import pytest

from simulator.orders import Order, TooFewAddressesError, make_orders, to_csv
from simulator.town import Town, make_town
from wire.geo import Place, distance_m

DAY = date(2026, 11, 23)
COLUMNS = (
    "order_ref,day,kind,name,phone,number,street,postcode,city,lat_deg,lon_deg,opens,closes,is_hard,service_s,"
    "parcels,weight_kg,volume_l,items,instruction,proof"
)


@pytest.fixture(scope="module")
def town() -> Town:
    return make_town(1)


def _orders(town: Town, seed: int, vans: int = 3) -> tuple[Order, ...]:
    return make_orders(town.addresses, town.depot, seed=seed, day=DAY, vans=vans)


def test_the_same_seed_gives_the_same_file(town: Town) -> None:
    assert to_csv(_orders(town, 4)) == to_csv(_orders(town, 4))
    assert to_csv(_orders(town, 4)) != to_csv(_orders(town, 5))


def test_the_file_has_the_columns_an_import_knows(town: Town) -> None:
    text = to_csv(_orders(town, 1))
    assert text.splitlines()[0] == COLUMNS
    rows = list(csv.DictReader(io.StringIO(text)))
    assert 45 <= len(rows) <= 54
    assert len({row["order_ref"] for row in rows}) == len(rows)
    assert {row["proof"] for row in rows} == {"signature|photo", "photo"}
    assert {row["is_hard"] for row in rows} == {"yes", "no"}


@pytest.mark.parametrize("seed", range(8))
def test_windows_are_half_an_hour_to_two_hours_in_one_morning(town: Town, seed: int) -> None:
    for order in _orders(town, seed):
        opens, closes = _moment(order.opens), _moment(order.closes)
        assert timedelta(minutes=30) <= closes - opens <= timedelta(hours=2)
        assert _moment("08:00") <= opens
        assert closes <= _moment("12:00")


@pytest.mark.parametrize("seed", range(8))
def test_a_plain_round_by_closing_time_keeps_nearly_all_windows(town: Town, seed: int) -> None:
    """One van for all of one van's orders, going to what closes first: no planner is worse than this."""
    orders = make_orders(town.addresses, town.depot, seed=seed, day=DAY, vans=1, stops_per_van=16)
    at, here, late = _moment("08:00"), town.depot, 0
    left = list(orders)
    while left:
        order = min(left, key=lambda order: (_cost_s(here, order, at), order.order_ref))
        left.remove(order)
        place = Place(lat_deg=order.lat_deg, lon_deg=order.lon_deg)
        at += timedelta(seconds=distance_m(here, place) * 1.5 / 6.5)
        late += at > _moment(order.closes)
        at = max(at, _moment(order.opens)) + timedelta(seconds=60 + order.service_s)
        here = place
    assert late <= 2


def test_a_map_with_too_few_doors_is_refused(town: Town) -> None:
    with pytest.raises(TooFewAddressesError, match="10 addresses"):
        make_orders(town.addresses[:10], town.depot, seed=1, day=DAY)


def _cost_s(here: Place, order: Order, at: datetime) -> float:
    drive_s = distance_m(here, Place(lat_deg=order.lat_deg, lon_deg=order.lon_deg)) * 1.5 / 6.5
    wait_s = max(0.0, (_moment(order.opens) - at).total_seconds() - drive_s)
    slack_s = (_moment(order.closes) - at).total_seconds() - drive_s
    return drive_s + 2 * wait_s + 0.25 * slack_s


def _moment(clock: str) -> datetime:
    return datetime.strptime(f"{DAY} {clock}", "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local times of one day
