"""Places that no open road leads to, and why."""

from collections.abc import Collection, Sequence
from functools import partial

from roads.answers import Located, Lost
from roads.asking import Ask
from roads.closures import Pair
from roads.osrm import Osrm, Refusal
from wire.geo import Place
from wire.places import PlaceTrouble

REMEMBERED_PLACES = 5_000


class Doors:
    """On which piece of road each place lies while no road is closed: OSRM does not find a closed one."""

    def __init__(self) -> None:
        self._pair_of: dict[Place, Pair | None] = {}

    def note(self, found: dict[Place, Located | None]) -> None:
        """What was found with every road open."""
        new = {place: None if located is None else located.pair for place, located in found.items()}
        known = self._pair_of | new
        self._pair_of = known if len(known) <= REMEMBERED_PLACES else new

    def unknown(self, places: Sequence[Place]) -> list[Place]:
        return [place for place in dict.fromkeys(places) if place not in self._pair_of]

    def shut(self, places: Sequence[Place], closed: Collection[Pair]) -> tuple[int, ...]:
        """Which of the places lie on a road that is closed both ways."""
        return tuple(
            number
            for number, place in enumerate(places)
            if (pair := self._pair_of.get(place)) is not None and pair in closed and pair[::-1] in closed
        )


async def why_lost(ask: Ask, place: Place, bounds: tuple[float, float, float, float]) -> Lost:
    """Why there is no road within reach of a place. `bounds` of the map: west, south, east, north."""
    nearest: list[Located | None] | Refusal = await ask(partial(Osrm.locate, places=[place], is_anywhere=True))
    found = None if isinstance(nearest, Refusal) else nearest[0]
    away_m = None if found is None else round(found.distance_m)
    west, south, east, north = bounds
    if south <= place.lat_deg <= north and west <= place.lon_deg <= east:
        return Lost(PlaceTrouble.FAR, away_m)
    if abs(place.lon_deg) <= 90:
        turned = Place(lat_deg=place.lon_deg, lon_deg=place.lat_deg)
        there: list[Located | None] | Refusal = await ask(partial(Osrm.locate, places=[turned]))
        if not isinstance(there, Refusal) and there[0] is not None:
            return Lost(PlaceTrouble.SWAPPED)
    return Lost(PlaceTrouble.OFF_MAP, away_m)
