"""Sets the stage for a run: the map pack (cached), the folders, the settings files of coordinator and vans."""

import hashlib
import secrets
import shutil
import ssl
import time
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

from host.clock import ClockSettings
from host.loopback import claim_port, free_port
from roads import pack as packs
from wire.geo import Place
from wire.model import Value

CACHE = Path(__file__).parent.parent / ".cache"
PAGES = Path(__file__).parent.parent / "ui" / "dist"
SHIFT = timedelta(hours=9)
RUNS_KEPT = 5
RUNS_KEPT_S = 3600.0
STAGE_FILE = "stage.json"
LOOPBACK = "127.0.0.1"
FLEET = "town"
DISPATCHER = "dispatcher"
DRIVERS = ("Inês Duarte", "Luís Brandão", "Marta Pires", "Rui Tavares", "Vera Antunes", "Paulo Reis", "Ana Moura")


class VanStage(Value):
    name: str
    driver: str
    data_dir: Path
    settings_file: Path
    page_port: int
    gpsd_port: int
    link_port: int

    @property
    def page_url(self) -> str:
        return f"http://{LOOPBACK}:{self.page_port}"


class Stage(Value):
    """Where everything of one run is, and under which address; kept in the run's folder as `stage.json`."""

    folder: Path
    clock: ClockSettings
    day: date
    timezone: str
    pack_dir: Path
    depot: Place
    vans: tuple[VanStage, ...]
    cloud_dir: Path
    cloud_file: Path
    console_port: int
    broker_port: int
    is_plain: bool = False
    """The console without TLS and without signing in; the vans' link has both all the same."""
    password: str = ""
    """The dispatcher's."""

    @property
    def console_url(self) -> str:
        return f"{'http' if self.is_plain else 'https'}://{LOOPBACK}:{self.console_port}"

    @property
    def authority_file(self) -> Path:
        """What a browser must know to trust the console."""
        return self.cloud_dir / "authority" / "authority.pem"

    def fingerprint(self) -> str:
        """Of the console's certificate, as a browser shows it, for a person to compare. Raises OSError."""
        der = ssl.PEM_cert_to_DER_cert((self.cloud_dir / "authority" / "server.pem").read_text())
        return hashlib.sha256(der).hexdigest()


def map_pack(pbf: Path, name: str, progress: Callable[[str], None]) -> Path:
    """The folder of the map pack for this extract, built when the cache does not hold it yet."""
    builder = b"".join(file.read_bytes() for file in sorted(Path(packs.__file__).parent.glob("*.py")))
    with pbf.open("rb") as extract:  # a country's is larger than memory
        digest = hashlib.file_digest(extract, "sha256")
    digest.update(builder)
    key = digest.hexdigest()[:16]
    folder = CACHE / "packs" / key
    if (folder / "pack.json").is_file():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    packs.build_pack(pbf, folder, name, progress=progress)
    return folder


def run_folder(started: datetime) -> Path:
    """A fresh folder for one run; runs that are neither recent nor among the last few make room."""
    runs = CACHE / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    for old in sorted(runs.iterdir())[:-RUNS_KEPT]:
        if started.timestamp() - old.stat().st_mtime > RUNS_KEPT_S:
            shutil.rmtree(old, ignore_errors=True)
    folder = runs / started.strftime("%Y%m%d-%H%M%S-%f")
    folder.mkdir()
    return folder


def require_free(first_port: int, vans: int) -> None:
    """Raises PortTakenError when a page's port is taken: another run's console would answer in place of ours."""
    for port in range(first_port, first_port + vans + 1):
        claim_port(LOOPBACK, port, "the pages (--port moves them)").close()


