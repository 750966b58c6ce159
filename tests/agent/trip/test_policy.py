"""Who may change the order: each policy by example, then the laws, against a planner that says whatever it likes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zstandard import ZstdCompressor

from agent.gps.position import Motion
from agent.localroute.explain import lifted_stops
from agent.store.runs import pack, unpack
from agent.trip.decide import decide
from agent.trip.inputs import (
    AcceptTapped,
    AnyInput,
    ArrivedTapped,
    CommandArrived,
    DeliveredTapped,
    FailedTapped,
    FixJudged,
    KeepTapped,
    ManifestArrived,
    MinutePassed,
    PlanSolved,
    SkippedTapped,
)
from agent.trip.offers import standing
from agent.trip.policy import (
    CLEARLY_BETTER_S,
    LEAST_WORTH_S,
    held_first,
    is_membership_changed,
    is_put_off,
    listed_order,
    policy_of,
)
from agent.trip.run import Kept, Plan, Proposal, Run, StopPhase
from tests.builders import MORNING, a_command, a_manifest, a_plan, a_position, a_proposal, a_run, a_stop, at
from wire.events import FailReason, ReplanReason
from wire.manifest import CommandKind, SequencePolicy
from wire.model import StopId

FREE, ADVISED, FIXED = SequencePolicy.FREE, SequencePolicy.ADVISED, SequencePolicy.FIXED
FOUR = [a_stop(number) for number in (1, 2, 3, 4)]


def a_day(policy: SequencePolicy = ADVISED, *, motion: Motion = Motion.PARKED, **changes: Any) -> Run:
    """Four stops, planned in the manifest's order, and a look that was asked for."""
    run = a_run(FOUR, motion=motion, **changes)
    assert run.manifest is not None
    run = run.model_copy(update={"manifest": run.manifest.model_copy(update={"policy": policy})})
    return asked(run)


def asked(run: Run, minute: float = 1) -> Run:
    command = a_command(command_id=f"c{minute:g}", expires_at=at(10_000))
    return decide(run, CommandArrived(command=command), at(minute)).run


def own(run: Run) -> Plan:
    return a_plan([stop.stop for stop in run.open_stops], made_at=at(2))


def solved(run: Run, better: Proposal | None, minute: float = 2) -> Run:
    return decide(run, PlanSolved(run_version=run.version, plan=own(run), better=better), at(minute)).run


def order(run: Run) -> tuple[str, ...]:
    return tuple(stop.stop_id for stop in run.open_stops)


def offered(run: Run, minute: float = 2) -> tuple[str, ...] | None:
    offer = standing(run, at(minute))
    return offer.proposal.plan.stop_ids if offer else None


SHORTER = (2, 1, 3, 4)


@pytest.mark.parametrize("policy", [FREE, ADVISED])
def test_a_better_order_waits_for_the_driver(policy: SequencePolicy) -> None:
    run = a_day(policy)
    after = solved(run, a_proposal(SHORTER, beside=run))
    assert order(after) == ("s1", "s2", "s3", "s4")
    assert offered(after) == ("s2", "s1", "s3", "s4")


def test_a_fixed_order_is_neither_changed_nor_questioned() -> None:
    run = a_day(FIXED)
    after = solved(run, a_proposal(SHORTER, beside=run, is_forced=True))
    assert (order(after), offered(after)) == (("s1", "s2", "s3", "s4"), None)


def test_a_new_list_is_the_one_thing_that_changes_a_fixed_order() -> None:
    run = solved(a_day(FIXED), None)
    listed = [FOUR[2], FOUR[0], FOUR[1], FOUR[3]]
    run = decide(run, ManifestArrived(manifest=a_manifest(listed, version=2, policy=FIXED)), at(3)).run
    plan = a_plan(listed, made_at=at(3))
    after = decide(run, PlanSolved(run_version=run.version, plan=plan), at(3)).run
    assert order(after) == ("s3", "s1", "s2", "s4")


