"""The streets and house numbers of an OSM extract, for the index of a map pack. Needs osmium, which no van has."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from roads.addresses import Door, Street
from roads.errors import BuildError
from roads.words import folded
from wire.geo import Place, distance_m

CLUSTER_M = 1_500.0
"""Pieces of road of one name that are farther apart are two streets: every town has its church street."""
NO_STREETS = frozenset(("proposed", "construction", "platform", "corridor", "elevator", "bus_stop", "raceway"))


@dataclass
class _Piece:
    """A street as far as it is put together."""

    name: str
    spots: list[Place]
    doors: list[Door] = field(default_factory=list)
    cities: dict[str, int] = field(default_factory=dict)

    def distance_m(self, place: Place) -> float:
        return min(distance_m(place, spot) for spot in self.spots)


def read_streets(pbf: Path) -> list[Street]:
    """Every named street with its numbers, by name. Raises BuildError when the file cannot be read.

    A number whose street the extract does not have makes a street of its own.
    """
    lines: dict[str, list[tuple[str, list[Place]]]] = defaultdict(list)
    doors: dict[str, list[tuple[str, str, Door]]] = defaultdict(list)
    try:
        for tags, spots in _tagged(pbf):
            name = tags.get("name")
            if name and tags.get("highway") and tags["highway"] not in NO_STREETS and len(spots) > 1:
                lines[folded(name)].append((name, spots))
            number, street = tags.get("addr:housenumber"), tags.get("addr:street") or tags.get("addr:place")
            if number and street:
                door = Door(number, tags.get("addr:postcode", ""), _middle(spots))
                doors[folded(street)].append((street, tags.get("addr:city", ""), door))
    except (RuntimeError, OSError, ValueError) as error:
        raise BuildError(f"{pbf} cannot be read for addresses: {error}") from error
    found = []
    for key in sorted({*lines, *doors} - {""}):
        pieces = _clustered(lines.get(key, []))
        for street, city, door in doors.get(key, []):
            _give(pieces, street, city, door)
        found += [_street(piece) for piece in pieces]
    return found


def _tagged(pbf: Path) -> Iterator[tuple[dict[str, str], list[Place]]]:
    """The tags and places of all that is a street or has a house number."""
    try:
        import osmium  # noqa: PLC0415  (only builders need it; a van has none)
    except ImportError as error:
        raise BuildError("building a map pack needs osmium: `pip install osmium`") from error
    wanted = osmium.filter.KeyFilter("highway", "addr:housenumber")
    things = osmium.FileProcessor(str(pbf), osmium.osm.NODE | osmium.osm.WAY).with_locations().with_filter(wanted)
    for thing in things:
        tags = {tag.k: tag.v for tag in thing.tags}
        if isinstance(thing, osmium.osm.Node):
            spots = [thing.location]
        else:
            spots = [node.location for node in thing.nodes] if isinstance(thing, osmium.osm.Way) else []
        places = [Place(lat_deg=spot.lat, lon_deg=spot.lon) for spot in spots if spot.valid()]
        if places:
            yield tags, places


def _clustered(lines: list[tuple[str, list[Place]]]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for name, spots in lines:
        near = [piece for piece in pieces if min(piece.distance_m(spots[0]), piece.distance_m(spots[-1])) < CLUSTER_M]
        whole = _Piece(name, [spot for piece in near for spot in piece.spots] + spots)
        pieces = [piece for piece in pieces if piece not in near] + [whole]
    return pieces


def _give(pieces: list[_Piece], street: str, city: str, door: Door) -> None:
    """The number to the street of its name that is nearest."""
    near = min(pieces, key=lambda piece: piece.distance_m(door.place), default=None)
    if near is None or near.distance_m(door.place) > CLUSTER_M:
        near = _Piece(street, [door.place])
        pieces.append(near)
    near.doors.append(door)
    near.cities[city] = near.cities.get(city, 0) + 1


def _street(piece: _Piece) -> Street:
    named = {city: count for city, count in piece.cities.items() if city}
    city = max(sorted(named), key=lambda one: named[one], default="")
    doors = sorted(piece.doors, key=lambda door: (door.number, door.place.lat_deg, door.place.lon_deg))
    middle = _middle(piece.spots)
    on_it = min(piece.spots, key=lambda spot: (distance_m(spot, middle), spot.lat_deg, spot.lon_deg))
    return Street(piece.name, city, on_it, tuple(doors), tuple(sorted(named.keys() - {city})))


def _middle(spots: list[Place]) -> Place:
    count = len(spots)
    return Place(
        lat_deg=round(sum(spot.lat_deg for spot in spots) / count, 7),
        lon_deg=round(sum(spot.lon_deg for spot in spots) / count, 7),
    )
