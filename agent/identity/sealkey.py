"""The keys by which the van seals what it says: Ed25519, one for each epoch of its store, `data_dir/identity/seal`.

A key is made when its epoch first says something, is readable by its owner alone and never leaves this machine. Which
one is the van's is said in the chain itself, with a word of the certificate's key for it (`Badge.vouch`).
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.identity.badge import write_private

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SealKey:
    """A `wire.seal.Signer`."""

    key: Ed25519PrivateKey

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    def sign(self, message: bytes) -> bytes:
        return self.key.sign(message)


class SealKeys:
    """`data_dir/identity/seal`; nothing is made before it is asked for."""

    def __init__(self, data_dir: Path, make: Callable[[], Ed25519PrivateKey] = Ed25519PrivateKey.generate) -> None:
        self._folder = data_dir / "identity" / "seal"
        self._make = make
        self._held: dict[str, SealKey] = {}
        self._lock = threading.Lock()

    def of_epoch(self, epoch: str) -> SealKey:
        """The epoch's key, made now if there is none. Usable from any thread. Raises OSError.

        One that cannot be read is set aside: the van goes on with another, and says so like any new key.
        """
        with self._lock:
            if epoch not in self._held:
                self._held[epoch] = self._read_or_make(epoch)
            return self._held[epoch]

    def _read_or_make(self, epoch: str) -> SealKey:
        path = self._folder / f"{epoch}.key"
        try:
            return SealKey(_read(path.read_bytes()))
        except FileNotFoundError:
            pass
        except ValueError as error:
            path.replace(path.with_suffix(".damaged"))
            log.error("%s cannot be read (%s): it was set aside, and a new key is made", path, error)
        key = self._make()
        form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        write_private(path, key.private_bytes(*form))
        return SealKey(key)


def _read(pem: bytes) -> Ed25519PrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, None)
    except TypeError as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("this is no Ed25519 key")
    return key
