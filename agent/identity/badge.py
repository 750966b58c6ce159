"""The van's identity on disk, `data_dir/identity`, readable by its owner alone. The only file of the van that knows
`cryptography`.

    device.key     made once, never leaves this machine
    badge.pem      our certificate, then the authority's; one file, so that the two always belong together
    coordinator    the address where the certificate is renewed
    time-floor     a moment that has passed (`agent/identity/floor.py`)
"""

import hashlib
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.errors import EnrolmentError
from agent.identity.floor import Life
from wire.enrolment import Enrolled

_WRITING = threading.Lock()
"""The link's thread and the renewal both raise the clock floor."""


@dataclass(frozen=True)
class Held:
    """What is in `badge.pem`."""

    own: Life
    authority: Life
    authority_pem: str
    own_pem: str


class Badge:
    """`data_dir/identity`; nothing is read or made before it is asked for."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / "identity"

    @property
    def path(self) -> Path:
        return self._folder / "badge.pem"

    @property
    def key_path(self) -> Path:
        return self._folder / "device.key"

    def held(self) -> Held:
        """Raises EnrolmentError, with what to do, when this van has no certificate."""
        try:
            own, authority = x509.load_pem_x509_certificates(self.path.read_bytes())
        except FileNotFoundError:
            raise EnrolmentError(
                "this van is not enrolled: `python -m cloud enrol CLOUD.toml VAN` at the coordinator prints a token, "
                "`python -m agent enrol VAN.toml TOKEN URL` uses it here"
            ) from None
        except (OSError, ValueError) as error:
            raise EnrolmentError(f"{self.path} cannot be read ({error}): enrol this van again") from error
        return Held(_life(own), _life(authority), _pem(authority), _pem(own))

    def vouch(self, message: bytes) -> tuple[str, str]:
        """Our certificate (PEM), and its key's word for a message: ECDSA with SHA-256, DER in hex. Raises
        EnrolmentError when this van has none.
        """
        own_pem = self.held().own_pem
        return own_pem, self._key().sign(message, ec.ECDSA(hashes.SHA256())).hex()

    def csr_pem(self, van: str) -> str:
        """Asks for a certificate for the device's key, which is made now if there is none."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, van)])
        csr = x509.CertificateSigningRequestBuilder().subject_name(name).sign(self._key(), hashes.SHA256())
        return csr.public_bytes(serialization.Encoding.PEM).decode()

    def keep(self, given: Enrolled, van: str, fingerprint: bytes | None = None) -> None:
        """Keeps a new certificate, after making sure it is ours. Raises EnrolmentError and keeps the old one."""
        try:
            own = x509.load_pem_x509_certificate(given.certificate_pem.encode())
            authority = x509.load_pem_x509_certificate(given.authority_pem.encode())
            own.verify_directly_issued_by(authority)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise EnrolmentError(f"what the coordinator sent is no certificate of its authority: {error}") from error
        names = [str(name.value) for name in own.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        if names != [van] or own.public_key() != self._key().public_key():
            raise EnrolmentError(f"the coordinator sent a certificate for {', '.join(names)} and not for this {van}")
        if fingerprint is not None and fingerprint_of(_pem(authority)) != fingerprint:
            raise EnrolmentError("the coordinator sent a certificate of another authority than the token names")
        write_private(self.path, (_pem(own) + _pem(authority)).encode())

    @property
    def coordinator_url(self) -> str | None:
        try:
            return (self._folder / "coordinator").read_text().strip() or None
        except FileNotFoundError:
            return None

    @coordinator_url.setter
    def coordinator_url(self, url: str) -> None:
        write_private(self._folder / "coordinator", f"{url}\n".encode())

    @property
    def kept_floor(self) -> datetime | None:
        """None when there is none, or none that can be read: the floor is then lower, and nothing worse."""
        try:
            kept = datetime.fromisoformat((self._folder / "time-floor").read_text().strip())
        except (OSError, ValueError):
            return None
        return kept if kept.tzinfo is not None else None

    @kept_floor.setter
    def kept_floor(self, floor_at: datetime) -> None:
        write_private(self._folder / "time-floor", f"{floor_at.isoformat()}\n".encode())

    def _key(self) -> ec.EllipticCurvePrivateKey:
        if not self.key_path.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            write_private(self.key_path, made.private_bytes(*form))
        try:
            key = serialization.load_pem_private_key(self.key_path.read_bytes(), None)
        except (OSError, ValueError, TypeError) as error:
            raise EnrolmentError(
                f"{self.key_path} cannot be read ({error}): remove it and enrol this van again"
            ) from error
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key


def life_of(certificate_der: bytes) -> Life:
    """Raises ValueError for bytes that are no certificate."""
    return _life(x509.load_der_x509_certificate(certificate_der))


def fingerprint_of(authority_pem: str) -> bytes:
    """sha256 of the certificate, as in the token. Raises ValueError for text that is no certificate."""
    certificate = x509.load_pem_x509_certificate(authority_pem.encode())
    return hashlib.sha256(certificate.public_bytes(serialization.Encoding.DER)).digest()


def write_private(path: Path, data: bytes) -> None:
    """The whole file or the old one, on disk, for its owner's eyes only. Usable from any thread."""
    with _WRITING:
        _write_private(path, data)


def _write_private(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
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


def _life(certificate: x509.Certificate) -> Life:
    return Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
