"""From what the page sends to inputs of the run, and which of two sendings are the same tap. Pure."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from agent.pod.evidence import KeptImage
from agent.pod.labels import Spotted
from agent.screen.messages import (
    AcceptTap,
    AgeTap,
    AmendTap,
    AnyTap,
    ArrivedTap,
    BackScanTap,
    CashTap,
    ChargeTap,
    DeliveredTap,
    DroppedTap,
    DutyTap,
    FailedTap,
    ForgetTap,
    HandOverTap,
    KeepTap,
    LabelTap,
    LoadScanTap,
    LoadTap,
    MakeStopTap,
    MarkTap,
    NoteTap,
    NotSaved,
    PinTap,
    PlainTap,
    ReleaseTap,
    ReturnedTap,
    RoadBlockedTap,
    RoadOpenTap,
    Saved,
    ScanTap,
    SkippedTap,
    UndoTap,
    WayTap,
)
from agent.trip.effects import Refusal
from agent.trip.inputs import (
    AcceptTapped,
    AgeAnswered,
    AmendTapped,
    ArrivedTapped,
    BackScanned,
    CashTaken,
    ChargeTold,
    CodeScanned,
    DeliveredTapped,
    DroppedTapped,
    DutyTapped,
    EvidenceTaken,
    FailedTapped,
    ForgetTapped,
    GoodsReturned,
    HandedOver,
    KeepTapped,
    LabelRead,
    LabelTaken,
    LoadConfirmed,
    LoadScanned,
    NoteWritten,
    ParcelMarked,
    PinTried,
    ReleaseAnswered,
    RoadBlockedTapped,
    RoadOpenTapped,
    SkippedTapped,
    Tap,
    UndoTapped,
    WayChosen,
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


def tap_entry(
    tap: AnyTap,
    road_ahead: tuple[tuple[float, float], ...] = (),
    *,
    is_right_pin: bool = False,
    spotted: Spotted | None = None,
) -> TapEntry:
    """`road_ahead`: the way just before the van, for *road blocked*; sent again from elsewhere it is the same tap.
    `is_right_pin`: what became of the digits, which stay out of the hash too: four of them would be read from it.
    `spotted`: where the map has the address of the label that was read.
    """
    same = tap.model_dump(mode="json", exclude={"pin"})
    entered = (
        PinTried(stop_id=tap.stop_id, is_right=is_right_pin)
        if isinstance(tap, PinTap)
        else _input_of(tap, road_ahead, spotted)
    )
    return TapEntry(tap.tap_id, _hash(same), entered)


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


def _input_of(tap: PlainTap, road_ahead: tuple[tuple[float, float], ...], spotted: Spotted | None) -> Tap:
    match tap:
        case ArrivedTap():
            return ArrivedTapped(stop_id=tap.stop_id)
        case DeliveredTap():
            return DeliveredTapped(
                stop_id=tap.stop_id, outcome=tap.outcome, received_by=tap.received_by, waivers=tap.waivers
            )
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
        case ScanTap():
            return CodeScanned(stop_id=tap.stop_id, code=tap.code, is_typed=tap.is_typed, spotted=spotted)
        case MarkTap():
            return ParcelMarked(stop_id=tap.stop_id, code=tap.code, state=tap.state)
        case AgeTap():
            return AgeAnswered(stop_id=tap.stop_id, is_old_enough=tap.is_old_enough)
        case NoteTap():
            return NoteWritten(stop_id=tap.stop_id, note=tap.note)
        case CashTap():
            return CashTaken(stop_id=tap.stop_id, amount_minor=tap.amount_minor)
        case WayTap():
            return WayChosen(stop_id=tap.stop_id, outcome=tap.outcome, name=tap.name)
        case UndoTap():
            return UndoTapped(stop_id=tap.stop_id)
        case AmendTap():
            return AmendTapped(
                stop_id=tap.stop_id,
                outcome=tap.outcome,
                reason=tap.reason,
                received_by=tap.received_by,
                note=tap.note,
            )
        case LoadScanTap():
            return LoadScanned(code=tap.code, spotted=spotted)
        case LoadTap():
            return LoadConfirmed(counted=tap.counted)
        case ReturnedTap():
            return GoodsReturned()
        case LabelTap():
            return LabelRead(code=tap.code, spotted=spotted)
        case MakeStopTap():
            return LabelTaken(code=tap.code)
        case BackScanTap():
            return BackScanned(code=tap.code)
        case DroppedTap():
            return DroppedTapped(pickup_point=tap.pickup_point, is_dropped=tap.is_dropped)
        case HandOverTap():
            return HandedOver(stop_id=tap.stop_id, stop_ids=tap.stop_ids)
        case ReleaseTap():
            return ReleaseAnswered(stop_id=tap.stop_id, is_aboard=tap.is_aboard)


def _hash(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()
