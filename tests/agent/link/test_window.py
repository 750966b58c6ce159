"""How much is under way, when it goes again, and when the link is taken for dead."""

import pytest

from agent.link.backoff import Backoff
from agent.link.outbound import Parcel
from agent.link.window import LIMIT, TRACK_LIMIT, ChunkWindow, Pulse, Window
from wire import topics
from wire.envelope import BlobReceipt, LaneReceipt
from wire.topics import Lane

EPOCH = "0123456789abcdef"
SHA = "a" * 64


def a_parcel(first: int, last: int, topic: topics.Topic = topics.EVENTS) -> Parcel:
    return Parcel(topic, b"packet", EPOCH, first, last)


def test_breadcrumbs_never_fill_the_window() -> None:
    window = Window()
    for number in range(TRACK_LIMIT):
        assert window.has_room(Lane.TRACK)
        window.add(a_parcel(number + 1, number + 1, topics.TRACK), 0.0)
    assert not window.has_room(Lane.TRACK)
    for number in range(LIMIT - TRACK_LIMIT):
        assert window.has_room(Lane.EVENTS)
        window.add(a_parcel(number + 1, number + 1), 0.0)
    assert not window.has_room(Lane.EVENTS)


def test_what_is_not_receipted_goes_again_after_2_then_4_seconds() -> None:
    window = Window()
    window.add(a_parcel(1, 5), 100.0)
    assert window.due(101.9) == []
    assert window.due(102.0) == [a_parcel(1, 5)]
    assert window.due(105.9) == []
    assert window.due(106.0) == [a_parcel(1, 5)]
    assert window.next_due_s() == 114.0


def test_a_receipt_takes_out_what_it_covers_as_a_whole() -> None:
    window = Window()
    for first, last in ((1, 5), (6, 10), (11, 15)):
        window.add(a_parcel(first, last), 0.0)
    window.add(a_parcel(1, 5, topics.TRACK), 0.0)
    window.receipted(EPOCH, "events", LaneReceipt(contiguous_seq=7, ranges=((8, 8), (11, 20))))
    assert window.parcels() == [a_parcel(6, 10), a_parcel(1, 5, topics.TRACK)]
    window.receipted(EPOCH, "events", LaneReceipt(contiguous_seq=7, ranges=((8, 12),)))
    window.receipted("f" * 16, "track", LaneReceipt(contiguous_seq=100))
    assert window.parcels() == [a_parcel(1, 5, topics.TRACK)]


def test_one_chunk_is_under_way_until_its_receipt_or_its_time() -> None:
    chunks = ChunkWindow()
    assert chunks.next_piece(SHA, 20_000, 0.0) == (0, 4_096)
    chunks.sent(SHA, 0, 16_384, 0.0)
    assert not chunks.is_free(1.9)
    assert chunks.is_free(2.0)
    chunks.receipted(SHA, BlobReceipt(held=((0, 16_384),)), 0.3)
    assert chunks.is_free(0.1)
    assert chunks.next_piece(SHA, 20_000, 0.1) == (16_384, 3_616)


def test_a_chunk_that_was_refused_does_not_circle() -> None:
    chunks = ChunkWindow()
    chunks.sent(SHA, 0, 16_384, 0.0)
    chunks.receipted(SHA, BlobReceipt(held=()), 0.0)
    assert not chunks.is_free(0.1)
    chunks.sent(SHA, 0, 16_384, 2.0)
    assert not chunks.is_free(5.9)  # and the second time it waits longer


@pytest.mark.parametrize(("took_s", "pieces"), [(0.1, [8192, 16384, 16384]), (0.3, [4096] * 3), (0.9, [4096] * 3)])
def test_chunks_grow_on_a_quick_link_and_shrink_on_a_slow_one(took_s: float, pieces: list[int]) -> None:
    chunks = ChunkWindow()
    seen, held, now_s = [], 0, 0.0
    for _ in pieces:
        start, length = _piece(chunks, now_s)
        chunks.sent(SHA, start, length, now_s)
        now_s, held = now_s + took_s, held + length
        chunks.receipted(SHA, BlobReceipt(held=((0, held),)), now_s)
        seen.append(_piece(chunks, now_s)[1])
    assert seen == pieces


def _piece(chunks: ChunkWindow, now_s: float, total_bytes: int = 1_000_000) -> tuple[int, int]:
    piece = chunks.next_piece(SHA, total_bytes, now_s)
    assert piece is not None
    return piece


