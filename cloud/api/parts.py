"""What the HTTP side is made of: real parts from `app.py`, others from tests."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from aiohttp import web

from cloud.dispatch.van import Van, day_of
from cloud.identity.desk import Desk
from cloud.live import LiveFleet
from cloud.proofwatch import ProofDesk
from cloud.store.database import Database
from host.clock import Clock
from roads.network import RoadNetwork
from wire.manifest import Depot


class Outlet(Protocol):
    """Where what the vans must be told goes; it looks up by itself what that is."""

    def wake(self) -> None:
        """Manifests or conditions changed."""


class TileSource(Protocol):
    """The base map's tiles."""

    @property
    def max_zoom(self) -> int: ...
    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """As stored, gzip; None when there is none."""


@dataclass(frozen=True)
class Parts:
    """`is_broker_up` answers for the link at this moment."""

    depot: Depot
    zone: ZoneInfo
    vans: tuple[Van, ...]
    clock: Clock
    database: Database
    live: LiveFleet
    proofs: ProofDesk
    outlet: Outlet
    is_broker_up: Callable[[], bool]
    pages_dir: Path
    network: RoadNetwork
    tiles: TileSource | None = None
    desk: Desk | None = None
    """Keys and people; None where neither the broker nor the console has TLS."""
    is_secured: bool = False
    """The console has TLS, and people sign in."""
    hosts: frozenset[str] = frozenset()
    """Names and addresses, beyond loopback, under which the console is asked for."""
    one_at_a_time: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while the day's work is changed."""

    @property
    def today(self) -> date:
        return day_of(self.clock.now(), self.zone, self.vans)


PARTS = web.AppKey("parts", Parts)
