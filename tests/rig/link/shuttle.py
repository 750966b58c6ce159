"""Carries packets between the namespaces, and does to them what the weather of their way says.

A star: each node has one TUN, and every packet goes to or from the broker. The kernel here has no netem; this is what
stands in for it, and can do what netem cannot: an MTU that eats big packets in silence, resets, one-way silence.
"""

import asyncio
import contextlib
import os
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

READ_BYTES = 65_536
TELLING_BYTES = 150
"""A packet this big holds a message; smaller ones may only acknowledge."""
_TCP, _FIN, _SYN, _RST, _ACK = 6, 0x01, 0x02, 0x04, 0x10


@dataclass
class Way:
    """What happens between one node and the broker, both ways unless it says otherwise. Seconds; shares of packets."""

    delay_s: float = 0.005
    jitter_s: float = 0.005
    loss: float = 0.0
    doubling: float = 0.0
    flipping: float = 0.0
    """One bit of the packet is another: the checksums of IP or TCP find it, so it is a loss that costs more."""
    is_up_closed: bool = False
    is_down_closed: bool = False
    is_resetting: bool = False
    """Every segment is answered with a reset, to both ends."""
    largest_bytes: int = READ_BYTES


class Shuttle:
    """On the running event loop, until `close`."""

    def __init__(self, hub: str, tuns: dict[str, int], dice: random.Random) -> None:
        """`tuns`: each node's address and TUN, the hub's too."""
        self.ways = {address: Way() for address in tuns if address != hub}
        self.carried = 0
        self._hub, self._tuns, self._dice = hub, tuns, dice
        self._watched: dict[str, Callable[[], None]] = {}
        self._loop = asyncio.get_running_loop()
        for address, tun in tuns.items():
            self._loop.add_reader(tun, self._read, address)

    async def speaks(self, address: str, act: Callable[[], None], within_s: float) -> None:
        """Calls `act` when that node has just sent a packet with something in it; after `within_s` in any case."""
        has_spoken = asyncio.Event()

        def spoke() -> None:
            act()
            has_spoken.set()

        self._watched[address] = spoke
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(has_spoken.wait(), within_s)
        if self._watched.pop(address, None) is not None:
            act()

    def close(self) -> None:
        for tun in self._tuns.values():
            self._loop.remove_reader(tun)

    def _read(self, address: str) -> None:
        with contextlib.suppress(OSError):  # nothing more to read, or the interface went down
            while packet := os.read(self._tuns[address], READ_BYTES):
                self._take(packet)

    def _take(self, packet: bytes) -> None:
        if packet[0] >> 4 != 4:
            return
        source, target = _address(packet[12:16]), _address(packet[16:20])
        is_up = target == self._hub
        way = self.ways.get(source if is_up else target)
        if way is None or target not in self._tuns:
            return
        if len(packet) >= TELLING_BYTES and (act := self._watched.pop(source, None)) is not None:
            act()
        dice = self._dice
        if (way.is_up_closed if is_up else way.is_down_closed) or len(packet) > way.largest_bytes:
            return
        if way.is_resetting and packet[9] == _TCP:
            for reset in resets(packet):
                self._put(_address(reset[16:20]), reset)
            return
        if dice.random() < way.loss:
            return
        if dice.random() < way.flipping:
            place = dice.randrange(8 * len(packet))
            damaged = bytearray(packet)
            damaged[place // 8] ^= 1 << place % 8
            packet = bytes(damaged)
        for _ in range(2 if dice.random() < way.doubling else 1):
            self._loop.call_later(way.delay_s + dice.uniform(0.0, way.jitter_s), self._put, target, packet)

    def _put(self, target: str, packet: bytes) -> None:
        with contextlib.suppress(OSError):  # the interface is down, or its queue is full
            os.write(self._tuns[target], packet)
            self.carried += 1


def resets(packet: bytes) -> list[bytes]:
    """The resets that end a connection at both ends, as something between them would send them; none for a reset."""
    header = (packet[0] & 15) * 4
    source, target = packet[12:16], packet[16:20]
    from_port, to_port, seq, acked, offset, flags = struct.unpack("!HHIIBB", packet[header : header + 14])
    if flags & _RST:
        return []
    length = struct.unpack("!H", packet[2:4])[0] - header - (offset >> 4) * 4
    next_seq = seq + length + bool(flags & _SYN) + bool(flags & _FIN)
    if flags & _ACK:
        back = _segment(target, source, to_port, from_port, acked, 0, _RST)
        return [back, _segment(source, target, from_port, to_port, seq, 0, _RST)]
    return [_segment(target, source, to_port, from_port, 0, next_seq & 0xFFFFFFFF, _RST | _ACK)]


def _segment(source: bytes, target: bytes, from_port: int, to_port: int, seq: int, acked: int, flags: int) -> bytes:
    def tcp(check: int) -> bytes:
        return struct.pack("!HHIIBBHHH", from_port, to_port, seq, acked, 5 << 4, flags, 0, check, 0)

    def ip(check: int) -> bytes:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 0, 0, 64, _TCP, check, source, target)

    return ip(_checksum(ip(0))) + tcp(_checksum(source + target + struct.pack("!HH", _TCP, 20) + tcp(0)))


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _address(four: bytes) -> str:
    return ".".join(map(str, four))
