"""From what the page sends to inputs of the run, and which of two sendings are the same tap. Pure."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from agent.pod.evidence import KeptImage
from agent.screen.view import (
    AcceptTap,
    AnyTap,
    ArrivedTap,
    ChargeTap,
    DeliveredTap,
    DutyTap,
    FailedTap,
    ForgetTap,
    KeepTap,
    NotSaved,
    RoadBlockedTap,
    RoadOpenTap,
    Saved,
    SkippedTap,
)
from agent.trip.effects import Refusal
from agent.trip.inputs import (
    AcceptTapped,
    ArrivedTapped,
    ChargeTold,
    DeliveredTapped,
    DutyTapped,
    EvidenceTaken,
    FailedTapped,
    ForgetTapped,
    KeepTapped,
    RoadBlockedTapped,
    RoadOpenTapped,
    SkippedTapped,
    Tap,
)
from agent.trip.run import Evidence
from wire.codec import canonical


@dataclass(frozen=True)
class TapEntry:
    """A tap on its way to the run. `request_hash` is the same whenever the page sends the same tap again."""

    tap_id: str
    request_hash: str
    entered: Tap
    image: KeptImage | None = None


type TakeTap = Callable[[TapEntry], Awaitable[Saved | NotSaved]]
"""Answers after the synced commit. Raises StoreError: full disk, or (constraint) an id used for another tap."""


def tap_entry(tap: AnyTap, road_ahead: tuple[tuple[float, float], ...] = ()) -> TapEntry:
    """`road_ahead`: the way just before the van, for *road blocked*; sent again from elsewhere it is the same tap."""
    return TapEntry(tap.tap_id, _hash(tap.model_dump(mode="json")), _input_of(tap, road_ahead))


def evidence_entry(
    tap_id: str, stop_id: str, *, image: KeptImage, received: bytes, signed_by: str, taken_at: datetime
) -> TapEntry:
    """`received` are the bytes as the page sent them; they say whether it is the same tap, not what we made of them."""
    evidence = Evidence(
        kind=image.kind,
        sha256=image.sha256,
        size_bytes=len(image.data),
        media_type=image.media_type,
        taken_at=taken_at,
        signed_by=signed_by,
    )
    same = {
        "stop_id": stop_id,
        "kind": image.kind,
        "signed_by": signed_by,
        "received": hashlib.sha256(received).hexdigest(),
    }
    return TapEntry(tap_id, _hash(same), EvidenceTaken(stop_id=stop_id, evidence=evidence), image)


def refused(refusal: Refusal) -> NotSaved:
    return NotSaved(trouble=refusal.trouble, message=str(refusal.trouble))


def _input_of(tap: AnyTap, road_ahead: tuple[tuple[float, float], ...]) -> Tap:
    match tap:
        case ArrivedTap():
            return ArrivedTapped(stop_id=tap.stop_id)
        case DeliveredTap():
            return DeliveredTapped(stop_id=tap.stop_id, outcome=tap.outcome, received_by=tap.received_by)
        case FailedTap():
            return FailedTapped(stop_id=tap.stop_id, reason=tap.reason, note=tap.note)
        case SkippedTap():
            return SkippedTapped(stop_id=tap.stop_id)
        case ForgetTap():
            return ForgetTapped(stop_id=tap.stop_id)
        case ChargeTap():
            return ChargeTold(share=tap.percent / 100)
        case AcceptTap():
            return AcceptTapped(offer=tap.offer)
        case KeepTap():
            return KeepTapped(offer=tap.offer)
        case RoadBlockedTap():
            return RoadBlockedTapped(for_min=tap.for_min, line=road_ahead)
        case RoadOpenTap():
            return RoadOpenTapped()
        case DutyTap():
            return DutyTapped(is_on_duty=tap.is_on_duty)


def _hash(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
