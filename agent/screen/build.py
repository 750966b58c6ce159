"""From the run to what the cab page draws. Pure; the page adds nothing but words and pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.gps.line import Foot
from agent.screen.door import NOTHING_DONE, at_the_door, label_view, load_view
from agent.screen.offer import offer_view
from agent.screen.transfer import between_vans
from agent.screen.view import (
    CabView,
    ChargeView,
    Disk,
    EnergyView,
    GpsView,
    LinkView,
    PlanView,
    PositionView,
    StopView,
)
from agent.trip.eta import ends_at, etas
from agent.trip.goods import Custody
from agent.trip.lifecycle import StopState
from agent.trip.progress import FRESH_FOR, fresh_position, is_within_reach
from agent.trip.punctuality import Punctuality, minutes_off, punctuality, window_at
from agent.trip.run import Plan, PlanLeg, Run, RunStop, StopPhase
from wire.events import Eta, FixQuality
from wire.found import PlacedBy
from wire.manifest import Window
from wire.model import StopId
from wire.places import PlaceTrouble


@dataclass(frozen=True)
class Around:
    """What the screen shows beside the run."""

    van: str
    clock_rate: float
    revision: int
    route_version: int
    waiting: int
    oldest_waiting_ms: int | None
    disk: Disk = Disk.WELL
    can_block: bool = False
    on_way: Foot | None = None
    order_before: tuple[StopId, ...] = ()
    """The open stops in the order of the plan before this one; empty when there was none."""


def cab_view(run: Run, around: Around, now: datetime) -> CabView:
    """The whole screen at `now`."""
    expected = etas(run, now)
    legs = {leg.stop_id: leg for leg in run.plan.legs} if run.plan else {}
    moved = _moved_by(run, around.order_before)
    stops = [
        _with_reasons(
            _stop_view(stop, place, expected.get(stop.stop_id), legs.get(stop.stop_id), moved.get(stop.stop_id, 0)), run
        ).model_copy(update=at_the_door(run, stop, now) | between_vans(run, stop, now))
        for place, stop in enumerate(in_day_order(run), start=1)
    ]
    counted = [stop for stop in run.stops if stop.phase is not StopPhase.CANCELLED]
    next_stop = run.next_stop
    return CabView(
        revision=around.revision,
        now=now,
        clock_rate=around.clock_rate,
        timezone=run.manifest.timezone if run.manifest else "UTC",
        van=around.van,
        driver=run.manifest.driver if run.manifest else "",
        policy=run.manifest.policy if run.manifest else None,
        link=_link_view(run, around, now),
        gps=_gps_view(run, now),
        motion=run.motion,
        position=_position_view(run, around.on_way),
        plan=_plan_view(run, now),
        offer=offer_view(run, stops, now),
        is_planning=run.replan is not None,
        next_stop_id=next_stop.stop_id if next_stop else None,
        is_within_reach=is_within_reach(run, now),
        route_version=around.route_version,
        stops=tuple(stops),
        done=sum(not stop.is_open for stop in counted),
        total=len(counted),
        disk=around.disk,
        alarms=run.alarms,
        can_block=around.can_block,
        blocked_until=run.blocked_until(now),
        off_duty=run.off_duty.why if run.off_duty else None,
        load=load_view(run),
        label=label_view(run),
    )


def in_day_order(run: Run) -> list[RunStop]:
    """Closed stops as they were closed, the open ones as they will be driven, those that wait for another van, what was
    taken off.
    """
    gone = [stop for stop in run.stops if stop.phase is StopPhase.CANCELLED]
    closed = [stop for stop in run.stops if not stop.is_open and stop.phase is not StopPhase.CANCELLED]
    closed.sort(key=lambda stop: (stop.closed_at is None, stop.closed_at))
    driven = run.open_stops
    known = {stop.stop_id for stop in driven}
    waiting = [stop for stop in run.stops if stop.is_open and stop.stop_id not in known]
    return [*closed, *driven, *waiting, *gone]


def _moved_by(run: Run, before: Sequence[StopId]) -> Mapping[StopId, int]:
    """For the stops that the newest plan moved: places among the stops that both orders hold."""
    if run.plan is None or not before:
        return {}
    now = [stop.stop_id for stop in run.open_stops]
    old = [stop_id for stop_id in before if stop_id in now]
    new = [stop_id for stop_id in now if stop_id in old]
    return {stop_id: new.index(stop_id) - old.index(stop_id) for stop_id in run.plan.moved_stops if stop_id in new}


def _stop_view(stop: RunStop, place: int, eta: Eta | None, leg: PlanLeg | None, moved_by: int) -> StopView:
    window = _window(stop, eta)
    planned_at = leg.arrive_at if leg else None
    listed = stop.stop
    return StopView(
        stop_id=stop.stop_id,
        position=place,
        kind=listed.kind,
        phase=stop.phase,
        order_ref=listed.order_ref,
        address=listed.address,
        recipient_name=listed.recipient.name,
        instruction=listed.instruction,
        items=listed.items,
        amount=listed.amount,
        lat_deg=listed.lat_deg,
        lon_deg=listed.lon_deg,
        window=window,
        eta=eta,
        punctuality=punctuality(window, eta, planned_at),
        minutes_off=minutes_off(window, eta, planned_at),
        steps=(),
        hand=NOTHING_DONE,
        state=StopState.PENDING,
        is_ready_to_close=False,
        arrived_at=stop.arrived_at,
        closed_at=stop.closed_at,
        outcome=stop.outcome,
        reason=stop.reason,
        received_by=stop.received_by,
        is_locked=listed.is_locked,
        is_skipped=stop.is_skipped,
        is_listed=stop.is_listed,
        moved_by=moved_by,
        moved_why=None,
        moved_for=None,
        missed_why=None,
        missed_for=None,
        place_trouble=None,
        travel_m=leg.travel_m if leg and stop.is_open else None,
        found=listed.found,
        custody=Custody.UNKNOWN,
        meeting=None,
        waits_for=None,
        passed_to=None,
        release_to=None,
    )


def _with_reasons(view: StopView, run: Run) -> StopView:
    """Why the newest plan moved the stop, why it is late in it, and why no road leads there; only while it is so."""
    moves = {move.stop_id: move for move in run.plan.moves} if run.plan and view.moved_by else {}
    is_late = view.punctuality is Punctuality.LATE and view.closed_at is None
    misses = {miss.stop_id: miss for miss in run.plan.misses} if run.plan and is_late else {}
    move, miss = moves.get(view.stop_id), misses.get(view.stop_id)
    places = {one.stop_id: one.why for one in run.plan.misplaced} if run.plan and view.closed_at is None else {}
    if view.found is not None and view.found.placed_by is PlacedBy.NOWHERE:
        places = {view.stop_id: PlaceTrouble.UNPLACED}
    return view.model_copy(
        update={
            "moved_why": move.why if move else None,
            "moved_for": move.other if move else None,
            "missed_why": miss.why if miss else None,
            "missed_for": miss.other if miss else None,
            "place_trouble": places.get(view.stop_id),
        }
    )


def _window(stop: RunStop, eta: Eta | None) -> Window | None:
    """The window that counts for when the van was or will be there; the first of the day while that is unknown."""
    instant = stop.arrived_at or stop.closed_at or (eta.p50 if eta else None)
    if instant is not None:
        return window_at(stop.stop, instant)
    return min(stop.stop.windows, key=lambda window: window.opens_at, default=None)


def _link_view(run: Run, around: Around, now: datetime) -> LinkView:
    oldest_ms = around.oldest_waiting_ms
    return LinkView(
        is_online=run.is_online,
        since=run.link_since,
        waiting=around.waiting,
        oldest_waiting_s=None if oldest_ms is None else max(0.0, now.timestamp() - oldest_ms / 1000),
    )


def _gps_view(run: Run, now: datetime) -> GpsView:
    if fresh_position(run, now) is not None and run.position is not None:
        return GpsView(quality=run.position.quality, since=None)
    if run.position is None:
        return GpsView(quality=FixQuality.NONE, since=None)
    if run.position.quality is FixQuality.ESTIMATED and abs(now - run.position.fixed_at) <= FRESH_FOR:
        return GpsView(quality=FixQuality.ESTIMATED, since=run.position.estimated_from)
    # Read back after a night, or repeated by a dead receiver: it was good once, and is shown with its age.
    quality = FixQuality.NONE if run.position.quality is FixQuality.NONE else FixQuality.STALE
    return GpsView(quality=quality, since=run.position.fixed_at)


def _position_view(run: Run, on_way: Foot | None) -> PositionView | None:
    position = run.position
    if position is None:
        return None
    return PositionView(
        lat_deg=position.lat_deg,
        lon_deg=position.lon_deg,
        heading_deg=position.heading_deg,
        speed_mps=position.speed_mps,
        error_m=position.error_m,
        fixed_at=position.fixed_at,
        road_lat_deg=on_way.place.lat_deg if on_way else None,
        road_lon_deg=on_way.place.lon_deg if on_way else None,
        road_heading_deg=on_way.heading_deg if on_way else None,
    )


def _plan_view(run: Run, now: datetime) -> PlanView | None:
    plan = run.plan
    if plan is None:
        return None
    return PlanView(
        version=plan.version,
        made_at=plan.made_at,
        reason=plan.reason,
        times=plan.times,
        moved_stops=len(plan.moved_stops),
        gain_s=plan.gain_s,
        ends_at=ends_at(run, now),
        energy=_energy_view(run, plan),
    )


def _energy_view(run: Run, plan: Plan) -> EnergyView | None:
    outlook = plan.outlook
    if outlook is None:
        return None
    percent = 100 / outlook.battery_kwh
    to_come = {stop.stop_id for stop in run.open_stops if stop.phase is StopPhase.OPEN}
    charges = [(leg.stop_id, charge) for leg in plan.legs if leg.stop_id in to_come for charge in leg.charges]
    return EnergyView(
        is_enough=outlook.short_kwh <= 0,
        charge_pct=percent * outlook.charge_kwh,
        read_at=run.charge.at if run.charge else None,
        end_pct=percent * outlook.end_kwh,
        end_least_pct=percent * outlook.end_least_kwh,
        reserve_pct=percent * outlook.reserve_kwh,
        short_pct=percent * outlook.short_kwh,
        charges=tuple(
            ChargeView(
                name=charge.name or charge.charger_id,
                before=stop_id,
                arrive_at=charge.arrive_at,
                leave_at=charge.leave_at,
                to_pct=percent * charge.to_kwh,
            )
            for stop_id, charge in [*charges, *((None, charge) for charge in plan.home_charges)]
        ),
    )
