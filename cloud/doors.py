"""The doors of the coordinator and their locks: TLS for broker and console by the fleet's own authority, kept fresh.

Certificates are renewed at two thirds of their life and the list of revoked ones is written anew every day, long before
it ends: an expired one would lock out every van at once. Who is revoked, by whatever process, loses a live session too.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial

from cloud.broker import BrokerTls, PrivateBroker, acl_text
from cloud.config import CloudSettings
from cloud.errors import StoreError
from cloud.fleet.view import Ending
from cloud.identity.certificates import COORDINATOR, REVOKED_LIST_LIFE
from cloud.identity.desk import Desk, machine_now
from cloud.identity.endings import endings
from cloud.identity.home import Home, open_home, write_private
from cloud.identity.register import open_register
from cloud.identity.tls import console_context, coordinators_link, load_server
from wire.mqtt import Secure

LOOK_EVERY_S = 5.0
"""How soon a revocation is noticed; a live session must have ended within a minute."""
LIST_EVERY = timedelta(days=1)

log = logging.getLogger(__name__)


class Doors:
    """Made by `open_doors`. `tend` keeps all of it fresh while the coordinator runs."""

    def __init__(
        self, home: Home, desk: Desk, names: Sequence[str], vans: Collection[str], now: Callable[[], datetime]
    ) -> None:
        self.desk = desk
        self._vans = vans
        self._home = home
        self._names = names
        self._now = now
        self._console: ssl.SSLContext | None = None
        self._revoked: list[tuple[str, datetime]] = []
        self._listed_at: datetime | None = None

    @property
    def broker_tls(self) -> BrokerTls:
        certificate, key = self._home.pair("server")
        return BrokerTls(
            authority=self._home.authority_path,
            certificate=certificate,
            key=key,
            revoked=self._home.revoked_path,
            acl=self._home.folder / "acl",
        )

    def link(self) -> Secure:
        """The coordinator's own way to the broker."""
        return coordinators_link(self._home)

    def console(self) -> ssl.SSLContext:
        if self._console is None:
            self._console = console_context(self._home)
        return self._console

    async def freshen(self) -> bool:
        """Brings every file up to date; whether somebody was revoked since the last time. Raises StoreError."""
        now = self._now()
        if self._home.renew_own(self._names, now) and self._console is not None:
            load_server(self._console, self._home)
        revoked = await self.desk.revoked()
        is_news = bool({serial for serial, _ in revoked} - {serial for serial, _ in self._revoked})
        if is_news or self._listed_at is None or not timedelta() <= now - self._listed_at < LIST_EVERY:
            self._home.write_revoked(revoked, now)
            self._revoked, self._listed_at = revoked, now
        return is_news

    async def endings(self) -> tuple[Ending, ...]:
        """What nothing renewed in time. Raises StoreError, OSError."""
        now, ends = self._now(), await self.desk.ends_of_vans()
        return endings(
            vans={van: ends_at for van, ends_at in ends.items() if van in self._vans},
            servers=self._home.own_ends_at(),
            authority=self._home.authority.certificate.not_valid_after_utc,
            revoked_list=(self._listed_at or now) + REVOKED_LIST_LIFE,
            now=now,
        )

    async def tend(self, broker: PrivateBroker | None, tell: Callable[[tuple[Ending, ...]], None]) -> None:
        """Until cancelled. A broker that is not ours must read `revoked.pem` by itself; the docs say how."""
        told: tuple[Ending, ...] = ()
        while True:
            try:
                found = await self.endings()
                for ending in set(found) - set(told):
                    log.warning(
                        "%s of %s ends on %s", ending.kind.value, ending.van or "this coordinator", ending.ends_on
                    )
                told = found
                tell(found)
            except (StoreError, OSError) as error:
                log.error("it is not known which certificates end soon: %s", error)
            await asyncio.sleep(LOOK_EVERY_S)
            listed_at = self._listed_at
            try:
                is_news = await self.freshen()
            except (StoreError, OSError) as error:
                log.error("certificates and revocations cannot be kept up to date: %s", error)
                continue
            if broker is None:
                continue
            if is_news:
                log.warning("a van was revoked: the broker starts again, so that no session of it lives on")
                await broker.restart()
            elif self._listed_at != listed_at:
                broker.reload()


async def open_doors(settings: CloudSettings, now: Callable[[], datetime] = machine_now) -> Doors:
    """The fleet's authority, made at the first start, and every file that rests on it. Raises StoreError."""
    home = await asyncio.to_thread(partial(open_home, settings.data_dir, settings.fleet, now()))
    write_private(home.folder / "acl", acl_text(settings.fleet, COORDINATOR).encode())
    desk = Desk(home, open_register(home.register_path), now)
    names = (*settings.broker.certificate_names, *settings.http.certificate_names)
    doors = Doors(home, desk, names, {van.name for van in settings.vans}, now)
    await doors.freshen()
    return doors
