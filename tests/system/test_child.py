"""The programs that drop their user when root starts them: they too must end with us."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from host.loopback import free_port

pytestmark = pytest.mark.system


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's children change their user")
@pytest.mark.parametrize(
    ("user", "argv"),
    [
        ("mosquitto", ["mosquitto", "-p", "{port}"]),
        ("gpsd", ["gpsd", "-N", "-n", "-S", "{port}", "udp://127.0.0.1:{udp_port}"]),
    ],
)
async def test_a_program_with_its_own_user_dies_when_we_are_killed(tmp_path: Path, user: str, argv: list[str]) -> None:
    command = [word.format(port=free_port(), udp_port=free_port()) for word in argv]
    code = f"""
import asyncio, pathlib
from host.child import Child
async def main():
    here = pathlib.Path({str(tmp_path)!r})
    await Child.start("it", {command!r}, run_dir=here, log_path=here / "log", as_user={user!r})
    await asyncio.sleep(60)
asyncio.run(main())
"""
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", code)
    pid = await pid_in(tmp_path / "it.pid")
    await asyncio.sleep(0.5)  # long enough for it to have changed its user, if it were going to
    assert is_running(pid), (tmp_path / "log").read_text()
    parent.kill()
    await parent.wait()
    for _ in range(100):
        if not is_running(pid):
            return
        await asyncio.sleep(0.02)
    pytest.fail(f"{command[0]} outlived its parent")


async def pid_in(pid_file: Path) -> int:
    async with asyncio.timeout(10):
        while True:
            if await asyncio.to_thread(pid_file.exists):
                return int(await asyncio.to_thread(pid_file.read_text))
            await asyncio.sleep(0.02)
