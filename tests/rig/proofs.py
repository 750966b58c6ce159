"""Two proofs taken without a link, for two stops whose taps come between each other; a cut or a kill at every storage
operation. They never cross: at the coordinator each stop has its own evidence, under a seal that holds.

Each tap goes through `decide` and one step of the production store, as the van's loop does it, and is tapped again
until it is saved. What the outbox holds at the end is applied by the production ingest.
"""

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import cloud.store.database
from agent.errors import StoreError
from agent.store.blobs import NewBlob
from agent.store.inputs import TapMade
from agent.store.store import Step, Store
from agent.trip.decide import decide
from agent.trip.inputs import AnyInput, ArrivedTapped, DeliveredTapped, EvidenceTaken, KeyReady
from agent.trip.run import Evidence, Run
from cloud.ingest.apply import Incoming, apply_group
from cloud.ingest.unpack import unpack
from cloud.proof.model import Verdict
from cloud.store.database import Database, open_database
from cloud.store.manifests import save_manifest
from cloud.store.proofs import proof_of
from tests.builders import MORNING, a_manifest, a_run
from tests.rig import sealjudge
from tests.rig.disk import Disk
from tests.rig.sealjudge import STATER
from tests.rig.vfs import the_vfs
from tests.sealing import a_sealing, sealing_key
from wire import topics
from wire.codec import encode_text, pack_chunk
from wire.envelope import MAX_CHUNK_BYTES, ChunkHeader, Record
from wire.events import KeyAnnounced
from wire.manifest import EvidenceKind

VAN, FLEET = "van-1", "town"
STOPS = ("s1", "s2")
NOW_MS = round(MORNING.timestamp() * 1000)


@dataclass(frozen=True)
class Tapped:
    """A tap, with the bytes that came with it."""

    tap_id: str
    entered: AnyInput
    data: bytes = b""


def _took(stop_id: str, kind: EvidenceKind) -> Tapped:
    data = f"{kind} of {stop_id} ".encode() * 80
    evidence = Evidence(
        kind=kind,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        media_type="image/png" if kind is EvidenceKind.SIGNATURE else "image/jpeg",
        taken_at=MORNING,
    )
    return Tapped(f"{stop_id} {kind}", EvidenceTaken(stop_id=stop_id, evidence=evidence), data)


TAPS = (
    Tapped("s1 arrived", ArrivedTapped(stop_id="s1")),
    _took("s1", EvidenceKind.PHOTO),
    Tapped("s2 arrived", ArrivedTapped(stop_id="s2")),
    _took("s2", EvidenceKind.PHOTO),
    _took("s1", EvidenceKind.SIGNATURE),
    _took("s2", EvidenceKind.SIGNATURE),
    Tapped("s1 delivered", DeliveredTapped(stop_id="s1")),
    Tapped("s2 delivered", DeliveredTapped(stop_id="s2")),
)
OWN = {
    stop_id: {
        tap.entered.evidence.sha256: tap.data
        for tap in TAPS
        if isinstance(tap.entered, EvidenceTaken) and tap.entered.stop_id == stop_id
    }
    for stop_id in STOPS
}


async def life(folder: Path, saved: list[str]) -> None:
    """A life of the van: all that is not saved yet is tapped. `saved`: what the driver was told is."""
    store = await Store.open(folder, sealing=a_sealing(VAN))
    try:
        run = await store.load_run()
        epoch = store.identity.epoch
        key = KeyAnnounced(public_key=sealing_key(VAN, epoch).public_key)
        run = await _step(store, run if run.stops else a_run(2), Tapped("", KeyReady(epoch=epoch, announced=key)))
        for tap in TAPS:
            if await store.find_tap(tap.tap_id) is None:
                run = await _step(store, run, tap)
            saved.append(tap.tap_id)
    finally:
        with suppress(StoreError):
            await store.close()


