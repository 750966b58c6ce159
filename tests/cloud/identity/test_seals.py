from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.identity.seals import SealChecks
from tests.cloud.proof.sealed import KEY, a_proof
from tests.cloud.said import EPOCH, VAN
from wire.seal import to_sign, to_vouch

CHECKS = SealChecks()
MESSAGE = to_vouch(VAN, EPOCH, KEY.public_key)


def why(**changes: str | bytes) -> str | None:
    proof, _ = a_proof()
    (key,) = proof.keys
    asked = {
        "van": VAN,
        "certificate_pem": key.certificate_pem,
        "authority_pem": proof.authority_pem,
        "message": MESSAGE,
        "vouched": key.vouched,
    }
    return CHECKS.not_vouched(**{**asked, **changes})  # type: ignore[arg-type]


def test_a_vans_certificate_stands_for_its_key() -> None:
    assert why() is None


def test_it_stands_for_no_other_van_key_or_epoch() -> None:
    assert why(van="van-2") == "the certificate is for van-1"
    assert why(message=to_vouch(VAN, "00000000000000bb", KEY.public_key)) is not None
    assert why(message=to_vouch(VAN, EPOCH, "00" * 32)) is not None


def test_a_certificate_of_another_authority_stands_for_nothing() -> None:
    assert why(authority_pem=a_proof()[0].keys[0].certificate_pem) is not None
    assert why(authority_pem="") == "the certificate, or the authority's, cannot be read"


@settings(max_examples=400, deadline=None)
@given(at=st.integers(0, 10_000), letter=st.sampled_from("AZaz09+/=\n-"), which=st.sampled_from(["own", "authority"]))
def test_a_certificate_with_any_letter_changed_is_answered_and_never_raises(at: int, letter: str, which: str) -> None:
    proof, _ = a_proof()
    pem = proof.keys[0].certificate_pem if which == "own" else proof.authority_pem
    at %= len(pem)
    spoiled = pem[:at] + letter + pem[at + 1 :]
    answer = why(certificate_pem=spoiled) if which == "own" else why(authority_pem=spoiled)
    assert answer is None or answer
    CHECKS.fingerprint(spoiled)


def test_nonsense_is_no_signature() -> None:
    message = to_sign("00" * 32)
    signature = KEY.sign(message).hex()
    assert CHECKS.is_signed(KEY.public_key, signature, message)
    for key, sign in ((KEY.public_key, "00" * 64), ("00" * 32, signature), ("zz", signature), (KEY.public_key, "")):
        assert not CHECKS.is_signed(key, sign, message)
