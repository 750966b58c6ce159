"""Keys and salts for tests: the same ones each time."""

import hashlib
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.identity.sealkey import SealKey
from agent.store.chain import Sealing
from cloud.identity.sealing import CoordinatorSeal


def a_key(name: str = "key") -> SealKey:
    return SealKey(Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest()))


def a_stater(certificate_pem: str = "") -> CoordinatorSeal:
    """The coordinator's key."""
    return CoordinatorSeal(a_key("coordinator").key, certificate_pem)


def sealing_key(van: str, epoch: str) -> SealKey:
    """The key that `a_sealing` has for an epoch."""
    return a_key(f"{van} {epoch}")


def a_sealing(van: str = "van-1", seed: int = 0) -> Sealing:
    return Sealing(van, lambda epoch: sealing_key(van, epoch), Random(seed).randbytes)
