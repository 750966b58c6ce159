"""What is said of the file system under the data, before anything is lost on it."""

from pathlib import Path

import pytest

from agent.store.mount import worry

ROOT = "21 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw"


def mounted(kind: str, options: str = "rw", point: str = "/data") -> list[str]:
    return [ROOT, f"40 21 8:1 / {point} rw,noatime shared:7 - {kind} /dev/sda1 {options}"]


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "f2fs", "fuseblk"])
def test_of_a_file_system_that_keeps_its_promises_nothing_is_said(kind: str) -> None:
    assert worry(Path("/data/van"), mounted(kind, "rw,data=ordered")) is None


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        ("tmpfs", "rw", "gone with the power"),
        ("overlay", "rw,lowerdir=/ro,upperdir=/rw", "gone with the power"),
        ("vfat", "rw", "has no journal"),
        ("exfat", "rw", "has no journal"),
        ("ext2", "rw", "has no journal"),
        ("nfs4", "rw", "another machine"),
        ("ext4", "rw,nobarrier", "nobarrier"),
        ("ext4", "rw,barrier=0", "barrier=0"),
        ("ext4", "rw,data=writeback", "data=writeback"),
    ],
)
def test_what_loses_data_in_a_power_cut_is_named_with_its_reason(kind: str, options: str, words: str) -> None:
    said = worry(Path("/data/van"), mounted(kind, options))
    assert said is not None
    assert words in said
    assert "/data" in said


def test_the_mount_that_holds_the_folder_counts_and_no_other() -> None:
    assert worry(Path("/database/van"), mounted("tmpfs")) is None
    assert worry(Path("/data"), mounted("tmpfs")) is not None
    assert worry(Path("/data/van"), [*mounted("tmpfs"), *mounted("ext4")]) is None  # mounted over it
    assert worry(Path("/my data/van"), mounted("tmpfs", point="/my\\040data")) is not None


def test_lines_nobody_can_read_worry_nobody() -> None:
    assert worry(Path("/data"), ["", "nonsense", "1 2 3 - x", ROOT]) is None


def test_this_machine_can_be_asked(tmp_path: Path) -> None:
    worry(tmp_path)
