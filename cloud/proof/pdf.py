"""The page for the shipper, drawn: A4, one page, more when there are many pictures. The only file that knows reportlab.

The same proof gives the same bytes: no clock, no random names, fonts from files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image, UnidentifiedImageError
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from cloud.proof.fonts import Fonts
from cloud.proof.model import Verdict
from cloud.proof.sheet import Picture, Sheet

WIDTH, HEIGHT = A4
MARGIN: Final = 48.0
INK, SOFT, LINE, PAPER = HexColor("#10171e"), HexColor("#5a6670"), HexColor("#cbd3d4"), HexColor("#f3f5f4")
GOOD, GOOD_TINT = HexColor("#08603f"), HexColor("#dff0e8")
WATCH, WATCH_TINT = HexColor("#744700"), HexColor("#fdf1d3")
BAD, BAD_TINT = HexColor("#9c1c1c"), HexColor("#fbe3e1")
_COLOURS = {
    Verdict.VERIFIED: (GOOD, GOOD_TINT),
    Verdict.WAITING: (WATCH, WATCH_TINT),
    Verdict.NOT_SEALED: (SOFT, PAPER),
    Verdict.ALTERED: (BAD, BAD_TINT),
}
_REGULAR, _BOLD = "sheet", "sheet-bold"
_FOOT = MARGIN - 14


@dataclass
class _Page:
    canvas: Canvas
    y: float = HEIGHT - MARGIN

    def text(
        self, x: float, y: float, words: str, *, size: float = 9.5, bold: bool = False, colour: HexColor = INK
    ) -> None:
        self.canvas.setFont(_BOLD if bold else _REGULAR, size)
        self.canvas.setFillColor(colour)
        self.canvas.drawString(x, y, words)

    def lines(
        self,
        x: float,
        y: float,
        words: str,
        width: float,
        *,
        size: float = 9.5,
        bold: bool = False,
        colour: HexColor = INK,
        most: int = 6,
    ) -> float:
        """Words within a width, from `y` down; where the next line would stand."""
        for line in _wrapped(words, width, _BOLD if bold else _REGULAR, size)[:most]:
            self.text(x, y, line, size=size, bold=bold, colour=colour)
            y -= size * 1.38
        return y

    def rule(self, y: float) -> None:
        self.canvas.setStrokeColor(LINE)
        self.canvas.setLineWidth(0.6)
        self.canvas.line(MARGIN, y, WIDTH - MARGIN, y)


def draw(sheet: Sheet, images: Mapping[str, bytes], fonts: Fonts) -> bytes:
    """The PDF. `images` by the names that the sheet's pictures have; one that is missing is left out, and said."""
    pdfmetrics.registerFont(TTFont(_REGULAR, fonts.regular))
    pdfmetrics.registerFont(TTFont(_BOLD, fonts.bold))
    out = BytesIO()
    canvas = Canvas(out, pagesize=A4, invariant=1)
    canvas.setTitle(f"{sheet.title}: {dict(sheet.facts).get('Order', '')}")
    canvas.setAuthor("Roundsman")
    page = _Page(canvas)
    _head(page, sheet)
    _what(page, sheet)
    rest = _pictures(page, sheet.pictures, images, bottom=_FOOT + _seal_height(sheet) + 26)
    _seal(page, sheet)
    _foot(page, sheet)
    while rest:
        canvas.showPage()
        page = _Page(canvas)
        page.text(MARGIN, page.y - 14, sheet.title, size=16, bold=True)
        page.y -= 36
        rest = _pictures(page, rest, images, bottom=_FOOT + 24)
        _foot(page, sheet)
    canvas.save()
    return out.getvalue()


