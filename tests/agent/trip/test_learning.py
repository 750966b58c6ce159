"""What a day teaches, seen through `decide`."""

from datetime import datetime, timedelta

import pytest

from agent.learn.keys import address_key
from agent.learn.known import Known
from agent.learn.lessons import DayLearned
from agent.learn.level import Level
from agent.trip.decide import decide
from agent.trip.effects import Decision, Recall, Replan
from agent.trip.eta import etas
from agent.trip.inputs import (
    AnyInput,
    ArrivedTapped,
    CommandArrived,
    DeliveredTapped,
    EvidenceTaken,
    FailedTapped,
    ForgetTapped,
    ManifestArrived,
    MinutePassed,
    PlanSolved,
    Recalled,
    UndoTapped,
)
from agent.trip.learning import FORECAST_EVERY
from agent.trip.run import Run
from tests.builders import a_command, a_manifest, a_plan, a_run, a_stop, a_window, at, evidence
from wire.events import EtaBasis, FailReason, TimesSource
from wire.manifest import Address, CommandKind, EvidenceKind, Stop

TODAY = a_manifest().day.toordinal()
ADDRESS = f"visit/address/{address_key(a_stop(1))}"
# The builders' legs take 2 minutes over 500 m, a stop 1 minute of setup and 2 of service.


def lived(run: Run, *day: tuple[float, AnyInput]) -> Run:
    for minute, one in day:
        decision = decide(run, one, at(minute))
        assert decision.refusal is None
        run = decision.run
    return run


def a_day(stops: int | list[Stop] = 3, known: Known | None = None) -> Run:
    """A planned run that knows what was learned: by default nothing."""
    return a_run(stops, known=known or Known(day=TODAY))


def sums(run: Run) -> dict[str, float]:
    """The mean of today's lessons by key."""
    return {key: total / count for key, (count, total) in run.today.lessons.sums.items()}


def test_a_visit_twice_as_long_as_listed_is_a_lesson_about_van_kind_and_address() -> None:
    run = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    for key in ("visit/van", "visit/kind/delivery", ADDRESS):
        assert sums(run)[key] == pytest.approx(2.0)
    assert run.today.visits.count == 1


def test_the_first_proof_says_how_long_it_took_to_the_door() -> None:
    signature = EvidenceTaken(stop_id="s1", evidence=evidence(EvidenceKind.SIGNATURE, taken_at=at(4)))
    run = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (4, signature), (5, DeliveredTapped(stop_id="s1")))
    assert sums(run)["setup/van"] == pytest.approx(2.0)


def test_a_leg_is_a_lesson_about_van_hour_and_area() -> None:
    run = lived(
        a_day(),
        (2, ArrivedTapped(stop_id="s1")),
        (5, DeliveredTapped(stop_id="s1")),
        (8, ArrivedTapped(stop_id="s2")),
    )
    legs = {key: mean for key, mean in sums(run).items() if key.startswith("leg/")}
    assert len(legs) == 3
    assert "leg/hour/weekday-08" in legs
    assert set(legs.values()) == {1.5}


def test_neither_the_first_leg_nor_one_out_of_order_nor_an_estimate_is_a_lesson() -> None:
    to_the_first = lived(a_day(), (9, ArrivedTapped(stop_id="s1")))
    closed = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (5, DeliveredTapped(stop_id="s1")))
    out_of_order = lived(closed, (9, ArrivedTapped(stop_id="s3")))
    guessed = a_plan(a_manifest().stops, times=TimesSource.ESTIMATE)
    estimate = lived(closed.model_copy(update={"plan": guessed}), (9, ArrivedTapped(stop_id="s2")))
    for run in (to_the_first, out_of_order, estimate):
        assert run.today.legs.count == 0


def test_a_leg_planned_anew_on_the_way_is_no_lesson() -> None:
    closed = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (5, DeliveredTapped(stop_id="s1")))
    anew = closed.model_copy(update={"plan": a_plan(a_manifest().stops[1:], made_at=at(6))})
    assert lived(anew, (9, ArrivedTapped(stop_id="s2"))).today.legs.count == 0


def test_waiting_for_a_window_is_no_lesson_about_the_address() -> None:
    run = a_day([a_stop(1, windows=(a_window(30, 60),))])
    assert lived(run, (2, ArrivedTapped(stop_id="s1")), (33, DeliveredTapped(stop_id="s1"))).today.visits.count == 0


def test_a_failed_stop_is_no_lesson_about_how_long_a_delivery_takes() -> None:
    run = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (3, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME)))
    assert run.today.lessons.sums == {}


