"""The pieces of road of a network with the speeds they were built with, read out of OSRM's own files.

`osrm-customize` takes speeds, not factors, so whoever wants a road at half its speed must know the whole one. OSRM
keeps, in tar archives beside the network: the places and OSM ids of all nodes (`.nbg_nodes`), and for each street
between two junctions its nodes and what each piece takes, in tenths of a second, both ways (`.geometry`). The first
entry of a street's forward times, and the last of its backward ones, belong to no piece.
"""

import tarfile
from array import array
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from roads.closures import Pair
from roads.errors import RoadsError
from wire.geo import Place, distance_m

DURATION_BITS = 22
CLOSED = 2**DURATION_BITS - 1
BLOCK = 64
"""Packed numbers come in whole blocks of so many."""
COORDINATE = 1e-6
_NODES = "/common/nbn_data/"
_STREETS = "/common/segment_data/"


@dataclass(frozen=True, slots=True)
class Area:
    """What lies inside an outline of (latitude, longitude)."""

    outline: Sequence[tuple[float, float]]

    def holds(self, lat_deg: float, lon_deg: float) -> bool:
        """By how often a line to the east crosses the outline."""
        is_inside = False
        for (lat_a, lon_a), (lat_b, lon_b) in zip(self.outline, (*self.outline[1:], self.outline[0]), strict=True):
            if (lat_a > lat_deg) != (lat_b > lat_deg):
                is_inside ^= lon_deg < lon_a + (lat_deg - lat_a) / (lat_b - lat_a) * (lon_b - lon_a)
        return is_inside

    @property
    def box(self) -> tuple[float, float, float, float]:
        lats, lons = [lat for lat, _ in self.outline], [lon for _, lon in self.outline]
        return min(lats), min(lons), max(lats), max(lons)


class Segments:
    """An open network's pieces. Reading takes some tenths of a second for a city: on a thread."""

    def __init__(self, base: Path) -> None:
        """Raises RoadsError when the files are not of the shape we know, OSError when they cannot be read."""
        try:
            nodes = _members(base.with_name(f"{base.name}.nbg_nodes"), _NODES, "coordinates", "osm_node_ids/packed")
            streets = _members(
                base.with_name(f"{base.name}.geometry"),
                _STREETS,
                *("index", "nodes", "forward_durations/packed", "reverse_durations/packed"),
            )
            self._lon_lat = array("i", nodes["coordinates"])
            self._index, self._nodes = array("I", streets["index"]), array("I", streets["nodes"])
        except (tarfile.TarError, KeyError, ValueError) as error:
            raise RoadsError(f"{base}: speeds cannot be read out of this road network ({error!r})") from error
        self._ids = nodes["osm_node_ids/packed"]
        blocks = (len(self._lon_lat) // 2 + BLOCK - 1) // BLOCK
        self._id_bits = len(self._ids) * 8 // BLOCK // max(1, blocks)
        self._forward, self._backward = streets["forward_durations/packed"], streets["reverse_durations/packed"]

    def inside(self, area: Area) -> dict[Pair, float]:
        """Each piece with both ends in the area, and its speed in km/h."""
        south, west, north, east = area.box
        chosen = set()
        lon_lat = iter(self._lon_lat)
        for node, (x, y) in enumerate(zip(lon_lat, lon_lat, strict=True)):
            lat_deg, lon_deg = y * COORDINATE, x * COORDINATE
            if south <= lat_deg <= north and west <= lon_deg <= east and area.holds(lat_deg, lon_deg):
                chosen.add(node)
        return dict(self._between(chosen))

    def of(self, pairs: Set[Pair]) -> dict[Pair, float]:
        """The speeds, in km/h, of those of the pieces that the network has."""
        wanted = {node for pair in pairs for node in pair}
        count = len(self._lon_lat) // 2
        chosen = {node for node in range(count) if _packed(self._ids, self._id_bits, node) in wanted}
        return {pair: kmh for pair, kmh in self._between(chosen) if pair in pairs}

    def _between(self, chosen: Set[int]) -> Iterator[tuple[Pair, float]]:
        is_chosen = bytearray(len(self._lon_lat) // 2)
        for node in chosen:
            is_chosen[node] = 1
        nodes = self._nodes
        for start, end in pairwise((*self._index, len(nodes))):
            for at in range(start, end - 1):
                if is_chosen[nodes[at]] and is_chosen[nodes[at + 1]]:
                    yield from self._piece(at)

    def _piece(self, at: int) -> Iterator[tuple[Pair, float]]:
        """The piece from one node of a street to the next, both ways, of a one-way street too."""
        a, b = self._nodes[at], self._nodes[at + 1]
        metres = distance_m(self._place(a), self._place(b))
        from_node, to_node = (_packed(self._ids, self._id_bits, node) for node in (a, b))
        there, back = _packed(self._forward, DURATION_BITS, at + 1), _packed(self._backward, DURATION_BITS, at)
        for pair, tenths in (((from_node, to_node), there), ((to_node, from_node), back)):
            if 0 < tenths < CLOSED and metres > 0:
                yield pair, metres / tenths * 36.0

    def _place(self, node: int) -> Place:
        return Place(lat_deg=self._lon_lat[2 * node + 1] * COORDINATE, lon_deg=self._lon_lat[2 * node] * COORDINATE)


def _members(path: Path, prefix: str, *names: str) -> dict[str, bytes]:
    found = {}
    with tarfile.open(path) as archive:
        for name in names:
            file = archive.extractfile(prefix + name)
            if file is None:
                raise KeyError(name)
            found[name] = file.read()
    return found


def _packed(data: bytes, bits: int, at: int) -> int:
    """One number of `bits` bits out of a row of them, lowest bit first."""
    first = at * bits
    piece = int.from_bytes(data[first // 8 : (first + bits + 7) // 8], "little")
    return piece >> first % 8 & (1 << bits) - 1
