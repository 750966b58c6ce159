"""Real programs that several rooms' tests need."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from cloud.broker import config_text, find_mosquitto
from host.child import dying_with_us
from host.loopback import free_port

HOST = "127.0.0.1"

# A law is about what comes out; how long it took on a machine that had other things to do is no failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")


class Mosquitto:
    """A real broker on a free port that a test can end, freeze and start again."""

    def __init__(self, home: Path) -> None:
        self.host = HOST
        self.port = free_port()
        self._config = home / "mosquitto.conf"
        self._config.write_text(config_text(host=HOST, port=self.port, home=home, is_root=os.geteuid() == 0))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command, extra = dying_with_us([find_mosquitto(), "-c", str(self._config)])
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **extra)
        give_up_s = time.monotonic() + 5
        while True:
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            except OSError:
                assert time.monotonic() < give_up_s, "mosquitto did not start"
                time.sleep(0.005)

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """An orderly end."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Still there, and silent."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.send_signal(signal.SIGCONT)
            self._process.wait(5)
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker with the coordinator's own configuration."""
    home = tmp_path / "mosquitto"
    home.mkdir()
    broker = Mosquitto(home)
    broker.start()
    yield broker
    broker.kill()
