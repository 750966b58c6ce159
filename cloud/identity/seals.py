"""Whether a seal's signature fits, and whether a certificate stands for the key that made it: a van's, or the
coordinator's.
"""

import warnings

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import NameOID

from cloud.identity.certificates import DOCUMENT_SIGNING, SEALER


class SealChecks:
    """The `Checks` that `cloud.proof.verify` asks for. Nothing in what it is given makes it raise."""

    def is_signed(self, public_key: str, signature: str, message: bytes) -> bool:
        """Ed25519; key and signature in hex."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(bytes.fromhex(signature), message)
        except (ValueError, InvalidSignature):
            return False
        return True

    def not_vouched(
        self, *, van: str, certificate_pem: str, authority_pem: str, message: bytes, vouched: str
    ) -> str | None:
        """Why the certificate does not stand for the message; None when it does, and the authority for it.

        A certificate's dates are not looked at: its 30 days are long over when somebody asks.
        """
        try:
            certificate, authority = _read(certificate_pem), _read(authority_pem)
            certificate.verify_directly_issued_by(authority)
            key = certificate.public_key()
            names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            if names != [van]:
                return f"the certificate is for {', '.join(names)}"
            if not isinstance(key, ec.EllipticCurvePublicKey):
                return "the certificate's key is of another kind"
            key.verify(bytes.fromhex(vouched), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return "a signature on the way from the authority to the key does not fit"
        except (ValueError, TypeError, UnsupportedAlgorithm):
            return "the certificate, or the authority's, cannot be read"
        return None

    def not_certified(self, *, public_key: str, certificate_pem: str, authority_pem: str) -> str | None:
        """Why the authority does not stand for the coordinator's key (Ed25519, hex); None when it does."""
        try:
            certificate, authority = _read(certificate_pem), _read(authority_pem)
            certificate.verify_directly_issued_by(authority)
            key = certificate.public_key()
            names = [str(name.value) for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
            uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            if names != [SEALER] or list(uses) != [DOCUMENT_SIGNING]:
                return "the certificate is for something else"
            if not isinstance(key, Ed25519PublicKey) or key.public_bytes_raw().hex() != public_key:
                return "the certificate is for another key"
        except InvalidSignature:
            return "the authority's signature under the certificate does not fit"
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound, x509.DuplicateExtension):
            return "the certificate, or the authority's, cannot be read"
        return None

    def fingerprint(self, authority_pem: str) -> str | None:
        """sha256 (hex) of the authority's certificate, to compare with the one that the carrier made known; None for
        what is no certificate.
        """
        try:
            return _read(authority_pem).fingerprint(hashes.SHA256()).hex()
        except ValueError:
            return None


def _read(pem: str) -> x509.Certificate:
    """Raises ValueError; for what the library only warns of, too: nobody we know makes such certificates."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        try:
            return x509.load_pem_x509_certificate(pem.encode())
        except (x509.InvalidVersion, CryptographyDeprecationWarning) as odd:
            raise ValueError(str(odd)) from odd