def _head(page: _Page, sheet: Sheet) -> None:
    canvas = page.canvas
    colour, tint = (GOOD, GOOD_TINT) if sheet.is_good else (WATCH, WATCH_TINT)
    canvas.setFillColor(colour)
    canvas.rect(0, HEIGHT - 7, WIDTH, 7, stroke=0, fill=1)
    page.text(MARGIN, page.y - 18, sheet.title, size=25, bold=True)
    order = dict(sheet.facts).get("Order", "")
    page.canvas.setFont(_REGULAR, 11)
    page.canvas.setFillColor(SOFT)
    page.canvas.drawRightString(WIDTH - MARGIN, page.y - 18, order)
    page.y -= 40
    canvas.setFillColor(tint)
    canvas.roundRect(MARGIN, page.y - 44, WIDTH - 2 * MARGIN, 44, 6, stroke=0, fill=1)
    _mark(page, MARGIN + 24, page.y - 22, 12, colour, is_good=sheet.is_good)
    page.text(MARGIN + 48, page.y - 19, sheet.outcome, size=13.5, bold=True, colour=colour)
    page.text(MARGIN + 48, page.y - 34, " \u00b7 ".join(part for part in (sheet.closed, sheet.clock) if part), size=9.5)
    page.y -= 66


def _what(page: _Page, sheet: Sheet) -> None:
    """To whom and where on the left, how it went on the right, the goods below."""
    left, middle = MARGIN, MARGIN + (WIDTH - 2 * MARGIN) * 0.52
    width = middle - left - 18
    page.text(left, page.y, "Delivered to" if sheet.is_good else "Recipient", size=8.5, colour=SOFT)
    y = page.lines(left, page.y - 17, sheet.recipient or "not said", width, size=14, bold=True, most=2) - 2
    for line in sheet.address:
        y = page.lines(left, y, line, width, size=10.5, most=2)
    if sheet.goods:
        y -= 8
        page.text(left, y, "Goods", size=8.5, colour=SOFT)
        y -= 14
        for number, goods in enumerate(sheet.goods):
            if number == 7 and len(sheet.goods) > 8:
                y = page.lines(left, y, f"and {len(sheet.goods) - 7} more", width)
                break
            y = page.lines(left, y, goods, width, most=2)
    right, across = page.y, WIDTH - MARGIN - middle
    for label, value in sheet.facts:
        if label == "Order":
            continue  # it stands beside the title
        page.text(middle, right, label, size=8.5, colour=SOFT)
        right = page.lines(middle + 74, right, value, across - 74, size=9.5, most=3) - 2.5
    page.y = min(y, right) - 8
    page.rule(page.y)
    page.y -= 20


def _pictures(
    page: _Page, pictures: Sequence[Picture], images: Mapping[str, bytes], *, bottom: float
) -> Sequence[Picture]:
    """As many as there is room for, two in a row; the rest."""
    gap, rest = 16.0, list(pictures)
    while rest and page.y - bottom > 90:
        row = rest[:2]
        weights = [1.45 if picture.item.kind == "photo" else 1.0 for picture in row]
        room = WIDTH - 2 * MARGIN - gap * (len(row) - 1)
        widths = [room * weight / sum(weights) for weight in weights] if len(row) > 1 else [room * 0.6]
        rows_left = max(1, round((page.y - bottom) / 250))
        height = min(300.0, (page.y - bottom) / rows_left - 24)
        x, lowest = MARGIN, page.y
        for picture, width in zip(row, widths, strict=True):
            lowest = min(lowest, _picture(page, picture, images, (x, width, height)))
            x += width + gap
        page.y = lowest - 20
        rest = rest[2:]
    return rest


def _picture(page: _Page, picture: Picture, images: Mapping[str, bytes], frame: tuple[float, float, float]) -> float:
    """Where its caption ends."""
    x, width, height = frame
    page.text(x, page.y - 2, picture.caption, size=8.5, colour=SOFT)
    top = page.y - 11
    reader = _reader(images.get(picture.item.file or ""))
    if reader is None:
        page.canvas.setFillColor(PAPER)
        page.canvas.roundRect(x, top - 60, width, 60, 5, stroke=0, fill=1)
        page.text(x + 12, top - 34, "It has not arrived yet.", colour=SOFT)
        return top - 60
    across, up = (float(points) for points in reader.getSize())
    scale = min(width / across, height / up)
    drawn_width, drawn_height = across * scale, up * scale
    page.canvas.saveState()
    path = page.canvas.beginPath()
    path.roundRect(x, top - drawn_height, drawn_width, drawn_height, 5)
    page.canvas.clipPath(path, stroke=0, fill=0)
    page.canvas.drawImage(reader, x, top - drawn_height, drawn_width, drawn_height)
    page.canvas.restoreState()
    page.canvas.setStrokeColor(LINE)
    page.canvas.setLineWidth(0.6)
    page.canvas.roundRect(x, top - drawn_height, drawn_width, drawn_height, 5, stroke=1, fill=0)
    return float(top - drawn_height)


