"""The core under the address and undefined-behaviour sanitizers, which end it at the first fault."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

CORE = Path(__file__).parents[3] / "agent" / "localroute" / "core"


@pytest.mark.system
@pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ here")
def test_the_core_touches_no_memory_but_its_own_and_its_moves_cost_what_they_say(tmp_path: Path) -> None:
    sources = [str(path) for path in sorted(CORE.glob("*.cpp")) if path.name != "module.cpp"]
    built = tmp_path / "selftest"
    flags = ["-std=c++20", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-D_GLIBCXX_ASSERTIONS"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(["g++", *flags, *sanitizers, *sources, "-o", str(built)], check=True)
    told = subprocess.run(
        [str(built), "60"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=1"},
    )
    assert (told.returncode, told.stdout, told.stderr) == (0, "60 rounds\n", "")
