"""What is known of a sealed link from the outside. The lengths are those of a recorded run."""

from hypothesis import given
from hypothesis import strategies as st

from simulator.records import Conversation, Records

HANDSHAKE_DOWN = (23, 62, 961, 96, 69, 698, 698)
HANDSHAKE_UP = (908, 96, 69, 236, 153)  # certificate to Finished, CONNECT, SUBSCRIBE
CONNACK, SUBACK, PUBACK, MANIFEST, CONDITIONS, PRESENCE, BATCH, RECEIPT = 33, 26, 21, 1796, 567, 333, 400, 176


def sealed(*lengths: int) -> bytes:
    return b"".join(b"\x17\x03\x03" + length.to_bytes(2) + bytes(length) for length in lengths)


def connected() -> Conversation:
    """A van that is online, its retained messages read and its presence said."""
    conversation = Conversation()
    conversation.upward(sealed(*HANDSHAKE_UP))
    assert not conversation.downward(sealed(*HANDSHAKE_DOWN, CONNACK, SUBACK, MANIFEST, CONDITIONS))
    conversation.upward(sealed(PRESENCE))
    assert not conversation.downward(sealed(PUBACK))
    return conversation


def test_a_receipt_is_what_follows_a_batch() -> None:
    conversation = connected()
    conversation.upward(sealed(BATCH))
    assert not conversation.downward(sealed(PUBACK))
    assert conversation.downward(sealed(RECEIPT))
    assert not conversation.downward(sealed(RECEIPT))  # nothing more was owed


def test_manifests_and_conditions_told_again_are_no_receipts() -> None:
    conversation = connected()
    conversation.upward(sealed(BATCH))
    assert not conversation.downward(sealed(PUBACK, MANIFEST, CONDITIONS))
    assert conversation.downward(sealed(RECEIPT))


def test_what_the_broker_kept_is_no_receipt_though_something_goes_up_meanwhile() -> None:
    conversation = Conversation()
    conversation.upward(sealed(*HANDSHAKE_UP))
    conversation.downward(sealed(*HANDSHAKE_DOWN, CONNACK))
    conversation.upward(sealed(BATCH))
    assert not conversation.downward(sealed(SUBACK, 300))


@given(st.lists(st.integers(1, 2000), max_size=8), st.lists(st.integers(1, 400), max_size=40))
def test_records_are_read_however_the_network_cuts_them(lengths: list[int], cuts: list[int]) -> None:
    records, rest, found = Records(), sealed(*lengths), []
    for cut in [*cuts, 100_000]:
        found += records.lengths(rest[:cut])
        rest = rest[cut:]
    assert found == lengths
