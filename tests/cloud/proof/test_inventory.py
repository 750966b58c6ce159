"""A bundle from which something was left out, wherever: the coordinator's word on what it had gives it away."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cloud.identity.certificates import client_certificate, new_authority, new_key, pem_of
from cloud.proof.bundle import pack, unpack
from cloud.proof.inventory import stated
from cloud.proof.model import Proof, Strand, Verdict, Verification
from cloud.proving import run_verify
from tests.builders import MORNING
from tests.cloud.proof.sealed import (
    MORNING_SAID,
    a_stater,
    chain,
    closed,
    events,
    heard,
    looked_at,
    read,
    tell,
    the_authority,
)
from tests.cloud.said import FLEET, arrived
from tests.sealing import a_key
from tests.sealing import a_stater as a_bare_stater
from wire.events import Outcome, StopAmended, StopDeparted

AGAIN = (
    ("stop.reopened", arrived("s1")),
    closed("s1"),
    ("stop.departed", StopDeparted(stop_id="s1", arrived_at=MORNING, departed_at=MORNING, stood_s=60, is_closed=True)),
    arrived("s2"),
    ("stop.amended", StopAmended(stop_id="s1", outcome=Outcome.TO_NEIGHBOUR, received_by="Rui", note="")),
)
"""After its first closing, record 9, the stop was opened again, closed, left, and corrected: 10, 11, 12 and 14."""
FIRST_CLOSING = 9


def _made() -> tuple[Proof, dict[str, bytes]]:
    with TemporaryDirectory() as folder:
        database = heard(Path(folder), *MORNING_SAID, *AGAIN)
        try:
            return read(database)
        finally:
            database.close()


PROOF, EVIDENCE = _made()
(STRAND,) = PROOF.strands


def looked(proof: Proof) -> Verification:
    return looked_at(proof, EVIDENCE)


def said(proof: Proof) -> list[str]:
    return [one.text for one in looked(proof).findings]


def with_strand(**changes: Any) -> Proof:
    return PROOF.model_copy(update={"strands": (STRAND.model_copy(update=changes),)})


def up_to(seq: int) -> Proof:
    return with_strand(entries=tuple(entry for entry in STRAND.entries if entry.seq <= seq))


def as_of_the_first_version(proof: Proof) -> Proof:
    """As somebody makes it who wants nobody to miss anything."""
    return proof.model_copy(update={"schema_": 1, "inventory": None})


def test_a_stop_that_was_closed_opened_and_closed_again_is_verified_and_whole() -> None:
    found = looked(PROOF)
    assert (found.verdict, found.findings, found.is_complete) == (Verdict.VERIFIED, (), True)


def test_what_came_after_an_earlier_closing_cannot_be_left_out() -> None:
    cut = up_to(FIRST_CLOSING)
    found = looked(cut)
    assert found.sealed is not None  # the van's signature over the first closing holds
    assert said(cut) == ["4 records after record 9 of van-1 were left out: 10, 11, 12, 14."]


def test_the_last_word_cannot_be_left_out() -> None:
    assert said(up_to(12)) == ["1 record after record 12 of van-1 was left out: 14."]


def test_a_chain_cannot_be_left_out() -> None:
    assert said(PROOF.model_copy(update={"strands": ()}))[0].startswith("8 records of van-1 were left out: all of its")


COUNT = len(STRAND.entries)
PLACES = st.one_of(
    st.sets(st.integers(0, COUNT - 1), min_size=1),
    st.integers(0, COUNT - 1).map(lambda first: set(range(first, COUNT))),
)
"""Any of the records; and the end from any of them on, for that is what hides best."""


@given(gone=PLACES)
@settings(max_examples=400, deadline=None)
def test_whatever_was_dropped_is_named(gone: set[int]) -> None:
    entries = tuple(entry for place, entry in enumerate(STRAND.entries) if place not in gone)
    found = looked(with_strand(entries=entries))
    assert found.verdict is not Verdict.VERIFIED
    assert found.findings


@given(gone=PLACES, also=st.sampled_from(["", "received_to", "is_cut", "no inventory", "an older bundle"]))
@settings(max_examples=400, deadline=None)
def test_whatever_was_dropped_is_named_though_the_bundle_says_otherwise(gone: set[int], also: str) -> None:
    entries = tuple(entry for place, entry in enumerate(STRAND.entries) if place not in gone)
    assume(entries)
    forged = with_strand(entries=entries)
    match also:
        case "received_to":
            forged = with_strand(entries=entries, received_to=entries[-1].seq)
        case "is_cut":
            forged = with_strand(entries=entries, is_cut=True)
        case "no inventory":
            forged = forged.model_copy(update={"inventory": None})
        case "an older bundle":
            forged = as_of_the_first_version(forged)
    found = looked(unpack(pack(forged, EVIDENCE)).proof or forged)
    assert found.verdict is not Verdict.VERIFIED
    assert found.findings


def test_a_bundle_cannot_be_made_to_look_older_than_what_is_in_it() -> None:
    found = looked(as_of_the_first_version(PROOF))
    assert found.verdict is Verdict.WAITING
    assert said(as_of_the_first_version(PROOF)) == [
        "The van says that the coordinator signs what it has, and nothing here is."
    ]


def test_an_older_bundle_is_read_with_a_note(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wire.seal.BUNDLE", 1)
    database = heard(tmp_path, *MORNING_SAID)
    proof, evidence = read(database)
    database.close()
    older = unpack(pack(as_of_the_first_version(proof), evidence)).proof
    assert older is not None
    found = looked_at(older, evidence)
    assert (found.verdict, found.is_complete) == (Verdict.VERIFIED, False)
    assert "may have been left out" in " ".join(found.notes)


@pytest.mark.parametrize(
    "changes",
    [
        {"made_at": MORNING + timedelta(days=9)},
        {"timezone": "Asia/Tokyo"},
        {"stop_id": "s9"},
        {"fleet": "other"},
    ],
)
def test_what_the_coordinator_signed_is_about_this_stop_and_this_moment(changes: dict[str, Any]) -> None:
    assert any("coordinator's signature" in one for one in said(PROOF.model_copy(update=changes)))


def test_when_a_record_was_received_is_signed() -> None:
    entries = list(STRAND.entries)
    entries[0] = entries[0].model_copy(update={"received_at": MORNING})
    assert said(with_strand(entries=tuple(entries))) == ["Record 2 of van-1 was received at another time."]


def test_a_record_that_was_put_in_is_named() -> None:
    inventory = PROOF.inventory
    assert inventory is not None
    (held,) = inventory.chains
    less = inventory.model_copy(
        update={"chains": (held.model_copy(update={"records": held.records[:-1]}),)},
    )
    assert "Record 14 of van-1 was put in: the coordinator did not have it." in said(
        PROOF.model_copy(update={"inventory": less})
    )


def test_another_record_in_the_last_ones_place_is_named() -> None:
    """Sealed by the van's own key, as its copied store might: and it is not the one that was received."""
    other = chain((*MORNING_SAID, *AGAIN[:-1], closed("s1")))[-1]
    entries = (*STRAND.entries[:-1], STRAND.entries[-1].model_copy(update={"record": other}))
    assert "Record 14 of van-1 is not the one that the coordinator had." in said(with_strand(entries=entries))


