"""*Road blocked here*: the driver closes the road ahead for this van, at once, and may open it again. Pure."""

from datetime import datetime, timedelta

from agent.trip.effects import Decision, Effect, Outgoing, Refusal, SendLive, Trouble
from agent.trip.inputs import RoadBlockedTapped, RoadOpenTapped
from agent.trip.offers import without_offer
from agent.trip.plans import asking, changed
from agent.trip.run import Run
from wire.codec import to_json
from wire.events import EventKind, ReplanReason, RoadBlocked, RoadOpened
from wire.manifest import Closure


def road_blocked(run: Run, tap: RoadBlockedTapped, now: datetime) -> Decision:
    """The road along `tap.line` is closed until the time is over; refused where nobody knows which road it is."""
    if len(tap.line) < 2:
        return Decision(run=run, refusal=Refusal(trouble=Trouble.NO_WAY))
    standing = tuple(closure for closure in run.blocked if closure.valid_until > now)
    closure = Closure(
        closure_id=f"blocked-{now:%Y%m%dT%H%M%S%f}",
        line=tap.line,
        valid_from=now,
        valid_until=now + timedelta(minutes=tap.for_min),
    )
    after, effects = _with(run, (*standing, closure), now)
    said = Outgoing(kind=EventKind.ROAD_BLOCKED, body=to_json(RoadBlocked(closure=closure)))
    return Decision(run=after, outgoing=(said,), effects=effects)


def road_open(run: Run, _: RoadOpenTapped, now: datetime) -> Decision:
    """What the driver closed is open again. Nothing changes when nothing is closed."""
    standing = tuple(closure.closure_id for closure in run.blocked if closure.valid_until > now)
    if not standing:
        return Decision(run=run.model_copy(update={"blocked": ()}))
    after, effects = _with(run, (), now)
    said = Outgoing(kind=EventKind.ROAD_OPENED, body=to_json(RoadOpened(closure_ids=standing)))
    return Decision(run=after, outgoing=(said,), effects=effects)


def _with(run: Run, blocked: tuple[Closure, ...], now: datetime) -> tuple[Run, tuple[Effect, ...]]:
    run = without_offer(run.model_copy(update={"blocked": blocked}))
    run, effects = asking(changed(run), ReplanReason.ROAD_CLOSED, now)
    return run, (*effects, SendLive())
