from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cloud.said import EPOCH, VAN, a_record, arrived, completed, proof_of
from tests.sealing import a_key
from wire.codec import canonical, loads, to_json
from wire.events import EventKind
from wire.seal import Place, SealError, begin, digest_of, erased, link, seal_of, sealed

SAID = (arrived(), proof_of(b"photo"), completed(received_by="Δημήτρης"))


def chained(*bodies: Any, first: int = 1) -> list[dict[str, Any]]:
    prev, made = begin(VAN, EPOCH), []
    for seq, body in enumerate(bodies or SAID, first):
        record, prev = sealed(
            to_json(a_record(body, after_ms=seq)),
            Place(VAN, EPOCH, seq),
            prev=prev,
            draw=Random(seq).randbytes,
            signer=a_key(),
        )
        made.append(record)
    return made


def links(records: list[dict[str, Any]]) -> list[str]:
    return [
        link(Place(VAN, EPOCH, seq), record["seal"]["prev"], digest_of(record)) for seq, record in enumerate(records, 1)
    ]


def test_each_record_is_linked_to_the_one_before_it() -> None:
    records = chained()
    assert [record["seal"]["prev"] for record in records] == [begin(VAN, EPOCH), *links(records)[:-1]]


def test_a_record_says_the_same_after_it_crossed_the_wire() -> None:
    records = chained()
    assert [digest_of(loads(canonical(record))) for record in records] == [digest_of(record) for record in records]


def test_only_what_closes_a_stop_is_signed() -> None:
    assert [seal.signature is not None for seal in map(seal_of, chained()) if seal] == [False, False, True]


def test_what_is_taken_out_leaves_every_link_standing_and_no_name_behind() -> None:
    records = chained()
    without = [erased(record) for record in records]
    assert links(without) == links(records)
    assert "Δημήτρης" not in canonical(without).decode()
    assert records[2]["seal"]["salt"] not in canonical(without).decode()
    assert without[2]["body"]["outcome"] == "delivered_to_recipient"


def test_what_was_taken_out_cannot_be_put_back_as_something_else() -> None:
    record = erased(chained()[2])
    record["body"]["received_by"] = "somebody else"
    with pytest.raises(SealError, match="taken out"):
        digest_of(record)


def test_the_same_thing_said_twice_has_two_commitments() -> None:
    first, second = chained(arrived(), arrived())
    assert erased(first)["seal"]["hidden"] != erased(second)["seal"]["hidden"]


def test_a_record_sealed_anew_keeps_its_salt() -> None:
    record = chained()[1]
    anew, _ = sealed(
        record, Place(VAN, "00000000000000bb", 7), prev="0" * 64, draw=Random(9).randbytes, signer=a_key("other")
    )
    assert erased(anew)["seal"]["hidden"] == erased(record)["seal"]["hidden"]


def test_a_record_without_a_seal_has_none() -> None:
    assert seal_of(to_json(a_record(arrived()))) is None


def test_a_body_that_is_about_no_stop_stays_readable() -> None:
    record, _ = sealed(
        to_json(a_record({"version": 1}, EventKind.MANIFEST_APPLIED)),
        Place(VAN, EPOCH, 1),
        prev=begin(VAN, EPOCH),
        draw=Random(0).randbytes,
        signer=a_key(),
    )
    assert erased(record) == record


@given(st.sampled_from(range(len(SAID))), st.data())
def test_any_change_of_a_value_changes_the_digest(number: int, data: st.DataObject) -> None:
    record = chained()[number]
    paths = [
        path
        for path in _paths(record)
        if path not in (("seal", "prev"), ("seal", "signature"))  # of these two the link and the signature tell
    ]
    path = data.draw(st.sampled_from(paths))
    changed = _with(record, path, data.draw(st.sampled_from(_others(_at(record, path)))))
    with suppress(SealError):
        assert digest_of(changed) != digest_of(record)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda one: st.lists(one) | st.dictionaries(st.text(max_size=3), one),
    )
)
def test_nonsense_for_a_seal_is_no_other_error_than_ours(nonsense: Any) -> None:
    record = {**chained()[0], "seal": nonsense}
    with suppress(SealError):
        digest_of(record)


def _paths(value: Any, so_far: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [path for name, inner in value.items() for path in _paths(inner, (*so_far, name))]
    if isinstance(value, list) and value:
        return [path for place, inner in enumerate(value) for path in _paths(inner, (*so_far, place))]
    return [so_far]


def _at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def _with(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _with(value[path[0]], path[1:], leaf)
    return copy


def _others(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value + "x", value[:-1] + ("0" if value[-1:] != "0" else "1"), ""] if value else ["x"]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ["x", 1]
    return [value + 1, None]
