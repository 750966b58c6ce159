"""Up: what a van read on a parcel's own label: a stop nobody had listed, or what a listed one lacked."""

from typing import Annotated

from pydantic import Field

from wire.handover import ParcelCode
from wire.manifest import Address, Stop, Window
from wire.model import Message, StopId


class StopFound(Message):
    """The van made a stop of a label, on the driver's word; it stands on its run whatever the coordinator does."""

    stop_id: StopId
    """Made of the day and the parcel, so that the same label makes one stop however often it is read."""
    code: ParcelCode
    stop: Stop


class StopFilled(Message):
    """A label gave a listed stop what its list did not have; only what is given was added. The list wins later."""

    stop_id: StopId
    code: ParcelCode
    is_code_new: bool = False
    """The list had no code for this parcel."""
    windows: tuple[Window, ...] = ()
    address: Address | None = None
    """The whole address, with what was added."""
    name: Annotated[str, Field(max_length=200)] = ""
    phone: Annotated[str, Field(max_length=40)] = ""
    wants_signature: bool = False
