"""Pictures as a camera and a finger make them."""

from io import BytesIO
from typing import Any

from PIL import Image, ImageDraw


def a_photo(width: int = 1200, height: int = 900, image_format: str = "JPEG", **options: Any) -> bytes:
    """A picture with some detail."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    ImageDraw.Draw(image).ellipse((width // 4, height // 4, width // 2, height // 2), fill=(200, 30, 60))
    out = BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def a_signature(width: int = 800, height: int = 300) -> bytes:
    """Ink on nothing, as a canvas gives it."""
    image = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    ImageDraw.Draw(image).line([(20, 20), (200, 250), (400, 60), (760, 200)], fill=(10, 10, 40, 255), width=6)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
