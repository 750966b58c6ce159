"""Bar codes of GS1 labels: which parcel, and (Scan4Transport) where it goes. Pure.

Rules from the GS1 General Specifications: application identifiers in section 3, how a string of elements is taken
apart (identifiers of predefined length, FNC1 as the separator after all others, symbology identifiers) in 5.1 and 7.8,
the check digit in 7.9. Identifiers are looked up by their first two digits, as the specification lays them out, so
that a label may hold ones we know nothing of.
"""

import re
from dataclasses import dataclass

GS = "\x1d"
"""What a reader sends for FNC1."""
_SYMBOLOGY = re.compile(r"^\](C1|e0|d2|Q3|J1)", re.ASCII)
_ANY_SYMBOLOGY = re.compile(r"^\][A-Za-z][0-9A-Za-z]", re.ASCII)
_BRACKETS = re.compile(r"\((\d{2,4})\)")
_LENGTHS = {
    **{f"{n:02d}": size for n, size in ((0, 18), (1, 14), (2, 14), (3, 14), (4, 16), (11, 6), (12, 6), (13, 6), (14, 6),
                                        (15, 6), (16, 6), (17, 6), (18, 6), (19, 6), (20, 2), (41, 13))},
    **{f"{n}": 6 for n in range(31, 37)},
}  # fmt: skip
"""Of the data after the first two digits of an identifier, for those that need no separator. 31 to 36 have four-digit
identifiers, so that their data is six digits; 41 (410 to 417) has three-digit ones, with thirteen."""
_FOUR_DIGITS = ("31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82")
_THREE_DIGITS = ("23", "24", "25", "40", "41", "42", "71")
_MOST = 90


@dataclass(frozen=True)
class Label:
    """The elements of a label by application identifier."""

    elements: dict[str, str]

    @property
    def sscc(self) -> str | None:
        """The 18 digits of a parcel, check digit and all; see `has_good_check`."""
        return self.elements.get("00")


def read(scanned: str) -> Label | None:
    """The elements of a GS1 label, however the reader sends it: with a symbology identifier (`]C1`), with FNC1 as the
    group separator, or typed with brackets. None for what is no GS1 label.
    """
    text = scanned.strip(" \t\r\n")
    if _BRACKETS.match(text):
        return _bracketed(text)
    is_gs1 = _SYMBOLOGY.match(text) is not None
    if not is_gs1 and _ANY_SYMBOLOGY.match(text):
        return None
    text = text[3:] if is_gs1 else text
    if not is_gs1 and not text.startswith(GS) and GS not in text and not _looks_like_sscc(text):
        return None
    elements: dict[str, str] = {}
    text = text.lstrip(GS)
    while text:
        found = _first(text)
        if found is None:
            return None
        name, value, text = found
        elements[name] = value
        text = text.lstrip(GS)
    return Label(elements) if elements else None


def parcel_code(scanned: str) -> str:
    """What a parcel is known by: the 18 digits of its SSCC, or the text of the code as it is."""
    text = scanned.strip()
    label = read(text)
    if label is not None and label.sscc:
        return label.sscc
    bare = _ANY_SYMBOLOGY.sub("", text).replace(GS, "")
    return bare[:_MOST]


def is_sscc(code: str) -> bool:
    return len(code) == 18 and code.isascii() and code.isdigit()


def has_good_check(digits: str) -> bool:
    """Whether the last digit is the one that the others call for; of any GS1 key made of digits."""
    return digits.isascii() and digits.isdigit() and len(digits) > 1 and check_digit(digits[:-1]) == int(digits[-1])


def check_digit(digits: str) -> int:
    """Weights 3, 1, 3, ... from the right; what is lacking to the next ten."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return -total % 10


def _looks_like_sscc(text: str) -> bool:
    """A plain reader sends no symbology identifier: twenty digits that begin with 00, or eighteen alone, are one."""
    return text.isascii() and text.isdigit() and len(text) == 20 and text.startswith("00")


def _bracketed(text: str) -> Label | None:
    parts = _BRACKETS.split(text)
    if parts[0]:
        return None
    names, values = parts[1::2], [value.strip(GS + " ") for value in parts[2::2]]
    if any(not 0 < len(value) <= _MOST for value in values):
        return None
    elements = dict(zip(names, values, strict=True))
    sscc = elements.get("00")
    return Label(elements) if sscc is None or is_sscc(sscc) else None


def _first(text: str) -> tuple[str, str, str] | None:
    """The first element: identifier, data, and what follows."""
    head = text[:2]
    if not (len(head) == 2 and head.isascii() and head.isdigit()):
        return None
    length = 4 if head in _FOUR_DIGITS else 3 if head in _THREE_DIGITS else 2
    name, rest = text[:length], text[length:]
    if not name.isdigit() or len(name) < length:
        return None
    if head in _LENGTHS:
        size = _LENGTHS[head]
        value, after = rest[:size], rest[size:]
        if len(value) < size or not (value.isascii() and value.isdigit()):
            return None
        return name, value, after
    value, _, after = rest.partition(GS)
    return (name, value, after) if 0 < len(value) <= _MOST else None
