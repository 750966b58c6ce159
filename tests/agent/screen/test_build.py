"""What the driver sees, from the run alone."""

from collections.abc import Sequence
from datetime import timedelta

from agent.gps.position import Motion
from agent.screen.build import Around, cab_view
from agent.screen.offer import OfferRoute, changed_piece
from agent.screen.picture import Picture
from agent.screen.route import RouteAhead, Way
from agent.screen.view import CabView, ManoeuvreView
from agent.trip.offers import offered
from agent.trip.punctuality import Punctuality
from agent.trip.run import Outlook, PlanCharge, Run, RunStop, StopPhase
from host.clock import Clock, ClockSettings
from tests.builders import (
    DEPOT,
    MORNING,
    a_place,
    a_plan,
    a_position,
    a_proposal,
    a_run,
    a_stop,
    a_window,
    at,
    evidence,
    with_proof,
)
from wire.changes import Miss, MissWhy, MoveWhy
from wire.events import FixQuality, Outcome, TimesSource
from wire.geo import Place, moved
from wire.manifest import EvidenceKind, EvidenceRule
from wire.places import Misplaced, PlaceTrouble

PHOTO, SIGNATURE = EvidenceKind.PHOTO, EvidenceKind.SIGNATURE


def seen(run: Run, minutes: float = 0.0, **changes: object) -> CabView:
    fields = {
        "van": "van-1",
        "clock_rate": 1.0,
        "revision": 1,
        "route_version": 1,
        "waiting": 0,
        "oldest_waiting_ms": None,
    }
    return cab_view(run, Around(**{**fields, **changes}), at(minutes))  # type: ignore[arg-type]


def with_stop(run: Run, number: int, **changes: object) -> Run:
    stops = list(run.stops)
    stops[number - 1] = stops[number - 1].model_copy(update=changes)
    return run.model_copy(update={"stops": tuple(stops)})


def test_without_a_manifest_there_is_an_empty_day_and_nothing_is_claimed() -> None:
    view = seen(Run())
    assert (view.stops, view.plan, view.position, view.policy, view.next_stop_id) == ((), None, None, None, None)
    assert view.gps.quality is FixQuality.NONE


def test_stops_stand_in_driving_order_with_what_is_done_before_them() -> None:
    run = a_run(4)
    run = run.model_copy(update={"plan": a_plan([stop.stop for stop in (run.stops[3], run.stops[0], run.stops[1])])})
    run = with_stop(run, 3, phase=StopPhase.COMPLETED, closed_at=at(5), outcome=Outcome.TO_RECIPIENT)
    view = seen(run, 10)
    assert [(stop.stop_id, stop.position) for stop in view.stops] == [("s3", 1), ("s4", 2), ("s1", 3), ("s2", 4)]
    assert (view.done, view.total, view.next_stop_id) == (1, 4, "s4")


def test_a_stop_taken_off_stands_last_and_is_not_counted() -> None:
    run = with_stop(a_run(3), 1, phase=StopPhase.CANCELLED, is_listed=False)
    view = seen(run)
    assert [stop.stop_id for stop in view.stops] == ["s2", "s3", "s1"]
    assert (view.done, view.total) == (0, 2)


def test_steps_show_what_is_asked_and_what_was_taken() -> None:
    stop = a_stop(1, proof={SIGNATURE: EvidenceRule.REQUIRED, PHOTO: EvidenceRule.OFF})
    run = a_run([stop])
    (before,) = seen(run).stops
    assert [(step.kind, step.rule, step.sha256) for step in before.steps] == [(SIGNATURE, EvidenceRule.REQUIRED, None)]
    assert not before.is_ready_to_close

    first, second = evidence(SIGNATURE, text="first"), evidence(SIGNATURE, text="second")
    run = with_stop(run, 1, evidence=(first, second, evidence(PHOTO)))
    (after,) = seen(run).stops
    assert after.is_ready_to_close
    assert [step.kind for step in after.steps] == [SIGNATURE, PHOTO]
    assert after.steps[0].sha256 == second.sha256


def test_lateness_is_said_against_the_window_that_counts() -> None:
    stop = a_stop(1, windows=(a_window(0, 1),))
    (view,) = seen(a_run([stop]), 30).stops
    assert view.punctuality is Punctuality.LATE
    assert view.minutes_off is not None
    assert view.minutes_off > 25


def test_a_position_of_last_night_is_shown_with_its_age_and_called_stale() -> None:
    view = seen(a_run(position=a_position(fixed_at=MORNING)), 60)
    assert (view.gps.quality, view.gps.since) == (FixQuality.STALE, MORNING)
    assert view.position is not None
    assert view.position.fixed_at == MORNING
    assert not view.is_within_reach


def test_arrived_is_offered_only_close_by_and_standing() -> None:
    there = a_run(position=a_position(a_stop(1).place), motion=Motion.HALTED)
    assert seen(there).is_within_reach
    assert not seen(there.model_copy(update={"motion": Motion.UNKNOWN})).is_within_reach


