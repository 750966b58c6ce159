"""Logs made up for tests: one epoch a second of RMC, GGA and GSA, as a plain receiver says them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.gps.nmea import MPS_PER_KNOT, checksum
from tests.builders import MORNING, a_place
from wire.geo import Place


@dataclass(frozen=True)
class Second:
    """What a receiver says in one second; None leaves a field empty, no place is no fix."""

    at: datetime
    place: Place | None
    speed_mps: float | None = 10.0
    track_deg: float | None = 0.0

    def said(self) -> bytes:
        clock, day = f"{self.at:%H%M%S}.00", f"{self.at:%d%m%y}"
        if self.place is None:
            return b"".join(
                map(
                    sentence,
                    (f"GPGGA,{clock},,,,,0,00,,,M,,M,,", "GPGSA,A,1" + "," * 15, f"GPRMC,{clock},V,,,,,,,{day},,,N"),
                )
            )
        where = f"{_angle(self.place.lat_deg, 2)},{'NS'[self.place.lat_deg < 0]}"
        where += f",{_angle(self.place.lon_deg, 3)},{'EW'[self.place.lon_deg < 0]}"
        speed = "" if self.speed_mps is None else f"{self.speed_mps / MPS_PER_KNOT:.3f}"
        track = "" if self.track_deg is None else f"{self.track_deg:.1f}"
        return b"".join(
            map(
                sentence,
                (
                    f"GPGGA,{clock},{where},1,09,0.9,80.0,M,50.0,M,,",
                    "GPGSA,A,3,02,05,07,13,15,20,21,29,30,,,,1.6,0.9,1.3",
                    f"GPRMC,{clock},A,{where},{speed},{track},{day},,,A",
                ),
            )
        )


def sentence(text: str) -> bytes:
    """With `$`, checksum and line end."""
    return f"${text}*{checksum(text.encode()):02X}\r\n".encode()


def a_drive(seconds: int, *, speed_mps: float = 10.0, from_s: int = 0, began: datetime = MORNING) -> list[Second]:
    """North from the depot at that speed."""
    return [
        Second(began + timedelta(seconds=k), a_place(north_m=speed_mps * k), speed_mps)
        for k in range(from_s, from_s + seconds)
    ]


def log(seconds: Iterable[Second]) -> bytes:
    return b"".join(second.said() for second in seconds)


def _angle(angle_deg: float, digits: int) -> str:
    units = round(abs(angle_deg) * 6_000_000)
    degrees, rest = divmod(units, 6_000_000)
    return f"{degrees:0{digits}d}{rest / 100_000:08.5f}"
