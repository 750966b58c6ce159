import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from roads.errors import PackDamagedError
from roads.tiles import Tiles


@pytest.fixture
def mbtiles(tmp_path: Path) -> Path:
    path = tmp_path / "a base map.mbtiles"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE metadata (name TEXT, value TEXT)")
        database.execute("CREATE TABLE tiles (zoom_level INT, tile_column INT, tile_row INT, tile_data BLOB)")
        database.execute("INSERT INTO metadata VALUES ('minzoom', '3'), ('maxzoom', '12')")
        database.execute("INSERT INTO tiles VALUES (3, 1, 7, x'1f8b')")  # row 7 from the south is y 0
    return path


def test_a_tile_is_found_under_the_webs_numbering(mbtiles: Path) -> None:
    with Tiles(mbtiles) as tiles:
        assert tiles.tile(3, 1, 0) == b"\x1f\x8b"
        assert tiles.tile(3, 1, 7) is None
        assert (tiles.min_zoom, tiles.max_zoom) == (3, 12)


@pytest.mark.parametrize(("z", "x", "y"), [(-1, 0, 0), (3, 8, 0), (3, 0, -1), (99, 0, 0), (10**9, 1, 1), (3, 2**80, 0)])
def test_numbers_no_tile_can_have_are_no_tile(mbtiles: Path, z: int, x: int, y: int) -> None:
    with Tiles(mbtiles) as tiles:
        assert tiles.tile(z, x, y) is None


def test_reading_leaves_nothing_beside_the_file_and_cannot_write(mbtiles: Path) -> None:
    before = mbtiles.read_bytes()
    with Tiles(mbtiles) as tiles:
        tiles.tile(3, 1, 0)
        assert [path.name for path in mbtiles.parent.iterdir()] == [mbtiles.name]
    assert mbtiles.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to look like one " * 20])
def test_a_file_that_is_no_base_map_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.mbtiles"
    path.write_bytes(content)
    with pytest.raises(PackDamagedError, match="build the map pack again"):
        Tiles(path)


def test_an_absent_file_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(PackDamagedError):
        Tiles(tmp_path / "absent.mbtiles")
    assert list(tmp_path.iterdir()) == []
