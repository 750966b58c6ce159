"""The part of VROOM's input (its API document, version 1.15) that says something about one van, and nothing beside it:
what is not here would change the answer, so it is refused by name instead of being passed over.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_PRIORITY = 100

Whole = Annotated[int, Field(ge=0, le=2**53)]
Amounts = Annotated[tuple[Whole, ...], Field(max_length=3)]
"""Weight, volume and number, in the units of the vehicle's capacity."""
Windows = tuple[tuple[Whole, Whole], ...]
Coordinates = tuple[Annotated[float, Field(ge=-180, le=180)], Annotated[float, Field(ge=-90, le=90)]]
"""Longitude, latitude."""
Priority = Annotated[int, Field(ge=0, le=MOST_PRIORITY)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Task(_Part):
    """What any stop has."""

    id: Whole
    description: str = ""
    location: Coordinates | None = None
    location_index: Whole | None = None
    setup: Whole = 0
    service: Whole = 0
    time_windows: Windows = ()


class Job(Task):
    delivery: Amounts = ()
    pickup: Amounts = ()
    priority: Priority = 0


class Shipment(_Part):
    pickup: Task
    delivery: Task
    amount: Amounts = ()
    priority: Priority = 0


class Break(_Part):
    id: Whole
    description: str = ""
    time_windows: Windows = ()
    service: Whole = 0


class Step(_Part):
    """One step of the order the driver has now."""

    type: Literal["start", "job", "pickup", "delivery", "break", "end"]
    id: Whole | None = None


class Vehicle(_Part):
    id: Whole
    description: str = ""
    profile: str = "car"
    start: Coordinates | None = None
    start_index: Whole | None = None
    end: Coordinates | None = None
    end_index: Whole | None = None
    capacity: Amounts = ()
    time_window: tuple[Whole, Whole] | None = None
    breaks: tuple[Break, ...] = ()
    speed_factor: Annotated[float, Field(gt=0, le=5)] = 1.0
    steps: tuple[Step, ...] = ()


class Matrices(_Part):
    """Seconds and metres; a place is a row and a column of both."""

    durations: tuple[tuple[Whole, ...], ...]
    distances: tuple[tuple[Whole, ...], ...] | None = None


class Day(_Part):
    vehicles: Annotated[tuple[Vehicle, ...], Field(min_length=1, max_length=1)]
    jobs: tuple[Job, ...] = ()
    shipments: tuple[Shipment, ...] = ()
    matrices: Mapping[str, Matrices] = {}
