import subprocess
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cloud.proof.bundle import NoBundleError, pack, unpack
from cloud.proof.model import Entry, Proof, Verdict
from cloud.proving import run_verify
from tests.cloud.proof.sealed import a_proof, looked_at

BUNDLE = pack(*a_proof())


def said_of(data: bytes, folder: Path, authority: str | None = None) -> tuple[int, list[str]]:
    file = folder / "a.proof.zip"
    file.write_bytes(data)
    lines: list[str] = []
    return run_verify(file, authority, lines.append), lines


def packed(proof: Proof) -> bytes:
    return pack(proof, a_proof()[1])


def test_the_same_proof_is_the_same_file_and_reads_back() -> None:
    proof, evidence = a_proof()
    opened = unpack(BUNDLE)
    assert (opened.proof, opened.troubles) == (proof, ())
    assert pack(proof, evidence) == BUNDLE
    assert {name: opened.files[name] for name in evidence} == evidence


def test_any_zip_tool_opens_it_and_sha256sum_reads_its_sums(tmp_path: Path) -> None:
    with zipfile.ZipFile(BytesIO(BUNDLE)) as file:
        assert file.testzip() is None
        file.extractall(tmp_path)
    assert subprocess.run(["sha256sum", "-c", "SUM"], cwd=tmp_path, check=False, capture_output=True).returncode == 0


def test_one_that_nobody_touched_is_verified(tmp_path: Path) -> None:
    status, lines = said_of(BUNDLE, tmp_path)
    assert (status, lines[-1]) == (0, "verified")


def test_it_is_verified_against_the_authority_that_the_carrier_made_known(tmp_path: Path) -> None:
    _, lines = said_of(BUNDLE, tmp_path)
    fingerprint = next(line for line in lines if "authority" in line).split()[-1]
    assert said_of(BUNDLE, tmp_path, fingerprint)[0] == 0
    assert said_of(BUNDLE, tmp_path, "00" * 32)[0] == 1


@settings(max_examples=1000, deadline=None)
@given(at=st.integers(0, len(BUNDLE) - 1), bits=st.integers(1, 255))
@example(at=103, bits=2)  # a certificate of a version that there is not
def test_any_byte_that_was_changed_is_named(tmp_path_factory: pytest.TempPathFactory, at: int, bits: int) -> None:
    changed = bytearray(BUNDLE)
    changed[at] ^= bits
    status, lines = said_of(bytes(changed), tmp_path_factory.getbasetemp())
    assert (status, lines[-1]) == (1, "not verified")
    assert len(lines) > 1
    file = _file_at(at)
    if file is not None and file != "SUM":
        assert any(file in line for line in lines)


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(BUNDLE)), extra=st.binary(min_size=1, max_size=40))
def test_bytes_put_in_or_cut_off_are_noticed(tmp_path_factory: pytest.TempPathFactory, at: int, extra: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for data in (BUNDLE[:at] + extra + BUNDLE[at:], BUNDLE[:at]):
        status, lines = said_of(data, folder)
        assert status == (1 if data != BUNDLE else 0) or (status == 2 and not data.startswith(b"PK\x03\x04"))
        assert len(lines) > 0


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_bundle_made_anew_without_a_record_or_with_two_exchanged_does_not_hold(data: st.DataObject) -> None:
    """By somebody who knows how bundles are made: the sums fit, and the seal does not."""
    proof, _ = a_proof()
    (strand,) = proof.strands
    entries = list(strand.entries)
    first = data.draw(st.integers(0, len(entries) - 1))
    match data.draw(st.sampled_from(["drop", "swap", "double", "renumber", "other epoch", "other van", "other stop"])):
        case "drop":
            del entries[first]
        case "swap":
            second = data.draw(st.integers(0, len(entries) - 1).filter(lambda other: other != first))
            entries[first], entries[second] = entries[second], entries[first]
        case "double":
            entries.insert(first, entries[first])
        case "renumber":
            entries[first] = entries[first].model_copy(update={"seq": entries[first].seq + 100})
        case "other epoch":
            strand = strand.model_copy(update={"epoch": "00000000000000bb"})
        case "other van":
            strand = strand.model_copy(update={"van": "van-2"})
        case "other stop":
            proof = proof.model_copy(update={"stop_id": "s2"})
    forged = proof.model_copy(update={"strands": (strand.model_copy(update={"entries": tuple(entries)}),)})
    opened = unpack(packed(forged))
    assert opened.troubles == ()
    assert opened.proof is not None
    found = looked_at(opened.proof, opened.files)
    assert found.verdict is not Verdict.VERIFIED
    assert found.findings


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_value_of_a_record_changed_in_a_bundle_made_anew_is_named(data: st.DataObject) -> None:
    proof, evidence = a_proof()
    (strand,) = proof.strands
    entries = list(strand.entries)
    place = data.draw(st.sampled_from([number for number, entry in enumerate(entries) if entry.record is not None]))
    record = entries[place].record
    assert record is not None
    where = data.draw(st.sampled_from(["body", "seal", ""]))
    holder = record[where] if where else {name: value for name, value in record.items() if not isinstance(value, dict)}
    name = data.draw(st.sampled_from(sorted(holder)))
    other = data.draw(st.sampled_from(["x", 1, None, True, "0" * 64]).filter(lambda one: one != holder[name]))
    changed = {**record, where: {**holder, name: other}} if where else {**record, name: other}
    entries[place] = Entry(seq=entries[place].seq, record=changed, received_at=entries[place].received_at)
    forged = proof.model_copy(update={"strands": (strand.model_copy(update={"entries": tuple(entries)}),)})
    found = looked_at(forged, evidence)
    assert found.verdict is not Verdict.VERIFIED
    assert found.findings


@pytest.mark.parametrize("data", [b"", b"no zip at all", b"\x89PNG" * 30])
def test_what_is_no_bundle_at_all_is_told_apart(data: bytes, tmp_path: Path) -> None:
    assert said_of(data, tmp_path)[0] == 2
    with pytest.raises(NoBundleError):
        unpack(data)


@given(st.binary(max_size=300))
def test_garbage_behind_a_zips_first_letters_is_damage_and_no_crash(tail: bytes) -> None:
    assert unpack(b"PK\x03\x04" + tail).troubles


def _file_at(at: int) -> str | None:
    """In whose bytes a place of the bundle lies; None between files."""
    with zipfile.ZipFile(BytesIO(BUNDLE)) as file:
        for info in file.infolist():
            begins = info.header_offset + 30 + len(info.filename)
            if begins <= at < begins + info.file_size:
                return info.filename
    return None
