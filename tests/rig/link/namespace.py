"""A network of one's own for a node: a namespace without a name, so that nothing is left of it whatever ends us.

It belongs to a thread: what the thread starts is inside, with mounts that nobody outside sees. When the thread ends,
the kernel kills what it started, and the namespace goes with the last that was in it.
"""

import asyncio
import fcntl
import os
import shutil
import socket
import struct
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloud.broker import find_mosquitto
from cloud.errors import BrokerError
from host.child import dying_with_us
from tests.rig.ext4 import MachineLacksError
from tests.rig.ext4 import check_machine as check_disk

TUN = Path("/dev/net/tun")
MTU = 1500
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


class Namespace:
    """Close it, or end."""

    def __init__(self, name: str, address: str) -> None:
        """`address` is its own in 192.0.2.0/24, which is kept for documentation and is nobody's."""
        self.address = address
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self.tun = -1
        try:
            self._do(self._enter)
        except BaseException:
            self.close()
            raise

    async def run[*Ts, T](self, act: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act, *arguments)

    def socket(self, *kind: int) -> socket.socket:
        """A socket inside, for use from anywhere."""
        return self._do(lambda: socket.socket(*kind))

    async def start(self, argv: list[str], log: Path) -> subprocess.Popen[bytes]:
        """A process inside that dies with us; what it says goes to the end of `log`."""

        def begin() -> subprocess.Popen[bytes]:
            command, extra = dying_with_us(argv)
            with log.open("ab") as said:
                return subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True, **extra
                )

        return await self.run(begin)

    async def set_up(self, *, is_up: bool) -> None:
        """With its interface down a node knows at once that nobody can be reached."""
        await self.run(_ip, "link", "set", "tun0", "up" if is_up else "down")

    def close(self) -> None:
        self._thread.shutdown(wait=True, cancel_futures=True)
        if self.tun >= 0:
            os.close(self.tun)
            self.tun = -1

    def _do[T](self, act: Callable[[], T]) -> T:
        return self._thread.submit(act).result()

    def _enter(self) -> None:
        os.unshare(os.CLONE_NEWNET | os.CLONE_NEWNS)
        subprocess.run(["mount", "--make-rprivate", "/"], check=True, capture_output=True)
        self.tun = os.open(TUN, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        fcntl.ioctl(self.tun, _TUNSETIFF, struct.pack("16sH22x", b"tun0", _IFF_TUN | _IFF_NO_PI))
        _ip("address", "add", f"{self.address}/24", "dev", "tun0")
        _ip("link", "set", "tun0", "mtu", str(MTU), "up")
        _ip("link", "set", "lo", "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def check_machine() -> None:
    """Raises MachineLacksError with the name of the first thing that is not there."""
    if os.geteuid() != 0:
        raise MachineLacksError("root (namespaces, TUN, mount)")
    for program in ("ip", "mount", "umount", "mkfs.ext4"):
        if shutil.which(program) is None:
            raise MachineLacksError(program)
    try:
        find_mosquitto()
    except BrokerError as error:
        raise MachineLacksError("mosquitto") from error
    if not TUN.exists():
        raise MachineLacksError(str(TUN))
    try:
        Namespace("rig-check", "192.0.2.254").close()
    except subprocess.CalledProcessError as error:
        raise MachineLacksError(f"`{' '.join(error.cmd)}`: {error.stderr.decode().strip()}") from error
    except OSError as error:
        raise MachineLacksError(f"network namespaces with a TUN: {error}") from error
    with tempfile.TemporaryDirectory(prefix="rig-link-") as home:
        check_disk(Path(home))
