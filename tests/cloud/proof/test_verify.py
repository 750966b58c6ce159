from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cloud.proof.model import Entry, Proof, Strand, Verdict
from cloud.proof.sheet import sheet_of
from tests.cloud.proof.sealed import (
    MORNING_SAID,
    a_coordinator,
    a_morning,
    a_proof,
    announcement,
    chain,
    events,
    evidence_packets,
    looked_at,
    read,
    tell,
)
from tests.cloud.said import arrived
from wire.seal import digest_of, erased


def strand_of(proof: Proof) -> Strand:
    (strand,) = proof.strands
    return strand


def with_entries(proof: Proof, *entries: Entry) -> Proof:
    return proof.model_copy(update={"strands": (strand_of(proof).model_copy(update={"entries": entries}),)})


def changed(entry: Entry, **body: Any) -> Entry:
    assert entry.record is not None
    return entry.model_copy(update={"record": {**entry.record, "body": {**entry.record["body"], **body}}})


def words(proof: Proof, evidence: Any = None) -> str:
    return " ".join(one.text for one in looked_at(proof, a_proof()[1] if evidence is None else evidence).findings)


def test_what_nobody_touched_is_verified() -> None:
    for stop_id in ("s1", "s2"):
        found = looked_at(*a_proof(stop_id))
        assert (found.verdict, found.findings) == (Verdict.VERIFIED, ())
        assert found.sealed is not None
        assert found.sealed.is_vouched


def test_nothing_of_another_stop_is_shown() -> None:
    proof, _ = a_proof()
    assert "Zoë Müller 2" not in proof.model_dump_json()
    (others,) = [entry for entry in strand_of(proof).entries if entry.record is None]
    assert (others.seq, others.last_seq, len(others.each_digest())) == (4, 7, 4)


@pytest.mark.parametrize("place", [0, 1, 3, 4])
def test_a_record_that_was_changed_is_named(place: int) -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    seq = entries[place].seq
    record = dict(entries[place].record or {})
    entries[place] = entries[place].model_copy(update={"record": {**record, "wall_ms": record["wall_ms"] + 1}})
    found = words(with_entries(proof, *entries))
    assert f"(record {seq})" in found


def test_a_name_that_was_changed_is_named() -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    entries[-1] = changed(entries[-1], received_by="somebody else")
    assert "The signature of the delivery (record 9) does not fit" in words(with_entries(proof, *entries))


@pytest.mark.parametrize("place", range(5))
def test_a_record_that_was_dropped_is_named(place: int) -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    gone = entries.pop(place)
    found = looked_at(with_entries(proof, *entries), a_proof()[1])
    assert found.verdict is not Verdict.VERIFIED
    said = " ".join(one.text for one in found.findings)
    named = f"Record {gone.seq} of van-1 is" if gone.record else "Records 4 to 7 of van-1 are"
    assert f"{named} missing" in said or (gone.seq == 9 and "Nothing here closes" in said)


def test_a_number_beyond_all_records_is_named_at_once() -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    entries[-1] = entries[-1].model_copy(update={"seq": 2**50})
    assert f"Records 10 to {2**50 - 1} of van-1 have not arrived yet." in words(with_entries(proof, *entries))


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_record_that_is_hidden_in_a_row_of_digests_is_named(place: int) -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    hidden, others = entries[place].record, entries[2]
    assert hidden is not None
    assert others.digests is not None
    if place == 3:
        row = others.model_copy(update={"digests": others.digests + digest_of(hidden)})
        entries[2:4] = [row]
    else:
        entries[place] = Entry(seq=entries[place].seq, prev=hidden["seal"]["prev"], digests=digest_of(hidden))
    assert f"Record {entries[place].seq if place < 3 else 8} of van-1 is missing" in words(
        with_entries(proof, *entries)
    )


@pytest.mark.parametrize("changes", ["digest", "order", "one less", "twice", "prev"])
def test_a_row_of_digests_that_was_changed_is_named(changes: str) -> None:
    proof, evidence = a_proof()
    entries = list(strand_of(proof).entries)
    each = entries[2].each_digest()
    match changes:
        case "digest":
            each[1] = "0" * 64
        case "order":
            each[0], each[1] = each[1], each[0]
        case "one less":
            each.pop()
        case "twice":
            each.append(each[-1])
    entries[2] = entries[2].model_copy(update={"digests": "".join(each)})
    if changes == "prev":
        entries[2] = entries[2].model_copy(update={"prev": "0" * 64})
    assert looked_at(with_entries(proof, *entries), evidence).verdict is Verdict.ALTERED


