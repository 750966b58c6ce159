"""Instants as the tables keep them: Unix milliseconds, UTC."""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)


def from_ms(at_ms: int) -> datetime:
    """Aware, UTC."""
    return _EPOCH + timedelta(milliseconds=at_ms)
