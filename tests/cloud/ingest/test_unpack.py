"""Topic and bytes to something to apply, or to a refusal; never an exception."""

import json
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.receipts import MAX_LANE_RANGES, Standing, receipts_for
from cloud.ingest.unpack import Chunk, Content, Events, Track, unpack
from cloud.store.cursor import Cursor
from cloud.store.vans import Unreadable
from tests.cloud.said import (
    EPOCH,
    FLEET,
    MORNING_MS,
    VAN,
    a_batch,
    a_record,
    arrived,
    batch_packet,
    chunk_packet,
    chunks_of,
    completed,
    on,
    proof_of,
)
from wire import topics
from wire.codec import encode, to_json
from wire.envelope import BlobReceipt
from wire.events import BODIES
from wire.model import Message
from wire.topics import MAX_PACKET_BYTES, TOPICS, Lane


def content(topic: str, payload: bytes) -> Content:
    packet = unpack(FLEET, topic, payload)
    assert packet is not None
    return packet.content


def with_records(*raw: Any, **changes: Any) -> Content:
    """A batch of whatever JSON values, behind an envelope that is in order."""
    envelope = {**to_json(a_batch([a_record(arrived())])), "records": list(raw), **changes}
    return content(on(topics.EVENTS), json.dumps(envelope).encode())


def why(said: Content) -> str:
    assert isinstance(said, Unreadable)
    return said.why


@pytest.mark.parametrize(
    "changes",
    [
        {"mono_ms": "12"},
        {"mono_ms": 1.5},
        {"boot": 0},
        {"boot": 3},
        {"wall_source": "sundial"},
        {"wall_ms": -1},
        {"wall_err_ms": None},
        {"from_the_future": 1},
        {"body": {"stop_id": "s1", "lat_deg": 91}},
        {"body": {"stop_id": "no stop"}},
    ],
    ids=str,
)
def test_a_record_of_a_kind_we_know_is_read_as_one_of_a_newer_van_is(changes: dict[str, Any]) -> None:
    raw = {**to_json(a_record(arrived())), **changes}
    known, newer = with_records(raw), with_records({**raw, "kind": "stop.levitated"})

    assert isinstance(known, Events)
    assert isinstance(newer, Events)
    (one,), (other,) = known.records, newer.records
    assert isinstance(one.mono_ms, int)
    is_about_the_body = one.problem is not None and one.problem.startswith("body.")
    assert is_about_the_body or one.problem == other.problem
    assert (one.captured_ms, one.has_time, one.boot, one.mono_ms, one.is_sure, one.stop_id) == (
        other.captured_ms,
        other.has_time,
        other.boot,
        other.mono_ms,
        other.is_sure,
        other.stop_id,
    )


def test_a_record_is_read_the_same_alone_and_beside_one_that_is_none() -> None:
    raw = [to_json(a_record(body)) for body in (arrived(), completed(), proof_of(b"x"))]
    raw.append({**to_json(a_record({"version": 3, "stop_id": "s1"}, "manifest.applied")), "boot": 2})
    together, beside = with_records(*raw), with_records(*raw, None)

    assert isinstance(together, Events)
    assert isinstance(beside, Events)
    assert together.records == beside.records[:-1]


@pytest.mark.parametrize("body", BODIES.values(), ids=lambda body: str(body.__name__))
def test_a_body_is_what_its_fields_are_and_no_more(body: type[Message]) -> None:
    rules = body.__pydantic_decorators__  # they would be passed over where many records are read at once
    assert {**rules.validators, **rules.field_validators, **rules.model_validators} == {}


def test_a_batch_becomes_records_with_their_seqs_and_bodies() -> None:
    said = content(*batch_packet([a_record(arrived()), a_record(completed())], first_seq=7))

    assert isinstance(said, Events)
    assert [record.seq for record in said.records] == [7, 8]
    assert said.records[1].body == to_json(completed())
    assert said.records[1].stop_id == "s1"


def test_the_van_in_the_topic_and_the_van_in_the_message_must_be_the_same() -> None:
    _, payload = batch_packet([a_record(arrived())], van="van-2")
    _, chunk = chunk_packet(*chunks_of(b"x", van="van-2")[0])

    assert "van-2" in why(content(on(topics.EVENTS), payload))
    assert "van-2" in why(content(on(topics.BLOBS), chunk))


