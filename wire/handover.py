"""Down: what a stop's hand-over needs beside its address: parcels with codes, PIN, age, money, how near the van must
be.

Each part is there or not; which of them must be done before the stop is closed is `Stop.proof`.
"""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from wire.model import Message, Metres

ParcelCode = Annotated[str, Field(min_length=1, max_length=90)]
"""As the label has it: the 18 digits of an SSCC without its (00), or a shipper's own code."""


class Parcel(Message):
    code: ParcelCode
    what: Annotated[str, Field(max_length=200)] = ""


class Cash(Message):
    """Money in the currency's smallest unit: 2450 and EUR are 24.50 euros, 2450 and JPY are 2450 yen."""

    amount_minor: Annotated[int, Field(ge=0, lt=2**53)]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217."""


class Reach(Message):
    """How far from the address a stop may be closed: within `inner_m` it passes, within `outer_m` a reason is asked
    for, beyond it is not taken.
    """

    inner_m: Metres = 100.0
    """Wide enough for a house that is geocoded at its gate and a van parked round the corner."""
    outer_m: Metres = 500.0

    @model_validator(mode="after")
    def inner_lies_inside(self) -> Self:
        if self.inner_m > self.outer_m:
            raise ValueError("the inner radius is larger than the outer one")
        return self


class NextStep(StrEnum):
    """What becomes of the goods when a stop fails."""

    LATER_TODAY = "later_today"
    """The van comes again today, as long as attempts are left; after that the goods go to the depot."""
    DEPOT = "depot"
    PICKUP_POINT = "pickup_point"
    """Whoever waits for the goods fetches them at `Handover.pickup_point`."""


class Handover(Message):
    parcels: tuple[Parcel, ...] = ()
    pin_hash: Annotated[str, Field(max_length=200)] = ""
    """Argon2id in its PHC form (`wire/pin.py`): the van can check the PIN without a network and cannot read it."""
    min_age: Annotated[int, Field(ge=1, le=120)] | None = None
    cash: Cash | None = None
    reach: Reach = Reach()
    on_failure: NextStep = NextStep.DEPOT
    attempts: Annotated[int, Field(ge=1, le=9)] = 2
    """How often the van tries today where `on_failure` is `later_today`."""
    pickup_point: Annotated[str, Field(max_length=200)] = ""
    """In words, for driver and recipient."""
