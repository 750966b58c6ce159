"""Bytes to messages: strict about what is no message, faithful about what is one."""

import hashlib
import json
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_manifest, a_stop
from wire.codec import (
    COMPRESS_ABOVE_BYTES,
    MAX_PLAIN_BYTES,
    TooBigError,
    WireError,
    canonical,
    content_hash,
    decode,
    decode_with_texts,
    encode,
    loads,
    pack_chunk,
    to_json,
    unpack_chunk,
)
from wire.envelope import MAX_CHUNK_BYTES, Batch, ChunkHeader, Receipts, Record
from wire.events import Presence
from wire.manifest import Command, CommandKind, Manifest, SequencePolicy
from wire.model import Message
from wire.topics import MAX_PACKET_BYTES

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=15,
)
records = st.builds(
    Record,
    kind=st.text("abc.", min_size=1, max_size=20),
    wall_ms=st.integers(0, 2**41),
    wall_source=st.sampled_from(["gps", "system", "none"]),
    wall_err_ms=st.none() | st.integers(0, 10_000),
    mono_ms=st.integers(0, 2**40),
    manifest_version=st.integers(0, 1000),
    body=st.dictionaries(text, json_values, max_size=5),
)
batches = st.builds(
    Batch,
    van=st.from_regex(r"\A[a-z0-9][a-z0-9-]{0,31}\Z"),
    epoch=st.from_regex(r"\A[0-9a-f]{16}\Z"),
    boot=st.integers(1, 1000),
    lane=st.just("events"),
    first_seq=st.integers(1, 2**50),
    records=st.lists(records, min_size=1, max_size=5).map(tuple),
)


@settings(max_examples=40)
@given(batches)
def test_a_batch_comes_back_as_it_went(batch: Batch) -> None:
    assert decode(Batch, encode(batch)) == batch


@pytest.mark.parametrize("policy", SequencePolicy)
def test_a_manifest_comes_back_as_it_went(policy: SequencePolicy) -> None:
    manifest = a_manifest(30, policy=policy)

    assert decode(Manifest, encode(manifest)) == manifest


def test_what_no_reader_would_unpack_is_not_sent_however_small_it_packs() -> None:
    manifest = a_manifest(1)
    wordy = manifest.stops[0].model_copy(update={"instruction": "ring twice " * 100_000})

    with pytest.raises(TooBigError, match="however small it packs"):
        encode(manifest.model_copy(update={"stops": (wordy,)}))


def test_a_long_message_is_compressed_and_a_short_one_is_plain() -> None:
    short = Presence(van="van-1", epoch="0" * 16, boot=1, is_online=True)
    long = a_manifest(30)

    assert encode(short).startswith(b"{")
    assert len(encode(long)) < len(canonical(to_json(long))) / 5
    assert len(encode(short)) <= COMPRESS_ABOVE_BYTES


def test_fields_of_a_newer_peer_travel_on() -> None:
    newer = {**to_json(a_manifest(1)), "from_the_future": {"a": 1}}

    assert to_json(decode(Manifest, json.dumps(newer).encode())) == newer


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": -1e400}',
        b'{"a": 1, "a": 2}',
        b'{"a":1,"a":1}',
        b'{"a":[{"b":1,"b":2}],"c":1}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\xff"}',
        b"[" * 100_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"\x28\xb5\x2f\xfd",
        b"\x28\xb5\x2f\xfd damaged",
        zstandard.ZstdCompressor().compress(b"{" * 2000)[:-3],
        zstandard.ZstdCompressor().compress(bytes(MAX_PLAIN_BYTES + 1)),
    ],
    ids=lambda packet: repr(packet[:24]),
)
def test_what_is_no_message_is_a_refusal_with_a_reason(packet: bytes) -> None:
    with pytest.raises(WireError) as refused:
        decode(Receipts, packet)

    assert str(refused.value)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zstandard.ZstdCompressor(level=1).compress(bytes(100_000_000))
    assert len(bomb) < MAX_PACKET_BYTES

    with pytest.raises(WireError, match="unpacks to more"):
        decode(Receipts, bomb)


@pytest.mark.parametrize("said_bytes", [10, 1_000, 300_000])
def test_a_frame_that_lies_about_its_length_is_refused(said_bytes: int) -> None:
    frame = zstandard.ZstdCompressor(level=1).compress(b'"' + b"a" * 199_998 + b'"')
    assert zstandard.frame_content_size(frame) == 200_000
    lie = frame[:5] + said_bytes.to_bytes(4, "little") + frame[9:]  # after the magic number and the frame's descriptor
    assert zstandard.frame_content_size(lie) == said_bytes

    with pytest.raises(WireError, match="damaged"):
        decode(Receipts, lie)


def test_a_frame_that_ends_too_early_is_refused() -> None:
    for frame in (zstandard.ZstdCompressor(), zstandard.ZstdCompressor(write_content_size=False)):
        with pytest.raises(WireError, match=r"damaged|too early"):
            decode(Receipts, frame.compress(bytes(2_000))[:-4])


@given(st.binary(max_size=300))
def test_any_bytes_are_a_message_or_a_refusal(packet: bytes) -> None:
    for model in (Batch, Manifest, Receipts, ChunkHeader):
        try:
            decode(model, packet)
        except WireError:
            continue


class Listed(Message):
    """Anything, and a list of anything."""

    head: Any = None
    records: list[Any]


_WAYS: dict[str, dict[str, Any]] = {
    "as we write": {"separators": (",", ":"), "ensure_ascii": False},
    "keys in no order": {"separators": (",", ":"), "ensure_ascii": False},
    "with blanks": {},
}


