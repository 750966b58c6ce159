"""A map pack: one folder with everything a van needs to know about the roads of its area, and the sums to prove it.

    pack.json      name, bounds, source, a journey known to work, sha256 of every file
    road/map.osrm* the road network, as OSRM made it; never changed again
    base.mbtiles   the picture of the map (may be left out)
    places.sqlite  streets and house numbers (packs made before there was one have none)

A pack is built beside its place and renamed into it, so that a folder with a pack.json is a whole pack.
"""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator

from host.child import dying_with_us
from roads import basemap, census, osrm, survey
from roads.addresses import write_index
from roads.errors import BuildError, PackDamagedError, PackMissingError
from wire.geo import Place
from wire.model import Instant, Seconds, Sha256, Value

PACK_FILE = "pack.json"
TILES_FILE = "base.mbtiles"
PLACES_FILE = "places.sqlite"
ROAD_BASE = "road/map.osrm"
ADVICE = "Copy the pack again from where it was built, or build it anew with scripts/mappack."


class Probe(Value):
    """A journey that worked when the pack was made: the sign that the road data is read as it was written."""

    start: Place
    end: Place
    travel_s: Seconds


class FileSum(Value):
    sha256: Sha256
    size_bytes: Annotated[int, Field(ge=0)]


class PackFile(Value):
    """What pack.json holds."""

    format: Literal[1] = 1
    name: Annotated[str, Field(min_length=1, max_length=80)]
    bounds: tuple[float, float, float, float]
    """west, south, east, north in degrees."""
    made_at: Instant
    source: str
    """The name of the extract it was made from."""
    probe: Probe
    more_probes: tuple[Probe, ...] = ()
    files: dict[str, FileSum]

    @field_validator("files")
    @classmethod
    def files_inside(cls, files: dict[str, FileSum]) -> dict[str, FileSum]:
        for path in files:
            if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts:
                raise ValueError(f"{path} lies outside the pack")
        if not any(path.startswith(ROAD_BASE) for path in files):
            raise ValueError("no road network is listed")
        return files


@dataclass(frozen=True, slots=True)
class MapPack:
    """A pack whose every file was read and found to be as it was made."""

    folder: Path
    name: str
    bounds: tuple[float, float, float, float]
    """west, south, east, north in degrees."""
    made_at: datetime
    source: str
    probe: Probe
    road_base: Path
    """What OSRM's programs take: `road/map.osrm`, to which they add their endings."""
    tiles_path: Path | None
    places_path: Path | None = None
    more_probes: tuple[Probe, ...] = ()

    def at(self, folder: Path) -> "MapPack":
        """The same pack after its folder was renamed."""
        return replace(
            self,
            folder=folder,
            road_base=folder / ROAD_BASE,
            tiles_path=folder / TILES_FILE if self.tiles_path else None,
            places_path=folder / PLACES_FILE if self.places_path else None,
        )


def open_pack(folder: Path) -> MapPack:
    """The pack in a folder, after reading all of it once (65 MB in 0.1-0.3 s on a desktop machine).

    Raises PackMissingError when there is none, PackDamagedError naming the file that is not as it was made.
    """
    pack_file = folder / PACK_FILE
    try:
        pack = PackFile.model_validate_json(pack_file.read_bytes())
    except FileNotFoundError:
        raise PackMissingError(
            f"there is no map pack in {folder} (no {PACK_FILE}): build one with scripts/mappack."
        ) from None
    except (ValidationError, OSError) as error:
        raise PackDamagedError(f"map pack {folder}: {PACK_FILE} is damaged ({_first_line(error)}). {ADVICE}") from error
    for path, expected in pack.files.items():
        problem = _problem(folder / path, expected)
        if problem:
            raise PackDamagedError(f"map pack {folder}: {path} {problem}. {ADVICE}")
    return MapPack(
        folder=folder,
        name=pack.name,
        bounds=pack.bounds,
        made_at=pack.made_at,
        source=pack.source,
        probe=pack.probe,
        road_base=folder / ROAD_BASE,
        tiles_path=folder / TILES_FILE if TILES_FILE in pack.files else None,
        places_path=folder / PLACES_FILE if PLACES_FILE in pack.files else None,
        more_probes=pack.more_probes,
    )


