"""A real ext4 in a file, mounted by loop, whose power can go: the file system's own shutdown, without a flush."""

import fcntl
import os
import shutil
import struct
import subprocess
from pathlib import Path

EXT4_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2
IMAGE_MB = 48


class MachineLacksError(RuntimeError):
    """What is missing, by name."""


class Ext4:
    """Mounted where and as seen by the thread that calls `mount`."""

    def __init__(self, home: Path) -> None:
        self.place = home / "disk"
        self.place.mkdir(exist_ok=True)
        self._image = home / "disk.img"
        with self._image.open("wb") as file:
            file.truncate(IMAGE_MB << 20)
        subprocess.run(["mkfs.ext4", "-qF", str(self._image)], check=True, capture_output=True)

    def mount(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.place)], check=True, capture_output=True)

    def umount(self) -> None:
        subprocess.run(["umount", str(self.place)], check=True, capture_output=True)

    def sync(self) -> None:
        subprocess.run(["sync", "-f", str(self.place)], check=True)

    def shut_down(self) -> None:
        folder = os.open(self.place, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(folder)

    def cut(self) -> None:
        self.shut_down()
        self.umount()


def check_machine(home: Path) -> None:
    """Raises MachineLacksError with the name of the first thing that is not there."""
    if os.geteuid() != 0:
        raise MachineLacksError("root (mount and the shutdown ioctl)")
    for program in ("mkfs.ext4", "mount", "umount"):
        if shutil.which(program) is None:
            raise MachineLacksError(program)
    disk = Ext4(home)
    try:
        disk.mount()
    except subprocess.CalledProcessError as error:
        raise MachineLacksError(f"a loop device: {error.stderr.decode().strip()}") from error
    (disk.place / "synced").write_text("yes")
    disk.sync()
    (disk.place / "unsynced").write_text("no")
    disk.cut()
    disk.mount()
    try:
        if not (disk.place / "synced").exists() or (disk.place / "unsynced").exists():
            raise MachineLacksError("an ext4 whose shutdown loses what was not synced")
    finally:
        disk.umount()