def test_digests_beside_a_record_cover_nothing() -> None:
    proof, evidence = a_proof()
    entries = list(strand_of(proof).entries)
    entries[1:3] = [entries[1].model_copy(update={"digests": entries[2].digests})]
    found = looked_at(with_entries(proof, *entries), evidence)
    assert "Records 4 to 7 of van-1 are missing." in [one.text for one in found.findings]


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_record_that_is_hidden_behind_its_digest_is_named(place: int) -> None:
    """Whoever shows one stop may hide what is about others, and not what is about this one."""
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    record = entries[place].record
    assert record is not None
    seq = entries[place].seq
    entries[place] = Entry(seq=seq, prev=record["seal"]["prev"], digest=digest_of(record))
    assert f"Record {seq} of van-1 is missing" in words(with_entries(proof, *entries))


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 3), (1, 2), (3, 4)])
def test_records_that_were_swapped_are_named(first: int, second: int) -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    entries[first], entries[second] = entries[second], entries[first]
    assert "they were put in another order" in words(with_entries(proof, *entries))


def test_records_that_changed_their_numbers_are_named() -> None:
    proof, _ = a_proof()
    entries = list(strand_of(proof).entries)
    entries[0], entries[1] = (
        entries[1].model_copy(update={"seq": entries[0].seq}),
        entries[0].model_copy(update={"seq": entries[1].seq}),
    )
    assert "was changed after it was sealed" in words(with_entries(proof, *entries))


def test_a_record_of_another_stop_put_here_is_named() -> None:
    proof, _ = a_proof()
    other, _ = a_proof("s2")
    theirs = [entry for entry in strand_of(other).entries if entry.record is not None]
    entries = [*strand_of(proof).entries[:2], *theirs, *strand_of(proof).entries[3:]]
    assert "is about the stop s2 and not about s1" in words(with_entries(proof, *entries))


def test_a_proof_moved_to_another_stop_is_named() -> None:
    proof, evidence = a_proof()
    assert "is about the stop s1 and not about s2" in words(proof.model_copy(update={"stop_id": "s2"}), evidence)


def test_photos_that_were_swapped_between_stops_are_named() -> None:
    proof, evidence = a_proof()
    _, others = a_proof("s2")
    file = next(item.file for item in proof.items if item.kind == "photo")
    other = next(name for name in others if "photo" in name)
    assert "The photo (record 3) was changed" in words(proof, {**evidence, file: others[other]})


def test_a_photo_that_was_dropped_is_named() -> None:
    proof, evidence = a_proof()
    rest = {name: data for name, data in evidence.items() if "photo" not in name}
    assert "The photo (record 3) is missing" in words(proof, rest)
    items = tuple(item for item in proof.items if item.kind != "photo")
    assert "The photo (record 3) is missing" in words(proof.model_copy(update={"items": items}), rest)


def test_another_address_is_named() -> None:
    proof, _ = a_proof()
    other, _ = a_proof("s2")
    assert "Address, recipient or goods" in words(proof.model_copy(update={"stop": other.stop}))


def test_a_key_that_the_certificate_does_not_stand_for_is_named() -> None:
    proof, _ = a_proof()
    (key,) = proof.keys
    elsewhere = key.model_copy(update={"epoch": "00000000000000bb"})
    assert "is not what its certificate stands for" in words(proof.model_copy(update={"keys": (elsewhere,)}))


def test_a_seal_by_an_unknown_key_is_not_enough() -> None:
    proof, evidence = a_proof()
    found = looked_at(proof.model_copy(update={"keys": ()}), evidence)
    assert found.verdict is Verdict.WAITING
    assert found.sealed is None


def test_a_stop_that_is_still_open_is_not_sealed(tmp_path: Path) -> None:
    database = a_coordinator(tmp_path)
    tell(database, events([announcement()[0]], 1), events(chain()[:2], 2), *evidence_packets("s1"))
    found = looked_at(*read(database))
    database.close()
    assert found.verdict is Verdict.NOT_SEALED
    assert "Nothing here closes the stop." in [one.text for one in found.findings]


