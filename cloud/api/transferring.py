"""Moving stops between vans: what the dispatcher wishes, and what the vans then say of it. Each change is one
transaction with the manifests it leads to.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex

from sqlalchemy import Connection

from cloud.api.calledoff import call_off, call_off_if_over
from cloud.api.dispatching import Dispatch
from cloud.api.parts import Parts
from cloud.api.problems import ConflictError, NotFoundError
from cloud.fleet.asked import meeting_stop, stop_of
from cloud.fleet.transfer import Transfer, settled, transfer_view
from cloud.fleet.view import AssignReport, TransferEnd
from cloud.orders.order import Order
from cloud.store import manifests, reading
from cloud.store import orders as order_store
from cloud.store.stop_states import states_of
from cloud.store.transfers import (
    add_transfers,
    end_transfer,
    newest_transfers,
    next_number,
    open_transfers,
    transfers_of_meeting,
    turn_transfer,
)
from wire.manifest import StopKind, Window
from wire.model import Latitude, Longitude, Name, StopId, Value
from wire.transfer import Side


class MeetingAsked(Value):
    """Two vans are to meet: where, when, and what changes hands."""

    from_van: Name
    to_van: Name
    stop_ids: tuple[StopId, ...]
    lat_deg: Latitude
    lon_deg: Longitude
    place: str = ""
    window: Window | None = None


@dataclass
class _Changed:
    """What a change touched: stops to show anew, vans whose lists may be others."""

    order: Order | None = None
    stop_ids: set[StopId] = field(default_factory=set)
    versions: dict[str, int] = field(default_factory=dict)


class Transferring:
    """Works through the same lock as `Dispatch`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._dispatch = Dispatch(parts)

    async def move(self, stop_id: StopId, to_van: Name) -> AssignReport:
        """Asks the van that has a stop to release it to another; one that no van has, or of a day that no van was told
        of yet, changes at once. Raises NotFoundError and ConflictError.
        """
        self._known(to_van)
        now = self._parts.clock.now()

        def change(conn: Connection) -> _Changed:
            order = self._open_order(conn, stop_id)
            if order.stop.kind is StopKind.HANDOVER:
                raise ConflictError("two vans meet there: it cannot be moved, only taken back")
            wish = newest_transfers(conn, [stop_id]).get(stop_id)
            is_asked = wish is not None and wish.end is None
            if order.van == to_van and not is_asked:
                raise ConflictError(f"{order.order_ref} is on the list of {to_van} already")
            if wish is not None and is_asked and wish.meeting_id is not None:
                raise ConflictError(f"{order.order_ref} changes vans at a meeting: take that back first")
            names = {to_van}
            if order.van == to_van and wish is not None:
                end_transfer(conn, wish.transfer_id, TransferEnd.WITHDRAWN, "", now)
            elif wish is not None and is_asked:
                turn_transfer(conn, wish.transfer_id, to_van)
                names.add(wish.from_van)
            elif order.van is None or not self._was_told(conn, order):
                names |= {order.van} if order.van is not None else set()
                order_store.give_to(conn, stop_id, to_van, now)
            else:
                add_transfers(conn, [_wish(order, order.van, to_van, now=now, number=next_number(conn))])
                names.add(order.van)
            return _Changed(order, {stop_id}, self._dispatch.renew(conn, names, order.day, now))

        return await self._done(change)

    async def meet(self, asked: MeetingAsked) -> AssignReport:
        """Plans where two vans hand goods over that are aboard. Raises NotFoundError and ConflictError."""
        for van in (asked.from_van, asked.to_van):
            self._known(van)
        if asked.from_van == asked.to_van:
            raise ConflictError("a van cannot meet itself")
        if not asked.stop_ids:
            raise ConflictError("name the stops whose goods are to change vans")
        now = self._parts.clock.now()
        suffix = token_hex(3)

        def change(conn: Connection) -> _Changed:
            orders = [self._open_order(conn, stop_id) for stop_id in dict.fromkeys(asked.stop_ids)]
            wishes = newest_transfers(conn, asked.stop_ids)
            for order in orders:
                wish = wishes.get(order.stop_id)
                if order.van != asked.from_van:
                    raise ConflictError(f"{order.order_ref} is not on the list of {asked.from_van}")
                if order.day != self._parts.today:
                    raise ConflictError(f"{order.order_ref} is not of today")
                if order.stop.kind is StopKind.HANDOVER:
                    raise ConflictError("two vans meet there: it has no goods of its own")
                if wish is not None and wish.end is None:
                    if wish.meeting_id is not None:
                        raise ConflictError(f"{order.order_ref} changes vans at a meeting already")
                    end_transfer(conn, wish.transfer_id, TransferEnd.WITHDRAWN, "meeting", now)
            day = orders[0].day
            number = next_number(conn)
            # In the order of their ids, meetings are in the order in which they were planned.
            meeting_id = f"meet-{number:08d}-{suffix}"
            wanted = [
                _wish(order, asked.from_van, asked.to_van, now=now, number=number + place, meeting_id=meeting_id)
                for place, order in enumerate(orders)
            ]
            add_transfers(conn, wanted)
            for side, van, other in (
                (Side.GIVES, asked.from_van, asked.to_van),
                (Side.TAKES, asked.to_van, asked.from_van),
            ):
                stop = meeting_stop(
                    meeting_id,
                    side,
                    other,
                    [order.stop for order in orders],
                    lat_deg=asked.lat_deg,
                    lon_deg=asked.lon_deg,
                    place=asked.place,
                    window=asked.window,
                )
                order_store.add_stop(conn, stop, day, van, now)
            touched = {order.stop_id for order in orders} | {stop_of(meeting_id, side) for side in Side}
            versions = self._dispatch.renew(conn, {asked.from_van, asked.to_van}, day, now)
            return _Changed(orders[0], touched, versions)

        return await self._done(change)

    async def withdraw(self, stop_id: StopId) -> AssignReport:
        """The stop stays where it is, as far as it still can; with a meeting, all that was to change hands there.

        Raises NotFoundError where nothing is wished of it, and ConflictError while only one of two vans has said that
        goods changed hands.
        """
        now = self._parts.clock.now()

        def change(conn: Connection) -> _Changed:
            wish = newest_transfers(conn, [stop_id]).get(stop_id)
            order = order_store.find_orders(conn, [stop_id]).get(stop_id)
            if wish is None or wish.end is not None or order is None:
                raise NotFoundError(f"{stop_id} is not to change vans")
            every = [wish] if wish.meeting_id is None else transfers_of_meeting(conn, wish.meeting_id)
            states = states_of(conn, [one.stop_id for one in every])
            for one in every:
                said = transfer_view(one, states[one.stop_id])
                if wish.meeting_id is not None and (said.given or said.taken) and None in (said.given, said.taken):
                    silent = one.to_van if said.given else one.from_van
                    raise ConflictError(f"goods have changed hands already, and {silent} has not been heard yet")
            for one in every:
                if one.end is None:
                    end_transfer(conn, one.transfer_id, TransferEnd.WITHDRAWN, "", now)
            touched = {one.stop_id for one in every} | call_off(conn, every, now)
            vans = {wish.from_van, wish.to_van}
            return _Changed(order, touched, self._dispatch.renew(conn, vans, order.day, now))

        return await self._done(change)

    async def settle(self, stop_ids: Collection[StopId]) -> None:
        """Brings orders and lists up to what the vans said of these stops; said again, it changes nothing."""
        now = self._parts.clock.now()

        def look(conn: Connection) -> bool:
            return bool(_due(conn, stop_ids))

        if not await self._parts.database.read(look):
            return

        def change(conn: Connection) -> set[StopId]:
            due = _due(conn, stop_ids)
            for one, order, van, end, why in due:
                if van != order.van:
                    order_store.give_to(conn, one.stop_id, van, now)
                if (end, why) != (one.end, one.why):
                    end_transfer(conn, one.transfer_id, end, why, now)
            touched = {one.stop_id for one, *_ in due}
            for meeting_id in {one.meeting_id for one, *_ in due if one.meeting_id is not None}:
                touched |= call_off_if_over(conn, meeting_id, now)
            for day in {order.day for _, order, *_ in due}:
                vans = {van for one, order, *_ in due if order.day == day for van in (one.from_van, one.to_van)}
                self._dispatch.renew(conn, vans, day, now)
            return touched

        async with self._parts.dispatching:
            touched = await self._parts.database.write(change)
        await self._dispatch.tell(touched)

    async def unfinished(self) -> frozenset[StopId]:
        """The stops that are to change vans and have not: something may have been said of them before we started."""
        found = await self._parts.database.read(open_transfers)
        return frozenset(one.stop_id for one in found)

    async def _done(self, change: "Change") -> AssignReport:
        async with self._parts.dispatching:
            changed = await self._parts.database.write(change)
        await self._dispatch.tell(changed.stop_ids)
        assert changed.order is not None
        return AssignReport(day=changed.order.day, manifests=changed.versions, assigned=0, unassigned={})

    def _known(self, name: str) -> None:
        if name not in {van.name for van in self._parts.vans}:
            raise NotFoundError(f"there is no van {name} in this fleet")

    def _open_order(self, conn: Connection, stop_id: StopId) -> Order:
        order = order_store.find_orders(conn, [stop_id]).get(stop_id)
        if order is None:
            raise NotFoundError(f"there is no order {stop_id}")
        if order.is_cancelled:
            raise ConflictError(f"{order.order_ref} was cancelled")
        if reading.closed_among(conn, [stop_id]):
            raise ConflictError(f"{order.order_ref} is already done: it cannot change vans any more")
        if order.day < self._parts.today:
            raise ConflictError(f"{order.order_ref} is of a day that is over")
        return order

    def _was_told(self, conn: Connection, order: Order) -> bool:
        """Whether its van may have heard of it: a van is told the list of its day only."""
        if order.van is None or order.day > self._parts.today:
            return False
        return manifests.newest_manifest(conn, order.van, order.day) is not None


