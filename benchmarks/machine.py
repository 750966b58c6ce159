"""What a figure was measured on: without it a figure says nothing."""

import os
import platform
import shlex
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine(command: Sequence[str], packages: Sequence[str]) -> dict[str, Any]:
    """The processor, the load at this moment, versions, and the command with the names of its files alone."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_1_min": round(os.getloadavg()[0], 2),
        "system": platform.platform(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "command": shlex.join(_elsewhere(word) for word in command),
    }


def _elsewhere(word: str) -> str:
    """Where a file lies on this machine says nothing to the reader of a report."""
    return Path(word).name if word.startswith("/") else word


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.split(":", 1)[1].strip()
    return platform.machine()
