"""What is wrong with where a stop is said to be, as far as roads go; each screen has its own words for it."""

from enum import StrEnum

from wire.model import Message, Metres, StopId


class PlaceTrouble(StrEnum):
    FAR = "far"
    """No road is near: at sea, in a field, or a road the map does not have."""
    OFF_MAP = "off_map"
    """Outside the area of the van's map."""
    SWAPPED = "swapped"
    """Outside it too, but on a road of it with latitude and longitude exchanged."""
    CUT_OFF = "cut_off"
    """On a road that leads to hardly any of the others, and from none of them: an island."""
    CLOSED = "closed"
    """On a road that is closed now."""
    UNPLACED = "unplaced"
    """Nobody knows where it is: a stop made of a label whose address is not on the map."""


class Misplaced(Message):
    """A stop whose times and whose way are a guess, and why."""

    stop_id: StopId
    why: PlaceTrouble
    away_m: Metres | None = None
    """To the nearest road; None where that says nothing."""
