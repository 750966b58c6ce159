"""From a transport label to a stop, and to what a listed stop lacks. Pure.

A label is a shipper's word and not the list's: it fills what is empty and changes nothing. Its window is a soft one,
because nobody of ours promised it.
"""

import re
import unicodedata
from datetime import date, datetime, tzinfo
from enum import StrEnum

from wire.finding import StopFilled
from wire.found import OfLabel, PlacedBy
from wire.geo import Place, distance_m
from wire.handover import Handover, Parcel
from wire.manifest import Address, EvidenceKind, EvidenceRule, Recipient, Stop, Window
from wire.model import StopId, Value
from wire.transport import Party, TransportLabel, opening

FARTHEST_M = 500_000.0
"""From the depot, as for orders of a file: a label that names a place beyond it does not mean this van's round."""
_NUMBER_LAST = re.compile(r"^(?P<street>.*\D[^,]*?),? +(?P<number>\d+[^\W\d_]?(?:[-/]\d*[^\W\d_]?)?)$")
_NUMBER_FIRST = re.compile(r"^(?P<number>\d+[^\W\d_]?(?:[-/]\d*[^\W\d_]?)?),? +(?P<street>.*\D.*)$")


class Spotted(Value):
    """Where the map has a label's address."""

    place: Place
    placed_by: PlacedBy


class LabelTrouble(StrEnum):
    """Why no stop can be made of a label."""

    NOT_TODAY = "not_today"
    """It is to be delivered on another day."""
    NO_ADDRESS = "no_address"
    """It does not say where to."""


class Filled(StrEnum):
    """What a label gave to a listed stop."""

    CODE = "code"
    WINDOW = "window"
    ADDRESS = "address"
    NAME = "name"
    PHONE = "phone"
    SIGNATURE = "signature"


def found_id(day: date, sscc: str) -> StopId:
    """The one stop of a parcel's label on a day. No order's id has two underscores before eighteen digits."""
    return f"{day:%Y%m%d}-found__{sscc}"


def address_of(party: Party) -> Address:
    """Street and number of the first line apart, where it has a number at one end."""
    line = party.lines[0] if party.lines else ""
    parts = _NUMBER_LAST.match(line) or _NUMBER_FIRST.match(line)
    street, number = (parts["street"], parts["number"]) if parts else (line, "")
    return Address(
        street=street.strip(" ,"), number=number, postcode=party.postcode, city=party.locality or party.suburb
    )


def place_of(label: TransportLabel, home: Place) -> Place | None:
    """Where the label itself says that it goes, if that is within a van's round."""
    place = label.place
    return None if place is None or distance_m(place, home) > FARTHEST_M else place


def trouble_of(label: TransportLabel, begins: datetime, ends: datetime, zone: tzinfo) -> LabelTrouble | None:
    """Why no stop can be made of it on a day that lasts from `begins` to `ends`."""
    to = label.ship_to
    if label.place is None and not (to.lines or to.postcode or to.company or to.contact):
        return LabelTrouble.NO_ADDRESS
    when = opening(label, zone)
    return LabelTrouble.NOT_TODAY if when is not None and not (when[0] < ends and begins < when[1]) else None


def stop_of(label: TransportLabel, *, van: str, day: date, zone: tzinfo, home: Place, spotted: Spotted | None) -> Stop:
    """The stop of a label that is on no list. `home`: the depot, which stands in where nobody knows the place."""
    to, told = label.ship_to, place_of(label, home)
    if told is not None:
        place, placed_by = told, PlacedBy.LABEL
    elif spotted is not None:
        place, placed_by = spotted.place, spotted.placed_by
    else:
        place, placed_by = home, PlacedBy.NOWHERE
    return Stop(
        stop_id=found_id(day, label.sscc),
        order_ref=label.sscc,
        lat_deg=place.lat_deg,
        lon_deg=place.lon_deg,
        address=address_of(to),
        recipient=Recipient(name=_name(to), phone=to.phone),
        instruction=", ".join(part for part in (*to.lines[1:], to.suburb if to.locality else "") if part),
        items=(label.service,) if label.service else (),
        windows=_windows(label, zone),
        proof={EvidenceKind.SCAN: EvidenceRule.OPTIONAL, **_signature(label)},
        handover=Handover(parcels=(Parcel(code=label.sscc, what=label.service),)),
        found=OfLabel(
            van=van,
            placed_by=placed_by,
            may_leave=label.may_leave,
            is_dangerous=label.is_dangerous is True,
            service=label.service,
        ),
    )