def test_what_an_older_agent_said_is_not_sealed_and_nothing_worse(tmp_path: Path) -> None:
    database = a_coordinator(tmp_path)
    bare = [{**record, "seal": None} for record in chain()]
    tell(database, events(bare, 1), *evidence_packets("s1"))
    found = looked_at(*read(database))
    database.close()
    assert found.verdict is Verdict.NOT_SEALED


def test_evidence_on_its_way_is_waited_for(tmp_path: Path) -> None:
    database = a_coordinator(tmp_path)
    tell(database, events([announcement()[0]], 1), events(chain(), 2))
    found = looked_at(*read(database))
    database.close()
    assert found.verdict is Verdict.WAITING


def test_a_record_that_went_from_the_database_is_named(tmp_path: Path) -> None:
    database = a_morning(tmp_path)
    with database.transaction() as connection:
        connection.exec_driver_sql("DELETE FROM records WHERE seq = 3")
    found = looked_at(*read(database))
    database.close()
    assert found.verdict is Verdict.ALTERED
    assert "Record 3 of van-1 is missing." in [one.text for one in found.findings]


def test_what_was_taken_out_on_purpose_leaves_a_proof_that_holds() -> None:
    proof, evidence = a_proof()
    entries = list(strand_of(proof).entries)
    photo = entries[1].record
    assert photo is not None
    entries[1] = entries[1].model_copy(update={"record": erased(photo)})
    without = with_entries(proof, *entries)
    items = tuple(item for item in proof.items if item.kind != "photo")
    found = looked_at(without.model_copy(update={"items": items}), evidence)
    assert found.verdict is Verdict.VERIFIED
    assert found.notes == ("The photo (record 3) was taken out on purpose; that it was there still holds.",)


def test_a_chain_that_begins_anew_is_a_note(tmp_path: Path) -> None:
    database = a_coordinator(tmp_path)
    anew = chain(MORNING_SAID[6:], first=8)
    tell(database, events([announcement()[0]], 1), events([*chain()[:6], *anew], 2), *evidence_packets("s1"))
    found = looked_at(*read(database))
    database.close()
    assert "A new chain of van-1 begins with record 8." in found.notes
    assert found.sealed is not None
    assert found.verdict is Verdict.VERIFIED  # the signature over the other stop covers what came before


def test_a_closing_that_was_taken_back_closes_nothing(tmp_path: Path) -> None:
    database = a_coordinator(tmp_path)
    records = chain((*MORNING_SAID, ("stop.reopened", arrived("s1"))))
    tell(database, events([announcement()[0]], 1), events(records, 2), *evidence_packets("s1"))
    found = looked_at(*read(database))
    database.close()
    assert found.verdict is Verdict.NOT_SEALED


NONSENSE: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@given(st.sampled_from([0, 1, 3, 4]), st.sampled_from(["kind", "body", "seal", "wall_ms", "wall_source"]), NONSENSE)
@example(0, "kind", [])
def test_nonsense_in_a_record_is_found_and_never_an_error(place: int, name: str, nonsense: Any) -> None:
    proof, evidence = a_proof()
    entries = list(strand_of(proof).entries)
    assume(entries[place].record is not None and (entries[place].record or {})[name] != nonsense)
    entries[place] = entries[place].model_copy(update={"record": {**(entries[place].record or {}), name: nonsense}})
    found = looked_at(with_entries(proof, *entries), evidence)
    assert found.verdict is not Verdict.VERIFIED
    sheet_of(proof, found)


@given(
    st.sampled_from([0, 1, 3, 4]), st.sampled_from(["stop_id", "sha256", "evidence_kind", "proofs", "listed"]), NONSENSE
)
def test_nonsense_in_a_body_or_a_seal_is_found_and_never_an_error(place: int, name: str, nonsense: Any) -> None:
    proof, evidence = a_proof()
    entries = list(strand_of(proof).entries)
    record = entries[place].record
    assume(record is not None)
    assert record is not None
    seal = {key: value for key, value in record["seal"].items() if key not in ("signature", "key")}
    odd = {**record, "seal": seal, "kind": [], "body": {**record["body"], name: nonsense}}
    entries[place] = entries[place].model_copy(update={"record": odd})
    assert looked_at(with_entries(proof, *entries), evidence).verdict is not Verdict.VERIFIED
