"""`powercut`: a real agent or coordinator's store on a real ext4 whose power goes, by the file system's own shutdown.

A child process writes and says on a pipe what it was told is durable; at a random moment the file system is shut down
without flushing its journal, the child is killed, the image is mounted again, and a fresh process looks. Unlike the
disks of `simulate` this is a real kernel, a real journal and real processes; it tears no sectors and does not lie.
"""

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.rig import writer
from tests.rig.ext4 import Ext4, MachineLacksError, check_machine
from tests.rig.progress import told


@dataclass(frozen=True)
class Cut:
    acked: int
    """Said before the power began to go."""
    lost: int
    is_corrupt: bool
    why: str = ""
    said_late: int = 0
    """... and while it went, by a process that no real cut leaves alive."""
    not_there: int = 0
    """Of those."""


def powercut(cuts: int, seed: int) -> int:
    """The exit status: 0 when nothing was lost or corrupt."""
    home = Path(tempfile.mkdtemp(prefix="rig-power-"))
    done: list[Cut] = []
    try:
        check_machine(home)
        dice = random.Random(seed)
        for number in told(range(cuts), cuts, "cuts"):
            who = "van" if number % 2 == 0 else "coordinator"
            done.append(_cut(home, who, dice.uniform(0.02, 0.6), number))
            if done[-1].why:
                print(f"cut {number} of seed {seed}, {who}: {done[-1].why}")
    except MachineLacksError as error:
        print(f"this machine cannot cut power: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(home, ignore_errors=True)
    acked, lost, corrupt = (
        sum(cut.acked for cut in done),
        sum(cut.lost for cut in done),
        sum(cut.is_corrupt for cut in done),
    )
    said_late, not_there = sum(cut.said_late for cut in done), sum(cut.not_there for cut in done)
    print(f"said while the power went: {said_late}, of which not there: {not_there} (docs/rig.md says why)")
    print(f"cuts={len(done)} acked={acked} lost={lost} corrupt={corrupt}")
    return 0 if done and acked and not lost and not corrupt else 1


def _cut(home: Path, who: str, after_s: float, number: int) -> Cut:
    disk = Ext4(home)
    disk.mount()
    writing = _Child(lambda: writer.write(who, disk.place, number))
    try:
        if writing.line() != "ready":  # its store is open
            raise MachineLacksError(f"a {who} that starts on an ext4 by loop")
        time.sleep(after_s)
        # A machine without power says nothing more. This process lives on while the kernel shuts the file system down,
        # and a sync that is under way then may be answered with success: told apart, and not counted as saved.
        said = writing.said_by_now()
        disk.shut_down()
        writing.kill()
        acked, all_said = _numbers(said), _numbers(said + writing.said_by_now())
    finally:
        writing.kill()
        disk.umount()
    disk.mount()
    try:
        answers = [_look(who, disk.place, max(numbers, default=0)) for numbers in (acked, all_said)]
    finally:
        disk.umount()
    for answer in answers:
        if not answer.startswith("lost="):
            return Cut(len(acked), 0, is_corrupt=True, why=answer or "whoever looked has died")
    lost, lost_of_all = (int(answer.removeprefix("lost=")) for answer in answers)
    return Cut(
        len(acked),
        lost,
        is_corrupt=False,
        why=f"{lost} of {len(acked)} were lost" if lost else "",
        said_late=len(all_said) - len(acked),
        not_there=lost_of_all - lost,
    )


def _look(who: str, place: Path, said: int) -> str:
    looking = _Child(lambda: writer.check(who, place, said))
    try:
        return looking.said.read().strip()
    finally:
        looking.kill()


def _numbers(said: str) -> list[int]:
    """Of whole lines."""
    return [int(line) for line in said.split("\n")[:-1] if line.isdigit()]


class _Child:
    """A forked process: all that production needs is imported already, which makes a cut cost a fraction of a second.

    Nothing of SQLite is open in us, and we have no threads; so a fork is a clean start.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        reading, writing = os.pipe()
        self._pid: int | None = os.fork()
        if self._pid == 0:
            os.close(reading)
            os.dup2(writing, 1)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            try:
                work()
            except BaseException as error:
                os.write(1, f"{type(error).__name__}: {error}\n".encode())
            finally:
                os._exit(0)
        os.close(writing)
        self.said = os.fdopen(reading)

    def line(self) -> str:
        """The first line; nothing behind it is taken from the pipe. What there is, when it has ended before."""
        said = b""
        while not said.endswith(b"\n") and (letter := os.read(self.said.fileno(), 1)):
            said += letter
        return said.decode().strip()

    def said_by_now(self) -> str:
        """What came since: whole lines and perhaps the beginning of one."""
        os.set_blocking(self.said.fileno(), False)
        try:
            said = bytearray()
            while piece := os.read(self.said.fileno(), 65_536):
                said += piece
        except BlockingIOError:
            pass
        return said.decode()

    def kill(self) -> None:
        if self._pid is not None:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = None
