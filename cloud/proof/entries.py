"""What a bundle shows of one chain, put together record by record: this stop's in full, of others their digests. Pure.

Digests in a row are one entry: 32 bytes each and what the first is linked to, from which every link between follows. So
a stop that was corrected a week later is shown with its whole chain.
"""

from typing import Any

from cloud.proof.model import Entry
from wire.seal import Place, Seal, SealError, digest_of, link, seal_of


class Shown:
    """Records are handed over in the order of their seqs."""

    def __init__(self, van: str, epoch: str) -> None:
        self._van, self._epoch = van, epoch
        self._entries: list[Entry] = []
        self._first = 0
        """The row of digests that is being made: its first seq, what that is linked to, and the link of its last."""
        self._prev, self._link = "", ""
        self._digests: list[str] = []

    def show(self, entry: Entry) -> None:
        """A record of the stop's own."""
        self._close()
        self._entries.append(entry)

    def add(self, seq: int, record: Any, *, is_end: bool) -> None:
        """Another stop's, or nobody's: whoever gets this proof learns nothing of it. `is_end`: what comes before is
        sealed by its signature.
        """
        try:
            seal = seal_of(record) if isinstance(record, dict) else None
            digest = digest_of(record) if seal is not None else ""
        except SealError:
            seal = None
        if seal is None:
            self.show(Entry(seq=seq))
        elif is_end:
            self.show(Entry(seq=seq, prev=seal.prev, digest=digest, key=seal.key, signature=seal.signature))
        else:
            self._go_on(seq, seal, digest)

    def entries(self) -> tuple[Entry, ...]:
        self._close()
        return tuple(self._entries)

    def _go_on(self, seq: int, seal: Seal, digest: str) -> None:
        if not self._digests or seq != self._first + len(self._digests) or seal.prev != self._link:
            self._close()
            self._first, self._prev = seq, seal.prev
        self._digests.append(digest)
        self._link = link(Place(self._van, self._epoch, seq), seal.prev, digest)

    def _close(self) -> None:
        if self._digests:
            self._entries.append(Entry(seq=self._first, prev=self._prev, digests="".join(self._digests)))
            self._digests = []
