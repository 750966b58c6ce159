"""The two lossy messages: the newest picture of the van, and that it is here. Pure."""

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from agent.trip.offers import standing
from agent.trip.run import Run
from wire.events import Eta, Live, LivePosition, StopEta, Suggestion, SuggestionState
from wire.places import Misplaced

MAX_MISPLACED = 50
MAX_ETAS = 25
"""Of the next stops: a message each two seconds must stay small on a bad link."""


def live(van: str, run: Run, etas: Mapping[str, Eta], now: datetime) -> Live:
    """Complete in itself, since the one before may be lost."""
    position = run.position
    return Live(
        van=van,
        sent_at=now,
        position=None
        if position is None
        else LivePosition(
            lat_deg=position.lat_deg,
            lon_deg=position.lon_deg,
            fixed_at=position.fixed_at,
            quality=position.quality,
            error_m=position.error_m,
            speed_mps=position.speed_mps,
            heading_deg=position.heading_deg,
        ),
        manifest_version=run.manifest.version if run.manifest else 0,
        plan_version=run.plan.version if run.plan else 0,
        stop_ids=tuple(stop.stop_id for stop in run.open_stops),
        etas=tuple(
            islice(
                (
                    StopEta(stop_id=stop.stop_id, eta=etas[stop.stop_id])
                    for stop in run.open_stops
                    if stop.stop_id in etas
                ),
                MAX_ETAS,
            )
        ),
        alarms=run.alarms,
        misplaced=_misplaced(run),
        blocked_until=run.blocked_until(now),
        suggestion=_suggestion(run, now),
        off_duty=run.off_duty.why if run.off_duty else None,
    )


def _misplaced(run: Run) -> tuple[Misplaced, ...]:
    is_open = {stop.stop_id for stop in run.open_stops}
    misplaced = run.plan.misplaced if run.plan else ()
    return tuple(one for one in misplaced if one.stop_id in is_open)[:MAX_MISPLACED]


def _suggestion(run: Run, now: datetime) -> Suggestion | None:
    """The offer that waits for an answer, else the one answered last."""
    offer, answered = standing(run, now), run.answered
    if offer is not None:
        plan = offer.proposal.plan
        return Suggestion(
            state=SuggestionState.OPEN,
            since=offer.made_at,
            moved_stops=len(plan.moved_stops),
            gain_s=plan.gain_s,
        )
    if answered is None:
        return None
    return Suggestion(
        state=SuggestionState.ACCEPTED if answered.is_accepted else SuggestionState.KEPT,
        since=answered.at,
        moved_stops=answered.moved_stops,
        gain_s=answered.gain_s,
    )


def says_the_same(a: Live, b: Live) -> bool:
    """Whether `b` is no news after `a`: all is equal but the times of making, and no ETA moved by a minute."""
    return _newsworthy(a) == _newsworthy(b)


def _newsworthy(live: Live) -> object:
    minutes = tuple((stop.stop_id, round(stop.eta.p50.timestamp() / 60)) for stop in live.etas)
    told = (live.stop_ids, minutes, live.alarms, live.misplaced, live.blocked_until, live.suggestion, live.off_duty)
    return live.position, live.manifest_version, live.plan_version, told
