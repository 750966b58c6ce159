"""`simulate`: many schedules on all cores, and for each that failed how to see it again."""

import faulthandler
import gc
import itertools
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from tests.rig.judge import Findings
from tests.rig.progress import told
from tests.rig.world import run_schedule

HANGS_AFTER_S = 300.0
CHUNK = 10
COLLECT_EVERY = 10
"""Schedules between two collections: a third of a schedule's time would be the collector's, looking for nothing."""

_run = itertools.count(1)


@dataclass(frozen=True)
class Outcome:
    """A verdict without its trace, small enough to travel between processes."""

    seed: int
    crashes: int
    partitions: int
    digest: str
    findings: Findings


def simulate(schedules: int, seed: int, jobs: int, *, is_verbose: bool) -> int:
    """The exit status: 0 when nothing was found."""
    began_s = time.monotonic()
    done: list[Outcome] = []
    for outcome in told(_each(range(seed, seed + schedules), jobs), schedules, "schedules"):
        done.append(outcome)
        if not outcome.findings.is_clean:
            print(f"seed={outcome.seed} commit={commit()} digest={outcome.digest}")
            for line in outcome.findings.lines()[:20]:
                print(f"  {line[:400]}")
            print(f"  again: scripts/rig simulate --schedules 1 --seed {outcome.seed} --verbose", flush=True)
    if is_verbose and schedules == 1:
        print("\n".join(run_schedule(seed).trace))
    counts = " ".join(
        f"{name}={sum(len(getattr(outcome.findings, name)) for outcome in done)}"
        for name in ("lost", "doubled", "disordered", "stuck")
    )
    print(f"seeds {seed} to {seed + schedules - 1}, commit {commit()}, {time.monotonic() - began_s:.0f} s, {jobs} jobs")
    crashes = sum(outcome.crashes for outcome in done)
    partitions = sum(outcome.partitions for outcome in done)
    print(f"schedules={len(done)} crashes={crashes} partitions={partitions} {counts}")
    is_hard_enough = all(outcome.crashes >= 3 and outcome.partitions >= 1 for outcome in done)
    if not is_hard_enough:
        print("a schedule had fewer than three crashes or no partition: the rig is at fault", file=sys.stderr)
    return 0 if is_hard_enough and len(done) == schedules and all(o.findings.is_clean for o in done) else 1


def outcome_of(seed: int) -> Outcome:
    gc.disable()
    faulthandler.dump_traceback_later(HANGS_AFTER_S, exit=True)
    try:
        verdict = run_schedule(seed)
    finally:
        faulthandler.cancel_dump_traceback_later()
    if next(_run) % COLLECT_EVERY == 1:
        gc.collect()
        gc.freeze()  # what is left is what stays: modules, statements
    return Outcome(seed, verdict.crashes, verdict.partitions, verdict.digest, verdict.findings)


def _each(seeds: Iterable[int], jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(outcome_of, seeds)
        return
    # Spawned: a forked child would share SQLite's and ctypes' state with its parent.
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(outcome_of, seeds, chunksize=CHUNK)


def commit() -> str:
    """Of the checkout, with a plus when it holds changes."""
    asked = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
    )
    return asked.stdout.strip() or "unknown"
