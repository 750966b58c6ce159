"""A van's morning, sealed as its store seals it, at the coordinator: two stops, each with a photo and a signature."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cloud.identity.certificates import (
    Authority,
    client_certificate,
    new_authority,
    new_key,
    pem_of,
    sealing_certificate,
)
from cloud.identity.sealing import CoordinatorSeal
from cloud.identity.seals import SealChecks
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.proof.model import Item, Proof, Verdict, Verification
from cloud.proof.verify import verify
from cloud.store.database import Database, open_database
from cloud.store.manifests import save_manifest
from cloud.store.proofs import evidence_in, proof_of
from tests import sealing
from tests.builders import MORNING, a_manifest, a_stop
from tests.cloud.said import EPOCH, FLEET, VAN, a_record, arrived, chunk_packet, chunks_of, completed, on
from tests.sealing import a_key
from wire import topics
from wire.codec import canonical, content_hash, encode_text, to_json
from wire.events import EventKind, KeyAnnounced, ProofCaptured
from wire.manifest import EvidenceKind, Manifest, Recipient
from wire.model import Message
from wire.seal import Place, begin, sealed, to_vouch

KEY = a_key()
STOPS = tuple(a_stop(number, recipient=Recipient(name=f"Zoë Müller {number}")) for number in (1, 2))
PICTURES = {
    (stop.stop_id, kind): f"{kind} of {stop.stop_id}".encode() * 9
    for stop in STOPS
    for kind in (EvidenceKind.PHOTO, EvidenceKind.SIGNATURE)
}
type Raw = dict[str, Any]


def taken(stop_id: str, kind: EvidenceKind) -> ProofCaptured:
    data = PICTURES[stop_id, kind]
    return ProofCaptured(
        stop_id=stop_id,
        evidence_kind=kind,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        media_type="image/png" if kind is EvidenceKind.SIGNATURE else "image/jpeg",
        signed_by="Zoë Müller" if kind is EvidenceKind.SIGNATURE else "",
    )


def closed(stop_id: str) -> Message:
    (listed,) = [content_hash(stop) for stop in STOPS if stop.stop_id == stop_id]
    proofs = tuple(taken(stop_id, kind).sha256 for kind in (EvidenceKind.PHOTO, EvidenceKind.SIGNATURE))
    return completed(stop_id, received_by="Zoë Müller", proofs=proofs, listed=listed, lat_deg=41.1545, lon_deg=-8.61)


MORNING_SAID: tuple[Message | tuple[str, Message], ...] = (
    arrived("s1", distance_m=12.0),
    taken("s1", EvidenceKind.PHOTO),
    arrived("s2", distance_m=8.0),
    taken("s2", EvidenceKind.SIGNATURE),
    taken("s2", EvidenceKind.PHOTO),
    closed("s2"),
    taken("s1", EvidenceKind.SIGNATURE),
    closed("s1"),
)
"""The driver went from the first stop to the second and back: their records stand between each other."""


def chain(
    said: tuple[Message | tuple[str, Message], ...] = MORNING_SAID,
    *,
    first: int = 2,
    prev: str | None = None,
    versions: Mapping[int, int] | None = None,
) -> list[Raw]:
    """The records, sealed from seq `first` on. `versions`: of the list, by seq, where it is not the first."""
    prev = begin(VAN, EPOCH) if prev is None else prev
    before: dict[str, int] = {}
    made = []
    for seq, one in enumerate(said, first):
        kind, body = one if isinstance(one, tuple) else (None, one)
        record = to_json(a_record(body, kind, after_ms=60_000 * seq, manifest_version=(versions or {}).get(seq, 1)))
        stop_id = record["body"].get("stop_id", "")
        raw, prev = sealed(
            record,
            Place(VAN, EPOCH, seq),
            prev=prev,
            before=before.get(stop_id, 0),
            draw=Random(seq).randbytes,
            signer=KEY,
        )
        before[stop_id] = seq
        made.append(raw)
    return made


@cache
def the_authority() -> Authority:
    return new_authority(FLEET, MORNING - timedelta(days=1))


@cache
def a_stater(*, has_certificate: bool = True) -> CoordinatorSeal:
    """The coordinator's key, with the authority's certificate."""
    bare = sealing.a_stater()
    pem = pem_of(sealing_certificate(the_authority(), bare.key.public_key(), MORNING)).decode()
    return sealing.a_stater(pem) if has_certificate else bare


@cache
def announcement() -> tuple[Raw, str]:
    """The first record of the morning, and the fleet's authority (PEM)."""
    now = MORNING - timedelta(days=1)
    authority, device = the_authority(), new_key()
    own_pem = pem_of(client_certificate(authority, VAN, device.public_key(), now)).decode()
    vouched = device.sign(to_vouch(VAN, EPOCH, KEY.public_key), ec.ECDSA(hashes.SHA256())).hex()
    body = KeyAnnounced(public_key=KEY.public_key, certificate_pem=own_pem, vouched=vouched)
    (record,) = chain(((EventKind.KEY_ANNOUNCED, body),), first=1)
    return record, authority.pem.decode()


