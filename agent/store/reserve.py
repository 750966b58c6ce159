"""Room kept back for a full disk: a file that holds nothing, given back so that taps and receipts still find room.

While it is given back, photos and breadcrumbs are refused: they would use up in minutes what is to last the day.
"""

import os
from contextlib import suppress
from pathlib import Path

RESERVE_BYTES = 16_000_000
"""SQLite's log on its way into the file (up to 8 MB on a disk that is filling up), and a day of taps and receipts."""


class Reserve:
    """`is_held`: whether the room is kept back now."""

    def __init__(self, path: Path, size_bytes: int = RESERVE_BYTES) -> None:
        self._path = path
        self._size_bytes = size_bytes

    @property
    def is_held(self) -> bool:
        return self._path.exists()

    def take(self) -> bool:
        """Keeps the room back when the disk has twice as much; whether it is held now."""
        if self.is_held:
            return True
        try:
            disk = os.statvfs(self._path.parent)
            if disk.f_bavail * disk.f_frsize < 2 * self._size_bytes:
                return False
            new = self._path.with_name(self._path.name + ".new")
            with new.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size_bytes)
            new.replace(self._path)
        except OSError:
            with suppress(OSError):
                self._path.with_name(self._path.name + ".new").unlink(missing_ok=True)
        return self.is_held

    def give_back(self) -> bool:
        """Whether the disk has more room than before."""
        if not self.is_held:
            return False
        with suppress(OSError):
            self._path.unlink()
        return not self.is_held