def test_before_there_is_a_plan_free_takes_the_best_and_advised_the_manifests() -> None:
    for policy, expected in ((FREE, ("s2", "s1", "s3", "s4")), (ADVISED, ("s1", "s2", "s3", "s4"))):
        run = a_day(policy, has_plan=False)
        after = solved(run, a_proposal(SHORTER, beside=run))
        assert order(after) == expected
        assert (offered(after) is None) is (policy is FREE)


@pytest.mark.parametrize("policy", [FREE, ADVISED])
def test_an_order_that_cannot_be_driven_is_changed_without_asking(policy: SequencePolicy) -> None:
    run = a_day(policy)
    after = solved(run, a_proposal(SHORTER, beside=run, is_forced=True))
    assert (order(after), offered(after)) == (("s2", "s1", "s3", "s4"), None)


def test_what_is_worth_less_than_a_minute_is_not_offered_unless_it_saves_a_window() -> None:
    run = a_day()
    assert offered(solved(run, a_proposal(SHORTER, beside=run, worth_s=LEAST_WORTH_S - 1))) is None
    assert offered(solved(run, a_proposal(SHORTER, beside=run, worth_s=LEAST_WORTH_S))) is not None
    assert offered(solved(run, a_proposal(SHORTER, beside=run, worth_s=1, saves=("s2",)))) is not None
    assert offered(solved(run, a_proposal(SHORTER, beside=run, worth_s=-1, saves=("s2",)))) is None


def test_while_the_van_moves_free_saves_a_window_by_itself_and_advised_waits() -> None:
    for policy, motion, is_taken in (
        (FREE, Motion.MOVING, True),
        (FREE, Motion.UNKNOWN, True),
        (FREE, Motion.PARKED, False),
        (ADVISED, Motion.MOVING, False),
    ):
        run = a_day(policy, motion=motion)
        after = solved(run, a_proposal((1, 3, 2, 4), beside=run, saves=("s3",)))
        assert (order(after) == ("s1", "s3", "s2", "s4")) is is_taken
        assert (offered(after) is None) is is_taken


def test_who_kept_an_order_is_asked_again_and_not_overruled() -> None:
    run = a_day(FREE)
    run = solved(run, a_proposal(SHORTER, beside=run))
    run = asked(decide(run, KeepTapped(offer=1), at(3)).run, 4).model_copy(update={"motion": Motion.MOVING})
    after = solved(run, a_proposal((1, 3, 2, 4), beside=run, saves=("s3",)), 4)
    assert (order(after), offered(after, 4)) == (("s1", "s2", "s3", "s4"), ("s1", "s3", "s2", "s4"))


def test_a_moving_van_is_not_sent_elsewhere_by_an_offer_either() -> None:
    run = a_day(motion=Motion.MOVING)
    after = solved(run, a_proposal(SHORTER, beside=run))
    assert (order(after), offered(after)) == (("s1", "s2", "s3", "s4"), None)


def kept_day(saves: Sequence[str] = ()) -> Run:
    """A driver who kept the order when (2, 1, 3, 4) was offered."""
    run = a_day()
    run = solved(run, a_proposal(SHORTER, beside=run, worth_s=400, saves=saves))
    return asked(decide(run, KeepTapped(offer=1), at(3)).run, 4)


def test_keep_mine_holds_however_much_better_another_order_is() -> None:
    run = kept_day()
    for numbers in (SHORTER, (4, 3, 2, 1)):
        assert offered(solved(run, a_proposal(numbers, beside=run, worth_s=4000), 4), 4) is None


def test_keep_mine_holds_after_a_restart() -> None:
    stored = pack(kept_day(), None)
    run = unpack(stored.difference, ZstdCompressor().compress(stored.base))
    assert offered(solved(run, a_proposal(SHORTER, beside=run, worth_s=4000), 4), 4) is None


