from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.dispatch.assign import Assignment, VanDay, assign
from cloud.dispatch.manifest import build_manifest, says_the_same
from cloud.dispatch.sequence import Shift, call_of, drive
from cloud.dispatch.van import Van
from wire.geo import Place, distance_m, moved
from wire.manifest import Amount, Depot, Stop, Window

DAY = date(2026, 11, 23)
LISBON = ZoneInfo("Europe/Lisbon")
DEPOT = Place(lat_deg=41.15, lon_deg=-8.61)
DAWN = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)


def travel_s(a: Place, b: Place) -> float:
    return distance_m(a, b) * 1.64 / 8.0


def at(clock: str) -> datetime:
    return datetime.combine(DAY, time.fromisoformat(clock), LISBON).astimezone(UTC)


def stop(
    ref: str, north_m: float = 500, east_m: float = 500, *, parcels: int = 1, by: str = "", hard: bool = True
) -> Stop:
    place = moved(DEPOT, north_m=north_m, east_m=east_m)
    windows = (Window(opens_at=at("08:00"), closes_at=at(by), is_hard=hard),) if by else ()
    return Stop(
        stop_id=ref,
        order_ref=ref,
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        amount=Amount(parcels=parcels),
        windows=windows,
    )


def van(name: str, capacity: int = 80, kept: Sequence[Stop] = (), closed_parcels: int = 0) -> VanDay:
    return VanDay(van=Van(name=name, capacity_parcels=capacity), open_stops=tuple(kept), closed_parcels=closed_parcels)


def assigned(stops: Sequence[Stop], vans: Sequence[VanDay], now: datetime = DAWN) -> Assignment:
    return assign(stops, vans, day=DAY, depot=DEPOT, zone=LISBON, now=now, travel_s=travel_s)


def test_each_side_of_town_goes_to_one_van() -> None:
    east = [stop(f"east-{n}", north_m=n * 100, east_m=3000) for n in range(4)]
    west = [stop(f"west-{n}", north_m=n * 100, east_m=-3000) for n in range(4)]
    result = assigned([*east, *west], [van("van-1"), van("van-2")])
    sides = {name: {stop_id[:4] for stop_id in order} for name, order in result.orders.items()}
    assert sorted(map(tuple, sides.values())) == [("east",), ("west",)]


def test_a_stop_with_an_early_window_comes_first() -> None:
    result = assigned([stop("near", 200), stop("far-but-early", 4000, by="08:20")], [van("van-1")])
    assert result.orders["van-1"] == ("far-but-early", "near")


def test_no_van_has_room_before_the_window_closes() -> None:
    result = assigned([stop("a", 9000, by="08:10")], [van("van-1")])
    assert result.unassigned == {"a": "no van has room before 08:10"}


def test_a_stop_missed_by_one_van_goes_to_another() -> None:
    stops = [stop(f"s{n}", north_m=6000 * (-1) ** n, east_m=100 * n, by="08:40") for n in range(4)]
    result = assigned(stops, [van("van-1"), van("van-2"), van("van-3"), van("van-4")])
    assert result.unassigned == {}


def test_parcels_that_no_van_takes_are_said_with_the_largest_van() -> None:
    result = assigned([stop("a", parcels=90)], [van("van-1", 40), van("van-2", 80)])
    assert result.unassigned == {"a": "90 parcels are more than any van takes (van-2 takes 80)"}


def test_a_full_fleet_says_so() -> None:
    result = assigned([stop("a", parcels=5)], [van("van-1", 10, closed_parcels=6)])
    assert result.unassigned == {"a": "no van has room for 5 more parcels"}


def test_after_the_shift_nothing_is_given_out() -> None:
    result = assigned([stop("a")], [van("van-1")], now=at("18:00"))
    assert result.unassigned == {"a": "no van can fit it in before its shift ends at 17:00"}


def test_without_vans_every_stop_has_its_reason() -> None:
    assert assigned([stop("a")], []).unassigned == {"a": "no van is set up"}


def test_stops_that_have_a_van_stay_with_it_and_nothing_new_keeps_the_order() -> None:
    kept = [stop("b", 3000), stop("a", 100), stop("c", 200)]
    result = assigned([], [van("van-1", kept=kept), van("van-2")])
    assert result.orders == {"van-1": ("b", "a", "c"), "van-2": ()}
    more = assigned([stop("d", -3000)], [van("van-1", kept=kept), van("van-2")])
    assert {"a", "b", "c"} <= set(more.orders["van-1"])
    assert more.given == {"d": "van-2"}


