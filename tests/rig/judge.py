"""What must be true, asked of the disks themselves and never of the code under test.

While it runs: what was called saved is there after every boot, what was receipted is there after every boot of the
coordinator. At the end: each van's sayings are at the coordinator, once, in the driver's order, with their evidence.
"""

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select

from agent.store.store import Store
from cloud.fleet.fold import FACTS, Origin, fold
from cloud.store.blobs import whole_blob
from cloud.store.database import Database
from cloud.store.instants import from_ms
from cloud.store.records import Sender, cursor_of
from cloud.store.stop_states import states_of
from cloud.store.tables import records as kept
from tests.rig import trackjudge
from tests.rig.driver import Act, Saying
from tests.rig.trackbook import TrackBook
from tests.rig.trackjudge import Track
from wire import topics
from wire.codec import canonical, decode
from wire.envelope import Receipts, Record
from wire.events import ReplanReason
from wire.model import Message
from wire.topics import Lane

DRIVERS_KINDS = ("stop.arrived", "proof.captured", "stop.completed", "stop.failed", "stop.skipped")


@dataclass
class Findings:
    """Each in words; a schedule that found nothing has four empty lists."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    disordered: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.disordered or self.stuck)

    def lines(self) -> list[str]:
        return [
            f"{name}: {what}" for name in ("lost", "doubled", "disordered", "stuck") for what in getattr(self, name)
        ]


class Promises:
    """Everything the coordinator has receipted so far."""

    def __init__(self) -> None:
        self._contiguous: dict[tuple[str, str, str], int] = {}
        self._beyond: dict[tuple[str, str, str], set[tuple[int, int]]] = {}
        self._whole: set[str] = set()

    def heard(self, topic: str, payload: bytes) -> None:
        parsed = topics.parse(topic)
        if parsed is None or parsed[2] is not topics.RECEIPTS:
            return
        receipts = decode(Receipts, payload)
        for lane, receipt in receipts.lanes.items():
            key = (parsed[1], receipts.epoch, lane)
            self._contiguous[key] = max(self._contiguous.get(key, 0), receipt.contiguous_seq)
            self._beyond.setdefault(key, set()).update(receipt.ranges)
        self._whole |= {sha256 for sha256, receipt in receipts.blobs.items() if receipt.is_whole}

    def broken(self, database: Database) -> list[str]:
        """Those that the coordinator's disk does not keep."""
        troubles = []
        with database.snapshot() as connection:
            for (van, epoch, lane), seq in self._contiguous.items():
                cursor = cursor_of(connection, Sender(van, epoch), Lane(lane))
                if cursor.contiguous_seq < seq:
                    troubles.append(f"{van} {lane} was receipted up to {seq}, on disk up to {cursor.contiguous_seq}")
                for first, last in sorted(self._beyond[van, epoch, lane]):
                    held = ((1, cursor.contiguous_seq), *cursor.beyond)
                    if not any(a <= first and last <= b for a, b in held):
                        troubles.append(f"{van} {lane} was receipted {first}-{last}, on disk {held}")
            for sha256 in sorted(self._whole):
                if whole_blob(connection, sha256) is None:
                    troubles.append(f"blob {sha256[:8]} was receipted as whole and is not")
        return troubles


async def unsaved(saved: Sequence[Act], store: Store) -> list[str]:
    """What the driver saw as saved and a new life of the store does not know."""
    return [_gone(act) for act in saved if await store.find_tap(act.entry.tap_id) is None]


def _gone(act: Act) -> str:
    return f"{act.entry.tap_id} was called saved and is gone"


def settle(
    findings: Findings,
    van: str,
    saved: Sequence[Act],
    van_file: Path,
    cloud_file: Path,
    book: TrackBook | None = None,
    ended_s: float | None = None,
) -> None:
    """Compares the disks at the end with what the driver saw as saved, and with what the book says of the track; both
    nodes are stopped. `ended_s`: when the van was ended in order.
    """
    try:
        _settle(findings, van, saved, van_file, cloud_file, book, ended_s)
    except sqlite3.DatabaseError as error:
        findings.lost.append(f"a file cannot be read: {error}")


