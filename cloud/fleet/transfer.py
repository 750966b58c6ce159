"""A stop that is to change vans: what was asked for, and what it came to by what the vans said. Pure."""

from datetime import date
from typing import NamedTuple

from cloud.fleet.custody import handings_of
from cloud.fleet.fold import StopState
from cloud.fleet.view import TransferEnd, TransferView
from wire.model import Instant, StopId, Value
from wire.transfer import StopKept, StopReleased


class Transfer(Value):
    """The dispatcher's wish. With a meeting the goods are aboard and change hands there; without one the first van is
    asked to release the stop.
    """

    transfer_id: StopId
    stop_id: StopId
    day: date
    from_van: str
    to_van: str
    meeting_id: StopId | None = None
    asked_at: Instant
    ended_at: Instant | None = None
    end: TransferEnd | None = None
    why: str = ""


class Settled(NamedTuple):
    """Whose the stop is now, as far as the transfer says; and whether the transfer is over."""

    van: str
    end: TransferEnd | None
    why: str = ""


def settled(transfer: Transfer, state: StopState) -> Settled:
    """What a transfer comes to. Until the first van has released the stop, or either has said that the goods changed
    hands, it is the first van's.
    """
    return _by_meeting(transfer, state) if transfer.meeting_id is not None else _by_release(transfer, state)


def transfer_view(transfer: Transfer, state: StopState) -> TransferView:
    given, taken = _sides(transfer, state)
    return TransferView(
        from_van=transfer.from_van,
        to_van=transfer.to_van,
        meeting_id=transfer.meeting_id,
        asked_at=transfer.asked_at,
        end=transfer.end,
        why=transfer.why,
        given=given,
        taken=taken,
    )


def _by_release(transfer: Transfer, state: StopState) -> Settled:
    mine = [
        passing.said
        for passing in state.passings
        if isinstance(passing.said, StopReleased | StopKept)
        and passing.origin.van == transfer.from_van
        and passing.said.transfer_id == transfer.transfer_id
    ]
    if any(isinstance(one, StopReleased) for one in mine):
        return Settled(transfer.to_van, TransferEnd.MOVED)
    if state.closing is not None:
        return Settled(transfer.from_van, TransferEnd.CLOSED, state.status.value)
    kept = next((one for one in mine if isinstance(one, StopKept)), None)
    if kept is not None:
        return Settled(transfer.from_van, TransferEnd.KEPT, kept.why.value)
    return Settled(transfer.from_van, None)


def _by_meeting(transfer: Transfer, state: StopState) -> Settled:
    given, taken = _sides(transfer, state)
    van = transfer.to_van if given or taken else transfer.from_van
    if given and taken:
        return Settled(van, TransferEnd.MOVED)
    if state.closing is not None:
        return Settled(van, TransferEnd.CLOSED, state.status.value)
    if given is False and not taken:
        return Settled(van, TransferEnd.KEPT, "not_handed")
    return Settled(van, None)


def _sides(transfer: Transfer, state: StopState) -> tuple[bool | None, bool | None]:
    for one in handings_of(state):
        if (one.meeting_id, one.giver, one.taker) == (transfer.meeting_id, transfer.from_van, transfer.to_van):
            return one.given, one.taken
    return None, None
