from datetime import timedelta

import pytest

from agent.gps.position import Motion
from agent.link.live import live
from agent.trip.decide import decide
from agent.trip.effects import Decision, Trouble
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    DeliveredTapped,
    DutyTapped,
    FixJudged,
    ManifestArrived,
    MinutePassed,
)
from agent.trip.run import Run, StopPhase
from tests.builders import MORNING, a_manifest, a_place, a_position, a_run, at
from wire.events import ArrivedBy, EventKind, OffDutyWhy

SHIFT_ENDS_MIN = 9 * 60.0


def enter(run: Run, entered: AnyInput, minute: float = 0.0) -> Decision:
    return decide(run, entered, at(minute))


def a_fix(minute: float = 0.0) -> FixJudged:
    return FixJudged(position=a_position(a_place(), fixed_at=at(minute)), motion=Motion.PARKED)


def said(decision: Decision) -> list[dict[str, object]]:
    return [one.body for one in decision.outgoing if one.kind is EventKind.DUTY_CHANGED]


def why(decision: Decision) -> OffDutyWhy | None:
    return decision.run.off_duty.why if decision.run.off_duty else None


def test_one_tap_pauses_and_from_then_on_nothing_of_a_place_is_in_the_run() -> None:
    run = enter(a_run(3), a_fix()).run
    paused = enter(run, DutyTapped(is_on_duty=False), 1)
    assert said(paused) == [{"is_on_duty": False, "why": "paused"}]
    assert (paused.run.position, paused.run.motion, paused.run.standings) == (None, Motion.UNKNOWN, ())
    after = enter(paused.run, a_fix(2), 2)
    assert after == Decision(run=paused.run)
    told = live("van-1", after.run, {}, at(2))
    assert (told.position, told.off_duty) == (None, OffDutyWhy.PAUSED)
    arrived = enter(after.run, ArrivedTapped(stop_id="s1"), 3).outgoing[0].body
    assert (arrived["lat_deg"], arrived["distance_m"]) == (None, None)


def test_one_tap_goes_on() -> None:
    paused = enter(a_run(3), DutyTapped(is_on_duty=False)).run
    back = enter(paused, DutyTapped(is_on_duty=True), 1)
    assert said(back) == [{"is_on_duty": True, "why": None}]
    assert enter(back.run, a_fix(1), 1).run.position is not None


@pytest.mark.parametrize("is_on_duty", [True, False])
def test_the_same_tap_twice_is_told_once(is_on_duty: bool) -> None:
    first = enter(a_run(3), DutyTapped(is_on_duty=is_on_duty))
    assert said(enter(first.run, DutyTapped(is_on_duty=is_on_duty), 1)) == []


def test_without_a_list_there_is_no_duty_to_pause_and_no_position() -> None:
    refused = enter(Run(), DutyTapped(is_on_duty=False))
    assert refused.refusal is not None
    assert refused.refusal.trouble is Trouble.NO_MANIFEST
    assert enter(Run(), a_fix()).run == Run()


def test_a_list_that_comes_the_evening_before_begins_nothing() -> None:
    decision = enter(Run(), ManifestArrived(manifest=a_manifest(3)), -12 * 60)
    assert why(decision) is OffDutyWhy.NOT_BEGUN
    assert enter(decision.run, a_fix(), -11 * 60).run.position is None
    assert why(enter(decision.run, MinutePassed(), -61)) is OffDutyWhy.NOT_BEGUN
    begun = enter(decision.run, MinutePassed(), -60)
    assert (why(begun), said(begun)) == (None, [{"is_on_duty": True, "why": None}])


def test_who_works_at_a_stop_has_begun() -> None:
    run = enter(Run(), ManifestArrived(manifest=a_manifest(3)), -12 * 60).run
    assert why(enter(run, ArrivedTapped(stop_id="s1"), -3 * 60)) is None
    assert why(enter(run, ArrivedTapped(stop_id="nowhere"), -3 * 60)) is OffDutyWhy.NOT_BEGUN


