"""An offer, from the moment it is made to the driver's answer. Pure.

An offer is not kept up to date: it is what was found, and whether it still may be answered is worked out from the run
whenever somebody looks (`standing`). So a drive, a tap or a minute that goes by need not think of it.
"""

from datetime import datetime, timedelta

from agent.gps.position import Motion
from agent.localroute.explain import lifted_stops
from agent.trip.effects import Decision, Outgoing, Refusal, SendLive, Trouble
from agent.trip.inputs import AcceptTapped, KeepTapped
from agent.trip.policy import is_put_off, policy_of
from agent.trip.progress import distance_to_m
from agent.trip.run import Answered, Kept, Offer, Plan, Proposal, Run, StopPhase
from wire.codec import to_json
from wire.events import EventKind, PlanAccepted, PlanKept
from wire.manifest import SequencePolicy
from wire.model import StopId

OFFER_LASTS = timedelta(minutes=15)
TURN_WITHIN_M = 300.0
"""An offer to go elsewhere first is good about where it was made; further on it would mean to turn round."""


def offered(run: Run, proposal: Proposal, now: datetime) -> Run:
    """The run with a new offer in the place of any other."""
    offer = Offer(number=run.offers + 1, made_at=now, expires_at=now + OFFER_LASTS, proposal=proposal)
    return run.model_copy(update={"offer": offer, "offers": offer.number})


def standing(run: Run, now: datetime) -> Offer | None:
    """The offer as it may be answered now, without the stops that were done meanwhile; None when there is none.

    It is gone when its time is over, other stops are open than those it orders, the van stands at another one, a stop
    was put off, what is left of it changes nothing, or it would turn the van round.
    """
    offer = run.offer
    if offer is None or run.plan is None or now >= offer.expires_at or policy_of(run) is SequencePolicy.FIXED:
        return None
    stops = run.open_stops
    mine = tuple(stop.stop_id for stop in stops)
    plan = _left_of(offer.proposal.plan, mine)
    if set(plan.stop_ids) != set(mine) or not plan.moved_stops:
        return None
    if any(stop.phase is StopPhase.ARRIVED and stop.stop_id != plan.stop_ids[0] for stop in stops):
        return None
    by_id = {stop.stop_id: stop for stop in stops}
    put_off = [is_put_off(by_id[stop_id], plan.stop_ids[0]) for stop_id in plan.stop_ids]
    if put_off != sorted(put_off):
        return None
    if _turns(run, plan):
        away_m = distance_to_m(offer.proposal.plan.start, run, now)
        if away_m is not None and away_m > TURN_WITHIN_M:
            return None
    proposal = offer.proposal.model_copy(
        update={
            "plan": plan,
            "late_before": tuple(stop_id for stop_id in offer.proposal.late_before if stop_id in set(mine)),
        }
    )
    return offer.model_copy(update={"proposal": proposal})


def answered(run: Run, tap: AcceptTapped | KeepTapped, now: datetime) -> Decision:
    """*Accept* or *keep mine*. The same answer again changes nothing; an answer to an offer that is gone is refused."""
    before = run.answered
    is_accepted = isinstance(tap, AcceptTapped)
    if before is not None and before.number == tap.offer and before.is_accepted == is_accepted:
        return Decision(run=run)
    offer = standing(run, now)
    if offer is None or offer.number != tap.offer:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.OFFER_GONE))
    plan = offer.proposal.plan
    if is_accepted and run.motion is Motion.MOVING and _turns(run, plan):
        return Decision(run=run, refusal=Refusal(trouble=Trouble.MOVING))
    note = Answered(
        number=offer.number, at=now, is_accepted=is_accepted, moved_stops=len(plan.moved_stops), gain_s=plan.gain_s
    )
    run = run.model_copy(update={"offer": None, "answered": note})
    return _accepted(run, offer) if is_accepted else _kept(run, offer, now)


def taken(run: Run, plan: Plan, offer: int | None = None) -> Decision:
    """The run with a plan in force, and the word of it; `offer`: which one the driver accepted."""
    plan = plan.model_copy(
        update={"version": run.plan.version + 1 if run.plan else 1, "was_offline": not run.is_online}
    )
    said = PlanAccepted(
        plan_version=plan.version,
        manifest_version=run.manifest.version if run.manifest else 0,
        reason=plan.reason,
        stop_ids=plan.stop_ids,
        moved_stops=len(plan.moved_stops),
        gain_s=plan.gain_s,
        times=plan.times,
        was_offline=plan.was_offline,
        moves=plan.moves,
        offer=offer,
    )
    return Decision(
        run=run.model_copy(update={"plan": plan}),
        outgoing=(Outgoing(kind=EventKind.PLAN_ACCEPTED, body=to_json(said)),),
    )


def without_offer(run: Run) -> Run:
    return run if run.offer is None else run.model_copy(update={"offer": None})


def _accepted(run: Run, offer: Offer) -> Decision:
    # A look that is under way was made for the order of before: as the run has moved on, it is asked for anew.
    moved_on = run.model_copy(update={"version": run.version + 1, "kept": None})
    decision = taken(moved_on, offer.proposal.plan, offer.number)
    return decision.model_copy(update={"effects": (SendLive(),)})


def _kept(run: Run, offer: Offer, now: datetime) -> Decision:
    plan = offer.proposal.plan
    said = PlanKept(
        offer=offer.number,
        plan_version=run.plan.version if run.plan else 0,
        manifest_version=run.manifest.version if run.manifest else 0,
        reason=plan.reason,
        offered_stop_ids=plan.stop_ids,
        moved_stops=len(plan.moved_stops),
        gain_s=plan.gain_s,
        moves=plan.moves,
    )
    kept = Kept(
        at=now, worth_s=offer.proposal.worth_s, order=plan.stop_ids, late=tuple(sorted(offer.proposal.late_before))
    )
    return Decision(
        run=run.model_copy(update={"kept": kept}),
        outgoing=(Outgoing(kind=EventKind.PLAN_KEPT, body=to_json(said)),),
        effects=(SendLive(),),
    )


def _left_of(plan: Plan, mine: tuple[StopId, ...]) -> Plan:
    """What is left of an offered plan for the stops still open, seen from the driver's own order of them."""
    legs = tuple(leg for leg in plan.legs if leg.stop_id in set(mine))
    order = tuple(leg.stop_id for leg in legs)
    explained = tuple(stop_id for stop_id in plan.moved_stops if stop_id in set(mine))
    lifted = lifted_stops(mine, order)
    moved = lifted if set(lifted) <= set(explained) else explained
    return plan.model_copy(
        update={
            "legs": legs,
            "moved_stops": moved if order != mine else (),
            "moves": tuple(
                move.model_copy(update={"places": order.index(move.stop_id) - mine.index(move.stop_id)})
                for move in plan.moves
                if move.stop_id in moved and move.stop_id in mine
            ),
            "misses": tuple(miss for miss in plan.misses if miss.stop_id in set(mine)),
        }
    )


def _turns(run: Run, plan: Plan) -> bool:
    """Whether the van would drive to another stop than now."""
    return run.next_stop is not None and plan.stop_ids[0] != run.next_stop.stop_id
