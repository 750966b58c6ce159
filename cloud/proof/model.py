"""One stop's proof: all that is needed to tell, anywhere and without us, whether it was changed."""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from wire.envelope import Seq
from wire.manifest import EvidenceKind, Stop
from wire.model import Count, Epoch, Instant, Message, Name, Sha256, StopId, Value
from wire.seal import PublicKey, Signature

MOST_BETWEEN: Final = 50_000
"""Records of a chain from the first about a stop to the signature: weeks' worth, 3 MB, and two seconds to look at. Of
more the end is shown.
"""
DIGEST_LETTERS: Final = 64


class Entry(Message):
    """One record of a chain, shown as it was said; or one about something else, or several of those in a row, by their
    digests alone.

    Nothing is there for a record that nobody sealed.
    """

    seq: Seq
    record: dict[str, Any] | None = None
    received_at: Instant | None = None
    """By the coordinator's clock."""
    prev: Sha256 | None = None
    digest: Sha256 | None = None
    digests: Annotated[str, Field(pattern=r"^([0-9a-f]{64})+$")] | None = None
    """Of this record and those after it, each linked to the one before: then `prev` is that of the first."""
    key: PublicKey | None = None
    """Of another record that was signed: then what came before it is sealed by it."""
    signature: Signature | None = None

    @property
    def last_seq(self) -> int:
        """Of a row of digests the last one's; else its own."""
        return self.seq + max(1, len(self.each_digest())) - 1

    def each_digest(self) -> list[str]:
        """Of what is about something else; nothing of a record that is shown, whatever stands beside it."""
        said = (self.digests or self.digest or "") if self.record is None else ""
        return [said[at : at + DIGEST_LETTERS] for at in range(0, len(said), DIGEST_LETTERS)]


class Strand(Message):
    """A stretch of one chain, from the first record about the stop to a signature over the last."""

    van: Name
    epoch: Epoch
    received_to: Count = 0
    """Up to this seq every record has arrived at the coordinator."""
    is_cut: bool = False
    """Records of this stop came before: more than `MOST_BETWEEN` before the end, and they are not shown."""
    entries: tuple[Entry, ...]


class KeyStatement(Message):
    """A key that a van announced for an epoch, over its own authenticated connection."""

    van: Name
    epoch: Epoch
    public_key: PublicKey
    certificate_pem: str = ""
    vouched: str = ""
    since: Instant
    until: Instant | None = None
    """Since when the van has another."""


class Item(Message):
    """A photo or a signature. `file` is its name in the bundle; None: not all of it has arrived."""

    kind: EvidenceKind
    sha256: Sha256
    file: Annotated[str, Field(pattern=r"^evidence/[0-9]{1,3}-(photo|signature)\.(jpg|png)$")] | None = None


class HeldRecord(Message):
    """That the coordinator has a record about the stop, and when it came."""

    seq: Seq
    received_at: Instant


class HeldChain(Message):
    """What the coordinator has of one chain of a van."""

    van: Name
    epoch: Epoch
    received_to: Count
    """As in `Strand`: so far the chain was known at that moment, whatever it was about."""
    is_cut: bool = False
    records: tuple[HeldRecord, ...]
    """All about the stop, by seq."""
    link: Sha256 | None = None
    """Of the last of them; None when nobody sealed it."""


class Inventory(Message):
    """All that the coordinator had of the stop at `Proof.made_at`, over its own signature: that nothing was left out
    behind an earlier signature of the van (`cloud.proof.inventory`).
    """

    chains: tuple[HeldChain, ...]
    public_key: PublicKey
    certificate_pem: str = ""
    """The authority's, for the key; nothing from a coordinator whose vans need no certificates."""
    signature: Signature


class Proof(Message):
    """What is known of one stop."""

    schema_: Literal[1, 2] = Field(2, alias="schema")
    """1: made before there was an inventory."""
    fleet: Name
    stop_id: StopId
    made_at: Instant
    """Of which moment it speaks: when the newest of what it rests on was received, any record of its chains included.
    So it is the same proof until something is heard. In the first version: when it was asked for.
    """
    timezone: str = "UTC"
    """Of the depot."""
    stop: Stop | None = None
    """As it stood on the list that the van had when it closed the stop; else as it is known now."""
    strands: tuple[Strand, ...] = ()
    keys: tuple[KeyStatement, ...] = ()
    items: tuple[Item, ...] = ()
    authority_pem: str = ""
    """Whose word the van's certificate is."""
    inventory: Inventory | None = None


class Verdict(StrEnum):
    """What of a proof holds, from good to bad."""

    VERIFIED = "verified"
    WAITING = "waiting"
    """What is here holds; some of it is missing, or still on its way."""
    NOT_SEALED = "not_sealed"
    """Nobody sealed it: the stop is open, or an older agent closed it."""
    ALTERED = "altered"


class Finding(Value):
    """One thing that keeps a proof from being verified, in a dispatcher's words."""

    verdict: Verdict
    text: str


class Sealed(Value):
    """The signature that a proof rests on."""

    van: str
    epoch: str
    seq: int
    link: Sha256
    """The head of the chain that was signed."""
    public_key: PublicKey
    is_vouched: bool
    """Whether the van's certificate stands for the key."""


class Verification(Value):
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    """What is worth knowing, and spoils nothing."""
    sealed: Sealed | None = None
    """The last signature over the stop's closing."""
    is_complete: bool = False
    """Whether the coordinator says, over a signature that the fleet's authority stands for, that this is all it had."""
    records: int = 0
    """Of this stop."""
    items: int = 0
