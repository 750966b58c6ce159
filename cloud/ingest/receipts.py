"""From what is stored to what a van is told of it. Pure; that it is stored durably is the caller's to know."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from cloud.store.cursor import Cursor
from wire.envelope import BlobReceipt, LaneReceipt, Receipts
from wire.topics import Lane

MAX_LANE_RANGES = 200
MAX_BLOB_RANGES = 20
"""Told at most, so that a receipt always fits its packet; what is left out is only sent again."""


@dataclass(frozen=True)
class Standing:
    """How one van's epoch stands: the lanes and blobs there is something to say about."""

    epoch: str
    lanes: Mapping[Lane, Cursor] = field(default_factory=dict)
    blobs: Mapping[str, BlobReceipt] = field(default_factory=dict)
    forked: tuple[tuple[int, str], ...] = ()
    events_head: str | None = None
    """sha256 of the last contiguous record of the events lane."""
    is_resume: bool = False
    """Both lanes are here as a whole, so that what they leave out is asked for again."""


def receipts_for(standing: Standing) -> Receipts:
    """The message that frees what is stored, and by what it leaves out asks for the rest."""
    lanes = {
        lane.value: LaneReceipt(
            contiguous_seq=cursor.contiguous_seq,
            ranges=cursor.beyond[:MAX_LANE_RANGES],
            head_sha256=standing.events_head if lane is Lane.EVENTS else None,
        )
        for lane, cursor in standing.lanes.items()
        if lane is not Lane.BLOBS
    }
    blobs = {
        sha256: receipt
        if len(receipt.held) <= MAX_BLOB_RANGES
        else receipt.model_copy(update={"held": receipt.held[:MAX_BLOB_RANGES]})
        for sha256, receipt in standing.blobs.items()
    }
    return Receipts.model_validate(
        {
            "epoch": standing.epoch,
            "lanes": lanes,
            "blobs": blobs,
            "is_resume": standing.is_resume,
            "forked": standing.forked,
        }
    )
