"""What the list of a van says of stops that change vans: what it is asked to release, and whom it meets. Pure."""

from collections.abc import Iterable, Sequence

from cloud.fleet.transfer import Transfer
from wire.handover import Handover
from wire.manifest import Address, Amount, Recipient, Stop, StopKind, Window
from wire.model import Latitude, Longitude, StopId
from wire.transfer import Meeting, ReleaseAsked, Side


def stop_of(meeting_id: StopId, side: Side) -> StopId:
    """The stop where a van meets the other, on its own list."""
    return f"{meeting_id}-{'give' if side is Side.GIVES else 'take'}"


def releases_of(van: str, transfers: Iterable[Transfer]) -> tuple[ReleaseAsked, ...]:
    """What a van is asked to release now. `transfers`: those that are not over."""
    return tuple(
        ReleaseAsked(transfer_id=one.transfer_id, stop_id=one.stop_id, to_van=one.to_van)
        for one in transfers
        if one.meeting_id is None and one.from_van == van
    )


def meetings_of(van: str, transfers: Iterable[Transfer]) -> tuple[Meeting, ...]:
    """Whom a van meets, and what is to change hands there. `transfers`: those that are not over."""
    found: dict[tuple[StopId, Side], list[Transfer]] = {}
    for one in transfers:
        if one.meeting_id is not None and van in (one.from_van, one.to_van):
            side = Side.GIVES if one.from_van == van else Side.TAKES
            found.setdefault((one.meeting_id, side), []).append(one)
    return tuple(
        Meeting(
            meeting_id=meeting_id,
            stop_id=stop_of(meeting_id, side),
            other_van=some[0].to_van if side is Side.GIVES else some[0].from_van,
            side=side,
            stop_ids=tuple(one.stop_id for one in some),
        )
        for (meeting_id, side), some in found.items()
    )


def meeting_stop(
    meeting_id: StopId,
    side: Side,
    other_van: str,
    stops: Sequence[Stop],
    *,
    lat_deg: Latitude,
    lon_deg: Longitude,
    place: str,
    window: Window | None,
) -> Stop:
    """The stop on the list of one of the two vans. It has the parcels of all of `stops`, so that they can be scanned;
    it takes up no room of its own.
    """
    return Stop(
        stop_id=stop_of(meeting_id, side),
        order_ref=stop_of(meeting_id, side),
        kind=StopKind.HANDOVER,
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        address=Address(street=place),
        recipient=Recipient(name=other_van),
        amount=Amount(parcels=0),
        windows=() if window is None else (window,),
        handover=Handover(parcels=tuple(parcel for stop in stops for parcel in stop.handover.parcels)),
    )