def test_stops_the_new_plan_moved_say_by_how_many_places() -> None:
    stops = [a_stop(number) for number in (1, 2, 3, 4)]
    run = a_run(stops, plan=a_plan([stops[3], stops[0], stops[1], stops[2]], version=2, moved_stops=("s4",)))
    moved_by = {stop.stop_id: stop.moved_by for stop in seen(run, order_before=("s1", "s2", "s3", "s4")).stops}
    assert moved_by == {"s4": -3, "s1": 0, "s2": 0, "s3": 0}


class OneRoad:
    """A road straight north, and how often it was asked for."""

    def __init__(self, times: TimesSource = TimesSource.ROADS) -> None:
        self.asked = 0
        self.times = times

    async def __call__(self, places: object) -> Way:
        self.asked += 1
        line = tuple((DEPOT.lon_deg, a_place(north_m=500.0 * step).lat_deg) for step in range(4))
        turn = ManoeuvreView(
            type="depart", modifier="", street="Rua", lat_deg=DEPOT.lat_deg, lon_deg=DEPOT.lon_deg, distance_m=500
        )
        return Way(line=line, legs_begin=(0, 1, 2), manoeuvres=(turn,), times=self.times)


def near(place: Place) -> Run:
    return a_run(position=a_position(place))


async def test_a_route_is_asked_once_while_the_van_follows_it() -> None:
    road = OneRoad()
    route = RouteAhead(road)
    first = await route.view(near(DEPOT), MORNING)
    assert (len(first.line), len(first.onward)) == (2, 3)
    again = await route.view(near(moved(DEPOT, north_m=300, east_m=30)), MORNING)
    assert (again, road.asked) == (first, 1)


async def test_a_route_is_asked_anew_when_the_van_left_it_or_the_plan_changed() -> None:
    road = OneRoad()
    route = RouteAhead(road)
    first = await route.view(near(DEPOT), MORNING)
    astray = moved(DEPOT, north_m=300, east_m=60)
    for second in (1, 2, 3):  # one fix decides nothing
        off = await route.view(
            a_run(position=a_position(astray, speed_mps=9.0, fixed_at=MORNING + timedelta(seconds=second))), MORNING
        )
    assert (off.route_version, road.asked) == (first.route_version + 1, 2)
    done = with_stop(near(DEPOT), 1, phase=StopPhase.COMPLETED)
    assert route.look(done, MORNING) == off.route_version + 1


async def test_without_a_stop_there_is_no_route_and_nobody_is_asked() -> None:
    road = OneRoad()
    view = await RouteAhead(road).view(Run(), MORNING)
    assert (view.line, road.asked) == ((), 0)


def test_the_picture_is_built_once_a_change_and_remembers_the_order_before() -> None:
    stops = [a_stop(1), a_stop(2)]
    runs = [a_run(stops)]
    picture = Picture(
        van="van-1",
        clock=Clock(ClockSettings()),
        run=lambda: runs[-1],
        changes=lambda: len(runs),
        waiting=lambda: (3, None),
        route=RouteAhead(OneRoad()),
        offer_route=OfferRoute(OneRoad()),
        first_revision=1000,
    )
    first = picture.view()
    assert (first.revision, first.link.waiting) == (1001, 3)
    assert picture.view() is first
    runs.append(a_run(stops, plan=a_plan(stops[::-1], version=2, moved_stops=("s2",))))
    assert {stop.stop_id: stop.moved_by for stop in picture.view().stops} == {"s2": -1, "s1": 0}


def test_a_run_stop_without_rules_is_ready_at_once() -> None:
    assert seen(a_run([a_stop(1)])).stops[0].is_ready_to_close
    assert not seen(a_run([a_stop(1, proof=with_proof(PHOTO))])).stops[0].is_ready_to_close
    assert RunStop(stop=a_stop(1)).is_open


def test_an_offer_stands_beside_the_order_there_is_with_places_times_and_reasons() -> None:
    stops = [a_stop(1), a_stop(2), a_stop(3, windows=(a_window(0, 10),))]
    run = a_run(stops, motion=Motion.PARKED)
    proposal = a_proposal((1, 3, 2), beside=run, saves=("s3",))
    view = seen(offered(run, proposal, at(0)), 0)
    offer = view.offer
    assert offer is not None
    assert (offer.number, offer.moved_stops, offer.late_before, offer.late_after) == (1, 1, 1, 0)
    assert [(stop.stop_id, stop.before, stop.after) for stop in offer.stops] == [
        ("s1", 1, 1),
        ("s3", 3, 2),
        ("s2", 2, 3),
    ]
    moved = next(stop for stop in offer.stops if stop.why is not None)
    assert (moved.stop_id, moved.why, moved.saves_s) == ("s3", MoveWhy.NEARER, 60)
    assert all(stop.eta is not None for stop in offer.stops)
    assert [stop.stop_id for stop in view.stops] == ["s1", "s2", "s3"]  # the day itself waits for the answer


