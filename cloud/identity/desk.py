"""The office as the running coordinator uses it: on a thread of its own, at the machine's own time."""

import asyncio
import hmac
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from cloud.identity import office, register
from cloud.identity.home import Home
from cloud.identity.office import Refused
from cloud.identity.register import Register
from wire.enrolment import Enrolled


def machine_now() -> datetime:
    """Certificates, tokens and sessions live in real time, also where a simulation runs its day at thirty-fold."""
    return datetime.now(UTC)


class Desk:
    """One thread for the register, another for passwords: a hundred guesses wait for each other and hold up nobody."""

    def __init__(self, home: Home, book: Register, now: Callable[[], datetime] = machine_now) -> None:
        self.home = home
        self._book = book
        self._now = now
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="identity")
        self._passwords = ThreadPoolExecutor(1, thread_name_prefix="passwords")
        self._setup_token: str | None = None

    async def first_setup(self) -> str | None:
        """The one-time token by which the first administrator is made; None when there is one already.

        It lives in memory until it is used or the coordinator ends.
        """

        def has_people() -> bool:
            with self._book.transaction() as conn:
                return register.has_people(conn)

        if await self._do(has_people):
            self._setup_token = None
        elif self._setup_token is None:
            self._setup_token = secrets.token_urlsafe(16)
        return self._setup_token

    async def set_up(self, token: str, name: str, password: str, address: str) -> Refused | None:
        """Makes the first administrator."""
        wanted = await self.first_setup()
        if wanted is None or not hmac.compare_digest(wanted.encode(), token.strip().encode()):
            return Refused("this is not the token that the coordinator printed when it started")
        refused = await self._do(lambda: office.set_password(self._book, name, password, address, self._now()))
        if refused is None:
            self._setup_token = None
        return refused

    async def sign_in(self, name: str, password: str, address: str) -> str | None:
        """The secret of a new session; None for a wrong name or password."""
        stored = await self._do(lambda: office.stored_password(self._book, name))
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._passwords, office.is_right, password, stored):
            await self._do(lambda: office.note_refusal(self._book, name, address, self._now()))
            return None
        return await self._do(lambda: office.begin_session(self._book, name, address, self._now()))

    async def person_of(self, session: str) -> str | None:
        """Whose session this is; None when it is over or never was."""
        return await self._do(lambda: office.person_of(self._book, session, self._now()))

    async def sign_out(self, session: str, address: str) -> None:
        await self._do(lambda: office.sign_out(self._book, session, address, self._now()))

    async def enrol(self, token: str, csr_pem: str, address: str) -> Enrolled | Refused:
        """A certificate for a one-time token."""
        return await self._do(
            lambda: office.enrol(self.home.authority, self._book, token, csr_pem, address=address, now=self._now())
        )

    async def renew(self, shown_der: bytes, csr_pem: str, address: str) -> Enrolled | Refused:
        """A new certificate for one that TLS has verified."""
        return await self._do(
            lambda: office.renew(self.home.authority, self._book, shown_der, csr_pem, address=address, now=self._now())
        )

    async def revoked(self) -> list[tuple[str, datetime]]:
        """What is revoked at this moment, whoever revoked it."""

        def read() -> list[tuple[str, datetime]]:
            with self._book.transaction() as conn:
                return list(register.revoked(conn, self._now()))

        return await self._do(read)

    async def ends_of_vans(self) -> dict[str, datetime]:
        """When the last certificate of each enrolled van ends."""

        def read() -> dict[str, datetime]:
            with self._book.transaction() as conn:
                return register.ends_of_vans(conn)

        return await self._do(read)

    def close(self) -> None:
        self._passwords.shutdown()
        self._thread.shutdown()
        self._book.close()

    async def _do[T](self, act: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, act)
