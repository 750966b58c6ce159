"""A stop that changes vans: what the coordinator asks for on a list, and what the vans say of it.

Goods that are not aboard change by asking: the first van releases the stop, or says why it keeps it. Goods that are
aboard change where two vans meet: each has a stop of kind `handover`, and each says its own side.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wire.handover import ParcelCode
from wire.model import Count, Message, Name, StopId


class ReleaseAsked(Message):
    """On the list of the van that has the stop: it is wanted elsewhere. Until the van says that it released it, the
    stop is its own.
    """

    transfer_id: StopId
    stop_id: StopId
    to_van: Name


class Side(StrEnum):
    GIVES = "gives"
    TAKES = "takes"


class Meeting(Message):
    """What a van hands over, or takes, at its stop `stop_id` of kind `handover`.

    The van that gives goes on having the stops until its driver says that they are given; the van that takes has them
    on its list already, and does not have them before its driver says that they are taken.
    """

    meeting_id: StopId
    stop_id: StopId
    other_van: Name
    side: Side
    stop_ids: Annotated[tuple[StopId, ...], Field(min_length=1)]


class KeptWhy(StrEnum):
    """Why a van keeps a stop that it was asked to release. A word that a newer van may know is read as its driver's."""

    ABOARD = "aboard"
    """Its goods are aboard: they move only where two vans meet."""
    AT_THE_DOOR = "at_the_door"
    CLOSED = "closed"
    """Delivered, or failed."""
    DRIVER = "driver"

    @classmethod
    def _missing_(cls, value: object) -> "KeptWhy | None":
        return cls.DRIVER if isinstance(value, str) else None


class StopReleased(Message):
    """The van gave up a stop whose goods are not aboard; from here on it is no longer its own."""

    stop_id: StopId
    transfer_id: StopId
    to_van: Name


class StopKept(Message):
    stop_id: StopId
    transfer_id: StopId
    why: KeptWhy


class GoodsHanded(Message):
    """One side's word about the goods of one stop at a meeting; said again, the later word holds."""

    stop_id: StopId
    meeting_id: StopId
    side: Side
    other_van: Name
    is_handed: bool
    """False: they stayed with the van that gives, or were not there for the van that takes."""
    parcels: Count = 0
    missing: tuple[ParcelCode, ...] = ()
    """Parcels of the stop that this side marked as not handed over."""