def test_places_are_counted_from_what_is_done() -> None:
    run = with_stop(a_run(4, motion=Motion.PARKED), 1, phase=StopPhase.COMPLETED, arrived_at=at(1), closed_at=at(2))
    offer = seen(offered(run, a_proposal((3, 2, 4), beside=run), at(2)), 2).offer
    assert offer is not None
    assert [(stop.stop_id, stop.before, stop.after) for stop in offer.stops] == [
        ("s3", 3, 2),
        ("s2", 2, 3),
        ("s4", 4, 4),
    ]


def test_a_late_stop_says_what_binds_only_while_it_is_late() -> None:
    stops = [a_stop(1, windows=(a_window(-30, 1),)), a_stop(2)]
    misses = (Miss(stop_id="s1", why=MissWhy.WINDOW, late_s=60), Miss(stop_id="s2", why=MissWhy.ORDER, late_s=60))
    view = seen(a_run(stops, plan=a_plan(stops, misses=misses)), 0)
    assert [stop.missed_why for stop in view.stops] == [MissWhy.WINDOW, None]


def test_the_piece_that_changes_has_one_stop_on_each_side_or_begins_at_the_van() -> None:
    run = a_run(6, motion=Motion.PARKED, position=a_position(a_place(east_m=50)))
    middle = offered(run, a_proposal((1, 2, 4, 3, 5, 6), beside=run), at(0))
    assert changed_piece(middle, at(0)) == [run.stops[number - 1].stop.place for number in (2, 4, 3, 5)]
    first = offered(run, a_proposal((2, 1, 3, 4, 5, 6), beside=run), at(0))
    assert changed_piece(first, at(0)) == [a_place(east_m=50), *(run.stops[n - 1].stop.place for n in (2, 1, 3))]


async def test_the_way_of_an_offer_is_asked_for_once_and_is_nothing_without_one() -> None:
    asked: list[int] = []

    async def find_way(places: Sequence[Place]) -> Way:
        asked.append(len(places))
        return Way(line=((-8.61, 41.15), (-8.62, 41.16)), legs_begin=(0,), manoeuvres=(), times=TimesSource.ROADS)

    run = a_run(3, motion=Motion.PARKED)
    route = OfferRoute(find_way)
    assert (await route.view(run, at(0))).number == 0
    run = offered(run, a_proposal((2, 1, 3), beside=run), at(0))
    assert (await route.view(run, at(0))).line == (await route.view(run, at(0))).line != ()
    assert asked == [3]


def test_a_stop_without_a_road_says_why_while_it_is_open() -> None:
    run = a_run(2)
    assert run.plan is not None
    misplaced = (Misplaced(stop_id="s2", why=PlaceTrouble.SWAPPED),)
    run = run.model_copy(update={"plan": run.plan.model_copy(update={"misplaced": misplaced})})
    assert [stop.place_trouble for stop in seen(run).stops] == [None, PlaceTrouble.SWAPPED]
    done = with_stop(run, 2, phase=StopPhase.COMPLETED, closed_at=at(5), outcome=Outcome.TO_RECIPIENT)
    assert all(stop.place_trouble is None for stop in seen(done).stops)


def test_the_driver_is_told_whether_the_battery_lasts_and_where_to_charge() -> None:
    run = a_run()
    assert run.plan is not None
    assert (view := seen(run).plan) is not None
    assert view.energy is None
    charge = PlanCharge(
        charger_id="mill", name="Mill", place=a_place(), arrive_at=at(6), leave_at=at(26), arrive_kwh=5.0, to_kwh=40.0
    )
    outlook = Outlook(
        battery_kwh=50.0, charge_kwh=20.0, end_kwh=12.0, end_least_kwh=6.0, reserve_kwh=5.0, short_kwh=0.0
    )
    legs = (run.plan.legs[0].model_copy(update={"charges": (charge,)}), *run.plan.legs[1:])
    plan = run.plan.model_copy(update={"legs": legs, "outlook": outlook})
    run = run.model_copy(update={"plan": plan})
    assert (view := seen(run).plan) is not None
    assert view.energy is not None
    assert (view.energy.is_enough, view.energy.charge_pct, view.energy.end_pct, view.energy.end_least_pct) == (
        True,
        40.0,
        24.0,
        12.0,
    )
    assert [(one.name, one.before, one.to_pct) for one in view.energy.charges] == [("Mill", "s1", 80.0)]
    there = with_stop(run, 1, phase=StopPhase.ARRIVED, arrived_at=at(28))
    assert (view := seen(there).plan) is not None
    assert view.energy is not None
    assert view.energy.charges == ()
    short = run.model_copy(
        update={"plan": plan.model_copy(update={"outlook": outlook.model_copy(update={"short_kwh": 2})})}
    )
    assert (view := seen(short).plan) is not None
    assert view.energy is not None
    assert (view.energy.is_enough, view.energy.short_pct) == (False, 4.0)
