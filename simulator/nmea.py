"""What a GPS receiver says: one epoch as GGA, GSA, GSV and RMC sentences, and how wrong it is.

Everything of one epoch carries the same time and goes into one datagram, because gpsd merges by time.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from math import exp, sqrt
from random import Random

from wire.geo import Place, moved

MPS_PER_KNOT = 1852 / 3600
_SATELLITES = (
    (2, 67, 43, 46),
    (5, 41, 112, 42),
    (9, 23, 295, 36),
    (12, 55, 201, 44),
    (15, 12, 34, 31),
    (24, 78, 310, 47),
    (25, 34, 76, 40),
    (29, 18, 240, 33),
)
"""Satellite number, elevation, azimuth (degrees) and signal strength (dB-Hz)."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the receiver makes of one second."""

    place: Place
    speed_mps: float
    heading_deg: float
    altitude_m: float = 72.0


def epoch(at: datetime, seen: Seen | None) -> bytes:
    """The datagram of one epoch; None: the receiver sees the time and no position (a tunnel, a garage)."""
    moment = at.astimezone(UTC)
    clock = f"{moment:%H%M%S}.{moment.microsecond // 10_000:02d}"
    day = f"{moment:%d%m%y}"
    if seen is None:
        sentences = [
            f"GPGGA,{clock},,,,,0,00,99.99,,M,,M,,",
            "GPGSA,A,1,,,,,,,,,,,,,99.99,99.99,99.99",
            f"GPRMC,{clock},V,,,,,,,{day},,,N",
        ]
    else:
        where = f"{_lat(seen.place.lat_deg)},{_lon(seen.place.lon_deg)}"
        numbers = ",".join(f"{satellite[0]:02d}" for satellite in _SATELLITES)
        blanks = "," * (12 - len(_SATELLITES))
        speed_knots = seen.speed_mps / MPS_PER_KNOT
        # A standing receiver knows no direction, and leaves the field empty.
        heading = f"{round(seen.heading_deg, 2) % 360:.2f}" if seen.speed_mps > 0.3 else ""
        sentences = [
            f"GPGGA,{clock},{where},1,{len(_SATELLITES):02d},0.94,{seen.altitude_m:.1f},M,51.0,M,,",
            f"GPGSA,A,3,{numbers}{blanks},1.71,0.94,1.43",
            *_satellites(),
            f"GPRMC,{clock},A,{where},{speed_knots:.3f},{heading},{day},,,A",
        ]
    return "".join(f"${text}*{_checksum(text):02X}\r\n" for text in sentences).encode("ascii")


class Wander:
    """How far off the receiver is: it drifts slowly, as real ones do, rather than jump about.

    First-order Gauss-Markov, one step a second: `error_m` is the standard deviation of each axis.
    """

    def __init__(self, seed: int, error_m: float = 2.1, memory_s: float = 40.0) -> None:
        self._rng = Random(seed)  # noqa: S311 - noise, not a key
        self._error_m = error_m
        self._keep = exp(-1.0 / memory_s)
        self._north_m = self._rng.gauss(0.0, error_m)
        self._east_m = self._rng.gauss(0.0, error_m)

    def off(self, seen: Seen) -> Seen:
        """What is seen instead of the truth, in the second after the last call."""
        fresh_m = self._error_m * sqrt(1 - self._keep * self._keep)
        self._north_m = self._north_m * self._keep + self._rng.gauss(0.0, fresh_m)
        self._east_m = self._east_m * self._keep + self._rng.gauss(0.0, fresh_m)
        place = moved(
            seen.place,
            north_m=self._north_m + self._rng.gauss(0.0, 0.25),
            east_m=self._east_m + self._rng.gauss(0.0, 0.25),
        )
        speed_mps = max(0.0, seen.speed_mps + self._rng.gauss(0.0, 0.08)) if seen.speed_mps > 0.2 else 0.0
        heading_deg = (seen.heading_deg + self._rng.gauss(0.0, 1.0 + 4.0 / (1.0 + seen.speed_mps))) % 360.0
        return Seen(place, speed_mps, heading_deg, seen.altitude_m + self._north_m)


def _lat(lat_deg: float) -> str:
    return f"{_minutes(lat_deg, 2)},{'S' if lat_deg < 0 else 'N'}"


def _lon(lon_deg: float) -> str:
    return f"{_minutes(lon_deg, 3)},{'W' if lon_deg < 0 else 'E'}"


def _minutes(angle_deg: float, digits: int) -> str:
    """Degrees and minutes without a gap: 41.15 is 4109.00000. Rounded first, so that 59.999999 never prints as 60."""
    units = round(abs(angle_deg) * 60 * 100_000)
    degrees, rest = divmod(units, 60 * 100_000)
    return f"{degrees:0{digits}d}{rest / 100_000:08.5f}"


def _satellites() -> list[str]:
    groups = [_SATELLITES[k : k + 4] for k in range(0, len(_SATELLITES), 4)]
    return [
        f"GPGSV,{len(groups)},{k},{len(_SATELLITES):02d},"
        + ",".join(f"{n:02d},{e:02d},{a:03d},{s:02d}" for n, e, a, s in group)
        for k, group in enumerate(groups, start=1)
    ]


def _checksum(text: str) -> int:
    return reduce(lambda total, byte: total ^ byte, text.encode("ascii"), 0)
