"""The rig, shortly (`scripts/rig ci` is the whole), and the rig itself: that it replays exactly, and finds a fault."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.rig.ext4 import MachineLacksError, check_machine
from tests.rig.link.namespace import check_machine as check_network
from tests.rig.mutants import MUTANTS

CHECKOUT = Path(__file__).parents[2]


def rig(*words: str, within_s: float = 900.0) -> str:
    """The last line of a command that found nothing."""
    done = subprocess.run(
        [CHECKOUT / "scripts/rig", *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=within_s, check=False
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.system
def test_schedules_lose_double_and_disorder_nothing_and_leave_nothing_stuck() -> None:
    assert rig("simulate", "--schedules", "60", "--seed", "1").endswith("lost=0 doubled=0 disordered=0 stuck=0")


@pytest.mark.system
def test_a_cut_at_every_storage_operation_loses_nothing() -> None:
    assert rig("exhaust", "--only", "a tap").endswith("lost=0 corrupt=0")


@pytest.mark.system
def test_a_real_file_system_whose_power_goes_keeps_what_was_called_saved(tmp_path: Path) -> None:
    try:
        check_machine(tmp_path)
    except MachineLacksError as lack:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"this machine cannot cut power: it lacks {lack}")  # most people are not root
    assert rig("powercut", "--cuts", "6", "--seed", "1").endswith("lost=0 corrupt=0")


@pytest.mark.system
def test_over_a_real_link_nothing_is_lost_or_doubled() -> None:
    try:
        check_network()
    except MachineLacksError as lack:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"this machine cannot run `link`: it lacks {lack}")  # most people are not root
    assert rig("link", "--schedules", "2", "--seed", "4") == "schedules=2 lost=0 doubled=0"


@pytest.mark.system
def test_a_planted_fault_is_found() -> None:
    assert rig("mutants", "--only", "PUBACK") == "caught=1 of=1"


def test_there_are_more_than_twenty_planted_faults() -> None:
    assert len(MUTANTS) > 20


@pytest.mark.system
def test_a_seed_replays_exactly_in_another_process() -> None:
    traces = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [CHECKOUT / "scripts/rig", "simulate", "--schedules", "1", "--seed", "13", "--jobs", "1", "--verbose"],
            cwd=CHECKOUT,
            env={"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
        traces.add("\n".join(line for line in done.stdout.splitlines() if not line.startswith("seeds ")))
    assert len(traces) == 1
