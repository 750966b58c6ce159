"""Programs we start. A child dies with us, even by our kill -9; one that outlived us all the same is found by its pid
file at the next start and ended; what it says goes to a log that cannot grow without end.
"""

import asyncio
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Self

MARK = "ROUNDSMAN_CHILD"
"""In a child's environment: its run folder. A stranger who got an old process id is never taken for an orphan."""

LOG_LIMIT_BYTES = 2_000_000
_LOG_CHECK_S = 5.0
_PR_SET_PDEATHSIG = 1


class ChildError(RuntimeError):
    """A program could not be used.

    ChildError
      +- ProgramMissingError
      +- ChildEndedError
      +- ChildNotReadyError
    """


class ProgramMissingError(ChildError):
    """The program is not installed."""


class ChildEndedError(ChildError):
    """It ended before it was ready; the text holds the end of its log."""


class ChildNotReadyError(ChildError):
    """It runs, and did not become ready in time; the text holds the end of its log."""


class Child:
    """One running program. Start it from the main thread: the kernel ends it when the thread that started it ends."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, pid_file: Path, log_path: Path | None) -> None:
        self.name = name
        self._process = process
        self._pid_file = pid_file
        self._log_path = log_path
        self._trimming = asyncio.create_task(self._trim_log()) if log_path else None

    @classmethod
    async def start(
        cls,
        name: str,
        argv: Sequence[str],
        *,
        run_dir: Path,
        log_path: Path | None = None,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        as_user: str | None = None,
    ) -> Self:
        """Ends an orphan of that name, then starts `argv` and writes `run_dir/<name>.pid`.

        `env` is added to our own environment. `as_user` counts only when we are root: use it for programs which drop
        their user by themselves (mosquitto, gpsd), because that would undo the tie to our life.
        Raises ProgramMissingError.
        """
        program = _found(argv[0], name)
        pid_file = pid_path(run_dir, name)
        await end_orphan(run_dir, name, program)
        command, extra = dying_with_us([program, *argv[1:]], as_user)
        with _opened(log_path) as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **(env or {}), MARK: _mark(run_dir)},
                cwd=cwd,
                start_new_session=True,  # Ctrl-C is for us; we stop our children in our own order
                **extra,
            )
        try:
            _write_pid(pid_file, process.pid)
        except OSError:
            process.kill()
            await process.wait()
            raise
        return cls(name, process, pid_file, log_path)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.returncode

    def take_name(self, name: str) -> None:
        """From now on it goes by another name: its pid file moves, over one that is there."""
        new = pid_path(self._pid_file.parent, name)
        with contextlib.suppress(FileNotFoundError):  # it was stopped already
            self._pid_file.replace(new)
        self._pid_file = new
        self.name = name

    async def wait(self) -> int:
        """Waits for its end and answers its return code."""
        return await self._process.wait()

    async def stop(self, grace_s: float = 3.0) -> int:
        """Ends it: TERM, and KILL after `grace_s`. Removes the pid file. May be called again."""
        if self._trimming is not None:
            self._trimming.cancel()
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(grace_s):
                    await self._process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self._process.kill()
        code = await self._process.wait()
        if _read_pid(self._pid_file) == self.pid:
            self._pid_file.unlink(missing_ok=True)
        return code

    async def ready_when(self, check: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
        """Returns when `check` answers True.

        Raises ChildEndedError as soon as the program ends, ChildNotReadyError after `timeout_s`; the child is left as
        it is, stopping it is up to the caller.
        """
        loop = asyncio.get_running_loop()
        give_up_at, pause_s = loop.time() + timeout_s, 0.005
        while True:
            if self.returncode is not None:
                raise ChildEndedError(f"{self.name} ended with code {self.returncode}{self._said()}")
            if await check():
                return
            if loop.time() > give_up_at:
                raise ChildNotReadyError(f"{self.name} was not ready after {timeout_s:g} s{self._said()}")
            await asyncio.sleep(pause_s)
            pause_s = min(0.2, pause_s * 1.5)

    def log_tail(self, lines: int = 12) -> str:
        """The last lines of its log, or nothing."""
        if self._log_path is None or not self._log_path.exists():
            return ""
        with self._log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8_000))
            return "\n".join(log.read().decode(errors="replace").splitlines()[-lines:])

    def _said(self) -> str:
        tail = self.log_tail()
        return f". It said:\n{tail}" if tail else ""

    async def _trim_log(self) -> None:
        # The child writes with O_APPEND, so that cutting the file under it is safe: the next line starts at the top.
        while self.returncode is None:
            await asyncio.sleep(_LOG_CHECK_S)
            if self._log_path is not None:
                trim_log(self._log_path, LOG_LIMIT_BYTES)


def trim_log(log_path: Path, limit_bytes: int) -> None:
    """Moves what a log holds to `<name>.1` when it is over the limit, so that two files are all there ever is."""
    with contextlib.suppress(FileNotFoundError):
        if log_path.stat().st_size > limit_bytes:
            shutil.copyfile(log_path, log_path.with_name(log_path.name + ".1"))
            os.truncate(log_path, 0)


def dying_with_us(argv: Sequence[str], as_user: str | None = None) -> tuple[list[str], dict[str, Any]]:
    """The command, and the further arguments of subprocess, under which `argv` gets SIGKILL when our thread ends."""
    user = as_user if as_user is not None and os.geteuid() == 0 else None
    setpriv = shutil.which("setpriv")
    if setpriv is not None:
        account = pwd.getpwnam(user) if user is not None else None
        become = [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--init-groups"] if account else []
        return [setpriv, *become, "--pdeathsig", "KILL", "--", *argv], {}
    extra: dict[str, Any] = {"preexec_fn": _death_signal(os.getpid())}
    if user is not None:
        account = pwd.getpwnam(user)
        groups = os.getgrouplist(user, account.pw_gid)
        extra |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": groups}
    return list(argv), extra


def write_pid_file(run_dir: Path, name: str) -> Path:
    """Writes our own process id to `run_dir/<name>.pid`; the caller removes the file at an orderly end."""
    path = pid_path(run_dir, name)
    _write_pid(path, os.getpid())
    return path


def pid_path(run_dir: Path, name: str) -> Path:
    return run_dir / f"{name}.pid"


async def end_orphan(run_dir: Path, name: str, program: str) -> bool:
    """Ends what an earlier life of ours left running under that name. True when there was one.

    A process is only ours when its command line still names the program and it carries our mark.
    """
    pid_file = pid_path(run_dir, name)
    pid = _read_pid(pid_file)
    if pid is None or not _is_orphan(pid, program, pid_file):
        pid_file.unlink(missing_ok=True)
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for _ in range(100):
        if not _is_orphan(pid, program, pid_file):
            break
        await asyncio.sleep(0.02)
    pid_file.unlink(missing_ok=True)
    return True


def _is_orphan(pid: int, program: str, pid_file: Path) -> bool:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        marks = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # gone, or somebody else's
        return False
    wanted = os.path.basename(program).encode()
    is_program = any(os.path.basename(word) == wanted for word in words[:2])  # a script stands behind its interpreter
    return is_program and f"{MARK}={_mark(pid_file.parent)}".encode() in marks


def _found(program: str, name: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise ProgramMissingError(f"{name}: the program {program} is not installed or not executable")
    return os.path.abspath(path)  # another working directory must not change what it means


@contextlib.contextmanager
def _opened(log_path: Path | None) -> Iterator[BinaryIO | int]:
    if log_path is None:
        yield asyncio.subprocess.DEVNULL
        return
    log_path.parent.mkdir(parents=True, exist_ok=True)
    with log_path.open("ab") as log:
        yield log


def _mark(run_dir: Path) -> str:
    return str(run_dir.absolute())


def _read_pid(pid_file: Path) -> int | None:
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if pid > 1 else None


def _write_pid(pid_file: Path, pid: int) -> None:
    pid_file.parent.mkdir(parents=True, exist_ok=True)
    new = pid_file.with_name(pid_file.name + ".new")
    new.write_text(f"{pid}\n")
    new.replace(pid_file)


def _death_signal(parent_pid: int) -> Callable[[], None]:
    libc = ctypes.CDLL(None)  # loaded before the fork: afterwards another thread may hold the loader's lock

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent_pid:  # we died between the fork and the line above
            os._exit(1)

    return tie
