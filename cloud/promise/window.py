"""The window a customer is told, and when another one is worth a message. Pure.

A window reaches from p10 to p90, so that the van comes within it eight times of ten, widened to full steps of a clock
that people read. Each new one is a message to somebody who has other things to do, so another is told only when

- the van is now expected outside the window that was told, or
- a good part of the range has left it: by more than a third of its width, or
- it has become half as wide, or less, for a stop that is near (good news, once),

and never more than `most_told` in all, nor when the van is so near that a message would come with it. The last one is
kept for a window that is going to be missed.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import Field

from wire.events import Eta
from wire.model import Instant, Value

NEAR = timedelta(minutes=90)
LEFT_SHARE = 1 / 3
NARROWER = 0.5


class PromiseRules(Value):
    """How windows are worded, and how often."""

    step: Annotated[timedelta, Field(gt=timedelta(0), le=timedelta(hours=1))] = timedelta(minutes=5)
    """Both ends lie on a multiple of it."""
    least: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(minutes=15)
    """No window is narrower."""
    quiet: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(minutes=5)
    """A van expected within this is not announced any more."""
    most_told: Annotated[int, Field(ge=1)] = 4


class Promised(Value):
    """What a customer was told; `told` counts the messages."""

    opens_at: Instant
    closes_at: Instant
    told_at: Instant
    told: Annotated[int, Field(ge=1)] = 1

    @property
    def width(self) -> timedelta:
        return self.closes_at - self.opens_at


def told_now(before: Promised | None, eta: Eta, now: datetime, rules: PromiseRules | None = None) -> Promised | None:
    """The window to be told now; None when what was told stands, or nobody is told any more."""
    rules = rules or PromiseRules()
    opens_at, closes_at = window_of(eta, rules)
    if before is None:
        return Promised(opens_at=opens_at, closes_at=closes_at, told_at=now)
    if before.told >= rules.most_told or eta.p50 - now < rules.quiet:
        return None
    is_missed = not before.opens_at <= eta.p50 <= before.closes_at
    if not is_missed:
        is_last = before.told == rules.most_told - 1
        if is_last or not (_has_left(before, eta) or _is_good_news(before, eta, closes_at - opens_at, now)):
            return None
    return Promised(opens_at=opens_at, closes_at=closes_at, told_at=now, told=before.told + 1)


def window_of(eta: Eta, rules: PromiseRules) -> tuple[datetime, datetime]:
    """From p10 to p90, to full steps outwards, and at least as wide as the rules say, around the expected time."""
    opens_at, closes_at = _down(eta.p10, rules.step), _up(eta.p90, rules.step)
    lacking = rules.least - (closes_at - opens_at)
    if lacking > timedelta(0):
        opens_at, closes_at = _down(opens_at - lacking / 2, rules.step), _up(closes_at + lacking / 2, rules.step)
    return opens_at, closes_at


def _has_left(before: Promised, eta: Eta) -> bool:
    left = max(eta.p90 - before.closes_at, before.opens_at - eta.p10)
    return left > LEFT_SHARE * before.width


def _is_good_news(before: Promised, eta: Eta, width: timedelta, now: datetime) -> bool:
    return eta.p50 - now <= NEAR and width <= NARROWER * before.width


def _down(at: datetime, step: timedelta) -> datetime:
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // step * step


def _up(at: datetime, step: timedelta) -> datetime:
    down = _down(at, step)
    return down if down == at else down + step
