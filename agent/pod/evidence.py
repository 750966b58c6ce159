"""From what a camera or a finger made to the bytes we keep. Pure CPU work; the shell runs it beside the event loop."""

import hashlib
from dataclasses import dataclass

from agent.errors import EvidenceRefusedError
from agent.pod.exif import Capture, own_exif
from agent.pod.images import as_jpeg, as_png, is_blank, open_image
from wire.manifest import EvidenceKind

MAX_PHOTO_BYTES = 150_000
MAX_SIGNATURE_BYTES = 100_000


@dataclass(frozen=True)
class KeptImage:
    """Evidence in the form in which it is kept and sent; `sha256` is of `data`."""

    kind: EvidenceKind
    media_type: str
    sha256: str
    data: bytes


def keep(kind: EvidenceKind, data: bytes, capture: Capture | None = None) -> KeptImage:
    """A photo as JPEG of at most 150 kB, a signature as PNG of at most 100 kB; both made anew, so that nothing but the
    picture itself stays in them; a photo says when and where it was taken, as far as `capture` knows. The same bytes of
    the same capture give the same result.

    Raises EvidenceRefusedError, in words for the driver, for what is no JPEG or PNG, too big, damaged or blank.
    """
    image = open_image(data)
    match kind:
        case EvidenceKind.PHOTO:
            exif = b"" if capture is None else own_exif(capture)
            kept, media_type = as_jpeg(image, MAX_PHOTO_BYTES, exif), "image/jpeg"
        case EvidenceKind.SIGNATURE:
            if is_blank(image):
                raise EvidenceRefusedError("The signature is empty. Please sign in the box.")
            kept, media_type = as_png(image, MAX_SIGNATURE_BYTES), "image/png"
        case _:
            raise EvidenceRefusedError(f"A {kind.value} is no picture.")
    return KeptImage(kind, media_type, hashlib.sha256(kept).hexdigest(), kept)
