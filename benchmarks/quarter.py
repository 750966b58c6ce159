"""A part of one core for a program and all it starts: what a small computer in a van has, on a machine that has more.

By the kernel's own quota (`cpu.max` of cgroup v2, `cpu.cfs_quota_us` of v1): so many milliseconds of processor time in
each tenth of a second, over all threads and children together.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

PERIOD_US = 100_000
V2 = Path("/sys/fs/cgroup")
V1 = Path("/sys/fs/cgroup/cpu")


class NoLimitError(RuntimeError):
    """This machine does not let us limit a program; the text says what was tried."""


@contextlib.contextmanager
def part_of_a_core(share: float | None) -> Iterator[tuple[list[str], str]]:
    """Words to put before a command, so that it gets `share` of one core, and what does it; None: all it wants.

    Raises NoLimitError. Needs the right to make control groups, which root has.
    """
    if share is None:
        yield [], "no limit"
        return
    quota_us = round(share * PERIOD_US)
    group, how = _made(quota_us)
    try:
        yield ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh"], how
    finally:
        with contextlib.suppress(OSError):  # while a process is still in it; it goes with the machine's next start
            group.rmdir()


def _made(quota_us: int) -> tuple[Path, str]:
    name = f"roundsman-{os.getpid()}"
    why = []
    for root, files, how in (
        (V2, {"cpu.max": f"{quota_us} {PERIOD_US}"}, "cgroup v2 cpu.max"),
        (V1, {"cpu.cfs_period_us": str(PERIOD_US), "cpu.cfs_quota_us": str(quota_us)}, "cgroup v1 cpu.cfs_quota_us"),
    ):
        try:
            return _group(root / name, files), f"{how}, {quota_us / 1000:g} of each {PERIOD_US / 1000:g} ms"
        except OSError as error:
            why.append(f"{how}: {error.strerror}")
    raise NoLimitError(f"no limit can be set here ({'; '.join(why)}): run it as root on a machine with control groups")


def _group(folder: Path, files: dict[str, str]) -> Path:
    if not (folder.parent / "cgroup.procs").exists():
        raise OSError(0, "it is not there")
    folder.mkdir()
    try:
        for file, value in files.items():
            if not (folder / file).exists():
                raise OSError(0, f"it has no {file}")
            (folder / file).write_text(value)
    except OSError:
        folder.rmdir()
        raise
    return folder
