"""Processor time of the programs we started."""

import subprocess
import sys

from benchmarks import effort

WORK = "import time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\ninput()"


def test_the_time_of_a_program_that_we_started_counts_once_and_ours_does_not() -> None:
    with subprocess.Popen([sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as worker:
        before = effort.spent_s()
        assert worker.stdout is not None
        worker.stdout.readline()
        after = effort.spent_s()
        worker.communicate(b"\n")

    assert 0.2 <= effort.between(before, after, [worker.pid]) <= 2
    assert effort.between(before, after, []) == 0
    assert worker.pid not in effort.spent_s()
