"""The base map's tiles out of an MBTiles file, read-only: gzipped vector tiles in the web's z/x/y numbering."""

import sqlite3
from pathlib import Path
from typing import Self

from roads.errors import PackDamagedError

DEEPEST_ZOOM = 22


class Tiles:
    """An open MBTiles file. Use it from the thread that opened it; a tile takes well under a millisecond."""

    def __init__(self, path: Path) -> None:
        """Raises PackDamagedError when the file is no MBTiles file."""
        self._path = path
        # Immutable: the pack never changes in place, so that SQLite needs no locks and leaves no files beside it.
        try:
            self._database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        except sqlite3.Error as error:
            raise PackDamagedError(f"{path} cannot be opened ({error}): build the map pack again") from error
        try:
            rows = self._database.execute("SELECT name, value FROM metadata").fetchall()
        except sqlite3.Error as error:
            self._database.close()
            raise PackDamagedError(f"{path} is no readable MBTiles file ({error}): build the map pack again") from error
        metadata = {str(name): str(value) for name, value in rows}
        self.min_zoom = _whole(metadata.get("minzoom"), 0)
        self.max_zoom = _whole(metadata.get("maxzoom"), 14)

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The tile's bytes as stored (gzip), or None when there is none. Raises PackDamagedError."""
        if not (0 <= z <= DEEPEST_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
            return None
        try:
            row = self._database.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (z, x, 2**z - 1 - y),  # MBTiles counts rows from the south
            ).fetchone()
        except sqlite3.Error as error:
            raise PackDamagedError(f"{self._path} cannot be read ({error}): build the map pack again") from error
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() else otherwise
