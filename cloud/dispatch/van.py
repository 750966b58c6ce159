"""What dispatch knows of a van: its driver, its room and its hours."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

from pydantic import Field, field_validator

from wire.manifest import SequencePolicy
from wire.model import Name, Value


class Van(Value):
    """Settings of one van. The shift is in the depot's local time; one that ends before it starts ends the next day."""

    name: Name
    driver: str = ""
    capacity_parcels: Annotated[int, Field(ge=1, le=100_000)] = 100
    shift_starts: time = time(8)
    shift_ends: time = time(17)
    policy: SequencePolicy = SequencePolicy.ADVISED
    """Who may change the order of its stops, unless a dispatcher says otherwise for a day."""

    @field_validator("shift_starts", "shift_ends")
    @classmethod
    def is_local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError('write a local time without an offset, such as "08:00"')
        return value

    @property
    def is_overnight(self) -> bool:
        return self.shift_ends <= self.shift_starts

    def shift_on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """Start and end of the shift that starts on `day`, in UTC."""
        starts_at = datetime.combine(day, self.shift_starts, zone)
        ends_at = datetime.combine(day + timedelta(days=1) if self.is_overnight else day, self.shift_ends, zone)
        return starts_at.astimezone(UTC), ends_at.astimezone(UTC)


def day_of(now: datetime, zone: tzinfo, vans: Iterable[Van]) -> date:
    """The day that is being driven. It turns at midnight; in a fleet that drives through the night, halfway between the
    end of its last overnight shift and the first start after it, so that no van's stops go while it is on the road.
    """
    fleet = tuple(vans)
    here = now.astimezone(zone)
    night_ends_s = max((_second_of_day(van.shift_ends) for van in fleet if van.is_overnight), default=0)
    first_start_s = min((_second_of_day(van.shift_starts) for van in fleet), default=0)
    turns_s = min(first_start_s, (night_ends_s + first_start_s) // 2) if night_ends_s else 0
    return here.date() - timedelta(days=1) if _second_of_day(here.time()) < turns_s else here.date()


def _second_of_day(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second