type Change = Callable[[Connection], _Changed]
type Due = tuple[Transfer, Order, str, TransferEnd | None, str]


def _wish(
    order: Order, from_van: str, to_van: str, *, now: datetime, number: int, meeting_id: StopId | None = None
) -> Transfer:
    return Transfer(
        transfer_id=f"tr-{number:08d}-{token_hex(3)}",
        stop_id=order.stop_id,
        day=order.day,
        from_van=from_van,
        to_van=to_van,
        meeting_id=meeting_id,
        asked_at=now,
    )


def _due(conn: Connection, stop_ids: Iterable[StopId]) -> Sequence[Due]:
    """The transfers that what the vans said makes another thing of than what is written."""
    wishes = newest_transfers(conn, stop_ids)
    if not wishes:
        return ()
    orders: Mapping[StopId, Order] = order_store.find_orders(conn, wishes)
    states = states_of(conn, wishes)
    found: list[Due] = []
    for stop_id, wish in wishes.items():
        order = orders.get(stop_id)
        # What a van released by asking is not asked again; goods that change hands are where the vans say they are.
        if order is None or (wish.end is not None and wish.meeting_id is None):
            continue
        van, end, why = settled(wish, states[stop_id])
        if wish.end is TransferEnd.WITHDRAWN and (end is None or van == wish.from_van):
            continue
        if wish.end is not None and end is None:
            end, why = wish.end, wish.why
        if (van, end, why) != (order.van, wish.end, wish.why):
            found.append((wish, order, van, end, why))
    return found