def test_keep_mine_ends_when_a_window_that_was_safe_can_still_be_saved() -> None:
    run = kept_day(saves=("s2",))
    assert offered(solved(run, a_proposal(SHORTER, beside=run, saves=("s2",)), 4), 4) is None
    assert offered(solved(run, a_proposal(SHORTER, beside=run, saves=("s3",)), 4), 4) is not None


def test_after_keep_mine_other_stops_bring_other_orders_but_not_the_same_again() -> None:
    run = kept_day()
    more = decide(run, ManifestArrived(manifest=a_manifest([*FOUR, a_stop(5)], version=2)), at(4)).run
    assert offered(solved(more, a_proposal((2, 1, 3, 4, 5), beside=more, worth_s=500), 5), 5) is None
    assert offered(solved(more, a_proposal((2, 1, 3, 4, 5), beside=more, worth_s=400 + CLEARLY_BETTER_S), 5), 5)
    assert offered(solved(more, a_proposal((1, 3, 2, 4, 5), beside=more, worth_s=100), 5), 5)


def test_stops_that_were_done_are_no_other_stops() -> None:
    run = kept_day()
    run = decide(run, FailedTapped(stop_id="s1", reason=FailReason.NOT_HOME), at(4)).run
    assert run.kept is not None
    assert not is_membership_changed(run, run.kept)
    gone = decide(run, ManifestArrived(manifest=a_manifest(FOUR[:3], version=2)), at(5)).run
    assert is_membership_changed(gone, run.kept)


def test_an_offer_on_the_screen_gives_way_only_to_one_that_is_clearly_better() -> None:
    run = a_day()
    run = asked(solved(run, a_proposal(SHORTER, beside=run, worth_s=400)), 3)
    little = solved(run, a_proposal((1, 3, 2, 4), beside=run, worth_s=500), 3)
    assert little.offer == run.offer
    much = solved(run, a_proposal((1, 3, 2, 4), beside=run, worth_s=400 + CLEARLY_BETTER_S), 3)
    assert much.offer is not None
    assert (much.offer.number, offered(much, 3)) == (2, ("s1", "s3", "s2", "s4"))
    window = solved(run, a_proposal((1, 3, 2, 4), beside=run, worth_s=100, saves=("s3",)), 3)
    assert offered(window, 3) == ("s1", "s3", "s2", "s4")
    nothing = solved(run, None, 3)
    assert nothing.offer is None


# Laws ---------------------------------------------------------------------------------------------------------------

NUMBERS = tuple(range(1, 7))
LOCKED = {5: {"is_locked": True}}
STOPS = {number: a_stop(number, **LOCKED.get(number, {})) for number in NUMBERS}
stop_ids = st.sampled_from([f"s{number}" for number in NUMBERS])
lists = st.lists(st.sampled_from(NUMBERS), unique=True, min_size=3).map(lambda some: [STOPS[one] for one in some])


def a_motion(motion: Motion) -> FixJudged:
    return FixJudged(position=a_position(), motion=motion)


happenings: st.SearchStrategy[Any] = st.one_of(
    st.just("solve"),
    st.just("solve"),
    st.just("solve"),
    st.just("accept"),
    st.just("keep"),
    st.builds(ArrivedTapped, stop_id=stop_ids),
    st.builds(DeliveredTapped, stop_id=stop_ids),
    st.builds(FailedTapped, stop_id=stop_ids, reason=st.just(FailReason.NOT_HOME)),
    st.builds(SkippedTapped, stop_id=stop_ids),
    st.builds(a_motion, st.sampled_from(Motion)),
    st.just(MinutePassed()),
    st.tuples(st.just("list"), lists, st.sampled_from(SequencePolicy)),
    st.just("look"),
)


