"""What of a proof holds, and what was changed, dropped, swapped, reordered or taken from another stop. Pure.

The same code looks at what is stored here and at a bundle in somebody else's hands. Everything rests on signatures:
from each one back, a record holds while the one after it names its link. What no signature covers is not verified.
That nothing came after the last of them is the coordinator's word, by its own signature (`cloud.proof.inventory`).
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from cloud.proof.closing import Closing, body_of, closings, kind_of, the_closing
from cloud.proof.inventory import compare, signed_bytes
from cloud.proof.model import Entry, Finding, Item, Proof, Sealed, Strand, Verdict, Verification
from wire.codec import content_hash
from wire.events import EventKind
from wire.model import Sha256
from wire.seal import SIGNED_KINDS, Place, Seal, SealError, begin, digest_of, link, seal_of, to_sign, to_vouch

_MUST_BE_SIGNED = SIGNED_KINDS - {EventKind.STOP_DEPARTED}
"""An agent that signs no departures says nothing false: a later signature is waited for."""
CLOSINGS = (EventKind.STOP_COMPLETED, EventKind.STOP_FAILED)
_MOST_OF_THE_FIRST = 3_000
"""Of so many records a bundle of the first version could leave out the front; now the inventory says whether it is."""
_PICTURES = ("photo", "signature", None)
"""None: which it was, was taken out."""
_WORST_FIRST = (Verdict.ALTERED, Verdict.NOT_SEALED, Verdict.WAITING)
_NAMES = {
    EventKind.STOP_ARRIVED: "the arrival",
    EventKind.STOP_SKIPPED: "that it was put off",
    EventKind.STOP_COMPLETED: "the delivery",
    EventKind.STOP_FAILED: "the failed attempt",
    EventKind.KEY_ANNOUNCED: "the key",
}


class Checks(Protocol):
    """What needs cryptography."""

    def is_signed(self, public_key: str, signature: str, message: bytes) -> bool: ...

    def not_vouched(
        self, *, van: str, certificate_pem: str, authority_pem: str, message: bytes, vouched: str
    ) -> str | None:
        """Why the van's certificate does not stand for the message; None when it does."""
        ...

    def not_certified(self, *, public_key: str, certificate_pem: str, authority_pem: str) -> str | None:
        """Why the authority does not stand for the coordinator's key; None when it does."""
        ...

    def fingerprint(self, authority_pem: str) -> str | None:
        """sha256 of the authority's certificate; None for what is no certificate."""
        ...


@dataclass
class _Report:
    """What is looked at, and what was found so far."""

    proof: Proof
    checks: Checks
    trusted: dict[tuple[str, str, str], bool] = field(default_factory=dict)
    """The announced keys, by van, epoch and key; whether the van's certificate stands for each."""
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sealed: Sealed | None = None
    records: int = 0
    names: dict[Sha256, str] = field(default_factory=dict)
    """Evidence that records of this stop say was taken, and what it is called."""
    no_pictures: set[Sha256] = field(default_factory=set)
    """Of these, what a van calls by a kind that has no file."""
    signed_at: dict[tuple[str, str, int], Sealed] = field(default_factory=dict)
    """The closings that a signature covers."""
    links: dict[tuple[str, str, int], str] = field(default_factory=dict)
    """Of this stop's records."""
    is_complete: bool = False
    is_of_later: bool = False
    """Whether a record of this stop belongs into a bundle with an inventory."""
    closings: tuple[Closing, ...] = ()
    is_cut: bool = False
    """Of a chain the front is not here: it was too long."""
    taken_out: int = 0
    """Pieces of evidence of which nobody can say any more which they were."""

    def bad(self, text: str, verdict: Verdict = Verdict.ALTERED) -> None:
        finding = Finding(verdict=verdict, text=text)
        if finding not in self.findings:
            self.findings.append(finding)


@dataclass(frozen=True)
class _Linked:
    """An entry, what it is linked to, and its own link; the last one's of several."""

    entry: Entry
    seal: Seal | None
    prev: str
    link: str

    @property
    def key(self) -> str | None:
        return self.seal.key if self.seal is not None else self.entry.key

    @property
    def signature(self) -> str | None:
        return self.seal.signature if self.seal is not None else self.entry.signature


