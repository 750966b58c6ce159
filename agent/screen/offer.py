"""From an offer to what the cab page draws: the order there is, the one offered, and why each stop moves. Pure."""

from collections.abc import Sequence
from datetime import datetime

from agent.screen.route import FindWay
from agent.screen.view import OfferedStop, OfferRouteView, OfferView, StopView
from agent.trip.eta import etas
from agent.trip.offers import standing
from agent.trip.progress import fresh_position
from agent.trip.punctuality import Punctuality, minutes_off, punctuality, window_at
from agent.trip.run import Run
from wire.events import TimesSource
from wire.geo import Place

MOST_PLACES = 25


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


class OfferRoute:
    """The way through the piece of the round that an offer changes, for the map; asked for once an offer."""

    def __init__(self, find_way: FindWay) -> None:
        self._find_way = find_way
        self._kept = OfferRouteView(number=0, times=TimesSource.ESTIMATE, line=())

    async def view(self, run: Run, now: datetime) -> OfferRouteView:
        """Number 0 and no line when nothing is offered."""
        offer = standing(run, now)
        if offer is None:
            return OfferRouteView(number=0, times=TimesSource.ESTIMATE, line=())
        if self._kept.number != offer.number:
            way = await self._find_way(changed_piece(run, now))
            self._kept = OfferRouteView(number=offer.number, times=way.times, line=way.line)
        return self._kept


def changed_piece(run: Run, now: datetime) -> list[Place]:
    """The stops in the order offered, from the one before the first that changes its place to the one after the last.

    From the van where the next stop changes. At most 25 places: more would be a knot on a small map.
    """
    offer = standing(run, now)
    if offer is None:
        return []
    mine = tuple(stop.stop_id for stop in run.open_stops)
    order = offer.proposal.plan.stop_ids
    changed = [place for place, stop_id in enumerate(order) if mine[place] != stop_id]
    first, last = changed[0] - 1, changed[-1] + 1
    by_id = {stop.stop_id: stop.stop.place for stop in run.open_stops}
    position = fresh_position(run, now)
    start = [position.place] if first < 0 and position is not None else []
    return [*start, *(by_id[stop_id] for stop_id in order[max(0, first) : last + 1])][:MOST_PLACES]
