"""An offer between the moment it is made and the driver's answer."""

import pytest

from agent.gps.position import Motion
from agent.trip.decide import decide
from agent.trip.effects import Decision, Trouble
from agent.trip.inputs import (
    AcceptTapped,
    ArrivedTapped,
    ConditionsArrived,
    FailedTapped,
    KeepTapped,
    ManifestArrived,
    MinutePassed,
    PlanSolved,
    SkippedTapped,
)
from agent.trip.offers import OFFER_LASTS, standing
from agent.trip.run import Run
from tests.agent.trip.test_policy import ADVISED, FOUR, a_day, asked, order, own, solved
from tests.builders import a_closure, a_conditions, a_manifest, a_place, a_position, a_proposal, a_stop, a_window, at
from wire.events import BODIES, EventKind, FailReason, ReplanReason
from wire.manifest import SequencePolicy

MADE = 2.0
LATER = MADE + 1


def offering(*numbers: int, motion: Motion = Motion.PARKED, **worth: object) -> Run:
    """A day of four stops on which the order of `numbers` was offered at 08:02."""
    run = a_day(motion=motion)
    return solved(run, a_proposal(numbers, beside=run, **worth), MADE)  # type: ignore[arg-type]


def test_accept_takes_the_order_and_says_who_took_it() -> None:
    run = offering(2, 1, 3, 4)
    decision = decide(run, AcceptTapped(offer=1), at(LATER))
    assert order(decision.run) == ("s2", "s1", "s3", "s4")
    assert decision.run.plan is not None
    assert run.plan is not None
    assert decision.run.plan.version == run.plan.version + 1
    (said,) = decision.outgoing
    body = BODIES[said.kind].model_validate(said.body)
    assert said.kind is EventKind.PLAN_ACCEPTED
    assert body == body.model_copy(update={"offer": 1, "moved_stops": 1, "gain_s": 240.0})
    assert [(move["stop_id"], move["why"]) for move in said.body["moves"]] == [("s2", "nearer")]


def test_keep_mine_leaves_the_order_and_says_what_was_not_wanted() -> None:
    run = offering(2, 1, 3, 4)
    decision = decide(run, KeepTapped(offer=1), at(LATER))
    assert order(decision.run) == order(run)
    (said,) = decision.outgoing
    assert said.kind is EventKind.PLAN_KEPT
    assert (said.body["offer"], said.body["offered_stop_ids"]) == (1, ["s2", "s1", "s3", "s4"])
    assert standing(decision.run, at(LATER)) is None


@pytest.mark.parametrize("tap", [AcceptTapped(offer=1), KeepTapped(offer=1)])
def test_the_same_answer_twice_is_one_answer_and_another_one_comes_too_late(tap: AcceptTapped | KeepTapped) -> None:
    run = decide(offering(2, 1, 3, 4), tap, at(LATER)).run
    assert decide(run, tap, at(LATER)) == Decision(run=run)
    other = KeepTapped(offer=1) if isinstance(tap, AcceptTapped) else AcceptTapped(offer=1)
    refusal = decide(run, other, at(LATER)).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.OFFER_GONE


def test_an_answer_to_an_offer_that_was_replaced_is_refused() -> None:
    run = asked(offering(2, 1, 3, 4), LATER)
    run = solved(run, a_proposal((4, 3, 2, 1), beside=run, worth_s=5000), LATER)
    decision = decide(run, AcceptTapped(offer=1), at(LATER))
    assert decision.refusal is not None
    assert decision.run == run
    assert order(decide(run, AcceptTapped(offer=2), at(LATER)).run) == ("s4", "s3", "s2", "s1")


def test_a_moving_van_may_accept_what_lies_behind_the_next_stop_only() -> None:
    turning = offering(2, 1, 3, 4).model_copy(update={"motion": Motion.MOVING})
    refusal = decide(turning, AcceptTapped(offer=1), at(LATER)).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.MOVING
    behind = offering(1, 3, 2, 4).model_copy(update={"motion": Motion.MOVING})
    assert order(decide(behind, AcceptTapped(offer=1), at(LATER)).run) == ("s1", "s3", "s2", "s4")


def test_an_offer_is_over_after_its_time_and_a_minute_clears_it_away() -> None:
    run = offering(2, 1, 3, 4)
    assert standing(run, at(MADE) + OFFER_LASTS * 0.99) is not None
    late = at(MADE) + OFFER_LASTS
    assert standing(run, late) is None
    assert decide(run, MinutePassed(), late).run.offer is None