def build_pack(
    pbf: Path, out_dir: Path, name: str, *, progress: Callable[[str], None], with_tiles: bool = True
) -> MapPack:
    """Makes a pack of an OSM extract and puts it into `out_dir`, in place of an older pack there.

    Takes seconds for a town, minutes for a country; blocks. Raises BuildError and then leaves nothing behind.
    """
    if not pbf.is_file():
        raise BuildError(f"{pbf} is no file: give an OSM extract (.osm.pbf)")
    if out_dir.exists() and any(out_dir.iterdir()) and not (out_dir / PACK_FILE).is_file():
        raise BuildError(f"{out_dir} holds other things than a map pack: choose a new folder")
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    building = out_dir.with_name(f".{out_dir.name}.building-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    try:
        _build_into(building, pbf, name, progress, with_tiles)
        _put_in_place(building, out_dir)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    progress(f"ready: {out_dir}")
    return open_pack(out_dir)


def _build_into(folder: Path, pbf: Path, name: str, progress: Callable[[str], None], with_tiles: bool) -> None:
    road, scratch = folder / "road", folder / "scratch"
    road.mkdir(parents=True)
    scratch.mkdir()
    progress("reading the bounds")
    bounds = survey.bounds(pbf)
    extract = road / "map.osm.pbf"  # OSRM writes beside its input
    extract.symlink_to(pbf.absolute())
    profile = road / osrm.VAN_PROFILE
    profile.write_text(osrm.van_profile(road))
    for step, command in zip(("extract", "partition", "customise"), osrm.build_commands(extract), strict=True):
        progress(f"road network: {step}")
        _run(command, road)
    extract.unlink()
    profile.unlink()
    progress("road network: looking for a journey that works")
    probes = [
        Probe(start=start, end=end, travel_s=travel_s)
        for start, end, travel_s in survey.journeys(folder / ROAD_BASE, bounds)
    ]
    if with_tiles:
        progress("base map")
        basemap.build_tiles(pbf.absolute(), folder / TILES_FILE, bounds, scratch, _run)
    progress("streets and house numbers")
    write_index(folder / PLACES_FILE, census.read_streets(pbf))
    shutil.rmtree(scratch)
    progress("sums")
    pack = PackFile(
        name=name,
        bounds=bounds,
        made_at=datetime.now(UTC),
        source=pbf.name,
        probe=probes[0],
        more_probes=tuple(probes[1:]),
        files={path.relative_to(folder).as_posix(): _sum(path) for path in sorted(folder.rglob("*")) if path.is_file()},
    )
    (folder / PACK_FILE).write_text(pack.model_dump_json(indent=1) + "\n")


def _put_in_place(building: Path, out_dir: Path) -> None:
    for path in [*building.rglob("*"), building]:
        _fsync(path)
    old = out_dir.with_name(f".{out_dir.name}.old-{os.getpid()}")
    shutil.rmtree(old, ignore_errors=True)
    if out_dir.exists():
        out_dir.rename(old)  # a program that has its files open keeps them
    building.rename(out_dir)
    _fsync(out_dir.parent)
    shutil.rmtree(old, ignore_errors=True)


def _run(command: Sequence[str], work_dir: Path) -> None:
    argv, extra = dying_with_us(command)
    try:
        done = subprocess.run(
            argv, cwd=work_dir, capture_output=True, text=True, errors="replace", check=False, **extra
        )
    except OSError as error:
        raise BuildError(f"{Path(command[0]).name} did not start: {error}") from error
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise BuildError(f"{Path(command[0]).name} ended with code {done.returncode}:\n{said}")


def _problem(path: Path, expected: FileSum) -> str:
    try:
        size_bytes = path.stat().st_size
        if size_bytes != expected.size_bytes:
            return f"has {size_bytes} bytes instead of {expected.size_bytes}"
        return "" if _sum(path) == expected else "is damaged (its sha256 is not the one in pack.json)"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def _sum(path: Path) -> FileSum:
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileSum(sha256=sha256, size_bytes=file.tell())


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}".removeprefix(": ")
    return str(error)
