"""The key by which the coordinator signs what it holds."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cloud.errors import StoreError
from cloud.identity import sealing
from cloud.identity.home import open_home
from cloud.identity.sealing import CoordinatorSeal, open_seal
from cloud.identity.seals import SealChecks
from tests.builders import MORNING

FLEET = "town"


def opened(folder: Path, days: int = 0) -> CoordinatorSeal:
    return open_seal(folder, FLEET, MORNING + timedelta(days=days))


def why_not(seal: CoordinatorSeal, folder: Path) -> str | None:
    authority_pem = (folder / "authority" / "authority.pem").read_text()
    return SealChecks().not_certified(
        public_key=seal.public_key, certificate_pem=seal.certificate_pem, authority_pem=authority_pem
    )


def test_it_is_made_once_and_is_for_its_owners_eyes_only(tmp_path: Path) -> None:
    first, again = opened(tmp_path), opened(tmp_path, days=400)
    assert (first.public_key, first.certificate_pem) == (again.public_key, "")
    assert (tmp_path / "seal" / "coordinator.key").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "authority").exists()


def test_a_fleet_with_an_authority_certifies_it_once(tmp_path: Path) -> None:
    before = opened(tmp_path)
    open_home(tmp_path, FLEET, MORNING)
    first, again = opened(tmp_path), opened(tmp_path, days=400)
    assert before.public_key == first.public_key
    assert first.certificate_pem == again.certificate_pem
    assert why_not(first, tmp_path) is None


def test_a_certificate_once_made_needs_the_authoritys_key_no_more(tmp_path: Path) -> None:
    open_home(tmp_path, FLEET, MORNING)
    first = opened(tmp_path)
    (tmp_path / "authority" / "authority.key").unlink()
    again = opened(tmp_path)
    assert (again.public_key, again.certificate_pem) == (first.public_key, first.certificate_pem)


def test_another_authority_certifies_it_anew(tmp_path: Path) -> None:
    open_home(tmp_path, FLEET, MORNING)
    first = opened(tmp_path)
    (tmp_path / "authority").rename(tmp_path / "old")
    open_home(tmp_path, FLEET, MORNING)
    assert why_not(first, tmp_path) is not None
    assert why_not(opened(tmp_path), tmp_path) is None


def test_a_damaged_key_is_set_aside_and_another_is_made(tmp_path: Path) -> None:
    open_home(tmp_path, FLEET, MORNING)
    first = opened(tmp_path)
    (tmp_path / "seal" / "coordinator.key").write_bytes(b"nothing")
    second = opened(tmp_path)
    assert first.public_key != second.public_key
    assert why_not(second, tmp_path) is None
    assert (tmp_path / "seal" / "coordinator.damaged").exists()


def test_its_certificate_opens_no_door(tmp_path: Path) -> None:
    """As a client of the broker its name would be a user's."""
    open_home(tmp_path, FLEET, MORNING)
    certificate = x509.load_pem_x509_certificate(opened(tmp_path).certificate_pem.encode())
    uses = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert not {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH} & set(uses)
    assert certificate.subject.rfc4514_string() == "CN=_seal"


def test_it_says_so_when_the_key_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(sealing, "write_private", refused)
    with pytest.raises(StoreError, match="own user"):
        opened(tmp_path)
