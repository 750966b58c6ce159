"""One direction of one connection, and the weather it lies in.

Under `stream` rules it is as TCP is: in order, whole, until the connection ends. Under `datagram` rules the messages
that the protocol must be able to lose (all that goes up, and receipts) are lost, doubled and overtaken as well: worse
than any MQTT link, and what a bridge or a broken broker makes of one.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Weather:
    """Delays in seconds; chances per message."""

    least_s: float
    most_s: float
    is_datagram: bool = False
    loss: float = 0.0
    doubling: float = 0.0


class Pipe:
    """Delivers what is sent, later. While `is_blocked` a stream holds its messages back and datagrams are gone."""

    def __init__(self, loop: asyncio.AbstractEventLoop, dice: random.Random, weather: Callable[[], Weather]) -> None:
        self._loop, self._dice, self._weather_now = loop, dice, weather
        self._is_blocked = False
        self._held: list[Callable[[], None]] = []
        self._last_s = 0.0
        self._is_closed = False

    @property
    def _weather(self) -> Weather:
        return self._weather_now()

    def send(self, deliver: Callable[[], None], *, may_be_lost: bool = False) -> bool:
        """False when it was lost on the way, which nobody on the way would know."""
        if self._is_closed:
            return True
        if self._weather.is_datagram and may_be_lost:
            if self._is_blocked or self._dice.random() < self._weather.loss:
                return False
            for _ in range(1 + (self._dice.random() < self._weather.doubling)):
                self._later(self._loop.time() + self._delay_s(), deliver)
        elif self._is_blocked:
            self._held.append(deliver)
        else:
            self._in_order(deliver)
        return True

    def block(self) -> None:
        self._is_blocked = True

    def unblock(self) -> None:
        self._is_blocked = False
        held, self._held = self._held, []
        for deliver in held:
            self._in_order(deliver)

    def close(self) -> None:
        """What is under way arrives nowhere."""
        self._is_closed = True
        self._held = []

    def _delay_s(self) -> float:
        return self._dice.uniform(self._weather.least_s, self._weather.most_s)

    def _in_order(self, deliver: Callable[[], None]) -> None:
        self._last_s = max(self._last_s + 1e-6, self._loop.time() + self._delay_s())
        self._later(self._last_s, deliver)

    def _later(self, at_s: float, deliver: Callable[[], None]) -> None:
        self._loop.call_at(at_s, self._arrive, deliver)

    def _arrive(self, deliver: Callable[[], None]) -> None:
        if not self._is_closed:
            deliver()
