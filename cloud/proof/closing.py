"""Which closing of a stop stands, after what was taken back and corrected. Pure; reads what may be anybody's.

As `cloud.fleet.fold` reads it: lane by lane, a later word takes the place of an earlier closing, taking back takes the
newest word, a correction changes the closing and not its time. An attempt after which the van comes again closes
nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cloud.proof.model import Entry, Strand
from wire.events import EventKind
from wire.handover import NextStep

_ENDS = (EventKind.STOP_COMPLETED, EventKind.STOP_FAILED, EventKind.STOP_SKIPPED)
_CORRECTED = ("received_by", "note")


@dataclass(frozen=True)
class Closing:
    van: str
    epoch: str
    entry: Entry
    """As it was said first."""
    body: Mapping[str, Any]
    """With what was corrected later."""
    is_delivered: bool
    corrections: tuple[Entry, ...] = ()

    @property
    def place(self) -> tuple[str, str, int]:
        return (self.van, self.epoch, self.entry.seq)


def body_of(entry: Entry) -> Mapping[str, Any]:
    body = entry.record.get("body") if entry.record is not None else None
    return body if isinstance(body, dict) else {}


def kind_of(entry: Entry) -> str:
    """Empty for what is no kind at all."""
    kind = entry.record.get("kind") if entry.record is not None else None
    return kind if isinstance(kind, str) else ""


def closings(strands: Iterable[Strand]) -> tuple[Closing, ...]:
    """Each lane's last closing that stands."""
    lanes: dict[tuple[str, str], list[Closing | None]] = {}
    for strand in strands:
        said = lanes.setdefault((strand.van, strand.epoch), [])
        for entry in sorted(strand.entries, key=lambda one: one.seq):
            _hear(said, strand, entry)
    last = [next((one for one in reversed(said) if one is not None), None) for said in lanes.values()]
    return tuple(one for one in last if one is not None)


def the_closing(strands: Iterable[Strand]) -> Closing | None:
    """A delivery before a failed attempt, and the last of each."""
    standing = closings(strands)
    delivered = [one for one in standing if one.is_delivered]
    return next(reversed(delivered or standing), None)


def _hear(said: list[Closing | None], strand: Strand, entry: Entry) -> None:
    """None stands for a word that ended a stop for now."""
    kind, body = kind_of(entry), body_of(entry)
    if kind in _ENDS:
        is_delivered = kind == EventKind.STOP_COMPLETED
        is_open = kind == EventKind.STOP_SKIPPED or (
            kind == EventKind.STOP_FAILED and body.get("next_step") == NextStep.LATER_TODAY
        )
        said.append(None if is_open else Closing(strand.van, strand.epoch, entry, body, is_delivered))
    elif kind == EventKind.STOP_REOPENED and said:
        said.pop()
    elif kind == EventKind.STOP_AMENDED and said and (closing := said[-1]) is not None:
        said[-1] = _corrected(closing, entry, body)


def _corrected(closing: Closing, entry: Entry, by: Mapping[str, Any]) -> Closing:
    body = {**closing.body, **{name: by[name] for name in _CORRECTED if by.get(name) is not None}}
    is_delivered = closing.is_delivered
    for name, other in (("reason", "outcome"), ("outcome", "reason")):
        if by.get(name) is not None:
            body = {**body, name: by[name], other: None}
            is_delivered = name == "outcome"
    return replace(closing, body=body, is_delivered=is_delivered, corrections=(*closing.corrections, entry))
