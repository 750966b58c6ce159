"""Changes of the day's work: import, assign, cancel. Each is decided by the pure rooms and written in one transaction
together with the manifests it leads to; the vans are told afterwards.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import Connection

from cloud.api.calledoff import call_off_if_over
from cloud.api.parts import Parts
from cloud.api.problems import BadRequestError, ConflictError, NotFoundError, TooLargeError
from cloud.dispatch.assign import Assignment, VanDay, assign
from cloud.dispatch.manifest import build_manifest, says_the_same
from cloud.dispatch.van import Van
from cloud.fleet.asked import meetings_of, releases_of
from cloud.fleet.transfer import Transfer
from cloud.fleet.view import AssignReport, ImportReport, RowProblem, TransferEnd
from cloud.orders.csvfile import OrdersFile, read_orders
from cloud.orders.found import day_of_found, taken_in
from cloud.orders.order import ImportPlan, Known, Order, plan_import
from cloud.orders.table import NotATable
from cloud.store import manifests, reading
from cloud.store import orders as order_store
from cloud.store.transfers import end_transfer, newest_transfers, transfers_of_day
from roads import estimate
from wire.codec import TooBigError, encode
from wire.geo import Place
from wire.manifest import SequencePolicy, StopKind
from wire.model import StopId


class Dispatch:
    """One change at a time; what the vans report meanwhile goes on being written."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._one_at_a_time = parts.dispatching

    async def import_orders(self, data: bytes, day: date, *, is_dry_run: bool) -> ImportReport:
        """Takes the good rows of a file. Raises BadRequestError when it is no table of orders."""
        parts = self._parts
        file = await asyncio.to_thread(read_orders, data, default_day=day, zone=parts.zone, depot=parts.depot.place)
        if isinstance(file, NotATable):
            raise BadRequestError(file.why)
        if is_dry_run:
            plan = await parts.database.read(lambda conn: _plan(conn, file))
            return _report(file, plan, is_dry_run=True)
        now = parts.clock.now()

        def change(conn: Connection) -> ImportPlan:
            plan = _plan(conn, file)
            order_store.save_import(conn, plan, now)
            changed = order_store.find_orders(conn, [row.stop.stop_id for row in plan.updated])
            touched = _vans_by_day(changed.values())
            for on_day in {row.day for row in (*plan.added, *plan.updated)}:
                # What is new here may be what a van has made a stop of already.
                touched.setdefault(on_day, set()).update(self._joined(conn, on_day, now))
            for on_day, names in touched.items():
                self.renew(conn, names, on_day, now)
            return plan

        async with self._one_at_a_time:
            plan = await parts.database.write(change)
        await self.tell([row.stop.stop_id for row in (*plan.added, *plan.updated)])
        return _report(file, plan, is_dry_run=False)

    async def assign(self, day: date) -> AssignReport:
        """Gives the day's open stops without a van to one, and makes the manifests."""
        parts = self._parts
        now = parts.clock.now()

        def change(conn: Connection) -> dict[str, int]:
            order_store.save_assignment(conn, assignment, now)
            return self.renew(conn, [van.name for van in parts.vans], day, now)

        async with self._one_at_a_time:
            orders, closed = await parts.database.read(lambda conn: reading.orders_and_closed(conn, day))
            assignment = await asyncio.to_thread(self._assignment, orders, closed, day, now)
            versions = await parts.database.write(change)
        await self.tell([*assignment.given, *assignment.unassigned])
        return AssignReport(
            day=day, manifests=versions, assigned=len(assignment.given), unassigned=assignment.unassigned
        )

    async def cancel(self, stop_id: StopId) -> AssignReport:
        """Takes an order off its van's manifest. Raises NotFoundError, and ConflictError when it is done already."""
        parts = self._parts
        now = parts.clock.now()

        touched = {stop_id}

        def change(conn: Connection) -> tuple[Order, dict[str, int]]:
            order = order_store.find_orders(conn, [stop_id]).get(stop_id)
            if order is None:
                raise NotFoundError(f"there is no order {stop_id}")
            if reading.closed_among(conn, [stop_id]):
                raise ConflictError(f"{order.order_ref} is already done: it cannot be cancelled any more")
            if order.stop.kind is StopKind.HANDOVER:
                raise ConflictError("two vans meet there: take back that their stops change vans")
            order_store.cancel_order(conn, stop_id, now)
            wish = newest_transfers(conn, [stop_id]).get(stop_id)
            if wish is not None and wish.end is None:
                end_transfer(conn, wish.transfer_id, TransferEnd.WITHDRAWN, "cancelled", now)
                touched.update(call_off_if_over(conn, wish.meeting_id, now) if wish.meeting_id else ())
            others = [] if wish is None else [wish.from_van, wish.to_van]
            return order, self.renew(conn, [*([order.van] if order.van else []), *others], order.day, now)

        async with self._one_at_a_time:
            order, versions = await parts.database.write(change)
        await self.tell(touched)
        return AssignReport(day=order.day, manifests=versions, assigned=0, unassigned={})

    async def take_in(self, stop_id: StopId) -> None:
        """Makes an order of a stop that a van made of a label; the same again changes nothing. Raises TooLargeError."""
        parts = self._parts
        now = parts.clock.now()

        def change(conn: Connection) -> set[StopId]:
            heard = reading.found_stop(conn, stop_id)
            day = None if heard is None else day_of_found(heard[0])
            vans = [] if heard is None else [van for van in heard[1] if van in {one.name for one in parts.vans}]
            if heard is None or day is None or not vans:
                return set()
            orders, closed = reading.orders_and_closed(conn, day)
            taken = taken_in(heard[0], vans, day, orders, closed)
            order_store.save_found(conn, taken, now)
            self.renew(conn, [taken.order.van or vans[0]], day, now)
            return {stop_id, *taken.carried}

        async with self._one_at_a_time:
            changed = await parts.database.write(change)
        await self.tell(changed)

    async def set_policy(self, name: str, day: date, policy: SequencePolicy) -> AssignReport:
        """Who may change the order of a van's stops that day, in a new manifest that says the same otherwise.

        Raises NotFoundError for a van that is not in the fleet, and ConflictError when it has no list that day.
        """
        parts = self._parts
        now = parts.clock.now()
        if name not in {van.name for van in parts.vans}:
            raise NotFoundError(f"there is no van {name} in this fleet")

        def change(conn: Connection) -> int:
            before = manifests.newest_manifest(conn, name, day)
            if before is None:
                raise ConflictError(f"{name} has no list for {day.isoformat()} yet: assign orders to it first")
            if before.policy is policy:
                return before.version
            version = manifests.next_version(conn, name)
            manifests.save_manifest(conn, before.model_copy(update={"policy": policy, "version": version}), now)
            return version

        async with self._one_at_a_time:
            version = await parts.database.write(change)
        await self.tell([])
        return AssignReport(day=day, manifests={name: version}, assigned=0, unassigned={})

    def _assignment(self, orders: Sequence[Order], closed: frozenset[StopId], day: date, now: datetime) -> Assignment:
        standing = [order for order in orders if not order.is_cancelled]
        vans = []
        for van in self._parts.vans:
            own = [order for order in standing if order.van == van.name]
            vans.append(
                VanDay(
                    van=van,
                    open_stops=tuple(order.stop for order in own if order.stop_id not in closed),
                    closed_parcels=sum(order.stop.amount.parcels for order in own if order.stop_id in closed),
                )
            )
        return assign(
            [order.stop for order in standing if order.van is None and order.stop_id not in closed],
            vans,
            day=day,
            depot=self._parts.depot.place,
            zone=self._parts.zone,
            now=now,
            travel_s=_straight_s,
        )

    def _joined(self, conn: Connection, day: date, now: datetime) -> set[str]:
        """Lets stops made of labels take over orders of the same parcels; the vans whose lists that changes."""
        vans: set[str] = set()
        orders, closed = reading.orders_and_closed(conn, day)
        for order in orders:
            heard = None if order.stop.found is None or order.van is None else reading.found_stop(conn, order.stop_id)
            if heard is None or order.is_cancelled:
                continue
            taken = taken_in(heard[0], heard[1], day, orders, closed)
            if taken.order != order or taken.carried:
                order_store.save_found(conn, taken, now)
                orders = order_store.orders_of_day(conn, day)
                vans.add(taken.order.van or "")
        return vans

    def renew(self, conn: Connection, names: Iterable[str], day: date, now: datetime) -> dict[str, int]:
        """Makes a new manifest for each van whose last one no longer says what is so; answers the versions in force."""
        wanted = set(names)
        if not wanted:
            return {}
        orders = order_store.orders_of_day(conn, day)
        open_ids = {order.stop_id for order in orders if not order.is_cancelled}
        wishes = [one for one in transfers_of_day(conn, day) if one.end is None and one.stop_id in open_ids]
        # What goes to another van at a meeting stands on that one's list too.
        wanted |= {one.to_van for one in wishes if one.meeting_id is not None and one.from_van in wanted}
        vans = [van for van in self._parts.vans if van.name in wanted]
        versions = {}
        for van in vans:
            comes = {one.stop_id for one in wishes if one.meeting_id is not None and one.to_van == van.name}
            own = [order for order in orders if order.van == van.name]
            own += [order for order in orders if order.stop_id in comes and order.van != van.name]
            version = self._renew_one(conn, van, day, own, now=now, wishes=wishes)
            if version is not None:
                versions[van.name] = version
        return versions

    def _renew_one(
        self, conn: Connection, van: Van, day: date, orders: list[Order], *, wishes: list[Transfer], now: datetime
    ) -> int | None:
        before = manifests.newest_manifest(conn, van.name, day)
        standing = [order for order in orders if not order.is_cancelled]
        if before is None and not standing:
            return None
        manifest = build_manifest(
            van,
            day,
            manifests.next_version(conn, van.name),
            stops=[order.stop for order in standing],
            declined=[order.stop_id for order in orders if order.is_cancelled and order.stop.found is not None],
            depot=self._parts.depot,
            zone=self._parts.zone,
            policy=before.policy if before else van.policy,
            releases=releases_of(van.name, wishes),
            meetings=meetings_of(van.name, wishes),
        )
        if before is not None and says_the_same(manifest, before):
            return before.version
        try:
            encode(manifest)
        except TooBigError as error:
            raise TooLargeError(
                f"the manifest of {van.name} would hold {len(standing)} stops, too many for one message: {error}. "
                "Give the van less room, or shorten instructions and items"
            ) from error
        manifests.save_manifest(conn, manifest, now)
        return manifest.version

    async def tell(self, stop_ids: Iterable[StopId]) -> None:
        self._parts.outlet.wake()
        await self._parts.live.stops_changed(stop_ids, of_vans=[van.name for van in self._parts.vans])


