"""Batches of one van that follow on each other are applied as one; nothing is lost, doubled or out of order by it."""

from hypothesis import given
from hypothesis import strategies as st

from cloud.ingest.apply import Incoming, joined
from cloud.ingest.unpack import Events, unpack
from tests.cloud.said import EPOCH, FLEET, OTHER_EPOCH, a_record, arrived
from wire import topics
from wire.codec import encode
from wire.envelope import Batch
from wire.events import Presence


def a_batch(van: str, first_seq: int, count: int, epoch: str = EPOCH, boot: int = 1) -> Incoming:
    records = tuple(a_record(arrived(f"s{seq}"), after_ms=seq) for seq in range(first_seq, first_seq + count))
    batch = Batch(van=van, epoch=epoch, boot=boot, lane="events", first_seq=first_seq, records=records)
    packet = unpack(FLEET, topics.EVENTS.of(FLEET, van), encode(batch))
    assert packet is not None
    return Incoming(packet)


def a_presence(van: str) -> Incoming:
    presence = Presence(van=van, epoch=EPOCH, boot=1, is_online=True)
    packet = unpack(FLEET, topics.PRESENCE.of(FLEET, van), encode(presence))
    assert packet is not None
    return Incoming(packet)


def said(group: list[Incoming], van: str) -> list[object]:
    """What a van says in a group, record by record."""
    words: list[object] = []
    for incoming in group:
        content = incoming.packet.content
        if incoming.packet.van == van:
            words += content.records if isinstance(content, Events) else [content]
    return words


def test_batches_that_follow_on_each_other_become_one_past_those_of_other_vans() -> None:
    group = [a_batch("van-1", 1, 3), a_batch("van-2", 1, 2), a_batch("van-1", 4, 2), a_batch("van-2", 3, 1)]
    counts = [len(one.packet.content.records) for one in joined(group) if isinstance(one.packet.content, Events)]
    assert counts == [5, 3]


def test_a_gap_another_epoch_another_boot_and_another_word_keep_batches_apart() -> None:
    first = a_batch("van-1", 1, 3)
    apart = (
        [a_batch("van-1", 5, 1)],
        [a_batch("van-1", 3, 2)],
        [a_batch("van-1", 4, 1, epoch=OTHER_EPOCH)],
        [a_batch("van-1", 4, 1, boot=2)],
        [a_presence("van-1"), a_batch("van-1", 4, 1)],
    )
    for rest in apart:
        assert joined([first, *rest]) == [first, *rest]


@given(
    st.lists(
        st.tuples(st.sampled_from(["van-1", "van-2"]), st.integers(1, 9), st.integers(1, 4), st.booleans()), max_size=8
    )
)
def test_each_van_says_the_same_in_the_same_order(happened: list[tuple[str, int, int, bool]]) -> None:
    group = [a_presence(van) if is_word else a_batch(van, seq, count) for van, seq, count, is_word in happened]
    for van in ("van-1", "van-2"):
        assert said(joined(group), van) == said(group, van)
