"""Where the goods of a stop are, as a fold of what the vans said of it. Pure.

Each meeting has two sides, and each side one last word. Goods that the van that takes says it has, it has: a person
held them in their hands. Goods that were given, and that nobody has said to have taken, are between the two. So goods
are in one place, whichever words are here and in whatever order they came; where the two sides differ, that is said.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from cloud.fleet.fold import StopState
from wire.checks import Dropped
from wire.manifest import StopKind
from wire.model import StopId
from wire.transfer import GoodsHanded, Side


class Where(StrEnum):
    SENDER = "sender"
    AT_FIRST = "at_first"
    """At the depot, or in the van that loaded them there."""
    ABOARD = "aboard"
    BETWEEN = "between"
    """One van gave them, and the other has not said that it took them."""
    PICKUP_POINT = "pickup_point"
    RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class Custody:
    """`van` for ABOARD; for BETWEEN, the one that gave them."""

    where: Where
    van: str | None = None
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Handing:
    """Both sides of a meeting about the goods of one stop; None: that side has not said anything."""

    meeting_id: StopId
    giver: str
    taker: str
    given: bool | None = None
    taken: bool | None = None

    @property
    def trouble(self) -> str:
        """What the two sides do not agree on, in words; nothing where they do, or one has not spoken yet."""
        if self.given and self.taken is False:
            return f"{self.giver} gave its goods to {self.taker}, and {self.taker} says that they were not there"
        if self.given is False and self.taken:
            return f"{self.taker} took its goods, and {self.giver} says that it kept them"
        return ""

    @property
    def waits_for(self) -> str | None:
        """The van that has not said yet what the other one says was done."""
        if self.given and self.taken is None:
            return self.taker
        return self.giver if self.taken and self.given is None else None


def handings_of(state: StopState) -> tuple[Handing, ...]:
    """Every meeting that anything was said of, in the order in which they were planned (`meeting_id` says it): no clock
    of a van is asked. Within a lane the later word holds; of two lives of one van's store, the one that says yes.
    """
    last: dict[tuple[StopId, Side, tuple[str, str]], GoodsHanded] = {}
    for passing in state.passings:  # in the order of their seqs within each lane
        if isinstance(passing.said, GoodsHanded):
            last[passing.said.meeting_id, passing.said.side, passing.origin.lane] = passing.said
    found: dict[tuple[StopId, str, str], Handing] = {}
    for (meeting_id, side, (van, _)), said in sorted(last.items(), key=lambda item: item[0]):
        giver, taker = (van, said.other_van) if side is Side.GIVES else (said.other_van, van)
        edge = (meeting_id, giver, taker)
        one = found.get(edge, Handing(meeting_id, giver, taker))
        if side is Side.GIVES:
            found[edge] = replace(one, given=bool(one.given) or said.is_handed)
        else:
            found[edge] = replace(one, taken=bool(one.taken) or said.is_handed)
    return tuple(found[edge] for edge in sorted(found))


def custody_of(kind: StopKind, state: StopState) -> Custody:
    """In one place, always."""
    handings = handings_of(state)
    troubles = tuple(one.trouble for one in handings if one.trouble)
    closing = state.closing
    is_fetched = kind in (StopKind.PICKUP, StopKind.RETURN)
    if closing is not None and closing.is_completed:
        if is_fetched:
            return Custody(Where.ABOARD, closing.origin.van, troubles)
        return Custody(Where.RECIPIENT, None, troubles)
    here = Custody(Where.SENDER if is_fetched else Where.AT_FIRST)
    for one in handings:
        if one.taken:
            here = Custody(Where.ABOARD, one.taker)
        elif one.given:
            here = Custody(Where.BETWEEN, one.giver)
    if here.where is Where.AT_FIRST and closing is not None:
        here = Custody(Where.ABOARD, closing.origin.van)  # it stood at the door with them
    drops = [one.said for one in state.passings if isinstance(one.said, Dropped)]
    if closing is not None and any(one.is_dropped for one in drops):
        here = Custody(Where.PICKUP_POINT)
    return Custody(here.where, here.van, troubles)