def _plan(conn: Connection, file: OrdersFile) -> ImportPlan:
    stop_ids = [row.stop.stop_id for row in file.good]
    found = order_store.find_orders(conn, stop_ids)
    closed = reading.closed_among(conn, found)
    known = {
        stop_id: Known(
            stop=order.stop,
            is_cancelled=order.is_cancelled,
            is_closed=stop_id in closed,
            is_carried=bool(order.carried),
        )
        for stop_id, order in found.items()
    }
    return plan_import(file.good, known)


def _report(file: OrdersFile, plan: ImportPlan, *, is_dry_run: bool) -> ImportReport:
    problems = sorted((*file.problems, *plan.problems), key=lambda problem: problem.row)
    return ImportReport(
        is_dry_run=is_dry_run,
        rows=file.rows,
        added=len(plan.added),
        updated=len(plan.updated),
        unchanged=plan.unchanged,
        problems=tuple(RowProblem(row=bad.row, column=bad.column, problem=bad.problem) for bad in problems),
    )


def _vans_by_day(orders: Iterable[Order]) -> dict[date, set[str]]:
    vans: dict[date, set[str]] = {}
    for order in orders:
        if order.van is not None:
            vans.setdefault(order.day, set()).add(order.van)
    return vans


def _straight_s(a: Place, b: Place) -> float:
    return estimate.leg(a, b).travel_s
