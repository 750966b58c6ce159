"""What is stored of one stop's proof, put together for whoever looks whether it holds. Reads only."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from cloud.proof.bundle import evidence_names
from cloud.proof.model import Entry, Item, Proof, Strand
from cloud.store.blobs import whole_blob
from cloud.store.instants import from_ms
from cloud.store.keys import keys_of
from cloud.store.tables import lane_cursors, manifests, orders, records
from wire.codec import WireError, loads
from wire.manifest import EvidenceKind, Manifest, Stop
from wire.seal import SIGNED_KINDS, SealError, begin, digest_of, seal_of

MOST_BETWEEN = 3_000
"""Records of a chain from the first about a stop to the signature: many days' worth. Of more the end is told."""
_SIGNED = sorted(map(str, SIGNED_KINDS))
_CLOSING = ("stop.completed", "stop.failed")
_PICTURES = {EvidenceKind.PHOTO, EvidenceKind.SIGNATURE}
MOST_FILES = 900
"""Pictures of one stop that go into a bundle; of more the records alone are there."""


def proof_of(
    connection: Connection, stop_id: str, *, fleet: str, timezone: str, authority_pem: str, now: datetime
) -> Proof | None:
    """All that is stored about the stop; None for one that nobody knows."""
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
    return Proof(
        fleet=fleet,
        stop_id=stop_id,
        made_at=now,
        timezone=timezone,
        stop=_stop(connection, order, about),
        strands=tuple(_strand(connection, chain, rows) for chain, rows in by_chain.items()),
        keys=tuple(keys),
        items=_items(connection, about),
        authority_pem=authority_pem,
    )


def evidence_in(connection: Connection, proof: Proof) -> dict[str, bytes]:
    """The bytes of what is here whole, by the names that the proof gives."""
    found = {item.file: whole_blob(connection, item.sha256) for item in proof.items if item.file is not None}
    return {name: data for name, data in found.items() if name is not None and data is not None}


def _strand(connection: Connection, chain: tuple[str, str], about: list[Row[Any]]) -> Strand:
    van, epoch = chain
    first, last = about[0].seq, about[-1].seq
    mine = (records.c.van == van) & (records.c.epoch == epoch)
    sealed_by = connection.execute(
        select(records.c.seq)
        .where(mine, records.c.seq.between(last, last + MOST_BETWEEN), records.c.kind.in_(_SIGNED))
        .order_by(records.c.seq)
        .limit(1)
    ).scalar()
    end = last if sealed_by is None else sealed_by
    first = max(first, end - MOST_BETWEEN)
    rows = connection.execute(
        select(records).where(mine, records.c.seq.between(first, end)).order_by(records.c.seq)
    ).all()
    ours = {row.seq for row in about}
    cursor = connection.execute(
        select(lane_cursors.c.contiguous_seq).where(
            lane_cursors.c.van == van, lane_cursors.c.epoch == epoch, lane_cursors.c.lane == "events"
        )
    ).scalar()
    start = begin(van, epoch)
    ends = {row.seq - 1 for row in rows if start in row.record} | {end}
    entries = tuple(_shown(row) if row.seq in ours else _other(row, is_end=row.seq in ends) for row in rows)
    return Strand(van=van, epoch=epoch, received_to=cursor or 0, entries=entries)


def _shown(row: Row[Any]) -> Entry:
    record = _said(row.record)
    return Entry(seq=row.seq, record=record if isinstance(record, dict) else {}, received_at=from_ms(row.received_ms))


def _other(row: Row[Any], *, is_end: bool) -> Entry:
    """Another stop's, or nobody's: whoever gets this proof learns nothing of it."""
    record = _said(row.record)
    try:
        seal = seal_of(record) if isinstance(record, dict) else None
        if seal is None:
            return Entry(seq=row.seq)
        entry = Entry(seq=row.seq, prev=seal.prev, digest=digest_of(record))
    except SealError:
        return Entry(seq=row.seq)
    return entry.model_copy(update={"key": seal.key, "signature": seal.signature}) if is_end else entry


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


def _stop(connection: Connection, order: Row[Any] | None, about: Iterable[Row[Any]]) -> Stop | None:
    """As on the list that the van had when it closed the stop."""
    for row in about:
        said = _said(row.record) if row.kind in _CLOSING and row.problem is None else None
        if said is not None:
            day = order.day if order is not None else None
            listed = _listed(connection, row.van, day, said.get("manifest_version"), row.stop_id)
            if listed is not None:
                return listed
    return None if order is None else Stop.model_validate_json(order.stop)


def _listed(connection: Connection, van: str, day: str | None, version: object, stop_id: str) -> Stop | None:
    if not isinstance(version, int):
        return None
    asked = select(manifests.c.document).where(manifests.c.van == van, manifests.c.version == version)
    if day is not None:
        asked = asked.where(manifests.c.day == day)
    for (document,) in connection.execute(asked):
        for stop in Manifest.model_validate_json(document).stops:
            if stop.stop_id == stop_id:
                return stop
    return None