def test_a_van_that_has_more_gets_less() -> None:
    kept = [stop(f"k{n}", 100 * n) for n in range(1, 5)]
    new = [stop(f"n{n}", 100 * n, -900) for n in range(1, 5)]
    result = assigned(new, [van("van-1", kept=kept), van("van-2")])
    assert set(result.given.values()) == {"van-2"}


stops = st.lists(
    st.builds(
        stop,
        st.integers(0, 10_000).map("s{}".format),
        st.integers(-8000, 8000),
        st.integers(-8000, 8000),
        parcels=st.integers(0, 40),
        by=st.sampled_from(["", "08:15", "09:00", "10:30", "16:00"]),
        hard=st.booleans(),
    ),
    max_size=25,
    unique_by=lambda stop: stop.stop_id,
)
vans = st.lists(st.integers(1, 100), max_size=4)


@settings(deadline=None)
@given(stops, vans, st.integers(0, 10), st.randoms())
def test_each_stop_once_or_with_a_reason_capacity_kept_and_order_of_input_no_matter(
    stops: list[Stop], capacities: list[int], kept_count: int, random: object
) -> None:
    kept = [one.model_copy(update={"stop_id": f"k{one.stop_id}"}) for one in stops[:kept_count]]
    fleet = [van(f"van-{n}", capacity, kept if n == 0 else ()) for n, capacity in enumerate(capacities)]
    result = assigned(stops, fleet)
    asked = {one.stop_id for one in stops}
    assert set(result.given) | set(result.unassigned) == asked
    assert not set(result.given) & set(result.unassigned)
    assert all(result.unassigned.values())
    listed = [stop_id for order in result.orders.values() for stop_id in order]
    before = [one.stop_id for one in kept] if fleet else []
    assert sorted(listed) == sorted([*result.given, *before])
    parcels = {one.stop_id: one.amount.parcels for one in (*stops, *kept)}
    for one in fleet:
        came_with = sum(stop.amount.parcels for stop in one.open_stops)
        held = sum(parcels[stop_id] for stop_id in result.orders[one.van.name])
        assert held <= max(one.van.capacity_parcels, came_with)
    other_order = list(stops)
    random.shuffle(other_order)  # type: ignore[attr-defined]
    assert assigned(other_order, fleet[::-1]) == result


@settings(deadline=None)
@given(stops, st.integers(1, 4))
def test_no_hard_window_is_missed_and_every_van_is_back_in_time(stops: list[Stop], count: int) -> None:
    fleet = [van(f"van-{n}") for n in range(count)]
    by_id = {one.stop_id: one for one in stops}
    for order in assigned(stops, fleet).orders.values():
        shift = Shift(DEPOT, at("08:00").timestamp(), at("17:00").timestamp(), travel_s)
        trip = drive([call_of(by_id[stop_id]) for stop_id in order], shift)
        assert trip.missed == frozenset()
        assert trip.back_s <= shift.ends_s


@settings(deadline=None)
@given(stops)
def test_assigning_again_changes_nothing(stops: list[Stop]) -> None:
    first = assigned(stops, [van("van-1"), van("van-2")])
    by_id = {one.stop_id: one for one in stops}
    fleet = [van(name, kept=[by_id[stop_id] for stop_id in order]) for name, order in first.orders.items()]
    again = assigned([], fleet)
    assert again.orders == first.orders


def test_a_manifest_carries_the_shift_in_utc_and_the_order_given() -> None:
    one = Van(name="van-1", driver="Inês Duarte", shift_starts=time(8), shift_ends=time(17))
    summer = date(2026, 7, 6)
    depot = Depot(lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg)
    manifest = build_manifest(one, summer, 3, stops=[stop("b"), stop("a")], depot=depot, zone=LISBON, policy=one.policy)
    assert manifest.shift_starts_at == datetime(2026, 7, 6, 7, tzinfo=UTC)
    assert [one.stop_id for one in manifest.stops] == ["b", "a"]
    assert (manifest.driver, manifest.timezone, manifest.version) == ("Inês Duarte", "Europe/Lisbon", 3)
    assert says_the_same(manifest, manifest.model_copy(update={"version": 4}))
    assert not says_the_same(manifest, manifest.model_copy(update={"driver": "Rui"}))


def test_a_night_shift_ends_on_the_next_day() -> None:
    starts_at, ends_at = Van(name="van-1", shift_starts=time(22), shift_ends=time(6)).shift_on(DAY, LISBON)
    assert (ends_at - starts_at).total_seconds() == 8 * 3600