@pytest.mark.parametrize(
    "topic",
    [
        "rm/1/other/van-1/up/events",
        "rm/1/town/van-1/down/manifest",
        "rm/2/town/van-1/up/events",
        "rm/1/town/../up",
        "x",
    ],
)
def test_a_topic_no_van_of_this_fleet_speaks_on_is_none_of_ours(topic: str) -> None:
    assert unpack(FLEET, topic, b"{}") is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema": 2}, "schema"),
        ({"epoch": "ZZ"}, "epoch"),
        ({"first_seq": 0}, "first_seq"),
        ({"first_seq": 10**30}, "first_seq"),
        ({"boot": 2**31}, "boot"),
        ({"lane": "track"}, "lane"),
        ({"records": []}, "records"),
        ({"records": [{}] * 501}, "records"),
    ],
)
def test_an_envelope_that_cannot_be_believed_is_refused_by_name(changes: dict[str, Any], problem: str) -> None:
    assert problem in why(with_records(**{"records": [to_json(a_record(arrived()))], **changes}))


@pytest.mark.parametrize(
    "raw",
    [None, 1, "text", [], {}, {"kind": "stop.arrived"}, {**to_json(a_record(arrived())), "wall_ms": 10**20}],
)
def test_a_record_that_is_none_is_kept_with_its_problem_and_leaves_its_neighbours_alone(raw: Any) -> None:
    said = with_records(to_json(a_record(arrived())), raw, to_json(a_record(completed())))

    assert isinstance(said, Events)
    assert [record.problem is None for record in said.records] == [True, False, True]
    assert json.loads(said.records[1].text) == raw


def test_a_kind_we_do_not_know_is_kept_without_a_problem_and_with_its_stop() -> None:
    said = content(*batch_packet([a_record({"stop_id": "s9", "x": 1}, "parcel.weighed")]))

    assert isinstance(said, Events)
    assert (said.records[0].problem, said.records[0].body, said.records[0].stop_id) == (None, None, "s9")


def test_a_field_we_do_not_know_is_kept() -> None:
    raw = {**to_json(a_record(arrived())), "from_the_future": {"a": [1]}}
    said = with_records(raw)

    assert isinstance(said, Events)
    assert json.loads(said.records[0].text)["from_the_future"] == {"a": [1]}


def test_breadcrumbs_that_cannot_be_read_still_say_which_seqs_they_are() -> None:
    track = {
        "schema": 1, "van": VAN, "epoch": EPOCH, "boot": 1, "lane": "track", "first_seq": 5,
        "wall_ms": [MORNING_MS, None, 1], "lat_udeg": [1, 1],
    }  # fmt: skip
    said = content(on(topics.TRACK), json.dumps(track).encode())

    assert isinstance(said, Track)
    assert (said.first_seq, said.count, said.crumbs) == (5, 3, None)
    assert said.problem


def test_a_chunk_keeps_its_bytes_as_they_are() -> None:
    header, data = chunks_of(bytes(range(256)))[0]

    said = content(*chunk_packet(header, data))

    assert isinstance(said, Chunk)
    assert said.data == data


up = st.sampled_from([row.of(FLEET, VAN) for row in TOPICS])
packet = encode(a_batch([a_record(completed(received_by="x" * 600))]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(up, st.binary(max_size=200) | st.binary(max_size=200).map(zstandard.ZstdCompressor().compress))
def test_any_bytes_are_answered_and_never_raise(topic: str, payload: bytes) -> None:
    unpack(FLEET, topic, payload)


@given(st.integers(0, len(packet) - 1), st.binary(min_size=1, max_size=3))
def test_a_damaged_packet_is_answered_and_never_raises(position: int, damage: bytes) -> None:
    unpack(FLEET, on(topics.EVENTS), packet[:position] + damage + packet[position + len(damage) :])


@given(st.lists(json_values, min_size=1, max_size=3))
def test_any_records_are_answered_and_never_raise(raw: list[Any]) -> None:
    with_records(*raw)


@pytest.mark.parametrize("depth", [100, 300, 900, 50_000])
def test_a_deeply_nested_record_is_answered(depth: int) -> None:
    record = json.dumps(to_json(a_record({"stop_id": "s1"}, "stop.arrived")))
    nested = record.replace('"stop_id": "s1"', '"stop_id": "s1", "x": ' + "[" * depth + "]" * depth)
    envelope = json.dumps(to_json(a_batch([a_record(arrived())])))
    start, end = envelope.index('"records": [') + len('"records": ['), envelope.rindex("]")

    content(on(topics.EVENTS), (envelope[:start] + nested + envelope[end:]).encode())


def test_receipts_always_fit_their_packet() -> None:
    cursor = Cursor(1, tuple((n * 10**9, n * 10**9 + 5) for n in range(1, 5_000)))
    scattered = BlobReceipt(held=tuple((n * 100, n * 100 + 50) for n in range(300)))
    blobs = {f"{n:064x}": scattered for n in range(10**60, 10**60 + 200)}

    message = receipts_for(Standing(EPOCH, {Lane.EVENTS: cursor, Lane.TRACK: cursor}, blobs))

    assert len(encode(message)) <= MAX_PACKET_BYTES
    assert len(message.lanes["events"].ranges) == MAX_LANE_RANGES
