"""What stands on the page for the shipper: a proof in words, before anything is drawn. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from cloud.proof.closing import Closing, body_of, the_closing
from cloud.proof.model import Entry, Item, Proof, Verdict, Verification
from wire.events import EventKind
from wire.manifest import Stop

_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND"), 0),
    **dict.fromkeys(("VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""After the point, of currencies that have not two (ISO 4217)."""
_CLOCKS = {"gps": "by the van's clock, set by GPS", "system": "by the van's own clock"}
_VERDICTS = {
    Verdict.VERIFIED: (
        "Verified",
        "Nothing was changed since the driver recorded it: every record and picture on this page is covered by the "
        "signature of the van's computer.",
    ),
    Verdict.WAITING: (
        "Not verified yet",
        "What is here holds. Some of it is missing, or still on its way from the van.",
    ),
    Verdict.NOT_SEALED: ("Not sealed", "Nobody signed these records: they are shown as the carrier keeps them."),
    Verdict.ALTERED: ("Altered", "Something was changed after it was sealed. Do not rely on this page."),
}


@dataclass(frozen=True)
class Picture:
    """A photo or a signature, and what stands under it."""

    item: Item
    caption: str


@dataclass(frozen=True)
class Sheet:
    title: str
    is_good: bool
    """Goods were handed over."""
    outcome: str
    closed: str
    """When, in the depot's zone."""
    clock: str
    recipient: str
    address: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    goods: tuple[str, ...]
    pictures: tuple[Picture, ...]
    verdict: Verdict
    verdict_title: str
    verdict_text: str
    findings: tuple[str, ...]
    seal: tuple[tuple[str, str], ...]
    made: str


def sheet_of(proof: Proof, found: Verification, authority_sha256: str | None = None) -> Sheet:
    """Every word of the page. Times are in the depot's zone."""
    zone = ZoneInfo(proof.timezone)
    shown = [(strand.van, entry) for strand in proof.strands for entry in strand.entries if entry.record is not None]
    closing = the_closing(proof.strands)
    entry = closing.entry if closing is not None else None
    record = (entry.record or {}) if entry is not None else {}
    body = closing.body if closing is not None else {}
    is_good = closing is not None and closing.is_delivered
    outcome = str(body.get("outcome") or body.get("reason") or "").replace("_", " ")
    title, text = _VERDICTS[found.verdict]
    stop = proof.stop
    return Sheet(
        title="Proof of delivery" if is_good else "Record of a stop",
        is_good=is_good,
        outcome=_upper(outcome) if outcome else "Not closed yet",
        closed=_when(record, zone, "%A, %-d %B %Y, %H:%M:%S") if entry is not None else "",
        clock=_CLOCKS.get(str(record.get("wall_source")), "the van did not know the time") if entry is not None else "",
        recipient=stop.recipient.name if stop is not None else "",
        address=()
        if stop is None
        else _address(stop.address.street, stop.address.number, stop.address.postcode, stop.address.city),
        facts=_facts(proof, shown, closing, zone),
        goods=_goods(stop, body if is_good else {}),
        pictures=_pictures(proof, shown, zone),
        verdict=found.verdict,
        verdict_title=title,
        verdict_text=text,
        findings=tuple(one.text for one in found.findings) + tuple(dict.fromkeys(found.notes)),
        seal=_seal(found, authority_sha256),
        made=f"All that fleet {proof.fleet} had stored on {_local(proof.made_at, zone, '%-d %B %Y, %H:%M:%S')}",
    )


def _goods(stop: Stop | None, body: Mapping[str, Any]) -> tuple[str, ...]:
    """What became of each parcel, where that was said; else what was on the list."""
    names = {parcel.code: parcel.what for parcel in stop.handover.parcels} if stop is not None and stop.handover else {}
    said = tuple(
        f"{' '.join(part for part in (code, names.get(code, '')) if part)}: {_words(one.get('state'))}"
        for one in _dicts(body.get("items"))
        if (code := str(one.get("code", "")))
    )
    return said or (stop.items if stop is not None else ())