def events(records: list[Raw], first_seq: int) -> tuple[str, bytes]:
    """(topic, payload): word for word, as a van sends them."""
    head = {"schema": 1, "van": VAN, "epoch": EPOCH, "boot": 1, "lane": "events", "first_seq": first_seq}
    return on(topics.EVENTS), encode_text(canonical({**head, "records": records}).decode())


def tell(database: Database, *packets: tuple[str, bytes], at: datetime = MORNING + timedelta(hours=2)) -> None:
    group = [Incoming(packet) for topic, payload in packets if (packet := unpack(FLEET, topic, payload)) is not None]
    with database.transaction() as connection:
        apply_group(connection, group, at)


def evidence_packets(*stop_ids: str) -> list[tuple[str, bytes]]:
    return [
        chunk_packet(*chunk)
        for (stop_id, _), data in PICTURES.items()
        if stop_id in stop_ids
        for chunk in chunks_of(data)
    ]


def a_coordinator(folder: Path) -> Database:
    """One that handed out the list, and heard nothing yet."""
    database = open_database(folder / "cloud.db")
    with database.transaction() as connection:
        save_manifest(connection, a_manifest(STOPS), MORNING)
    return database


def a_morning(folder: Path) -> Database:
    """A coordinator that heard all of it."""
    database = a_coordinator(folder)
    first, _ = announcement()
    tell(database, events([first], 1), events(chain(), 2), *evidence_packets("s1", "s2"))
    return database


def heard(
    folder: Path,
    *said: Message | tuple[str, Message],
    versions: Mapping[int, int] | None = None,
    lists: Sequence[Manifest] = (),
    packets: Sequence[tuple[str, bytes]] = (),
) -> Database:
    """A coordinator that heard this, from seq 2 on, and has the pictures of the morning. `lists`: after the first."""
    database = a_coordinator(folder)
    with database.transaction() as connection:
        for one in lists:
            save_manifest(connection, one, MORNING)
    records = chain(said, versions=versions)
    tell(database, events([announcement()[0]], 1), events(records, 2), *evidence_packets("s1", "s2"), *packets)
    return database


def verdict_of(database: Database, stop_id: str = "s1") -> tuple[Verdict, list[str]]:
    """What is said of the stop, and why. Closes the database."""
    found = looked_at(*read(database, stop_id))
    database.close()
    return found.verdict, [one.text for one in found.findings]


def read(database: Database, stop_id: str = "s1") -> tuple[Proof, dict[str, bytes]]:
    with database.snapshot() as connection:
        proof = proof_of(
            connection,
            stop_id,
            fleet=FLEET,
            timezone="Europe/Lisbon",
            authority_pem=announcement()[1],
            stater=a_stater(),
        )
        assert proof is not None
        return proof, evidence_in(connection, proof)


@cache
def a_proof(stop_id: str = "s1") -> tuple[Proof, Mapping[str, bytes]]:
    """Of a stop of that morning, with its evidence by file."""
    with TemporaryDirectory() as folder:
        database = a_morning(Path(folder))
        try:
            return read(database, stop_id)
        finally:
            database.close()


def looked_at(proof: Proof, evidence: Mapping[str, bytes]) -> Verification:
    def held(item: Item) -> bytes | None:
        return evidence.get(item.file or "")

    return verify(proof, held, SealChecks())
