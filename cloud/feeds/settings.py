"""What is written in CLOUD.toml of a publication."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from wire.model import Name, Value


class FeedKind(StrEnum):
    GEOJSON = "geojson"
    DATEX2 = "datex2"
    OPEN_METEO = "open-meteo"


class FeedSettings(Value):
    name: Name
    kind: FeedKind
    url: Annotated[str, Field(pattern=r"^https?://\S+$")]
    every_s: Annotated[float, Field(ge=30, le=86_400)] = 300.0
    within_km: Annotated[float, Field(gt=0, le=500)] = 60.0
    """Farther from the depot nothing is taken."""
    headers: dict[str, str] = {}
    """Sent with each question, such as a key."""