def test_a_newer_list_of_the_day_leaves_a_pause_as_it_is_and_one_of_the_next_day_ends_it() -> None:
    paused = enter(a_run(3), DutyTapped(is_on_duty=False)).run
    newer = a_manifest(4, version=2)
    assert why(enter(paused, ManifestArrived(manifest=newer), 1)) is OffDutyWhy.PAUSED
    next_day = a_manifest(
        3,
        day=(MORNING + timedelta(days=1)).date(),
        shift_starts_at=MORNING + timedelta(days=1),
        shift_ends_at=MORNING + timedelta(days=1, hours=9),
    )
    assert why(enter(paused, ManifestArrived(manifest=next_day), 23.5 * 60)) is None


def test_duty_ends_with_the_shift_once_no_stop_is_open() -> None:
    run = a_run(1)
    assert why(enter(run, MinutePassed(), SHIFT_ENDS_MIN + 1)) is None
    done = enter(run, DeliveredTapped(stop_id="s1"), 100).run
    assert why(enter(done, MinutePassed(), SHIFT_ENDS_MIN - 1)) is None
    over = enter(done, MinutePassed(), SHIFT_ENDS_MIN)
    assert (why(over), said(over)) == (OffDutyWhy.SHIFT_OVER, [{"is_on_duty": False, "why": "shift over"}])


def test_a_van_that_was_forgotten_on_goes_off_two_hours_after_the_shift() -> None:
    run = a_run(3)
    assert why(enter(run, MinutePassed(), SHIFT_ENDS_MIN + 119)) is None
    assert why(enter(run, MinutePassed(), SHIFT_ENDS_MIN + 120)) is OffDutyWhy.SHIFT_OVER


def test_a_driver_who_says_on_after_the_shift_is_on_for_two_hours() -> None:
    over = enter(a_run(3), MinutePassed(), SHIFT_ENDS_MIN + 120).run
    on = enter(over, DutyTapped(is_on_duty=True), SHIFT_ENDS_MIN + 130).run
    assert on.is_on_duty
    assert why(enter(on, MinutePassed(), SHIFT_ENDS_MIN + 249)) is None
    assert why(enter(on, MinutePassed(), SHIFT_ENDS_MIN + 250)) is OffDutyWhy.SHIFT_OVER


def test_a_minute_with_a_clock_that_was_ahead_does_not_end_the_day() -> None:
    ahead = enter(a_run(3), MinutePassed(), SHIFT_ENDS_MIN + 600)
    assert why(ahead) is OffDutyWhy.SHIFT_OVER
    back = enter(ahead.run, MinutePassed(), 60)
    assert (why(back), said(back)) == (None, [{"is_on_duty": True, "why": None}])
    paused = enter(back.run, DutyTapped(is_on_duty=False), 61).run
    assert why(enter(paused, MinutePassed(), 62)) is OffDutyWhy.PAUSED


@pytest.mark.parametrize("by", [None, ArrivedBy.GEOFENCE])
def test_a_van_that_drove_off_during_a_pause_is_seen_to_have_left(by: ArrivedBy | None) -> None:
    run = enter(a_run(3), ArrivedTapped(stop_id="s1")).run
    stood = run.stops[0].model_copy(update={"arrived_by": by})
    paused = enter(run.model_copy(update={"stops": (stood, *run.stops[1:])}), DutyTapped(is_on_duty=False), 2).run
    run = enter(paused, DutyTapped(is_on_duty=True), 30).run
    departed: list[object] = []
    for second in range(10):
        minute = 30 + second / 60
        fix = FixJudged(position=a_position(a_place(3_000), fixed_at=at(minute)), motion=Motion.MOVING)
        decision = enter(run, fix, minute)
        run = decision.run
        departed += [one.body["stop_id"] for one in decision.outgoing if one.kind is EventKind.STOP_DEPARTED]
    assert departed == ["s1"]
    assert (run.stops[0].phase is StopPhase.OPEN) == (by is ArrivedBy.GEOFENCE)