def _settle(
    findings: Findings,
    van: str,
    saved: Sequence[Act],
    van_file: Path,
    cloud_file: Path,
    book: TrackBook | None,
    ended_s: float | None,
) -> None:
    with closing(sqlite3.connect(van_file)) as here, closing(sqlite3.connect(cloud_file)) as there:
        for file, database in (("van", here), ("coordinator", there)):
            answer = database.execute("PRAGMA integrity_check").fetchall()
            if answer != [("ok",)]:
                findings.lost.append(f"the {file}'s file is corrupt: {answer}")
                return
        answered = {tap_id for (tap_id,) in here.execute("SELECT tap_id FROM taps")}
        findings.lost += [_gone(act) for act in saved if act.entry.tap_id not in answered]
        _sayings(findings, van, saved, here, there)
        _rows(findings, van, here, there)
        _track(findings, van, trackjudge.read(van, here, there), book, ended_s)
        _effects(findings, van, there)
        for act in saved:
            if act.entry.image is not None:
                _evidence(findings, van, act.entry.image.sha256, act.entry.image.data, there)


def refold(findings: Findings, database: Database) -> None:
    """The stops' states as the console gets them, against the same records read by the judge and folded backwards."""
    with database.snapshot() as connection:
        told: dict[str, list[tuple[Origin, Message]]] = {}
        rows = connection.execute(
            select(kept).where(kept.c.problem.is_(None), kept.c.kind.in_(FACTS)).order_by(kept.c.seq.desc())
        )
        for row in rows:
            record = Record.model_validate_json(row.record)
            at_ms = row.captured_ms if row.anchored_ms is None else row.anchored_ms
            is_dated = row.anchored_ms is not None or record.wall_source != "none"
            origin = Origin(
                van=row.van,
                epoch=row.epoch,
                seq=row.seq,
                captured_at=from_ms(at_ms) if is_dated else None,
                received_at=from_ms(row.received_ms),
            )
            told.setdefault(record.body["stop_id"], []).append((origin, FACTS[row.kind].model_validate(record.body)))
        shown = states_of(connection, told)
    for stop_id, facts in sorted(told.items()):
        if shown[stop_id] != fold(stop_id, facts):
            findings.disordered.append(
                f"the state of {stop_id} is {shown[stop_id]}, folded anew {fold(stop_id, facts)}"
            )


def _sayings(
    findings: Findings, van: str, saved: Sequence[Act], here: sqlite3.Connection, there: sqlite3.Connection
) -> None:
    epochs = [row[0] for row in here.execute("SELECT epoch FROM epochs ORDER BY epoch_id")]
    wanted = [saying for act in saved for saying in act.said]
    rows = there.execute("SELECT record, epoch, seq FROM records WHERE van = ?", (van,)).fetchall()
    rows.sort(key=lambda row: (epochs.index(row[1]) if row[1] in epochs else -1, row[2]))
    records = [Record.model_validate_json(row[0]) for row in rows]
    heard = [_saying(record) for record in records if record.kind in DRIVERS_KINDS]
    _compare(findings, van, wanted, heard)
    asked = sum(record.kind == "plan.accepted" and record.body["reason"] == ReplanReason.COMMAND for record in records)
    if asked > 1:
        findings.doubled.append(f"{van} did one command {asked} times")
    lists = Counter(record.body["version"] for record in records if record.kind == "manifest.applied")
    findings.doubled += [f"{van} applied list {version} {times} times" for version, times in lists.items() if times > 1]


def _compare(findings: Findings, van: str, wanted: list[Saying], heard: list[Saying]) -> None:
    want, have = Counter(wanted), Counter(heard)
    for saying in sorted(want | have):
        if have[saying] < want[saying]:
            findings.lost.append(f"{van} said {saying} {want[saying]} times, {have[saying]} arrived")
        elif have[saying] > want[saying]:
            findings.doubled.append(f"{van} said {saying} {want[saying]} times, {have[saying]} arrived")
    if want == have and wanted != heard:
        findings.disordered.append(f"{van} did {wanted}, the coordinator has {heard}")


