"""From an offer to what the cab page draws: the order there is, the one offered, and why each stop moves. Pure."""

from collections.abc import Sequence
from datetime import datetime

from agent.screen.view import OfferedStop, OfferView, StopView
from agent.trip.eta import etas
from agent.trip.offers import standing
from agent.trip.punctuality import Punctuality, minutes_off, punctuality, window_at
from agent.trip.run import Run


def offer_view(run: Run, stops: Sequence[StopView], now: datetime) -> OfferView | None:
    """None when nothing waits for an answer. `stops` are the day's, as they stand now."""
    offer = standing(run, now)
    if offer is None:
        return None
    plan = offer.proposal.plan
    expected = etas(run.model_copy(update={"plan": plan}), now)
    now_at = {stop.stop_id: stop for stop in stops}
    first_place = min(now_at[stop_id].position for stop_id in plan.stop_ids)
    moves = {move.stop_id: move for move in plan.moves}
    misses = {miss.stop_id: miss for miss in plan.misses}
    offered = []
    for place, leg in enumerate(plan.legs, start=first_place):
        stop = run.find(leg.stop_id)
        assert stop is not None
        eta, move = expected.get(leg.stop_id), moves.get(leg.stop_id)
        window = window_at(stop.stop, eta.p50 if eta else now)
        word = punctuality(window, eta)
        miss = misses.get(leg.stop_id) if word is Punctuality.LATE else None
        offered.append(
            OfferedStop(
                stop_id=leg.stop_id,
                before=now_at[leg.stop_id].position,
                after=place,
                eta=eta,
                punctuality=word,
                minutes_off=minutes_off(window, eta),
                why=move.why if move else None,
                other=move.other if move else None,
                saves_s=move.saves_s if move else 0.0,
                miss=miss.why if miss else None,
                miss_other=miss.other if miss else None,
            )
        )
    open_now = [now_at[stop_id] for stop_id in plan.stop_ids]
    return OfferView(
        number=offer.number,
        reason=plan.reason,
        times=plan.times,
        moved_stops=len(plan.moved_stops),
        gain_s=plan.gain_s,
        late_before=sum(stop.punctuality is Punctuality.LATE for stop in open_now),
        late_after=sum(stop.punctuality is Punctuality.LATE for stop in offered),
        stops=tuple(offered),
    )
