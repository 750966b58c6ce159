"""Scenarios: files named like sentences that say how many vans drive, and what goes wrong when."""

import tomllib
from datetime import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from wire.codec import first_problem
from wire.events import FailReason
from wire.model import Name, Value

FOLDER = Path(__file__).parent / "scenarios"

Share = Annotated[float, Field(ge=0, le=1)]
"""Of a van's stops that are closed: 0 at the start, 1 when its day is done."""


class LinkCut(Value):
    """The van's link goes silent, sockets left open, and comes back."""

    kind: Literal["link cut"]
    van: Name
    from_share: Share
    until_share: Share


class StopRefused(Value):
    """Whoever opens the next door does not take the goods."""

    kind: Literal["stop refused"]
    van: Name
    at_share: Share
    reason: FailReason = FailReason.REFUSED


class RoadClosed(Value):
    """A bridge is closed, in the world and by the dispatcher."""

    kind: Literal["road closed"]
    bridge: Annotated[int, Field(ge=0, le=1)] = 0
    van: Name
    at_share: Share
    for_min: Annotated[float, Field(gt=0)] = 600.0


class Process(StrEnum):
    """A process of the running system, by the name of its pid file."""

    AGENT = "agent"
    ROADS = "osrm"
    SOLVER = "solver"
    RECEIVER = "gpsd"
    COORDINATOR = "cloud"
    BROKER = "mosquitto"


class ProcessKilled(Value):
    """One process gets -9; whoever looks after it brings it back."""

    kind: Literal["process killed"]
    process: Process
    van: Name
    """Whose process, and whose progress; for coordinator and broker only the latter."""
    at_share: Share


class VanKilled(Value):
    """The van's agent is killed by -9 in the middle of a request that saves a piece of evidence."""

    kind: Literal["van killed"]
    van: Name
    at_share: Share
    while_saving: Literal["photo", "signature"] = "photo"


class CoordinatorKilled(Value):
    """The coordinator is killed by -9 at the moment a receipt of its is on the wire to the van, `times` times."""

    kind: Literal["coordinator killed"]
    van: Name
    at_share: Share
    times: Annotated[int, Field(ge=1, le=10)] = 1


Fault = Annotated[
    LinkCut | StopRefused | RoadClosed | ProcessKilled | VanKilled | CoordinatorKilled, Field(discriminator="kind")
]


class Scenario(Value):
    title: str
    vans: Annotated[int, Field(ge=1, le=20)] = 3
    stops_per_van: Annotated[int, Field(ge=1, le=200)] = 16
    rate: Annotated[float, Field(ge=1, le=60)] = 30.0
    starts: time = time(8, 0)
    """Local time at the depot."""
    coordinator_commit_ms: Annotated[int, Field(ge=0, le=1000)] = 0
    """How long the coordinator's disk takes for a synced commit: time enough to be killed before it."""
    faults: tuple[Fault, ...] = ()


class ScenarioError(ValueError):
    """The scenario cannot be used; the text says which one and why."""


def read(name: str) -> Scenario:
    """The scenario of that name in `simulator/scenarios`, or in a file given by its path."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in FOLDER.glob("*.toml")))
        raise ScenarioError(f"there is no scenario {name!r}; there are: {known}")
    try:
        return Scenario.model_validate(tomllib.loads(path.read_text()))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path.name} is not TOML: {error}") from error
    except ValidationError as error:
        raise ScenarioError(f"{path.name}: {first_problem(error)}") from error
