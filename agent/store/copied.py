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
from dataclasses import dataclass

from agent.store import trail
from agent.store.chain import Chain
from agent.store.database import Cell, Database
from agent.store.meta import Identity, new_epoch
from agent.store.outbox import give_seqs
from wire.codec import canonical
from wire.envelope import Receipts

_GIVEN = "SELECT lane, next_seq - 1 FROM lanes WHERE epoch_id = ?"
_WAITING = "SELECT seq FROM outbox WHERE epoch_id = ? AND lane = 'events' AND receipted_ms IS NULL AND seq <= ?"
_EVENT = "SELECT record FROM outbox WHERE epoch_id = ? AND lane = 'events' AND seq = ?"
_MOVE = (
    "UPDATE outbox SET epoch_id = ?, seq = ?, record = ?, receipted_ms = NULL "
    "WHERE epoch_id = ? AND lane = 'events' AND seq = ?"
)


@dataclass(frozen=True)
class Again:
    """What was said under another life's seqs: events by their seq, and the track that waits up to one. `is_ours`: of
    the epoch that this store is at.
    """

    epoch_id: int
    is_ours: bool
    events: frozenset[int]
    track_to_seq: int = 0


def shown_by(database: Database, identity: Identity, receipts: Receipts) -> Again | None:
    """What these receipts show to be another life's; None, as ever: nothing. Ask before they are applied."""
    rows = database.execute("SELECT epoch_id FROM epochs WHERE epoch = ?", (receipts.epoch,))
    if not rows:
        return None
    told_of = _whole(rows[0][0])
    is_ours = told_of == identity.epoch_id
    forked = _forked(database, told_of, receipts)
    given = {str(lane): _whole(seq) for lane, seq in database.execute(_GIVEN, (told_of,))}
    if is_ours and (
        any(_highest(receipts, lane) > given.get(lane, 0) for lane in ("events", "track"))
        or _differs(database, told_of, receipts)
    ):
        waiting = {_whole(seq) for (seq,) in database.execute(_WAITING, (told_of, _highest(receipts, "events")))}
        return Again(told_of, is_ours, frozenset(forked | waiting), _highest(receipts, "track"))
    return Again(told_of, is_ours, frozenset(forked)) if forked else None


def begin_anew(database: Database, identity: Identity, again: Again, chain: Chain | None = None) -> Identity:
    """Gives all that new seqs, within the caller's transaction, and seals it under them. The identity to go on with: a
    new one if ours was used before.
    """
    if again.is_ours:
        epoch_id, epoch = new_epoch(database)
        identity = Identity(epoch=epoch, epoch_id=epoch_id, boot=identity.boot, was_restored=True)
    head = chain.head(database, identity.epoch_id) if chain is not None else None
    first = give_seqs(database, identity.epoch_id, "events", len(again.events))
    rows = [(seq, str(record)) for seq in sorted(again.events) for record in _texts(database, again.epoch_id, seq)]
    texts = [text for _, text in rows]
    if chain is not None and rows:
        texts = chain.seal(database, identity.epoch_id, first, head, [json.loads(text) for text in texts])
    moves = [
        (identity.epoch_id, place, text, again.epoch_id, seq)
        for place, ((seq, _), text) in enumerate(zip(rows, texts, strict=True), first)
    ]
    database.execute_many(_MOVE, moves)
    spans = [
        span for span in trail.waiting(database) if span.epoch_id == again.epoch_id and span.first <= again.track_to_seq
    ]
    crumbs = sum(min(span.last, again.track_to_seq) - span.first + 1 for span in spans)
    first = give_seqs(database, identity.epoch_id, "track", crumbs)
    for span in spans:
        first += trail.move(database, span, again.track_to_seq, identity.epoch_id, first)
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


def _texts(database: Database, epoch_id: int, seq: int) -> list[str]:
    return [str(record) for (record,) in database.execute(_EVENT, (epoch_id, seq))]


def _highest(receipts: Receipts, lane: str) -> int:
    receipt = {str(name): one for name, one in receipts.lanes.items()}.get(lane)
    return 0 if receipt is None else max([receipt.contiguous_seq, *(last for _, last in receipt.ranges)])


def _whole(cell: Cell) -> int:
    assert isinstance(cell, int)
    return cell