def _facts(
    proof: Proof, shown: list[tuple[str, Entry]], closing: Closing | None, zone: ZoneInfo
) -> tuple[tuple[str, str], ...]:
    body: Mapping[str, Any] = closing.body if closing is not None else {}
    arrived = [entry for _, entry in shown if (entry.record or {}).get("kind") == EventKind.STOP_ARRIVED]
    distance_m = body.get("distance_m")
    lat_deg, lon_deg = body.get("lat_deg"), body.get("lon_deg")
    received = closing.entry.received_at if closing is not None else None
    corrected = closing.corrections if closing is not None else ()
    waived = [f"{_words(one.get('kind'))} ({_words(one.get('why'))})" for one in _dicts(body.get("waivers"))]
    facts = [
        ("Order", proof.stop.order_ref if proof.stop is not None else ""),
        ("Received by", str(body.get("received_by") or "")),
        ("Note", str(body.get("note") or "")),
        ("Cash", _cash(body.get("cash"))),
        ("Left undone", ", ".join(waived)),
        (
            "Corrected",
            f"{_when(corrected[-1].record or {}, zone, '%-d %b %Y, %H:%M:%S')}, by the driver" if corrected else "",
        ),
        ("Arrived", _when(arrived[-1].record or {}, zone, "%H:%M:%S") if arrived else ""),
        (
            "Place",
            f"{distance_m:.0f} m from the address" if isinstance(distance_m, int | float) else "",
        ),
        ("", f"{lat_deg:.5f}, {lon_deg:.5f}" if isinstance(lat_deg, float) and isinstance(lon_deg, float) else ""),
        ("Vehicle", closing.van if closing is not None else ""),
        ("Stored", f"{_local(received, zone, '%-d %b %Y, %H:%M:%S')}" if received is not None else ""),
    ]
    return tuple((label, value) for label, value in facts if value)


def _pictures(proof: Proof, shown: list[tuple[str, Entry]], zone: ZoneInfo) -> tuple[Picture, ...]:
    taken = {
        body_of(entry).get("sha256"): entry
        for _, entry in shown
        if (entry.record or {}).get("kind") == EventKind.PROOF_CAPTURED
    }
    pictures = []
    for item in proof.items:
        entry = taken.get(item.sha256)
        when = _when(entry.record or {}, zone, "%H:%M:%S") if entry is not None else ""
        who = str(body_of(entry).get("signed_by") or "") if entry is not None else ""
        caption = ", ".join(part for part in (_upper(item.kind.value), who, when) if part)
        pictures.append(Picture(item, caption))
    return tuple(pictures)


def _seal(found: Verification, authority_sha256: str | None) -> tuple[tuple[str, str], ...]:
    sealed = found.sealed
    if sealed is None:
        return ()
    return (
        (
            "Records",
            f"{found.records} of this stop, {found.items} pictures; signed with record {sealed.seq} of {sealed.van}, "
            f"epoch {sealed.epoch}",
        ),
        ("Chain head", sealed.link),
        ("Key", sealed.public_key),
        (
            "Authority",
            authority_sha256 if sealed.is_vouched and authority_sha256 else "none: no certificate stands for the key",
        ),
    )


def _address(street: str, number: str, postcode: str, city: str) -> tuple[str, ...]:
    lines = (" ".join(part for part in (street, number) if part), " ".join(part for part in (postcode, city) if part))
    return tuple(line for line in lines if line)


def _cash(said: object) -> str:
    if not isinstance(said, dict) or not isinstance(said.get("amount_minor"), int):
        return ""
    currency = str(said.get("currency", ""))
    digits = _DIGITS.get(currency, 2)
    return f"{said['amount_minor'] / 10**digits:.{digits}f} {currency}"


def _dicts(said: object) -> list[dict[str, Any]]:
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _words(name: object) -> str:
    return str(name or "").replace("_", " ")


def _when(record: Mapping[str, Any], zone: ZoneInfo, form: str) -> str:
    wall_ms = record.get("wall_ms")
    if not isinstance(wall_ms, int) or record.get("wall_source") == "none":
        return "time unknown"
    return _local(datetime.fromtimestamp(wall_ms / 1000, UTC), zone, form)


def _local(instant: datetime, zone: ZoneInfo, form: str) -> str:
    return instant.astimezone(zone).strftime(form)


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
