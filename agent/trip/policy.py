"""Who may change the order: the manifest's sequence policy, and when a better order is worth a driver's look. Pure.

|  | `free` | `advised` | `fixed` |
| --- | --- | --- | --- |
| the first order of the day | the best one found | the manifest's | the manifest's |
| a better order later | offered | offered | never looked for |
| ... that saves a window while the van moves | taken, and said | offered at the next halt | late, and said |
| ... where the driver's own cannot be driven | taken, and said | taken, and said | the manifest's all the same |

What nobody asks for under any policy is a repair: stops that are gone go, new ones come in where they cost least, those
put off go behind, locked ones to their place, and the stop stood at or driven to is first. All others keep their order.
"""

from enum import StrEnum

from agent.gps.position import Motion
from agent.trip.run import Kept, Plan, Proposal, Run, RunStop, StopPhase
from wire.events import ReplanReason
from wire.manifest import SequencePolicy
from wire.model import StopId

LEAST_WORTH_S = 60.0
"""What a better order must be worth before a driver is asked to look; one that saves a window may be worth less."""
CLEARLY_BETTER_S = 300.0
"""By how much an order must beat the one on offer, or the same order must beat what it was worth when it was refused,
to be offered in its place or again."""


class Verdict(StrEnum):
    """What becomes of a better order."""

    TAKE = "take"
    OFFER = "offer"
    STAND = "stand"
    """Nothing new: an offer that is open stays as it is."""
    LEAVE = "leave"
    """Not worth a look, and neither is what is on offer."""


def policy_of(run: Run) -> SequencePolicy:
    return run.manifest.policy if run.manifest else SequencePolicy.ADVISED


def held_first(run: Run, reason: ReplanReason) -> StopId | None:
    """The stop that must stay first: the one stood at, or, while the van moves, the one being driven to.

    Unknown counts as moving. A stop just failed or put off was the one being driven to; towards the next nobody
    drives yet. None when any stop may come first.
    """
    stops = run.open_stops
    for stop in stops:
        if stop.phase is StopPhase.ARRIVED:
            return stop.stop_id
    if run.plan is None or is_standing(run) or reason in (ReplanReason.STOP_FAILED, ReplanReason.STOP_SKIPPED):
        return None
    planned = run.plan.stop_ids
    return next((stop.stop_id for stop in stops if stop.stop_id in planned and not stop.is_skipped), None)


def is_standing(run: Run) -> bool:
    return run.motion in (Motion.HALTED, Motion.PARKED)


def is_put_off(stop: RunStop, first: StopId | None) -> bool:
    return stop.is_skipped and stop.phase is StopPhase.OPEN and stop.stop_id != first


def listed_order(run: Run, first: StopId | None) -> tuple[StopId, ...]:
    """The open stops as the manifest lists them, but for the stop that is first and those put off, which are facts."""
    is_open = {stop.stop_id for stop in run.open_stops}
    stops = [stop for stop in run.stops if stop.stop_id in is_open]
    stops.sort(key=lambda stop: (stop.stop_id != first, is_put_off(stop, first)))
    return tuple(stop.stop_id for stop in stops)


def is_repair(run: Run, plan: Plan, reason: ReplanReason) -> bool:
    """Whether a plan changes nothing that the driver would have to be asked about.

    Under `fixed` it is the manifest's order. Else the stops that were planned and that no rule moves keep their mutual
    order; before there is a plan the manifest's order stands for it, which under `free` nobody has in mind yet.
    """
    first = held_first(run, reason)
    listed = listed_order(run, first)
    if policy_of(run) is SequencePolicy.FIXED:
        return plan.stop_ids == listed
    if run.plan is None and policy_of(run) is SequencePolicy.FREE:
        return True
    before = run.plan.stop_ids if run.plan else listed
    free = {
        stop.stop_id
        for stop in run.open_stops
        if not (stop.stop.is_locked or is_put_off(stop, first) or stop.stop_id == first)
    }
    return _only(before, free) == _only(plan.stop_ids, free & set(before))


def judged(run: Run, proposal: Proposal, open_offer: Proposal | None) -> Verdict:
    """What becomes of a better order beside the plan of `run`; `open_offer`: what the driver may still answer."""
    policy = policy_of(run)
    if policy is SequencePolicy.FIXED:
        return Verdict.LEAVE
    if proposal.is_forced or (run.plan is None and policy is SequencePolicy.FREE):
        return Verdict.TAKE
    if not is_worth_a_look(proposal):
        return Verdict.LEAVE
    if run.kept is not None and not is_free_again(run, run.kept, proposal):
        return Verdict.STAND
    if (
        policy is SequencePolicy.FREE
        and not is_standing(run)
        and run.kept is None
        and _saves_what_was_safe(run, proposal)
    ):
        return Verdict.TAKE
    if open_offer is not None and not _beats(proposal, open_offer):
        return Verdict.STAND
    return Verdict.OFFER


def is_worth_a_look(proposal: Proposal) -> bool:
    """Worth the least gain; or a window that only it keeps, at the price of no other."""
    if not proposal.plan.moved_stops:
        return False
    saves = bool(proposal.saved) and not proposal.lost
    return proposal.worth_s >= LEAST_WORTH_S or (saves and proposal.worth_s > 0)


def is_free_again(run: Run, kept: Kept, proposal: Proposal) -> bool:
    """Whether the driver may be asked again after *keep mine*: other stops than then, or a window that was safe then.

    Other stops alone do not bring the same order back, unless it is clearly better by now.
    """
    if proposal.saved - set(kept.late):
        return True
    if not is_membership_changed(run, kept):
        return False
    both = set(kept.order) & set(proposal.plan.stop_ids)
    is_same = _only(kept.order, both) == _only(proposal.plan.stop_ids, both)
    return not is_same or proposal.worth_s >= kept.worth_s + CLEARLY_BETTER_S


def is_membership_changed(run: Run, kept: Kept) -> bool:
    """Whether stops came, or were taken off, since the driver kept an order; those done since are no news."""
    open_now = {stop.stop_id for stop in run.open_stops}
    done = {stop.stop_id for stop in run.stops if stop.phase in (StopPhase.COMPLETED, StopPhase.FAILED)}
    return bool(open_now - set(kept.order)) or bool(set(kept.order) - open_now - done)


def _saves_what_was_safe(run: Run, proposal: Proposal) -> bool:
    was_late = run.plan.late_stops if run.plan else frozenset()
    return bool(proposal.saved - was_late) and not proposal.lost


def _beats(proposal: Proposal, other: Proposal) -> bool:
    """Whether one offer may take another's place under the driver's eyes."""
    if proposal.plan.stop_ids == other.plan.stop_ids:
        return False
    return bool(proposal.saved - other.saved) or proposal.worth_s >= other.worth_s + CLEARLY_BETTER_S


def _only(order: tuple[StopId, ...], these: set[StopId]) -> tuple[StopId, ...]:
    return tuple(stop_id for stop_id in order if stop_id in these)
