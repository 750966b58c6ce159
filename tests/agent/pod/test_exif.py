"""What a photo says of itself: the van's word on time and place, and nothing of the camera's."""

from datetime import UTC, datetime
from io import BytesIO
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from agent.pod.evidence import MAX_PHOTO_BYTES, keep
from agent.pod.exif import Capture, Spot, own_exif
from tests.agent.pictures import a_photo
from wire.geo import Place
from wire.manifest import EvidenceKind

AT = datetime(2026, 7, 23, 9, 5, 6, tzinfo=ZoneInfo("Europe/Lisbon"))
SPOT = Spot(place=Place(lat_deg=41.1496123, lon_deg=-8.6109), fixed_at=AT.astimezone(UTC), error_m=4.2)
SAID = {305, 0x8769, 0x8825}
SAID_OF_TIME = {0x9000, 0x9003, 0x9011}


def kept(capture: Capture, data: bytes | None = None) -> Image.Exif:
    photo = keep(EvidenceKind.PHOTO, data or a_photo(), capture)
    assert len(photo.data) <= MAX_PHOTO_BYTES
    return Image.open(BytesIO(photo.data)).getexif()


def test_a_photo_says_when_it_was_taken_with_the_offset_of_the_clock_and_where() -> None:
    exif = kept(Capture(at=AT, spot=SPOT))
    own, gps = exif.get_ifd(0x8769), exif.get_ifd(0x8825)
    assert (own[0x9003], own[0x9011]) == ("2026:07:23 09:05:06", "+01:00")
    assert (gps[1], gps[3], gps[29]) == ("N", "W", "2026:07:23")
    assert abs(float(gps[2][0]) + float(gps[2][1]) / 60 + float(gps[2][2]) / 3600 - 41.1496123) < 1e-7
    assert abs(float(gps[4][0]) + float(gps[4][1]) / 60 + float(gps[4][2]) / 3600 - 8.6109) < 1e-7
    assert tuple(map(float, gps[7])) == (8.0, 5.0, 6.0)
    assert exif[305] == "Roundsman"


def test_without_a_place_that_is_believed_it_says_only_when() -> None:
    assert not kept(Capture(at=AT)).get_ifd(0x8825)


def test_nothing_of_the_cameras_own_stays() -> None:
    theirs = Image.Exif()
    theirs[0x010F], theirs[0x013B], theirs[0x8298] = "SecretPhone", "Ana", "Ana & Co"
    theirs.get_ifd(0x8769).update({0x927C: b"maker's notes", 0xA431: "SERIAL-77", 0x9003: "2001:01:01 00:00:00"})
    theirs.get_ifd(0x8825).update({1: "S", 2: (12.0, 34.0, 56.0), 3: "E", 4: (98.0, 7.0, 6.0)})
    sent = a_photo(exif=theirs, comment=b"hidden note")
    assert all(word in sent for word in (b"SecretPhone", b"SERIAL-77", b"maker's notes"))
    for capture in (Capture(at=AT), Capture(at=AT, spot=SPOT)):
        exif = kept(capture, sent)
        assert set(exif) <= SAID
        assert set(exif.get_ifd(0x8769)) == SAID_OF_TIME
        data = keep(EvidenceKind.PHOTO, sent, capture).data
        for word in (b"SecretPhone", b"SERIAL-77", b"maker's notes", b"Ana", b"2001:01:01", b"hidden note"):
            assert word not in data
        gps = exif.get_ifd(0x8825)
        assert not gps or (gps[1], float(gps[2][0])) == ("N", 41.0)
    assert 1 not in Image.open(BytesIO(keep(EvidenceKind.PHOTO, sent, Capture(at=AT)).data)).getexif().get_ifd(1)


def test_the_same_capture_gives_the_same_bytes() -> None:
    assert keep(EvidenceKind.PHOTO, a_photo(), Capture(at=AT, spot=SPOT)) == keep(
        EvidenceKind.PHOTO, a_photo(), Capture(at=AT, spot=SPOT)
    )


@given(st.floats(-90, 90), st.floats(-180, 180), st.none() | st.floats(0, 1e6), st.datetimes(timezones=st.just(UTC)))
def test_any_place_and_time_can_be_written(lat: float, lon: float, error: float | None, at: datetime) -> None:
    spot = Spot(place=Place(lat_deg=lat, lon_deg=lon), fixed_at=at, error_m=error)
    exif = Image.Exif()
    exif.load(own_exif(Capture(at=at, spot=spot)))
    degrees, minutes, seconds = (float(part) for part in exif.get_ifd(0x8825)[2])
    assert abs(degrees + minutes / 60 + seconds / 3600 - abs(lat)) < 1e-7
    assert minutes < 60
    assert seconds < 60
