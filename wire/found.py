"""A stop that nobody ordered of the coordinator: a van made it of a parcel's own label. What the list says of it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wire.model import Message, Name


class PlacedBy(StrEnum):
    """How it is known where such a stop is. A word that a newer van may know is read as a street's."""

    LABEL = "label"
    """The label names the place."""
    DOOR = "door"
    """The map has the house number."""
    BETWEEN = "between"
    """Between two numbers of the street, or beside the nearest one."""
    STREET = "street"
    """Somewhere on the street."""
    LIST = "list"
    """The coordinator's list has an order of the same parcel."""
    NOWHERE = "nowhere"
    """Nobody knows: its coordinates are the depot's, and stand for nothing."""

    @classmethod
    def _missing_(cls, value: object) -> "PlacedBy | None":
        return cls.STREET if isinstance(value, str) else None


class OfLabel(Message):
    """What stands beside a stop that was made of a label."""

    van: Name
    """Which made it."""
    placed_by: PlacedBy
    may_leave: bool | None = None
    """Whether the label lets it be put down where nobody takes it; None: it does not say."""
    is_dangerous: bool = False
    service: Annotated[str, Field(max_length=200)] = ""
    also: Annotated[str, Field(max_length=300)] = ""
    """The coordinator's word: the same parcel is an order elsewhere."""