def repaired_order(run: Run, reason: ReplanReason) -> list[StopId]:
    """What `repair.py` would do, with new stops last: first, locked and put-off ones to their places."""
    first = held_first(run, reason)
    stops = list(run.open_stops)
    if policy_of(run) is FIXED:
        return list(listed_order(run, first))
    put_off = [stop.stop_id for stop in stops if is_put_off(stop, first)]
    listed = listed_order(run, first)
    locked = {
        listed.index(stop.stop_id): stop.stop_id
        for stop in stops
        if stop.stop.is_locked and stop.stop_id not in put_off and stop.stop_id != first
    }
    rest = [stop.stop_id for stop in stops if stop.stop_id not in {*put_off, *locked.values(), first}]
    queue = [*([first] if first else []), *rest]
    for place in sorted(locked):
        queue.insert(place, locked[place])
    return [*queue, *put_off]


@st.composite
def days(draw: st.DrawFn) -> list[tuple[Run, AnyInput, Run, datetime]]:
    """A day as the steps it took. The planner's better orders are any orders, worth anything, saving anything."""
    run, now, steps = Run(), MORNING, []

    def step(entered: AnyInput) -> None:
        nonlocal run
        after = decide(run, entered, now).run
        steps.append((run, entered, after, now))
        run = after

    version = 1
    policy = draw(st.sampled_from(SequencePolicy))
    step(ManifestArrived(manifest=a_manifest(list(STOPS.values()), policy=policy)))
    for what in draw(st.lists(happenings, max_size=40)):
        now += timedelta(seconds=draw(st.integers(0, 400)))
        if what == "solve":
            if run.replan is None or not run.open_stops:
                continue
            stop_of = {stop.stop_id: stop.stop for stop in run.stops}
            plan = a_plan([stop_of[one] for one in repaired_order(run, run.replan.reason)], made_at=now)
            numbers = draw(st.permutations(plan.stop_ids))
            if draw(st.booleans()) and (first := held_first(run, run.replan.reason)):
                numbers = [first, *(one for one in numbers if one != first)]
            better = Proposal(
                plan=a_plan(
                    [stop_of[one] for one in numbers],
                    made_at=now,
                    moved_stops=lifted_stops(plan.stop_ids, numbers),
                ),
                worth_s=draw(st.sampled_from([-10.0, 30.0, 60.0, 200.0, 400.0, 900.0])),
                late_before=tuple(sorted(draw(st.sets(st.sampled_from(plan.stop_ids), max_size=2)))),
                is_forced=draw(st.sampled_from([False] * 9 + [True])),
            )
            step(PlanSolved(run_version=run.version, plan=plan, better=draw(st.sampled_from([better, better, None]))))
        elif what == "accept":
            step(AcceptTapped(offer=run.offers))
        elif what == "keep":
            step(KeepTapped(offer=run.offers))
        elif what == "look":
            command = a_command(CommandKind.REPLAN, command_id=f"c{len(steps)}", expires_at=at(10_000))
            step(CommandArrived(command=command))
        elif isinstance(what, tuple):
            version += 1
            step(ManifestArrived(manifest=a_manifest(what[1], version=version, policy=what[2])))
        else:
            step(what)
    return steps


laws = settings(max_examples=300, deadline=None)


@given(days())
@laws
def test_a_fixed_order_is_the_lists_order_whatever_the_planner_finds(
    day: list[tuple[Run, AnyInput, Run, datetime]],
) -> None:
    for before, entered, after, now in day:
        if policy_of(after) is FIXED:
            assert standing(after, now) is None
            if isinstance(entered, PlanSolved) and after.plan != before.plan:
                assert before.replan is not None
                assert order(after) == listed_order(after, held_first(before, before.replan.reason))


@given(days())
@laws
def test_only_a_yes_a_list_or_a_road_that_is_gone_changes_the_drivers_order(
    day: list[tuple[Run, AnyInput, Run, datetime]],
) -> None:
    for before, entered, after, _ in day:
        if policy_of(after) is not ADVISED or before.plan is None or isinstance(entered, AcceptTapped):
            continue
        if isinstance(entered, PlanSolved) and entered.better is not None and entered.better.is_forced:
            continue
        assert before.plan is not None
        reason = before.replan.reason if before.replan else ReplanReason.LATENESS
        first = held_first(before, reason)
        ruled = {
            stop.stop_id
            for stop in after.stops
            if stop.stop.is_locked or is_put_off(stop, first) or stop.stop_id == first
        }
        planned = [stop for stop in before.plan.stop_ids if stop in order(after) and stop not in ruled]
        assert [stop for stop in order(after) if stop in planned] == planned


