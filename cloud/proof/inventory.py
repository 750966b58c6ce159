"""What the coordinator says it had of a stop, signed: a bundle from which the end was cut off is known by it. Pure.

A van's signature covers what came before it and not what came after. So a stop that was closed, opened again and closed
anew could be handed out up to its first closing. The inventory lists every record about the stop that the coordinator
had, by chain and seq, and how far it knew each chain at that moment.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from cloud.proof.model import Entry, HeldChain, HeldRecord, Inventory, Proof, Strand
from wire.codec import canonical
from wire.seal import Place, SealError, digest_of, link, seal_of

type Bad = Callable[[str], None]
"""Takes what was changed, in words."""


class Stater(Protocol):
    """The coordinator's key, and what stands for it."""

    @property
    def public_key(self) -> str:
        """Ed25519, in hex."""
        ...

    @property
    def certificate_pem(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


def stated(proof: Proof, stater: Stater) -> Proof:
    """The proof as it is, with its inventory."""
    chains = tuple(_held(strand) for strand in proof.strands)
    message = _to_sign(proof, chains, stater.public_key)
    inventory = Inventory(
        chains=chains,
        public_key=stater.public_key,
        certificate_pem=stater.certificate_pem,
        signature=stater.sign(message).hex(),
    )
    return proof.model_copy(update={"inventory": inventory})


def signed_bytes(proof: Proof, inventory: Inventory) -> bytes:
    """What the coordinator's signature must be under: fleet, stop, moment and zone are in it."""
    return _to_sign(proof, inventory.chains, inventory.public_key)


def compare(proof: Proof, inventory: Inventory, links: Mapping[tuple[str, str, int], str], bad: Bad) -> None:
    """Names whatever of the inventory is not in the proof, and the other way round. `links` by van, epoch and seq."""
    here: dict[tuple[str, str], Strand] = {}
    for strand in proof.strands:
        if (strand.van, strand.epoch) in here:
            bad(f"The chain {strand.epoch} of {strand.van} stands there twice.")
        here[strand.van, strand.epoch] = strand
    held = {(one.van, one.epoch): one for one in inventory.chains}
    for name, chain in held.items():
        if name in here:
            _compare_chain(chain, here[name], links, bad)
        else:
            bad(f"{_records(len(chain.records))} of {chain.van} were left out: all of its epoch {chain.epoch}.")
    for van, epoch in here.keys() - held.keys():
        bad(f"The coordinator had nothing of epoch {epoch} of {van} about this stop.")


def _compare_chain(chain: HeldChain, strand: Strand, links: Mapping[tuple[str, str, int], str], bad: Bad) -> None:
    ours = {entry.seq: entry for entry in strand.entries if entry.record is not None}
    held = {one.seq: one for one in chain.records}
    missing = sorted(held.keys() - ours.keys())
    last = max(ours, default=0)
    behind = [seq for seq in missing if seq > last]
    if behind and ours:
        bad(f"{_records(len(behind))} after record {last} of {chain.van} {_were(behind)} left out: {_listed(behind)}.")
    elif behind:
        bad(f"{_records(len(behind))} of {chain.van} {_were(behind)} left out: {_listed(behind)}.")
    for seq in missing:
        if seq not in behind:
            bad(f"Record {seq} of {chain.van} was left out.")
    for seq in sorted(ours.keys() - held.keys()):
        bad(f"Record {seq} of {chain.van} was put in: the coordinator did not have it.")
    for seq in sorted(ours.keys() & held.keys()):
        if ours[seq].received_at != held[seq].received_at:
            bad(f"Record {seq} of {chain.van} was received at another time.")
    end = max(held, default=0)
    if end in ours and links.get((chain.van, chain.epoch, end)) != chain.link:
        bad(f"Record {end} of {chain.van} is not the one that the coordinator had.")
    if (chain.received_to, chain.is_cut) != (strand.received_to, strand.is_cut):
        bad(f"How far the chain of {chain.van} was known was changed.")


def _held(strand: Strand) -> HeldChain:
    ours = [entry for entry in strand.entries if entry.record is not None]
    return HeldChain(
        van=strand.van,
        epoch=strand.epoch,
        received_to=strand.received_to,
        is_cut=strand.is_cut,
        records=tuple(
            HeldRecord(seq=entry.seq, received_at=entry.received_at) for entry in ours if entry.received_at is not None
        ),
        link=_link(strand, ours[-1]) if ours else None,
    )


def _link(strand: Strand, entry: Entry) -> str | None:
    assert entry.record is not None
    try:
        seal = seal_of(entry.record)
        if seal is None:
            return None
        return link(Place(strand.van, strand.epoch, entry.seq), seal.prev, digest_of(entry.record))
    except SealError:
        return None


def _to_sign(proof: Proof, chains: Iterable[HeldChain], public_key: str) -> bytes:
    about = [proof.fleet, proof.stop_id, proof.made_at.isoformat(), proof.timezone, public_key]
    # A field at its default does not count: whoever knows of one more must come to the same bytes.
    said = [chain.model_dump(mode="json", by_alias=True, exclude_defaults=True) for chain in chains]
    return canonical(["roundsman inventory 1", *about, said])


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count} records"


def _were(seqs: list[int]) -> str:
    return "was" if len(seqs) == 1 else "were"


def _listed(seqs: list[int]) -> str:
    """`11, 12 and 9 more`"""
    more = len(seqs) - 5
    return ", ".join(map(str, seqs[:5])) + (f" and {more} more" if more > 0 else "")
