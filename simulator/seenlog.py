"""The driver's own notebook: every "saved" the van showed, written down and synced at once, and the bytes it kept.

It is the witness that the coordinator is later held against, so it never takes anything from the van's store.
"""

import os
from pathlib import Path
from typing import Literal, Self

from wire.model import Instant, Sha256, StopId, Value

SeenKind = Literal["arrived", "delivered", "failed", "skipped", "photo", "signature"]


class Seen(Value):
    """One "saved" that a driver saw. `result`: the outcome or the reason of a failure."""

    at: Instant
    van: str
    stop_id: StopId
    kind: SeenKind
    tap_id: str
    sha256: Sha256 | None = None
    result: str = ""


class SeenTwiceError(RuntimeError):
    """A driver was about to note one tap twice: the simulator's own mistake."""


class SeenLog:
    """One line a "saved", JSON, in the order seen; `folder/evidence` has the bytes by hash."""

    def __init__(self, folder: Path, van: str) -> None:
        self._evidence = folder / "evidence"
        self._evidence.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{van}.jsonl"
        self._noted = {seen.tap_id for seen in read_seen(self.path)}
        self._file = self.path.open("ab")

    def note(self, seen: Seen) -> None:
        """On disk when this returns. Raises SeenTwiceError."""
        if seen.tap_id in self._noted:
            raise SeenTwiceError(f"tap {seen.tap_id} at {seen.stop_id} was noted before")
        self._file.write(seen.model_dump_json().encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        self._noted.add(seen.tap_id)

    def keep(self, sha256: str, evidence: bytes) -> None:
        """The bytes as the van gave them under that hash, whatever they are."""
        (self._evidence / sha256).write_bytes(evidence)

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_seen(path: Path) -> list[Seen]:
    """All lines of a notebook; none when it does not exist. A last line cut short by a power cut does not count."""
    if not path.exists():
        return []
    lines = path.read_bytes().split(b"\n")[:-1]
    return [Seen.model_validate_json(line) for line in lines]


def read_evidence(folder: Path) -> dict[str, bytes]:
    """Hash as the van gave it -> bytes as the van gave them."""
    return {path.name: path.read_bytes() for path in sorted((folder / "evidence").glob("*"))}