def test_what_was_done_meanwhile_leaves_the_rest_of_the_offer() -> None:
    run = offering(1, 3, 2, 4)
    run = decide(run, ArrivedTapped(stop_id="s1"), at(3)).run
    run = decide(run, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME), at(4)).run
    offer = standing(run, at(4))
    assert offer is not None
    assert offer.proposal.plan.stop_ids == ("s3", "s2", "s4")
    assert [(move.stop_id, move.places) for move in offer.proposal.plan.moves] == [("s3", -1)]
    assert order(decide(run, AcceptTapped(offer=1), at(4)).run) == ("s3", "s2", "s4")


def test_an_offer_of_which_nothing_is_left_to_change_is_gone() -> None:
    run = offering(2, 1, 3, 4)
    for stop_id in ("s1", "s2"):
        run = decide(run, FailedTapped(stop_id=stop_id, reason=FailReason.NOT_HOME), at(3)).run
    assert standing(run, at(3)) is None


def test_a_driver_at_another_stop_or_who_puts_one_off_has_answered_too() -> None:
    assert standing(decide(offering(2, 1, 3, 4), ArrivedTapped(stop_id="s1"), at(3)).run, at(3)) is None
    assert standing(decide(offering(2, 1, 3, 4), ArrivedTapped(stop_id="s2"), at(3)).run, at(3)) is not None
    assert standing(decide(offering(1, 3, 2, 4), SkippedTapped(stop_id="s3"), at(3)).run, at(3)) is None


def test_an_offer_to_go_elsewhere_first_is_not_shown_where_the_van_would_turn_round() -> None:
    near, far = a_position(a_place(north_m=250), fixed_at=at(3)), a_position(a_place(north_m=350), fixed_at=at(3))
    elsewhere = offering(2, 1, 3, 4)
    assert standing(elsewhere.model_copy(update={"position": near}), at(3)) is not None
    assert standing(elsewhere.model_copy(update={"position": far}), at(3)) is None
    behind = offering(1, 3, 2, 4)
    assert standing(behind.model_copy(update={"position": far}), at(3)) is not None


def test_a_list_that_words_something_anew_leaves_the_offer_and_any_other_takes_it_back() -> None:
    run = offering(2, 1, 3, 4)
    worded = [FOUR[0].model_copy(update={"instruction": "ring twice"}), *FOUR[1:]]
    same = decide(run, ManifestArrived(manifest=a_manifest(worded, version=2)), at(3)).run
    assert standing(same, at(3)) is not None
    promised = [FOUR[0].model_copy(update={"windows": (a_window(0, 30),)}), *FOUR[1:]]
    for stops, policy in ((FOUR[:3], ADVISED), ([*FOUR, a_stop(5)], ADVISED), (promised, ADVISED)):
        other = decide(run, ManifestArrived(manifest=a_manifest(stops, version=2, policy=policy)), at(3)).run
        assert standing(other, at(3)) is None
        assert other.replan is not None
    fixed = decide(run, ManifestArrived(manifest=a_manifest(FOUR, version=2, policy=SequencePolicy.FIXED)), at(3)).run
    assert standing(fixed, at(3)) is None


def test_closed_roads_take_an_offer_back() -> None:
    run = decide(offering(2, 1, 3, 4), ConditionsArrived(conditions=a_conditions(a_closure())), at(3)).run
    assert (run.offer, run.replan is not None) == (None, True)


def test_a_look_under_way_when_the_driver_accepts_is_asked_for_anew() -> None:
    run = asked(offering(2, 1, 3, 4), 3)
    under_way = PlanSolved(run_version=run.version, plan=own(run))
    run = decide(run, AcceptTapped(offer=1), at(3)).run
    decision = decide(run, under_way, at(3))
    assert order(decision.run) == ("s2", "s1", "s3", "s4")
    assert [effect.reason for effect in decision.effects] == [ReplanReason.COMMAND]  # type: ignore[union-attr]


def test_there_is_no_offer_to_answer_before_there_is_one() -> None:
    run = a_day()
    refusal = decide(run, AcceptTapped(offer=0), at(3)).refusal
    assert refusal is not None
    assert refusal.trouble is Trouble.OFFER_GONE
