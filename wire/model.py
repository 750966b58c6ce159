"""The base of every message: frozen, finite numbers only, unknown fields kept.

A newer peer may send fields we do not know. They travel on untouched (`extra="allow"`), so an old coordinator
that stores and forwards a record loses nothing of it.
"""

from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
"""A van's or a fleet's name: it becomes a topic level, a user name and a certificate's CN, so it is kept this plain."""

StopId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Epoch = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Metres = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Instant = AwareDatetime
UnixMs = Annotated[int, Field(ge=0, lt=253_402_300_800_000)]
"""Milliseconds since 1970, before the year 10,000: what every clock, database and browser can hold."""

Count = Annotated[int, Field(ge=0, lt=2**53)]
"""A whole number that survives JavaScript."""


class Message(BaseModel):
    """A value that crosses the wire."""

    # By alias also when stored: under its Python name `schema_` would come back as an unknown field, kept beside the
    # true one, and the message read back would have another hash.
    model_config = ConfigDict(
        frozen=True, extra="allow", allow_inf_nan=False, ser_json_inf_nan="constants", serialize_by_alias=True
    )


class Value(BaseModel):
    """A value of ours that never crosses the wire: a field we do not know is our own mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
