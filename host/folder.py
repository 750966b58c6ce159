"""A folder for one program at a time: whoever keeps its data there claims it first, and has it until it ends."""

import fcntl
from pathlib import Path
from typing import IO

LOCK_FILE = "in-use.lock"


class FolderError(RuntimeError):
    """The folder cannot be used; the text says why and what to do."""


def claim_folder(folder: Path, what: str) -> IO[bytes]:
    """Makes the folder where it is missing, and holds it for us until the answer is closed or we end, by kill -9 too.

    `what` is who asks, for the message. Raises FolderError when another program holds it, or nobody can write there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / LOCK_FILE).open("ab")
    except OSError as error:
        raise FolderError(
            f"{what} cannot keep its data in {folder} ({error.strerror}): choose another data_dir"
        ) from error
    try:
        # The kernel's lock, not the file's presence: it goes with its holder, and our children never inherit it.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise FolderError(
            f"{what}: another program is at work in {folder}. Stop it, or give this one a data_dir of its own"
        ) from error
    return lock
