"""A new map pack for a van that drives: where it is laid, how it takes the old one's place, and how it goes back.

    map.new        a whole new pack, laid beside and renamed to this at the end; the van looks once a minute
    map            the pack in use
    map.old        the one before, for the day the new one turns out to be damaged
    map.refused    a new one that did not pass, kept for whoever wants to know why

Each step is a rename, so that a power cut between two leaves something `recover` can put right.
"""

import os
import shutil
from pathlib import Path

from roads.pack import PACK_FILE, open_pack


def incoming(pack_dir: Path) -> Path:
    return pack_dir.with_name(f"{pack_dir.name}.new")


def previous(pack_dir: Path) -> Path:
    return pack_dir.with_name(f"{pack_dir.name}.old")


def refused(pack_dir: Path) -> Path:
    return pack_dir.with_name(f"{pack_dir.name}.refused")


def has_incoming(pack_dir: Path) -> bool:
    return (incoming(pack_dir) / PACK_FILE).is_file()


def lay_beside(new: Path, pack_dir: Path) -> None:
    """Copies a pack to where the van looks for it. Raises PackError when it is not whole, OSError without room."""
    open_pack(new)
    coming = pack_dir.with_name(f".{pack_dir.name}.coming-{os.getpid()}")
    shutil.rmtree(coming, ignore_errors=True)
    try:
        shutil.copytree(new, coming)
        for path in [*coming.rglob("*"), coming]:
            _sync(path)
        shutil.rmtree(incoming(pack_dir), ignore_errors=True)
        coming.rename(incoming(pack_dir))
        _sync(pack_dir.parent)
    finally:
        shutil.rmtree(coming, ignore_errors=True)


def put_in_place(pack_dir: Path) -> None:
    """The new pack becomes the pack, the pack becomes the old one. Who has its files open keeps them."""
    if pack_dir.exists():
        shutil.rmtree(previous(pack_dir), ignore_errors=True)
        pack_dir.rename(previous(pack_dir))
    incoming(pack_dir).rename(pack_dir)
    _sync(pack_dir.parent)


def set_aside(pack_dir: Path) -> None:
    """The new pack did not pass: it is not tried again."""
    shutil.rmtree(refused(pack_dir), ignore_errors=True)
    incoming(pack_dir).rename(refused(pack_dir))
    _sync(pack_dir.parent)


def recover(pack_dir: Path) -> None:
    """After a cut between the two renames of `put_in_place` the old pack is the pack again."""
    if not pack_dir.exists() and previous(pack_dir).exists():
        previous(pack_dir).rename(pack_dir)
        _sync(pack_dir.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
