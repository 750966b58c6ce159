"""What is stored of one stop's proof, put together for whoever looks whether it holds. Reads only."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, func, select

from cloud.proof.bundle import evidence_names
from cloud.proof.closing import the_closing
from cloud.proof.entries import Shown
from cloud.proof.inventory import Stater, stated
from cloud.proof.model import MOST_BETWEEN, Entry, Item, Proof, Strand
from cloud.store.blobs import whole_blob
from cloud.store.instants import from_ms
from cloud.store.keys import keys_of
from cloud.store.tables import blobs, lane_cursors, manifests, orders, records
from wire.codec import WireError, content_hash, loads
from wire.events import EventKind
from wire.finding import StopFound
from wire.manifest import EvidenceKind, Manifest, Stop
from wire.seal import SIGNED_KINDS, begin

_SIGNED = sorted(map(str, SIGNED_KINDS))
# An agent of before departures were signed sealed them without.
_IS_SIGNED = records.c.kind.in_(_SIGNED) & records.c.record.contains('"signature":')
_PICTURES = {EvidenceKind.PHOTO, EvidenceKind.SIGNATURE}
_BY_PAGES = {"yield_per": 500}
MOST_FILES = 900
"""Pictures of one stop that go into a bundle; of more the records alone are there."""


def proof_of(
    connection: Connection, stop_id: str, *, fleet: str, timezone: str, authority_pem: str, stater: Stater
) -> Proof | None:
    """All that is stored about the stop, and the coordinator's word that it is; None for one that nobody knows.

    The same until something is heard of these chains, so that the same question has the same answer.
    """
    order = connection.execute(select(orders).where(orders.c.stop_id == stop_id)).first()
    about = connection.execute(
        select(records).where(records.c.stop_id == stop_id).order_by(records.c.van, records.c.epoch, records.c.seq)
    ).all()
    if order is None and not about:
        return None
    by_chain: dict[tuple[str, str], list[Row[Any]]] = {}
    for row in about:
        by_chain.setdefault((row.van, row.epoch), []).append(row)
    keys = [
        key
        for van in sorted({van for van, _ in by_chain})
        for key in keys_of(connection, van)
        if (key.van, key.epoch) in by_chain
    ]
    strands = tuple(_strand(connection, chain, rows) for chain, rows in by_chain.items())
    begins = {(strand.van, strand.epoch): strand.entries[0].seq for strand in strands}
    shown = [row for row in about if row.seq >= begins[row.van, row.epoch]]
    items = _items(connection, shown)
    heard_ms = [row.received_ms for row in about] + _heads_ms(connection, strands) + _evidence_ms(connection, items)
    if order is not None:
        heard_ms.append(order.added_ms)
    proof = Proof(
        fleet=fleet,
        stop_id=stop_id,
        made_at=from_ms(max(heard_ms)),
        timezone=timezone,
        stop=_stop(connection, order, strands),
        strands=strands,
        keys=tuple(keys),
        items=items,
        authority_pem=authority_pem,
    )
    return stated(proof, stater)


def evidence_in(connection: Connection, proof: Proof) -> dict[str, bytes]:
    """The bytes of what is here whole, by the names that the proof gives."""
    found = {item.file: whole_blob(connection, item.sha256) for item in proof.items if item.file is not None}
    return {name: data for name, data in found.items() if name is not None and data is not None}


def _heads_ms(connection: Connection, strands: Iterable[Strand]) -> list[int]:
    """When the last record came before which nothing of its chain is missing, whatever it is about."""
    found = [
        connection.execute(
            select(records.c.received_ms).where(
                records.c.van == strand.van, records.c.epoch == strand.epoch, records.c.seq == strand.received_to
            )
        ).scalar()
        for strand in strands
    ]
    return [one for one in found if one is not None]


def _evidence_ms(connection: Connection, items: Iterable[Item]) -> list[int]:
    """When the last of the pictures came that are here."""
    hashes = [item.sha256 for item in items if item.file is not None]
    last = connection.execute(select(func.max(blobs.c.received_ms)).where(blobs.c.sha256.in_(hashes))).scalar()
    return [] if last is None else [last]


def _strand(connection: Connection, whose: tuple[str, str], about: list[Row[Any]]) -> Strand:
    van, epoch = whose
    first, last = about[0].seq, about[-1].seq
    mine = (records.c.van == van) & (records.c.epoch == epoch)
    sealed_by = connection.execute(
        select(records.c.seq)
        .where(mine, records.c.seq.between(last, last + MOST_BETWEEN), _IS_SIGNED)
        .order_by(records.c.seq)
        .limit(1)
    ).scalar()
    end = last if sealed_by is None else sealed_by
    first = max(first, end - MOST_BETWEEN)
    asked = select(records.c.seq, records.c.record, records.c.received_ms)
    rows = connection.execute(
        asked.where(mine, records.c.seq.between(first, end)).order_by(records.c.seq), execution_options=_BY_PAGES
    )
    ours = {row.seq for row in about}
    cursor = connection.execute(
        select(lane_cursors.c.contiguous_seq).where(
            lane_cursors.c.van == van, lane_cursors.c.epoch == epoch, lane_cursors.c.lane == "events"
        )
    ).scalar()
    shown, start = Shown(van, epoch), begin(van, epoch)
    for row, after in _with_next(rows):
        if row.seq in ours:
            shown.show(_shown(row))
        else:
            shown.add(row.seq, _said(row.record), is_end=after is None or start in after.record)
    is_cut = about[0].seq < first
    return Strand(van=van, epoch=epoch, received_to=cursor or 0, is_cut=is_cut, entries=shown.entries())


def _with_next(rows: Iterable[Row[*tuple[Any, ...]]]) -> Iterator[tuple[Any, Any | None]]:
    """Each with the one after it, read as they are needed: it may be weeks of a van."""
    rest = iter(rows)
    row = next(rest, None)
    while row is not None:
        after = next(rest, None)
        yield row, after
        row = after


def _shown(row: Row[Any]) -> Entry:
    record = _said(row.record)
    return Entry(seq=row.seq, record=record if isinstance(record, dict) else {}, received_at=from_ms(row.received_ms))


def _said(text: str) -> Any:
    try:
        return loads(text.encode())
    except WireError:
        return None


def _items(connection: Connection, about: Iterable[Row[Any]]) -> tuple[Item, ...]:
    taken: dict[str, Mapping[str, Any]] = {}
    for row in about:
        if row.kind == "proof.captured" and row.problem is None:
            body = (_said(row.record) or {}).get("body", {})
            if isinstance(body.get("sha256"), str) and body.get("evidence_kind") in _PICTURES:
                taken.setdefault(body["sha256"], body)
    names = evidence_names([(str(body["evidence_kind"]), str(body["media_type"])) for body in taken.values()])
    return tuple(
        Item(
            kind=EvidenceKind(body["evidence_kind"]),
            sha256=sha256,
            file=name if number < MOST_FILES and whole_blob(connection, sha256) is not None else None,
        )
        for number, ((sha256, body), name) in enumerate(zip(taken.items(), names, strict=True))
    )


def _stop(connection: Connection, order: Row[Any] | None, strands: Iterable[Strand]) -> Stop | None:
    """As on the list that the van had when it closed the stop: the one whose hash the closing names, else as the list
    of that version has it, else as it is known now.
    """
    known = None if order is None else Stop.model_validate_json(order.stop)
    closing = the_closing(strands)
    if closing is None:
        return known
    said = (closing.entry.record or {}).get("manifest_version")
    listed = closing.body.get("listed")
    of_van = manifests.c.van == closing.van
    is_said = manifests.c.version == (said if isinstance(said, int) else 0)
    stop_id = str(closing.body.get("stop_id"))
    if order is not None:
        of_day = manifests.c.day == order.day
    else:
        of_day = manifests.c.day.in_(select(manifests.c.day).where(of_van, is_said))
    asked = select(manifests.c.document, manifests.c.version).where(of_van, of_day)
    of_that_version = None
    for row in connection.execute(asked.order_by(is_said.desc(), manifests.c.version.desc())):
        found = next((one for one in Manifest.model_validate_json(row.document).stops if one.stop_id == stop_id), None)
        if found is not None and (listed is None or content_hash(found) == listed):
            return found
        of_that_version = found if row.version == said and of_that_version is None else of_that_version
    if known is not None and listed is not None and content_hash(known) == listed:
        return known
    return _found(strands, stop_id, listed) or of_that_version or known


def _found(strands: Iterable[Strand], stop_id: str, listed: object) -> Stop | None:
    """As the van itself made it of a label, where that is what it closed."""
    for entry in (entry for strand in strands for entry in strand.entries):
        record = entry.record or {}
        if record.get("kind") == EventKind.STOP_FOUND:
            try:
                found = StopFound.model_validate(record.get("body"))
            except ValidationError:
                continue
            if found.stop_id == stop_id and content_hash(found.stop) == listed:
                return found.stop
    return None
