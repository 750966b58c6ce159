"""A receiver's own words, read without gpsd: NMEA 0183 sentences to raw fixes, one an epoch. Pure.

Of each epoch RMC gives date, time, place, speed and heading, GGA height and dilution, GSA whether the fix is flat.
A sentence counts only with its right checksum. An epoch ends where the next one begins: with another time of day, or
with a sentence of a kind that it already has. What any of them calls void is void.

    $GPRMC,235234,A,3925.9702,N,11945.9354,W,45.1,153.1,250905,15.2,E,A*01
    $GPGGA,235234,3925.9702,N,11945.9354,W,1,10,0.8,1378.6,M,-22.1,M,,*4D
    $GPGSA,A,3,04,07,08,09,11,24,26,27,28,29,,,1.5,0.8,1.3*38
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce

from agent.gps.gpsd import RawFix

MPS_PER_KNOT = 1852 / 3600
ERROR_PER_HDOP_M = 19.0
"""95 % of the fixes of a plain receiver lie within this times the dilution, as gpsd 3.22 reckons it (`eph`/`hdop`)."""
LONGEST_SENTENCE = 1024
"""NMEA says 82; some receivers say more."""
_HALF_DAY = timedelta(hours=12)


@dataclass(frozen=True)
class Epoch:
    """What a receiver said in one go."""

    line: int
    """Of the log, from 1, where it begins."""
    fix: RawFix | None
    """None: without a time or a date, so that nobody can say when it was."""


@dataclass
class Log:
    """Reads a log line by line; `damaged` counts the sentences whose checksum is wrong or missing."""

    damaged: int = 0
    _day: date | None = None
    _before: time | None = None
    _open: "_Parts | None" = field(default=None, init=False)

    def epochs(self, lines: Iterable[bytes]) -> Iterator[Epoch]:
        """Every epoch in order. Lines that are no sentence (comments, binary noise) are passed over."""
        for number, line in enumerate(lines, start=1):
            words = self._words(line)
            if words is None or words[0][2:] not in ("RMC", "GGA", "GSA"):
                continue
            kind = words[0][2:]
            if self._open is not None and self._open.ends_before(kind, words):
                yield self._closed(self._open)
                self._open = None
            if self._open is None:
                self._open = _Parts(number)
            self._open.add(kind, words)
        if self._open is not None:
            yield self._closed(self._open)
            self._open = None

    def _words(self, line: bytes) -> list[str] | None:
        """The fields of a sentence, its name first; None for what is none, or is damaged."""
        start = line.find(b"$")
        if start < 0 or line.lstrip().startswith(b"#"):
            return None
        body, star, tail = line[start + 1 :].strip().partition(b"*")
        if not star or len(body) > LONGEST_SENTENCE or not _is_right(body, tail):
            self.damaged += 1
            return None
        words = body.decode("ascii", "replace").split(",")
        return words if len(words[0]) == 5 else None

    def _closed(self, parts: "_Parts") -> Epoch:
        clock = parts.clock
        self._day = self._date(parts, clock)
        self._before = clock or self._before
        if clock is None or self._day is None:
            return Epoch(parts.line, None)
        return Epoch(parts.line, parts.fix(datetime.combine(self._day, clock, UTC)))

    def _date(self, parts: "_Parts", clock: time | None) -> date | None:
        """RMC's date; without one the day goes on, and turns when the time of day falls back by half a day."""
        if parts.day is not None or clock is None or self._day is None or self._before is None:
            return parts.day or self._day
        fell_back = datetime.combine(self._day, self._before) - datetime.combine(self._day, clock) > _HALF_DAY
        try:
            return self._day + timedelta(days=1) if fell_back else self._day
        except OverflowError:
            return None


@dataclass
class _Parts:
    line: int
    rmc: list[str] | None = None
    gga: list[str] | None = None
    modes: list[int] = field(default_factory=list)

    def ends_before(self, kind: str, words: list[str]) -> bool:
        if kind == "GSA":
            return False  # one for each kind of satellites, and it has no time
        if getattr(self, kind.lower()) is not None:
            return True
        clock = _clock(_field(words, 1))
        return (self.rmc is not None or self.gga is not None) and clock != self.clock

    def add(self, kind: str, words: list[str]) -> None:
        if kind == "RMC":
            self.rmc = words
        elif kind == "GGA":
            self.gga = words
        elif _field(words, 2) in ("1", "2", "3"):
            self.modes.append(int(_field(words, 2)))

    @property
    def clock(self) -> time | None:
        return _clock(_field(self.rmc, 1)) or _clock(_field(self.gga, 1))

    @property
    def day(self) -> date | None:
        text = _field(self.rmc, 9)
        if len(text) != 6 or not text.isdecimal():
            return None
        year = int(text[4:])
        try:
            return date(year + (1900 if year >= 80 else 2000), int(text[2:4]), int(text[:2]))
        except ValueError:
            return None

    def fix(self, at: datetime) -> RawFix:
        is_void = (
            _field(self.rmc, 2) not in ("", "A") or _field(self.gga, 6) == "0" or (self.modes and max(self.modes) == 1)
        )
        if is_void:
            return RawFix(at, 1)
        mode = max(self.modes) if self.modes else (3 if _number(_field(self.gga, 9)) is not None else 2)
        words, first = (self.rmc, 3) if self.rmc is not None else (self.gga, 2)
        speed_kn, hdop = _number(_field(self.rmc, 7)), _number(_field(self.gga, 8))
        return RawFix(
            time=at,
            mode=mode,
            lat_deg=_angle(_field(words, first), _field(words, first + 1), "NS"),
            lon_deg=_angle(_field(words, first + 2), _field(words, first + 3), "EW"),
            speed_mps=None if speed_kn is None else speed_kn * MPS_PER_KNOT,
            track_deg=_number(_field(self.rmc, 8)),
            eph_m=None if hdop is None else hdop * ERROR_PER_HDOP_M,
        )


def checksum(body: bytes) -> int:
    """Of what stands between `$` and `*`."""
    return reduce(lambda total, byte: total ^ byte, body, 0)


def _is_right(body: bytes, tail: bytes) -> bool:
    try:
        return int(tail[:2], 16) == checksum(body) and len(tail.strip()) == 2
    except ValueError:
        return False


def _field(words: list[str] | None, index: int) -> str:
    return words[index].strip() if words is not None and index < len(words) else ""


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _clock(text: str) -> time | None:
    """`hhmmss` or `hhmmss.sss`. The 60th second of a leap second is told as the last moment of the 59th."""
    seconds = _number(text[4:])
    if len(text) < 6 or not text[:6].isdecimal() or seconds is None or seconds >= 61:
        return None
    micros = round(min(seconds, 59.999999) * 1e6)
    try:
        return time(int(text[:2]), int(text[2:4]), micros // 1_000_000, micros % 1_000_000)
    except ValueError:
        return None


def _angle(text: str, side: str, sides: str) -> float | None:
    """`ddmm.mmmm` or `dddmm.mmmm` in degrees; None when it is missing or its side is."""
    digits, value = text.find(".") if "." in text else len(text), _number(text)
    if value is None or digits < 3 or side not in sides or not side:
        return None
    minutes = _number(text[digits - 2 :])
    whole = _number(text[: digits - 2])
    if minutes is None or whole is None or not 0 <= minutes < 60:
        return None
    return (whole + minutes / 60) * (1 if side == sides[0] else -1)
