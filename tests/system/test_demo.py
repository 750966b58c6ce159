"""The demo as a stranger runs it: whole mornings with real programs, judged by the drivers' own notebooks."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.stage import staged

pytestmark = pytest.mark.system

REPORT_KEYS = {
    *("scenario", "seed", "vans", "stops", "saved_seen", "outcomes_cloud", "proofs_seen", "proofs_cloud", "lost"),
    *("doubled", "blob_mismatches", "offline_s", "run_s_of_cut_van", "replans_offline", "faults_fired"),
    *("windows_kept", "windows_total", "wall_s", "offers_accepted", "offers_kept"),
}


def simulator(*words: str) -> list[str]:
    return [sys.executable, "-m", "simulator", *words]


def children_of(pid: int) -> set[int]:
    """All living descendants."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int(re.findall(r"PPid:\s+(\d+)", (entry / "status").read_text())[0])
            except (OSError, IndexError):
                continue
    found: set[int] = set()
    while True:
        more = {child for child, parent in parents.items() if parent in found | {pid}} - found
        if not more:
            return found
        found |= more


def living(pids: set[int]) -> set[int]:
    def lives(pid: int) -> bool:
        try:
            return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
        except OSError:
            return False

    return {pid for pid in pids if lives(pid)}


@pytest.fixture
def demo() -> Iterator["subprocess.Popen[str]"]:
    """The demo with its pages up, as `scripts/demo` runs it."""
    port = str(8300 + os.getpid() % 600)
    words = simulator("--scenario", "an_ordinary_morning", "--seed", "5", "--port", port)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        yield process
        if process.poll() is None:
            process.kill()


def folder_of(process: "subprocess.Popen[str]") -> Path:
    """Reads on until the demo says that everything runs; the run's folder."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip().startswith("Files"):
            return Path(line.split(maxsplit=1)[1].strip())
    raise AssertionError("the demo ended before it was up")


def wait_for_saved(folder: Path, lines: int, within_s: float = 60) -> None:
    give_up_at = time.monotonic() + within_s
    while time.monotonic() < give_up_at:
        if sum(len(book.read_text().splitlines()) for book in (folder / "drivers").glob("*.jsonl")) >= lines:
            return
        time.sleep(0.2)
    raise AssertionError("the drivers saw nothing saved")


def test_a_morning_with_the_network_gone_loses_nothing(tmp_path: Path) -> None:
    report_file = tmp_path / "report.json"
    words = (
        "--headless",
        "--scenario",
        "a_morning_with_the_network_gone",
        "--seed",
        "11",
        "--report",
        str(report_file),
    )
    done = subprocess.run(simulator(*words), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    report = json.loads(report_file.read_text())
    assert report.keys() >= REPORT_KEYS
    assert report["lost"] == report["doubled"] == report["blob_mismatches"] == 0
    assert report["stops"] >= 45
    assert report["saved_seen"] > 2 * report["stops"]
    assert all(report["faults_fired"].values())
    assert report["offline_s"] * 3 >= report["run_s_of_cut_van"]
    assert report["replans_offline"] >= 1


def test_killing_every_process_in_its_turn_loses_nothing(tmp_path: Path) -> None:
    words = ("--headless", "--scenario", "every_process_is_killed_in_its_turn", "--seed", "3")
    done = subprocess.run(simulator(*words), capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_killing_the_simulator_itself_ends_everything_and_loses_nothing(demo: "subprocess.Popen[str]") -> None:
    folder = folder_of(demo)
    wait_for_saved(folder, 6)
    started = children_of(demo.pid)
    assert len(started) >= 12  # coordinator and broker; of each van agent, OSRM, solver, gpsd
    demo.send_signal(signal.SIGKILL)
    demo.wait()
    give_up_at = time.monotonic() + 10
    while living(started) and time.monotonic() < give_up_at:
        time.sleep(0.1)
    assert not living(started)
    assert staged(folder).vans
    settled = subprocess.run(
        simulator("--settle", str(folder)), capture_output=True, text=True, timeout=180, check=False
    )
    assert settled.returncode == 0, settled.stdout + settled.stderr


def test_ctrl_c_leaves_no_process_behind(demo: "subprocess.Popen[str]") -> None:
    folder = folder_of(demo)
    wait_for_saved(folder, 1)
    started = children_of(demo.pid)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(timeout=20) == 0
    assert not living(started)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--scenario", "a_moonless_night"), "there is no scenario"),
        (("--map", "no-such-file.osm.pbf"), "no-such-file.osm.pbf"),
        (("--orders", "no-such-file.csv"), "no-such-file.csv"),
    ],
)
def test_a_bad_wish_is_answered_in_one_line(words: tuple[str, ...], complaint: str) -> None:
    done = subprocess.run(simulator("--headless", *words), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_a_map_file_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "holiday.osm.pbf"
    file.write_bytes(b"not a map")
    done = subprocess.run(
        simulator("--headless", "--map", str(file)), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 2
    assert "holiday.osm.pbf" in done.stderr
    assert "Traceback" not in done.stderr