def filled(stop: Stop, label: TransportLabel, begins: datetime, ends: datetime, zone: tzinfo) -> Stop:
    """A listed stop with what it lacks taken from a label of one of its parcels."""
    to = label.ship_to
    read, listed, recipient = address_of(to), stop.address, stop.recipient
    has_street = bool(listed.street)
    address = listed.model_copy(
        update={
            "street": listed.street or read.street,
            "number": listed.number if has_street else read.number,
            "postcode": listed.postcode or read.postcode,
            "city": listed.city or read.city,
        }
    )
    is_its_day = trouble_of(label, begins, ends, zone) is not LabelTrouble.NOT_TODAY
    has_code = any(parcel.code == label.sscc for parcel in stop.handover.parcels)
    parcel = Parcel(code=label.sscc, what=label.service)
    parcels = stop.handover.parcels if has_code else (*stop.handover.parcels, parcel)
    asked = {} if EvidenceKind.SIGNATURE in stop.proof else _signature(label)
    return stop.model_copy(
        update={
            "address": address,
            "recipient": recipient.model_copy(
                update={"name": recipient.name or _name(to), "phone": recipient.phone or to.phone}
            ),
            "windows": stop.windows or (_windows(label, zone) if is_its_day else ()),
            "proof": {**stop.proof, **asked},
            "handover": stop.handover.model_copy(update={"parcels": parcels}),
        }
    )


def told_of(before: Stop, after: Stop, code: str) -> StopFilled | None:
    """What was added, for the coordinator; None where nothing was."""
    if before == after:
        return None
    is_asked = EvidenceKind.SIGNATURE in after.proof and EvidenceKind.SIGNATURE not in before.proof
    return StopFilled(
        stop_id=after.stop_id,
        code=code,
        is_code_new=len(after.handover.parcels) > len(before.handover.parcels),
        windows=after.windows if after.windows != before.windows else (),
        address=after.address if after.address != before.address else None,
        name=after.recipient.name if after.recipient.name != before.recipient.name else "",
        phone=after.recipient.phone if after.recipient.phone != before.recipient.phone else "",
        wants_signature=is_asked,
    )


def facts_of(told: StopFilled) -> tuple[Filled, ...]:
    """The same as words for the driver."""
    said = {
        Filled.CODE: told.is_code_new,
        Filled.WINDOW: bool(told.windows),
        Filled.ADDRESS: told.address is not None,
        Filled.NAME: bool(told.name),
        Filled.PHONE: bool(told.phone),
        Filled.SIGNATURE: told.wants_signature,
    }
    return tuple(fact for fact, is_said in said.items() if is_said)


def is_meant(label: TransportLabel, stop: Stop) -> bool:
    """Whether a parcel without a listed code is one of that stop's: its door and its recipient, and the stop has
    more parcels than codes.
    """
    listed, read = stop.address, address_of(label.ship_to)
    if len(stop.handover.parcels) >= stop.amount.parcels:
        return False
    if not (listed.street and listed.number and read.street and read.number):
        return False
    if (_folded(listed.street), _folded(listed.number)) != (_folded(read.street), _folded(read.number)):
        return False
    who = {_folded(one) for one in (label.ship_to.contact, label.ship_to.company, _name(label.ship_to)) if one}
    name = _folded(stop.recipient.name)
    if name and who and name not in who:
        return False
    pairs = ((listed.postcode, read.postcode), (listed.city, read.city))
    return all(not one or not other or _folded(one) == _folded(other) for one, other in pairs)


def _name(to: Party) -> str:
    return ", ".join(part for part in (to.contact, to.company) if part)


def _windows(label: TransportLabel, zone: tzinfo) -> tuple[Window, ...]:
    when = opening(label, zone)
    return () if when is None else (Window(opens_at=when[0], closes_at=when[1]),)


def _signature(label: TransportLabel) -> dict[EvidenceKind, EvidenceRule]:
    return {EvidenceKind.SIGNATURE: EvidenceRule.REQUIRED} if label.wants_signature else {}


def _folded(text: str) -> str:
    """Without capitals, accents and signs."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(one if one.isalnum() else " " for one in plain if not unicodedata.combining(one)).split())
