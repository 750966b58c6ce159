"""ThingsBoard IoT Gateway beside our own courier: its own process, its SQLite storage, the same kind of broker.

The gateway comes from its public package into an environment of its own, never into ours. It takes a PUBACK of the
broker for the end of the matter, so what it delivers is counted by a subscriber behind the broker.
"""

import asyncio
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.stand import CACHE, CHECKOUT, LOOPBACK
from cloud.broker import config_text, find_mosquitto
from host.child import Child
from host.loopback import free_port
from wire.mqtt import Arrived, Connected, MqttLink

PACKAGE, VERSION = "thingsboard-gateway", "3.8.5"
HOME = CHECKOUT / ".cache" / "peers" / "thingsboard"
TELEMETRY = "v1/gateway/telemetry"
ASKED, ANSWERED = "v1/devices/me/rpc/request/", "v1/devices/me/rpc/response/"
LIMITS = b'{"maxPayloadSize": 60000, "maxInflightMessages": 100, "rateLimits": {}, "gatewayRateLimits": {}}'
"""What its server would answer when the gateway asks what it may do; it sends nothing before."""

_FILL = """
import json, sys, time, logging, threading
from thingsboard_gateway.storage.sqlite.sqlite_event_storage import SQLiteEventStorage
logging.Logger.trace = lambda *_: None
folder, count = sys.argv[1], int(sys.argv[2])
storage = SQLiteEventStorage({"data_file_path": folder}, logging.getLogger("storage"), threading.Event())
for number in range(count):
    values = {"number": number, "kind": "stop.completed", "stop_id": "2026-11-23.B-%05d" % number,
              "outcome": "delivered_to_recipient", "received_by": "Marta Pires",
              "lat_deg": 41.15 + number % 1000 * 1e-5, "lon_deg": -8.61, "distance_m": 12.5, "manifest_version": 1}
    event = {"deviceName": "van-1", "deviceType": "van", "attributes": [],
             "telemetry": [{"ts": 1795420800000 + number * 1000, "values": values}]}
    storage.put(json.dumps(event))
while not storage.write_queue.empty():
    time.sleep(0.1)
time.sleep(1.5)
storage.stop()
"""
_RUN = """
import sys
from thingsboard_gateway.gateway.tb_gateway_service import TBGatewayService
TBGatewayService(sys.argv[1])
"""


class PeerMissingError(RuntimeError):
    """The peer cannot be installed here; the text says why."""


def install() -> Path:
    """The peer's Python, in an environment of its own. Raises PeerMissingError."""
    python = HOME / "bin" / "python"
    if not (HOME / ".ready").exists():
        for command in (
            [sys.executable, "-m", "venv", str(HOME)],
            [str(python), "-m", "pip", "install", "-q", f"{PACKAGE}=={VERSION}"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise PeerMissingError(f"{PACKAGE} {VERSION} was not installed: {done.stderr.strip()[-400:]}")
        (HOME / ".ready").touch()
    return python


class Gateway:
    """One gateway and its storage: `fill` it, `start` it on a broker's port, `kill` it as a power cut would."""

    def __init__(self, name: str) -> None:
        self._python = install()
        self._folder = CACHE / name
        self._process: subprocess.Popen[bytes] | None = None

    def fill(self, count: int) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "data").mkdir(parents=True)
        command = [str(self._python), "-c", _FILL, f"{self._folder}/data/", str(count)]
        subprocess.run(command, check=True, cwd=self._folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, broker_port: int) -> None:
        config = {
            "thingsboard": {
                "host": LOOPBACK,
                "port": broker_port,
                "remoteShell": False,
                "remoteConfiguration": False,
                "statistics": {"enable": False},
                "deviceFiltering": {"enable": False},
                "minPackSendDelayMS": 50,
                "security": {"type": "accessToken", "accessToken": "bench"},
                "qos": 1,
                "reportStrategy": {"type": "DISABLED"},
                "checkingDeviceActivity": {"checkDeviceInactivity": False},
                # It comes with limits meant for a shared server; our coordinator sets none either.
                **dict.fromkeys(
                    (
                        "rateLimits",
                        "dpRateLimits",
                        "messagesRateLimits",
                        "deviceMessagesRateLimits",
                        "deviceRateLimits",
                        "deviceDpRateLimits",
                    ),
                    "0:0,",
                ),
            },
            "storage": {"type": "sqlite", "data_file_path": f"{self._folder}/data/"},
            "grpc": {"enabled": False},
            "connectors": [],
        }
        path = self._folder / "tb_gateway.json"
        path.write_text(json.dumps(config))
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [str(self._python), "-c", _RUN, str(path)], cwd=self._folder, stdout=log, stderr=log
            )

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def left(self) -> set[int]:
        """The numbers of the records in its storage."""
        numbers: set[int] = set()
        for path in (self._folder / "data").glob("*.db"):
            with sqlite3.connect(path) as database:
                for (message,) in database.execute("SELECT message FROM messages"):
                    numbers |= {item["values"]["number"] for item in json.loads(message)["telemetry"]}
            database.close()
        return numbers

    def said(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-1500:]


class Receiver:
    """A subscriber behind the broker that counts what a gateway delivered, by number and by byte."""

    def __init__(self, broker_port: int) -> None:
        self.numbers: set[int] = set()
        self.records = self.payload_bytes = 0
        self.first_s = self.last_s = 0.0
        self._link = MqttLink(
            host=LOOPBACK,
            port=broker_port,
            client_id="receiver",
            subscriptions=[(TELEMETRY, 1), (f"{ASKED}+", 1)],
            receive_maximum=100,
        )
        self._up = asyncio.Event()

    async def listen(self) -> None:
        self._link.start()
        async for event in self._link.events():
            if isinstance(event, Connected):
                self._up.set()
            elif isinstance(event, Arrived):
                if event.topic.startswith(ASKED):
                    self._link.publish(f"{ANSWERED}{event.topic[len(ASKED) :]}", LIMITS, qos=1)
                else:
                    self._take(event.payload)
                event.ack()

    async def up(self) -> None:
        await self._up.wait()

    async def close(self) -> None:
        await self._link.close()

    def _take(self, payload: bytes) -> None:
        self.last_s = time.monotonic()
        self.first_s = self.first_s or self.last_s
        self.payload_bytes += len(payload)
        for items in json.loads(payload).values():
            self.records += len(items)
            self.numbers |= {item["values"]["number"] for item in items if "number" in item.get("values", {})}


@asynccontextmanager
async def plain_broker(name: str) -> AsyncIterator[int]:
    """A mosquitto with the coordinator's settings and without its certificates: the port."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "mosquitto.conf"
    config.write_text(config_text(host=LOOPBACK, port=port, home=folder, is_root=os.geteuid() == 0))
    broker = await Child.start(
        "mosquitto", [find_mosquitto(), "-c", str(config)], run_dir=folder, log_path=folder / "broker.log"
    )
    try:
        await asyncio.sleep(0.5)
        yield port
    finally:
        await broker.stop()
