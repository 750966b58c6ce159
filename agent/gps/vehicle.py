"""What the vehicle itself says of its motion, where it is wired up: wheels know nothing of satellites. A value, no I/O.

Nothing hands one in yet; `Observer.observe` takes it, so that the room of vehicle signals only has to fill it.
"""

from typing import Annotated

from pydantic import Field

from wire.model import Metres, Value


class VehicleSaid(Value):
    """At the moment it is handed over; None what this vehicle does not say."""

    speed_mps: Annotated[float, Field(ge=0, le=100)] | None = None
    odometer_m: Metres | None = None
