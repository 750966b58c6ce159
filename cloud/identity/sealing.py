"""The key by which the coordinator signs what it holds of a stop (`cloud.proof.inventory`): `data_dir/seal`.

coordinator.key   Ed25519, made when it is first needed, readable by its owner alone
coordinator.pem   the fleet's authority's certificate for it, where the fleet has one

It opens no door: the certificate is for signing documents (RFC 9336), and no broker takes it for a client's. Its dates
are those of the authority, so that the same proof gives the same file next year.
"""

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud.errors import StoreError
from cloud.identity.certificates import Authority, pem_of, read_certificate, sealing_certificate
from cloud.identity.home import alone, open_home, write_private

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CoordinatorSeal:
    """A `cloud.proof.inventory.Stater`."""

    key: Ed25519PrivateKey
    certificate_pem: str = ""

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


def open_seal(
    data_dir: Path,
    fleet: str,
    now: datetime,
    make: Callable[[], Ed25519PrivateKey] = Ed25519PrivateKey.generate,
) -> CoordinatorSeal:
    """The coordinator's key, made when there is none; with a certificate where the fleet has an authority.

    One that cannot be read is set aside, and another is made: what was signed with it holds, it has its certificate
    with it. Raises StoreError: it may not be read or written by whoever asks.
    """
    folder = data_dir / "seal"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        with alone(folder):
            key = _read_or_make(folder / "coordinator.key", make)
            return CoordinatorSeal(key, _certificate(data_dir, folder / "coordinator.pem", key, fleet, now))
    except OSError as error:
        raise StoreError(
            f"the coordinator's key in {folder} cannot be used ({error}): run this as the coordinator's own user"
        ) from error


def _read_or_make(path: Path, make: Callable[[], Ed25519PrivateKey]) -> Ed25519PrivateKey:
    try:
        held = serialization.load_pem_private_key(path.read_bytes(), None)
        if isinstance(held, Ed25519PrivateKey):
            return held
        why = "it is of another kind"
    except FileNotFoundError:
        why = ""
    except (ValueError, TypeError) as error:
        why = str(error)
    if why:
        os.replace(path, path.with_suffix(".damaged"))
        log.error("%s cannot be read (%s): it was set aside, and a new key is made", path, why)
    key = make()
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_private(path, key.private_bytes(*form))
    return key


def _certificate(data_dir: Path, path: Path, key: Ed25519PrivateKey, fleet: str, now: datetime) -> str:
    """Nothing for a fleet without an authority. The authority's own key is touched only when one must be made."""
    authority_path = data_dir / "authority" / "authority.pem"
    if not authority_path.exists():
        return ""
    try:
        authority, held = read_certificate(authority_path.read_bytes()), read_certificate(path.read_bytes())
        held.verify_directly_issued_by(authority)
        if held.public_key() == key.public_key():
            return pem_of(held).decode()
    except Exception:  # noqa: S110 - missing, damaged or another authority's: all end in a new one
        pass
    made = _certified(open_home(data_dir, fleet, now).authority, key, now)
    write_private(path, made)
    return made.decode()


def _certified(authority: Authority, key: Ed25519PrivateKey, now: datetime) -> bytes:
    return pem_of(sealing_certificate(authority, key.public_key(), now))