@settings(max_examples=150)
@given(json_values, st.lists(json_values, max_size=4), st.sampled_from(sorted(_WAYS)), st.booleans())
def test_each_record_s_text_is_its_canonical_one_however_the_packet_was_written(
    head: Any, records: list[Any], way: str, is_last: bool
) -> None:
    said = {"head": head, "records": records} if is_last else {"records": records, "head": head}
    if way == "as we write":
        said["records"] = [json.loads(canonical(one)) for one in records]
    packet = json.dumps(said, **_WAYS[way]).encode()

    message, texts = decode_with_texts(Listed, packet, "records")

    assert repr(message) == repr(decode(Listed, packet))
    assert texts == [canonical(one) for one in loads(packet)["records"]]


@pytest.mark.parametrize(
    "packet",
    [
        b'{"records":[1],"records":[2]}',
        b'{"records":[{"a":1,"a":2}]}',
        b'{"records":[NaN]}',
        b'{"records":[1e999]}',
        b'{"records":["\\ud800"]}',
        b'{"records":[1]',
        b'{"records":{"a":1}}',
        b"[1]",
        b'{"head":1}',
    ],
)
def test_records_that_are_not_strict_json_are_a_refusal(packet: bytes) -> None:
    with pytest.raises(WireError):
        decode_with_texts(Listed, packet, "records")


@settings(max_examples=40)
@given(json_values)
def test_strict_json_reads_what_json_writes(value: Any) -> None:
    assert loads(json.dumps(value).encode()) == value


@settings(max_examples=40)
@given(json_values)
def test_what_is_written_as_we_write_it_is_read_the_same_the_quick_way_and_the_strict_way(value: Any) -> None:
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    assert repr(loads(compact)) == repr(json.loads(compact))


@settings(max_examples=40)
@given(json_values)
def test_a_fingerprint_is_taken_over_text_that_reads_back_as_the_value(value: Any) -> None:
    assert loads(canonical(value)) == value


@pytest.mark.parametrize("number", [2**53, 2**64, -(2**63) - 1, 1e-7, 1e16, 1.5e300, -0.0, 10**40])
def test_numbers_of_any_size_are_read_exactly_and_have_one_fingerprint(number: float) -> None:
    once = canonical({"b": number, "a": 1})

    assert repr(loads(once)) == repr({"a": 1, "b": number})
    assert canonical(loads(once)) == once


@settings(max_examples=40)
@given(st.dictionaries(text, json_values, max_size=6))
def test_the_order_of_keys_does_not_change_a_fingerprint(value: dict[str, Any]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


def test_a_message_that_does_not_fit_its_packet_is_refused_before_it_is_sent() -> None:
    # Random, so that compression does not save it.
    noise = Random(1).randbytes(60_000).hex()

    with pytest.raises(TooBigError, match="65536"):
        encode(a_manifest([a_stop(instruction=noise)]))


def test_a_refusal_names_the_field() -> None:
    broken = {**to_json(a_manifest(3))}
    broken["stops"][1]["lat_deg"] = 91

    with pytest.raises(WireError, match=r"stops\.1\.lat_deg"):
        decode(Manifest, json.dumps(broken).encode())


@pytest.mark.parametrize("schema", [0, 2, "1", None])
def test_another_schema_is_refused_rather_than_guessed(schema: object) -> None:
    with pytest.raises(WireError, match="schema"):
        decode(Manifest, json.dumps({**to_json(a_manifest(1)), "schema": schema}).encode())


@pytest.mark.parametrize("name", ["", "Van-1", "van/1", "van+", "#", "-van", "v" * 33, "van\n", "vän"])
def test_a_name_that_could_escape_its_topic_is_refused(name: str) -> None:
    with pytest.raises(WireError, match="van"):
        decode(Manifest, json.dumps({**to_json(a_manifest(1)), "van": name}).encode())


def test_an_instant_without_a_zone_is_refused() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    command = to_json(Command(command_id="c1", kind=CommandKind.REPLAN, issued_at=now, expires_at=now))

    with pytest.raises(WireError, match="issued_at"):
        decode(Command, json.dumps({**command, "issued_at": "2026-11-23T08:00:00"}).encode())


# Chunks --------------------------------------------------------------------------------------------------------------


def header(total_bytes: int, offset_bytes: int = 0) -> ChunkHeader:
    sha256 = hashlib.sha256(b"").hexdigest()
    return ChunkHeader(van="van-1", epoch="0" * 16, sha256=sha256, offset_bytes=offset_bytes, total_bytes=total_bytes)


@given(st.binary(min_size=1, max_size=2000), st.integers(0, 1000), st.integers(0, 1000))
def test_a_chunk_comes_back_as_it_went(data: bytes, before: int, after: int) -> None:
    head = header(before + len(data) + after, before)

    assert unpack_chunk(pack_chunk(head, data)) == (head, data)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_chunk_or_a_refusal(packet: bytes) -> None:
    with pytest.raises(WireError):
        unpack_chunk(packet)


def test_the_largest_chunk_fits_and_one_byte_more_does_not() -> None:
    assert len(pack_chunk(header(4_000_000), bytes(MAX_CHUNK_BYTES))) < MAX_PACKET_BYTES
    with pytest.raises(WireError):
        pack_chunk(header(4_000_000), bytes(MAX_CHUNK_BYTES + 1))


def test_a_chunk_beyond_the_end_of_its_blob_is_refused() -> None:
    packet = pack_chunk(header(10, 8), b"abc")

    with pytest.raises(WireError, match="does not fit"):
        unpack_chunk(packet)


def test_a_message_and_the_same_message_read_back_have_one_fingerprint() -> None:
    manifest = a_manifest(5)

    assert content_hash(decode(Manifest, encode(manifest))) == content_hash(manifest)
