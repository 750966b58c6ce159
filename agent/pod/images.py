"""Foreign bytes to pixels and pixels to small files. Only JPEG and PNG are opened; size is checked before unpacking."""

import struct
from collections.abc import Iterator
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from agent.errors import EvidenceRefusedError

MAX_BYTES = 12_000_000
MAX_PIXELS = 12_500_000
"""A phone's 4032 x 3024 passes; what unpacks to much more than it weighs does not."""
MAX_EDGE = 10_000
"""A picture one point wide and millions high is no camera's, and costs many times its points to make small."""


def open_image(data: bytes) -> Image.Image:
    """The upright picture, on white where it was transparent. Raises EvidenceRefusedError, in a driver's words."""
    if not data:
        raise EvidenceRefusedError("The picture is empty. Please take it again.")
    if len(data) > MAX_BYTES:
        raise EvidenceRefusedError(
            f"The picture is too big: {len(data) / 1e6:.0f} MB, {MAX_BYTES // 1_000_000} at most."
        )
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_EDGE:
                raise EvidenceRefusedError(
                    f"The picture is too big: {image.width} x {image.height} points. Please use a smaller size."
                )
            image.draft("RGB", (2000, 2000))  # lets a JPEG be read at a fraction of its size and memory
            image.load()
            upright = ImageOps.exif_transpose(image)
            return _on_white(upright)
    except EvidenceRefusedError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise EvidenceRefusedError("The picture is too big. Please use a smaller size.") from error
    except UnidentifiedImageError as error:
        raise EvidenceRefusedError("This is not a picture we can keep: only JPEG and PNG.") from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error) as error:  # what damaged files raise
        raise EvidenceRefusedError("The picture is damaged or cut short. Please take it again.") from error


def as_jpeg(image: Image.Image, limit_bytes: int, exif: bytes = b"") -> bytes:
    """A JPEG of at most that many bytes, without any metadata but `exif`: first less quality, then fewer points."""
    for small in _ever_smaller(image, 1600):
        for quality in (82, 70, 58, 45):
            data = _saved(small, "JPEG", quality=quality, optimize=True, **({"exif": exif} if exif else {}))
            if len(data) <= limit_bytes:
                return data
    raise EvidenceRefusedError("The picture cannot be made small enough. Please take another one.")


def as_png(image: Image.Image, limit_bytes: int) -> bytes:
    """A PNG in 16 greys of at most that many bytes, without any metadata."""
    for small in _ever_smaller(image.convert("L"), 1200):
        data = _saved(small.quantize(16), "PNG", optimize=True)
        if len(data) <= limit_bytes:
            return data
    raise EvidenceRefusedError("The signature cannot be made small enough. Please sign again.")


def is_blank(image: Image.Image) -> bool:
    """Whether all points have about the same brightness."""
    darkest, brightest = image.convert("L").getextrema()
    return float(brightest) - float(darkest) < 24  # type: ignore[arg-type]  # one band: two numbers


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        above = image.convert("RGBA")
        white = Image.new("RGBA", above.size, "white")
        return Image.alpha_composite(white, above).convert("RGB")
    return image.convert("RGB")


def _ever_smaller(image: Image.Image, edge: int) -> Iterator[Image.Image]:
    while edge >= 100:
        small = image.copy()
        small.thumbnail((edge, edge))
        yield small
        edge = edge * 3 // 4


def _saved(image: Image.Image, name: str, **options: int | bool | bytes) -> bytes:
    # Pasted into a fresh picture: what the old one carried beside its points (EXIF, comments, profiles) stays behind.
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    if image.mode == "P" and (palette := image.getpalette()):
        clean.putpalette(palette)
    out = BytesIO()
    clean.save(out, name, **options)
    return out.getvalue()
