"""`ci`: all five tiers at the sizes that were asked for, their last lines, and the minutes they took together.

`link` and `powercut` mostly wait, so they run beside `simulate`, one after the other; the rest takes all cores.
"""

import subprocess
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tests.rig.simulate import commit

CUTS, LINKS = 300, 15


@dataclass(frozen=True)
class Done:
    words: tuple[str, ...]
    code: int
    output: str
    minutes: float

    @property
    def last_line(self) -> str:
        return self.output.strip().splitlines()[-1] if self.output.strip() else "it said nothing"


def ci(schedules: int, seed: int) -> int:
    """The exit status: 0 when each ended with 0."""
    began_s = time.monotonic()
    seeded = ("--seed", str(seed))
    with ThreadPoolExecutor(2) as lanes:
        thinking = lanes.submit(
            _each, ("simulate", "--schedules", str(schedules), *seeded), ("exhaust",), ("mutants", *seeded)
        )
        waiting = lanes.submit(
            _each, ("link", "--schedules", str(LINKS), *seeded), ("powercut", "--cuts", str(CUTS), *seeded)
        )
        done = [*_of(thinking), *_of(waiting)]
    print(f"commit {commit()}, seed {seed}")
    for one in done:
        print(f"{one.minutes:5.1f} min  {'ok    ' if one.code == 0 else 'FAILED'}  {one.words[0]}: {one.last_line}")
    failed = [one.words[0] for one in done if one.code != 0]
    print(f"minutes={(time.monotonic() - began_s) / 60:.1f} failed={len(failed)}")
    return 1 if failed else 0


def _each(*commands: tuple[str, ...]) -> list[Done]:
    return [_run(words) for words in commands]


def _run(words: tuple[str, ...]) -> Done:
    began_s = time.monotonic()
    ran = subprocess.run(
        [sys.executable, "-m", "tests.rig", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    done = Done(words, ran.returncode, ran.stdout, (time.monotonic() - began_s) / 60)
    print(f"--- scripts/rig {' '.join(words)}: {done.minutes:.1f} min", flush=True)
    # All of a failure, for it holds the seeds; of a success what it came to.
    print(done.output.strip() if done.code else done.last_line, flush=True)
    return done


def _of(lane: "Future[list[Done]]") -> list[Done]:
    return lane.result()
