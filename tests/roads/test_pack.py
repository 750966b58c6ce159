import hashlib
from pathlib import Path

import pytest

from roads.errors import BuildError, PackDamagedError, PackMissingError
from roads.pack import FileSum, PackFile, Probe, build_pack, open_pack
from tests.builders import MORNING
from wire.geo import Place

HERE = Place(lat_deg=41.0, lon_deg=-8.0)
ROAD_FILES = ("road/map.osrm.geometry", "road/map.osrm.mldgr", "base.mbtiles")


def sum_of(content: bytes) -> FileSum:
    return FileSum(sha256=hashlib.sha256(content).hexdigest(), size_bytes=len(content))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A pack of made-up bytes: nothing here starts OSRM."""
    folder = tmp_path / "village"
    contents = {path: path.encode() * 500 for path in ROAD_FILES}
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    pack = PackFile(
        name="Village",
        bounds=(-8.1, 40.9, -7.9, 41.1),
        made_at=MORNING,
        source="village.osm.pbf",
        probe=Probe(start=HERE, end=HERE, travel_s=1.0),
        files={path: sum_of(content) for path, content in contents.items()},
    )
    (folder / "pack.json").write_text(pack.model_dump_json())
    return folder


def test_a_whole_pack_opens(folder: Path) -> None:
    pack = open_pack(folder)
    assert (pack.name, pack.bounds, pack.made_at) == ("Village", (-8.1, 40.9, -7.9, 41.1), MORNING)
    assert pack.road_base == folder / "road/map.osrm"
    assert pack.tiles_path == folder / "base.mbtiles"


@pytest.mark.parametrize("path", ROAD_FILES)
def test_a_flipped_bit_is_found_and_the_file_named(folder: Path, path: str) -> None:
    content = bytearray((folder / path).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / path).write_bytes(content)
    with pytest.raises(PackDamagedError, match=rf"{path} is damaged .*Copy the pack again"):
        open_pack(folder)


@pytest.mark.parametrize("kept_bytes", [0, 1, 100])
def test_a_truncated_file_is_found(folder: Path, kept_bytes: int) -> None:
    path = folder / ROAD_FILES[0]
    path.write_bytes(path.read_bytes()[:kept_bytes])
    with pytest.raises(PackDamagedError, match=f"{ROAD_FILES[0]} has {kept_bytes} bytes instead of"):
        open_pack(folder)


@pytest.mark.parametrize("path", ROAD_FILES)
def test_a_missing_file_is_found(folder: Path, path: str) -> None:
    (folder / path).unlink()
    with pytest.raises(PackDamagedError, match=f"{path} is missing"):
        open_pack(folder)


def test_a_wrong_sum_in_the_list_is_found(folder: Path) -> None:
    pack_file = folder / "pack.json"
    pack = PackFile.model_validate_json(pack_file.read_bytes())
    wrong = {**pack.files, ROAD_FILES[0]: FileSum(sha256="0" * 64, size_bytes=pack.files[ROAD_FILES[0]].size_bytes)}
    pack_file.write_text(pack.model_copy(update={"files": wrong}).model_dump_json())
    with pytest.raises(PackDamagedError, match="is damaged"):
        open_pack(folder)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', "\0\0"])
def test_nonsense_in_place_of_the_list_is_refused(folder: Path, content: str) -> None:
    (folder / "pack.json").write_text(content)
    with pytest.raises(PackDamagedError, match=r"pack\.json is damaged"):
        open_pack(folder)


@pytest.mark.parametrize("outside", ["../secret", "/etc/passwd", "road/../../x"])
def test_a_pack_may_not_name_files_outside_itself(folder: Path, outside: str) -> None:
    text = (folder / "pack.json").read_text().replace("base.mbtiles", outside)
    (folder / "pack.json").write_text(text)
    with pytest.raises(PackDamagedError, match="outside the pack"):
        open_pack(folder)


def test_a_folder_without_a_pack_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(PackMissingError, match="scripts/mappack"):
        open_pack(tmp_path)
    with pytest.raises(PackMissingError):
        open_pack(tmp_path / "absent")


def test_a_pack_without_a_base_map_is_a_pack(folder: Path) -> None:
    pack = PackFile.model_validate_json((folder / "pack.json").read_bytes())
    files = {path: file for path, file in pack.files.items() if path != "base.mbtiles"}
    (folder / "pack.json").write_text(pack.model_copy(update={"files": files}).model_dump_json())
    (folder / "base.mbtiles").unlink()
    assert open_pack(folder).tiles_path is None


def test_building_from_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="give an OSM extract"):
        build_pack(tmp_path / "absent.osm.pbf", tmp_path / "out", "X", progress=print)


def test_building_never_replaces_a_folder_that_is_no_pack(tmp_path: Path) -> None:
    (tmp_path / "x.osm.pbf").touch()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "diary.txt").touch()
    with pytest.raises(BuildError, match="choose a new folder"):
        build_pack(tmp_path / "x.osm.pbf", tmp_path / "out", "X", progress=print)
    assert (tmp_path / "out" / "diary.txt").exists()


def test_a_build_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "x.osm.pbf").write_bytes(b"not a pbf at all")
    with pytest.raises(BuildError, match=r"x\.osm\.pbf is no OSM extract"):
        build_pack(tmp_path / "x.osm.pbf", tmp_path / "out", "X", progress=lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["x.osm.pbf"]
