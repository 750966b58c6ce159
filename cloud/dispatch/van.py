"""What dispatch knows of a van: its driver, its room and its hours."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Annotated

from pydantic import Field, field_validator

from wire.model import Name, Value


class Van(Value):
    """Settings of one van. The shift is in the depot's local time; one that ends before it starts ends the next day."""

    name: Name
    driver: str = ""
    capacity_parcels: Annotated[int, Field(ge=1, le=100_000)] = 100
    shift_starts: time = time(8)
    shift_ends: time = time(17)

    @field_validator("shift_starts", "shift_ends")
    @classmethod
    def is_local(cls, value: time) -> time:
        if value.tzinfo is not None:
            raise ValueError('write a local time without an offset, such as "08:00"')
        return value

    def shift_on(self, day: date, zone: tzinfo) -> tuple[datetime, datetime]:
        """Start and end of the shift that starts on `day`, in UTC."""
        starts_at = datetime.combine(day, self.shift_starts, zone)
        next_day = self.shift_ends <= self.shift_starts
        ends_at = datetime.combine(day + timedelta(days=1) if next_day else day, self.shift_ends, zone)
        return starts_at.astimezone(UTC), ends_at.astimezone(UTC)