def test_a_link_that_never_answers_is_not_beating_and_grows_silent() -> None:
    pulse = Pulse()
    pulse.connected()
    assert pulse.is_beating(0.0, is_anything_waiting=False, patience_s=5)
    assert not pulse.is_beating(0.0, is_anything_waiting=True, patience_s=5)
    pulse.sent(10.0)
    pulse.sent(20.0)
    assert pulse.silent_s(30.0) == 20.0


def test_receipts_make_it_beat_until_they_stop() -> None:
    pulse = Pulse()
    pulse.connected()
    pulse.sent(10.0)
    pulse.receipted(11.0, is_more_waiting=True)
    assert pulse.is_beating(15.0, is_anything_waiting=True, patience_s=5)
    assert not pulse.is_beating(17.0, is_anything_waiting=True, patience_s=5)
    pulse.receipted(18.0, is_more_waiting=False)
    assert pulse.silent_s(99.0) == 0.0


def test_waits_grow_to_their_limit_and_differ_between_vans() -> None:
    backoff = Backoff(first_s=2.0, longest_s=30.0)
    assert [backoff.wait_s(tries) for tries in (0, 1, 2, 3, 4, 10_000)] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert backoff.wait_s(1, chance=0.5) == 3.0


def test_a_quick_link_takes_several_chunks_and_a_slow_one_never_does() -> None:
    for took_s, has_room in ((0.2, True), (0.6, False)):
        chunks = ChunkWindow()
        chunks.sent(SHA, 0, 16_384, 0.0)
        chunks.receipted(SHA, BlobReceipt(held=((0, 16_384),)), took_s)
        chunks.sent(SHA, 16_384, 16_384, took_s)
        assert chunks.is_free(took_s) is has_room
        if has_room:
            assert chunks.next_piece(SHA, 40_000, took_s) == (32_768, 7_232)
            chunks.sent(SHA, 32_768, 7_232, took_s)
            assert not chunks.is_free(took_s)
            assert chunks.next_piece(SHA, 40_000, took_s) is None


@pytest.mark.parametrize(
    ("bytes_per_s", "there_and_back_s", "least_use"),
    [(32_000, 0.12, 0.5), (32_000, 0.02, 0.7), (125_000, 0.12, 0.95), (1_250_000, 0.12, 0.5), (125_000, 0.02, 0.9)],
)
def test_evidence_keeps_the_link_busy_and_leaves_a_stop_event_its_half_second(
    bytes_per_s: float, there_and_back_s: float, least_use: float
) -> None:
    chunks = ChunkWindow()
    answers: list[tuple[float, int]] = []
    now_s, link_free_s, held, sent = 0.0, 0.0, 0, 0
    waits_s = []
    while now_s < 60:
        while chunks.is_free(now_s):
            start, length = _piece(chunks, now_s, 100_000_000)
            chunks.sent(SHA, start, length, now_s)
            link_free_s = max(now_s, link_free_s) + length / bytes_per_s
            answers.append((link_free_s + there_and_back_s, start + length))
            sent += length
            waits_s.append(link_free_s - now_s)
        now_s, held = answers.pop(0)
        chunks.receipted(SHA, BlobReceipt(held=((0, held),)), now_s)
    assert max(waits_s) < 0.5
    assert sent / bytes_per_s / now_s > least_use


def test_the_short_end_of_a_blob_does_not_make_a_link_quick() -> None:
    chunks = ChunkWindow()
    chunks.sent(SHA, 16_384, 1_000, 0.0)
    chunks.receipted(SHA, BlobReceipt(is_whole=True), 0.1)
    chunks.sent(SHA, 0, 16_384, 0.1)
    assert not chunks.is_free(0.1)


def test_a_chunk_that_was_not_receipted_in_time_makes_the_link_a_slow_one() -> None:
    chunks = ChunkWindow()
    chunks.sent(SHA, 0, 16_384, 0.0)
    chunks.receipted(SHA, BlobReceipt(held=((0, 16_384),)), 0.1)
    chunks.sent(SHA, 16_384, 16_384, 0.1)
    assert chunks.next_piece(SHA, 90_000, 2.2) == (16_384, 8_192)
    chunks.sent(SHA, 16_384, 16_384, 2.2)
    assert not chunks.is_free(2.2)