def verify(proof: Proof, held: Callable[[Item], bytes | None], checks: Checks) -> Verification:
    """The verdict, and everything that speaks against a better one. `held` gives the bytes of a piece of evidence."""
    report = _Report(proof, checks)
    _keys(report)
    for strand in proof.strands:
        _strand(strand, report)
    report.closings = closings(proof.strands)
    closing = the_closing(proof.strands)
    if closing is not None:
        report.sealed = report.signed_at.get(closing.place)
    if report.sealed is not None and not report.sealed.is_vouched:
        report.notes.append(f"No certificate stands for the key of {report.sealed.van}.")
    _inventory(report)
    _evidence(held, report)
    _listed(closing, report)
    if closing is None:
        report.bad("Nothing here closes the stop.", Verdict.NOT_SEALED)
    worst = next((one for one in _WORST_FIRST if any(found.verdict is one for found in report.findings)), None)
    if worst is None and report.sealed is None:
        worst = Verdict.NOT_SEALED
    return Verification(
        verdict=worst or Verdict.VERIFIED,
        findings=tuple(sorted(report.findings, key=lambda found: _WORST_FIRST.index(found.verdict))),
        notes=tuple(report.notes),
        sealed=report.sealed,
        is_complete=report.is_complete,
        records=report.records,
        items=len(proof.items),
    )


def _keys(report: _Report) -> None:
    for said in report.proof.keys:
        name = (said.van, said.epoch, said.public_key)
        if not said.certificate_pem:
            report.trusted.setdefault(name, False)
            continue
        why = report.checks.not_vouched(
            van=said.van,
            certificate_pem=said.certificate_pem,
            authority_pem=report.proof.authority_pem,
            message=to_vouch(said.van, said.epoch, said.public_key),
            vouched=said.vouched,
        )
        if why is None:
            report.trusted[name] = True
        else:
            report.bad(f"The key of {said.van} is not what its certificate stands for: {why}.")


def _inventory(report: _Report) -> None:
    """That this is all, as the coordinator says over its signature."""
    proof, inventory = report.proof, report.proof.inventory
    if proof.schema_ == 1:
        report.notes.append(
            "It was made before the coordinator signed what it has: records after the last one here may have been left "
            "out. Ask for a newer one."
        )
        if report.is_of_later:
            report.bad("The van says that the coordinator signs what it has, and nothing here is.", Verdict.WAITING)
        return
    if inventory is None:
        report.bad("The coordinator's list of what it had, with its signature, was left out.")
        return
    is_signed = report.checks.is_signed(inventory.public_key, inventory.signature, signed_bytes(proof, inventory))
    if not is_signed:
        report.bad("The coordinator's signature under the list of what it had does not fit: something was changed.")
    compare(proof, inventory, report.links, report.bad)
    if not inventory.certificate_pem:
        report.notes.append("No certificate stands for the coordinator's key.")
        if any(report.trusted.values()):
            report.bad("A certificate stands for the van's key, and none for the coordinator's: somebody else signed.")
        return
    why = report.checks.not_certified(
        public_key=inventory.public_key,
        certificate_pem=inventory.certificate_pem,
        authority_pem=proof.authority_pem,
    )
    if why is not None:
        report.bad(f"The coordinator's key is not what its certificate stands for: {why}.")
    report.is_complete = is_signed and why is None


def _strand(strand: Strand, report: _Report) -> None:
    entries = _in_order(strand, report)
    linked = {entry.seq: one for entry in entries if (one := _linked(strand, entry, report)) is not None}
    signed = {seq for seq, one in linked.items() if _is_signed(strand, one, report)}
    joined = {seq for seq, one in linked.items() if _joins(strand, linked, one, report)}
    covered: set[int] = set()
    for entry in reversed(entries):
        if entry.seq in signed or (entry.seq in joined and entry.last_seq + 1 in covered):
            covered.add(entry.seq)
    if strand.is_cut and (report.proof.schema_ > 1 or len(strand.entries) > _MOST_OF_THE_FIRST):
        report.is_cut = True
        report.notes.append(f"What {strand.van} said before record {entries[0].seq} is not shown: it was too long ago.")
    ours = [entry for entry in entries if entry.record is not None and _is_ours(entry, report)]
    report.records += len(ours)
    report.links |= {(strand.van, strand.epoch, seq): one.link for seq, one in linked.items() if one.entry.record}
    _follow(strand, ours, linked, report)
    for entry in ours:
        _take(strand, entry, linked.get(entry.seq), report, is_covered=entry.seq in covered)


