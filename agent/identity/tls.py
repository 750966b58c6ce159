"""TLS as the van does it: its own certificate, the authority's servers only, and dates judged by the clock floor."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from agent.identity import floor
from agent.identity.badge import Badge, life_of
from agent.identity.floor import Life
from wire.mqtt import Secure

_NO_CHECK_TIME = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME, which Python has no name for. Chain, signatures, use and host name are checked
as ever; the dates are ours to judge, because the machine's clock may be that of 1970.
"""
KEEP_EVERY = timedelta(minutes=5)
"""The floor goes to the card when it has risen by this."""


def machine_now() -> datetime:
    """The system's clock, right or wrong."""
    return datetime.now(UTC)


class MachineTime:
    """The machine's time as well as the van knows it: by GPS, if need be. The event loop notes it every now and then,
    any thread may ask.
    """

    def __init__(self, *, is_simulated: bool, system: Callable[[], datetime] = machine_now) -> None:
        """`is_simulated`: what the van knows is a simulation's time, which no certificate heeds."""
        self._is_simulated = is_simulated
        self._system = system
        self._noted: datetime | None = None

    def note(self, known: datetime) -> None:
        self._noted = known

    def __call__(self) -> datetime:
        return self._system() if self._is_simulated or self._noted is None else self._noted


class Credentials:
    """What the van shows, and whom it believes. Usable from any thread; files are read anew for each connection."""

    def __init__(self, badge: Badge, clock: Callable[[], datetime] = machine_now) -> None:
        """`clock` is asked on any thread."""
        self.badge = badge
        self._clock = clock
        self._server: Life | None = None
        self._has_answered = False

    def secure(self) -> Secure:
        """For one connection. Raises EnrolmentError when the van has no certificate."""
        held = self.badge.held()
        context = pinned(held.authority_pem)
        context.load_cert_chain(self.badge.path, self.badge.key_path)
        return Secure(context, self.judge)

    def judge(self, certificate_der: bytes) -> None:
        """Raises ServerTooOldError for a server whose time is over; any other raises the floor."""
        server = life_of(certificate_der)
        floor.judge(server, self.floor())
        self._server = server
        self._has_answered = True
        self.raise_floor()

    def answered(self) -> None:
        """The server that was judged last sent a receipt just now."""
        self._has_answered = True

    def raise_floor(self) -> None:
        """After the server said something, the floor is as high as its certificate and our clock agree on."""
        if self._server is None or not self._has_answered:
            return
        self._has_answered = False
        now_at = floor.risen(self.floor(), self._server, self._clock())
        kept = self.badge.kept_floor
        if kept is None or now_at - kept >= KEEP_EVERY:
            self.badge.kept_floor = now_at

    def floor(self) -> datetime:
        held = self.badge.held()
        return floor.floor(self.badge.kept_floor, [held.own, held.authority])

    def has_ended(self) -> bool:
        """Whether the van's own certificate is over, as far as is known. Raises EnrolmentError."""
        return self.badge.held().own.ends_at < max(self._clock(), self.floor())

    def is_renewal_due(self) -> bool:
        """Raises EnrolmentError when there is nothing to renew."""
        return floor.is_renewal_due(self.badge.held().own, self._clock(), self.floor())


def pinned(authority_pem: str) -> ssl.SSLContext:
    """Believes servers of this authority and no other, under the name they were called by."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cadata=authority_pem)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context
