"""What the disk would not take: kept, taken again, and answered once it is saved."""

from agent.link.unsaved import AGAIN_EVERY_S, MOST, Unsaved
from wire.mqtt import Arrived


def a_message(payload: bytes) -> Arrived:
    return Arrived("rm/1/town/van-1/down/manifest", payload, lambda: None)


def test_what_is_kept_is_due_again_and_again_until_it_is_saved() -> None:
    unsaved, first, second = Unsaved(), a_message(b"1"), a_message(b"2")
    assert unsaved.keep(first, 10.0)
    assert unsaved.keep(second, 10.5)
    assert unsaved.due(10.0) == []
    assert unsaved.due(10.0 + AGAIN_EVERY_S) == [first, second]
    assert not unsaved.keep(first, 13.0)  # it failed again, and that is no news
    unsaved.saved(second)
    assert unsaved.due(10.0 + 2 * AGAIN_EVERY_S) == [first]
    unsaved.saved(first)
    assert unsaved.due(100.0) == []


def test_the_same_from_a_new_connection_is_kept_once_and_answered_there() -> None:
    unsaved, old, new = Unsaved(), a_message(b"1"), a_message(b"1")
    unsaved.keep(old, 0.0)
    unsaved.keep(new, 1.0)
    assert [event is new for event in unsaved.due(10.0)] == [True]


def test_no_more_is_kept_than_there_is_use_for() -> None:
    unsaved = Unsaved()
    for number in range(MOST + 5):
        unsaved.keep(a_message(b"%d" % number), 0.0)
    kept = unsaved.due(10.0)
    assert len(kept) == MOST
    assert kept[-1].payload == b"%d" % (MOST + 4)
