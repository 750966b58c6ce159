"""CLOUD.toml to settings, once, at start. What is wrong with it is one sentence: the key, and what to write."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from cloud.dispatch.van import Van
from cloud.errors import ConfigError
from cloud.feeds.settings import FeedSettings
from host.clock import ClockSettings
from host.loopback import require_loopback
from wire.codec import first_problem
from wire.manifest import Depot
from wire.model import Name, Value

CHECKOUT = Path(__file__).resolve().parent.parent
type Port = Annotated[int, Field(ge=1, le=65_535)]


class _Door(Value):
    """An address others come to. Only with TLS may it be one that other machines can reach."""

    host: str = "127.0.0.1"
    tls: bool = True
    names: tuple[str, ...] = ()
    """Further host names and addresses under which it is reached; its certificate is good for them."""

    @model_validator(mode="after")
    def stays_here_without_tls(self) -> Self:
        if not self.tls:
            require_loopback(self.host, "the coordinator")
        return self

    @property
    def certificate_names(self) -> tuple[str, ...]:
        return (*self.names, *(() if self.host in _ANY_ADDRESS else (self.host,)))


_ANY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 - written here to be left out


class BrokerSettings(_Door):
    """Where the broker is. A private one is started there by the coordinator and kept running.

    Without `tls` vans need no certificate, and it stays on this machine.
    """

    is_private: bool = True
    port: Port = 8883


class HttpSettings(_Door):
    """Without `tls` nobody signs in, and the console stays on this machine."""

    port: Port = 8100
    pages_dir: Path = CHECKOUT / "ui" / "dist"
    """Holds `console/index.html`, as the pages' build leaves it."""


class RoadsSettings(Value):
    pack_dir: Path | None = None
    """A map pack; without one there is no base map, and routes are straight lines marked as estimates."""


class CloudSettings(Value):
    fleet: Name
    data_dir: Path
    timezone: str = "UTC"
    clock: ClockSettings = ClockSettings()
    broker: BrokerSettings = BrokerSettings()
    http: HttpSettings = HttpSettings()
    roads: RoadsSettings = RoadsSettings()
    depot: Depot
    vans: Annotated[tuple[Van, ...], Field(min_length=1)]
    feeds: tuple[FeedSettings, ...] = ()
    """What others publish: closed roads, the weather."""

    @field_validator("timezone")
    @classmethod
    def is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f'{name!r} is no time zone: write its name, such as "Europe/Lisbon"') from None
        return name

    @field_validator("vans")
    @classmethod
    def each_van_once(cls, vans: tuple[Van, ...]) -> tuple[Van, ...]:
        names = [van.name for van in vans]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"listed twice: {', '.join(twice)}")
        return vans

    @field_validator("feeds")
    @classmethod
    def each_feed_once(cls, feeds: tuple[FeedSettings, ...]) -> tuple[FeedSettings, ...]:
        names = [feed.name for feed in feeds]
        for name in names:
            # Closures are known by their feed's name and a hyphen: one name must not be the beginning of another.
            if names.count(name) > 1 or any(other.startswith(f"{name}-") for other in names):
                raise ValueError(f"the name {name} is taken, or begins another feed's: choose another")
        return feeds

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def run_dir(self) -> Path:
        """Where process ids are written."""
        return self.data_dir / "run"


def read_settings(path: Path) -> CloudSettings:
    """The settings in a file; relative folders in it are meant from where the file is. Raises ConfigError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"there is no {path}: give the path of the coordinator's TOML file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    try:
        settings = CloudSettings.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_problem(error)}") from error
    return _from(settings, path.absolute().parent)


def _from(settings: CloudSettings, folder: Path) -> CloudSettings:
    def there(path: Path) -> Path:
        return path if path.is_absolute() else folder / path

    pack_dir = settings.roads.pack_dir
    changes: dict[str, Any] = {
        "data_dir": there(settings.data_dir),
        "http": settings.http.model_copy(update={"pages_dir": there(settings.http.pages_dir)}),
        "roads": RoadsSettings(pack_dir=there(pack_dir) if pack_dir else None),
    }
    return settings.model_copy(update=changes)