@given(days())
@laws
def test_the_stop_stood_at_and_while_driving_the_one_driven_to_never_change(
    day: list[tuple[Run, AnyInput, Run, datetime]],
) -> None:
    for before, entered, after, _ in day:
        if not isinstance(entered, PlanSolved | AcceptTapped | KeepTapped | MinutePassed) or before.next_stop is None:
            continue
        assert after.next_stop is not None
        was_just_closed = before.replan is not None and before.replan.reason in (
            ReplanReason.STOP_FAILED,
            ReplanReason.STOP_SKIPPED,
        )
        is_planned = before.plan is not None and before.next_stop.stop_id in before.plan.stop_ids
        is_driving = before.motion is Motion.MOVING and is_planned and not before.next_stop.is_skipped
        if before.next_stop.phase is StopPhase.ARRIVED or (is_driving and not was_just_closed):
            assert after.next_stop.stop_id == before.next_stop.stop_id


@given(days())
@laws
def test_a_refused_order_comes_back_only_for_other_stops_or_a_window_that_was_safe(
    day: list[tuple[Run, AnyInput, Run, datetime]],
) -> None:
    refused: Kept | None = None
    for before, _, after, _ in day:
        if after.kept is None:
            refused = None
        if after.offers > before.offers and refused is not None:
            assert after.offer is not None
            saved = after.offer.proposal.saved - set(refused.late)
            assert saved or is_membership_changed(before, refused)
        refused = after.kept


@given(days())
@laws
def test_an_answer_meets_the_offer_it_names_or_none(day: list[tuple[Run, AnyInput, Run, datetime]]) -> None:
    for before, entered, after, now in day:
        assert after.offers >= before.offers
        if not isinstance(entered, AcceptTapped | KeepTapped):
            assert after.answered == before.answered or after.answered is None
            continue
        offer = standing(before, now)
        again = decide(after, entered, now)
        if after == before:
            is_repeat = before.answered is not None and before.answered.number == entered.offer
            assert offer is None or offer.number != entered.offer or is_repeat or before.motion is Motion.MOVING
            continue
        assert offer is not None
        assert after.offer is None
        assert (again.run, again.outgoing, again.refusal) == (after, (), None)
        if isinstance(entered, AcceptTapped):
            assert order(after) == offer.proposal.plan.stop_ids
        else:
            assert order(after) == order(before)


@given(st.integers(0, 10_000), st.integers(2, 6), st.lists(st.booleans(), min_size=1, max_size=12))
@laws
def test_while_nothing_changes_no_order_is_ever_driven_twice(seed: int, count: int, answers: list[bool]) -> None:
    """An honest planner with fixed prices, any order it happens to find, and a driver who answers anyhow."""
    dice = Random(seed)
    price = {(a, b): dice.uniform(30, 900) for a in range(count + 1) for b in range(count + 1)}

    def cost(stops: Sequence[str]) -> float:
        numbers = [0, *(int(stop[1:]) for stop in stops)]
        return sum(price[pair] for pair in pairwise(numbers))

    run = a_run([a_stop(number) for number in range(1, count + 1)], motion=Motion.PARKED)
    driven = [order(run)]
    for turn, yes in enumerate(answers):
        run = asked(run, 2 * turn + 1)
        found = dice.sample(order(run), count)
        numbers = [int(stop[1:]) for stop in found]
        worth_s = cost(order(run)) - cost(found)
        run = solved(run, a_proposal(numbers, beside=run, worth_s=worth_s), 2 * turn + 2)
        before, number = order(run), run.offers
        run = decide(run, (AcceptTapped if yes else KeepTapped)(offer=number), at(2 * turn + 2)).run
        if order(run) != before:
            assert order(run) not in driven
            driven.append(order(run))
