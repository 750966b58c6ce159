"""The coordinator's private broker: one mosquitto, configured by us, started again when it dies.

With TLS nobody speaks to it without a certificate of the fleet's authority, and its topics are the table's: a van may
write what goes up from it and read what comes down to it, and nothing else. Without TLS it stays on loopback.

Nothing rests on what it keeps. Receipts say what is durable; retained messages are published again after each connect;
a persistence file it cannot read is put aside.
"""

import asyncio
import contextlib
import logging
import os
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path

from cloud.errors import BrokerError
from host.child import Child, ChildEndedError, ChildError, end_orphan
from host.loopback import PortTakenError, claim_port
from wire.mqtt import PACKET_HEADROOM_BYTES
from wire.topics import MAX_PACKET_BYTES, PREFIX, TOPICS, Way

NAME = "mosquitto"
READY_WITHIN_S = 10.0
FIRST_PAUSE_S = 0.2
LONGEST_PAUSE_S = 10.0
STEADY_AFTER_S = 30.0
"""A broker that ran this long did not die of its start: the next pause is short again."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BrokerTls:
    """Files the broker reads at its start, and again by `reload`."""

    authority: Path
    certificate: Path
    key: Path
    revoked: Path
    acl: Path


class PrivateBroker:
    """One mosquitto, kept running from `start` to `stop`; its files lie in `data_dir/broker`."""

    def __init__(self, *, host: str, port: int, data_dir: Path, tls: BrokerTls | None = None) -> None:
        self._host = host
        self._port = port
        self._home = data_dir / "broker"
        self._run_dir = data_dir / "run"
        self._log_path = data_dir / "log" / f"{NAME}.log"
        self._child: Child | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._tls = tls
        self._is_restarting = False

    @property
    def pid(self) -> int | None:
        """None while none runs."""
        return self._child.pid if self._child is not None and self._child.returncode is None else None

    async def start(self) -> None:
        """Start it and wait until it answers. Raises BrokerError, with what to do, when it cannot run here."""
        program = find_mosquitto()
        await end_orphan(self._run_dir, NAME, program)
        try:
            claim_port(self._host, self._port, "the broker", is_secured=self._tls is not None).close()
        except PortTakenError as error:
            raise BrokerError(error.strerror) from error
        self._home.mkdir(parents=True, exist_ok=True)
        self._home.chmod(0o700)
        self._config_path.write_text(
            config_text(host=self._host, port=self._port, home=self._home, is_root=os.geteuid() == 0, tls=self._tls)
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

    def reload(self) -> None:
        """It reads its certificates and the list of revoked ones again, for connections to come."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGHUP)

    async def restart(self) -> None:
        """Ends every session there is, for less than a second: mosquitto 2.0 has no other way to end one.

        What it kept for those who were away it keeps; who was connected comes back by itself, if it still may.
        """
        if self._child is not None:
            self._is_restarting = True
            await self._child.stop()

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
                if not self._is_restarting:
                    log.error("the broker ended with code %d; it is started again", code)
                await self._stop_child()
            if self._is_restarting:
                self._is_restarting = False
                pause_s = 0.0
            elif loop.time() - began_s > STEADY_AFTER_S:
                pause_s = FIRST_PAUSE_S
            await asyncio.sleep(pause_s)
            pause_s = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, 2 * pause_s))
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


def config_text(*, host: str, port: int, home: Path, is_root: bool, tls: BrokerTls | None = None) -> str:
    """mosquitto's configuration: MQTT 5 on one address, persistence in `home`."""
    lines = [
        "# Written at each start; changes are lost.",
        f"listener {port} {host}",
        *_who_may(tls),
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


def acl_text(fleet: str, coordinator: str) -> str:
    """The topic table as mosquitto's access list: `%u` is the name in the certificate of whoever speaks."""
    up = [topic for topic in TOPICS if topic.way is Way.UP]
    down = [topic for topic in TOPICS if topic.way is Way.DOWN]
    return "\n".join(
        [
            *(f"pattern write {PREFIX}/{fleet}/%u/{topic.name}" for topic in up),
            *(f"pattern read {PREFIX}/{fleet}/%u/{topic.name}" for topic in down),
            f"user {coordinator}",
            *(f"topic read {topic.of_every_van(fleet)}" for topic in up),
            *(f"topic write {topic.of_every_van(fleet)}" for topic in down),
            "",
        ]
    )


def _who_may(tls: BrokerTls | None) -> list[str]:
    if tls is None:
        return ["allow_anonymous true"]  # nobody beyond this machine can reach the listener
    return [
        "allow_anonymous false",
        f"cafile {tls.authority}",
        f"certfile {tls.certificate}",
        f"keyfile {tls.key}",
        f"crlfile {tls.revoked}",
        "tls_version tlsv1.2",  # at least
        "require_certificate true",
        "use_identity_as_username true",
        "use_username_as_clientid true",  # one session for a van: a clone is seen, because both keep being thrown out
        f"acl_file {tls.acl}",
    ]
