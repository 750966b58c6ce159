"""The track lane's columnar batch: breadcrumbs as columns of small integer steps, which zstd then squeezes.

The first entry of each column is absolute, the others are differences. Positions are in 1e-6 degree (0.11 m), speeds
in cm/s, headings in whole degrees, errors in decimetres; None (a value the receiver did not give) is kept as null and
breaks no chain.
"""

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal, Protocol, Self

from pydantic import Field, model_validator

from wire.envelope import Seq
from wire.manifest import SCHEMA
from wire.model import Epoch, Latitude, Longitude, Message, Name, UnixMs, Value

MAX_BREADCRUMBS = 600
Column = tuple[Annotated[int, Field(gt=-(2**53), lt=2**53)] | None, ...]


class Breadcrumb(Value):
    """Where the van was, once a second."""

    wall_ms: UnixMs
    lat_deg: Latitude
    lon_deg: Longitude
    speed_mps: Annotated[float, Field(ge=0)] | None = None
    heading_deg: Annotated[float, Field(ge=0, lt=360)] | None = None
    error_m: Annotated[float, Field(ge=0)] | None = None


class GivenUp(Value):
    """What is left in the outbox of a breadcrumb that had to make room: its seq, and why."""

    why: Annotated[str, Field(max_length=100)]


class Dropped(Message):
    """Breadcrumbs that were given up before they could be sent; their seqs are taken, both ends included."""

    first_seq: Seq
    last_seq: Seq
    why: Annotated[str, Field(max_length=100)]


class TrackBatch(Message):
    """Consecutive breadcrumbs: entry i of every column has seq `first_seq + i`.

    An entry that is null in every column was given up; `dropped` says why.
    """

    schema_: Literal[1] = Field(SCHEMA, alias="schema")
    van: Name
    epoch: Epoch
    boot: Annotated[int, Field(ge=1, lt=2**31)]
    lane: Literal["track"]
    first_seq: Seq
    wall_ms: Annotated[Column, Field(min_length=1, max_length=MAX_BREADCRUMBS)]
    lat_udeg: Column
    lon_udeg: Column
    speed_cmps: Column
    heading_deg: Column
    error_dm: Column
    dropped: Annotated[tuple[Dropped, ...], Field(max_length=MAX_BREADCRUMBS)] = ()

    @model_validator(mode="after")
    def same_length(self) -> Self:
        columns = (self.lat_udeg, self.lon_udeg, self.speed_cmps, self.heading_deg, self.error_dm)
        if any(len(column) != len(self.wall_ms) for column in columns):
            raise ValueError("the columns of a track batch must have the same length")
        last_seq = self.first_seq + len(self.wall_ms) - 1
        if any(not self.first_seq <= gap.first_seq <= gap.last_seq <= last_seq for gap in self.dropped):
            raise ValueError("what was dropped lies outside the batch")
        return self


def to_columns(crumbs: Sequence[Breadcrumb | None]) -> dict[str, Column]:
    """The columns of a batch, ready for `TrackBatch(**columns)`. None is a breadcrumb that was given up."""
    return {
        "wall_ms": _steps(None if crumb is None else crumb.wall_ms for crumb in crumbs),
        "lat_udeg": _steps(None if crumb is None else round(crumb.lat_deg * 1e6) for crumb in crumbs),
        "lon_udeg": _steps(None if crumb is None else round(crumb.lon_deg * 1e6) for crumb in crumbs),
        "speed_cmps": _steps(None if crumb is None else _scaled(crumb.speed_mps, 100) for crumb in crumbs),
        "heading_deg": _steps(
            None if crumb is None or crumb.heading_deg is None else round(crumb.heading_deg) % 360 for crumb in crumbs
        ),
        "error_dm": _steps(None if crumb is None else _scaled(crumb.error_m, 10) for crumb in crumbs),
    }


class Columns(Protocol):
    """The columns of a batch, however they came."""

    @property
    def first_seq(self) -> int: ...
    @property
    def wall_ms(self) -> Column: ...
    @property
    def lat_udeg(self) -> Column: ...
    @property
    def lon_udeg(self) -> Column: ...
    @property
    def speed_cmps(self) -> Column: ...
    @property
    def heading_deg(self) -> Column: ...
    @property
    def error_dm(self) -> Column: ...
    @property
    def dropped(self) -> tuple[Dropped, ...]: ...


def from_columns(batch: Columns) -> tuple[Breadcrumb | None, ...]:
    """The breadcrumbs of a batch, None for one that was given up.

    Raises ValueError when a required column has a hole that nothing explains, or a value is out of range.
    """
    dropped = {seq for gap in batch.dropped for seq in range(gap.first_seq, gap.last_seq + 1)}
    crumbs: list[Breadcrumb | None] = []
    rows = zip(
        *map(
            _sums, (batch.wall_ms, batch.lat_udeg, batch.lon_udeg, batch.speed_cmps, batch.heading_deg, batch.error_dm)
        ),
        strict=True,
    )
    for seq, (wall_ms, lat, lon, speed, heading, error) in enumerate(rows, batch.first_seq):
        if wall_ms is None and seq in dropped:
            crumbs.append(None)
            continue
        if wall_ms is None or lat is None or lon is None:
            raise ValueError("a breadcrumb needs a time and a position")
        crumbs.append(
            Breadcrumb(
                wall_ms=wall_ms,
                lat_deg=lat / 1e6,
                lon_deg=lon / 1e6,
                speed_mps=None if speed is None else speed / 100,
                heading_deg=None if heading is None else float(heading),
                error_m=None if error is None else error / 10,
            )
        )
    return tuple(crumbs)


def _scaled(value: float | None, factor: int) -> int | None:
    return None if value is None else round(value * factor)


def _steps(values: Iterable[int | None]) -> Column:
    before = 0
    steps: list[int | None] = []
    for value in values:
        steps.append(None if value is None else value - before)
        before = before if value is None else value
    return tuple(steps)


def _sums(steps: Column) -> Column:
    total = 0
    values: list[int | None] = []
    for step in steps:
        total = total if step is None else total + step
        values.append(None if step is None else total)
    return tuple(values)
