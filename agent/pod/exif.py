"""What a kept photo says of itself: when it was taken and, where that is believed, from where. Nothing else. Pure.

The camera's own words (maker, serial number, its clock, its place, a thumbnail of what was cut away) stay behind with
the file that came; these are written anew, from the van's clock and the van's receiver. EXIF 2.32 (CIPA DC-008).
"""

from datetime import UTC, datetime

from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from wire.geo import Place
from wire.model import Instant, Metres, Value

_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_SOFTWARE, _TAKEN, _OFFSET, _VERSION = 0x0131, 0x9003, 0x9011, 0x9000
_GPS_VERSION, _LAT_REF, _LAT, _LON_REF, _LON, _GPS_TIME, _DATUM, _GPS_DAY, _GPS_ERROR = 0, 1, 2, 3, 4, 7, 18, 29, 31
_PARTS = 10_000
"""Of a second of arc: some 3 mm."""


class Spot(Value):
    """Where the van was, by a fix that may stand in a proof."""

    place: Place
    fixed_at: Instant
    error_m: Metres | None = None


class Capture(Value):
    """When, on the clock of the depot, and where from; None: nobody knows, or the driver is off duty."""

    at: Instant
    """With the offset of that clock."""
    spot: Spot | None = None


def own_exif(capture: Capture) -> bytes:
    """The block that goes into a JPEG; the same capture gives the same bytes."""
    exif = Image.Exif()
    exif[_SOFTWARE] = "Roundsman"
    own = exif.get_ifd(_EXIF_IFD)
    own[_VERSION] = b"0232"
    own[_TAKEN] = capture.at.strftime("%Y:%m:%d %H:%M:%S")
    own[_OFFSET] = _offset(capture.at)
    if capture.spot is not None:
        gps = exif.get_ifd(_GPS_IFD)
        place, fixed_at = capture.spot.place, capture.spot.fixed_at.astimezone(UTC)
        gps[_GPS_VERSION] = b"\x02\x03\x00\x00"
        gps[_LAT_REF], gps[_LAT] = "N" if place.lat_deg >= 0 else "S", _degrees(place.lat_deg)
        gps[_LON_REF], gps[_LON] = "E" if place.lon_deg >= 0 else "W", _degrees(place.lon_deg)
        gps[_GPS_TIME] = tuple(IFDRational(part, 1) for part in (fixed_at.hour, fixed_at.minute, fixed_at.second))
        gps[_DATUM] = "WGS-84"
        gps[_GPS_DAY] = fixed_at.strftime("%Y:%m:%d")
        if capture.spot.error_m is not None:
            gps[_GPS_ERROR] = IFDRational(round(capture.spot.error_m * 10), 10)
    return exif.tobytes()


def _degrees(value_deg: float) -> tuple[IFDRational, IFDRational, IFDRational]:
    """Degrees, minutes and seconds."""
    parts = round(abs(value_deg) * 3600 * _PARTS)
    minutes, seconds = divmod(parts, 60 * _PARTS)
    degrees, minutes = divmod(minutes, 60)
    return IFDRational(degrees, 1), IFDRational(minutes, 1), IFDRational(seconds, _PARTS)


def _offset(at: datetime) -> str:
    text = at.strftime("%z") or "+0000"
    return f"{text[:3]}:{text[3:5]}"
