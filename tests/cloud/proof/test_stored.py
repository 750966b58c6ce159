"""A stop's proof as it is put together from what is stored."""

import hashlib
from pathlib import Path

import pytest

from cloud.proof.bundle import pack, unpack
from cloud.proof.model import Verdict
from cloud.store import proofs
from tests.cloud.proof.sealed import MORNING_SAID, heard, read, verdict_of
from tests.cloud.said import chunk_packet, chunks_of
from wire.events import ProofCaptured
from wire.manifest import EvidenceKind

ODD = b"no picture" * 5


def odd(stop_id: str = "s1") -> ProofCaptured:
    """Evidence of a kind that has no picture, and its bytes are there."""
    return ProofCaptured(
        stop_id=stop_id,
        evidence_kind=EvidenceKind.PIN,
        sha256=hashlib.sha256(ODD).hexdigest(),
        size_bytes=len(ODD),
        media_type="image/png",
    )


def test_evidence_that_can_be_no_picture_is_left_out_and_spoils_nothing(tmp_path: Path) -> None:
    packets = [chunk_packet(*chunk) for chunk in chunks_of(ODD)]
    database = heard(tmp_path, odd(), *MORNING_SAID, packets=packets)
    assert [item.kind for item in read(database)[0].items] == ["photo", "signature"]
    assert verdict_of(database) == (Verdict.VERIFIED, [])


def test_of_more_pictures_than_a_bundle_holds_the_rest_stays_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "MOST_FILES", 1)
    database = heard(tmp_path, *MORNING_SAID)
    proof, evidence = read(database)
    database.close()
    assert [item.file for item in proof.items] == ["evidence/1-photo.jpg", None]
    assert unpack(pack(proof, evidence)).troubles == ()