def _in_order(strand: Strand, report: _Report) -> list[Entry]:
    """Each record once and by its number."""
    for before, after in pairwise(strand.entries):
        if before.seq <= after.seq <= before.last_seq:
            report.bad(f"Record {after.seq} stands there twice.")
        elif after.seq < before.seq:
            report.bad(f"Record {after.seq} stands after record {before.seq}: they were put in another order.")
    by_seq = {entry.seq: entry for entry in strand.entries}
    entries = [by_seq[seq] for seq in sorted(by_seq)]
    for before, after in pairwise(entries):
        _missing(strand, before.last_seq + 1, after.seq - 1, report)
    return entries


def _missing(strand: Strand, first: int, last: int, report: _Report) -> None:
    """From the first to the last, if any."""
    arrived = min(last, strand.received_to)
    if first <= arrived:
        word, is_or_are = _span(first, arrived)
        report.bad(f"{word} of {strand.van} {is_or_are} missing.")
    if (first := max(first, arrived + 1)) <= last:
        word, is_or_are = _span(first, last)
        has = "has" if is_or_are == "is" else "have"
        report.bad(f"{word} of {strand.van} {has} not arrived yet.", Verdict.WAITING)


def _span(first: int, last: int) -> tuple[str, str]:
    return (f"Record {first}", "is") if first == last else (f"Records {first} to {last}", "are")


def _linked(strand: Strand, entry: Entry, report: _Report) -> _Linked | None:
    place = Place(strand.van, strand.epoch, entry.seq)
    if entry.record is None:
        digests = entry.each_digest()
        if entry.prev is None or not digests:
            return None
        its_link = entry.prev
        for seq, digest in enumerate(digests, entry.seq):
            its_link = link(Place(strand.van, strand.epoch, seq), its_link, digest)
        return _Linked(entry, None, entry.prev, its_link)
    try:
        seal = seal_of(entry.record)
        if seal is None:
            return None
        return _Linked(entry, seal, seal.prev, link(place, seal.prev, digest_of(entry.record)))
    except SealError as error:
        report.bad(f"{_name(entry)} was changed: {error}.")
        return None


def _is_signed(strand: Strand, one: _Linked, report: _Report) -> bool:
    if one.signature is None or one.key is None:
        if kind_of(one.entry) in _MUST_BE_SIGNED:
            report.bad(f"{_name(one.entry)} is not signed, and must be.")
        return False
    if not report.checks.is_signed(one.key, one.signature, to_sign(one.link)):
        report.bad(f"The signature of {_named(one.entry)} does not fit: it was changed, or what it rests on.")
        return False
    if (strand.van, strand.epoch, one.key) not in report.trusted:
        report.bad(f"{_name(one.entry)} is signed by a key that {strand.van} has not announced.", Verdict.WAITING)
        return False
    return True


def _joins(strand: Strand, linked: Mapping[int, _Linked], one: _Linked, report: _Report) -> bool:
    """Whether the record after this one names it."""
    after = linked.get(one.entry.last_seq + 1)
    if after is None:
        return False
    if after.prev == one.link:
        return True
    if after.prev == begin(strand.van, strand.epoch):
        report.notes.append(f"A new chain of {strand.van} begins with record {after.entry.seq}.")
        return False
    report.bad(f"{_name(one.entry)} was changed after it was sealed.")
    return False


def _is_ours(entry: Entry, report: _Report) -> bool:
    stop_id, ours = body_of(entry).get("stop_id"), report.proof.stop_id
    if stop_id != ours:
        report.bad(f"{_name(entry)} is about the stop {stop_id} and not about {ours}.")
        return False
    return True


def _follow(strand: Strand, ours: Sequence[Entry], linked: Mapping[int, _Linked], report: _Report) -> None:
    """Each record names the one before it about the same stop: none can be left out, and none put in."""
    seqs = {entry.seq for entry in ours}
    before = 0
    for entry in ours:
        one = linked.get(entry.seq)
        named = one.seal.before if one is not None and one.seal is not None else 0
        if named and named not in seqs and report.is_cut and named < min(linked, default=0):
            pass  # it is among those that are not shown
        elif named and named not in seqs:
            _missing(strand, named, named, report)
        elif named and named != before:
            report.bad(f"Record {before} of {strand.van} is none of this stop's.")
        before = entry.seq


