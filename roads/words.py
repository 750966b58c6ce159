"""How an address is written, made comparable: no capitals, accents and signs; the number apart from the street."""

import re
import unicodedata

_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
_NUMBER = re.compile(r"\d+")


def folded(text: str) -> str:
    """The words of a text in lower case without accents, with one blank between: "Rua D. João I" -> "rua d joao i"."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in letters).split())


def split_ways(query: str) -> list[tuple[list[str], str]]:
    """How a query may be meant, likeliest first: the street's words, and the number ("" for none).

    The number is the last word with a digit in it, or the first word; or the digits belong to the street's name.
    """
    words = folded(query).split()
    ways: list[tuple[list[str], str]] = []
    numbered = [place for place, word in enumerate(words) if word[0].isdigit()]
    for place in dict.fromkeys([*numbered[-1:], *(place for place in numbered[:1] if place == 0)]):
        rest = words[:place] + words[place + 1 :]
        if rest:
            ways.append((rest, words[place]))
    return [*ways, (words, "")] if words else []


def house_numbers(text: str) -> list[str]:
    """The numbers of one sign: "12;14" and "12, 14" are two, "12-14" and "12A" one."""
    parts = (folded(part).replace(" ", "-") for part in re.split(r"[;,]", text))
    return [part for part in parts if part]


def value_of(number: str) -> int | None:
    """What a number counts as along the street: "12a" is 12; None for a name."""
    found = _NUMBER.match(number)
    return int(found.group()) if found and len(found.group()) < 7 else None
