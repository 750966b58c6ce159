"""Single cells of an orders file to values. Each problem says what is wrong and what to write instead."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from cloud.orders.order import MAX_ORDER_REF
from wire.geo import Place, distance_m
from wire.manifest import Amount, EvidenceKind, EvidenceRule, StopKind, Window

type Row = Mapping[str, str]

MAX_PARCELS = 10_000
MAX_WEIGHT_KG = 50_000.0
MAX_VOLUME_L = 200_000.0
MAX_ITEMS = 100
TOO_FAR_M = 500_000.0
"""No van goes farther from its depot in a day: a sign is missing there, a digit, or the two are exchanged."""

RULE_SIGNS = {"?": EvidenceRule.OPTIONAL, "!": EvidenceRule.WARN, "-": EvidenceRule.OFF}
_KINDS = {"delivery": StopKind.DELIVERY, "pickup": StopKind.PICKUP, "return": StopKind.RETURN}
_NUMBER = re.compile(r"^[+-]?(\d{1,12})?([.,]\d{1,20})?$", re.ASCII)
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$", re.ASCII)
_YES = {"1", "yes", "y", "true", "hard"}
_NO = {"", "0", "no", "n", "false", "soft"}


class BadCellError(ValueError):
    """A cell that cannot be used."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column


def read_text(row: Row, column: str, longest: int) -> str:
    """The text of a cell, as it is; raises when it is absurdly long."""
    text = row.get(column, "")
    if len(text) > longest:
        raise BadCellError(column, f"{len(text)} characters are too many: write at most {longest}")
    return text


def read_order_ref(row: Row) -> str:
    text = read_text(row, "order_ref", MAX_ORDER_REF)
    if not text:
        raise BadCellError("order_ref", "is empty: write the order's own number, one for each order and day")
    return text


def read_day(row: Row, default_day: date) -> date:
    text = row.get("day", "")
    if not text:
        return default_day
    try:
        day = date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year <= 2100:
        raise BadCellError("day", f"{_shown(text)} is not a day: write it as {default_day.isoformat()}")
    return day


def read_kind(row: Row) -> StopKind:
    text = row.get("kind", "")
    kind = _KINDS.get(re.sub(r"[\s_-]", "", text.casefold()) or "delivery")
    if kind is None:
        raise BadCellError("kind", f"{_shown(text)} is not a kind of order: write delivery, pickup or return")
    return kind


def read_number(row: Row, column: str, otherwise: float, largest: float) -> float:
    """A number from 0 to `largest`; `otherwise` for an empty cell."""
    text = row.get(column, "")
    if not text:
        return otherwise
    value = _number(text)
    if value is None or value < 0:
        raise BadCellError(column, f"{_shown(text)} is not a number of 0 or more: write digits only, such as 12.5")
    if value > largest:
        raise BadCellError(column, f"{_shown(text)} is more than {largest:g}, which is the most we accept")
    return value


def read_amount(row: Row) -> Amount:
    parcels = read_number(row, "parcels", 1.0, MAX_PARCELS)
    if not parcels.is_integer():
        raise BadCellError(
            "parcels", f"{_shown(row['parcels'])} is not a whole number: write how many parcels, such as 2"
        )
    return Amount(
        parcels=int(parcels),
        weight_kg=read_number(row, "weight_kg", 0.0, MAX_WEIGHT_KG),
        volume_l=read_number(row, "volume_l", 0.0, MAX_VOLUME_L),
    )


def read_coordinates(row: Row, depot: Place | None) -> Place:
    """Where the door is. Addresses are not looked up, so a row without coordinates has no place."""
    lat_deg, lon_deg = _degrees(row, "lat_deg", "41.1496"), _degrees(row, "lon_deg", "-8.6110")
    if abs(lat_deg) > 90 and abs(lat_deg) <= 180 and abs(lon_deg) <= 90:
        raise BadCellError(
            "lat_deg", f"{lat_deg:g} is no latitude, but {lon_deg:g} is: lat_deg and lon_deg look exchanged"
        )
    if abs(lat_deg) > 90:
        raise BadCellError("lat_deg", f"{lat_deg:g} is out of range: a latitude lies between -90 and 90 degrees")
    if abs(lon_deg) > 180:
        raise BadCellError("lon_deg", f"{lon_deg:g} is out of range: a longitude lies between -180 and 180 degrees")
    if lat_deg == 0 and lon_deg == 0:
        raise BadCellError("lat_deg", "0, 0 is a place in the sea: it stands for an address nobody found; look it up")
    place = Place(lat_deg=lat_deg, lon_deg=lon_deg)
    if depot is not None and (away_m := distance_m(depot, place)) > TOO_FAR_M:
        raise BadCellError("lat_deg", f"{away_m / 1000:.0f} km from the depot: {_what_was_meant(place, depot)}")
    return place


