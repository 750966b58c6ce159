"""Asking for a plan, and taking, offering or dropping the answer. Pure.

A wanted plan is part of the run (`Run.replan`), so that a restart asks again. An answer counts only for the run it was
made for: one whose `run_version` is old is dropped and asked for anew.
"""

from datetime import datetime, timedelta
from typing import assert_never

from agent.trip.effects import Decision, Effect, Recall, Replan, SendLive
from agent.trip.eta import etas
from agent.trip.inputs import PlanNotFound, PlanSolved, Recalled
from agent.trip.offers import offered, standing, taken, without_offer
from agent.trip.policy import Verdict, held_first, is_repair, judged
from agent.trip.punctuality import lateness_s
from agent.trip.run import Plan, ReplanWanted, Run, StopPhase
from wire.events import ReplanReason
from wire.manifest import Closure, SpeedChange

LATENESS_GROWN_S = 300.0
LOOK_AGAIN_AFTER = timedelta(minutes=10)
MOST_TURNED = 5


def changed(run: Run) -> Run:
    """The run after something a plan rests on changed: plans under way for the old one are stale."""
    return run.model_copy(
        update={"version": run.version + 1, "replan": run.replan if run.open_stops else None},
    )


def asking(run: Run, reason: ReplanReason, now: datetime) -> tuple[Run, tuple[Effect, ...]]:
    """The run that wants a plan, and the request; nothing is asked when no stop is open."""
    if not run.open_stops:
        return run.model_copy(update={"replan": None}), ()
    wanted = ReplanWanted(reason=reason, run_version=run.version, asked_at=now)
    return run.model_copy(update={"replan": wanted}), (Replan(run_version=run.version, reason=reason),)


def pending_effects(run: Run) -> tuple[Effect, ...]:
    """What a restarted van must do again: what was asked for and never came."""
    effects: tuple[Effect, ...] = ()
    if run.manifest is not None and (run.known is None or run.known.day != run.manifest.day.toordinal()):
        effects = (Recall(),)
    return effects if run.replan is None else (*effects, Replan(run_version=run.version, reason=run.replan.reason))


def solved(run: Run, answer: PlanSolved, now: datetime) -> Decision:
    """Takes the repaired plan, and takes, offers or leaves a better one; drops both when the answer is stale, unasked,
    or does not visit each open stop exactly once.
    """
    if run.replan is None:
        return Decision(run=run)
    if answer.is_sketch:
        return _sketched(run, answer)
    if answer.run_version != run.version:
        return _asked_anew(run, now, turned=0)
    reason = run.replan.reason
    answered = run.model_copy(update={"replan": None})
    if not _visits_all(run, answer.plan):
        # The planner broke its word; the same question would get the same answer.
        return Decision(run=answered)
    first = held_first(run, reason)
    if first is not None and answer.plan.stop_ids[0] != first:
        # The van has driven off since the planner looked. It may happen again, but a planner that insists is not
        # asked for ever.
        if run.replan.turned >= MOST_TURNED:
            return Decision(run=answered)
        return _asked_anew(run, now, turned=run.replan.turned + 1)
    if not is_repair(run, answer.plan, reason):
        return Decision(run=answered)
    better, offer = answer.better, standing(run, now)
    if better is None or not _visits_all(run, better.plan) or first not in (None, better.plan.stop_ids[0]):
        return _taken_once(without_offer(answered), answer.plan)
    match judged(run, better, offer.proposal if offer else None):
        case Verdict.TAKE:
            return taken(without_offer(answered), better.plan)
        case Verdict.STAND:
            return _taken_once(answered, answer.plan)
        case Verdict.LEAVE:
            return _taken_once(without_offer(answered), answer.plan)
        case Verdict.OFFER:
            decision = _taken_once(answered, answer.plan)
            return decision.model_copy(update={"run": offered(decision.run, better, now), "effects": (SendLive(),)})
        case verdict:
            assert_never(verdict)