def _take(strand: Strand, entry: Entry, one: _Linked | None, report: _Report, *, is_covered: bool) -> None:
    """Of a record about the stop, what it says."""
    assert entry.record is not None
    kind, body = kind_of(entry), body_of(entry)
    report.is_of_later |= one is not None and one.seal is not None and one.seal.bundle > 1
    if not is_covered:
        if entry.record.get("seal") is None:
            report.bad(f"{_name(entry)} was said without a seal.", Verdict.NOT_SEALED)
        else:
            report.bad(f"No signature covers {_named(entry)}.", Verdict.WAITING)
    if one is not None and one.seal is not None and one.seal.hidden is not None:
        report.notes.append(f"{_name(entry)} was taken out on purpose; that it was there still holds.")
        report.taken_out += kind == EventKind.PROOF_CAPTURED
    if kind == EventKind.PROOF_CAPTURED and isinstance(body.get("sha256"), str):
        report.names[body["sha256"]] = _named(entry)
        if body.get("evidence_kind") not in _PICTURES:
            report.no_pictures.add(body["sha256"])
    if is_covered and one is not None and one.key is not None and kind in CLOSINGS:
        report.signed_at[strand.van, strand.epoch, entry.seq] = Sealed(
            van=strand.van,
            epoch=strand.epoch,
            seq=entry.seq,
            link=one.link,
            public_key=one.key,
            is_vouched=report.trusted.get((strand.van, strand.epoch, one.key), False),
        )


def _evidence(held: Callable[[Item], bytes | None], report: _Report) -> None:
    here = {item.sha256: item for item in report.proof.items}
    for sha256, name in report.names.items():
        item = here.get(sha256)
        if item is None and sha256 in report.no_pictures:
            report.notes.append(f"{_upper(name)} is no picture, and is not handed out.")
            continue
        if item is None:
            report.bad(f"{_upper(name)} is missing.")
            continue
        data = held(item)
        if item.file is None and data is None:
            report.bad(f"{_upper(name)} has not arrived yet.", Verdict.WAITING)
        elif data is None:
            report.bad(f"{_upper(name)} is missing.")
        elif hashlib.sha256(data).hexdigest() != sha256:
            report.bad(f"{_upper(name)} was changed: it is not the one that was sealed.")
    for item in report.proof.items:
        if item.sha256 not in report.names:
            report.bad(f"A {item.kind.value} ({item.file or item.sha256[:8]}) is none of this stop's.")
    for closing in report.closings:
        named = closing.body.get("proofs")
        unknown = [str(one) for one in named if str(one) not in report.names] if isinstance(named, list) else []
        for sha256 in unknown if len(unknown) > report.taken_out and not report.is_cut else ():
            report.bad(f"The delivery rests on evidence {sha256[:8]}, and no record of it is here.")


def _listed(closing: Closing | None, report: _Report) -> None:
    """Address and recipient are the coordinator's word; that these are the ones that the driver had is the van's."""
    if closing is None:
        return
    listed = closing.body.get("listed")
    if listed is None:
        report.notes.append("The seal does not say which address and recipient the driver had.")
    elif report.proof.stop is None:
        report.bad("The list that the driver had is missing, with address and recipient.", Verdict.WAITING)
    elif content_hash(report.proof.stop) != listed:
        report.bad("Address, recipient or goods are not those that the driver had on the list.")


def _named(entry: Entry) -> str:
    """`the photo (record 7)`."""
    if entry.record is None and entry.last_seq > entry.seq:
        return f"one of the records {entry.seq} to {entry.last_seq}, which are about something else"
    if entry.record is None:
        return f"record {entry.seq}, which is about something else"
    kind = entry.record.get("kind")
    if kind == EventKind.PROOF_CAPTURED:
        return f"the {body_of(entry).get('evidence_kind', 'evidence')} (record {entry.seq})"
    name = _NAMES.get(kind) if isinstance(kind, str) else None  # type: ignore[call-overload]
    return f"{name} (record {entry.seq})" if name else f"record {entry.seq} ({str(kind)[:40]})"


def _name(entry: Entry) -> str:
    return _upper(_named(entry))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
