"""The authority on disk: `data_dir/authority`, readable by its owner alone. Made at the first start, kept for good.

authority.key  authority.pem      the fleet's root; only the certificate ever leaves this machine
server.key     server.pem         what broker and console show
client.key     client.pem         what the coordinator shows to the broker
revoked.pem                       the list of what is revoked
acl                               who may speak and listen where (`cloud/broker.py`)
identity.db                       `cloud/identity/register.py`
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate

from cloud.errors import StoreError
from cloud.identity.certificates import (
    COORDINATOR,
    SERVER_LIFE,
    Authority,
    client_certificate,
    key_pem,
    new_authority,
    new_key,
    pem_of,
    read_certificate,
    read_key,
    revoked_list,
    server_certificate,
    server_names,
)

ALWAYS_NAMED = ("localhost", "127.0.0.1", "::1")


class Home:
    """`data_dir/authority` and the authority in it."""

    def __init__(self, folder: Path, authority: Authority) -> None:
        self.folder = folder
        self.authority = authority

    @property
    def authority_path(self) -> Path:
        return self.folder / "authority.pem"

    @property
    def revoked_path(self) -> Path:
        return self.folder / "revoked.pem"

    @property
    def register_path(self) -> Path:
        return self.folder / "identity.db"

    def pair(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of "server" or "client"."""
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"

    def renew_own(self, names: Sequence[str], now: datetime) -> bool:
        """Makes anew what broker, console and coordinator show, when it is due; whether anything changed.

        Due: missing, past two thirds of its life, of another authority, or not good for one of `names`.
        """
        wanted = list(dict.fromkeys((*ALWAYS_NAMED, *names)))
        is_new_server = self._renew(
            "server",
            now,
            lambda key: server_certificate(self.authority, key, wanted, now),
            lambda certificate: server_names(certificate) >= set(wanted),
        )
        is_new_client = self._renew(
            "client",
            now,
            lambda key: client_certificate(self.authority, COORDINATOR, key, now, SERVER_LIFE),
            lambda _certificate: True,
        )
        return is_new_server or is_new_client

    def own_ends_at(self) -> datetime:
        """When the first of our own two certificates ends."""
        return min(
            read_certificate(self.pair(name)[0].read_bytes()).not_valid_after_utc for name in ("server", "client")
        )

    def write_revoked(self, revoked: Sequence[tuple[str, datetime]], now: datetime) -> None:
        write_private(self.revoked_path, revoked_list(self.authority, revoked, now))

    def _renew(
        self,
        name: str,
        now: datetime,
        make: Callable[[ec.EllipticCurvePublicKey], Certificate],
        is_fitting: Callable[[Certificate], bool],
    ) -> bool:
        certificate_path, key_path = self.pair(name)
        try:
            key = read_key(key_path.read_bytes())
            held = read_certificate(certificate_path.read_bytes())
            held.verify_directly_issued_by(self.authority.certificate)
            begun, ends = held.not_valid_before_utc, held.not_valid_after_utc
            if held.public_key() == key.public_key() and is_fitting(held) and now < begun + (ends - begun) * 2 / 3:
                return False
        except Exception:  # noqa: S110 - missing, damaged or another's: all end in a new pair
            pass
        key = new_key()
        write_private(key_path, key_pem(key))
        write_private(certificate_path, pem_of(make(key.public_key())))
        return True


def open_home(data_dir: Path, fleet: str, now: datetime) -> Home:
    """The fleet's authority, made when there is none yet. Raises StoreError; never makes a second one in its place."""
    folder = data_dir / "authority"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    certificate_path, key_path = folder / "authority.pem", folder / "authority.key"
    with alone(folder):
        if not certificate_path.exists():
            # The key first: one without a certificate has never signed anything and may be replaced.
            made = new_authority(fleet, now)
            write_private(key_path, key_pem(made.key))
            write_private(certificate_path, made.pem)
        try:
            certificate = read_certificate(certificate_path.read_bytes())
            key = read_key(key_path.read_bytes())
        except (OSError, ValueError, TypeError) as error:
            raise StoreError(
                f"the fleet's authority in {folder} cannot be read ({error}). Put authority.key and authority.pem back "
                "from a backup; without them every van must be enrolled again"
            ) from error
    if certificate.public_key() != key.public_key():
        raise StoreError(f"authority.key in {folder} does not belong to authority.pem: put both back from one backup")
    return Home(folder, Authority(certificate, key))


def write_private(path: Path, data: bytes) -> None:
    """The whole file or the old one, on disk, for its owner's eyes only."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """The command line and the coordinator may both find that there is no authority, or no key, yet."""
    with open(os.open(folder / "lock", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
