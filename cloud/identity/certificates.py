"""What the fleet's authority signs: itself, servers, clients, and the list of what is revoked. Pure: keys, names and
`now` in, certificates out. The only file of the coordinator that knows `cryptography`.

Keys are EC P-256, but the one that signs documents. Every certificate begins an hour early, so that a clock a little
behind does not refuse it.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=365)
VAN_LIFE = timedelta(days=30)
"""Short: a certificate that was never revoked ends by itself. The van renews at two thirds."""
REVOKED_LIST_LIFE = timedelta(days=30)
"""Made anew every day: an expired list would lock out the whole fleet at once."""
EARLY = timedelta(hours=1)

COORDINATOR = "_coordinator"
"""The coordinator's own name at the broker. No van can be called so: a van's name has no underscore."""

SEALER = "_seal"
"""The name of the key that signs what the coordinator holds. It is nobody's at the broker, and no van's."""
DOCUMENT_SIGNING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")
"""RFC 9336. Whoever asks TLS for a client's or a server's certificate is not shown this one."""

MAX_CSR_BYTES = 8_192
_CLIENT_NAME = re.compile(r"^(_coordinator|[a-z0-9][a-z0-9-]{0,31})$")


class CsrError(ValueError):
    """A certificate was asked for in a way we do not sign; the text says why."""


@dataclass(frozen=True)
class Authority:
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        return pem_of(self.certificate)

    @property
    def fingerprint(self) -> bytes:
        """sha256 of the certificate; the token carries it."""
        return hashlib.sha256(self.certificate.public_bytes(serialization.Encoding.DER)).digest()


def new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    """Raises ValueError for anything but an unencrypted EC key."""
    key = serialization.load_pem_private_key(pem, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ValueError("this is no EC key")
    return key


def pem_of(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def serial_of(certificate: x509.Certificate) -> str:
    """As it is stored and compared: hexadecimal."""
    return format(certificate.serial_number, "x")


def key_sha256(key: ec.EllipticCurvePublicKey) -> str:
    """Which device: its key, whatever certificate it has at the time."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def new_authority(fleet: str, now: datetime) -> Authority:
    """A root of its own, that signs nothing but leaves and revocations."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Roundsman authority of {fleet}")])
    builder = _begun(name, name, key.public_key(), now, AUTHORITY_LIFE)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate, key)


def server_certificate(
    authority: Authority, key: ec.EllipticCurvePublicKey, names: Sequence[str], now: datetime
) -> x509.Certificate:
    """For broker and console. `names` are host names and IP addresses, as vans and browsers will write them."""
    alternatives = [_alternative(name) for name in dict.fromkeys(names)]
    return _leaf(
        authority, names[0], key, now, life=SERVER_LIFE, use=ExtendedKeyUsageOID.SERVER_AUTH, alternatives=alternatives
    )


def client_certificate(
    authority: Authority, name: str, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta = VAN_LIFE
) -> x509.Certificate:
    """For a van or the coordinator itself; the broker takes the name as user and client id."""
    if not _CLIENT_NAME.fullmatch(name):
        raise ValueError(f"{name!r} cannot be a van's name")
    return _leaf(authority, name, key, now, life=life, use=ExtendedKeyUsageOID.CLIENT_AUTH)


def sealing_certificate(authority: Authority, key: Ed25519PublicKey, now: datetime) -> x509.Certificate:
    """For the key by which the coordinator signs what it holds of a stop; ends with the authority."""
    life = authority.certificate.not_valid_after_utc - now
    return _leaf(authority, SEALER, key, now, life=life, use=DOCUMENT_SIGNING)


def revoked_list(authority: Authority, revoked: Iterable[tuple[str, datetime]], now: datetime) -> bytes:
    """The list as PEM: (serial, since when), whatever their order."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now - EARLY)
        .next_update(now + REVOKED_LIST_LIFE)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
    )
    for serial, since in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16)).revocation_date(since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(authority.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def csr_key(csr_pem: str) -> ec.EllipticCurvePublicKey:
    """The key a certificate is wanted for. The name in the request is not even looked at. Raises CsrError."""
    if len(csr_pem) > MAX_CSR_BYTES:
        raise CsrError(f"a request for a certificate has {MAX_CSR_BYTES} bytes at most")
    try:
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        is_proven = csr.is_signature_valid
        key = csr.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CsrError(f"this is no request for a certificate: {error}") from None
    if not is_proven:
        raise CsrError("the request is not signed by the key it names")
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise CsrError("only keys on the curve P-256 are signed")
    return key


def read_certificate(pem: bytes) -> x509.Certificate:
    """Raises ValueError."""
    return x509.load_pem_x509_certificate(pem)


def name_and_serial(der: bytes) -> tuple[str, str]:
    """Whose certificate it is, and its number; of one that TLS has verified already."""
    certificate = x509.load_der_x509_certificate(der)
    (name,) = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value), serial_of(certificate)


def server_names(certificate: x509.Certificate) -> frozenset[str]:
    """The names and addresses a server certificate is good for."""
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return frozenset(str(entry.value) for entry in found)


def _leaf(
    authority: Authority,
    common_name: str,
    key: ec.EllipticCurvePublicKey | Ed25519PublicKey,
    now: datetime,
    *,
    life: timedelta,
    use: x509.ObjectIdentifier,
    alternatives: Collection[x509.GeneralName] = (),
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        _begun(name, authority.certificate.subject, key, now, life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def _begun(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey | Ed25519PublicKey,
    now: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