def test_an_inventory_of_anybodys_own_making_is_refused() -> None:
    cut = up_to(FIRST_CLOSING)
    bare = stated(cut, a_bare_stater())
    assert said(bare) == [
        "A certificate stands for the van's key, and none for the coordinator's: somebody else signed."
    ]
    theirs = a_bare_stater(a_stater().certificate_pem)
    assert said(stated(cut, type(theirs)(a_key("thief").key, theirs.certificate_pem))) == [
        "The coordinator's key is not what its certificate stands for: the certificate is for another key."
    ]


def test_a_van_cannot_speak_for_the_coordinator() -> None:
    device = new_key()
    pem = pem_of(client_certificate(the_authority(), "van-1", device.public_key(), MORNING)).decode()
    assert said(stated(up_to(FIRST_CLOSING), a_bare_stater(pem))) == [
        "The coordinator's key is not what its certificate stands for: the certificate is for something else."
    ]


def test_another_fleets_authority_does_not_stand_for_it() -> None:
    pem = pem_of(new_authority(FLEET, MORNING).certificate).decode()
    assert looked(stated(PROOF, a_bare_stater(pem))).verdict is Verdict.ALTERED


def test_without_certificates_it_is_verified_with_a_note(tmp_path: Path) -> None:
    bare = PROOF.model_copy(
        update={
            "authority_pem": "",
            "keys": tuple(key.model_copy(update={"certificate_pem": "", "vouched": ""}) for key in PROOF.keys),
        }
    )
    found = looked(stated(bare, a_bare_stater()))
    assert (found.verdict, found.is_complete) == (Verdict.VERIFIED, False)
    assert "No certificate stands for the coordinator's key." in found.notes


def test_the_same_stored_records_give_the_same_bytes_until_something_is_heard(tmp_path: Path) -> None:
    database = heard(tmp_path, *MORNING_SAID)
    first, again = pack(*read(database)), pack(*read(database))
    assert first == again
    more = chain((*MORNING_SAID, arrived("s2")))[-1]
    tell(database, events([more], 10), at=MORNING + timedelta(hours=9))
    later, _ = read(database)
    database.close()
    assert later.made_at == MORNING + timedelta(hours=9)
    assert later.inventory is not None
    assert later.inventory.chains[0].received_to == 10


def test_verify_says_of_which_moment_it_speaks(tmp_path: Path) -> None:
    file = tmp_path / "a.proof.zip"
    file.write_bytes(pack(PROOF, EVIDENCE))
    lines: list[str] = []
    assert run_verify(file, None, lines.append) == 0
    assert "all that the coordinator had of it on 2026-11-23 10:00:00 UTC" in lines


def test_an_authority_that_is_asked_for_stands_for_the_coordinator_too(tmp_path: Path) -> None:
    file = tmp_path / "a.proof.zip"
    keys = tuple(key.model_copy(update={"certificate_pem": "", "vouched": ""}) for key in PROOF.keys)
    file.write_bytes(pack(stated(PROOF.model_copy(update={"keys": keys}), a_bare_stater()), EVIDENCE))
    fingerprint = the_authority().fingerprint.hex()
    lines: list[str] = []
    assert run_verify(file, None, lines.append) == 0
    assert run_verify(file, fingerprint, lines.append) == 1


def test_a_strand_that_stands_there_twice_is_named() -> None:
    short: Strand = STRAND.model_copy(update={"entries": STRAND.entries[:8]})
    twice = PROOF.model_copy(update={"strands": (short, STRAND)})
    assert any("stands there twice" in one for one in said(twice))
