"""A working copy of a road network with some of its roads closed or slowed, by osrm-customize."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

from host.child import Child
from roads.closures import working_copy
from roads.errors import RoadsError
from roads.osrm import customize_command, used_speeds


async def customised(base: Path, copy: Path, speeds: Mapping[str, str], run_dir: Path) -> dict[str, int]:
    """Makes the copy. `speeds`: lines for OSRM by the id of what wants them; answers how many roads each met.

    Raises OSError, ChildError and RoadsError; what is in the folder `copy` then is of no use.
    """
    road = await asyncio.to_thread(working_copy, base, copy)
    files = {copy / f"{number}.csv": one for number, one in enumerate(speeds)}
    for file, one in files.items():
        file.write_text(speeds[one])
    log_path = copy / "customize.log"
    child = await Child.start(
        "osrm-customize", customize_command(road, list(files)), run_dir=run_dir, log_path=log_path, cwd=copy
    )
    try:
        code = await child.wait()
    finally:
        await child.stop()
    if code != 0:
        raise RoadsError(f"osrm-customize ended with code {code}: {child.log_tail()}")
    used = used_speeds(log_path.read_text(errors="replace"))
    return {one: used.get(file.name, 0) for file, one in files.items()}
