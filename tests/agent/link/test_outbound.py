"""Which rows travel together, and which piece of evidence is next."""

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.link.outbound import Sender, UnsendableError, chunk_packet, events_parcel, first_gap, track_parcel
from wire import codec
from wire.codec import decode, unpack_chunk
from wire.envelope import MAX_CHUNK_BYTES, Batch, Record
from wire.topics import MAX_PACKET_BYTES
from wire.track import Breadcrumb, TrackBatch, from_columns

EPOCH = "0123456789abcdef"
SENDER = Sender("van-1", 7)


@dataclass(frozen=True)
class Row:
    seq: int
    record_json: str
    epoch: str = EPOCH


def an_event(seq: int, note: str = "", epoch: str = EPOCH) -> Row:
    record = Record(kind="stop.failed", wall_ms=seq, wall_source="system", mono_ms=0, body={"note": note})
    return Row(seq, record.model_dump_json(), epoch)


def noise(seed: int, letters: int) -> str:
    """Text that compresses to half its length and no further."""
    return random.Random(seed).randbytes(letters // 2).hex()


def a_crumb(seq: int) -> Row:
    return Row(seq, Breadcrumb(wall_ms=seq * 1000, lat_deg=41.0, lon_deg=-8.0, speed_mps=3.5).model_dump_json())


def test_events_travel_fifty_at_a_time() -> None:
    parcel = events_parcel(SENDER, [an_event(seq) for seq in range(5, 90)])
    batch = decode(Batch, parcel.packet)
    assert (parcel.first, parcel.last) == (5, 54)
    assert (batch.van, batch.boot, batch.first_seq, len(batch.records)) == ("van-1", 7, 5, 50)


def test_a_batch_ends_at_a_gap_and_at_a_new_epoch() -> None:
    assert events_parcel(SENDER, [an_event(1), an_event(2), an_event(4)]).last == 2
    assert events_parcel(SENDER, [an_event(1), an_event(2, epoch="f" * 16)]).last == 1


def test_records_too_big_together_travel_apart() -> None:
    rows = [an_event(seq, note=noise(seq, 40_000)) for seq in (1, 2, 3, 4, 5, 6)]
    parcel = events_parcel(SENDER, rows)
    assert len(parcel.packet) <= MAX_PACKET_BYTES
    assert 1 <= parcel.last < 6


def test_a_record_that_fits_no_packet_is_named() -> None:
    with pytest.raises(UnsendableError, match="record 3") as caught:
        events_parcel(SENDER, [an_event(3, note=noise(1, 200_000)), an_event(4)])
    assert caught.value.row.seq == 3


def test_breadcrumbs_travel_in_columns_and_come_back() -> None:
    parcel = track_parcel(SENDER, [a_crumb(seq) for seq in range(1, 400)])
    batch = decode(TrackBatch, parcel.packet)
    assert (parcel.first, parcel.last, batch.first_seq) == (1, 300, 1)
    assert [crumb and crumb.wall_ms for crumb in from_columns(batch)] == [seq * 1000 for seq in range(1, 301)]


def test_the_newest_breadcrumbs_are_the_unbroken_end() -> None:
    rows = [a_crumb(seq) for seq in (1, 2, 3, 7, 8, 9)]
    parcel = track_parcel(SENDER, rows, newest=True)
    assert (parcel.first, parcel.last) == (7, 9)


def test_a_chunk_names_its_blob_and_place() -> None:
    packet = chunk_packet(SENDER, EPOCH, sha256="a" * 64, total_bytes=100, offset_bytes=40, data=b"x" * 60)
    header, data = unpack_chunk(packet)
    assert (header.offset_bytes, header.total_bytes, len(data)) == (40, 100, 60)
    assert len(codec.pack_chunk(header, b"x" * 60)) == len(packet)


RANGES = st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 40_000)).map(lambda pair: (pair[0], sum(pair))))


@given(RANGES, st.integers(1, 100_000))
def test_the_next_piece_is_the_first_that_nobody_holds(held: list[tuple[int, int]], total_bytes: int) -> None:
    held = [(start, min(end, total_bytes)) for start, end in held if start < total_bytes]
    gap = first_gap(held, total_bytes)
    if gap is None:
        assert all(_is_held(at, held) for at in (0, total_bytes // 2, total_bytes - 1))
        return
    start, length = gap
    assert 0 < length <= MAX_CHUNK_BYTES
    assert start + length <= total_bytes
    assert not _is_held(start, held)
    assert start == 0 or _is_held(start - 1, held)


@given(st.integers(1, 100_000))
def test_piece_by_piece_a_blob_becomes_whole(total_bytes: int) -> None:
    held: list[tuple[int, int]] = []
    while (gap := first_gap(held, total_bytes)) is not None:
        held.append((gap[0], gap[0] + gap[1]))
    assert sum(end - start for start, end in held) == total_bytes


def _is_held(at: int, held: list[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in held)
