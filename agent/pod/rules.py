"""What a stop asks for before it may be closed as delivered: what is missing, what only wants a reason. Pure.

| rule | means |
| --- | --- |
| required | without it the stop cannot be closed as delivered |
| warn | without it a reason is asked for once, and stands on the closing |
| optional | offered, and nothing is said without it |
| off | not offered |

Three things change what the manifest says. Goods left at a safe place or with a neighbour need a photo. A rule that
nobody can meet (a PIN without a hash, a scan without codes, money without an amount) only warns: the recipient at the
door is not the one to pay for a mistake in an office. And a place nobody knows is never a pass and never a wall: it
warns, except in a pause, which the driver can end.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from wire.events import Outcome
from wire.handover import Reach
from wire.manifest import EvidenceKind, EvidenceRule, Stop

OPEN_AIR = frozenset({Outcome.TO_SAFE_PLACE, Outcome.TO_NEIGHBOUR})
"""Where the recipient has not taken the goods."""


class PlaceVerdict(StrEnum):
    """How far from the address the van is, as the rule sees it."""

    INSIDE = "inside"
    NEAR = "near"
    """Beyond the inner radius and within the outer one."""
    BEYOND = "beyond"
    UNKNOWN = "unknown"
    """No position we believe."""
    PAUSED = "paused"
    """The driver has paused, so that nobody may know; going on is one tap."""


@dataclass(frozen=True)
class Judged:
    """`missing` blocks; `warned` wants a reason each."""

    missing: tuple[EvidenceKind, ...] = ()
    warned: tuple[EvidenceKind, ...] = ()
    wants_name: bool = False
    """Of the neighbour, or the number on their door."""


def place_verdict(distance_m: float | None, reach: Reach) -> PlaceVerdict:
    if distance_m is None:
        return PlaceVerdict.UNKNOWN
    if distance_m <= reach.inner_m:
        return PlaceVerdict.INSIDE
    return PlaceVerdict.NEAR if distance_m <= reach.outer_m else PlaceVerdict.BEYOND


def rules_of(stop: Stop, outcome: Outcome) -> Mapping[EvidenceKind, EvidenceRule]:
    """The rules that hold for a stop that is closed like that; a kind that is not named is optional or off alike."""
    rules = dict(stop.proof)
    handover = stop.handover
    for kind, is_given in (
        (EvidenceKind.PIN, bool(handover.pin_hash)),
        (EvidenceKind.AGE, handover.min_age is not None),
        (EvidenceKind.CASH, handover.cash is not None),
    ):
        if is_given:
            rules.setdefault(kind, EvidenceRule.REQUIRED)  # asked for by saying what it must be
        elif rules.get(kind) is EvidenceRule.REQUIRED:
            rules[kind] = EvidenceRule.WARN
    if handover.parcels:
        rules.setdefault(EvidenceKind.SCAN, EvidenceRule.OPTIONAL)
    elif rules.get(EvidenceKind.SCAN) is EvidenceRule.REQUIRED:
        rules[EvidenceKind.SCAN] = EvidenceRule.WARN
    if outcome in OPEN_AIR:
        rules[EvidenceKind.PHOTO] = EvidenceRule.REQUIRED
    return rules


def judged(
    stop: Stop, outcome: Outcome, *, taken: Collection[EvidenceKind], place: PlaceVerdict, received_by: str
) -> Judged:
    """What stands between a stop and `outcome`. `taken`: the kinds of evidence that are there (PLACE never is)."""
    missing, warned = [], []
    for kind, asked in rules_of(stop, outcome).items():
        if kind in taken:
            continue
        rule = _of_place(asked, place) if kind is EvidenceKind.PLACE else asked
        if rule is EvidenceRule.REQUIRED:
            missing.append(kind)
        elif rule is EvidenceRule.WARN:
            warned.append(kind)
    wants_name = outcome is Outcome.TO_NEIGHBOUR and not received_by.strip()
    return Judged(missing=tuple(missing), warned=tuple(warned), wants_name=wants_name)


def _of_place(rule: EvidenceRule, place: PlaceVerdict) -> EvidenceRule:
    """What is left of the rule for where the van stands: beyond the outer radius `required` blocks, and so
    it does in a pause: pausing is no way around it.
    """
    if rule in (EvidenceRule.OPTIONAL, EvidenceRule.OFF) or place is PlaceVerdict.INSIDE:
        return EvidenceRule.OFF
    return rule if place in (PlaceVerdict.BEYOND, PlaceVerdict.PAUSED) else EvidenceRule.WARN
