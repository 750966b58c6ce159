"""Where the map has the address of a label: the one look into the map pack that a scan may ask for. No network."""

from pathlib import Path

from agent.pod.labels import FARTHEST_M, Spotted, address_of
from roads.addresses import Addresses, Found, Precision
from roads.words import folded
from wire.found import PlacedBy
from wire.geo import Place, distance_m
from wire.transport import TransportLabel

_SAID = {
    Precision.DOOR: PlacedBy.DOOR,
    Precision.BETWEEN: PlacedBy.BETWEEN,
    Precision.STREET: PlacedBy.STREET,
}


def spotted(index: Path, label: TransportLabel, near: Place) -> Spotted | None:
    """The best answer of the index, which may take some milliseconds; None where it has none that fits.

    A street of that name in another town is no answer: the town must fit, or the door have the label's postal code.
    Raises PackDamagedError.
    """
    address = address_of(label.ship_to)
    door = " ".join(part for part in (address.street, address.number) if part)
    if not address.street:
        return None
    with Addresses(index) as addresses:
        found = addresses.search(f"{door} {address.city}", near=near) if address.city else []
        found = found or [
            one for one in addresses.search(door, near=near) if not address.city or _is_same(one, address.postcode)
        ]
    best = next((one for one in found if distance_m(one.place, near) <= FARTHEST_M), None)
    return None if best is None else Spotted(place=best.place, placed_by=_SAID[best.precision])


def _is_same(found: Found, postcode: str) -> bool:
    return bool(postcode) and _letters(found.postcode) == _letters(postcode)


def _letters(postcode: str) -> str:
    return folded(postcode).replace(" ", "")
