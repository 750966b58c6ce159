"""Closed roads from DATEX II, versions 2 and 3: the situation records of a SituationPublication that close a road.

A record counts when its `roadOrCarriagewayOrLaneManagementType` is `roadClosed` or `carriagewayClosures`, its validity
is not suspended, and it says where as a line of coordinates: a GML `posList` (latitude first, as EPSG:4326 has it), or
the two ends of a TPEG linear location. What is located by ALERT-C or OpenLR alone is left out, and said. Names are read
without their namespaces, which differ between the versions and between publishers. Schema: docs.datex2.eu.
"""

from collections.abc import Iterator
from datetime import datetime
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from cloud.feeds.published import FeedError, Publication, closed_line, instant
from wire.manifest import Closure

CLOSES = frozenset({"roadClosed", "carriagewayClosures"})
LATITUDE_FIRST = ("4326", "WGS84", "WGS 84")


class _WithoutDefinitions(ET.TreeBuilder):
    """Whatever the encoding: the parser says so when a document begins to define things."""

    def doctype(self, *_: object) -> None:
        raise FeedError("the XML brings its own definitions, which no DATEX II does: it is not read")


def read_datex2(body: bytes, feed: str, now: datetime) -> Publication:
    """Raises FeedError when it is no DATEX II. What is wrong with one record is told of that one."""
    try:
        # Without definitions of its own it can expand nothing.
        root = ET.fromstring(body, ET.XMLParser(target=_WithoutDefinitions()))  # noqa: S314
    except (ET.ParseError, LookupError, ValueError) as error:
        raise FeedError(f"what came is no XML: {error}") from error
    if not any(_name(element) in ("payloadPublication", "payload", "situation") for element in root.iter()):
        raise FeedError(f"what came is XML and no DATEX II: its root is {_name(root)}")
    closures: list[Closure] = []
    left_out: list[str] = []
    for record in _all(root, "situationRecord"):
        if _text(record, "roadOrCarriagewayOrLaneManagementType") not in CLOSES:
            continue
        if _text(record, "validityStatus") == "suspended":
            continue
        try:
            found = list(_closures(record, feed, now))
        except ValueError as error:
            found = [f"{record.get('id', '?')}: {error}"]
        closures += [one for one in found if isinstance(one, Closure)]
        left_out += [one for one in found if isinstance(one, str)]
    return Publication(tuple(closures), tuple(left_out))


def _closures(record: Element, feed: str, now: datetime) -> Iterator[Closure | str]:
    its_id = record.get("id", "?")
    lines = [_places(outer, inner) for outer in record.iter() for inner in outer if _name(inner) == "posList"]
    is_drawn = bool(lines)
    lines = lines or [_ends(record)]
    if not any(lines):
        yield f"{its_id}: it says where by a code and not by coordinates"
        return
    note = next((text.strip() for value in _all(record, "value") if (text := value.text) and text.strip()), "")
    for line in lines:
        yield closed_line(
            feed=feed,
            its_id=its_id,
            note=note,
            line=line,
            # A line of a direction closes that direction; ends alone do not say which.
            is_both_ways=not is_drawn or _text(record, "alertCAffectedDirection") == "both",
            begins=instant(_text(record, "overallStartTime")),
            ends=instant(_text(record, "overallEndTime")),
            now=now,
        )


def _places(line_string: Element, positions: Element) -> list[tuple[float, float]]:
    reference = positions.get("srsName") or line_string.get("srsName")
    if reference and not reference.endswith(LATITUDE_FIRST):
        raise ValueError(f"its coordinates are in {reference}, and only EPSG:4326 is read")
    numbers = [float(word) for word in (positions.text or "").split()]
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _ends(record: Element) -> list[tuple[float, float]]:
    line = []
    for end in ("from", "to"):
        for element in _all(record, end):
            lat, lon = _text(element, "latitude"), _text(element, "longitude")
            if lat and lon:
                line.append((float(lat), float(lon)))
    return line


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(element: Element, name: str) -> list[Element]:
    return [inner for inner in element.iter() if _name(inner) == name]


def _text(element: Element, name: str) -> str:
    found = next((inner.text for inner in element.iter() if _name(inner) == name), None)
    return (found or "").strip()
