"""Which fonts the page is set in: Roboto from its package, else DejaVu where the system has it, else what reportlab
ships, which knows Latin letters of the west alone.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_DEJAVU = Path("/usr/share/fonts/truetype/dejavu")


@dataclass(frozen=True)
class Fonts:
    """Files of TrueType fonts. `is_narrow`: Greek, Cyrillic and the like are not in them."""

    regular: str
    bold: str
    is_narrow: bool = False


def find_fonts(dejavu: Path = _DEJAVU) -> Fonts:
    """The best there are on this machine."""
    roboto = _package("font_roboto")
    if roboto is not None:
        return Fonts(str(roboto / "files/Roboto-Regular.ttf"), str(roboto / "files/Roboto-Bold.ttf"))
    if (dejavu / "DejaVuSans.ttf").is_file():
        return Fonts(str(dejavu / "DejaVuSans.ttf"), str(dejavu / "DejaVuSans-Bold.ttf"))
    vera = _package("reportlab")
    assert vera is not None
    return Fonts(str(vera / "fonts/Vera.ttf"), str(vera / "fonts/VeraBd.ttf"), is_narrow=True)


def _package(name: str) -> Path | None:
    spec = find_spec(name)
    return None if spec is None or spec.origin is None else Path(spec.origin).parent
