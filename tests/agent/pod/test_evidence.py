"""What is kept of a photo or signature, and what is refused with words a driver understands."""

import hashlib
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from agent.errors import EvidenceRefusedError
from agent.pod.evidence import MAX_PHOTO_BYTES, MAX_SIGNATURE_BYTES, keep
from tests.agent.pictures import a_photo, a_signature
from wire.manifest import EvidenceKind

PHOTO, SIGNATURE = EvidenceKind.PHOTO, EvidenceKind.SIGNATURE


def test_a_photo_becomes_a_small_jpeg() -> None:
    kept = keep(PHOTO, a_photo(3000, 2000))
    assert kept.media_type == "image/jpeg"
    assert len(kept.data) <= MAX_PHOTO_BYTES
    assert kept.sha256 == hashlib.sha256(kept.data).hexdigest()
    assert max(Image.open(BytesIO(kept.data)).size) == 1600


def test_a_noisy_photo_gets_smaller_until_it_fits() -> None:
    noise = Image.effect_noise((2000, 1500), 120).convert("RGB")
    out = BytesIO()
    noise.save(out, "JPEG", quality=95)
    assert len(keep(PHOTO, out.getvalue()).data) <= MAX_PHOTO_BYTES


def test_a_signature_becomes_a_small_png_on_white() -> None:
    kept = keep(SIGNATURE, a_signature())
    image = Image.open(BytesIO(kept.data)).convert("L")
    assert kept.media_type == "image/png"
    assert len(kept.data) <= MAX_SIGNATURE_BYTES
    assert image.getpixel((0, 299)) == 255
    assert any(image.histogram()[:60])


def test_the_same_bytes_give_the_same_result() -> None:
    assert keep(PHOTO, a_photo()) == keep(PHOTO, a_photo())


def test_place_time_and_maker_do_not_stay_in_a_photo() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretPhone"
    exif[0x9003] = "2026:11:23 08:00:00"
    sent = a_photo(exif=exif, comment=b"hidden note")
    assert b"SecretPhone" in sent
    kept = keep(PHOTO, sent)
    assert b"SecretPhone" not in kept.data
    assert b"hidden note" not in kept.data
    assert not Image.open(BytesIO(kept.data)).getexif()


def test_a_photo_taken_sideways_is_kept_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees
    assert Image.open(BytesIO(keep(PHOTO, a_photo(1200, 800, exif=exif)).data)).size == (800, 1200)


def test_a_phones_twelve_megapixels_pass() -> None:
    assert len(keep(PHOTO, a_photo(4032, 3024)).data) <= MAX_PHOTO_BYTES


def a_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kB that says it is huge."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1_000_000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"%PDF-1.7 not a picture", "only JPEG and PNG"),
        (b"GIF89a" + b"\0" * 100, "only JPEG and PNG"),
        (a_photo()[:3000], "damaged"),
        (a_signature()[:200], "damaged"),
        (b"\xff\xd8\xff" + b"\0" * 50, "only JPEG and PNG"),
        (a_bomb(5000, 5000), "too big"),
        (a_bomb(20_000, 20_000), "too big"),
        (a_bomb(60_000, 60_000), "too big"),
        (a_bomb(1, 12_000_000), "too big"),
        (a_photo() + b"\0" * 12_000_001, "too big"),
    ],
    ids=["empty", "pdf", "gif", "cut jpeg", "cut png", "stub", "25 Mpx", "400 Mpx", "3.6 Gpx", "a hair", "12 MB"],
)
def test_what_is_no_picture_we_can_keep_is_refused_in_words(data: bytes, words: str) -> None:
    with pytest.raises(EvidenceRefusedError, match=words):
        keep(PHOTO, data)


def test_an_empty_signature_is_refused() -> None:
    blank = BytesIO()
    Image.new("RGBA", (800, 300), (0, 0, 0, 0)).save(blank, "PNG")
    with pytest.raises(EvidenceRefusedError, match="sign in the box"):
        keep(SIGNATURE, blank.getvalue())