def _sketched(run: Run, answer: PlanSolved) -> Decision:
    """Takes a sketch that holds for this run as it is, and goes on waiting for the answer; drops any other."""
    plan = answer.plan
    if run.replan is None or answer.run_version != run.version or not _visits_all(run, plan):
        return Decision(run=run)
    first = held_first(run, run.replan.reason)
    if first not in (None, plan.stop_ids[0]) or not is_repair(run, plan, run.replan.reason):
        return Decision(run=run)
    return taken(run, plan)


def _taken_once(run: Run, plan: Plan) -> Decision:
    """The run with that plan in force; one that was taken as a sketch already is not told again."""
    is_in_force = run.plan is not None and (run.plan.legs, run.plan.times) == (plan.legs, plan.times)
    return Decision(run=run) if is_in_force else taken(run, plan)


def _visits_all(run: Run, plan: Plan) -> bool:
    return sorted(plan.stop_ids) == sorted(stop.stop_id for stop in run.open_stops)


def not_found(run: Run, answer: PlanNotFound, now: datetime) -> Decision:
    """Keeps the plan in force; asks anew when the run has moved on since, because then the answer may be another."""
    if run.replan is None:
        return Decision(run=run)
    if answer.run_version != run.version:
        return _asked_anew(run, now, turned=0)
    return Decision(run=run.model_copy(update={"replan": None}))


def recalled(run: Run, entered: Recalled, now: datetime) -> Decision:
    """Goes on with what was learned; a plan that rests on other times than these is asked for anew."""
    before = run.known
    run = run.model_copy(update={"known": entered.known})
    if entered.known.levels == (before.levels if before else {}):
        return Decision(run=run)
    run, effects = asking(changed(run), ReplanReason.MANIFEST, now)
    return Decision(run=run, effects=effects)


def minute_passed(run: Run, now: datetime) -> Decision:
    """Looks whether the plan in force still holds; the van asks by itself at most every ten minutes."""
    if run.offer is not None and standing(run, now) is None:
        run = without_offer(run)
    asked_at = run.looked_again_at
    reason = _why_look_again(run, now)
    if run.replan is not None or reason is None or (asked_at is not None and now - asked_at < LOOK_AGAIN_AFTER):
        return Decision(run=run)
    run, effects = asking(run.model_copy(update={"looked_again_at": now}), reason, now)
    return Decision(run=run, effects=effects)


def _asked_anew(run: Run, now: datetime, turned: int) -> Decision:
    assert run.replan is not None
    run, effects = asking(run, run.replan.reason, now)
    if run.replan is not None:
        run = run.model_copy(update={"replan": run.replan.model_copy(update={"turned": turned})})
    return Decision(run=run, effects=effects)


def _why_look_again(run: Run, now: datetime) -> ReplanReason | None:
    planned = set(run.plan.stop_ids) if run.plan else set()
    if any(stop.stop_id not in planned for stop in run.open_stops):
        return ReplanReason.MANIFEST
    if run.plan is None:
        return None
    if _roads_at(run, run.plan.made_at) != _roads_at(run, now):
        return ReplanReason.ROAD_CLOSED
    return ReplanReason.LATENESS if _is_lateness_new(run, run.plan, now) else None


def _is_lateness_new(run: Run, plan: Plan, now: datetime) -> bool:
    """Whether a stop will be late that was not when the plan was made, or one is late by five minutes more."""
    planned_at = {leg.stop_id: leg.arrive_at for leg in plan.legs}
    expected = etas(run, now)
    for stop in run.open_stops:
        if stop.stop_id not in expected or stop.phase is StopPhase.ARRIVED:
            continue
        late_s = lateness_s(stop.stop, expected[stop.stop_id].p50)
        was_late_s = lateness_s(stop.stop, planned_at[stop.stop_id])
        if late_s > was_late_s + (LATENESS_GROWN_S if was_late_s > 0 else 0.0):
            return True
    return False


def _roads_at(run: Run, instant: datetime) -> tuple[Closure | SpeedChange, ...]:
    every: tuple[Closure | SpeedChange, ...] = (*run.closures, *run.speeds)
    return tuple(one for one in every if one.valid_from <= instant < one.valid_until)
