"""OpenStreetMap extracts: writes a town as a real `.osm.pbf`, reads addresses from any. The one file that
knows osmium.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import osmium
from osmium.osm import Box
from osmium.osm.mutable import Node, Way

from simulator.town import Town, TownAddress
from wire.geo import Place, distance_m

MIN_ADDRESSES = 150
"""Fewer house numbers than this within a round's reach: numbers are invented along named streets instead."""
ROUND_M = 3_000.0
"""How far from the densest spot an address may be to count for a round."""
_NEAR_DEG = 0.0006
_DRIVABLE = frozenset(
    (
        "primary",
        "secondary",
        "tertiary",
        "unclassified",
        "residential",
        "living_street",
        "primary_link",
        "tertiary_link",
    )
)


class MapFileError(ValueError):
    """The file is no extract we can use; the text says why."""


def write_town(town: Town, pbf: Path) -> None:
    """The town as an extract, replacing a file of that name; the same town gives the same bytes."""
    header = osmium.io.Header()
    header.add_box(Box(*town.bounds))  # without it the tile maker writes bounds 0,0,0,0
    with osmium.SimpleWriter(str(pbf), header=header, overwrite=True) as writer:
        for node in town.nodes:
            location = (node.lon_deg, node.lat_deg)  # longitude first
            writer.add_node(Node(id=node.node_id, version=1, location=location, tags=node.tags))
        for way in town.ways:
            writer.add_way(Way(id=way.way_id, version=1, nodes=list(way.node_ids), tags=way.tags))


def read_addresses(pbf: Path, seed: int = 1) -> tuple[TownAddress, ...]:
    """Doors one can deliver to: house numbers of the extract when enough of them make one round, else points on
    named streets with invented numbers.

    All are close to a road one can drive, in the file's order. Raises MapFileError when there are too few.
    """
    try:
        real = _house_numbers(pbf)
        if real and len(_within(real, densest_spot(real), ROUND_M)) >= MIN_ADDRESSES:
            return real
        invented = _on_streets(pbf, Random(seed))  # noqa: S311 - a house number, not a key
    except (RuntimeError, OSError) as error:
        raise _unreadable(pbf, error) from error
    if len(invented) < MIN_ADDRESSES:
        raise MapFileError(f"{pbf} has too few streets with names for a round: give an extract of a whole town")
    return invented


def densest_spot(addresses: tuple[TownAddress, ...], cell_deg: float = 0.02) -> Place:
    """The middle of the most built-up square of about 2 km: where a depot makes sense."""
    squares: dict[tuple[int, int], list[TownAddress]] = defaultdict(list)
    for address in addresses:
        squares[int(address.lat_deg // cell_deg), int(address.lon_deg // cell_deg)].append(address)
    most = max(squares.values(), key=len)
    lat_deg = sum(address.lat_deg for address in most) / len(most)
    lon_deg = sum(address.lon_deg for address in most) / len(most)
    middle = Place(lat_deg=lat_deg, lon_deg=lon_deg)
    return min((address.place for address in most), key=lambda place: distance_m(place, middle))


def _within(addresses: tuple[TownAddress, ...], place: Place, reach_m: float) -> list[TownAddress]:
    return [address for address in addresses if distance_m(address.place, place) <= reach_m]


def _house_numbers(pbf: Path) -> tuple[TownAddress, ...]:
    found = []
    for thing in _tagged(pbf, "addr:housenumber"):
        tags = thing.tags
        street = tags.get("addr:street") or tags.get("addr:place")
        place = _place_of(thing)
        if street is None or place is None:
            continue
        found.append(
            TownAddress(
                number=tags["addr:housenumber"],
                street=street,
                postcode=tags.get("addr:postcode") or "",
                city=tags.get("addr:city") or "",
                lat_deg=place.lat_deg,
                lon_deg=place.lon_deg,
            )
        )
    if len(found) < MIN_ADDRESSES:
        return ()
    roads = _road_squares(pbf)
    return tuple(address for address in found if _square(address.lat_deg, address.lon_deg) in roads)


def _on_streets(pbf: Path, rng: Random) -> tuple[TownAddress, ...]:
    found = []
    numbers: dict[str, int] = defaultdict(int)
    for way in _roads(pbf):
        name = way.tags.get("name")
        if name is None:
            continue
        for node in way.nodes:
            if not node.location.valid() or rng.random() > 0.35:
                continue
            numbers[name] += rng.randint(1, 9)
            lat_deg, lon_deg = round(node.location.lat, 7), round(node.location.lon, 7)
            found.append(TownAddress(str(numbers[name]), name, "", "", lat_deg, lon_deg))
    return tuple(found)


def _road_squares(pbf: Path) -> set[tuple[int, int]]:
    """The squares of about 60 m that a drivable road runs through or beside: an engine finds its way to these."""
    squares: set[tuple[int, int]] = set()
    for way in _roads(pbf):
        spots = [(node.location.lat, node.location.lon) for node in way.nodes if node.location.valid()]
        for (lat_a, lon_a), (lat_b, lon_b) in pairwise(spots):
            steps = 1 + int(max(abs(lat_b - lat_a), abs(lon_b - lon_a)) / _NEAR_DEG)
            for k in range(steps + 1):
                i, j = _square(lat_a + (lat_b - lat_a) * k / steps, lon_a + (lon_b - lon_a) * k / steps)
                squares.update((i + di, j + dj) for di in (-1, 0, 1) for dj in (-1, 0, 1))
    return squares


def _square(lat_deg: float, lon_deg: float) -> tuple[int, int]:
    return int(lat_deg // _NEAR_DEG), int(lon_deg // _NEAR_DEG)


def _roads(pbf: Path) -> Iterator[osmium.osm.Way]:
    for way in _tagged(pbf, "highway"):
        is_open = way.tags["highway"] in _DRIVABLE and way.tags.get("access") not in ("no", "private")
        if is_open and isinstance(way, osmium.osm.Way):
            yield way


def _tagged(pbf: Path, key: str) -> Iterator[osmium.osm.Node | osmium.osm.Way]:
    """Nodes and ways with that tag; a way's nodes know where they are."""
    reader = osmium.FileProcessor(str(pbf), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for thing in reader.with_filter(osmium.filter.KeyFilter(key)):
        if isinstance(thing, (osmium.osm.Node, osmium.osm.Way)):
            yield thing


def _place_of(thing: osmium.osm.Node | osmium.osm.Way) -> Place | None:
    """A node's place, or the middle of a way's corners."""
    locations = [node.location for node in ([thing] if isinstance(thing, osmium.osm.Node) else thing.nodes)]
    valid = [location for location in locations if location.valid()]
    if not valid:
        return None
    return Place(
        lat_deg=round(sum(location.lat for location in valid) / len(valid), 7),
        lon_deg=round(sum(location.lon for location in valid) / len(valid), 7),
    )


def _unreadable(pbf: Path, error: Exception) -> MapFileError:
    return MapFileError(f"{pbf} cannot be read as an OpenStreetMap extract: {error}")
