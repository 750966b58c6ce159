"""`mutants`: each planted fault against schedules, until one finds it."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from tests.rig.mutants import MUTANTS
from tests.rig.simulate import Outcome, outcome_of

MISTAKES = ("AttributeError(", "NameError(", "TypeError(")
"""What a mutant says that no longer fits the code it is planted in: that it is found then proves nothing."""


def run_mutants(within: int, seed: int, jobs: int, only: str) -> int:
    """The exit status: 0 when each was found."""
    names = [name for name in MUTANTS if only in name]
    caught = 0
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        found = pool.map(_hunt, names, [within] * len(names), [seed] * len(names))
        for name, outcome in zip(names, found, strict=True):
            if outcome is None:
                print(f"NOT FOUND within {within}: {name}", flush=True)
                continue
            caught += 1
            print(f"found after {outcome.seed - seed + 1:3}: {name}")
            print(f"    seed {outcome.seed}: {outcome.findings.lines()[0][:160]}", flush=True)
    print(f"caught={caught} of={len(names)}")
    return 0 if names and caught == len(names) else 1


def _hunt(name: str, within: int, seed: int) -> Outcome | None:
    with MUTANTS[name]():
        for number in range(seed, seed + within):
            outcome = outcome_of(number)
            if not outcome.findings.is_clean:
                lines = outcome.findings.lines()
                broken = [line for line in lines if any(mistake in line for mistake in MISTAKES)]
                if broken:
                    raise AssertionError(f"the mutant is broken, and so finds itself: {name}: {broken[0][:300]}")
                return outcome
    return None
