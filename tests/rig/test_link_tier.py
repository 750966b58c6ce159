"""The parts of `link` that can be looked at without a network."""

import struct

import pytest

from tests.rig.link.plan import MAIN, Fault, draw
from tests.rig.link.shuttle import resets

VAN, BROKER = bytes((192, 0, 2, 3)), bytes((192, 0, 2, 1))
ACK, RST, SYN = 0x10, 0x04, 0x02


def a_segment(*, flags: int, seq: int = 1000, acked: int = 5000, data: bytes = b"") -> bytes:
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(data), 0, 0, 64, 6, 0, VAN, BROKER)
    return ip + struct.pack("!HHIIBBHHH", 40_000, 1883, seq, acked, 5 << 4, flags, 0, 0, 0) + data


def is_sound(part: bytes) -> bool:
    total: int = sum(struct.unpack(f"!{len(part) // 2}H", part))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total == 0xFFFF


@pytest.mark.parametrize("first", [1, 8, 500])
def test_fifteen_seeds_in_a_row_have_every_fault_and_each_a_partition(first: int) -> None:
    plans = [draw(seed) for seed in range(first, first + 15)]
    assert {event.fault for plan in plans for event in plan.events} >= set(MAIN)
    assert all(any(event.fault is Fault.PARTITION for event in plan.events) for plan in plans)
    assert all(len(plan.events) >= 3 for plan in plans)


def test_a_seed_draws_the_same_plan_again() -> None:
    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_a_reset_in_the_middle_of_a_connection_is_believed_by_both_ends() -> None:
    back, onward = resets(a_segment(flags=ACK, data=b"half a packet"))
    assert (back[12:16], back[16:20]) == (BROKER, VAN)
    assert struct.unpack("!I", back[24:28]) == (5000,)  # what the van waits for next
    assert (onward[12:16], onward[16:20]) == (VAN, BROKER)
    assert struct.unpack("!I", onward[24:28]) == (1000,)  # what the broker waits for next
    for packet in (back, onward):
        pseudo = packet[12:20] + struct.pack("!HH", 6, len(packet) - 20)
        assert is_sound(packet[:20])
        assert is_sound(pseudo + packet[20:])


def test_a_first_segment_is_refused_and_a_reset_is_not_answered() -> None:
    (refused,) = resets(a_segment(flags=SYN, acked=0))
    assert refused[33] == RST | ACK
    assert struct.unpack("!I", refused[28:32]) == (1001,)
    assert resets(a_segment(flags=RST)) == []
