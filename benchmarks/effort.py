"""What the programs under measurement cost in processor time and memory, which hardly depend on what else runs here."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def spent_s(above: int | None = None) -> dict[int, float]:
    """Seconds of processor time, user and system, of every living descendant of a process (our own), by process id."""
    parents: dict[int, int] = {}
    spent: dict[int, float] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            # After the name, which may hold anything, and its bracket: state, parent, ... as proc(5) counts them.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        parents[int(entry.name)] = int(fields[1])
        spent[int(entry.name)] = (int(fields[11]) + int(fields[12])) / _TICKS_PER_S
    root = os.getpid() if above is None else above
    return {process: spent[process] for process in spent if _descends(process, root, parents)}


def between(before: Mapping[int, float], after: Mapping[int, float], among: Collection[int] | None = None) -> float:
    """Seconds spent from one look to another by those (`among` them, or all) that live at both."""
    chosen = before.keys() & after.keys() if among is None else before.keys() & after.keys() & set(among)
    return sum(after[process] - before[process] for process in chosen)


def pss_kib(process: int) -> int:
    """The memory of a process now, its share of what it has in common with others included; 0 when there is none."""
    for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def _descends(process: int, root: int, parents: dict[int, int]) -> bool:
    while process in parents:
        process = parents[process]
        if process == root:
            return True
    return False