def _saying(record: Record) -> Saying:
    body = record.body
    what = body.get("sha256") or body.get("outcome") or body.get("reason") or ""
    return record.kind, str(body["stop_id"]), str(what)


def _rows(findings: Findings, van: str, here: sqlite3.Connection, there: sqlite3.Connection) -> None:
    """Row by row: what the van keeps as receipted, and nothing else, is at the coordinator under the same identity.

    What still waits on the van's disk is not lost: the van said it while the schedule ended. Had it waited before, the
    schedule would have been stuck.
    """
    stored = {
        (epoch, seq): sha256
        for epoch, seq, sha256 in there.execute("SELECT epoch, seq, sha256 FROM records WHERE van = ?", (van,))
    }
    kept = "SELECT epoch, seq, record, receipted_ms IS NULL FROM outbox JOIN epochs USING (epoch_id)"
    for epoch, seq, text, waits in here.execute(kept):
        held = stored.pop((epoch, seq), None)
        if held is None and waits:
            continue
        if held is None:
            findings.lost.append(f"{van}'s event {seq} is not at the coordinator")
        elif held != hashlib.sha256(canonical(json.loads(text))).hexdigest():
            findings.doubled.append(f"{van}'s event {seq} is something else at the coordinator")
    given = dict(here.execute("SELECT epoch, next_seq FROM lanes JOIN epochs USING (epoch_id) WHERE lane = 'events'"))
    findings.doubled += [f"{van} never had event {seq}" for epoch, seq in sorted(stored) if seq >= given.get(epoch, 1)]


def _track(findings: Findings, van: str, track: Track, book: TrackBook | None, ended_s: float | None) -> None:
    if book is None:
        lost, doubled = trackjudge.rows(van, track)
    else:
        if ended_s is not None:
            book.ended(ended_s, track.stands_at)
        lost, doubled = trackjudge.by_the_book(book, track)
    findings.lost += lost
    findings.doubled += doubled


def _effects(findings: Findings, van: str, there: sqlite3.Connection) -> None:
    """Sums over the records, which a record applied twice would spoil."""
    forked = there.execute("SELECT count(*) FROM forks WHERE van = ?", (van,)).fetchone()[0]
    if forked:
        findings.doubled.append(f"{van} said two things under one identity, {forked} times")
    unread = there.execute("SELECT topic, why FROM parked WHERE van = ?", (van,)).fetchall()
    findings.lost += [f"a packet of {van} was parked: {topic}: {why}" for topic, why in unread]
    problems = there.execute("SELECT seq, problem FROM records WHERE van = ? AND problem IS NOT NULL", (van,))
    findings.lost += [f"{van}'s record {seq} cannot be used: {problem}" for seq, problem in problems]
    plans = there.execute("SELECT count(*) FROM records WHERE van = ? AND kind = 'plan.accepted'", (van,)).fetchone()[0]
    counted = there.execute("SELECT plans_made FROM van_states WHERE van = ?", (van,)).fetchone()
    if (counted or (0,))[0] != plans:
        findings.doubled.append(f"{van} made {plans} plans, {counted} were counted")


def _picture(data: bytes) -> bytes:
    """Of a JPEG what comes behind its words about itself: the van writes when and where it was taken."""
    return data[data.index(b"\xff\xdb") :] if data.startswith(b"\xff\xd8") and b"\xff\xdb" in data else data


def _evidence(findings: Findings, van: str, sha256: str, data: bytes, there: sqlite3.Connection) -> None:
    row = there.execute("SELECT is_whole, data FROM blobs WHERE sha256 = ?", (sha256,)).fetchone()
    if row is None or not row[0]:
        findings.lost.append(f"evidence {sha256[:8]} of {van} is not whole at the coordinator")
    elif _picture(row[1]) != _picture(data) or hashlib.sha256(row[1]).hexdigest() != sha256:
        findings.lost.append(f"evidence {sha256[:8]} of {van} is damaged at the coordinator")
