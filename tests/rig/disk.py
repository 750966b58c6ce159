"""A disk that can lose power: what was synced, what was only written, and what a cut makes of the difference.

Every write, truncate, sync and delete is one operation. A cut keeps all that was synced; of the rest each operation is
kept, dropped or torn by sectors, as the seed says. Deletes and new names are durable only when their folder was synced.
"""

import itertools
import random
import weakref
from collections.abc import Callable, Mapping
from typing import Any

_ids = itertools.count(1)
_disks: "weakref.WeakValueDictionary[int, Disk]" = weakref.WeakValueDictionary()
type Operation = tuple[int, bytes | None]
"""Where, and what was written there; without bytes the file was cut to that length."""


class PowerLostError(OSError):
    """The disk is dead; so is whoever hears this."""


class NoRoomError(Exception):
    """The disk is full."""


class Disk:
    """The files of one life of one node. Power cut or killed, it stays dead: the next life has a Disk of its own, so
    that a connection which the collector closes late writes into no other life.
    """

    def __init__(self, seed: int, files: Mapping[str, bytes] | None = None) -> None:
        self.files: dict[str, bytes] = dict(files or {})
        """As a cut would leave them for certain."""
        self.seen = {name: bytearray(data) for name, data in self.files.items()}
        """As a reader sees them now."""
        self.pending: dict[str, list[Operation]] = {name: [] for name in self.seen}
        self.ghosts: dict[str, bytes] = {}
        """Deleted files whose names may come back."""
        self.operations = 0
        self.cut_at: int | None = None
        self.on_cut: Callable[[], None] | None = None
        self.is_dead = False
        self.is_full = False
        """Nothing on it may grow, whatever shrinks."""
        self.limit_bytes: int | None = None
        """All files together may grow to this and what was given back, or stay as they are."""
        self.given_back: Callable[[], int] = int
        """Bytes that its node kept back on it beside its files, and does no more."""
        self.is_lying = False
        """Says "synced" and syncs nothing."""
        self.sector_bytes = 512
        self.handles: dict[str, list[Any]] = {}
        self.shared: dict[str, Any] = {}
        self.id = next(_ids)
        self._random = random.Random(seed)
        _disks[self.id] = self

    @staticmethod
    def by_id(number: int) -> "Disk":
        return _disks[number]

    def cut_in(self, operations: int) -> None:
        """The power goes in that many operations from now."""
        self.cut_at = self.operations + operations

    # What SQLite does ---------------------------------------------------------------------------------------------

    def create(self, name: str) -> None:
        self.seen[name] = bytearray()
        self.pending[name] = []

    def write(self, name: str, offset: int, data: bytes) -> None:
        there = self.seen[name]
        growth = offset + len(data) - len(there)
        if growth > 0 and not self.is_dead and self._has_no_room(growth):
            raise NoRoomError
        if not self.is_dead:
            self.pending[name].append((offset, data))  # the write into which the cut falls may be kept in part
        self._operate()
        there.extend(bytes(max(0, offset - len(there))))
        there[offset : offset + len(data)] = data

    def _has_no_room(self, growth: int) -> bool:
        if self.limit_bytes is None:
            return self.is_full
        held = sum(map(len, self.seen.values()))
        return self.is_full or held + growth > self.limit_bytes + self.given_back()

    def truncate(self, name: str, size: int) -> None:
        self._operate()
        self.pending[name].append((size, None))
        there = self.seen[name]
        there[size:] = bytes(max(0, size - len(there)))

    def sync(self, name: str) -> None:
        self._operate()
        if self.is_lying:
            return
        if name not in self.files and name.endswith(("-wal", "-journal")):
            self.ghosts.clear()  # SQLite syncs the folder of a new journal, and with it the deletes before
        self.files[name] = bytes(self.seen[name])
        self.pending[name] = []
        self.ghosts.pop(name, None)

    def delete(self, name: str, *, is_folder_synced: bool) -> None:
        self._operate()
        if name in self.files:
            self.ghosts[name] = self.files.pop(name)
        if is_folder_synced and not self.is_lying:
            self.ghosts.clear()
        del self.seen[name], self.pending[name]

    def _operate(self) -> None:
        if self.is_dead:
            raise PowerLostError
        self.operations += 1
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.is_dead = True
            if self.on_cut is not None:
                self.on_cut()
            raise PowerLostError

    # The next life ------------------------------------------------------------------------------------------------

    def after_power_cut(self) -> "Disk":
        """What is found when the power is back."""
        self.is_dead = True
        dice = self._random
        found = {name: data for name, data in self.ghosts.items() if dice.random() < 0.5}
        for name, operations in self.pending.items():
            if name not in self.files and dice.random() < 0.5:
                continue  # created, and its name never synced
            found[name] = self._after(self.files.get(name, b""), operations)
        return self._heir(found)

    def after_kill(self) -> "Disk":
        """What the next process finds: the kernel still holds all that was written, synced or not."""
        self.is_dead = True
        heir = self._heir(self.files)
        heir.seen = {name: bytearray(data) for name, data in self.seen.items()}
        heir.pending = {name: list(operations) for name, operations in self.pending.items()}
        heir.ghosts = dict(self.ghosts)
        return heir

    def image(self) -> dict[str, bytes]:
        """A copy of all files, as a backup of a stopped node takes it."""
        return {name: bytes(data) for name, data in self.seen.items()}

    def _heir(self, files: Mapping[str, bytes]) -> "Disk":
        heir = Disk(self._random.getrandbits(64), files)
        heir.is_lying, heir.sector_bytes = self.is_lying, self.sector_bytes
        heir.is_full, heir.limit_bytes = self.is_full, self.limit_bytes
        return heir

    def _after(self, synced: bytes, operations: list[Operation]) -> bytes:
        dice, data = self._random, bytearray(synced)
        for offset, written in operations:
            if dice.random() < 0.5:
                continue
            if written is None:
                data = bytearray(bytes(data[:offset]).ljust(offset, b"\0"))
                continue
            for start, part in self._torn(written) if dice.random() < 0.3 else [(0, written)]:
                begin = offset + start
                data.extend(bytes(max(0, begin - len(data))))
                data[begin : begin + len(part)] = part
        return bytes(data)

    def _torn(self, written: bytes) -> list[tuple[int, bytes]]:
        dice, size = self._random, self.sector_bytes
        kept = [(start, written[start : start + size]) for start in range(0, len(written), size) if dice.random() < 0.5]
        if kept and dice.random() < 0.2:
            start, part = kept[-1]
            kept[-1] = start, dice.randbytes(len(part))
        return kept