def _seal_height(sheet: Sheet) -> float:
    findings = sum(len(_wrapped(text, WIDTH - 2 * MARGIN - 66, _REGULAR, 8.5)) for text in sheet.findings[:8])
    return 62 + 12 * len(sheet.seal) + 12 * findings + (6 if sheet.seal else 0)


def _seal(page: _Page, sheet: Sheet) -> None:
    """What the proof is worth, at the foot of the first page."""
    colour, tint = _COLOURS[sheet.verdict]
    height, width = _seal_height(sheet), WIDTH - 2 * MARGIN
    top = _FOOT + 22 + height
    page.canvas.setFillColor(tint)
    page.canvas.roundRect(MARGIN, top - height, width, height, 6, stroke=0, fill=1)
    _mark(page, MARGIN + 24, top - 25, 12, colour, is_good=sheet.verdict is Verdict.VERIFIED)
    page.text(MARGIN + 48, top - 21, sheet.verdict_title, size=13, bold=True, colour=colour)
    y = page.lines(MARGIN + 48, top - 36, sheet.verdict_text, width - 66, size=9, most=2) - 1
    for text in sheet.findings[:8]:
        y = page.lines(MARGIN + 48, y, text, width - 66, size=8.5, colour=colour, most=3)
    y -= 4
    for label, value in sheet.seal:
        page.text(MARGIN + 48, y, label, size=7.5, colour=SOFT)
        page.text(MARGIN + 104, y, value, size=7.5)
        y -= 12


def _foot(page: _Page, sheet: Sheet) -> None:
    page.text(MARGIN, _FOOT, sheet.made, size=7.5, colour=SOFT)
    page.canvas.setFont(_REGULAR, 7.5)
    page.canvas.setFillColor(SOFT)
    page.canvas.drawRightString(
        WIDTH - MARGIN, _FOOT, "Checked by anybody with the bundle: python -m cloud verify FILE"
    )


def _mark(page: _Page, x: float, y: float, radius: float, colour: HexColor, *, is_good: bool) -> None:
    """A tick, or an exclamation mark, in a disc."""
    canvas = page.canvas
    canvas.setFillColor(colour)
    canvas.circle(x, y, radius, stroke=0, fill=1)
    canvas.setStrokeColor(HexColor("#ffffff"))
    canvas.setLineWidth(2.2)
    canvas.setLineCap(1)
    canvas.setLineJoin(1)
    path = canvas.beginPath()
    if is_good:
        path.moveTo(x - radius * 0.45, y - radius * 0.02)
        path.lineTo(x - radius * 0.1, y - radius * 0.38)
        path.lineTo(x + radius * 0.48, y + radius * 0.38)
    else:
        path.moveTo(x, y + radius * 0.5)
        path.lineTo(x, y - radius * 0.08)
        path.moveTo(x, y - radius * 0.5)
        path.lineTo(x, y - radius * 0.5)
    canvas.drawPath(path, stroke=1, fill=0)


def _reader(data: bytes | None) -> ImageReader | None:
    if data is None:
        return None
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > 12_500_000:
                return None
        return ImageReader(BytesIO(data))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        return None


def _wrapped(words: str, width: float, font: str, size: float) -> list[str]:
    """Broken at blanks; a word that is longer than the line, anywhere."""
    lines, line = [], ""
    for word in words.split():
        longer = f"{line} {word}" if line else word
        if pdfmetrics.stringWidth(longer, font, size) <= width:
            line = longer
            continue
        lines += [line] if line else []
        line = word
        while pdfmetrics.stringWidth(line, font, size) > width and len(line) > 1:
            fits = next(
                n
                for n in range(len(line) - 1, 0, -1)
                if n == 1 or pdfmetrics.stringWidth(line[:n], font, size) <= width
            )
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line] if line else lines