async def _step(store: Store, run: Run, tap: Tapped) -> Run:
    decision = decide(run, tap.entered, MORNING)
    assert decision.refusal is None, f"{tap.tap_id}: {decision.refusal}"
    entered = tap.entered
    blob = None
    if isinstance(entered, EvidenceTaken):
        blob = NewBlob(entered.evidence.sha256, entered.evidence.kind, entered.evidence.media_type, tap.data)
    records = tuple(
        Record(kind=said.kind, wall_ms=NOW_MS, wall_source="gps", mono_ms=0, boot=1, manifest_version=1, body=said.body)
        for said in decision.outgoing
    )
    if records:
        made = TapMade(tap.tap_id, "hash") if tap.tap_id else None
        await store.save(Step(at_ms=NOW_MS, run=decision.run, entered=entered, tap=made, blob=blob, records=records))
    return decision.run


def gone(folder: Path, told: Sequence[str]) -> list[str]:
    """What was called saved and is not there; before anything is tapped again."""
    if not told:
        return []
    with closing(sqlite3.connect(folder / "van.sqlite")) as file:
        tapped = {tap_id for (tap_id,) in file.execute("SELECT tap_id FROM taps")}
    return [f"{tap_id} was called saved and is gone" for tap_id in told if tap_id not in tapped]


def crossed(folder: Path, there: Database) -> list[str]:
    """What is wrong with the van's file, looked at by a coordinator; which forgets it again."""
    troubles: list[str] = []
    with closing(sqlite3.connect(folder / "van.sqlite")) as file, suppress(_Forget):
        tapped = {tap_id for (tap_id,) in file.execute("SELECT tap_id FROM taps")}
        with there.transaction() as connection:
            save_manifest(connection, a_manifest(2), MORNING)
            apply_group(connection, _packets(file), MORNING)
            for stop_id in STOPS:
                found = sealjudge.look(connection, stop_id)
                proof = proof_of(connection, stop_id, fleet=FLEET, timezone="UTC", authority_pem="", stater=STATER)
                named = {item.sha256 for item in proof.items} if proof is not None else set()
                if not named <= OWN[stop_id].keys():
                    troubles.append(f"{stop_id} has evidence of another stop")
                is_closed = f"{stop_id} delivered" in tapped
                if is_closed and (
                    found is None or found.verdict is not Verdict.VERIFIED or named != OWN[stop_id].keys()
                ):
                    why = found.findings[0].text if found is not None and found.findings else "nothing is sealed"
                    troubles.append(f"{stop_id} is delivered, and its proof is not verified: {why}")
                if found is not None and found.verdict is Verdict.ALTERED:
                    troubles.append(f"{stop_id}: {found.findings[0].text}")
            raise _Forget
    return troubles


class _Forget(Exception):  # noqa: N818 - no error: it ends the transaction
    """Undo it."""


def _packets(file: sqlite3.Connection) -> list[Incoming]:
    packets: list[tuple[str, bytes]] = []
    rows = file.execute("SELECT epoch, seq, record FROM outbox JOIN epochs USING (epoch_id) WHERE lane = 'events'")
    for epoch, seq, record in rows:
        head = {"schema": 1, "van": VAN, "epoch": epoch, "boot": 1, "lane": "events", "first_seq": seq}
        text = json.dumps(head)[:-1] + f', "records": [{record}]}}'
        packets.append((topics.EVENTS.of(FLEET, VAN), encode_text(text)))
    for sha256, data in file.execute("SELECT sha256, bytes FROM blob_bytes"):
        for start in range(0, len(data), MAX_CHUNK_BYTES):
            header = ChunkHeader(van=VAN, epoch="0" * 16, sha256=sha256, offset_bytes=start, total_bytes=len(data))
            piece = data[start : start + MAX_CHUNK_BYTES]
            packets.append((topics.BLOBS.of(FLEET, VAN), pack_chunk(header, piece)))
    unpacked = [unpack(FLEET, topic, payload) for topic, payload in packets]
    return [Incoming(packet) for packet in unpacked if packet is not None]


def a_coordinator(folder: Path, files: dict[str, bytes]) -> Database:
    """One that has heard nothing, on a disk of the rig's."""
    the_vfs().mount(folder, Disk(0, files))
    with mock.patch.object(cloud.store.database, "_migrate"):
        return open_database(folder / "cloud.db")
