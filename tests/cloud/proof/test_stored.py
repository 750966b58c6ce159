"""A stop's proof as it is put together from what is stored."""

import hashlib
from itertools import batched
from pathlib import Path
from typing import Any

import pytest

from cloud.proof.bundle import pack, unpack
from cloud.proof.model import Verdict
from cloud.proof.sheet import sheet_of
from cloud.store import proofs
from tests.builders import MORNING, a_manifest
from tests.cloud.proof.sealed import (
    MORNING_SAID,
    STOPS,
    a_coordinator,
    announcement,
    chain,
    closed,
    events,
    evidence_packets,
    heard,
    looked_at,
    read,
    taken,
    tell,
    verdict_of,
)
from tests.cloud.said import arrived, chunk_packet, chunks_of, completed
from wire.codec import content_hash
from wire.envelope import MAX_RECORDS
from wire.events import FailReason, ProofCaptured, StopDeparted, StopFailed
from wire.handover import NextStep
from wire.manifest import EvidenceKind

WORDED_ANEW = STOPS[0].model_copy(update={"items": ("two boxes",)})
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


def failed(listed: str, **changes: Any) -> StopFailed:
    return StopFailed(stop_id="s1", reason=FailReason.NOT_HOME, listed=listed, **changes)


@pytest.mark.parametrize("next_step", [NextStep.LATER_TODAY, NextStep.DEPOT])
def test_a_stop_that_was_worded_anew_between_two_closings_is_as_the_last_of_them_saw_it(
    tmp_path: Path, next_step: NextStep
) -> None:
    anew = a_manifest([WORDED_ANEW, STOPS[1]], version=2)
    first = ("stop.failed", failed(content_hash(STOPS[0]), next_step=next_step))
    last = completed("s1", listed=content_hash(WORDED_ANEW))
    database = heard(tmp_path, first, last, versions={3: 2}, lists=[anew])
    assert verdict_of(database) == (Verdict.VERIFIED, [])


def test_a_stop_delivered_after_the_list_lost_it_is_as_it_was_on_the_list_before(tmp_path: Path) -> None:
    without = a_manifest([STOPS[1]], version=2)
    closing = completed("s1", listed=content_hash(STOPS[0]))
    database = heard(tmp_path, arrived("s1"), closing, versions={3: 2}, lists=[without])
    assert verdict_of(database) == (Verdict.VERIFIED, [])


def test_another_address_than_on_any_list_is_still_named(tmp_path: Path) -> None:
    database = heard(tmp_path, arrived("s1"), completed("s1", listed=content_hash(WORDED_ANEW)))
    assert verdict_of(database)[0] is Verdict.ALTERED


def test_a_chain_too_long_to_be_shown_whole_is_not_called_altered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "MOST_BETWEEN", 3)
    said = (taken("s1", EvidenceKind.PHOTO), *[arrived("s2")] * 4, taken("s1", EvidenceKind.SIGNATURE), closed("s1"))
    database = heard(tmp_path, *said)
    assert verdict_of(database) == (Verdict.VERIFIED, [])


def test_a_stop_that_a_van_comes_back_to_after_weeks_is_shown_with_its_whole_chain(tmp_path: Path) -> None:
    between = 3_500
    database = a_coordinator(tmp_path)
    tell(database, events([announcement()[0]], 1), *evidence_packets("s1"))
    records = chain((*MORNING_SAID[:-2], *[arrived("s2")] * between, *MORNING_SAID[-2:]))
    for first, part in enumerate(batched(records, MAX_RECORDS)):
        tell(database, events(list(part), 2 + first * MAX_RECORDS))
    proof, _ = read(database)
    assert verdict_of(database) == (Verdict.VERIFIED, [])
    (strand,) = proof.strands
    assert (len(strand.entries), strand.is_cut) == (5, False)
    assert len(proof.model_dump_json()) < 70 * between


def test_a_short_chain_without_its_front_is_named_whatever_it_says_of_itself(tmp_path: Path) -> None:
    database = heard(tmp_path, *MORNING_SAID)
    proof, evidence = read(database)
    database.close()
    (strand,) = proof.strands
    cut = strand.model_copy(update={"is_cut": True, "entries": strand.entries[1:]})
    assert looked_at(proof.model_copy(update={"strands": (cut,)}), evidence).verdict is Verdict.ALTERED


def test_a_proof_stays_verified_when_the_van_drives_off(tmp_path: Path) -> None:
    gone = StopDeparted(stop_id="s1", arrived_at=MORNING, departed_at=MORNING, stood_s=60, is_closed=True)
    database = heard(tmp_path, *MORNING_SAID, ("stop.departed", gone))
    assert verdict_of(database) == (Verdict.VERIFIED, [])


def test_an_attempt_after_which_the_van_comes_again_closes_nothing(tmp_path: Path) -> None:
    again = failed(content_hash(STOPS[0]), next_step=NextStep.LATER_TODAY)
    database = heard(tmp_path, arrived("s1"), ("stop.failed", again))
    assert sheet_of(read(database)[0], looked_at(*read(database))).outcome == "Not closed yet"
    assert verdict_of(database) == (Verdict.NOT_SEALED, ["Nothing here closes the stop."])
