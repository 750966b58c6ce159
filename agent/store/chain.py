"""The chain over what the van says, carried on in the transaction that saves it: see `wire/seal.py`.

The link of the newest record stands beside the next seq of its lane. What of a stop was said before is remembered while
the agent runs, and read once from what the outbox still keeps.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from agent.errors import StoreError
from agent.store.database import Cell, Database
from wire.codec import canonical
from wire.seal import Draw, Place, SealError, Signer, begin, digest_of, link, seal_of, sealed

COLUMN = "ALTER TABLE lanes ADD COLUMN head TEXT"
"""The link of the newest record of the events lane; NULL where the next one begins a chain."""
_HEAD = "SELECT head FROM lanes WHERE epoch_id = ? AND lane = 'events'"
_KEEP_HEAD = "UPDATE lanes SET head = ? WHERE epoch_id = ? AND lane = 'events'"
_RECORD = "SELECT record FROM outbox WHERE epoch_id = ? AND lane = 'events' AND seq = ?"
_ALL = "SELECT seq, record FROM outbox WHERE epoch_id = ? AND lane = 'events' ORDER BY seq"


@dataclass(frozen=True)
class Sealing:
    """Who seals, and with what. `signer` is asked once an epoch and makes its key when there is none: OSError."""

    van: str
    signer: Callable[[str], Signer]
    draw: Draw


class Chain:
    """Used on the store's thread, within its transactions."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self._signers: dict[str, Signer] = {}
        self._epoch_id: int | None = None
        self._said: dict[str, int] = {}
        """The newest seq about each stop, in the epoch `_epoch_id`."""
        self._fresh: dict[str, int] = {}
        """Of the transaction under way."""

    def head(self, database: Database, epoch_id: int) -> str | None:
        """Read before the lane grows: whoever adds a record without sealing it ends the chain."""
        rows = database.execute(_HEAD, (epoch_id,))
        return str(rows[0][0]) if rows and rows[0][0] is not None else None

    def seal(
        self, database: Database, epoch_id: int, first: int, head: str | None, records: Sequence[Mapping[str, Any]]
    ) -> list[str]:
        """The text of each record with its seal; they get the seqs from `first` on. Raises StoreError."""
        ((name,),) = database.execute("SELECT epoch FROM epochs WHERE epoch_id = ?", (epoch_id,))
        van, epoch = self._sealing.van, str(name)
        signer = self._signer(database, epoch)
        self._read_said(database, epoch_id)
        prev = head or self._head_from_row(database, epoch_id, epoch, first - 1) or begin(van, epoch)
        texts = []
        for seq, record in enumerate(records, first):
            stop_id = _stop_id(record)
            made, prev = sealed(
                record,
                Place(van, epoch, seq),
                prev=prev,
                before=self._fresh.get(stop_id, self._said.get(stop_id, 0)),
                draw=self._sealing.draw,
                signer=signer,
            )
            if stop_id:
                self._fresh[stop_id] = seq
            texts.append(canonical(made).decode())
        database.execute(_KEEP_HEAD, (prev, epoch_id))
        return texts

    def begun(self) -> None:
        """A transaction is under way; of one before it that failed, nothing was said."""
        self._fresh = {}

    def kept(self) -> None:
        """The transaction is on disk."""
        self._said |= self._fresh
        self._fresh = {}

    def _signer(self, database: Database, epoch: str) -> Signer:
        if epoch not in self._signers:
            try:
                self._signers[epoch] = self._sealing.signer(epoch)
            except OSError as error:
                raise StoreError.from_disk(database.path.parent, error) from error
        return self._signers[epoch]

    def _read_said(self, database: Database, epoch_id: int) -> None:
        if self._epoch_id == epoch_id:
            return
        self._said = {}
        for seq, record in database.execute(_ALL, (epoch_id,)):
            stop_id = _stop_id(json.loads(str(record)))
            if stop_id and isinstance(seq, int):
                self._said[stop_id] = seq
        self._epoch_id = epoch_id

    def _head_from_row(self, database: Database, epoch_id: int, epoch: str, seq: int) -> str | None:
        """After a salvage, which saves rows and no links."""
        for (record,) in database.execute(_RECORD, (epoch_id, seq)):
            return _link(Place(self._sealing.van, epoch, seq), record)
        return None


def _link(place: Place, record: Cell) -> str | None:
    said = json.loads(str(record))
    try:
        seal = seal_of(said)
        return None if seal is None else link(place, seal.prev, digest_of(said))
    except SealError:
        return None


def _stop_id(record: Mapping[str, Any]) -> str:
    body = record.get("body")
    stop_id = body.get("stop_id") if isinstance(body, dict) else None
    return stop_id if isinstance(stop_id, str) else ""
