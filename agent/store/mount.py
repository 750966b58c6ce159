"""The file system under the data: whether it keeps its promises through a power cut. A warning, never a refusal: a van
that works on a bad card is better than one that does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_FORGETS = {"tmpfs": "is memory, gone with the power", "ramfs": "is memory, gone with the power"}
_UNSAFE = {
    "vfat": "has no journal: a power cut can take the whole file",
    "exfat": "has no journal: a power cut can take the whole file",
    "msdos": "has no journal: a power cut can take the whole file",
    "ext2": "has no journal: a power cut can take the whole file",
    "ntfs": "is not made for this",
    "overlay": "may be the memory half of a read-only image, gone with the power",
    "aufs": "may be the memory half of a read-only image, gone with the power",
    "nfs": "is on another machine: locks and syncs are not what they say",
    "nfs4": "is on another machine: locks and syncs are not what they say",
    "cifs": "is on another machine: locks and syncs are not what they say",
    "9p": "is on another machine: locks and syncs are not what they say",
}
_OPTIONS = {
    "nobarrier": "is mounted with nobarrier: the card may keep writes to itself",
    "barrier=0": "is mounted with barrier=0: the card may keep writes to itself",
    "data=writeback": "is mounted with data=writeback: after a power cut a file may hold another's old content",
}


@dataclass(frozen=True)
class Mount:
    point: str
    kind: str
    options: frozenset[str]


def worry(folder: Path, lines: Iterable[str] | None = None) -> str | None:
    """What is to be feared of the file system that `folder` is on, as a sentence; None when there is nothing.

    `lines` as in /proc/self/mountinfo; where that cannot be read nothing is known, and nothing is said.
    """
    mount = mount_of(folder, lines)
    if mount is None:
        return None
    why = _FORGETS.get(mount.kind) or _UNSAFE.get(mount.kind)
    why = why or next((words for option, words in _OPTIONS.items() if option in mount.options), None)
    if why is None:
        return None
    return f"data_dir {folder} is on {mount.point} ({mount.kind}), which {why}; use ext4 with its default options"


def mount_of(folder: Path, lines: Iterable[str] | None = None) -> Mount | None:
    """The mount that holds a folder: the one with the longest path, and of those the last, which covers the others."""
    if lines is None:
        try:
            lines = MOUNTS.read_text().splitlines()
        except OSError:
            return None
    here = folder.resolve()
    mounts = [mount for line in lines if (mount := _parse(line)) is not None and here.is_relative_to(mount.point)]
    return max(reversed(mounts), key=lambda mount: len(mount.point), default=None)


def _parse(line: str) -> Mount | None:
    """`36 35 98:0 /root /point rw,noatime master:1 - ext4 /dev/root rw,data=ordered`; spaces are written as octal."""
    before, dash, after = line.partition(" - ")
    fields, rest = before.split(" "), after.split(" ")
    if not dash or len(fields) < 6 or len(rest) < 3:
        return None
    point = fields[4].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
    return Mount(point, rest[0], frozenset((*fields[5].split(","), *rest[2].split(","))))
