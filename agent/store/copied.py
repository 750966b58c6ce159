"""A store that was copied back with everything around it, so that no boot counter tells: found out by what the
coordinator says of seqs.

    its receipt goes beyond the last seq we gave    ->  another life of this epoch gave more than we know of
    its last record under our epoch is not ours     ->  the same, and we have caught up since
    it names records of ours as forked              ->  it holds others under their seqs

Then this store goes on under a new epoch, and says again under it what was forked, and what this receipt would free:
for a seq that two lives gave it is no receipt for ours. What lies beyond it only we gave, and it keeps its identity.
"""

import hashlib
import json

from agent.store.database import Cell, Database
from agent.store.meta import Identity, new_epoch
from wire.codec import canonical
from wire.envelope import Receipts

_GIVEN = "SELECT lane, next_seq - 1 FROM lanes WHERE epoch_id = ?"
_WAITING = "SELECT seq FROM outbox WHERE epoch_id = ? AND lane = ? AND receipted_ms IS NULL AND seq <= ?"
_EVENT = "SELECT record FROM outbox WHERE epoch_id = ? AND lane = 'events' AND seq = ?"
_MOVE = "UPDATE outbox SET epoch_id = ?, seq = ?, receipted_ms = NULL WHERE epoch_id = ? AND lane = ? AND seq = ?"
_COUNT = (
    "INSERT INTO lanes (epoch_id, lane, next_seq) VALUES (?, ?, 1 + ?) "
    "ON CONFLICT DO UPDATE SET next_seq = next_seq + ? RETURNING next_seq"
)


def begin_anew(database: Database, identity: Identity, receipts: Receipts) -> Identity:
    """The identity to go on with: a new one when these receipts show that ours was used before.

    Call before they are applied, in the same transaction.
    """
    rows = database.execute("SELECT epoch_id FROM epochs WHERE epoch = ?", (receipts.epoch,))
    if not rows:
        return identity
    told_of = _whole(rows[0][0])
    again = {"events": _forked(database, told_of, receipts), "track": set[int]()}
    if told_of == identity.epoch_id:
        given = {str(lane): _whole(seq) for lane, seq in database.execute(_GIVEN, (told_of,))}
        is_another = any(_highest(receipts, lane) > given.get(lane, 0) for lane in again) or _differs(
            database, told_of, receipts
        )
        if is_another:
            for lane, seqs in again.items():
                seqs |= {
                    _whole(seq) for (seq,) in database.execute(_WAITING, (told_of, lane, _highest(receipts, lane)))
                }
        if is_another or again["events"]:
            epoch_id, epoch = new_epoch(database)
            identity = Identity(epoch=epoch, epoch_id=epoch_id, boot=identity.boot, was_restored=True)
    for lane, seqs in again.items():
        _say_again(database, told_of, identity.epoch_id, lane, sorted(seqs))
    return identity


def _differs(database: Database, epoch_id: int, receipts: Receipts) -> bool:
    """Whether the coordinator holds something else as its last record than we said then; not when ours is forgotten."""
    events = receipts.lanes.get("events")
    if events is None or events.head_sha256 is None:
        return False
    rows = database.execute(_EVENT, (epoch_id, events.contiguous_seq))
    return any(_hash(record) != events.head_sha256 for (record,) in rows)


def _hash(record: Cell) -> str:
    """Over what is said, word for word: the coordinator takes it over what it hears."""
    return hashlib.sha256(canonical(json.loads(str(record)))).hexdigest()


def _forked(database: Database, epoch_id: int, receipts: Receipts) -> set[int]:
    """Those of our rows that the coordinator keeps aside; of a clone's it tells us too."""
    found = set()
    for seq, sha256 in receipts.forked:
        for (record,) in database.execute(_EVENT, (epoch_id, seq)):
            if _hash(record) == sha256:
                found.add(seq)
    return found


def _say_again(database: Database, old_id: int, new_id: int, lane: str, seqs: list[int]) -> None:
    if not seqs:
        return
    ((next_seq,),) = database.execute(_COUNT, (new_id, lane, len(seqs), len(seqs)))
    first = _whole(next_seq) - len(seqs)
    moves: list[tuple[Cell, ...]] = [(new_id, place, old_id, lane, seq) for place, seq in enumerate(seqs, first)]
    database.execute_many(_MOVE, moves)


def _highest(receipts: Receipts, lane: str) -> int:
    receipt = {str(name): one for name, one in receipts.lanes.items()}.get(lane)
    return 0 if receipt is None else max([receipt.contiguous_seq, *(last for _, last in receipt.ranges)])


def _whole(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell
