from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roads.addresses import Addresses, Door, Precision, Street, write_index
from roads.census import read_streets
from roads.errors import PackDamagedError
from roads.words import folded, house_numbers, split_ways
from simulator import osmfile
from simulator.town import make_town
from wire.geo import Place, distance_m, moved

HERE = Place(lat_deg=41.0, lon_deg=-8.0)


def spot(east_m: float) -> Place:
    return moved(HERE, north_m=0, east_m=east_m)


def street(name: str, *numbers: str, city: str = "Porto", east_m: float = 0.0) -> Street:
    """A number every ten metres."""
    doors = tuple(Door(number, "4050", spot(east_m + 10.0 * place)) for place, number in enumerate(numbers))
    return Street(name, city, spot(east_m), doors)


@pytest.fixture
def index(tmp_path: Path) -> Path:
    path = tmp_path / "places.sqlite"
    streets = [
        street("Rua das Flores", "2", "4", "5", "12A", "20"),
        street("Rua das Flores", "7", city="Vila Nova de Gaia", east_m=9_000),
        street("Travessa das Flores", east_m=300),
        street("Rua 31 de Janeiro", "60", "62;64", east_m=600),
        street("Rua D. João I", "Casa Azul", east_m=800),
        street("Große Straße", "1", city="Köln", east_m=1000),
    ]
    write_index(path, streets)
    return path


def best(index: Path, query: str) -> tuple[str, str, Precision]:
    with Addresses(index) as addresses:
        found = addresses.search(query)[0]
    return found.street, found.number, found.precision


@pytest.mark.parametrize(
    "query", ["Rua das Flores 2", "2 Rua das Flores", "rua das flores, 2", "FLORES 2 Porto", "Rua dás Flôres 2"]
)
def test_a_door_is_found_however_the_address_is_written(index: Path, query: str) -> None:
    assert best(index, query) == ("Rua das Flores", "2", Precision.DOOR)


def test_digits_in_a_streets_name_are_not_its_number(index: Path) -> None:
    assert best(index, "Rua 31 de Janeiro 60") == ("Rua 31 de Janeiro", "60", Precision.DOOR)
    assert best(index, "Rua 31 de Janeiro") == ("Rua 31 de Janeiro", "", Precision.STREET)
    assert best(index, "Rua 31 de Janeiro 64") == ("Rua 31 de Janeiro", "64", Precision.DOOR)


def test_accents_capitals_and_signs_do_not_count(index: Path) -> None:
    assert best(index, "rua d joao i")[0] == "Rua D. João I"
    assert best(index, "GROSSE STRASSE 1 koln")[0] == "Große Straße"


def test_a_number_that_the_map_does_not_have_is_between_its_neighbours_of_the_same_side(index: Path) -> None:
    with Addresses(index) as addresses:
        (found, *_) = addresses.search("Rua das Flores 16 porto")
    assert found.precision is Precision.BETWEEN
    assert distance_m(found.place, spot(35)) < 0.5  # between 12A at 30 m and 20 at 40 m, and not towards 5
    assert best(index, "Rua das Flores 99")[2] is Precision.BETWEEN
    assert best(index, "Rua D. João I 5")[2] is Precision.STREET


def test_a_half_written_street_lists_what_it_may_be_the_shortest_first_and_near_before_far(index: Path) -> None:
    with Addresses(index) as addresses:
        assert [found.street for found in addresses.search("das flo")][-1] == "Travessa das Flores"
        near = addresses.search("Rua das Flores", near=spot(9_000))
        assert [found.city for found in near][:2] == ["Vila Nova de Gaia", "Porto"]
        assert [found.city for found in addresses.search("flores gaia")] == ["Vila Nova de Gaia"]
        assert addresses.search("Avenida que não existe 3") == []
        assert addresses.search(" ,;- ") == []


@given(st.text(max_size=40))
def test_any_text_is_folded_once_and_for_all_and_split_without_losing_a_word(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    for words, number in split_ways(text):
        assert sorted([*words, *([number] if number else [])]) == sorted(folded(text).split())


def test_a_sign_with_two_numbers_is_two() -> None:
    assert house_numbers("12;14") == ["12", "14"]
    assert house_numbers("12-14, 16 B") == ["12-14", "16-b"]
    assert house_numbers(" ; ") == []


@pytest.mark.parametrize("content", [b"", b"no database, and long enough to look at " * 30])
def test_a_file_that_is_no_index_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "places.sqlite"
    path.write_bytes(content)
    with pytest.raises(PackDamagedError, match="build the map pack again"):
        Addresses(path)


def test_every_door_of_the_town_is_found_where_it_is(tmp_path: Path) -> None:
    town = make_town(3)
    osmfile.write_town(town, tmp_path / "town.osm.pbf")
    write_index(tmp_path / "places.sqlite", read_streets(tmp_path / "town.osm.pbf"))
    with Addresses(tmp_path / "places.sqlite") as addresses:
        for door in town.addresses[::7]:
            found = addresses.search(f"{door.street} {door.number}, {door.city}")[0]
            assert (found.street, found.number, found.precision) == (door.street, door.number.lower(), Precision.DOOR)
            assert distance_m(found.place, door.place) < 1.0
            assert found.postcode == door.postcode
