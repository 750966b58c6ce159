"""What a driver makes at the door: a photo of the parcel, a signature drawn by a finger. Seeded, no two alike."""

import io
from math import pi, sin
from random import Random

from PIL import Image, ImageDraw, ImageFilter

PHOTO_PX = (1280, 960)
SIGNATURE_PX = (600, 240)
_WALLS = ((196, 178, 150), (170, 176, 182), (214, 205, 188), (150, 108, 92), (222, 218, 206))
_DOORS = ((38, 70, 120), (120, 36, 40), (40, 84, 60), (86, 60, 40), (58, 58, 64), (180, 150, 60))


def photo(seed: str, words: str) -> bytes:
    """A JPEG of about 30 to 120 kB: wall, door, step, parcel with a label."""
    rng = Random(seed)  # noqa: S311 - a picture, not a key
    wide, high = PHOTO_PX
    picture = Image.new("RGB", PHOTO_PX, rng.choice(_WALLS))
    draw = ImageDraw.Draw(picture)
    left = rng.randint(250, 520)
    right, top, ground = left + rng.randint(360, 470), rng.randint(40, 120), rng.randint(740, 820)
    for row in range(0, ground, 46):
        for column in range(-60 * (row // 46 % 2), wide, 120):
            draw.rectangle((column, row, column + 118, row + 44), outline=(130, 122, 112))
    draw.rectangle((0, ground, wide, high), fill=(118, 114, 108))
    door = rng.choice(_DOORS)
    draw.rectangle((left - 22, top - 22, right + 22, ground), fill=(232, 228, 220))
    draw.rectangle((left, top, right, ground), fill=door)
    for panel in range(3):
        y = top + 40 + panel * (ground - top) // 3
        shade = tuple(max(0, part - 22) for part in door)
        draw.rectangle((left + 50, y, right - 50, y + (ground - top) // 4), outline=shade, width=7)
    draw.ellipse((right - 44, ground - 330, right - 18, ground - 304), fill=(212, 190, 110))
    box_x, box_y = rng.randint(left - 80, right - 160), ground + rng.randint(10, 40)
    box_w, box_h = rng.randint(170, 300), rng.randint(110, 190)
    draw.rectangle((box_x, box_y - box_h, box_x + box_w, box_y), fill=(186, 142, 92), outline=(120, 88, 52), width=4)
    draw.rectangle((box_x + box_w // 2 - 12, box_y - box_h, box_x + box_w // 2 + 12, box_y), fill=(206, 180, 132))
    draw.rectangle((box_x + 14, box_y - box_h + 16, box_x + 150, box_y - box_h + 66), fill=(246, 246, 240))
    draw.text((box_x + 20, box_y - box_h + 22), f"{words[:20]}\n{words[20:40]}", fill=(20, 20, 20), spacing=6)
    grain = Image.frombytes("L", (640, 480), rng.randbytes(640 * 480)).resize(PHOTO_PX)
    picture = Image.blend(picture, Image.merge("RGB", (grain, grain, grain)), rng.uniform(0.05, 0.08))
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(0.8)).save(out, "JPEG", quality=rng.randint(56, 68))
    return out.getvalue()


def signature(seed: str) -> bytes:
    """A PNG of a few kB: loops of ink on white."""
    rng = Random(seed)  # noqa: S311 - a picture, not a key
    picture = Image.new("L", SIGNATURE_PX, 255)
    draw = ImageDraw.Draw(picture)
    x, middle = 50.0, SIGNATURE_PX[1] / 2
    while x < SIGNATURE_PX[0] - 90:
        wide, tall, lean, phase = rng.uniform(40, 110), rng.uniform(18, 80), rng.uniform(-20, 30), rng.uniform(0, pi)
        stroke = [
            (x + wide * k / 24 + lean * sin(k / 24 * 2 * pi), middle + tall * sin(phase + k / 24 * 2 * pi))
            for k in range(25)
        ]
        draw.line(stroke, fill=rng.randint(10, 40), width=rng.randint(3, 5), joint="curve")
        x += wide * rng.uniform(0.55, 0.9)
    draw.line((40, middle + 66, SIGNATURE_PX[0] - 50, middle + 60 + rng.uniform(-14, 8)), fill=30, width=3)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()
