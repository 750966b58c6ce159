import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from host.child import Child, ChildEndedError, ChildNotReadyError, ProgramMissingError, trim_log, write_pid_file

SLEEP = ["sleep", "60"]


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def program_of(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")[0]


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def nap(mark: str | None) -> subprocess.Popen[bytes]:
    env = dict(os.environ) if mark is None else {**os.environ, "ROUNDSMAN_CHILD": mark}
    process = subprocess.Popen(SLEEP, env=env)
    while not Path(f"/proc/{process.pid}/environ").read_bytes():  # for a moment a new program shows none
        time.sleep(0.01)
    return process


async def gone(pid: int) -> bool:
    for _ in range(100):
        if not is_running(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_the_pid_file_names_the_real_program_and_goes_when_it_is_stopped(tmp_path: Path) -> None:
    child = await Child.start("nap", SLEEP, run_dir=tmp_path)
    await child.ready_when(yes, 1)
    assert (tmp_path / "nap.pid").read_text() == f"{child.pid}\n"
    for _ in range(50):  # setpriv becomes the program in place
        if program_of(child.pid).endswith("sleep"):
            break
        await asyncio.sleep(0.01)
    else:
        pytest.fail("the pid is not the program's")
    assert await child.stop() == -signal.SIGTERM
    assert await child.stop() == -signal.SIGTERM
    assert not (tmp_path / "nap.pid").exists()


async def test_a_child_deaf_to_term_is_killed(tmp_path: Path) -> None:
    code = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
    child = await Child.start("deaf", [sys.executable, "-c", code], run_dir=tmp_path, log_path=tmp_path / "log")

    async def is_deaf() -> bool:
        return "deaf" in child.log_tail()

    await child.ready_when(is_deaf, 5)
    assert await child.stop(grace_s=0.1) == -signal.SIGKILL


async def test_waiting_for_a_child_that_ends_fails_at_once_with_the_end_of_its_log(tmp_path: Path) -> None:
    argv = ["sh", "-c", "echo no such map >&2; exit 3"]
    child = await Child.start("roads", argv, run_dir=tmp_path, log_path=tmp_path / "log")
    with pytest.raises(ChildEndedError, match=r"roads ended with code 3(.|\n)*no such map"):
        await child.ready_when(no, 10)
    assert await child.wait() == 3
    await child.stop()


async def test_waiting_has_an_end(tmp_path: Path) -> None:
    child = await Child.start("nap", SLEEP, run_dir=tmp_path)
    with pytest.raises(ChildNotReadyError, match="nap was not ready"):
        await child.ready_when(no, 0.05)
    await child.stop()


async def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramMissingError, match="no-such-program"):
        await Child.start("x", ["no-such-program"], run_dir=tmp_path)


async def test_a_child_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    code = f"""
import asyncio, pathlib
from host.child import Child
async def main():
    await Child.start("nap", {SLEEP!r}, run_dir=pathlib.Path({str(tmp_path)!r}))
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    pid_file = tmp_path / "nap.pid"
    for _ in range(250):
        if pid_file.exists():
            break
        await asyncio.sleep(0.02)
    pid = int(pid_file.read_text())
    await asyncio.sleep(0.2)  # the tie is made when setpriv has become the program
    assert is_running(pid)
    parent.kill()
    await parent.wait()
    assert await gone(pid)


async def test_an_orphan_of_the_same_name_and_place_is_ended_at_the_next_start(tmp_path: Path) -> None:
    with nap(str(tmp_path)) as orphan:
        (tmp_path / "nap.pid").write_text(f"{orphan.pid}\n")
        child = await Child.start("nap", SLEEP, run_dir=tmp_path)
        assert await asyncio.to_thread(orphan.wait, 5) == -signal.SIGKILL
        await child.stop()


@pytest.mark.parametrize("mark", ["another", None])
async def test_a_stranger_with_a_reused_pid_is_left_alone(tmp_path: Path, mark: str | None) -> None:
    with nap(mark) as stranger:
        (tmp_path / "nap.pid").write_text(f"{stranger.pid}\n")
        child = await Child.start("nap", SLEEP, run_dir=tmp_path)
        assert stranger.poll() is None
        stranger.kill()
        await child.stop()


async def test_a_child_that_takes_over_a_name_takes_the_pid_file(tmp_path: Path) -> None:
    first = await Child.start("nap", SLEEP, run_dir=tmp_path)
    second = await Child.start("nap-next", SLEEP, run_dir=tmp_path)
    await first.stop()
    second.take_name("nap")
    assert names(tmp_path) == ["nap.pid"]
    assert (tmp_path / "nap.pid").read_text() == f"{second.pid}\n"
    await second.stop()
    assert names(tmp_path) == []


async def test_nonsense_in_a_pid_file_does_no_harm(tmp_path: Path) -> None:
    for text in ("", "x", "-1", "0", "1", "99999999"):
        (tmp_path / "nap.pid").write_text(text)
        child = await Child.start("nap", SLEEP, run_dir=tmp_path)
        await child.stop()


async def test_a_child_gets_the_extra_environment_and_the_folder(tmp_path: Path) -> None:
    argv = ["sh", "-c", "echo $SAY; pwd"]
    child = await Child.start(
        "e", argv, run_dir=tmp_path, log_path=tmp_path / "l", env={"SAY": "bom dia"}, cwd=tmp_path
    )
    await child.wait()
    assert child.log_tail().splitlines() == ["bom dia", str(tmp_path)]
    await child.stop()


def test_a_log_never_grows_beyond_two_files(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("ab") as writer:  # as the child holds it
        for round_ in range(5):
            writer.write(b"x" * 600 + b"%d" % round_)
            writer.flush()
            trim_log(log, 1_000)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 2_500
    trim_log(tmp_path / "absent", 1)


def test_our_own_pid_file_is_written_whole(tmp_path: Path) -> None:
    assert write_pid_file(tmp_path / "run", "agent").read_text() == f"{os.getpid()}\n"
    assert [file.name for file in (tmp_path / "run").iterdir()] == ["agent.pid"]


async def test_starting_is_quick(tmp_path: Path) -> None:
    start = time.monotonic()
    child = await Child.start("nap", SLEEP, run_dir=tmp_path)
    assert time.monotonic() - start < 1
    await child.stop()
