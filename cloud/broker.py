"""The coordinator's private broker: one mosquitto on loopback, configured by us, started again when it dies.

Nothing rests on what it keeps. Receipts say what is durable; retained messages are published again after each connect;
a persistence file it cannot read is put aside.
"""

import asyncio
import contextlib
import logging
import os
import shutil
from pathlib import Path

from cloud.errors import BrokerError
from host.child import Child, ChildEndedError, ChildError, end_orphan
from host.loopback import PortTakenError, claim_port
from wire.mqtt import PACKET_HEADROOM_BYTES
from wire.topics import MAX_PACKET_BYTES

NAME = "mosquitto"
READY_WITHIN_S = 10.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_AFTER_S = 30.0
"""A broker that ran this long did not die of its start: the next pause is short again."""

log = logging.getLogger(__name__)


class PrivateBroker:
    """One mosquitto, kept running from `start` to `stop`; its files lie in `data_dir/broker`."""

    def __init__(self, *, host: str, port: int, data_dir: Path) -> None:
        self._host = host
        self._port = port
        self._home = data_dir / "broker"
        self._run_dir = data_dir / "run"
        self._log_path = data_dir / "log" / f"{NAME}.log"
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """None while none runs."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it answers. Raises BrokerError, with what to do, when it cannot run here."""
        program = find_mosquitto()
        await end_orphan(self._run_dir, NAME, program)
        try:
            claim_port(self._host, self._port, "the broker").close()
        except PortTakenError as error:
            raise BrokerError(error.strerror) from error
        self._home.mkdir(parents=True, exist_ok=True)
        self._home.chmod(0o700)
        self._config_path.write_text(
            config_text(host=self._host, port=self._port, home=self._home, is_root=os.geteuid() == 0)
        )
        try:
            await self._start_child(program)
        except ChildEndedError as error:
            if not self._put_kept_aside():
                raise BrokerError(f"the broker does not start: {error}") from error
            log.warning("the broker did not start with what it had kept, which is now put aside: %s", error)
            await self._start_again(program)
        except ChildError as error:
            raise BrokerError(f"the broker does not start: {error}") from error
        self._keeper = asyncio.create_task(self._keep_running(program), name="broker")

    async def stop(self) -> None:
        """End it for good. Safe to call twice, and when it never started."""
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        await self._stop_child()

    @property
    def _config_path(self) -> Path:
        return self._home / "mosquitto.conf"

    async def _start_child(self, program: str) -> None:
        self._child = await Child.start(
            NAME, [program, "-c", str(self._config_path)], run_dir=self._run_dir, log_path=self._log_path
        )
        try:
            await self._child.ready_when(self._answers, READY_WITHIN_S)
        except BaseException:
            await self._stop_child()
            raise

    async def _start_again(self, program: str) -> None:
        try:
            await self._start_child(program)
        except ChildError as error:
            raise BrokerError(f"the broker does not start: {error}") from error

    async def _stop_child(self) -> None:
        if self._child is not None:
            await self._child.stop()
            self._child = None

    async def _keep_running(self, program: str) -> None:
        pause_s = FIRST_PAUSE_S
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            if self._child is not None:
                code = await self._child.wait()
                log.error("the broker ended with code %d; it is started again", code)
                await self._stop_child()
            if loop.time() - began_s > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, 2 * pause_s)
            try:
                await self._start_child(program)
            except ChildEndedError as error:
                log.error("the broker does not start: %s", error)
                self._put_kept_aside()
            except ChildError as error:
                log.error("the broker does not start: %s", error)

    async def _answers(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(self._host, self._port)
        except OSError:
            return False
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
        return True

    def _put_kept_aside(self) -> bool:
        kept = self._home / "mosquitto.db"
        if not kept.exists():
            return False
        kept.replace(kept.with_name("mosquitto.db.unreadable"))
        return True


def find_mosquitto() -> str:
    """The program's path. Debian keeps it where an ordinary user's PATH does not look. Raises BrokerError."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    program = shutil.which(NAME, path=path)
    if program is None:
        raise BrokerError(
            "mosquitto, the MQTT broker, is not installed. Install it (Debian, Ubuntu, Raspberry Pi OS: "
            "`sudo apt-get install mosquitto`), or set is_private = false and the address of a broker under [broker]."
        )
    return program


def config_text(*, host: str, port: int, home: Path, is_root: bool) -> str:
    """mosquitto's configuration: MQTT 5 on one address, persistence in `home`."""
    lines = [
        "# Written at each start; changes are lost.",
        f"listener {port} {host}",
        # Until the link is secured, nobody beyond this machine can reach the listener.
        "allow_anonymous true",
        "set_tcp_nodelay true",
        f"max_packet_size {MAX_PACKET_BYTES + PACKET_HEADROOM_BYTES}",
        "max_inflight_messages 100",
        "max_queued_messages 10000",
        "max_queued_bytes 67108864",
        "max_keepalive 300",
        "persistence true",
        f"persistence_location {home}{os.sep}",
        "persistence_file mosquitto.db",
        "persistent_client_expiration 1d",
        "autosave_interval 30",
        "sys_interval 0",
        "connection_messages false",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_type notice",
    ]
    if is_root:
        # It would drop to a user that cannot read our files, and with the change lose its tie to our life.
        lines.append("user root")
    return "\n".join(lines) + "\n"
