"""A generated town: the same for the same seed, two banks, two bridges, no one locked in."""

import hashlib
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import osmium
import pytest

from simulator import osmfile
from simulator.town import Town, make_town
from wire.geo import Place, distance_m

SEEDS = (1, 2, 7, 42)


@pytest.fixture(scope="module")
def towns() -> list[Town]:
    return [make_town(seed) for seed in SEEDS]


def _reached(start: int, onward: dict[int, set[int]]) -> set[int]:
    seen, waiting = {start}, [start]
    while waiting:
        for node in onward[waiting.pop()] - seen:
            seen.add(node)
            waiting.append(node)
    return seen


def _drivable(town: Town, without: tuple[str, ...] = ()) -> tuple[dict[int, set[int]], dict[int, set[int]]]:
    onward: dict[int, set[int]] = defaultdict(set)
    back: dict[int, set[int]] = defaultdict(set)
    for street in town.streets:
        if street.tags["name"] in without:
            continue
        for a, b in pairwise(street.node_ids):
            for start, end in ((a, b),) if "oneway" in street.tags else ((a, b), (b, a)):
                onward[start].add(end)
                back[end].add(start)
    return onward, back


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    sums = []
    for name in ("first", "second"):
        pbf = tmp_path / f"{name}.osm.pbf"
        osmfile.write_town(make_town(5), pbf)
        sums.append(hashlib.sha256(pbf.read_bytes()).hexdigest())
    assert sums[0] == sums[1]
    assert make_town(5) != make_town(6)


def test_every_junction_is_reached_and_left_by_car(towns: list[Town]) -> None:
    for town in towns:
        onward, back = _drivable(town)
        everywhere = {node for street in town.streets for node in street.node_ids}
        start = town.streets[0].node_ids[0]
        assert _reached(start, onward) == everywhere
        assert _reached(start, back) == everywhere
        assert any("oneway" in street.tags for street in town.streets)


def test_two_bridges_join_the_banks_and_either_will_do(towns: list[Town]) -> None:
    for town in towns:
        both = tuple(bridge.name for bridge in town.bridges)
        everywhere = {node for street in town.streets for node in street.node_ids}
        start = town.bridges[0].pairs[0][0]
        bank = _reached(start, _drivable(town, without=both)[0])
        assert town.bridges[0].pairs[-1][1] not in bank
        assert len(bank) > 0.1 * len(everywhere)
        for bridge in town.bridges:
            onward, _ = _drivable(town, without=(bridge.name,))
            assert town.bridges[0].pairs[-1][1] in _reached(start, onward)


def test_streets_have_names_of_their_own_and_doors_numbers_of_their_own(towns: list[Town]) -> None:
    for town in towns:
        assert 100 <= len({street.tags["name"] for street in town.streets}) <= 180
        assert 180 <= len(town.streets) <= 350
        doors = Counter((address.street, address.number) for address in town.addresses)
        assert max(doors.values()) == 1
        assert len(doors) > 2_000


def test_odd_and_even_numbers_stand_on_opposite_sides() -> None:
    town = make_town(1)
    nodes = {node.node_id: node for node in town.nodes}
    street = next(street for street in town.streets if len(street.node_ids) > 4)
    sides: dict[int, set[bool]] = {0: set(), 1: set()}
    for a, b in pairwise(street.node_ids):
        start, end = nodes[a], nodes[b]
        for address in town.addresses:
            if address.street != street.tags["name"] or distance_m(address.place, start.place) > 25:
                continue
            cross = (end.lon_deg - start.lon_deg) * (address.lat_deg - start.lat_deg) - (
                end.lat_deg - start.lat_deg
            ) * (address.lon_deg - start.lon_deg)
            sides[int(address.number) % 2].add(cross > 0)
    assert sides[1] == {True}
    assert sides[0] == {False}


@pytest.mark.parametrize(("lat_deg", "lon_deg"), [(-33.92, 18.42), (64.14, -21.94), (-54.8, -68.3), (35.68, 139.76)])
def test_a_town_lies_where_it_is_asked_to(lat_deg: float, lon_deg: float) -> None:
    centre = Place(lat_deg=lat_deg, lon_deg=lon_deg)
    town = make_town(3, centre)
    west, south, east, north = town.bounds
    assert south < lat_deg < north
    assert west < lon_deg < east
    furthest_m = max(distance_m(address.place, centre) for address in town.addresses)
    assert 1_000 < furthest_m < 2_200


@pytest.mark.parametrize(("lat_deg", "lon_deg"), [(85.0, 0.0), (0.0, 179.9)])
def test_no_town_at_a_pole_or_on_the_date_line(lat_deg: float, lon_deg: float) -> None:
    with pytest.raises(ValueError, match="choose a centre"):
        make_town(1, Place(lat_deg=lat_deg, lon_deg=lon_deg))


def test_the_extract_gives_back_the_addresses_and_bounds(tmp_path: Path) -> None:
    town = make_town(1)
    pbf = tmp_path / "town.osm.pbf"
    osmfile.write_town(town, pbf)
    assert osmfile.read_addresses(pbf) == town.addresses
    box = osmium.io.Reader(str(pbf), osmium.osm.NOTHING).header().box()
    west, south, east, north = town.bounds
    assert (box.bottom_left.lon, box.bottom_left.lat) == pytest.approx((west, south))
    assert (box.top_right.lon, box.top_right.lat) == pytest.approx((east, north))


def test_a_file_that_is_no_extract_is_refused_with_words(tmp_path: Path) -> None:
    pbf = tmp_path / "holiday.osm.pbf"
    pbf.write_bytes(b"not a map")
    with pytest.raises(osmfile.MapFileError, match=r"holiday\.osm\.pbf"):
        osmfile.read_addresses(pbf)
