"""Tokens to certificates and back out again, on the real register."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from cloud.errors import StoreError
from cloud.identity import office, register
from cloud.identity.certificates import (
    COORDINATOR,
    Authority,
    client_certificate,
    new_authority,
    new_key,
    read_certificate,
    revoked_list,
)
from cloud.identity.home import open_home
from cloud.identity.office import Refused
from cloud.identity.register import Register, open_register
from wire.enrolment import Enrolled
from wire.topics import NAME_PATTERN

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HERE = "10.0.0.7"


@dataclass
class Place:
    authority: Authority
    book: Register

    def token(self, van: str = "van-1", now: datetime = NOW) -> str:
        return office.make_token(self.authority, self.book, van, now)

    def enrol(self, token: str, csr: str, now: datetime = NOW) -> Enrolled | Refused:
        return office.enrol(self.authority, self.book, token, csr, address=HERE, now=now)

    def revoked(self) -> int:
        with self.book.transaction() as conn:
            return len(register.revoked(conn, NOW))

    def audit(self) -> list[tuple[str, str]]:
        with self.book.transaction() as conn:
            return conn.execute("SELECT who, did FROM audit ORDER BY entry").fetchall()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    book = open_register(tmp_path / "identity.db")
    yield Place(new_authority("town", NOW), book)
    book.close()


def csr(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, name: str = "van-1") -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def common_name(given: Enrolled | Refused) -> str:
    assert isinstance(given, Enrolled)
    (name,) = read_certificate(given.certificate_pem.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(name.value)


def der(given: Enrolled | Refused) -> bytes:
    assert isinstance(given, Enrolled)
    return read_certificate(given.certificate_pem.encode()).public_bytes(serialization.Encoding.DER)


def test_the_certificate_carries_the_tokens_name_whatever_the_request_says(place: Place) -> None:
    assert common_name(place.enrol(place.token("van-1"), csr(new_key(), name=COORDINATOR))) == "van-1"


def test_a_token_is_used_up_by_the_first_device_that_shows_it(place: Place) -> None:
    token, key = place.token(), new_key()
    assert isinstance(place.enrol(token, csr(key)), Enrolled)
    assert isinstance(place.enrol(token, csr(key)), Enrolled)  # its answer was lost
    assert isinstance(place.enrol(token, csr(new_key())), Refused)
    assert place.audit()[-1] == ("van-1", "enrolment refused")


def test_a_token_ends_after_fifteen_minutes_and_when_a_new_one_is_made(place: Place) -> None:
    old, new = place.token(), place.token()
    assert isinstance(place.enrol(old, csr(new_key())), Refused)
    assert isinstance(place.enrol(new, csr(new_key()), NOW + timedelta(minutes=15)), Refused)
    assert isinstance(place.enrol(new, csr(new_key()), NOW + timedelta(minutes=14)), Enrolled)


def test_a_guesser_learns_nothing_from_the_answer(place: Place) -> None:
    other = office.make_token(place.authority, place.book, "van-2", NOW).replace("van-2", "van-1", 1)
    unknown, expired = (
        place.token()[:-60] + "A" * 60,
        place.enrol(place.token(), csr(new_key()), NOW + timedelta(days=1)),
    )
    answers = {str(place.enrol(token, csr(new_key()))) for token in (other, unknown, "nonsense")}
    assert answers == {str(expired)}


@pytest.mark.parametrize("request_pem", ["", "nonsense", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n", "x" * 9000])
def test_a_request_that_is_none_is_refused_and_uses_nothing_up(place: Place, request_pem: str) -> None:
    token = place.token()
    assert isinstance(place.enrol(token, request_pem), Refused)
    assert isinstance(place.enrol(token, csr(new_key())), Enrolled)


def test_only_keys_on_p256_are_signed(place: Place) -> None:
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        refused = place.enrol(place.token(), csr(key))
        assert isinstance(refused, Refused)
        assert "P-256" in refused.why


def test_a_van_is_one_device_so_what_the_last_one_held_is_revoked(place: Place) -> None:
    key = new_key()
    place.enrol(place.token(), csr(key))
    place.enrol(place.token(), csr(key))
    assert place.revoked() == 0
    place.enrol(place.token(), csr(new_key()))
    assert place.revoked() == 2


def test_a_revoked_van_renews_nothing_until_it_is_enrolled_again(place: Place) -> None:
    key = new_key()
    held, open_token = der(place.enrol(place.token(), csr(key))), place.token()
    renewed = office.renew(place.authority, place.book, held, csr(key), address=HERE, now=NOW)
    assert common_name(renewed) == "van-1"

    assert office.revoke(place.book, "van-1", "ana", HERE, NOW) == 2

    for shown in (held, der(renewed)):
        refused = office.renew(place.authority, place.book, shown, csr(key), address=HERE, now=NOW)
        assert isinstance(refused, Refused)
    assert isinstance(place.enrol(open_token, csr(key)), Refused)
    assert isinstance(place.enrol(place.token(), csr(key)), Enrolled)


def test_the_revoked_are_listed_and_the_list_lives_a_month(place: Place) -> None:
    place.enrol(place.token(), csr(new_key()))
    office.revoke(place.book, "van-1", "ana", HERE, NOW)
    with place.book.transaction() as conn:
        text = revoked_list(place.authority, register.revoked(conn, NOW), NOW)
    listed = x509.load_pem_x509_crl(text)
    assert len(listed) == 1
    assert listed.next_update_utc == NOW + timedelta(days=30)


@pytest.mark.parametrize("name", ["+", "#", "a/b", "van-1\n", "", "Van", "a" * 33, "_coordinator2"])
def test_no_certificate_is_made_for_a_name_that_is_none(place: Place, name: str) -> None:
    with pytest.raises(ValueError, match="cannot be a van's name"):
        client_certificate(place.authority, name, new_key().public_key(), NOW)


def test_no_van_can_be_called_as_the_coordinator_is() -> None:
    assert not NAME_PATTERN.fullmatch(COORDINATOR)


def test_a_session_ends_with_its_time_with_signing_out_and_with_a_new_password(place: Place) -> None:
    assert office.set_password(place.book, "ana", "a long password", HERE, NOW) is None
    one, two = (office.begin_session(place.book, "ana", HERE, NOW) for _ in range(2))
    assert office.person_of(place.book, one, NOW) == "ana"
    assert office.person_of(place.book, one, NOW + timedelta(hours=12)) is None
    office.sign_out(place.book, one, HERE, NOW)
    assert office.person_of(place.book, one, NOW) is None
    office.set_password(place.book, "ana", "another password", HERE, NOW)
    assert office.person_of(place.book, two, NOW) is None


def test_an_authority_is_made_once_and_never_in_place_of_a_lost_one(tmp_path: Path) -> None:
    first = open_home(tmp_path, "town", NOW)
    assert open_home(tmp_path, "town", NOW).authority.fingerprint == first.authority.fingerprint
    (tmp_path / "authority" / "authority.key").unlink()
    with pytest.raises(StoreError, match="backup"):
        open_home(tmp_path, "town", NOW)


def test_the_server_certificate_is_made_anew_in_time_and_for_new_names(tmp_path: Path) -> None:
    home = open_home(tmp_path, "town", NOW)
    assert home.renew_own(["depot.example"], NOW)
    assert not home.renew_own(["depot.example"], NOW + timedelta(days=200))
    assert home.renew_own(["depot.example", "10.0.0.1"], NOW)
    assert home.renew_own(["depot.example", "10.0.0.1"], NOW + timedelta(days=250))
    (tmp_path / "authority" / "server.pem").write_text("damaged")
    assert home.renew_own([], NOW)
