"""VAN.toml, read once at start into values that checked themselves. What is wrong is said by file, key and remedy."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from agent.errors import ConfigError
from agent.localroute.forecast import ElectricVan
from host.clock import ClockSettings
from host.loopback import require_loopback
from wire.codec import first_problem
from wire.model import Name, Value

Port = Annotated[int, Field(ge=0, le=65535)]
CHECKOUT = Path(__file__).parents[1]


class _Address(Value):
    host: str = "127.0.0.1"

    @field_validator("host")
    @classmethod
    def stays_here(cls, host: str) -> str:
        require_loopback(host, "this")
        return host


class GpsdSettings(_Address):
    port: Port = 2947
    source: Literal["own", "gpsd-py3"] = "own"
    """Which client listens to gpsd: ours, or the library of that name; `docs/gps.md` lists what that one cannot do."""


class BrokerSettings(Value):
    """With `tls` the van shows the certificate it was enrolled with; without, the broker must be on this machine."""

    host: str = "127.0.0.1"
    port: Port = 8883
    tls: bool = True

    @model_validator(mode="after")
    def stays_here_without_tls(self) -> Self:
        if not self.tls:
            require_loopback(self.host, "broker.host")
        return self


class ScreenSettings(_Address):
    """Port 0 takes a free one; the line printed at start says which."""

    port: Port = 8101
    pages_dir: Path = CHECKOUT / "ui" / "dist"


class RoadsSettings(Value):
    """Without `pack_dir` times and routes are straight-line estimates."""

    pack_dir: Path | None = None


class PlannerSettings(Value):
    limit_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    """Real seconds the engine may search for a better order."""


class Settings(Value):
    """One van."""

    van: Name
    fleet: Name
    data_dir: Path
    clock: ClockSettings = ClockSettings()
    gpsd: GpsdSettings = GpsdSettings()
    broker: BrokerSettings = BrokerSettings()
    screen: ScreenSettings = ScreenSettings()
    roads: RoadsSettings = RoadsSettings()
    planner: PlannerSettings = PlannerSettings()
    energy: ElectricVan | None = None
    """None for a van whose charge is not looked at."""

    @property
    def run_dir(self) -> Path:
        """Where the process ids are."""
        return self.data_dir / "run"


_REMEDIES = {
    "missing": "add it",
    "extra_forbidden": "remove it, or correct its name",
}


def read_settings(path: Path) -> Settings:
    """The settings in a file. Raises ConfigError with one line that says what to change where."""
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file; give the path of a VAN.toml") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    try:
        values: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not TOML: {error}") from error
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        kind = error.errors(include_url=False, include_context=False, include_input=False)[0]["type"]
        remedy = f" - {_REMEDIES[kind]}" if kind in _REMEDIES else ""
        raise ConfigError(f"{path}: {first_problem(error)}{remedy}") from error