def stage(
    folder: Path,
    *,
    pack_dir: Path,
    depot: Place,
    timezone: str,
    starts_at: datetime,
    rate: float,
    vans: int,
    first_port: int | None,
    lead: timedelta = timedelta(minutes=3),
    is_plain: bool = False,
) -> Stage:
    """Writes the settings of all programs. Domain time is `starts_at - lead` now, and runs at `rate`.

    `first_port`: the console's, the cab pages follow; None takes any that are free.
    """
    clock = ClockSettings(origin=starts_at - lead, system_origin_s=time.time(), rate=rate)
    console_port = first_port or free_port()
    broker_port = free_port()
    stages = tuple(
        VanStage(
            name=f"van-{number}",
            driver=DRIVERS[(number - 1) % len(DRIVERS)],
            data_dir=folder / f"van-{number}",
            settings_file=folder / f"van-{number}.toml",
            page_port=first_port + number if first_port else free_port(),
            gpsd_port=free_port(),
            link_port=free_port(),
        )
        for number in range(1, vans + 1)
    )
    set_up = Stage(
        folder=folder,
        clock=clock,
        day=starts_at.date(),
        timezone=timezone,
        pack_dir=pack_dir,
        depot=depot,
        vans=stages,
        cloud_dir=folder / "cloud",
        cloud_file=folder / "cloud.toml",
        console_port=console_port,
        broker_port=broker_port,
        is_plain=is_plain,
        password=secrets.token_urlsafe(9),
    )
    (folder / STAGE_FILE).write_text(set_up.model_dump_json(indent=1) + "\n")
    (folder / STAGE_FILE).chmod(0o600)
    set_up.cloud_file.write_text(_cloud_toml(set_up, starts_at))
    for van in stages:
        van.settings_file.write_text(_van_toml(set_up, van))
    return set_up


class NoStageError(ValueError):
    """The folder holds no run."""


def staged(folder: Path) -> Stage:
    """The stage of an earlier run. Raises NoStageError."""
    try:
        return Stage.model_validate_json((folder / STAGE_FILE).read_bytes())
    except (OSError, ValueError) as error:
        raise NoStageError(f"{folder} is not the folder of a run: {error}") from error


def _clock_toml(clock: ClockSettings) -> str:
    assert clock.origin is not None
    return (
        f'[clock]\norigin = "{clock.origin.isoformat()}"\nsystem_origin_s = {clock.system_origin_s!r}\n'
        f"rate = {clock.rate!r}\n"
    )


def _cloud_toml(stage: Stage, starts_at: datetime) -> str:
    return "\n".join(
        [
            f'fleet = "{FLEET}"',
            f'data_dir = "{stage.cloud_dir}"',
            f'timezone = "{stage.timezone}"',
            _clock_toml(stage.clock),
            f'[broker]\nis_private = true\nhost = "{LOOPBACK}"\nport = {stage.broker_port}',
            f'[http]\nhost = "{LOOPBACK}"\nport = {stage.console_port}\npages_dir = "{PAGES}"\n'
            f"tls = {str(not stage.is_plain).lower()}",
            f'[roads]\npack_dir = "{stage.pack_dir}"',
            f'[depot]\nname = "Depot"\nlat_deg = {stage.depot.lat_deg!r}\nlon_deg = {stage.depot.lon_deg!r}',
            *_vans_toml(stage.vans, starts_at),
        ]
    )


def _vans_toml(vans: Sequence[VanStage], starts_at: datetime) -> list[str]:
    return [
        f'[[vans]]\nname = "{van.name}"\ndriver = "{van.driver}"\ncapacity_parcels = 80\n'
        f'shift_starts = "{starts_at:%H:%M}"\nshift_ends = "{starts_at + SHIFT:%H:%M}"'
        for van in vans
    ]


def _van_toml(stage: Stage, van: VanStage) -> str:
    return "\n".join(
        [
            f'van = "{van.name}"',
            f'fleet = "{FLEET}"',
            f'data_dir = "{van.data_dir}"',
            _clock_toml(stage.clock),
            f'[gpsd]\nhost = "{LOOPBACK}"\nport = {van.gpsd_port}',
            f'[broker]\nhost = "{LOOPBACK}"\nport = {van.link_port}',
            f'[screen]\nhost = "{LOOPBACK}"\nport = {van.page_port}\npages_dir = "{PAGES}"',
            f'[roads]\npack_dir = "{stage.pack_dir}"',
            "[planner]\nlimit_s = 0.6",
        ]
    )