def _what_was_meant(place: Place, depot: Place) -> str:
    """What would bring a place near the depot."""
    lat_deg, lon_deg = place.lat_deg, place.lon_deg
    meant = {
        "lat_deg and lon_deg look exchanged": (lon_deg, lat_deg),
        "lat_deg looks as if its sign is wrong": (-lat_deg, lon_deg),
        "lon_deg looks as if its sign is wrong": (lat_deg, -lon_deg),
    }
    for words, (lat, lon) in meant.items():
        if abs(lat) <= 90 and distance_m(depot, Place(lat_deg=lat, lon_deg=lon)) < TOO_FAR_M / 2:
            return words
    return "too far for a round; look the coordinates up again"


def read_yes_or_no(row: Row, column: str) -> bool:
    """False for an empty cell."""
    text = row.get(column, "").casefold()
    if text not in _YES | _NO:
        raise BadCellError(column, f"{_shown(text)} is neither yes nor no: write one of the two")
    return text in _YES


def read_windows(row: Row, day: date, zone: tzinfo) -> tuple[Window, ...]:
    """The window of a stop: none, or one. An empty end is the end of the day."""
    opens, closes = row.get("opens", ""), row.get("closes", "")
    is_hard = read_yes_or_no(row, "is_hard")
    if not opens and not closes:
        return ()
    opens_at = _instant("opens", opens or "00:00", day, zone)
    closes_at = _instant("closes", closes or "24:00", day, zone)
    if closes_at <= opens_at:
        why = f"the window closes ({closes or '24:00'}) before it opens ({opens}): exchange them"
        if opens and closes:
            why += f", or for one past midnight write closes as {_next_day(closes_at, zone)}"
        raise BadCellError("closes", why)
    midnight = datetime.combine(day, time(), zone)
    if closes_at <= midnight or opens_at >= midnight + timedelta(days=1):
        raise BadCellError("opens", f"the window does not touch {day.isoformat()}, the day of the row: correct either")
    return (Window(opens_at=opens_at, closes_at=closes_at, is_hard=is_hard),)


def _next_day(closes_at: datetime, zone: tzinfo) -> str:
    return (closes_at.astimezone(zone) + timedelta(days=1)).isoformat(timespec="minutes")


def read_items(row: Row) -> tuple[str, ...]:
    items = tuple(item.strip() for item in row.get("items", "").split("|") if item.strip())
    if len(items) > MAX_ITEMS or any(len(item) > 200 for item in items):
        raise BadCellError("items", f"write at most {MAX_ITEMS} items of at most 200 characters, with | between them")
    return items


def read_proof(row: Row) -> dict[EvidenceKind, EvidenceRule]:
    """Which evidence a stop needs: `signature|photo?|scan!|note-` is a signature required, a photo optional, a scan
    without which a reason is asked for, and no note.
    """
    proof: dict[EvidenceKind, EvidenceRule] = {}
    for word in (word.strip() for word in row.get("proof", "").split("|")):
        if not word:
            continue
        name = word.rstrip("?!-").strip().casefold()
        if name not in EvidenceKind:
            known = ", ".join(kind.value for kind in EvidenceKind)
            why = (
                f"{_shown(word)} is not a kind of proof: write {known}, with | between them, ? after an optional one "
                "and ! after one without which a reason will do"
            )
            raise BadCellError("proof", why)
        proof[EvidenceKind(name)] = RULE_SIGNS.get(word[-1], EvidenceRule.REQUIRED)
    return proof


def _degrees(row: Row, column: str, example: str) -> float:
    text = row.get(column, "")
    if not text:
        raise BadCellError(column, f"is empty: write degrees such as {example}; addresses are not looked up yet")
    value = _number(text)
    if value is None:
        raise BadCellError(column, f"{_shown(text)} is not a number: write degrees such as {example}")
    return value


def _number(text: str) -> float | None:
    """A plain decimal number, with a point or a comma; None for anything else, also for NaN and infinity."""
    if not _NUMBER.match(text) or not any(character.isdigit() for character in text):
        return None
    return float(text.replace(",", "."))


def _instant(column: str, text: str, day: date, zone: tzinfo) -> datetime:
    """HH:MM on the row's day in the depot's zone, or a whole instant with its offset; UTC."""
    clock = _CLOCK.match(text)
    try:
        if clock:
            hour, minute, second = (int(part or 0) for part in clock.groups())
            if (hour, minute, second) == (24, 0, 0):
                return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC)
            return datetime.combine(day, time(hour, minute, second), zone).astimezone(UTC)
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadCellError(column, f"{_shown(text)} is not a time: write 09:30, or {day.isoformat()}T09:30:00+00:00")


def _shown(text: str) -> str:
    """A cell quoted in a problem, short."""
    return f'"{text[:40]}..."' if len(text) > 40 else f'"{text}"'
