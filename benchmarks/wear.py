"""Card wear: bytes written and syncs asked for by a van in a 10 h shift without photos.

Bytes are the kernel's own count for the process (`write_bytes` of /proc/PID/io: pages made dirty, 4 kB each), before
the file system's journal. Syncs are counted by strace in a second, shorter shift, since watching slows it down.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure, conclude
from benchmarks.machine import machine
from benchmarks.stand import CACHE, CHECKOUT

MAX_WRITTEN_MB = 40.0
SHORT_HOURS = 1.0


def main(argv: list[str]) -> int:
    """Runs the benchmark, prints the figures and writes the report."""
    parser = argparse.ArgumentParser(prog="scripts/bench wear", description=__doc__)
    parser.add_argument("--hours", type=float, default=10.0, help="of the shift")
    parser.add_argument("--report", type=Path, help="file for the rows as JSON")
    arguments = parser.parse_args(argv)
    at_start = machine(["scripts/bench", "wear", *argv], ["pydantic", "zstandard"])
    row = lived(arguments.hours)
    syncs = counted_syncs(SHORT_HOURS)
    figures = [
        Figure(
            f"{arguments.hours:g} h shift without photos: written",
            round(row["write_bytes"] / 1e6, 2),
            "MB",
            at_most=MAX_WRITTEN_MB if arguments.hours == 10 else None,
        )
    ]
    if syncs is not None:
        figures.append(Figure("syncs", round(syncs / SHORT_HOURS), "an hour"))
    notes = [
        f"{row['stops']} stops with {row['taps']} taps, {row['plans']} plans, "
        f"{row['wchar'] / 1e6:.1f} MB handed to the kernel",
        f"syncs were counted over {SHORT_HOURS:g} h" if syncs is not None else "strace is missing: syncs not counted",
    ]
    conclude(figures, [{**row, "hours": arguments.hours, "syncs_an_hour": syncs}], at_start, arguments.report, notes)
    return 0


def lived(hours: float, watcher: tuple[str, ...] = ()) -> dict[str, Any]:
    """A shift in a process of its own; what it says of itself."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        told = subprocess.run(
            [*watcher, sys.executable, "-m", "benchmarks.shift", folder, str(hours)],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            check=True,
        )
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    row: dict[str, Any] = json.loads(told.stdout)
    return {**row, "left_on_disk_bytes": size}


def counted_syncs(hours: float) -> int | None:
    """How often the van asked the disk to be done with it; None without strace."""
    if shutil.which("strace") is None:
        return None
    with tempfile.NamedTemporaryFile(mode="r", suffix=".strace") as trace:
        watch = ("strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=fsync,fdatasync", "-o", trace.name)
        lived(hours, watch)
        return sum("fsync(" in line or "fdatasync(" in line for line in trace)
