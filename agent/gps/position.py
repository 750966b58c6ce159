"""A position we believe, with its age and quality; and whether the van moves."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wire.events import FixQuality
from wire.geo import Place
from wire.model import Instant, Latitude, Longitude, Metres, Value


class Motion(StrEnum):
    """Unknown counts as moving wherever the driver's attention is at stake."""

    UNKNOWN = "unknown"
    MOVING = "moving"
    HALTED = "halted"
    PARKED = "parked"


class Position(Value):
    """Where the van was at `fixed_at`. A value the receiver did not give is None, never 0."""

    lat_deg: Latitude
    lon_deg: Longitude
    fixed_at: Instant
    quality: FixQuality
    error_m: Metres | None = None
    speed_mps: Annotated[float, Field(ge=0)] | None = None
    heading_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    is_settled: bool = True
    """False in the first seconds at a place the van was not seen driving to: nothing is done by itself for it."""
    estimated_from: Instant | None = None
    """The time of the last fix, where this is an estimate that went on from there."""

    @property
    def place(self) -> Place:
        return Place(lat_deg=self.lat_deg, lon_deg=self.lon_deg)