def test_nothing_is_learned_before_what_is_known_was_read() -> None:
    run = lived(a_run(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")), (40, MinutePassed()))
    assert run.today == Run().today


def test_a_slow_morning_moves_the_afternoon() -> None:
    slow = a_day(12)
    for number in range(1, 9):
        arrived = 2.0 + 10 * (number - 1)
        slow = lived(
            slow, (arrived, ArrivedTapped(stop_id=f"s{number}")), (arrived + 8, DeliveredTapped(stop_id=f"s{number}"))
        )
    expected = etas(slow, at(80))
    by_list = etas(slow.model_copy(update={"today": Run().today}), at(80))
    assert expected["s12"].p50 > by_list["s12"].p50 + timedelta(minutes=3)


def test_an_arrival_forecast_half_an_hour_before_is_met_and_scored() -> None:
    run = lived(a_day(20), (0, MinutePassed()), (1, MinutePassed()))
    assert [one.band for one in run.today.forecasts] == [0, 1, 2, 3]
    assert len(lived(run, (31, MinutePassed())).today.forecasts) > len(run.today.forecasts)
    one = run.today.forecasts[0]
    late = lived(run, ((one.p50 - at(0)).total_seconds() / 60 + 5, ArrivedTapped(stop_id=one.stop_id)))
    assert list(late.today.lessons.scores[one.band]) == [pytest.approx(300 / one.sd_s, abs=0.01)]
    assert late.today.shifts[one.band][1] > 0
    assert one.stop_id not in {left.stop_id for left in late.today.forecasts}


def test_a_stop_that_failed_leaves_no_forecast_behind() -> None:
    run = lived(a_day(20), (0, MinutePassed()))
    for one in run.today.forecasts:
        run = lived(run, (1, FailedTapped(stop_id=one.stop_id, reason=FailReason.CLOSED)))
    assert run.today.forecasts == ()
    assert run.today.lessons.scores == {}


def test_a_range_missed_on_the_late_side_reaches_further_for_the_rest_of_the_day() -> None:
    run = a_day(20)
    before = etas(run, at(0))["s3"]
    wider = run.model_copy(update={"today": run.today.model_copy(update={"shifts": {1: (0.0, 1.0), 0: (0.0, 1.0)}})})
    after = etas(wider, at(0))["s3"]
    assert after.p90 > before.p90
    assert (after.p10, after.p50) == (before.p10, before.p50)


def test_what_a_day_taught_is_handed_over_when_the_next_one_begins() -> None:
    run = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    tomorrow = a_manifest(3, version=2, day=a_manifest().day + timedelta(days=1))
    decision = decide(run, ManifestArrived(manifest=tomorrow), at(24 * 60))
    assert decision.learned == DayLearned(day=TODAY, lessons=run.today.lessons)
    assert decision.run.today == Run().today
    assert Recall() in decision.effects


def test_a_new_list_for_the_same_day_ends_no_lesson() -> None:
    run = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    decision = decide(run, ManifestArrived(manifest=a_manifest(4, version=2)), at(9))
    assert decision.learned is None
    assert decision.run.today == run.today


def recalled(run: Run, levels: dict[str, Level]) -> Decision:
    return decide(run, Recalled(known=Known(day=TODAY, levels=levels)), at(1))


def test_what_was_learned_moves_the_arrival_times_and_asks_for_a_plan_that_rests_on_it() -> None:
    slow = {ADDRESS: Level(weight=1e6, mean=2.0, day=TODAY)}
    decision = recalled(a_run(), slow)
    assert [type(effect) for effect in decision.effects] == [Replan]
    later = etas(decision.run, at(0))["s2"].p50 - etas(a_run(), at(0))["s2"].p50
    assert abs(later - timedelta(minutes=3)) < timedelta(seconds=1)
    assert recalled(decision.run, slow).effects == ()


def test_a_van_that_has_learned_nothing_keeps_its_plan() -> None:
    decision = recalled(a_run(), {})
    assert decision.effects == ()
    assert decision.run.version == a_run().version
    plan = PlanSolved(run_version=1, plan=a_plan(a_manifest().stops))
    assert decide(decision.run, plan, at(2)).run.known == Known(day=TODAY)


def test_forecasts_are_taken_no_oftener_than_each_half_hour() -> None:
    run = lived(a_day(20), (0, MinutePassed()))
    assert lived(run, (29, MinutePassed())).today.forecasts == run.today.forecasts
    assert timedelta(minutes=30) == FORECAST_EVERY


def test_a_driver_can_have_an_address_forgotten() -> None:
    known = Known(day=TODAY, levels={key: Level(weight=9, mean=2.0, day=TODAY) for key in (ADDRESS, "visit/van")})
    run = lived(a_day(3, known), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    decision = decide(run, ForgetTapped(stop_id="s1"), at(9))
    assert decision.erased == address_key(a_stop(1))
    assert decision.effects == (Recall(),)
    assert decision.erased not in decision.run.model_dump_json()
    assert decision.run.known is not None
    assert list(decision.run.known.levels) == ["visit/van"]
    assert decide(run, ForgetTapped(stop_id="s9"), at(9)).refusal is not None


def test_the_coordinator_can_have_an_address_forgotten_that_is_not_on_the_list() -> None:
    def asked(address: Address | None) -> Decision:
        command = a_command(CommandKind.FORGET_TIMES, address=address)
        return decide(a_day(), CommandArrived(command=command), at(1))

    decision = asked(a_stop(7).address)
    assert decision.erased == address_key(a_stop(7))
    assert decision.outgoing[0].body["result"] == "done"
    for refused in (None, Address(city="Porto")):
        assert asked(refused).outgoing[0].body["result"] == "refused"
        assert asked(refused).erased is None


def test_an_arrival_says_what_it_rests_on_and_how_old_that_is() -> None:
    def basis(run: Run) -> tuple[EtaBasis | None, datetime | None]:
        one = etas(run, at(30))["s3"]
        return one.basis, one.basis_at

    guessed = a_plan(a_manifest().stops, times=TimesSource.ESTIMATE)
    yesterday = Known(day=TODAY, levels={"visit/van": Level(weight=99, mean=1.0, day=TODAY - 1)})
    learned = a_day(3, yesterday)
    assert basis(a_run()) == (EtaBasis.ROADS, at(0))
    assert basis(a_run(plan=guessed)) == (EtaBasis.ESTIMATE, at(0))
    assert basis(learned) == (EtaBasis.LEARNED, at(-8 * 60) - timedelta(days=1))
    served = lived(learned, (2, ArrivedTapped(stop_id="s1")), (6, DeliveredTapped(stop_id="s1")))
    assert basis(served) == (EtaBasis.LEARNED, at(6))


def test_a_visit_that_was_taken_back_is_learned_once_and_as_it_ended() -> None:
    undone = lived(
        a_day(), (2, ArrivedTapped(stop_id="s1")), (4, DeliveredTapped(stop_id="s1")), (4.1, UndoTapped(stop_id="s1"))
    )
    assert undone.today == lived(a_day(), (2, ArrivedTapped(stop_id="s1"))).today
    again = lived(undone, (8, DeliveredTapped(stop_id="s1")))
    assert again.today.visits.count == 1
    assert sums(again)[ADDRESS] == pytest.approx(2.0)
    once = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    assert again.today == once.today


def test_a_visit_taken_back_that_then_failed_teaches_nothing() -> None:
    run = lived(
        a_day(),
        (2, ArrivedTapped(stop_id="s1")),
        (8, DeliveredTapped(stop_id="s1")),
        (8.1, UndoTapped(stop_id="s1")),
        (9, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME)),
    )
    assert (run.today.visits.count, sums(run)) == (0, {})


def test_taking_one_visit_back_leaves_what_another_taught() -> None:
    first = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    met = lived(first, (10, ArrivedTapped(stop_id="s2")))
    undone = lived(met, (13, DeliveredTapped(stop_id="s2")), (13.1, UndoTapped(stop_id="s2")))
    assert undone.today.visits == pytest.approx(met.today.visits)
    for key, value in sums(met).items():
        assert sums(undone)[key] == pytest.approx(value, abs=2e-4)
    assert sums(undone).keys() == sums(met).keys()


def test_an_undo_that_came_too_late_leaves_what_was_learned() -> None:
    closed = lived(a_day(), (2, ArrivedTapped(stop_id="s1")), (8, DeliveredTapped(stop_id="s1")))
    late = decide(closed, UndoTapped(stop_id="s1"), at(9))
    assert late.refusal is not None
    assert late.run.today == closed.today


def test_an_address_forgotten_between_closing_and_taking_back_stays_forgotten() -> None:
    run = lived(
        a_day(),
        (2, ArrivedTapped(stop_id="s1")),
        (8, DeliveredTapped(stop_id="s1")),
        (8.05, ForgetTapped(stop_id="s1")),
        (8.1, UndoTapped(stop_id="s1")),
    )
    assert ADDRESS not in run.today.lessons.sums
    assert ADDRESS not in run.model_dump_json()
