"""What a GS1 Scan4Transport label says beside which parcel it is: where it goes, when, and how it may be left. Pure.

Application identifiers 420, 421 and 4300 to 4326 of the GS1 General Specifications (section 3.9), and the guideline
"Encoding Transport Process Information". Text is percent-encoded UTF-8 with `+` for a blank (section 10 there); phone
numbers and postal codes are plain. A place is 20 digits: degrees north of the south pole and degrees east of Greenwich,
each times 10^7. Times are on the clock of the place of delivery; 9999 is a day without an hour.

One element that makes no sense is left out, and says nothing of the others.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from urllib.parse import unquote

from wire.geo import Place
from wire.gs1 import has_good_check, is_sscc, read
from wire.model import Instant, Value

_SHIP_TO, _RETURN_TO = 4300, 4310
_NO_HOUR = "9999"
_COUNTRY = re.compile(r"^[A-Z]{2}$", re.ASCII)
_PHONE = re.compile(r"^[0-9A-Za-z+()./ -]{3,30}$", re.ASCII)
_TENTH_MICRODEG = 1e7


class LabelMoment(Value):
    """By the clock where it is delivered; without an hour the whole day is meant."""

    day: date
    at: time | None = None


class Party(Value):
    """To whom, or back to whom; each part may be empty."""

    company: str = ""
    contact: str = ""
    lines: tuple[str, ...] = ()
    """Street and number as they stand on the label, at most two."""
    suburb: str = ""
    locality: str = ""
    region: str = ""
    country: str = ""
    """ISO 3166, two letters."""
    postcode: str = ""
    phone: str = ""


class TransportLabel(Value):
    """A parcel with what its label says of the way it goes. None: the label does not say, or not so that it holds."""

    sscc: str
    ship_to: Party = Party()
    return_to: Party = Party()
    place: Place | None = None
    """Where it is handed over."""
    not_before: LabelMoment | None = None
    not_after: LabelMoment | None = None
    released_on: date | None = None
    service: str = ""
    is_dangerous: bool | None = None
    may_leave: bool | None = None
    """Authority to leave: it may be put down where nobody takes it."""
    wants_signature: bool | None = None


def read_transport(scanned: str, today: date) -> TransportLabel | None:
    """The label, however the reader sends it; None for what is no GS1 label, has no parcel of its own whose check digit
    holds, or says nothing of transport. `today` tells the century of its years.
    """
    label = read(scanned)
    if label is None or label.sscc is None or not is_sscc(label.sscc) or not has_good_check(label.sscc):
        return None
    said = label.elements
    if not any(name in ("420", "421") or name.startswith("43") for name in said):
        return None
    return TransportLabel(
        sscc=label.sscc,
        ship_to=_party(said, _SHIP_TO, _postcode(said)),
        return_to=_party(said, _RETURN_TO, said.get("4318", "")),
        place=_place(said.get("4309", "")),
        not_before=_moment(said.get("4324", ""), today),
        not_after=_moment(said.get("4325", ""), today),
        released_on=_day(said.get("4326", ""), today),
        service=_text(said.get("4320", "")),
        is_dangerous=_yes_or_no(said.get("4321", "")),
        may_leave=_yes_or_no(said.get("4322", "")),
        wants_signature=_yes_or_no(said.get("4323", "")),
    )


def opening(label: TransportLabel, zone: tzinfo) -> tuple[Instant, Instant] | None:
    """When it may be delivered, in UTC. Where only one end is said the other is that day's; None where neither is, or
    where they contradict each other. `zone`: of the place of delivery.
    """
    first, last = label.not_before or label.not_after, label.not_after or label.not_before
    if first is None or last is None:
        return None
    opens = time() if label.not_before is None else first.at or time()
    until = None if label.not_after is None else last.at
    # The end of a day is the start of the next one; an hour is the instant it names.
    closes_on = last.day + timedelta(days=1) if until is None else last.day
    opens_at = datetime.combine(first.day, opens, zone).astimezone(UTC)
    closes_at = datetime.combine(closes_on, until or time(), zone).astimezone(UTC)
    return (opens_at, closes_at) if opens_at < closes_at else None


def _party(said: dict[str, str], first: int, postcode: str) -> Party:
    text = [_text(said.get(str(first + place), "")) for place in range(7)]
    country, phone = said.get(str(first + 7), ""), said.get("4308" if first == _SHIP_TO else "4319", "")
    return Party(
        company=text[0],
        contact=text[1],
        lines=tuple(line for line in text[2:4] if line),
        suburb=text[4],
        locality=text[5],
        region=text[6],
        country=country if _COUNTRY.match(country) else "",
        postcode=postcode.strip(),
        phone=phone.strip() if _PHONE.match(phone.strip()) else "",
    )


def _postcode(said: dict[str, str]) -> str:
    """Of one postal authority, or behind the three digits of a country."""
    if "420" in said:
        return said["420"]
    whole = said.get("421", "")
    return whole[3:] if whole[:3].isdigit() else ""


def _text(encoded: str) -> str:
    """Percent-encoded; bytes that are no UTF-8 are shown as what nobody can read, and control signs are left out."""
    plain = unquote(encoded.replace("+", " "), errors="replace")
    return " ".join("".join(one if one.isprintable() else " " for one in plain).split())


def _place(digits: str) -> Place | None:
    if len(digits) != 20 or not _is_digits(digits):
        return None
    lat_deg, lon_deg = int(digits[:10]) / _TENTH_MICRODEG - 90.0, int(digits[10:]) / _TENTH_MICRODEG
    if lat_deg > 90.0 or lon_deg > 360.0:
        return None
    return Place(lat_deg=round(lat_deg, 7), lon_deg=round(lon_deg - 360.0 if lon_deg > 180.0 else lon_deg, 7))


def _moment(digits: str, today: date) -> LabelMoment | None:
    day = _day(digits[:6], today)
    if len(digits) != 10 or not _is_digits(digits) or day is None:
        return None
    if digits[6:] == _NO_HOUR:
        return LabelMoment(day=day)
    hour, minute = int(digits[6:8]), int(digits[8:])
    return LabelMoment(day=day, at=time(hour, minute)) if hour < 24 and minute < 60 else None


def _day(digits: str, today: date) -> date | None:
    """The century is the one that brings the year nearest to ours (section 7.12)."""
    if len(digits) != 6 or not _is_digits(digits):
        return None
    year = today.year - today.year % 100 + int(digits[:2])
    apart = int(digits[:2]) - today.year % 100
    year += -100 if apart >= 51 else 100 if apart <= -50 else 0
    try:
        return date(year, int(digits[2:4]), int(digits[4:]))
    except ValueError:
        return None


def _yes_or_no(digit: str) -> bool | None:
    return {"0": False, "1": True}.get(digit)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
