"""A label's address, looked for in the map's own index."""

from pathlib import Path

import pytest

from agent.spotting import spotted
from roads.addresses import Door, Street, write_index
from tests.builders import DEPOT, a_place
from tests.labels import DAY, a_label
from wire.found import PlacedBy
from wire.geo import moved
from wire.transport import TransportLabel, read_transport


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "places.sqlite"
    doors = tuple(Door(str(number), "4050-262", a_place(north_m=number)) for number in (2, 12, 20))
    streets = [
        Street("Rua das Flores", "Porto", a_place(), doors),
        Street("Rua do Cabo", "", a_place(north_m=900), (Door("5", "9999-123", a_place(north_m=905)),)),
        Street("Rua Longe", "Porto", moved(DEPOT, north_m=900_000, east_m=0), ()),
    ]
    write_index(path, streets)
    return path


def label(line: str, city: str = "Porto", postcode: str = "4050-262") -> TransportLabel:
    found = read_transport(a_label(_4302=line.replace(" ", "+"), _4305=city, _420=postcode, _4309=""), DAY)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("read", "placed_by", "north_m"),
    [
        (label("Rua das Flores 12"), PlacedBy.DOOR, 12.0),
        (label("12 Rua das Flores"), PlacedBy.DOOR, 12.0),
        (label("Rua das Flores 16"), PlacedBy.BETWEEN, 16.0),
        (label("Rua das Flores"), PlacedBy.STREET, 0.0),
        (label("Rua do Cabo 5", "Porto", "9999 123"), PlacedBy.DOOR, 905.0),  # no town there, but the postal code
    ],
)
def test_a_door_is_found_and_how_well_is_said(
    index: Path, read: TransportLabel, placed_by: PlacedBy, north_m: float
) -> None:
    found = spotted(index, read, DEPOT)
    assert found is not None
    assert found.placed_by is placed_by
    assert found.place.lat_deg == pytest.approx(a_place(north_m=north_m).lat_deg, abs=1e-6)


@pytest.mark.parametrize(
    "read",
    [
        label("Rua das Flores 12", "Braga", "4700-000"),  # that street, but not that town
        label("Rua Nenhuma 3"),
        label("Rua Longe"),  # beyond any van's round
        label(""),
    ],
)
def test_what_does_not_fit_is_no_place(index: Path, read: TransportLabel) -> None:
    assert spotted(index, read, DEPOT) is None
