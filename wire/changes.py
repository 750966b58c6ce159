"""Why the order of a day changes, and what it cannot keep: reasons as data; each screen has its own words for them."""

from enum import StrEnum

from wire.model import Message, Seconds, StopId


class MoveWhy(StrEnum):
    """What leaving a stop where it was would have cost most, or the rule that moves it."""

    WINDOW = "window"
    """It would come too late for its own window."""
    ROOM = "room"
    """Another stop, `other`, would come too late for its window."""
    NEARER = "nearer"
    """The way is shorter like this."""
    WAITING = "waiting"
    """The van would stand before a closed door."""
    SHIFT_END = "shift_end"
    """The day would end after the shift."""
    PROMISE = "promise"
    """A customer would have to be told another time."""
    LOAD = "load"
    """The van would carry more than it takes."""
    GROUP = "group"
    """Stops that belong together would be torn apart."""
    NO_ROAD = "no_road"
    """No open road leads there from where it stood in the order."""
    ROAD_CLOSED = "road_closed"
    """The way is shorter like this since a road is closed."""
    PUT_OFF = "put_off"
    """The driver put it off."""
    LOCKED = "locked"
    """The manifest gives it this place."""
    PRECEDENCE = "precedence"
    """What is dropped off has to be collected before."""
    DRIVEN_TO = "driven_to"
    """The van stands there, or is on its way."""
    LISTED = "listed"
    """The manifest's order is fixed, and this is it."""
    TOGETHER = "together"
    """Only together with the other moves is it worth anything."""


class Move(Message):
    """One stop that changes its place."""

    stop_id: StopId
    places: int
    """Negative: earlier. Among the stops that both orders hold."""
    why: MoveWhy
    other: StopId | None = None
    """The stop whose window it makes room for."""
    saves_s: Seconds = 0.0
    """Seconds of driving, waiting or lateness that leaving it there would cost; 0 where a rule is the reason."""


class MissWhy(StrEnum):
    """What binds where a stop cannot be kept."""

    WINDOW = "window"
    """Even straight from here the van would be too late."""
    DRIVEN_TO = "driven_to"
    """The stop stood at or driven to, `other`, comes first, and after it it is too late."""
    PRECEDENCE = "precedence"
    """What is dropped off there has to be collected at `other` before."""
    LOAD = "load"
    """There is no room for it in the van in time."""
    SHIFT = "shift"
    """The shift is over before, or would be with it."""
    LOCKED = "locked"
    """Its place, or that of `other`, is given by the manifest."""
    PUT_OFF = "put_off"
    """The driver put it off."""
    OTHER_WINDOW = "other_window"
    """In time there, the van would be too late at `other`."""
    DETOUR = "detour"
    """In time there, the way would be too long for what it is worth."""
    GROUP = "group"
    """In time there, stops that belong together would be torn apart."""
    ORDER = "order"
    """Only this order: in another one it could be kept."""


class Miss(Message):
    """One stop that is late, left out, or served after the shift, in an order."""

    stop_id: StopId
    why: MissWhy
    other: StopId | None = None
    late_s: Seconds = 0.0
    """Past the end of its window; 0 when something else is wrong."""
